/** What 5.0 adds to a message on its way: properties passed on, expiry counted down, topic aliases, maximum packet size. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_PROPERTIES, type Properties } from "../../src/protocol/index.ts";
import { BrokerHarness } from "../support/broker-harness.ts";
import { bytesOfHex, hexOf } from "../support/hex.ts";
import { bytesOf, type TestClient } from "../support/test-client.ts";

const ALL: Properties = {
  payloadFormatIndicator: 1,
  contentType: "text/ä",
  responseTopic: "answers/here",
  correlationData: new Uint8Array([0, 1, 255]),
  userProperties: [
    ["a", "2"],
    ["c", "3"],
    ["a", "1"],
    ["", ""],
  ],
};

/** The properties and topics of what came, as they were on the wire. */
function onWire(client: TestClient): { topic: string; properties: Properties }[] {
  return client.wirePublishes().map(({ topicName, properties }) => ({ topic: topicName, properties }));
}

test("[5.0 MQTT-3.3.2-4] [5.0 MQTT-3.3.2-15] [5.0 MQTT-3.3.2-16] [5.0 MQTT-3.3.2-17] [5.0 MQTT-3.3.2-18] [5.0 MQTT-3.3.2-20] properties reach every subscriber unaltered and in order", () => {
  const harness = new BrokerHarness();
  const clients = [
    harness.connect("plain"),
    harness.connect("aliased", { properties: { topicAliasMaximum: 5 } }),
    harness.connect("identified"),
  ];
  for (const [i, client] of clients.entries()) client.subscribe("t", i === 2 ? { id: 9 } : {});
  const pub = harness.connect("pub");
  for (const qos of [0, 1, 2] as const) pub.publish("t", "x", { qos, properties: ALL });
  for (const client of clients) {
    const got = client.publishes();
    assert.equal(got.length, 3);
    for (const { properties } of got) {
      const { topicAlias: _, subscriptionIdentifiers: __, ...passed } = properties;
      assert.deepEqual(passed, ALL);
    }
  }
});

/** The hexadecimal text of a 5.0 PUBLISH at QoS 0 of "x" to "t", with `properties`. */
function publishHex(...properties: readonly string[]): string {
  const sized = (hex: string): string => `${hexOf(Uint8Array.of(bytesOfHex(hex).length))} ${hex}`;
  return `30 ${sized(`0001 74 ${sized(properties.join(" "))} 78`)}`;
}

test("[5.0 MQTT-3.3.2-18] properties keep the order in which they came, and the receiver's own come behind them, as from mosquitto", () => {
  const passed = ["03 0001 74", "26 0001 61 0001 61", "09 0001 63", "01 01", "08 0001 72", "26 0001 62 0001 62"];
  const expiry = "02 0000003b";
  for (const [own, left] of [
    [[], []],
    [["23 0004"], []],
    [[expiry], [expiry]],
    [["23 0004", expiry], [expiry]],
  ] as const) {
    const harness = new BrokerHarness();
    const aliases = { properties: { topicAliasMaximum: 5 } };
    const clients = [harness.connect("plain"), harness.connect("aliased", aliases), harness.connect("identified")];
    for (const [i, client] of clients.entries()) client.subscribe("t", i === 2 ? { id: 9 } : {});
    const pub = harness.connect("pub", aliases);
    pub.sendHex(publishHex(...passed.slice(0, 2), ...own, ...passed.slice(2)));
    for (const [i, ownOfReceiver] of [[], ["23 0001"], ["0b 09"]].entries()) {
      const expected = hexOf(bytesOfHex(publishHex(...passed, ...left, ...ownOfReceiver)));
      const came = clients[i]!.hex();
      assert.ok(came.endsWith(expected), `${came} ends with ${expected}`);
    }
  }
});

test("[5.0 MQTT-3.3.2-18] properties keep their order while a message waits for its receiver", () => {
  const harness = new BrokerHarness();
  const passed = ["09 0001 63", "01 01"];
  const pub = harness.connect("pub");
  pub.sendHex(publishHex(...passed, "02 0000003b").replace(/^30/, "31"));
  const sub = harness.connect("sub");
  sub.subscribe("t");
  const expected = hexOf(bytesOfHex(publishHex(...passed, "02 0000003b").replace(/^30/, "31")));
  const came = sub.hex();
  assert.ok(came.endsWith(expected), `${came} ends with ${expected}`);
});

