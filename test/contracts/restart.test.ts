// What a broker finds again after the one before it was killed, and what time has done meanwhile.
import assert from "node:assert/strict";
import { test } from "node:test";
import { DurableRig } from "../support/durable-rig.ts";
import type { ConnectOptions, TestClient } from "../support/test-client.ts";

const SECOND_MS = 1000;
const HOUR_MS = 3_600_000;
const YEARS_MS = 87_600 * HOUR_MS;

/** A durable Session that subscribes to "t" and is away. */
async function away(rig: DurableRig, clientId: string = "sub", options: ConnectOptions = {}): Promise<void> {
  const client = await rig.durable(clientId, options);
  await rig.subscribe(client, "t");
  client.drop();
  await rig.recover();
}

async function published(
  rig: DurableRig,
  payload: string,
  messageExpirySeconds?: number,
  retain = false,
): Promise<void> {
  const pub = rig.harness.connect("pub");
  const properties = messageExpirySeconds === undefined ? {} : { messageExpirySeconds };
  pub.publish("t", payload, { qos: 1, retain, properties });
  await rig.recover();
  pub.disconnect();
}

/** Connects `clientId` again and says whether its Session was there, and what waited in it. */
async function returned(
  rig: DurableRig,
  clientId: string = "sub",
): Promise<{ isPresent: boolean; payloads: string[] }> {
  const client = rig.connecting(clientId);
  await rig.calm();
  const { sessionPresent } = client.expect("CONNACK");
  return { isPresent: sessionPresent, payloads: client.payloads() };
}

for (const [downMs, isPresent] of [
  [HOUR_MS - SECOND_MS, true],
  [HOUR_MS + SECOND_MS, false],
] as const) {
  test(`a Session that is kept for an hour is ${isPresent ? "there" : "gone"} ${downMs / SECOND_MS} s later`, async () => {
    const rig = new DurableRig();
    await away(rig);
    await published(rig, "one");
    await rig.harness.rest(HOUR_MS / 2);
    await rig.restart({ downMs: downMs - HOUR_MS / 2 });
    assert.equal(rig.restoredSessions, isPresent ? 1 : 0);
    if (!isPresent) assert.deepEqual(rig.store.holdings(), []);
    assert.deepEqual(await returned(rig), { isPresent, payloads: isPresent ? ["one"] : [] });
  });
}

test("a Session that was connected is kept from the first restart on, however often the broker is killed", async () => {
  const rig = new DurableRig();
  await rig.durable("sub");
  for (let minutes = 0; minutes < 60; minutes += 20) {
    await rig.restart({ downMs: minutes === 0 ? HOUR_MS * 5 : 0 });
    assert.equal(rig.harness.broker.sessions.count, 1);
    await rig.harness.rest(HOUR_MS / 3 - SECOND_MS);
  }
  await rig.restart({ downMs: 3 * SECOND_MS });
  assert.equal(rig.harness.broker.sessions.count, 0);
});

test("a Session that was not to outlive its last connection any more is gone", async () => {
  const rig = new DurableRig();
  await away(rig);
  await rig.durable("sub", { properties: { sessionExpirySeconds: 0 } });
  await rig.restart();
  assert.equal(rig.harness.broker.sessions.count, 0);
  assert.deepEqual(rig.store.holdings(), []);
});

test("messages expire while the broker is down, and those that do not tell what is left of their time", async () => {
  for (const maximumQueueMemoryBytes of [0, 1_000_000]) {
    const rig = new DurableRig({ options: { maximumQueueMemoryBytes } });
    await away(rig);
    for (const [payload, seconds] of [
      ["a", 60],
      ["b", 20],
      ["c", undefined],
      ["d", 30],
    ] as const)
      await published(rig, payload, seconds);
    await published(rig, "r", 25, true);
    await rig.restart({ downMs: 29 * SECOND_MS });
    assert.equal(rig.harness.broker.retained.count, 0);
    const sub = await rig.durable("sub");
    await rig.calm();
    const left = sub.publishes().map(({ payload, properties }) => [`${payload}`, properties.messageExpirySeconds]);
    assert.deepEqual(left, [
      ["97", 31],
      ["99", undefined],
      ["100", 1],
    ]);
  }
});

interface WillCase {
  readonly title: string;
  readonly delaySeconds: number;
  readonly leave: (client: TestClient) => void;
  readonly downMs: number;
  /** Seconds after the restart at which the will comes; null: never. */
  readonly afterSeconds: number | null;
}

const WILLS: readonly WillCase[] = [
  { title: "due while the broker was down", delaySeconds: 10, leave: (c) => c.drop(), downMs: 11_000, afterSeconds: 0 },
  { title: "not due yet", delaySeconds: 10, leave: (c) => c.drop(), downMs: 4000, afterSeconds: 6 },
  {
    title: "of a connection cut by the crash",
    delaySeconds: 10,
    leave: () => {},
    downMs: HOUR_MS * 5,
    afterSeconds: 10,
  },
  { title: "of a connection cut by the crash, at once", delaySeconds: 0, leave: () => {}, downMs: 0, afterSeconds: 0 },
  {
    title: "of a client that said goodbye",
    delaySeconds: 0,
    leave: (c) => c.disconnect(),
    downMs: 0,
    afterSeconds: null,
  },
  { title: "that was published before", delaySeconds: 0, leave: (c) => c.drop(), downMs: 0, afterSeconds: null },
];

