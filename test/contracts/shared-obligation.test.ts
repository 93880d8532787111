// A shared subscription with a durable member is one obligation, whoever of the group holds the message.
import assert from "node:assert/strict";
import { test } from "node:test";
import { BATCH_MS, DurableRig } from "../support/durable-rig.ts";
import type { TestClient } from "../support/test-client.ts";

const SHARE = "$share/g/t";

/** A durable member that is away, one that is not durable and acknowledges nothing by itself, and a publisher. */
async function group(): Promise<{ rig: DurableRig; volatile: TestClient; pub: TestClient }> {
  const rig = new DurableRig();
  const durable = await rig.durable("durable");
  await rig.subscribe(durable, SHARE);
  durable.drop();
  const volatile = rig.harness.connect("volatile", { acknowledges: false });
  volatile.subscribe(SHARE);
  const pub = rig.harness.connect("pub");
  await rig.recover();
  return { rig, volatile, pub };
}

/** Facts about deliveries that the store holds. */
function owed(rig: DurableRig): string[] {
  return rig.store.holdings().filter((fact) => /"kind":"(delivery|share)-set"/.test(fact));
}

test("a group with several durable members owes one delivery", async () => {
  const { rig, volatile, pub } = await group();
  volatile.drop();
  for (const clientId of ["second", "third"]) {
    const member = await rig.durable(clientId);
    await rig.subscribe(member, SHARE);
    member.drop();
  }
  rig.hang();
  pub.publish("t", "one", { qos: 1 });
  assert.deepEqual(pub.trace(), []);
  await rig.recover();
  assert.deepEqual(pub.trace(), ["PUBACK m1"]);
  assert.equal(owed(rig).length, 1);
});

test("a message held by a member that is not durable is owed to the group, until that member has acknowledged it", async () => {
  const { rig, volatile, pub } = await group();
  rig.hang();
  pub.publish("t", "one", { qos: 1 });
  assert.deepEqual([volatile.trace(), pub.trace()], [["PUBLISH t=one q1 m1"], []]);
  volatile.acknowledge("PUBACK", 1);
  assert.deepEqual(pub.trace(), ["PUBACK m1"]);
  await rig.recover();
  assert.equal(owed(rig).length, 0);
});

test("when the member that holds a message goes, its publisher waits until another one's is kept", async () => {
  const { rig, volatile, pub } = await group();
  rig.hang();
  pub.publish("t", "one", { qos: 1 });
  volatile.drop();
  await rig.harness.rest(BATCH_MS);
  assert.deepEqual(pub.trace(), [], "nobody has it and nothing is kept");
  await rig.recover();
  assert.deepEqual(pub.trace(), ["PUBACK m1"]);
  await rig.restart();
  assert.deepEqual((await rig.durable("durable")).payloads(), ["one"]);
});

test("a message that went from member to member is discharged by the last one", async () => {
  const { rig, volatile, pub } = await group();
  const second = rig.harness.connect("second", { acknowledges: false });
  second.subscribe(SHARE);
  rig.hang();
  pub.publish("t", "one", { qos: 1 });
  assert.deepEqual(volatile.trace(), ["PUBLISH t=one q1 m1"]);
  volatile.drop();
  assert.deepEqual([second.trace(), pub.trace()], [["PUBLISH t=one q1 m1"], []]);
  second.acknowledge("PUBACK", 1);
  assert.deepEqual(pub.trace(), ["PUBACK m1"]);
  await rig.recover();
  assert.equal(owed(rig).length, 0);
});

test("after a crash a durable member gets what one that is not durable held", async () => {
  const { rig, volatile, pub } = await group();
  for (const payload of ["one", "two", "three"]) pub.publish("t", payload, { qos: 1 });
  await rig.recover();
  assert.deepEqual(pub.trace(), ["PUBACK m1", "PUBACK m2", "PUBACK m3"]);
  assert.equal(volatile.trace().length, 3);
  await rig.restart();
  assert.deepEqual((await rig.durable("durable")).payloads(), ["one", "two", "three"]);
  await rig.recover();
  assert.equal(owed(rig).length, 0);
});

test("a group that was empty in between does not take an old message for a new one", async () => {
  const { rig, volatile, pub } = await group();
  pub.publish("t", "old", { qos: 1 });
  await rig.recover();
  const durable = await rig.durable("durable");
  durable.unsubscribe;
  durable.sendUnsubscribe(SHARE);
  volatile.unsubscribe(SHARE);
  await rig.recover();
  await rig.subscribe(await rig.durable("durable"), SHARE);
  volatile.subscribe(SHARE);
  rig.harness.broker.sessions.get("durable")!.connection!.close("server-disconnected");
  pub.publish("t", "new", { qos: 1 });
  await rig.recover();
  volatile.acknowledge("PUBACK", 1);
  await rig.recover();
  await rig.restart();
  assert.deepEqual((await rig.durable("durable")).payloads(), ["new"]);
});

test("nothing is left of a message that a member which is not durable took at QoS 2", async () => {
  const { rig, volatile, pub } = await group();
  const before = rig.store.holdings();
  for (const isKept of [false, true]) {
    const packetId = pub.publish("t", "one", { qos: 2 });
    if (isKept) await rig.recover();
    const { packetId: received } = volatile.expect("PUBLISH");
    volatile.acknowledge("PUBREC", received);
    volatile.expect("PUBREL");
    volatile.acknowledge("PUBCOMP", received);
    await rig.recover();
    assert.deepEqual(pub.trace(), [`PUBREC m${packetId}`, `PUBCOMP m${packetId}`]);
    assert.deepEqual(rig.store.holdings(), before);
  }
});
