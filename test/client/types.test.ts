// What must not compile: each line below @ts-expect-error has one mistake that the types of the client library find.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import {
  ArgumentError,
  type ClientStore,
  connect,
  MOSQ_ERR,
  MqttClient,
  type MqttClientOptions,
  type ReceivedMessage,
} from "../../src/client/index.ts";

/** Never called: to be compiled is all that it is for. */
export async function mistakes(
  client: MqttClient,
  store: ClientStore,
  message: ReceivedMessage,
  options: MqttClientOptions,
): Promise<void> {
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
  await connect(["mqtt://a.example"], { will: { topicName: topic, payload: "" } });
  await connect("mqtt://a.example", { version: 5, will: { topicName: "gone", payload: "", properties: {} } });
  await connect({ servers: filters, will: { topicName: `gone/${topic}`, payload: "" } });
  await connect<string>(topic, options);
  const two: readonly ["a/+", "b"] = ["a/+", "b"];
  client.subscribe(two);

  // @ts-expect-error a wildcard in a topic name
  client.publish("a/+/b", "x");
  // @ts-expect-error an empty topic name
  client.publish("", "x");
  // @ts-expect-error QoS is an option
  client.publish("a", "x", 1);
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
  // @ts-expect-error no filter
  client.subscribe([]);
  // @ts-expect-error no filter
  client.unsubscribe([]);
  // @ts-expect-error a filter that is no text
  client.subscribe(["a", 1]);
  // @ts-expect-error a shared subscription of no group
  client.subscribe("$share//a");
  // @ts-expect-error a shared subscription of a group with a wildcard
  client.subscribe("$share/+/a");
  // @ts-expect-error a shared subscription without a filter
  client.subscribe("$share/group");
  // @ts-expect-error a shared subscription to an empty filter
  client.subscribe(["a", "$share/group/"]);
  // @ts-expect-error the callback is an option
  client.subscribe("a", (message: ReceivedMessage) => message);
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
  // @ts-expect-error no server
  await connect([]);
  // @ts-expect-error no server, in options
  await connect({ servers: [] });
  // @ts-expect-error no such scheme, in options
  await connect({ servers: "http://example.org" });
  // @ts-expect-error a wildcard in the topic name of a will
  await connect("mqtt://example.org", { will: { topicName: "gone/+", payload: "" } });
  // @ts-expect-error a wildcard in the topic name of a will, in options
  await connect({ servers: "mqtt://example.org", version: 5, will: { topicName: "#", payload: "" } });
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

const NOWHERE = "mqtt://127.0.0.1:1";

type Loose = (...given: readonly unknown[]) => unknown;
/** The library without its types. */
const loose = { connect, MqttClient } as unknown as {
  readonly connect: Loose;
  readonly MqttClient: new (...given: readonly unknown[]) => unknown;
};
const idle = new MqttClient(NOWHERE, { reconnect: { minimumDelayMs: 1000, maximumDelayMs: 1000 } });
after(() => idle.disconnect());
const client = idle as unknown as Readonly<
  Record<"subscribe" | "unsubscribe" | "publish" | "request" | "disconnect", Loose>
>;

/** What JavaScript lets through; each is thrown, or is the reason of a promise, and not one reaches a server. */
const WRONG_AT_RUN_TIME: readonly (readonly [text: string, call: () => unknown, said: RegExp])[] = [
  ["connect()", () => loose.connect(), /the URL of a server is text, and not undefined/],
  ["connect([])", () => loose.connect([]), /no server is given/],
  ["connect([1])", () => loose.connect([1]), /the URL of a server is text, and not 1/],
  ["connect(null)", () => loose.connect(null), /the URL of a server is text, and not null/],
  ["connect({})", () => loose.connect({}), /the URL of a server is text, and not an object/],
  [
    "new MqttClient(http)",
    () => new loose.MqttClient("http://example.org"),
    /unknown scheme "http"; write it as in mqtt/,
  ],
  [
    "a will to a/+",
    () => loose.connect(NOWHERE, { will: { topicName: "a/+", payload: "" } }),
    /will: topic name contains "\+"/,
  ],
  [
    "a will of a number",
    () => loose.connect(NOWHERE, { will: { topicName: "a", payload: 1 } }),
    /will: the payload is 1; text/,
  ],
  ["keepAliveSeconds", () => loose.connect(NOWHERE, { keepAliveSeconds: "60" }), /is "60"; 0 to 65,535 are allowed/],
  ["receiveMaximum", () => loose.connect(NOWHERE, { receiveMaximum: 0 }), /is 0; 1 to 65,535 are allowed/],
  ["maximumInflightMessages", () => loose.connect(NOWHERE, { maximumInflightMessages: 0 }), /is 0; 1 to 65,535 are/],
  ["topicAliases", () => loose.connect(NOWHERE, { version: 5, topicAliases: -1 }), /is -1; 0 to 65,535 are allowed/],
  ["connectTimeoutMs", () => loose.connect(NOWHERE, { connectTimeoutMs: 0 }), /is 0; 1 to 2,147,483,647 are allowed/],
  [
    "connackTimeoutMs",
    () => loose.connect(NOWHERE, { connackTimeoutMs: Infinity }),
    /is Infinity; 1 to 2,147,483,647 are/,
  ],
  [
    "queue",
    () => loose.connect(NOWHERE, { queue: { policy: "drop" } }),
    /policy is "drop"; "refuse", "drop-oldest-qos-0", "wait"/,
  ],
  [
    "queue",
    () => loose.connect(NOWHERE, { queue: { maximumMessages: -1 } }),
    /queue: maximumMessages is -1; 0 to 65,535 are/,
  ],
  ["queue", () => loose.connect(NOWHERE, { queue: { maximumBytes: 0.5 } }), /queue: maximumBytes is 0.5; 0 to/],
  [
    "reconnect",
    () => loose.connect(NOWHERE, { reconnect: true }),
    /each option of reconnect has a name, in an object; this is true/,
  ],
  ["reconnect", () => loose.connect(NOWHERE, { reconnect: { minimumDelayMs: -1 } }), /minimumDelayMs is -1; 0 to/],
  [
    "reconnect",
    () => loose.connect(NOWHERE, { reconnect: { minimumDelayMs: 9, maximumDelayMs: 8 } }),
    /is 8; 9 to 2,147,483,647/,
  ],
  ["subscribe()", () => client.subscribe(), /a topic filter is text, and not undefined/],
  ["subscribe([])", () => client.subscribe([]), /SUBSCRIBE: no topic filter/],
  ["subscribe([1])", () => client.subscribe([1]), /a topic filter is text, and not 1/],
  [
    "subscribe(callback)",
    () => client.subscribe("a", () => {}),
    /each option of subscribe has a name, in an object; this is a function/,
  ],
  ["unsubscribe([])", () => client.unsubscribe([]), /UNSUBSCRIBE: no topic filter/],
  ["publish(null)", () => client.publish(null, "x"), /the topic name is text, and not null/],
  [
    "publish(object)",
    () => client.publish("a", { a: 1 }),
    /the payload is an object; text and Uint8Array .* JSON\.stringify/,
  ],
  ["publish(number)", () => client.publish("a", 21.5), /the payload is 21.5; text and Uint8Array are allowed/],
  ["publish(no payload)", () => client.publish("a"), /the payload is undefined; text and Uint8Array are allowed/],
  ["publish(qos)", () => client.publish("a", "x", 1), /each option of publish has a name, in an object; this is 1/],
  ["request(object)", () => client.request("a", {}, { responseTopic: "b" }), /the payload is an object/],
  ["disconnect(code)", () => client.disconnect(4), /each option of disconnect has a name, in an object; this is 4/],
];

for (const [text, call, said] of WRONG_AT_RUN_TIME) {
  test(`${text} is wrong at run time too: ${said.source}`, async () => {
    await assert.rejects(
      async () => call(),
      (error: Error) => {
        assert.ok(error instanceof ArgumentError, String(error));
        assert.match(error.message, said);
        return true;
      },
    );
  });
}
