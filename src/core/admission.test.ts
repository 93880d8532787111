import assert from "node:assert/strict";
import { test } from "node:test";
import { Admission, networkOf } from "./admission.ts";
import { DEFAULT_ENTRANCE } from "./entrance.ts";

test("what counts as one address", () => {
  for (const [remoteAddress, network] of [
    ["10.0.0.7:1234", "10.0.0.7"],
    ["::ffff:10.0.0.7:1234", "10.0.0.7"],
    ["2001:db8:1:2:3:4:5:6:1", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::9:1", "2001:db8:1:2::/64"],
    ["2001:db8::9:1", "2001:db8:0:0::/64"],
    ["::1:1", "0:0:0:0::/64"],
    ["fe80::1%eth0:1", "fe80:0:0:0::/64"],
    ["/run/lacewing.sock", null],
  ] as const) {
    assert.equal(networkOf(remoteAddress), network, remoteAddress);
  }
});

test("one second's worth may come at once, then one at a time, and each listener counts for itself", () => {
  const admission = new Admission();
  const entrance = { ...DEFAULT_ENTRANCE, name: "a", maximumConnectRate: 10 };
  const taken = (nowMs: number, name: string = "a"): number => {
    let count = 0;
    while (count < 100 && admission.rateRefusal({ ...entrance, name }, `10.0.0.${count}:1`, nowMs) === null) count++;
    return count;
  };
  assert.deepEqual(
    [taken(0), taken(50), taken(100), taken(350), taken(10_000), taken(10_000, "b")],
    [10, 0, 1, 2, 10, 10],
  );
});

test("each further failure doubles the time, up to an hour; after an hour without any all is forgotten", () => {
  const admission = new Admission();
  const entrance = { ...DEFAULT_ENTRANCE, maximumLoginFailures: 2, loginBackOffMs: 1000 };
  const address = "10.0.0.7:1";
  const waits: number[] = [];
  let nowMs = 0;
  for (let i = 0; i < 16; i++) {
    admission.loginFailed(entrance, address, nowMs);
    waits.push(admission.backOffMs(entrance, address, nowMs));
    nowMs += waits.at(-1) ?? 0;
  }
  assert.deepEqual(waits.slice(0, 5), [0, 1000, 2000, 4000, 8000]);
  assert.equal(waits.at(-1), 3_600_000);
  assert.equal(admission.backOffMs(entrance, "10.0.0.8:1", nowMs - 1), 0);
  nowMs += 3_600_001;
  admission.loginFailed(entrance, address, nowMs);
  assert.equal(admission.backOffMs(entrance, address, nowMs), 0);
});

test("however many addresses come, what is remembered of them is bounded, and the latest is", () => {
  const admission = new Admission();
  const entrance = { ...DEFAULT_ENTRANCE, maximumConnectRatePerAddress: 1 };
  const addressOf = (i: number): string => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}:1`;
  for (let i = 0; i < 60_000; i++) assert.equal(admission.rateRefusal(entrance, addressOf(i), 0), null);
  assert.notEqual(admission.rateRefusal(entrance, addressOf(59_999), 0), null);
  assert.equal(admission.rateRefusal(entrance, addressOf(0), 0), null, "the first one is forgotten");
});
