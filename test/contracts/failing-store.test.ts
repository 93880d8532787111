// What clients see while the store fails: no false acknowledgement, QoS 0 as ever, and everything by itself when it works again.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Observer } from "../../src/core/index.ts";
import { BATCH_MS, DurableRig } from "../support/durable-rig.ts";
import type { Outcome } from "../support/faulty-store.ts";
import type { TestClient } from "../support/test-client.ts";

interface Scene {
  readonly rig: DurableRig;
  readonly pub4: TestClient;
  readonly pub5: TestClient;
  readonly states: string[];
}

/** A durable Session that is away and subscribes to "t", and a publisher of each version; the store then ends appends with `outcome`. */
async function failing(outcome: Outcome): Promise<Scene> {
  const states: string[] = [];
  const observer: Observer = { storeState: (state, error) => states.push(`${state} ${error}`) };
  const rig = new DurableRig({ observer });
  const sub = await rig.durable("sub");
  await rig.subscribe(sub, "t");
  sub.drop();
  await rig.recover();
  const [pub4, pub5] = [rig.harness.connect("pub4", { version: 4 }), rig.harness.connect("pub5")];
  rig.store.outcome = outcome;
  return { rig, pub4, pub5, states };
}

for (const outcome of ["rejected", "rejected but kept"] as const) {
  test(`store that has ${outcome}: the publisher that found out and those of 3.1.1 are held, 5.0 gets 0x97`, async () => {
    const { rig, pub4, pub5, states } = await failing(outcome);
    pub4.publish("t", "a", { qos: 1 });
    await rig.harness.rest(BATCH_MS);
    assert.deepEqual(states, ["failing Error: the disk says no"]);
    pub4.publish("t", "b", { qos: 1 });
    pub5.publish("t", "c", { qos: 1 });
    pub5.publish("t", "d", { qos: 2 });
    pub5.publish("r", "e", { qos: 1, retain: true });
    await rig.harness.rest(60_000);
    assert.deepEqual(pub4.trace(), []);
    assert.deepEqual(pub5.trace(), ["PUBACK m1 0x97", "PUBREC m2 0x97", "PUBACK m3 0x97"]);
    rig.store.outcome = "kept";
    await rig.calm(5000);
    assert.deepEqual(pub4.trace(), ["PUBACK m1", "PUBACK m2"]);
    assert.deepEqual(states, ["failing Error: the disk says no", "up null"]);
    pub5.publish("t", "f", { qos: 1 });
    await rig.calm();
    assert.deepEqual(pub5.trace(), ["PUBACK m4"]);
    await rig.restart();
    assert.deepEqual((await rig.durable("sub")).payloads(), ["a", "b", "f"]);
  });
}

test("store that does not answer: after five seconds it fails as one that says no, and heals when it answers", async () => {
  const { rig, pub4, pub5, states } = await failing("kept");
  const online = rig.harness.connect("online");
  online.subscribe("live");
  rig.hang();
  pub4.publish("t", "a", { qos: 1 });
  await rig.harness.rest(BATCH_MS + 4999);
  pub5.publish("t", "b", { qos: 1 });
  assert.deepEqual(states, []);
  await rig.harness.rest(2);
  assert.deepEqual(states, ["failing Error: it has not answered for 5000 ms"]);
  const late = rig.harness.connect("late");
  late.publish("t", "c", { qos: 1 });
  late.publish("live", "d");
  pub4.publish("t", "e", { qos: 1 });
  await rig.harness.rest(60_000);
  assert.deepEqual([pub4.trace(), pub5.trace(), late.trace()], [[], [], ["PUBACK m1 0x97"]]);
  assert.deepEqual(online.payloads(), ["d"]);
  assert.equal(rig.store.batches.at(-1), rig.store.pending);
  await rig.recover();
  assert.deepEqual([pub4.trace(), pub5.trace()], [["PUBACK m1", "PUBACK m2"], ["PUBACK m1"]]);
  assert.deepEqual(states.slice(1), ["up null"]);
  await rig.restart();
  assert.deepEqual((await rig.durable("sub")).payloads(), ["a", "b", "e"]);
});

test("while the store fails QoS 0 goes on, and QoS 1 and 2 between those who are not durable", async () => {
  const { rig, pub4, pub5 } = await failing("rejected");
  pub4.publish("t", "", { qos: 1 });
  await rig.harness.rest(BATCH_MS);
  const sub = rig.harness.connect("online");
  sub.subscribe("live");
  pub4.publish("live", "zero");
  pub5.publish("live", "one", { qos: 1 });
  pub5.publish("live", "two", { qos: 2 });
  assert.deepEqual(sub.payloads(), ["zero", "one", "two"]);
  assert.deepEqual(pub5.trace(), ["PUBACK m1", "PUBREC m2", "PUBCOMP m2"]);
  await rig.recover();
});

test("while the store fails nobody is told that a durable Session or Subscription exists, afterwards all are", async () => {
  const { rig } = await failing("rejected");
  const waiting = rig.connecting("waiting");
  await rig.harness.rest(60_000);
  assert.deepEqual(waiting.trace(), []);
  rig.store.outcome = "kept";
  await rig.calm(5000);
  assert.deepEqual(waiting.trace(), ["CONNACK 0x00"]);
  rig.store.outcome = "rejected";
  waiting.sendSubscribe("f");
  await rig.harness.rest(60_000);
  assert.deepEqual(waiting.trace(), []);
  rig.store.outcome = "kept";
  await rig.calm(5000);
  assert.deepEqual(waiting.trace(), ["SUBACK m1 0x02"]);
});

