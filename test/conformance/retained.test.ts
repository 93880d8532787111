/** Retained messages: kept, replaced, deleted, given to new Subscriptions, expired. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BrokerHarness } from "../support/broker-harness.ts";

const VERSIONS = [3, 4, 5] as const;
const MANY = Array.from({ length: 50 }, (_, i) => `${i}`);

/** A broker that queues three messages for a client, and has fifty retained ones of topics `t/0`, `t/1`, ... */
function withMany(qos: 0 | 1 | 2 = 1): BrokerHarness {
  const harness = new BrokerHarness({ options: { maximumQueuedMessages: 3, maximumInflightMessages: 2 } });
  const pub = harness.connect("pub");
  for (const name of MANY) pub.publish(`t/${name}`, name, { qos, retain: true });
  return harness;
}

for (const version of VERSIONS) {
  test(`[5.0 MQTT-3.3.1-5] [5.0 MQTT-3.3.1-8] [3.1.1 MQTT-3.3.1-6] [3.1.1 MQTT-3.3.1-8] version ${version}: a new subscriber gets the last retained message of each topic, with RETAIN`, () => {
    const harness = new BrokerHarness();
    const pub = harness.connect("pub", { version });
    for (const qos of [0, 1, 2] as const) {
      pub.publish(`t/${qos}`, "old", { qos, retain: true });
      pub.publish(`t/${qos}`, "new", { qos, retain: true });
      pub.publish(`t/${qos}`, "not retained", { qos });
    }
    pub.disconnect();
    const sub = harness.connect("sub", { version, acknowledges: false });
    sub.subscribe("t/+");
    assert.deepEqual(
      sub.publishes().map(({ topicName, qos, retain, dup }) => [topicName, qos, retain, dup].join(" ")),
      ["t/0 0 true false", "t/1 1 true false", "t/2 2 true false"],
    );
  });

  test(`[5.0 MQTT-3.3.1-6] [5.0 MQTT-3.3.1-7] [3.1.1 MQTT-3.3.1-10] [3.1.1 MQTT-3.3.1-11] version ${version}: an empty one deletes, and reaches subscribers as any message`, () => {
    const harness = new BrokerHarness();
    const pub = harness.connect("pub", { version });
    const watching = harness.connect("watching", { version });
    watching.subscribe("t");
    pub.publish("t", "kept", { retain: true });
    pub.publish("t", "", { qos: 1, retain: true });
    pub.publish("other", "", { retain: true });
    assert.deepEqual(watching.trace(), ["PUBLISH t=kept q0", "PUBLISH t= q1 m1"]);
    const sub = harness.connect("sub", { version });
    sub.subscribe("#");
    assert.deepEqual([sub.trace(), harness.broker.retained.count], [[], 0]);
  });

  test(`[5.0 MQTT-3.3.1-9] [3.1.1 MQTT-3.8.4-3] version ${version}: subscribing again sends retained messages again`, () => {
    const harness = new BrokerHarness();
    harness.connect("pub").publish("t", "kept", { retain: true });
    const sub = harness.connect("sub", { version });
    sub.subscribe("t");
    sub.subscribe("t");
    assert.deepEqual(sub.payloads(), ["kept", "kept"]);
  });
}

for (const version of VERSIONS)
  for (const qos of [0, 1, 2] as const)
    test(`version ${version}, QoS ${qos}: a Subscription gets all retained messages, however few may be queued`, () => {
      const harness = withMany(qos);
      const sub = harness.connect("sub", { version });
      sub.subscribe("t/+");
      assert.deepEqual(sub.payloads(), MANY);
      assert.equal(harness.broker.counters.dropped["queue-full"], 0);
    });

test("what a client does not take yet waits for it, also when it comes back, and stands in nobody's way", () => {
  const harness = withMany();
  const durable = { cleanStart: false, properties: { sessionExpirySeconds: 100 } };
  const sub = harness.connect("sub", { ...durable, acknowledges: false });
  sub.subscribe("t/#");
  assert.deepEqual(sub.payloads(), ["0", "1"]);
  assert.equal(harness.broker.sessions.get("sub")?.queuedMessages, 3);
  sub.drop();
  harness.connect("pub2").publish("t/0", "live", { qos: 1 });
  assert.equal(harness.broker.counters.dropped["queue-full"], 1);
  assert.deepEqual(harness.connect("sub", durable).payloads(), MANY);
});

