import assert from "node:assert/strict";
import { test } from "node:test";
import { Pace } from "./pace.ts";

const BEGAN_MS = 1000.25;

test("as many are due as the rate says, the first after one interval", () => {
  const pace = new Pace(BEGAN_MS, 20);
  assert.deepEqual(
    [0, 49.9, 50, 99.9, 100, 1000].map((ms) => pace.count(BEGAN_MS + ms)),
    [0, 0, 1, 1, 2, 20],
  );
});

test("a message that is sent when it is due counts from then, however slow the rate", () => {
  for (const perSecond of [0.5, 20, 100, 5000]) {
    const pace = new Pace(BEGAN_MS, perSecond);
    for (let nowMs = BEGAN_MS, sent = 0; nowMs < BEGAN_MS + 4500; nowMs++)
      for (const due = pace.count(nowMs); sent < due; sent++) assert.equal(pace.stampMs(sent, nowMs), nowMs);
  }
});

test("a message that is late counts from when it was due", () => {
  const pace = new Pace(BEGAN_MS, 100);
  assert.equal(pace.stampMs(0, BEGAN_MS + 14), BEGAN_MS + 14);
  assert.equal(pace.stampMs(0, BEGAN_MS + 500), BEGAN_MS + 10);
  assert.equal(pace.stampMs(9, BEGAN_MS + 500), BEGAN_MS + 100);
});
