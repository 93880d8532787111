// What the store is told, and what not: once for each message, nothing that is pointless by then, and nothing is left behind.
import assert from "node:assert/strict";
import { test } from "node:test";
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


test("a queue is read to its end although messages are left to the store while a page is on its way", async () => {
  const rig = await away(["sub"], new DurableRig({ options: { maximumQueueMemoryBytes: 0 } }));
  const pub = rig.harness.connect("pub");
  const payloads = Array.from({ length: 9 }, (_, i) => `${i}`);
  for (const payload of payloads.slice(0, 5)) pub.publish("t", payload, { qos: 1 });
  await rig.recover();
  const sub = await rig.durable("sub");
  rig.hang();
  for (const payload of payloads.slice(5)) {
    pub.publish("t", payload, { qos: 1 });
    await rig.harness.rest(BATCH_MS);
  }
  await rig.end();
  await rig.recover();
  assert.deepEqual(sub.payloads(), payloads);
  assert.equal(rig.harness.broker.counters.dropped["store-damaged"], 0);
});
