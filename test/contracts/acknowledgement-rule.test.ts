// Nothing leaves that promises more than the store holds: what each answer waits for, and what none waits for.
import assert from "node:assert/strict";
import { test } from "node:test";
import { BATCH_MS, DurableRig } from "../support/durable-rig.ts";

for (const version of [4, 5] as const) {
  test(`${version}: a PUBACK waits until the message is kept for a durable Session that is away`, async () => {
    const rig = new DurableRig();
    const sub = await rig.durable("sub", { version });
    await rig.subscribe(sub, "t");
    sub.drop();
    const pub = rig.harness.connect("pub", { version });
    await rig.recover();
    rig.hang();
    pub.publish("t", "one", { qos: 1 });
    await rig.harness.rest(1000);
    assert.deepEqual(pub.trace(), []);
    await rig.end();
    assert.deepEqual(pub.trace(), ["PUBACK m1"]);
  });

  test(`${version}: a PUBREC waits for the message, a PUBCOMP of a durable publisher for the release`, async () => {
    const rig = new DurableRig();
    const pub = await rig.durable("pub", { version, acknowledges: false });
    rig.hang();
    pub.publish("t", "one", { qos: 2 });
    await rig.harness.rest(BATCH_MS);
    assert.deepEqual(pub.trace(), [], "the identifier is not kept yet");
    await rig.end();
    assert.deepEqual(pub.trace(), ["PUBREC m1"]);
    pub.acknowledge("PUBREL", 1);
    await rig.harness.rest(BATCH_MS);
    assert.deepEqual(pub.trace(), [], "its release is not kept yet");
    await rig.end();
    assert.deepEqual(pub.trace(), ["PUBCOMP m1"]);
  });

  test(`${version}: CONNACK, SUBACK and UNSUBACK of a durable Session wait`, async () => {
    const rig = new DurableRig();
    rig.hang();
    const client = rig.connecting("client", { version });
    assert.equal(client.connack, null);
    await rig.end();
    assert.deepEqual(client.trace(), ["CONNACK 0x00"]);
    client.sendSubscribe("t", { qos: 1 });
    assert.deepEqual(client.trace(), []);
    await rig.end();
    assert.deepEqual(client.trace(), ["SUBACK m1 0x01"]);
    client.sendUnsubscribe("t");
    assert.deepEqual(client.trace(), []);
    await rig.end();
    assert.deepEqual(client.trace(), [version === 5 ? "UNSUBACK m2 0x00" : "UNSUBACK m2"]);
  });
}

test("a QoS 1 delivery is discharged by the receiver's PUBACK, and the store never hears of it", async () => {
  const rig = new DurableRig();
  const sub = await rig.durable("sub", { acknowledges: false });
  await rig.subscribe(sub, "t");
  const pub = rig.harness.connect("pub");
  const batches = rig.store.batches.length;
  pub.publish("t", "one", { qos: 1 });
  assert.deepEqual(sub.trace(), ["PUBLISH t=one q1 m1"]);
  assert.deepEqual(pub.trace(), []);
  sub.acknowledge("PUBACK", 1);
  assert.deepEqual(pub.trace(), ["PUBACK m1"]);
  await rig.recover();
  assert.equal(rig.store.batches.length, batches);
});

test("a QoS 1 delivery that has been handed over is discharged too, and taken back", async () => {
  const rig = new DurableRig();
  const sub = await rig.durable("sub", { acknowledges: false });
  await rig.subscribe(sub, "t");
  const before = rig.store.holdings();
  const pub = rig.harness.connect("pub");
  rig.hang();
  pub.publish("t", "one", { qos: 1 });
  await rig.harness.rest(BATCH_MS);
  assert.notEqual(rig.store.pending, null);
  sub.acknowledge("PUBACK", 1);
  assert.deepEqual(pub.trace(), ["PUBACK m1"]);
  await rig.recover();
  assert.deepEqual(rig.store.holdings(), before);
});