test("what is retained while a client is being sent the others reaches it once, and what is deleted not at all", () => {
  const harness = withMany();
  const sub = harness.connect("sub", { acknowledges: false });
  sub.subscribe("t/#");
  assert.deepEqual(sub.payloads(), ["0", "1"]);
  const pub = harness.connect("pub2");
  pub.publish("t/40", "", { retain: true });
  pub.publish("t/41", "new", { retain: true });
  assert.deepEqual(sub.payloads(), ["", "new"]);
  sub.acknowledges = true;
  for (const packetId of [1, 2]) sub.acknowledge("PUBACK", packetId);
  assert.deepEqual(
    sub.payloads(),
    MANY.filter((name) => !["0", "1", "40", "41"].includes(name)),
  );
});

test("[5.0 MQTT-3.10.4-3] after an UNSUBSCRIBE only those come that were queued already; another SUBSCRIBE begins anew", () => {
  const harness = withMany();
  const sub = harness.connect("sub", { acknowledges: false });
  sub.subscribe("t/#");
  sub.subscribe("t/1");
  sub.unsubscribe("t/#");
  sub.subscribe("t/7");
  sub.acknowledges = true;
  for (const packetId of [1, 2]) sub.acknowledge("PUBACK", packetId);
  assert.deepEqual(sub.payloads(), ["0", "1", "2", "3", "4", "1", "7"]);
});

test("a slow network gets all retained messages of QoS 0, and no more at a time than it may be behind", () => {
  const harness = new BrokerHarness();
  const pub = harness.connect("pub");
  for (let i = 0; i < 200; i++) pub.publish(`t/${i}`, new Uint8Array(65_536), { retain: true });
  const sub = harness.connect("sub");
  sub.setReading(false);
  sub.send({
    type: "SUBSCRIBE",
    packetId: 1,
    subscriptions: [{ topicFilter: "#", qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 }],
    properties: {},
  });
  assert.ok(sub.connection.backlogBytes < 2 * 65_536 + 2 ** 20);
  sub.setReading(true);
  assert.equal(sub.publishes().length, 200);
});

test("[5.0 MQTT-3.3.1-10] retain handling 1 sends them only to a Subscription that is new", () => {
  const harness = new BrokerHarness();
  const client = harness.connect("c");
  client.publish("t", "kept", { retain: true });
  client.subscribe("t", { retainHandling: 1 });
  assert.deepEqual(client.payloads(), ["kept"]);
  client.subscribe("t", { retainHandling: 1 });
  assert.deepEqual(client.payloads(), []);
  client.unsubscribe("t");
  client.subscribe("t", { retainHandling: 1 });
  assert.deepEqual(client.payloads(), ["kept"]);
});

test("[5.0 MQTT-3.3.1-10] a Subscription of a resumed Session is not new", () => {
  const harness = new BrokerHarness();
  const options = { cleanStart: false, properties: { sessionExpirySeconds: 100 } };
  harness.connect("pub").publish("t", "kept", { retain: true });
  const first = harness.connect("c", options);
  first.subscribe("t", { retainHandling: 1 });
  first.drop();
  const second = harness.connect("c", options);
  second.subscribe("t", { retainHandling: 1 });
  assert.deepEqual(second.payloads(), []);
});

test("[5.0 MQTT-3.3.1-11] retain handling 2 sends none", () => {
  const client = new BrokerHarness().connect("c");
  client.publish("t", "kept", { retain: true });
  client.subscribe("t", { retainHandling: 2 });
  assert.deepEqual(client.payloads(), []);
});

test("[5.0 MQTT-3.3.1-8] a retained message has RETAIN whatever retain as published says, and the Subscription's identifier", () => {
  const client = new BrokerHarness().connect("c");
  client.publish("t", "kept", { retain: true });
  for (const retainAsPublished of [false, true]) {
    client.subscribe("t", { retainAsPublished, id: 5 });
    const [message] = client.publishes();
    assert.deepEqual([message?.retain, message?.properties.subscriptionIdentifiers], [true, [5]]);
  }
});

test("[5.0 MQTT-3.8.4-8] a retained message has the lower of its QoS and that of the Subscription", () => {
  const client = new BrokerHarness().connect("c");
  client.publish("t", "kept", { qos: 1, retain: true });
  const got = ([0, 1, 2] as const).map((qos) => {
    client.subscribe("t", { qos });
    return client.publishes()[0]?.qos;
  });
  assert.deepEqual(got, [0, 1, 1]);
});