for (const { title, delaySeconds, leave, downMs, afterSeconds } of WILLS) {
  test(`a will ${title} comes ${afterSeconds === null ? "never" : `${afterSeconds} s after the restart`}`, async () => {
    const rig = new DurableRig();
    const will = { topicName: "will", payload: "w", qos: 1, properties: { willDelaySeconds: delaySeconds } } as const;
    leave(await rig.durable("c", { will }));
    await rig.calm();
    await rig.restart({ downMs });
    const watcher = rig.harness.connect("watcher");
    watcher.subscribe("will");
    await rig.calm();
    // What is due at the restart comes during it, before anybody can subscribe.
    const isDueAtOnce = afterSeconds === 0;
    assert.equal(rig.harness.broker.sessions.get("c")!.will === null, afterSeconds === null || isDueAtOnce);
    await rig.harness.rest((afterSeconds ?? 1) * SECOND_MS - SECOND_MS);
    assert.deepEqual(watcher.payloads(), []);
    await rig.harness.rest(HOUR_MS / 2);
    assert.deepEqual(watcher.payloads(), afterSeconds === null || isDueAtOnce ? [] : ["w"]);
  });
}

test("a will that was due while the broker was down reaches those who wait for it, once", async () => {
  const rig = new DurableRig();
  await away(rig);
  const will = { topicName: "t", payload: "w", qos: 2, retain: true, properties: { willDelaySeconds: 10 } } as const;
  (await rig.durable("c", { will })).drop();
  await rig.calm();
  for (let restarts = 0; restarts < 2; restarts++) await rig.restart({ downMs: 20 * SECOND_MS });
  assert.deepEqual(await returned(rig), { isPresent: true, payloads: ["w"] });
  assert.equal(rig.harness.broker.retained.count, 1);
});

test("a will is not published when its client comes back after the restart and before the delay is over", async () => {
  const rig = new DurableRig();
  await away(rig);
  const will = { topicName: "t", payload: "w", qos: 1, properties: { willDelaySeconds: 10 } } as const;
  await rig.durable("c", { will });
  await rig.restart();
  await rig.harness.rest(9 * SECOND_MS);
  await rig.durable("c");
  await rig.calm(HOUR_MS / 2);
  assert.deepEqual((await returned(rig)).payloads, []);
});

for (const jumpMs of [HOUR_MS, -HOUR_MS, YEARS_MS, -YEARS_MS]) {
  test(`a wall clock set by ${jumpMs / HOUR_MS} hours while the broker runs moves no moment, after a restart neither`, async () => {
    const rig = new DurableRig({ options: { maximumQueueMemoryBytes: 0 } });
    await away(rig);
    const will = { topicName: "t", payload: "w", qos: 1, properties: { willDelaySeconds: 1800 } } as const;
    (await rig.durable("c", { will })).drop();
    for (const [payload, seconds] of [
      ["a", 1200],
      ["b", 1200],
      ["c", 2400],
    ] as const)
      await published(rig, payload, seconds);
    rig.jump(jumpMs);
    await rig.harness.rest(60 * SECOND_MS);
    await published(rig, "d", 1200);
    await rig.restart({ downMs: 540 * SECOND_MS });
    await rig.harness.rest(500 * SECOND_MS);
    assert.deepEqual((await returned(rig)).payloads, ["a", "b", "c", "d"]);
    rig.harness.clients.at(-1)!.drop();
    await rig.harness.rest(600 * SECOND_MS);
    assert.deepEqual((await returned(rig)).payloads, [], "the will is not due yet");
    await rig.harness.rest(200 * SECOND_MS);
    assert.equal(rig.harness.broker.sessions.get("c")!.will, null);
    await rig.calm(1800 * SECOND_MS);
    assert.equal(rig.harness.broker.sessions.get("c"), undefined);
  });
}

test("a wall clock that is set back while no broker runs gives nothing more time than it had at first", async () => {
  const rig = new DurableRig();
  await away(rig);
  const will = { topicName: "t", payload: "w", qos: 1, properties: { willDelaySeconds: 600 } } as const;
  (await rig.durable("c", { will })).drop();
  await published(rig, "a", 60);
  await published(rig, "b", 900);
  await rig.restart({ downMs: -YEARS_MS });
  await rig.calm(601 * SECOND_MS);
  assert.deepEqual((await returned(rig)).payloads, ["b", "w"]);
  rig.harness.clients.at(-1)!.drop();
  await rig.calm(HOUR_MS);
  assert.equal(rig.harness.broker.sessions.count, 0);
});

test("a Session does not get its own retained message after a restart when it wants none of its own", async () => {
  const rig = new DurableRig();
  const client = await rig.durable("own");
  client.publish("t", "mine", { qos: 1, retain: true });
  await rig.recover();
  await rig.restart();
  const again = await rig.durable("own");
  again.sendSubscribe("t", { noLocal: true });
  await rig.calm();
  assert.deepEqual(again.trace(), ["SUBACK m1 0x02"]);
});

test("packet identifiers go on where they were when the broker ended", async () => {
  const rig = new DurableRig();
  const reader = await rig.durable("reader");
  await rig.subscribe(reader, "t", 1);
  for (const payload of ["one", "two"]) await published(rig, payload);
  assert.deepEqual(
    reader.publishes().map(({ packetId }) => packetId),
    [1, 2],
  );
  void rig.harness.broker.shutdown();
  await rig.calm();
  await rig.restart();
  const again = await rig.durable("reader");
  await published(rig, "three");
  assert.deepEqual(
    again.publishes().map(({ packetId }) => packetId),
    [3],
  );
});