test("a delivery that was queued, handed over and then sent is discharged by its PUBACK", async () => {
  const rig = new DurableRig();
  const sub = await rig.durable("sub", { acknowledges: false, properties: { receiveMaximum: 1 } });
  await rig.subscribe(sub, "t");
  const pub = rig.harness.connect("pub");
  rig.hang();
  pub.publish("t", "one", { qos: 1 });
  pub.publish("t", "two", { qos: 1 });
  await rig.harness.rest(BATCH_MS);
  sub.acknowledge("PUBACK", 1);
  assert.deepEqual(sub.trace(), ["PUBLISH t=one q1 m1", "PUBLISH t=two q1 m2"]);
  assert.deepEqual(pub.trace(), ["PUBACK m1"]);
  sub.acknowledge("PUBACK", 2);
  assert.deepEqual(pub.trace(), ["PUBACK m2"]);
  await rig.recover();
});

test("a QoS 2 PUBLISH leaves once its identifier is kept, a PUBREL once its PUBREC is, and only PUBCOMP discharges", async () => {
  const rig = new DurableRig();
  const sub = await rig.durable("sub", { acknowledges: false });
  await rig.subscribe(sub, "t");
  const before = rig.store.holdings();
  const pub = rig.harness.connect("pub");
  rig.hang();
  pub.publish("t", "one", { qos: 2 });
  await rig.harness.rest(BATCH_MS);
  assert.deepEqual([sub.trace(), pub.trace()], [[], []]);
  await rig.end();
  assert.deepEqual([sub.trace(), pub.trace()], [["PUBLISH t=one q2 m1"], ["PUBREC m1", "PUBCOMP m1"]]);
  sub.acknowledge("PUBREC", 1);
  await rig.harness.rest(BATCH_MS);
  assert.deepEqual(sub.trace(), []);
  await rig.end();
  assert.deepEqual(sub.trace(), ["PUBREL m1"]);
  sub.acknowledge("PUBCOMP", 1);
  await rig.recover();
  assert.deepEqual(rig.store.holdings(), before);
});

test("what has no durable obligation is answered in the same turn while the store hangs", async () => {
  const rig = new DurableRig();
  rig.hang();
  rig.connecting("durable").drop();
  await rig.harness.rest(BATCH_MS);
  assert.notEqual(rig.store.pending, null);
  const sub = rig.harness.connect("sub");
  assert.deepEqual(sub.subscribe("t"), [2]);
  const pub = rig.harness.connect("pub");
  pub.publish("t", "zero");
  pub.publish("t", "one", { qos: 1 });
  pub.publish("t", "two", { qos: 2 });
  pub.publish("unmatched", "three", { qos: 1 });
  pub.publish("unmatched", "four", { qos: 2 });
  assert.deepEqual(pub.trace(), ["PUBACK m1", "PUBREC m2", "PUBCOMP m2", "PUBACK m3 0x10", "PUBREC m4", "PUBCOMP m4"]);
  assert.deepEqual(sub.payloads(), ["zero", "one", "two"]);
  assert.deepEqual(sub.unsubscribe("t"), [0]);
});

test("an answer waits behind earlier ones of the same client, and only of the same", async () => {
  const rig = new DurableRig();
  const sub = await rig.durable("sub");
  await rig.subscribe(sub, "kept");
  sub.drop();
  const [pub, other] = [rig.harness.connect("pub"), rig.harness.connect("other")];
  await rig.recover();
  rig.hang();
  pub.publish("kept", "", { qos: 1 });
  pub.publish("free", "", { qos: 1 });
  pub.publish("free", "", { qos: 2 });
  pub.sendSubscribe("f", { qos: 0 });
  other.publish("free", "", { qos: 1 });
  assert.deepEqual(pub.trace(), []);
  assert.deepEqual(other.trace(), ["PUBACK m1 0x10"]);
  await rig.end();
  assert.deepEqual(pub.trace(), ["PUBACK m1", "PUBACK m2 0x10", "PUBREC m3", "SUBACK m4 0x00", "PUBCOMP m3"]);
});

test("a retained message is owed without any Subscription, its deletion too", async () => {
  const rig = new DurableRig();
  const pub = rig.harness.connect("pub");
  rig.hang();
  pub.publish("t", "one", { qos: 1, retain: true });
  assert.deepEqual(pub.trace(), []);
  await rig.end();
  assert.deepEqual(pub.trace(), ["PUBACK m1 0x10"]);
  pub.publish("t", "", { qos: 1, retain: true });
  assert.deepEqual(pub.trace(), []);
  await rig.end();
  assert.deepEqual(pub.trace(), ["PUBACK m2 0x10"]);
  assert.deepEqual(rig.store.holdings(), []);
});

