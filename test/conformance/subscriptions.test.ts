/** Subscriptions: what matches, at which QoS, with which options, and what overlapping ones make of a message. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { BrokerOptions } from "../../src/core/index.ts";
import { NO_PROPERTIES, type SubscriptionRequest } from "../../src/protocol/index.ts";
import { BrokerHarness } from "../support/broker-harness.ts";
import { bytesOf, type TestClient } from "../support/test-client.ts";

const VERSIONS = [3, 4, 5] as const;
const LOWEST = { noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;

/** One SUBSCRIBE with several requests, and the codes of its SUBACK. */
function subscribeAll(client: TestClient, requests: readonly SubscriptionRequest[]): readonly number[] {
  client.send({ type: "SUBSCRIBE", packetId: 77, subscriptions: requests, properties: NO_PROPERTIES });
  const suback = client.expect("SUBACK");
  assert.equal(suback.packetId, 77);
  return suback.reasonCodes;
}

for (const version of VERSIONS) {
  test(`[5.0 MQTT-3.8.4-5] [5.0 MQTT-3.9.3-1] [3.1.1 MQTT-3.8.4-4] [3.1.1 MQTT-3.8.4-5] version ${version}: one SUBACK with a code for each filter, in order`, () => {
    const client = new BrokerHarness().connect("c", { version });
    const requests = ([2, 0, 1] as const).map((qos) => ({ ...LOWEST, topicFilter: `t/${qos}`, qos }));
    assert.deepEqual(subscribeAll(client, requests), [2, 0, 1]);
  });

  test(`[5.0 MQTT-3.8.4-8] [3.1.1 MQTT-3.8.4-6] version ${version}: a message has the lower of its QoS and that of the Subscription`, () => {
    const harness = new BrokerHarness();
    const pub = harness.connect("pub", { version });
    for (const granted of [0, 1, 2] as const) {
      const sub = harness.connect("sub", { version });
      sub.subscribe("t", { qos: granted });
      for (const qos of [0, 1, 2] as const) pub.publish("t", "x", { qos });
      assert.deepEqual(
        sub.publishes().map(({ qos }) => qos),
        [0, 1, 2].map((qos) => Math.min(qos, granted)),
      );
    }
  });

  test(`[5.0 MQTT-3.10.4-1] [5.0 MQTT-3.10.4-2] [3.1.1 MQTT-3.10.4-1] version ${version}: UNSUBSCRIBE ends one filter and leaves the others`, () => {
    const harness = new BrokerHarness();
    const sub = harness.connect("sub", { version });
    sub.subscribe(["a", "b", "c"]);
    sub.unsubscribe("a");
    const pub = harness.connect("pub", { version });
    for (const topic of ["a", "b", "c"]) pub.publish(topic, topic, { qos: 1 });
    assert.deepEqual(sub.payloads(), ["b", "c"]);
  });

  test(`[5.0 MQTT-3.8.4-3] [3.1.1 MQTT-3.8.4-3] version ${version}: the same filter again replaces the Subscription`, () => {
    const harness = new BrokerHarness();
    const sub = harness.connect("sub", { version });
    sub.subscribe("t", { qos: 2 });
    sub.subscribe("t", { qos: 0 });
    harness.connect("pub").publish("t", "x", { qos: 2 });
    assert.deepEqual(sub.trace(), ["PUBLISH t=x q0"]);
  });

  test(`[5.0 MQTT-4.7.2-1] [3.1.1 MQTT-4.7.2-1] version ${version}: leading wildcards do not match topics with $`, () => {
    const harness = new BrokerHarness();
    const wild = harness.connect("wild", { version });
    wild.subscribe(["#", "+/#", "+/b"]);
    const exact = harness.connect("exact", { version });
    exact.subscribe("$a/#");
    harness.connect("pub", { version }).publish("$a/b", "x", { qos: 1 });
    assert.deepEqual([wild.payloads(), exact.payloads()], [[], ["x"]]);
  });
}

