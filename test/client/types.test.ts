// What must not compile: each line below @ts-expect-error has one mistake that the types of the client library find.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type ClientStore, connect, MOSQ_ERR, MqttClient, type ReceivedMessage } from "../../src/client/index.ts";

/** Never called: to be compiled is all that it is for. */
export async function mistakes(client: MqttClient, store: ClientStore, message: ReceivedMessage): Promise<void> {
  const topic: string = message.topicName;
  // What is only known when the program runs is checked then.
  client.publish(topic, "x");
  client.subscribe(topic);
  client.publish(`sensor/${topic}/state`, "x", { qos: 1, properties: { userProperties: [["a", "b"]] } });
  client.subscribe(["a/+", topic], { qos: 2 });
  client.subscribe(["a/+", "b/#"]);
  const filters: readonly string[] = [topic];
  client.subscribe(filters);
  client.unsubscribe(filters);
  client.unsubscribe(["a/+", "b/#"]);
  await connect(["mqtt://a.example", "wss://b.example/mqtt"]);
  await connect(filters);

  // @ts-expect-error a wildcard in a topic name
  client.publish("a/+/b", "x");
  // @ts-expect-error an empty topic name
  client.publish("", "x");
  // @ts-expect-error no payload
  client.publish("a");
  // @ts-expect-error a payload that is neither text nor bytes
  client.publish("a", { temperature: 1 });
  // @ts-expect-error no such QoS
  client.publish("a", "x", { qos: 3 });
  // @ts-expect-error an option with a typing error
  client.publish("a", "x", { retian: true });
  // @ts-expect-error a property of another packet
  client.publish("a", "x", { properties: { sessionExpirySeconds: 1 } });
  // @ts-expect-error aliases are the client's to give
  client.publish("a", "x", { properties: { topicAlias: 1 } });

  // @ts-expect-error # before the end
  client.subscribe("a/#/b");
  // @ts-expect-error + beside other characters
  client.subscribe("a/b+");
  // @ts-expect-error an empty filter
  client.subscribe("");
  // @ts-expect-error # before the end, in a list
  client.subscribe(["a/+", "a/#/b"]);
  // @ts-expect-error # before the end
  client.unsubscribe("a/#/b");
  // @ts-expect-error + beside other characters, in a list
  client.unsubscribe(["a", "a/b+"]);
  // @ts-expect-error no such retain handling
  client.subscribe("a", { retainHandling: 3 });
  // @ts-expect-error a callback takes a message
  client.subscribe("a", { onMessage: (text: string) => text });

  // @ts-expect-error a request is published, so no wildcards
  client.request("a/#", "x");
  // @ts-expect-error no such event
  client.on("connected", () => {});
  // @ts-expect-error the event brings a message
  client.on("message", (message: string) => message);
  // @ts-expect-error onConnect gets a number first
  client.onConnect = (info: { server: string }) => info.server;
  // @ts-expect-error what the server said is read only
  client.connection = null;

  // @ts-expect-error no scheme
  await connect("example.org:1883");
  // @ts-expect-error no such scheme
  await connect("http://example.org");
  // @ts-expect-error no such scheme, in a list
  await connect(["mqtt://example.org", "http://example.org"]);
  // @ts-expect-error no servers
  await connect({ clientId: "a" });
  // @ts-expect-error no such version
  await connect("mqtt://example.org", { version: 6 });
  // @ts-expect-error properties came with 5.0
  await connect("mqtt://example.org", { version: 4, properties: { sessionExpirySeconds: 1 } });
  // @ts-expect-error 3.1.1 is the default
  await connect("mqtt://example.org", { topicAliases: 1 });
  // @ts-expect-error seconds are a number
  new MqttClient("mqtt://example.org", { keepAliveSeconds: "60" });
  // @ts-expect-error a store has more to it
  new MqttClient("mqtt://example.org", { store: { saved: store.saved } });
  // @ts-expect-error a will has a payload
  new MqttClient("mqtt://example.org", { will: { topicName: "a" } });
}

test("the numbers of errors are known when compiling", () => {
  const keepAlive: 19 = MOSQ_ERR.KEEPALIVE;
  assert.equal(keepAlive, 19);
  const retain: 154 = MOSQ_ERR.RETAIN_NOT_SUPPORTED;
  assert.equal(retain, 154);
});
