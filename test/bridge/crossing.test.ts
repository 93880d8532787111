// What crosses a bridge, in which direction, at which QoS and by what name; the brokers at its ends are ours, or one of them mosquitto.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { MqttClient } from "../../src/client/index.ts";
import { testWithPeers } from "../support/peers.ts";
import { type BridgedBroker, isUp, listenAt, startMosquitto, startOwn } from "./brokers.ts";

type Starter = (context: TestContext, lines: readonly string[]) => Promise<BridgedBroker>;

/** The lines of a bridge. */
function bridge(remote: BridgedBroker, ...lines: readonly string[]): readonly string[] {
  const address = `address 127.0.0.1:${remote.port}`;
  return ["connection test", address, "remote_clientid bridge", "restart_timeout 1", ...lines];
}

/** Runs `body` with both of ours, with mosquitto as the other broker, and with mosquitto as the one that has the bridge. */
function everyPair(name: string, body: (context: TestContext, here: Starter, there: Starter) => Promise<void>): void {
  test(name, (context) => body(context, startOwn, startOwn));
  testWithPeers(`to mosquitto: ${name}`, ["mosquitto"], (context) => body(context, startOwn, startMosquitto));
  testWithPeers(`from mosquitto: ${name}`, ["mosquitto"], (context) => body(context, startMosquitto, startOwn));
}

for (const version of ["mqttv31", "mqttv311", "mqttv50"]) {
  everyPair(`${version}: both ways, at each QoS, renamed, retained, and nothing comes back`, async (context, a, b) => {
    const remote = await b(context, []);
    const lines = [`bridge_protocol_version ${version}`, "topic # both 2 local/ remote/"];
    const here = await a(context, bridge(remote, ...lines));
    await isUp(context, remote, "bridge");
    const there = await listenAt(context, remote);
    const near = await listenAt(context, here);
    for (const qos of [0, 1, 2] as const) {
      await near.client.publish(`local/out/${qos}`, "x", { qos });
      await there.got(`remote/out/${qos} x q${qos}`);
      await there.client.publish(`remote/in/${qos}`, "y", { qos });
      await near.got(`local/in/${qos} y q${qos}`);
    }
    await near.client.publish("local/kept", "z", { qos: 1, retain: true });
    await there.got("remote/kept z q1");
    await (await listenAt(context, remote, "remote/kept")).got("remote/kept z q1 r");
    await there.client.publish("remote/in/kept", "w", { qos: 1, retain: true });
    await near.got("local/in/kept w q1");
    await (await listenAt(context, here, "local/in/kept")).got("local/in/kept w q1 r");
    // Everything once at each end: nothing went round.
    assert.equal(new Set(there.messages).size, there.messages.length, there.messages.join());
    assert.equal(new Set(near.messages).size, near.messages.length, near.messages.join());
  });
}

everyPair("only what a line names crosses, in its direction, at its QoS at most", async (context, a, b) => {
  const remote = await b(context, []);
  const topics = ["topic up/# out 1", "topic down/# in 0", 'topic "" out 2 exact/here exact/there'];
  const here = await a(context, bridge(remote, ...topics));
  await isUp(context, remote, "bridge");
  const there = await listenAt(context, remote);
  const near = await listenAt(context, here);
  for (const topic of ["up/a", "down/b", "other/c", "exact/here"]) await near.client.publish(topic, "x", { qos: 2 });
  for (const topic of ["up/d", "other/f", "down/e"]) await there.client.publish(topic, "y", { qos: 2 });
  const atRemote = ["down/e y q2", "exact/there x q2", "other/f y q2", "up/a x q1", "up/d y q2"];
  await there.got(...atRemote);
  assert.deepEqual(there.messages.sort(), atRemote);
  const atHere = ["down/b x q2", "down/e y q0", "exact/here x q2", "other/c x q2", "up/a x q2"];
  await near.got(...atHere);
  assert.deepEqual(near.messages.sort(), atHere);
});

test("properties of 5.0 cross it", async (context) => {
  const remote = await startOwn(context, []);
  const here = await startOwn(context, bridge(remote, "bridge_protocol_version mqttv50", "topic # out 1"));
  await isUp(context, remote, "bridge");
  const there = new MqttClient(`mqtt://127.0.0.1:${remote.port}`, { version: 5 });
  context.after(() => there.disconnect());
  const messages = there.subscribe("t", { qos: 1 });
  await messages.granted;
  const near = new MqttClient(`mqtt://127.0.0.1:${here.port}`, { version: 5 });
  context.after(() => near.disconnect());
  const properties = { contentType: "text/plain", responseTopic: "r", userProperties: [["a", "b"]] } as const;
  await near.publish("t", "x", { qos: 1, properties });
  for await (const message of messages) {
    const { contentType, responseTopic, userProperties } = message.properties;
    assert.deepEqual({ contentType, responseTopic, userProperties }, properties);
    break;
  }
});

test("what waited while both brokers were down crosses once when they are back", async (context) => {
  const kept = ["persistence true", "persistence_location FOLDER/"];
  const remote = await startOwn(context, []);
  const here = await startOwn(context, [...kept, ...bridge(remote, "topic # out 1")]);
  await isUp(context, remote, "bridge");
  await remote.stop();
  const near = new MqttClient(`mqtt://127.0.0.1:${here.port}`);
  context.after(() => near.disconnect());
  const all = Array.from({ length: 60 }, (_, i) => String(i));
  for (const payload of all) await near.publish("t", payload, { qos: 1 });
  await here.stop();
  await remote.start();
  const there = await listenAt(context, remote, "t");
  await here.start();
  await isUp(context, remote, "bridge");
  await near.publish("t", "last", { qos: 1 });
  const messages = [...all, "last"].map((payload) => `t ${payload} q1`);
  await there.got(...messages);
  assert.deepEqual(there.messages, messages);
});