for (const [filter, matching, others] of [
  ["a/b", ["a/b"], ["a", "a/b/c", "A/b", "/a/b", "a/b/"]],
  ["a/+", ["a/b", "a/"], ["a", "a/b/c"]],
  ["+/+", ["a/b", "/b", "/"], ["a", "a/b/c"]],
  ["/+", ["/b", "/"], ["b", "a/b"]],
  ["+", ["a"], ["/a", "a/"]],
  ["a/#", ["a", "a/b", "a/b/c", "a/"], ["b", "ab"]],
  ["#", ["a", "/a", "a/b/c"], ["$a"]],
  ["/#", ["/a", "/a/b", "/"], ["a"]],
  ["+/b/#", ["a/b", "a/b/c", "/b"], ["a/c", "b"]],
  ["a/+/c", ["a/b/c", "a//c"], ["a/b/d", "a/c"]],
  ["$a/#", ["$a", "$a/b"], ["a"]],
] as const) {
  test(`[5.0 §4.7] [3.1.1 §4.7] ${filter} matches ${matching.join(" ")} and not ${others.join(" ")}`, () => {
    const harness = new BrokerHarness();
    const sub = harness.connect("sub");
    sub.subscribe(filter);
    const pub = harness.connect("pub");
    for (const topic of [...matching, ...others]) pub.publish(topic);
    assert.deepEqual(
      sub.publishes().map(({ topicName }) => topicName),
      [...matching],
    );
  });
}

test("[5.0 MQTT-3.10.4-4] [5.0 MQTT-3.11.3-1] UNSUBACK has a code for each filter: 0x11 for one that did not exist", () => {
  const client = new BrokerHarness().connect("c");
  client.subscribe(["a", "$share/g/b"]);
  assert.deepEqual(client.unsubscribe("a", "nope", "$share/g/b", "b", "a"), [0, 0x11, 0, 0x11, 0x11]);
});

test("[3.1.1 MQTT-3.10.4-5] before 5.0 UNSUBACK has no codes, also when nothing was subscribed", () => {
  const client = new BrokerHarness().connect("c", { version: 4 });
  client.hex();
  client.unsubscribe("nope");
  assert.equal(client.hex(), "b0020001");
});

test("[5.0 MQTT-3.10.4-3] UNSUBSCRIBE leaves deliveries that were begun", () => {
  const harness = new BrokerHarness();
  const sub = harness.connect("sub", { properties: { receiveMaximum: 1 }, acknowledges: false });
  sub.subscribe("t");
  const pub = harness.connect("pub");
  pub.publish("t", "1", { qos: 2 });
  pub.publish("t", "2", { qos: 1 });
  sub.unsubscribe("t");
  sub.acknowledge("PUBREC", 1);
  sub.acknowledge("PUBCOMP", 1);
  assert.deepEqual(sub.trace(), ["PUBLISH t=1 q2 m1", "PUBREL m1", "PUBLISH t=2 q1 m2"]);
});

test("[5.0 MQTT-3.8.3-3] no local keeps a client's own messages from it, and from nobody else", () => {
  const harness = new BrokerHarness();
  const a = harness.connect("a");
  const b = harness.connect("b");
  for (const client of [a, b]) client.subscribe("t", { noLocal: true });
  a.publish("t", "from a", { qos: 1 });
  b.publish("t", "from b");
  assert.deepEqual([a.payloads(), b.payloads()], [["from b"], ["from a"]]);
  assert.equal(harness.broker.counters.dropped["no-local"], 2);
});

test("[5.0 MQTT-3.8.3-3] of overlapping Subscriptions only those without no local bring a client its own message", () => {
  const harness = new BrokerHarness();
  const client = harness.connect("c");
  client.subscribe("t/#", { qos: 2, noLocal: true, id: 1 });
  client.subscribe("t/+", { qos: 1, id: 2 });
  client.publish("t/a", "own", { qos: 2 });
  harness.connect("pub").publish("t/a", "other", { qos: 2 });
  assert.deepEqual(
    client.publishes().map(({ qos, properties }) => [qos, properties.subscriptionIdentifiers]),
    [
      [1, [2]],
      [2, [1, 2]],
    ],
  );
});