test("a rejected batch is tried again with growing pauses, the same each time, and later facts wait behind it", async () => {
  const { rig, pub4 } = await failing("rejected");
  const before = rig.store.batches.length;
  pub4.publish("t", "a", { qos: 1 });
  await rig.harness.rest(BATCH_MS);
  pub4.publish("t", "b", { qos: 1 });
  const tries: number[] = [];
  for (let ms = 0; ms < 20_000; ms += 10) {
    const count = rig.store.batches.length;
    await rig.harness.rest(10);
    if (rig.store.batches.length > count) tries.push(ms + 10);
  }
  assert.deepEqual(tries, [100, 300, 700, 1500, 3100, 6300, 11_300, 16_300]);
  assert.equal(new Set(rig.store.batches.slice(before).map((batch) => JSON.stringify(batch))).size, 1);
  await rig.recover();
});

test("QoS 2 goes on where it was when the store works again", async () => {
  const rig = new DurableRig();
  const sub = await rig.durable("sub", { acknowledges: false });
  await rig.subscribe(sub, "t");
  const pub = await rig.durable("pub", { version: 4 });
  rig.store.outcome = "rejected";
  pub.publish("t", "one", { qos: 2 });
  await rig.harness.rest(10_000);
  assert.deepEqual([sub.trace(), pub.trace()], [[], []]);
  rig.store.outcome = "kept";
  await rig.calm(5000);
  assert.deepEqual([sub.trace(), pub.trace()], [["PUBLISH t=one q2 m1"], ["PUBREC m1", "PUBCOMP m1"]]);
  rig.store.outcome = "rejected";
  sub.acknowledge("PUBREC", 1);
  await rig.harness.rest(10_000);
  assert.deepEqual(sub.trace(), []);
  rig.store.outcome = "kept";
  await rig.calm(5000);
  assert.deepEqual(sub.trace(), ["PUBREL m1"]);
});

test("while the store is too far behind, who wants a Session that is kept is sent away, and the others come in", async () => {
  const rig = new DurableRig();
  (await rig.durable("known")).drop();
  await rig.recover();
  rig.hang();
  const { ledger } = rig.harness.broker;
  while (!ledger.isFull) ledger.note({ kind: "will-deleted", clientId: "known" });
  for (const [clientId, cleanStart] of [
    ["new", false],
    ["known", true],
  ] as const) {
    const client = rig.harness.open();
    const properties = cleanStart ? {} : { sessionExpirySeconds: 3600 };
    assert.equal(client.connect(clientId, { cleanStart, properties })?.reasonCode, 0x88);
  }
  assert.equal(rig.connecting("old", { version: 4 }).connack?.reasonCode, 3);
  rig.harness.connect("not durable");
  await rig.recover();
  await rig.durable("new");
});

for (const [what, reason] of [
  ["refuses to", "Error: the disk says no"],
  ["does not answer when it is to", "Error: it has not answered for 5000 ms"],
] as const)
  test(`store that ${what} read a queue: somebody is told, and the queue goes on when it can be read`, async () => {
    const states: string[] = [];
    const rig = new DurableRig({
      options: { maximumQueueMemoryBytes: 1, maximumQueuedMessages: 0 },
      observer: { storeReads: (state, error) => states.push(`${state} ${error}`) },
    });
    const sub = await rig.durable("sub");
    await rig.subscribe(sub, "t");
    sub.drop();
    const pub = rig.harness.connect("pub", { version: 4 });
    for (let i = 0; i < 5; i++) pub.publish("t", `${i}`, { qos: 1 });
    await rig.recover();
    if (what === "refuses to") rig.store.readError = new Error("the disk says no");
    else rig.store.areReadsHeld = true;
    const back = await rig.durable("sub");
    await rig.calm();
    await rig.calm(5000);
    assert.deepEqual([states, back.payloads()], [[`failing ${reason}`], ["0"]]);
    rig.store.readError = null;
    rig.store.endReads();
    await rig.calm(1000);
    assert.deepEqual([states.slice(1), back.payloads()], [["up null"], ["1", "2", "3", "4"]]);
    rig.checkStore();
  });

test("shutting down waits for a store that does not answer no longer than for any answer, and says what it has not taken", async () => {
  for (const outcome of ["kept", "rejected"] as const) {
    const { rig, pub4 } = await failing(outcome);
    if (outcome === "kept") rig.hang();
    pub4.publish("t", "a", { qos: 1 });
    pub4.publish("t", "b", { qos: 1 });
    await rig.harness.rest(BATCH_MS);
    let unwritten = -1;
    void rig.harness.broker.shutdown().then((count) => {
      unwritten = count;
    });
    await rig.harness.rest(4999);
    assert.equal(unwritten, -1);
    await rig.harness.rest(1);
    assert.equal(unwritten, 4);
  }
});

test("shutting down resolves as soon as the store has everything", async () => {
  const { rig, pub4 } = await failing("kept");
  rig.hang();
  pub4.publish("t", "a", { qos: 1 });
  await rig.harness.rest(BATCH_MS);
  let unwritten = -1;
  void rig.harness.broker.shutdown().then((count) => {
    unwritten = count;
  });
  await rig.harness.rest(1000);
  assert.equal(unwritten, -1);
  await rig.recover();
  assert.equal(unwritten, 0);
});
