// More retained messages than are queued at once, for a durable Session: what a restart in between leaves, and what overtakes the rest.
import assert from "node:assert/strict";
import { test } from "node:test";
import { DurableRig } from "../support/durable-rig.ts";
import type { TestClient } from "../support/test-client.ts";

const RETAINED = 1500;
/** Of these the first that many are queued, behind those in flight. */
const QUEUED = 1000;
const WINDOW = 20;

const topics = Array.from({ length: RETAINED }, (_, i) => `r/${i}`);

/** "sub" has subscribed to 1,500 retained messages, "old" each, and has acknowledged none. */
async function subscribed(): Promise<{ rig: DurableRig; sub: TestClient; pub: TestClient }> {
  const rig = new DurableRig({ options: { receiveMaximum: 65_535, maximumQueuedMessages: 0 } });
  const pub = rig.harness.connect("pub");
  for (const topic of topics) pub.publish(topic, "old", { qos: 1, retain: true });
  await rig.calm();
  pub.trace();
  const sub = await rig.durable("sub", { acknowledges: false, properties: { receiveMaximum: WINDOW } });
  await rig.subscribe(sub, "r/#", 1);
  await rig.calm();
  return { rig, sub, pub };
}

/** Topics and payloads of what came. */
function taken(client: TestClient): string[] {
  return client.publishes().map(({ topicName, payload }) => `${topicName} ${Buffer.from(payload)}`);
}

test("a restart keeps the retained messages that were queued; the others come when the client subscribes again", async () => {
  const { rig } = await subscribed();
  await rig.restart();
  const back = await rig.durable("sub");
  await rig.calm();
  assert.deepEqual(
    taken(back),
    topics.slice(0, WINDOW + QUEUED).map((topic) => `${topic} old`),
  );
  back.sendSubscribe("r/#", { qos: 1 });
  await rig.calm();
  assert.deepEqual(new Set(taken(back)), new Set(topics.map((topic) => `${topic} old`)));
});

test("a live message comes before the retained ones that were not queued yet, and takes the place of one when it is retained", async () => {
  const { rig, sub, pub } = await subscribed();
  const [event, state] = [topics.at(-1)!, topics.at(-2)!];
  pub.publish(event, "new", { qos: 1 });
  pub.publish(state, "new", { qos: 1, retain: true });
  await rig.calm();
  sub.acknowledges = true;
  for (let packetId = 1; packetId <= WINDOW; packetId++) sub.acknowledge("PUBACK", packetId);
  await rig.calm();
  const came = taken(sub);
  const queued = WINDOW + QUEUED;
  assert.deepEqual(came.slice(queued, queued + 2), [`${event} new`, `${state} new`]);
  assert.deepEqual(
    came.slice(queued + 2),
    [...topics.slice(queued, -2), event].map((topic) => `${topic} old`),
  );
});