test("[5.0 MQTT-3.3.4-2] [3.1.1 MQTT-3.3.5-1] overlapping Subscriptions: one message at the highest QoS of them", () => {
  for (const version of VERSIONS) {
    const harness = new BrokerHarness();
    const sub = harness.connect("sub", { version });
    sub.subscribe("TopicA/#", { qos: 2 });
    sub.subscribe("TopicA/+", { qos: 1 });
    sub.subscribe("TopicA/C", { qos: 0 });
    sub.publish("TopicA/C", "overlapping", { qos: 2 });
    assert.deepEqual(
      sub.publishes().map(({ qos }) => qos),
      [2],
    );
  }
});

test("[5.0 MQTT-3.3.4-3] [5.0 MQTT-3.3.4-4] the one message of overlapping Subscriptions carries every identifier", () => {
  const harness = new BrokerHarness();
  const sub = harness.connect("sub");
  sub.subscribe("a", { id: 2 });
  sub.subscribe("a/#", { id: 268_435_455 });
  sub.subscribe("+");
  const other = harness.connect("other");
  other.subscribe("a", { id: 456_789 });
  harness.connect("pub").publish("a", "x", { qos: 1 });
  const ids = sub.publishes().map(({ properties }) => [...(properties.subscriptionIdentifiers ?? [])].sort());
  assert.deepEqual(ids, [[2, 268_435_455]]);
  assert.deepEqual(
    other.publishes().map(({ properties }) => properties.subscriptionIdentifiers),
    [[456_789]],
  );
});

test("[5.0 MQTT-3.3.4-5] with allow_duplicate_messages each overlapping Subscription has its copy, QoS and identifier", () => {
  const options: Partial<BrokerOptions> = { allowDuplicateMessages: true };
  const harness = new BrokerHarness({ options });
  const sub = harness.connect("sub");
  sub.subscribe("a/#", { qos: 2, id: 1 });
  sub.subscribe("a/b", { qos: 1, id: 2 });
  harness.connect("pub").publish("a/b", "x", { qos: 2 });
  const copies = sub.publishes().map(({ qos, properties }) => [qos, properties.subscriptionIdentifiers]);
  assert.deepEqual(copies.sort(), [
    [1, [2]],
    [2, [1]],
  ]);
});

test("[5.0 MQTT-3.8.4-3] a replaced Subscription takes its options and identifier from the last SUBSCRIBE", () => {
  const harness = new BrokerHarness();
  const sub = harness.connect("sub");
  sub.subscribe("t", { id: 1, noLocal: true, retainAsPublished: true });
  sub.subscribe("t");
  sub.publish("t", "x", { retain: true });
  const [message] = sub.publishes();
  assert.deepEqual([message?.retain, message?.properties], [false, {}]);
});

test("[5.0 MQTT-3.3.1-12] [5.0 MQTT-3.3.1-13] RETAIN reaches subscribers only with retain as published", () => {
  const harness = new BrokerHarness();
  const plain = harness.connect("plain");
  plain.subscribe("t");
  const asPublished = harness.connect("rap");
  asPublished.subscribe("t", { retainAsPublished: true });
  const pub = harness.connect("pub");
  pub.publish("t", "no", { qos: 1 });
  pub.publish("t", "yes", { qos: 1, retain: true });
  const flags = (client: TestClient): boolean[] => client.publishes().map(({ retain }) => retain);
  assert.deepEqual(
    [flags(plain), flags(asPublished)],
    [
      [false, false],
      [false, true],
    ],
  );
});

test("[3.1.1 MQTT-3.3.1-9] before 5.0 a live message never has RETAIN", () => {
  const harness = new BrokerHarness();
  const sub = harness.connect("sub", { version: 4 });
  sub.subscribe("t");
  harness.connect("pub", { version: 4 }).publish("t", "x", { retain: true });
  assert.deepEqual(sub.trace(), ["PUBLISH t=x q0"]);
});