test("reading from a 5.0 client stops at its receive maximum of waiting answers and goes on when they are out", async () => {
  const rig = new DurableRig({ options: { receiveMaximum: 3 } });
  const sub = await rig.durable("sub");
  await rig.subscribe(sub, "t", 1);
  sub.drop();
  const pub = rig.harness.connect("pub");
  await rig.recover();
  rig.hang();
  for (let i = 0; i < 7; i++) pub.publish("t", `${i}`, { qos: 1 });
  assert.equal(pub.isPaused, true);
  assert.equal(rig.harness.broker.counters.publishReceived, 3);
  assert.deepEqual(pub.trace(), []);
  await rig.recover();
  assert.equal(pub.isPaused, false);
  assert.deepEqual(
    pub.trace(),
    [1, 2, 3, 4, 5, 6, 7].map((packetId) => `PUBACK m${packetId}`),
  );
});

test("a PUBCOMP for a message whose PUBREC has not gone out waits until the message is kept", async () => {
  const rig = new DurableRig({ options: { receiveMaximum: 1 } });
  const sub = await rig.durable("sub");
  await rig.subscribe(sub, "t");
  sub.drop();
  const pub = rig.harness.connect("pub", { version: 4, acknowledges: false });
  await rig.recover();
  pub.publish("nobody", "", { qos: 2, packetId: 1 });
  assert.deepEqual(pub.trace(), ["PUBREC m1"]);
  rig.hang();
  pub.publish("t", "kept", { qos: 2, packetId: 2 });
  pub.acknowledge("PUBREL", 2);
  await rig.harness.rest(1000);
  assert.deepEqual(pub.trace(), [], "after a crash nobody would have the message");
  await rig.recover();
  assert.deepEqual(pub.trace(), ["PUBCOMP m2"]);
});

test("reading stops while the store is full, also from who has more unreleased than are answered", async () => {
  const rig = new DurableRig({ options: { receiveMaximum: 1 } });
  const pub = rig.harness.connect("pub", { version: 4, acknowledges: false });
  rig.hang();
  pub.publish("t", "answered", { qos: 2, packetId: 1 });
  assert.deepEqual(pub.trace(), ["PUBREC m1"]);
  const payload = "x".repeat(1_000_000);
  for (let packetId = 2; packetId <= 80 && !pub.isPaused; packetId++)
    pub.publish(`${packetId}`, payload, { qos: 2, packetId, retain: true });
  assert.equal(pub.isPaused, true);
  await rig.recover();
  assert.equal(pub.isPaused, false);
});

test("who deletes a retained message that somebody else has just deleted waits for that", async () => {
  const rig = new DurableRig();
  const [first, second] = [rig.harness.connect("first"), rig.harness.connect("second")];
  first.publish("t", "one", { qos: 1, retain: true });
  await rig.recover();
  first.trace();
  rig.hang();
  first.publish("t", "", { qos: 1, retain: true });
  await rig.harness.rest(BATCH_MS);
  second.publish("t", "", { qos: 1, retain: true });
  await rig.harness.rest(1000);
  assert.deepEqual([first.trace(), second.trace()], [[], []], "after a crash it would be there again");
  await rig.end();
  assert.deepEqual(first.trace(), ["PUBACK m2 0x10"]);
  await rig.recover();
  assert.deepEqual(second.trace(), ["PUBACK m1 0x10"]);
  second.publish("t", "", { qos: 1, retain: true });
  assert.deepEqual(second.trace(), ["PUBACK m2 0x10"], "nothing is on its way");
});

test("a Session that is to be forgotten is not forgotten by the CONNACK before the store has forgotten it", async () => {
  const rig = new DurableRig();
  const first = await rig.durable("client");
  await rig.subscribe(first, "t");
  rig.hang();
  const second = rig.harness.open();
  second.connect("client", { cleanStart: true });
  assert.equal(second.connack, null, "after a crash the old Session would be there again");
  await rig.end();
  assert.deepEqual(second.trace(), ["CONNACK 0x00"]);
  assert.deepEqual(rig.store.holdings(), []);
});