test("a message with properties reaches older clients without them", () => {
  const harness = new BrokerHarness();
  const sub = harness.connect("sub", { version: 4 });
  sub.subscribe("t");
  harness.connect("pub").publish("t", "x", { qos: 1, properties: ALL });
  assert.deepEqual(sub.trace(), ["PUBLISH t=x q1 m1"]);
});

test("[5.0 §4.10] a request and its response find their way", () => {
  const harness = new BrokerHarness();
  const requester = harness.connect("requester");
  const responder = harness.connect("responder");
  requester.subscribe("t", { noLocal: true });
  responder.subscribe("t", { noLocal: true });
  const properties = { responseTopic: "t", correlationData: bytesOf("334") };
  requester.publish("t", "request", { qos: 1, properties });
  const request = responder.expect("PUBLISH");
  responder.publish(request.properties.responseTopic!, "response", { qos: 1, properties: request.properties });
  const [response] = requester.publishes();
  assert.deepEqual([response?.properties, requester.trace()], [properties, []]);
});

test("[5.0 MQTT-3.3.2-5] [5.0 MQTT-3.3.2-6] expiry is counted down while a message waits, and one that is over is dropped and counted", () => {
  const harness = new BrokerHarness();
  const lasting = { cleanStart: false, properties: { sessionExpirySeconds: 1000 } };
  const away = harness.connect("away", lasting);
  away.subscribe("t");
  away.drop();
  const pub = harness.connect("pub");
  for (const messageExpirySeconds of [1, 6])
    for (const qos of [1, 2] as const) pub.publish("t", "x", { qos, properties: { messageExpirySeconds } });
  harness.advance(3000);
  const got = harness.connect("away", lasting).publishes();
  assert.deepEqual(
    got.map(({ properties }) => properties.messageExpirySeconds),
    [3, 3],
  );
  assert.equal(harness.broker.counters.dropped["message-expired"], 2);
});

test("[5.0 MQTT-3.3.2-6] a message that did not wait keeps its expiry, 0 too", () => {
  const harness = new BrokerHarness();
  const sub = harness.connect("sub");
  sub.subscribe("t");
  const pub = harness.connect("pub");
  for (const messageExpirySeconds of [0, 1, 4_294_967_295])
    pub.publish("t", "x", { properties: { messageExpirySeconds } });
  assert.deepEqual(
    sub.publishes().map(({ properties }) => properties.messageExpirySeconds),
    [0, 1, 4_294_967_295],
  );
});

test("[5.0 MQTT-4.3.3-7] [5.0 MQTT-4.3.3-13] a message in flight is sent again though its expiry is over", () => {
  const harness = new BrokerHarness();
  const lasting = { cleanStart: false, properties: { sessionExpirySeconds: 1000 }, acknowledges: false };
  const first = harness.connect("c", lasting);
  first.subscribe("t");
  harness.connect("pub").publish("t", "x", { qos: 2, properties: { messageExpirySeconds: 2 } });
  first.drop();
  harness.advance(10_000);
  assert.deepEqual(harness.connect("c", lasting).trace(), ["PUBLISH t=x q2 dup m1"]);
});

test("[5.0 §3.3.2.3.4] an alias of a client stands for its topic from the first message on, and is not passed on [5.0 MQTT-3.3.2-7]", () => {
  const harness = new BrokerHarness();
  const sub = harness.connect("sub");
  sub.subscribe("#");
  const pub = harness.connect("pub");
  for (const [topic, topicAlias] of [
    ["one", 1],
    ["", 1],
    ["ten", 10],
    ["", 1],
    ["", 10],
    ["other", 1],
    ["", 1],
  ] as const)
    for (const qos of [0, 1] as const) pub.publish(topic, "x", { qos, properties: { topicAlias, contentType: "c" } });
  const got = sub.publishes();
  assert.deepEqual(
    got.filter(({ qos }) => qos === 0).map(({ topicName }) => topicName),
    ["one", "one", "ten", "one", "ten", "other", "other"],
  );
  assert.ok(got.every(({ properties }) => properties.topicAlias === undefined && properties.contentType === "c"));
});

