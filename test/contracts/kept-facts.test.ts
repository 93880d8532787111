// What the store is told, and what not: once for each message, nothing that is pointless by then, and nothing is left behind.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Change } from "../../src/core/index.ts";
import { BATCH_MS, DurableRig } from "../support/durable-rig.ts";

/** A rig with durable Sessions that subscribe to "t" and are away. */
async function away(clientIds: readonly string[], rig: DurableRig = new DurableRig()): Promise<DurableRig> {
  for (const clientId of clientIds) {
    const client = await rig.durable(clientId);
    await rig.subscribe(client, "t");
    client.drop();
  }
  await rig.recover();
  return rig;
}

function kinds(batches: readonly (readonly Change[])[]): string[] {
  return batches.flat().map(({ kind }) => kind);
}

test("a message is stored once, whatever the fan-out, and forgotten with its last use", async () => {
  const clientIds = ["a", "b", "c"];
  const rig = await away(clientIds);
  const pub = rig.harness.connect("pub");
  pub.publish("t", "one", { qos: 1, retain: true });
  await rig.recover();
  const messages = (): number => rig.store.holdings().filter((fact) => fact.includes("message-added")).length;
  assert.equal(messages(), 1);
  for (const clientId of clientIds) {
    assert.deepEqual((await rig.durable(clientId)).payloads(), ["one"]);
    await rig.recover();
    assert.equal(messages(), 1);
  }
  pub.publish("t", "", { retain: true });
  await rig.recover();
  assert.equal(messages(), 0);
});

test("a message is stored once also when it is left to the store by every queue", async () => {
  const rig = await away(["a", "b", "c"], new DurableRig({ options: { maximumQueueMemoryBytes: 0 } }));
  const pub = rig.harness.connect("pub");
  for (const payload of ["one", "two", "three"]) pub.publish("t", payload, { qos: 1 });
  await rig.recover();
  assert.equal(kinds(rig.store.batches).filter((kind) => kind === "message-added").length, 3);
  for (const clientId of ["a", "b", "c"]) {
    const client = await rig.durable(clientId);
    await rig.recover();
    assert.deepEqual(client.payloads(), ["one", "two", "three"]);
  }
});

test("when everything has been delivered and all Sessions have ended the store holds nothing", async () => {
  const rig = await away(["a", "b"]);
  const pub = await rig.durable("pub", { will: { topicName: "t", qos: 1 } });
  pub.publish("t", "one", { qos: 1 });
  pub.publish("t", "two", { qos: 2, retain: true });
  await rig.recover();
  for (const clientId of ["a", "b"]) {
    const client = await rig.durable(clientId);
    await rig.recover();
    client.disconnect(0, { sessionExpirySeconds: 0 });
  }
  pub.publish("t", "", { retain: true });
  pub.disconnect(0, { sessionExpirySeconds: 0 });
  await rig.recover();
  assert.deepEqual(rig.store.holdings(), []);
});

test("a delivery that waits for its PUBCOMP when the broker dies is forgotten with it afterwards", async () => {
  const rig = await away(["sub"]);
  rig.harness.connect("pub").publish("t", "one", { qos: 2 });
  await rig.recover();
  const sub = await rig.durable("sub", { acknowledges: false });
  await rig.recover();
  const { packetId } = sub.expect("PUBLISH");
  sub.acknowledge("PUBREC", packetId);
  await rig.recover();
  const deliveries = (): number => rig.store.holdings().filter((fact) => fact.includes("delivery-set")).length;
  for (let deaths = 0; deaths < 2; deaths++) {
    await rig.restart();
    assert.equal(deliveries(), 1);
    const again = await rig.durable("sub", { acknowledges: false });
    await rig.recover();
    assert.deepEqual(again.trace(), [`PUBREL m${packetId}`]);
    if (deaths === 1) again.acknowledge("PUBCOMP", packetId);
    await rig.recover();
  }
  assert.equal(deliveries(), 0);
});

test("a retained message that another one replaces before its batch goes does not go, and both are acknowledged then", async () => {
  const rig = await away(["other"]);
  const pub = rig.harness.connect("pub");
  rig.hang();
  rig.connecting("other").drop();
  await rig.harness.rest(BATCH_MS);
  for (const payload of ["one", "two", "three"]) pub.publish("r", payload, { qos: 1, retain: true });
  assert.deepEqual(pub.trace(), []);
  await rig.end();
  assert.deepEqual(pub.trace(), []);
  await rig.end();
  assert.equal(pub.trace().length, 3);
  assert.deepEqual(kinds(rig.store.batches.slice(-1)), ["message-added", "retained-set"]);
});

test("a delivery given up with its Session is acknowledged once the end of the Session is kept", async () => {
  const rig = await away(["sub"]);
  const pub = rig.harness.connect("pub");
  rig.hang();
  rig.connecting("other").drop();
  await rig.harness.rest(BATCH_MS);
  pub.publish("t", "one", { qos: 1 });
  rig.harness.connect;
  rig.harness.open().connect("sub", { cleanStart: true });
  assert.deepEqual(pub.trace(), [], "after a crash the Session would be there, and not the message");
  await rig.end();
  assert.deepEqual(pub.trace(), []);
  await rig.end();
  assert.deepEqual(pub.trace(), ["PUBACK m1"]);
});

test("what the broker retains below $SYS is not stored", async () => {
  const rig = await away([]);
  const { broker } = rig.harness;
  const fields = { topicName: "$SYS/uptime", qos: 0, retain: true, dup: false, packetId: 0, properties: {} } as const;
  for (const payload of [new Uint8Array(1), new Uint8Array(2), new Uint8Array(0)])
    broker.publish({ ...fields, payload });
  await rig.recover();
  assert.deepEqual(rig.store.batches, []);
});

test("a queue is read to its end although messages are left to the store while a page is on its way", async () => {
  const rig = await away(["sub"], new DurableRig({ options: { maximumQueueMemoryBytes: 0 } }));
  const pub = rig.harness.connect("pub");
  const payloads = Array.from({ length: 9 }, (_, i) => `${i}`);
  for (const payload of payloads.slice(0, 5)) pub.publish("t", payload, { qos: 1 });
  await rig.recover();
  rig.store.areReadsHeld = true;
  const sub = await rig.durable("sub");
  rig.hang();
  for (const payload of payloads.slice(5)) {
    pub.publish("t", payload, { qos: 1 });
    await rig.harness.rest(BATCH_MS);
  }
  rig.store.endReads();
  await rig.end();
  await rig.recover();
  assert.deepEqual(sub.payloads(), payloads);
  assert.equal(rig.harness.broker.counters.dropped["store-damaged"], 0);
});

test("a queue is read to its end in pages of any length, and what the store cannot give is counted", async () => {
  const rig = await away(["sub"], new DurableRig({ options: { maximumQueueMemoryBytes: 0 } }));
  const pub = rig.harness.connect("pub");
  const payloads = Array.from({ length: 9 }, (_, i) => `${i}`);
  for (const payload of payloads) pub.publish("t", payload, { qos: 1 });
  await rig.recover();
  rig.store.pageMessages = 2;
  for (const order of [4, 8, 9]) rig.store.damagedOrders.add(order);
  const sub = await rig.durable("sub");
  await rig.recover();
  await rig.recover();
  assert.deepEqual(sub.payloads(), ["0", "1", "2", "4", "5", "6"]);
  assert.equal(rig.harness.broker.counters.dropped["store-damaged"], 3);
});
