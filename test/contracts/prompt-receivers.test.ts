// What a receiver that is there will probably discharge waits for it longer, is never acknowledged before, and troubles no store.
import assert from "node:assert/strict";
import { test } from "node:test";
import { BATCH_MS, DurableRig, PATIENT_MS } from "../support/durable-rig.ts";
import type { TestClient } from "../support/test-client.ts";

/** Longer than a client may owe an acknowledgement and still be called prompt. */
const PATIENCE_MS = 100;

interface Cast {
  readonly rig: DurableRig;
  /** Has acknowledged one message at once. */
  readonly sub: TestClient;
  readonly pub: TestClient;
  /** Batches that the store has got since. */
  readonly batches: () => number;
}

async function cast(options: { readonly receiveMaximum?: number } = {}): Promise<Cast> {
  const rig = new DurableRig({ options: { maximumInflightMessages: 0 } });
  const sub = await rig.durable("sub", { acknowledges: false, properties: options });
  await rig.subscribe(sub, "t");
  const pub = rig.harness.connect("pub");
  pub.publish("t", "first", { qos: 1 });
  sub.acknowledge("PUBACK", 1);
  assert.deepEqual(pub.trace(), ["PUBACK m1"]);
  sub.trace();
  const before = rig.store.batches.length;
  return { rig, sub, pub, batches: () => rig.store.batches.length - before };
}

test("a PUBACK within ten milliseconds discharges a message of which the store never hears", async () => {
  const { rig, sub, pub, batches } = await cast();
  pub.publish("t", "one", { qos: 1 });
  await rig.harness.rest(PATIENT_MS - 1);
  assert.deepEqual([batches(), pub.trace()], [0, []], "neither kept nor discharged");
  sub.acknowledge("PUBACK", 2);
  assert.deepEqual(pub.trace(), ["PUBACK m2"]);
  await rig.recover();
  assert.equal(batches(), 0);
});

test("thousands that are acknowledged in time reach no store", async () => {
  const { rig, sub, batches } = await cast();
  const pub = rig.harness.connect("old", { version: 4 });
  rig.harness.isHeld = true;
  for (let i = 2; i <= 5000; i++) pub.publish("t", "many", { qos: 1 });
  rig.harness.settle();
  await rig.harness.rest(1);
  for (let i = 2; i <= 5000; i++) sub.acknowledge("PUBACK", i);
  rig.harness.isHeld = false;
  await rig.recover();
  assert.equal(batches(), 0);
  assert.equal(pub.trace().length, 4999);
});

test("without a PUBACK it is kept after ten milliseconds, and acknowledged then", async () => {
  const { rig, pub, batches } = await cast();
  rig.hang();
  pub.publish("t", "one", { qos: 1 });
  await rig.harness.rest(PATIENT_MS - 1);
  assert.equal(batches(), 0);
  await rig.harness.rest(1);
  assert.deepEqual([batches(), pub.trace()], [1, []]);
  await rig.end();
  assert.deepEqual(pub.trace(), ["PUBACK m2"]);
});

test("a receiver that has stopped acknowledging keeps publishers waiting no longer than one that never began", async () => {
  const { rig, pub, batches } = await cast();
  pub.publish("t", "one", { qos: 1 });
  await rig.harness.rest(PATIENCE_MS + 1);
  assert.equal(batches(), 1);
  pub.trace();
  pub.publish("t", "two", { qos: 1 });
  await rig.harness.rest(BATCH_MS);
  assert.equal(batches(), 2);
  assert.deepEqual(pub.trace(), ["PUBACK m3"]);
});

test("who acknowledges again is prompt again, also for what waits in its Session", async () => {
  const { rig, sub, pub, batches } = await cast({ receiveMaximum: 1 });
  pub.publish("t", "one", { qos: 1 });
  pub.publish("t", "two", { qos: 1 });
  await rig.harness.rest(PATIENT_MS - 1);
  assert.equal(batches(), 0);
  sub.acknowledge("PUBACK", 2);
  sub.acknowledge("PUBACK", 3);
  assert.deepEqual(pub.trace(), ["PUBACK m2", "PUBACK m3"]);
  await rig.recover();
  assert.equal(batches(), 0);
});