test("a message published with an alias is queued, retained and given to older clients under its topic", () => {
  const harness = new BrokerHarness();
  const lasting = { cleanStart: false, properties: { sessionExpirySeconds: 1000 } };
  const away = harness.connect("away", lasting);
  away.subscribe("topic");
  away.drop();
  const old = harness.connect("old", { version: 4 });
  old.subscribe("topic");
  const pub = harness.connect("pub");
  for (const topic of ["topic", ""]) pub.publish(topic, "x", { qos: 1, retain: true, properties: { topicAlias: 3 } });
  const late = harness.connect("late");
  late.subscribe("topic");
  const topics = [old, harness.connect("away", lasting), late].map((client) =>
    client.publishes().map(({ topicName }) => topicName),
  );
  assert.deepEqual(topics, [["topic", "topic"], ["topic", "topic"], ["topic"]]);
});

for (const [hex, code, why] of [
  ["30 07 0001 74 03 230000", 0x94, "0 [5.0 MQTT-3.3.2-8]"],
  ["30 07 0001 74 03 23000b", 0x94, "above the maximum [5.0 MQTT-3.3.2-9]"],
  ["32 09 0001 74 0001 03 23ffff", 0x94, "far above the maximum [5.0 MQTT-3.3.2-9]"],
  ["30 06 0000 03 230001", 0x82, "one that stands for nothing yet [5.0 §3.3.4]"],
] as const) {
  test(`a bad alias is answered by DISCONNECT 0x${code.toString(16)}: ${why}`, () => {
    const client = new BrokerHarness().connect("c");
    client.sendHex(hex);
    assert.deepEqual([client.expect("DISCONNECT").reasonCode, client.isClosed], [code, true]);
  });
}

test("[5.0 §3.3.2.3.4] aliases end with the connection", () => {
  const harness = new BrokerHarness();
  const lasting = { cleanStart: false, properties: { sessionExpirySeconds: 1000, topicAliasMaximum: 5 } };
  const first = harness.connect("c", lasting);
  first.subscribe("t");
  first.publish("t", "1", { qos: 1, properties: { topicAlias: 1 } });
  first.disconnect();
  const second = harness.connect("c", lasting);
  second.publish("t", "2", { qos: 1 });
  assert.deepEqual(onWire(second), [{ topic: "t", properties: { topicAlias: 1 } }]);
  second.publish("", "3", { qos: 1, properties: { topicAlias: 1 } });
  assert.deepEqual([second.isClosed, second.trace().at(-1)], [true, "DISCONNECT 0x82"]);
});

test("[5.0 MQTT-3.3.2-11] where the broker allows no aliases, using one is answered with 0x94", () => {
  const client = new BrokerHarness({ entrance: { topicAliasMaximum: 0 } }).connect("c");
  assert.equal(client.connack?.properties.topicAliasMaximum, undefined);
  client.publish("t", "x", { properties: { topicAlias: 1 } });
  assert.deepEqual(client.trace(), ["DISCONNECT 0x94"]);
});

test("[5.0 MQTT-3.1.2-26] the broker uses an alias from the first message of a topic on, as many as the client allows", () => {
  const harness = new BrokerHarness();
  const client = harness.connect("c", { properties: { topicAliasMaximum: 1 } });
  client.subscribe("+");
  for (const qos of [0, 1, 2] as const) client.publish("t", "x", { qos });
  client.publish("other", "x");
  assert.deepEqual(onWire(client), [
    { topic: "t", properties: { topicAlias: 1 } },
    { topic: "", properties: { topicAlias: 1 } },
    { topic: "", properties: { topicAlias: 1 } },
    { topic: "other", properties: {} },
  ]);
});

test("max_topic_alias_broker bounds the aliases towards a client that allows more", () => {
  const harness = new BrokerHarness({ entrance: { topicAliasMaximumOut: 2 } });
  const client = harness.connect("c", { properties: { topicAliasMaximum: 10 } });
  client.subscribe("+");
  for (const topic of ["a", "b", "c", "a", "b", "c"]) client.publish(topic);
  assert.deepEqual(
    onWire(client).map(({ topic }) => topic),
    ["a", "b", "c", "", "", "c"],
  );
});

for (const properties of [NO_PROPERTIES, { topicAliasMaximum: 0 }]) {
  test(`[5.0 MQTT-3.1.2-27] no alias goes to a client with ${JSON.stringify(properties)}`, () => {
    const client = new BrokerHarness().connect("c", { properties });
    client.subscribe("t");
    for (const qos of [0, 1, 2] as const) client.publish("t", "x", { qos });
    assert.deepEqual(
      onWire(client).map(({ topic, properties: { topicAlias } }) => [topic, topicAlias]),
      [0, 1, 2].map(() => ["t", undefined]),
    );
  });
}