test("[5.0 MQTT-3.2.2-10] a maximum QoS of the broker is granted in place of a higher one", () => {
  const harness = new BrokerHarness({ entrance: { maximumQos: 1 } });
  const client = harness.connect("c");
  assert.equal(client.connack?.properties.maximumQos, 1);
  assert.deepEqual(client.subscribe(["a"], { qos: 2 }), [1]);
  assert.deepEqual(harness.connect("old", { version: 4 }).subscribe(["a"], { qos: 2 }), [1]);
});

test("a filter that is denied is refused by itself: 0x87 in 5.0, 0x80 before; one that is too deep ends the connection", () => {
  const policy = {
    allowsAll: false,
    canPublish: () => true,
    canReceive: () => true,
    canSubscribe: (filter: string) => !filter.startsWith("secret"),
  };
  const harness = new BrokerHarness({
    authenticator: { authenticate: () => ({ kind: "accepted", policy, principal: null }) },
    options: { maximumTopicLevels: 3 },
  });
  const filters = ["secret/#", "a/b/c", "$share/g/secret", "$share/g/a/b/c"];
  const client = harness.connect("c");
  assert.deepEqual(client.subscribe(filters, { qos: 1 }), [0x87, 1, 0x87, 1]);
  const old = harness.connect("old", { version: 4 });
  assert.deepEqual(old.subscribe(filters.slice(0, 2), { qos: 1 }), [0x80, 1]);
  client.sendSubscribe(["a", "a/b/c/d"]);
  assert.deepEqual([client.trace(), client.isClosed], [["DISCONNECT 0x81"], true]);
});

for (const [filter, why, reasonCode = "0x81"] of [
  ["a/#/b", "# not last [5.0 MQTT-4.7.1-1] [3.1.1 MQTT-4.7.1-2]"],
  ["a#", "# beside other characters [5.0 MQTT-4.7.1-1] [3.1.1 MQTT-4.7.1-2]"],
  ["a+/b", "+ beside other characters [5.0 MQTT-4.7.1-2] [3.1.1 MQTT-4.7.1-3]"],
  ["", "empty [5.0 MQTT-4.7.3-1] [3.1.1 MQTT-4.7.3-1]"],
  ["$share//a", "empty share name [5.0 MQTT-4.8.2-1]", "0x82"],
  ["$share/g", "no filter after the share name [5.0 MQTT-4.8.2-2]", "0x82"],
  ["$share/g/", "an empty one [5.0 MQTT-4.8.2-2]", "0x82"],
  ["$share/+/a", "wildcard as share name [5.0 MQTT-4.8.2-2]", "0x82"],
  ["$share/#/a", "one that belongs at the end [5.0 MQTT-4.8.2-2]"],
  ["$share/g+/a", "wildcard in the share name [5.0 MQTT-4.8.2-2]"],
  ["$share/g/a#", "# beside other characters of a shared filter [5.0 MQTT-4.7.1-1]"],
] as const) {
  test(`a filter that is not well-formed ends the connection with ${reasonCode}: ${why}`, () => {
    for (const version of [4, 5] as const) {
      const client = new BrokerHarness().connect("c", { version });
      const header = version === 5 ? [0, 1, 0] : [0, 1];
      const body = [...header, 0, filter.length, ...bytesOf(filter), 0];
      client.sendBytes(Uint8Array.from([0x82, body.length, ...body]));
      assert.deepEqual(client.trace(), version === 5 ? [`DISCONNECT ${reasonCode}`] : []);
      assert.equal(client.isClosed, true);
    }
  });
}

test("100 levels of topics and filters, and hundreds of filters at once, are nothing special", () => {
  const harness = new BrokerHarness();
  const sub = harness.connect("sub");
  const deep = Array.from({ length: 100 }, (_, i) => i).join("/");
  sub.subscribe([deep, `${deep}/#`, ...Array.from({ length: 500 }, (_, i) => `f/${i}/+`)]);
  const pub = harness.connect("pub");
  pub.publish(deep, "deep");
  pub.publish("f/499/x", "wide");
  assert.deepEqual(sub.payloads(), ["deep", "wide"]);
});