test("the SUBACK comes before the retained messages", () => {
  const client = new BrokerHarness().connect("c");
  client.publish("t", "kept", { retain: true });
  const request = { topicFilter: "t", qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
  client.send({ type: "SUBSCRIBE", packetId: 9, subscriptions: [request], properties: {} });
  assert.deepEqual(client.trace(), ["SUBACK m9 0x00", "PUBLISH t=kept q0 retain"]);
});

test("[5.0 MQTT-3.3.2-5] [5.0 MQTT-3.3.2-6] a retained message expires, and its time is counted down until then", () => {
  const harness = new BrokerHarness();
  const pub = harness.connect("pub");
  pub.publish("t", "kept", { retain: true, properties: { messageExpirySeconds: 10 } });
  harness.advance(4000);
  const early = harness.connect("early");
  early.subscribe("t");
  assert.equal(early.publishes()[0]?.properties.messageExpirySeconds, 6);
  harness.advance(6000);
  assert.equal(harness.broker.retained.count, 0);
  const late = harness.connect("late");
  late.subscribe("t");
  assert.deepEqual(late.trace(), []);
});

test("a retained message without expiry that replaces one with it stays", () => {
  const harness = new BrokerHarness();
  const pub = harness.connect("pub");
  pub.publish("t", "brief", { retain: true, properties: { messageExpirySeconds: 10 } });
  pub.publish("t", "lasting", { retain: true });
  harness.advance(60_000);
  pub.subscribe("t");
  assert.deepEqual(pub.payloads(), ["lasting"]);
});

test("[5.0 MQTT-3.3.2-17] [5.0 MQTT-3.3.2-20] a retained message keeps its properties", () => {
  const properties = {
    payloadFormatIndicator: 1,
    contentType: "text",
    responseTopic: "r",
    correlationData: new Uint8Array([1, 2]),
    userProperties: [
      ["a", "2"],
      ["c", "3"],
      ["a", "1"],
    ],
  } as const;
  const client = new BrokerHarness().connect("c");
  client.publish("t", "kept", { qos: 1, retain: true, properties });
  client.subscribe("t");
  assert.deepEqual(client.publishes()[0]?.properties, properties);
});

test("[5.0 MQTT-3.8.3-3] no local keeps a client's own retained messages from it", () => {
  const harness = new BrokerHarness();
  const client = harness.connect("c");
  client.publish("t", "own", { retain: true });
  client.subscribe("t", { noLocal: true });
  assert.deepEqual(client.payloads(), []);
});

test("filters find retained messages as they find topics: #, + and $", () => {
  const harness = new BrokerHarness();
  const pub = harness.connect("pub");
  for (const topic of ["a", "a/b", "a/b/c", "/", "$d", "$d/e"]) pub.publish(topic, topic, { retain: true });
  for (const [filter, topics] of [
    ["#", ["/", "a", "a/b", "a/b/c"]],
    ["a/#", ["a", "a/b", "a/b/c"]],
    ["+", ["a"]],
    ["+/+", ["/", "a/b"]],
    ["+/b/#", ["a/b", "a/b/c"]],
    ["$d/#", ["$d", "$d/e"]],
    ["+/e", []],
    ["a/b/c/#", ["a/b/c"]],
    ["b", []],
  ] as const) {
    const sub = harness.connect("sub");
    sub.subscribe(filter);
    assert.deepEqual(sub.payloads().sort(), [...topics], filter);
  }
});

test("[5.0 MQTT-3.2.2-13] [5.0 MQTT-3.2.2-14] where retained messages are switched off the CONNACK says so, and RETAIN ends the connection with 0x9A", () => {
  const harness = new BrokerHarness({ options: { retainAvailable: false } });
  const client = harness.connect("c");
  assert.equal(client.connack?.properties.retainAvailable, false);
  client.publish("t", "x", { retain: true, qos: 1 });
  assert.deepEqual([client.trace(), client.isClosed], [["DISCONNECT 0x9a"], true]);
  const old = harness.connect("old", { version: 4 });
  old.publish("t", "x", { retain: true });
  assert.equal(old.isClosed, true);
  const will = harness.open(5);
  assert.equal(will.connect("w", { will: { retain: true } })?.reasonCode, 0x9a);
  assert.equal(harness.broker.retained.count, 0);
});

test("many retained messages reach a subscriber at QoS 0 whatever its network takes at once", () => {
  const harness = new BrokerHarness();
  const pub = harness.connect("pub");
  for (let i = 0; i < 2000; i++) pub.publish(`t/${i}`, new Uint8Array(1000), { retain: true });
  const sub = harness.connect("sub");
  sub.subscribe("t/#");
  assert.equal(sub.publishes().length, 2000);
});