test("[5.0 MQTT-3.1.2-24] [5.0 MQTT-3.1.2-25] a message larger than the client takes is dropped, counted, and the rest goes on", () => {
  const harness = new BrokerHarness();
  const client = harness.connect("c", { properties: { maximumPacketSize: 64 } });
  client.subscribe("t");
  const pub = harness.connect("pub");
  pub.publish("t", new Uint8Array(64), { qos: 1 });
  pub.publish("t", new Uint8Array(64));
  pub.publish("t", "fits", { qos: 1 });
  assert.deepEqual(client.payloads(), ["fits"]);
  assert.equal(harness.broker.counters.dropped["too-large-for-receiver"], 2);
});

test("[5.0 MQTT-3.1.2-24] the limit is exact, at each QoS and with an alias", () => {
  for (const topicAliasMaximum of [0, 5]) {
    for (const qos of [0, 1, 2] as const) {
      const harness = new BrokerHarness();
      const properties = { maximumPacketSize: 40, topicAliasMaximum };
      const client = harness.connect("c", { properties });
      client.subscribe("t", { qos });
      const pub = harness.connect("pub");
      const largest = 40 - (2 + 3 + 1 + (qos > 0 ? 2 : 0));
      pub.publish("t", new Uint8Array(largest), { qos: 2 });
      pub.publish("t", new Uint8Array(largest + 1 + (topicAliasMaximum > 0 ? 3 : 0)), { qos: 2 });
      assert.deepEqual(
        client.publishes().map(({ payload }) => payload.length),
        [largest],
        `aliases ${topicAliasMaximum}, QoS ${qos}`,
      );
    }
  }
});

test("[5.0 MQTT-3.1.2-24] a client that can take no SUBACK as large as its own SUBSCRIBE asks for is told 0x95", () => {
  const client = new BrokerHarness().connect("c", { properties: { maximumPacketSize: 30 } });
  assert.equal(client.subscribe(Array.from({ length: 25 }, (_, i) => `f/${i}`)).length, 25);
  client.send({
    type: "SUBSCRIBE",
    packetId: 1,
    subscriptions: Array.from({ length: 26 }, (_, i) => ({
      topicFilter: `f/${i}`,
      qos: 0,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0,
    })),
    properties: NO_PROPERTIES,
  });
  assert.deepEqual([client.trace(), client.isClosed], [["DISCONNECT 0x95"], true]);
});

test("[5.0 MQTT-3.1.2-25] a queued message that is too large for the client that comes back is dropped then", () => {
  const harness = new BrokerHarness();
  const lasting = { cleanStart: false, properties: { sessionExpirySeconds: 1000 } };
  const away = harness.connect("away", lasting);
  away.subscribe("t");
  away.drop();
  const pub = harness.connect("pub");
  pub.publish("t", new Uint8Array(100), { qos: 1 });
  pub.publish("t", "fits", { qos: 1 });
  const back = harness.connect("away", {
    ...lasting,
    properties: { sessionExpirySeconds: 1000, maximumPacketSize: 50 },
  });
  assert.deepEqual(back.payloads(), ["fits"]);
});

test("[5.0 MQTT-3.2.2-15] a packet larger than the broker takes ends the connection with 0x95, judged by its header", () => {
  const harness = new BrokerHarness({ options: { maximumPacketSize: 1000 } });
  const client = harness.connect("c");
  assert.equal(client.connack?.properties.maximumPacketSize, 1000);
  client.publish("t", new Uint8Array(1000 - 3 - 4));
  assert.equal(client.isClosed, false);
  client.sendHex("30 e6 07");
  assert.deepEqual([client.trace(), client.isClosed], [["DISCONNECT 0x95"], true]);
});

test("[5.0 MQTT-3.3.2-14] a response topic with a wildcard is a protocol error", () => {
  const client = new BrokerHarness().connect("c");
  client.sendHex("30 0a 0001 74 06 08 0003 612f2b");
  assert.deepEqual([client.trace(), client.isClosed], [["DISCONNECT 0x82"], true]);
});

test("[5.0 MQTT-3.3.4-6] a Subscription Identifier in a client's PUBLISH is a protocol error, and reaches nobody", () => {
  const harness = new BrokerHarness();
  const sub = harness.connect("sub");
  sub.subscribe("t");
  const client = harness.connect("c");
  client.sendHex("30 07 0001 74 02 0b01 78");
  assert.deepEqual([client.trace(), client.isClosed, sub.trace()], [["DISCONNECT 0x82"], true, []]);
});
