// MQTT.js does not keep to a server's Receive Maximum; it must go on working with us all the same.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { testWithPeers } from "../support/peers.ts";
import { startBrokerProcess } from "./broker-process.ts";
import { connectMqttJs } from "./mqtt-js.ts";
import type { BrokerProcess } from "./tools-suite.ts";

const MANY = 2000;

let broker: BrokerProcess;
before(async () => {
  // A queue with room for all of them, so that none may be missing.
  broker = await startBrokerProcess("--set", "max_queued_messages=0");
});
after(() => broker.stop());

const FLOODS = [
  ["3.1.1", 1],
  ["3.1.1", 2],
  ["5.0", 1],
] as const;

for (const [version, qos] of FLOODS)
  testWithPeers(`${MANY} publishes at once, ${version}, QoS ${qos}: all arrive once, in order`, ["mqtt"], async () => {
    const topicName = `flood/${version}/${qos}`;
    const { client: subscriber, heard } = await connectMqttJs(broker.port, version);
    await subscriber.subscribeAsync(topicName, { qos });
    const { client: publisher } = await connectMqttJs(broker.port, version);
    const payloads = Array.from({ length: MANY }, (_, index) => `message ${index}`);
    await Promise.all(payloads.map((payload) => publisher.publishAsync(topicName, payload, { qos })));
    const messages = await heard(MANY, topicName);
    const arrived = messages.map(({ payload }) => payload);
    assert.deepEqual(arrived, payloads);
    assert.ok(publisher.connected && subscriber.connected);
    await Promise.all([publisher.endAsync(), subscriber.endAsync()]);
  });

testWithPeers("more QoS 2 than the Receive Maximum is refused [5.0 MQTT-3.3.4-7]", ["mqtt"], async () => {
  const { client: publisher } = await connectMqttJs(broker.port, "5.0");
  const refused = new Promise((resolve) => publisher.once("disconnect", ({ reasonCode }) => resolve(reasonCode)));
  for (let index = 0; index < MANY; index++) publisher.publish("flood/refused", "x", { qos: 2 });
  assert.equal(await refused, 0x93);
  await publisher.endAsync(true);
});

testWithPeers("a Session of 5.0 keeps messages while MQTT.js is away", ["mqtt"], async () => {
  const session = { clientId: "mqtt-js-durable", clean: false, properties: { sessionExpiryInterval: 100 } };
  const { client: first } = await connectMqttJs(broker.port, "5.0", session);
  await first.subscribeAsync("away/#", { qos: 2 });
  await first.endAsync();
  const { client: publisher } = await connectMqttJs(broker.port, "5.0");
  for (const qos of [1, 2] as const) await publisher.publishAsync("away/a", `QoS ${qos}`, { qos });
  await publisher.endAsync();
  const { client: second, heard } = await connectMqttJs(broker.port, "5.0", session);
  const messages = await heard(2, "away/");
  assert.deepEqual(messages.map(({ payload }) => payload).sort(), ["QoS 1", "QoS 2"]);
  await second.endAsync();
});

testWithPeers("a retained message and a will reach MQTT.js", ["mqtt"], async () => {
  const will = { topic: "left/will", payload: Buffer.from("gone"), qos: 1, retain: true } as const;
  const { client: mortal } = await connectMqttJs(broker.port, "5.0", { will });
  const { client: witness, heard } = await connectMqttJs(broker.port, "3.1.1");
  await witness.subscribeAsync("left/#", { qos: 2 });
  mortal.stream.destroy();
  assert.deepEqual(await heard(1, "left/"), [{ topicName: "left/will", payload: "gone", qos: 1 }]);
  const { client: late, heard: heardLate } = await connectMqttJs(broker.port, "5.0");
  await late.subscribeAsync("left/#", { qos: 2 });
  assert.equal((await heardLate(1, "left/"))[0]?.payload, "gone");
  await Promise.all([witness.endAsync(), late.endAsync()]);
});
