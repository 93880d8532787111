// What a store holds of a queue is read while it takes in other things, but not without bound.
import assert from "node:assert/strict";
import { test } from "node:test";
import { DurableRig } from "../support/durable-rig.ts";
import type { TestClient } from "../support/test-client.ts";

const NO_BOUND = { maximumQueuedMessages: 0, maximumInflightMessages: 0, receiveMaximum: 65_535 };

function named(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `m${from + i}`);
}

/** Publishes "m<from>" to "m<to - 1>" at QoS 1; as much at once as a client may. */
function publish(pub: TestClient, from: number, to: number): void {
  for (const payload of named(from, to)) pub.publish("t", payload, { qos: 1 });
}

/** A Session "s" with `count` messages that only the store holds, on a broker that has just been started. */
async function away(count: number, options: object = NO_BOUND): Promise<DurableRig> {
  const rig = new DurableRig({ options });
  const client = await rig.durable("s");
  await rig.subscribe(client, "t", 1);
  client.drop();
  publish(rig.harness.connect("pub"), 0, count);
  await rig.calm();
  await rig.restart();
  return rig;
}

/** Queued facts of deliveries that the store holds. */
function owed(rig: DurableRig): number {
  return rig.store.holdings().filter((fact) => fact.includes('"kind":"delivery-set"')).length;
}

test("a client takes its queue although the store keeps none of what it acknowledges", async () => {
  const rig = await away(5000);
  const client = await rig.durable("s", { acknowledges: false, properties: { receiveMaximum: 20 } });
  rig.hang();
  client.acknowledges = true;
  for (let packetId = 1; packetId <= 20; packetId++) client.acknowledge("PUBACK", packetId);
  await rig.calm();
  assert.deepEqual(client.payloads(), named(0, 5000));
  assert.notEqual(owed(rig), 0);
  await rig.recover();
  assert.equal(owed(rig), 0);
});

test("of a store that takes nothing in, no more is read than a bound of what it is to take in", async () => {
  const rig = await away(40_000);
  const client = await rig.durable("s");
  rig.hang();
  await rig.calm();
  await rig.calm();
  const { length } = client.payloads();
  assert.ok(length > 5000 && length < 39_000, `${length} messages`);
  await rig.recover();
  await rig.calm();
  assert.deepEqual(length + client.payloads().length, 40_000);
  assert.equal(owed(rig), 0);
});

test("what is on its way to the store follows what is there, in order", async () => {
  const rig = await away(2500);
  const client = await rig.durable("s", { acknowledges: false, properties: { receiveMaximum: 20 } });
  await rig.calm();
  const pub = rig.harness.connect("pub");
  rig.hang();
  publish(pub, 2500, 6000);
  client.acknowledges = true;
  for (let packetId = 1; packetId <= 20; packetId++) client.acknowledge("PUBACK", packetId);
  await rig.calm();
  const first = client.payloads();
  assert.deepEqual(first, named(0, 2500), "the store holds no more");
  await rig.recover();
  await rig.calm();
  assert.deepEqual([...first, ...client.payloads()], named(0, 6000));
  assert.equal(owed(rig), 0);
});

test("when all queues together hold what they may, a queue is read in small pages, when what is there has been taken", async () => {
  const rig = await away(3000, { ...NO_BOUND, maximumQueueMemoryBytes: 1 });
  const client = await rig.durable("s", { acknowledges: false, properties: { receiveMaximum: 20 } });
  await rig.calm();
  const { broker } = rig.harness;
  assert.ok(broker.sessions.get("s")!.queuedMessages > 2900);
  assert.ok(broker.queueMemoryBytes < 1100 * 500, `${broker.queueMemoryBytes} bytes`);
  const first = client.payloads();
  client.acknowledges = true;
  for (const packetId of first.keys()) client.acknowledge("PUBACK", packetId + 1);
  await rig.calm();
  assert.deepEqual([...first, ...client.payloads()], named(0, 3000));
});