test("a fact that nobody will discharge takes along what came before and not what is fresh behind it", async () => {
  const { rig, sub, pub } = await cast();
  const away = await rig.durable("away");
  await rig.subscribe(away, "away");
  away.drop();
  await rig.recover();
  rig.hang();
  pub.publish("t", "before", { qos: 1 });
  pub.publish("away", "away", { qos: 1 });
  await rig.harness.rest(BATCH_MS / 2);
  pub.publish("t", "behind", { qos: 1 });
  await rig.harness.rest(BATCH_MS / 2);
  const kinds = rig.store.pending!.map(({ kind }) => kind);
  assert.deepEqual(kinds, ["message-added", "delivery-set", "message-added", "delivery-set"]);
  sub.acknowledge("PUBACK", 3);
  assert.deepEqual(pub.trace(), [], "discharged, but behind two that are not");
  await rig.end();
  assert.deepEqual(pub.trace(), ["PUBACK m2", "PUBACK m3", "PUBACK m4"]);
});

test("a message that has not been kept is not acknowledged either when the broker dies with it", async () => {
  const { rig, pub } = await cast();
  pub.publish("t", "one", { qos: 1 });
  await rig.harness.rest(PATIENT_MS - 1);
  assert.deepEqual(pub.trace(), []);
  await rig.restart();
  assert.deepEqual((await rig.durable("sub")).payloads(), []);
});

test("when its Session ends, its publisher waits until the store knows that", async () => {
  const { rig, pub } = await cast();
  rig.hang();
  pub.publish("t", "one", { qos: 1 });
  await rig.harness.rest(1);
  const again = rig.harness.open();
  again.connect("sub", { cleanStart: true });
  assert.deepEqual(pub.trace(), [], "after a crash the Session would be there, without the message");
  await rig.end();
  assert.deepEqual(pub.trace(), ["PUBACK m2"]);
});

test("a retained message that another takes the place of is not acknowledged before that one is kept", async () => {
  const { rig, pub } = await cast();
  rig.hang();
  pub.publish("r", "old", { qos: 1, retain: true });
  await rig.harness.rest(1);
  pub.publish("r", "new", { qos: 1, retain: true });
  await rig.harness.rest(1);
  assert.deepEqual(pub.trace(), []);
  await rig.end();
  assert.deepEqual(pub.trace(), ["PUBACK m2 0x10", "PUBACK m3 0x10"]);
  await rig.restart();
  const reader = rig.harness.connect("reader");
  reader.subscribe("r");
  assert.deepEqual(reader.payloads(), ["new"]);
});

test("a message for one who is prompt and one who is away is kept once, for the one who is away", async () => {
  const { rig, sub, pub } = await cast();
  const away = await rig.durable("away");
  await rig.subscribe(away, "t");
  away.drop();
  await rig.recover();
  pub.publish("t", "one", { qos: 1 });
  sub.acknowledge("PUBACK", 2);
  assert.deepEqual(pub.trace(), []);
  await rig.recover();
  assert.deepEqual(pub.trace(), ["PUBACK m2"]);
  await rig.restart();
  assert.deepEqual((await rig.durable("away")).payloads(), ["one"]);
  assert.deepEqual((await rig.durable("sub")).payloads(), []);
});

test("one that goes to another member of its group in a later turn is kept with what refers to it", async () => {
  const rig = new DurableRig();
  const [first, second] = [await rig.durable("1", { acknowledges: false }), await rig.durable("2")];
  await rig.subscribe(first, "$share/g/t");
  await rig.subscribe(second, "$share/g/t");
  const pub = rig.harness.connect("pub");
  pub.publish("t", "warm", { qos: 1 });
  first.acknowledge("PUBACK", 1);
  pub.publish("t", "passes by", { qos: 1 });
  second.drop();
  await rig.recover();
  pub.trace();
  rig.hang();
  pub.publish("t", "one", { qos: 1 });
  await rig.harness.rest(1);
  first.drop();
  await rig.harness.rest(1);
  assert.deepEqual(pub.trace(), []);
  await rig.recover();
  assert.equal(pub.trace().length, 1);
  await rig.restart();
  const got = [...(await rig.durable("1")).payloads(), ...(await rig.durable("2")).payloads()];
  assert.deepEqual(got, ["one"]);
});
