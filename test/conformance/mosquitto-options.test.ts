/** What mosquitto's options of the broker do in the core: sizes, windows in bytes, upgraded QoS, queued QoS 0, retained expiry, memory, mount points. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type DropReason, encodeUtf8, NO_PROPERTIES, publishOf } from "../../src/protocol/index.ts";
import { BrokerHarness, type HarnessParts } from "../support/broker-harness.ts";
import type { ConnectOptions } from "../support/test-client.ts";

const LASTING: ConnectOptions = { cleanStart: false, properties: { sessionExpirySeconds: 1000 } };

/** A harness, and why messages were not taken. */
function watched(parts: HarnessParts): { harness: BrokerHarness; notTaken: DropReason[] } {
  const notTaken: DropReason[] = [];
  const harness = new BrokerHarness({ ...parts, observer: { notTaken: (_, reason) => notTaken.push(reason) } });
  return { harness, notTaken };
}

test("message_size_limit: a larger payload is answered and goes nowhere; 5.0 is told with 0x95", () => {
  const { harness, notTaken } = watched({ options: { maximumPayloadBytes: 1 } });
  const client = harness.connect("c");
  client.subscribe("t");
  const old = harness.connect("old", { version: 4 });
  for (const qos of [0, 1] as const) old.publish("t", "AB", { qos });
  assert.deepEqual(old.trace(), ["PUBACK m1"]);
  const five = harness.connect("five");
  five.publish("t", "AB", { qos: 1 });
  five.publish("t", "AB", { qos: 2 });
  assert.deepEqual(five.trace(), ["PUBACK m1 0x95", "PUBREC m2 0x95"]);
  five.publish("t", "A", { qos: 1 });
  assert.deepEqual(client.payloads(), ["A"]);
  assert.deepEqual(notTaken, Array(4).fill("payload-too-large"));
  assert.equal(harness.broker.counters.dropped["payload-too-large"], 4);
});

test("message_size_limit: a will that is larger refuses the CONNECT, before 5.0 with 5", () => {
  const harness = new BrokerHarness({ options: { maximumPayloadBytes: 1 } });
  const will = { topicName: "w", payload: "AB" } as const;
  assert.equal(harness.open(5).connect("c", { will })?.reasonCode, 0x95);
  assert.equal(harness.open(4).connect("c", { version: 4, will })?.reasonCode, 5);
});

test("max_inflight_bytes: others wait while so many bytes are unacknowledged, and one alone always goes", () => {
  const harness = new BrokerHarness({ options: { maximumInflightBytes: 16 } });
  const client = harness.connect("c", { acknowledges: false });
  client.subscribe("t", { qos: 2 });
  const publisher = harness.connect("p");
  for (const payload of ["message1", "message2", "message3", "a payload of more than sixteen bytes"])
    publisher.publish("t", payload, { qos: 1 });
  const first = client.publishes();
  assert.deepEqual(
    first.map(({ payload }) => Buffer.from(payload).toString()),
    ["message1", "message2"],
  );
  client.acknowledge("PUBACK", first[0]!.packetId);
  const third = client.publishes();
  assert.equal(third.length, 1);
  client.acknowledge("PUBACK", first[1]!.packetId);
  assert.equal(client.publishes().length, 0);
  client.acknowledge("PUBACK", third[0]!.packetId);
  assert.deepEqual(client.payloads(), ["a payload of more than sixteen bytes"]);
});

test("upgrade_outgoing_qos: messages leave at the QoS of the Subscription", () => {
  const harness = new BrokerHarness({ options: { upgradeOutgoingQos: true } });
  const client = harness.connect("c");
  client.subscribe("t", { qos: 1 });
  harness.connect("p").publish("t", "x", { qos: 0, retain: true });
  client.subscribe("+", { qos: 2 });
  assert.deepEqual(
    client.publishes().map(({ qos, retain }) => [qos, retain]),
    [
      [1, false],
      [2, true],
    ],
  );
});

test("queue_qos0_messages: QoS 0 waits for a Session whose client is away, in order and within its bound", () => {
  const harness = new BrokerHarness({ options: { queueQos0Messages: true, maximumQueuedMessages: 3 } });
  const client = harness.connect("c", LASTING);
  client.subscribe("t", { qos: 1 });
  client.drop();
  const publisher = harness.connect("p", { acknowledges: true });
  for (const [payload, qos] of [
    ["1", 0],
    ["2", 1],
    ["3", 0],
    ["4", 0],
  ] as const)
    publisher.publish("t", payload, { qos });
  const again = harness.connect("c", LASTING);
  assert.deepEqual(
    again.publishes().map(({ qos, payload }) => [Buffer.from(payload).toString(), qos]),
    [
      ["1", 0],
      ["2", 1],
      ["3", 0],
    ],
  );
  assert.equal(harness.broker.counters.dropped["queue-full"], 1);
});

test("queue_qos0_messages: a Session that ends with its connection gets none", () => {
  const harness = new BrokerHarness({ options: { queueQos0Messages: true } });
  const client = harness.connect("c");
  client.subscribe("t");
  client.drop();
  harness.connect("p").publish("t", "x");
  assert.equal(harness.broker.sessions.get("c"), undefined);
  assert.deepEqual(harness.connect("c").payloads(), []);
});

test("retain_expiry_interval: a retained message goes when its time is over, or its own expiry earlier", () => {
  const harness = new BrokerHarness({ options: { retainExpirySeconds: 60 } });
  const publisher = harness.connect("p");
  publisher.publish("long", "x", { retain: true });
  publisher.publish("short", "x", { retain: true, properties: { messageExpirySeconds: 5 } });
  publisher.publish("longer", "x", { retain: true, properties: { messageExpirySeconds: 500 } });
  harness.advance(10_000);
  assert.equal(harness.broker.retained.count, 2);
  harness.advance(49_000);
  assert.equal(harness.broker.retained.count, 2);
  harness.advance(2000);
  assert.equal(harness.broker.retained.count, 0);
});

test("memory_limit: what would have to be held is not taken; 5.0 is told with 0x97, an older client is let go", () => {
  const { harness, notTaken } = watched({ options: { memoryLimitBytes: 100 } });
  const publisher = harness.connect("p");
  publisher.publish("full", "x".repeat(100), { retain: true });
  publisher.publish("t", "x", { qos: 1 });
  assert.deepEqual(publisher.trace(), ["PUBACK m1 0x97"]);
  publisher.publish("other", "x", { retain: true });
  assert.equal(harness.broker.retained.count, 1);
  const old = harness.connect("old", { version: 4 });
  old.publish("t", "x", { qos: 1 });
  assert.deepEqual([old.isClosed, old.trace()], [true, []]);
  assert.deepEqual(notTaken, Array(3).fill("memory-limit"));
  publisher.publish("full", "", { retain: true });
});

test("memory_limit: QoS 0 to those who take it at once goes on, and all goes on when there is room again", () => {
  const harness = new BrokerHarness({ options: { memoryLimitBytes: 100, retainExpirySeconds: 1 } });
  const client = harness.connect("c");
  client.subscribe("t");
  const publisher = harness.connect("p");
  publisher.publish("full", "x".repeat(100), { retain: true });
  publisher.publish("t", "at once");
  assert.deepEqual(client.payloads(), ["at once"]);
  harness.advance(2000);
  publisher.publish("t", "later", { qos: 1 });
  assert.deepEqual(client.payloads(), ["later"]);
});

test("mount_point: clients live below a prefix that they do not see, and others see it", () => {
  const harness = new BrokerHarness();
  const below = { ...harness.entrance, mountPoint: "site/" };
  const inside = harness.open(5, below);
  inside.connect("inside", { acknowledges: true });
  inside.subscribe("t/#", { qos: 1 });
  const outside = harness.connect("outside", { acknowledges: true });
  outside.subscribe("#", { qos: 1 });
  for (const qos of [0, 1, 2] as const) inside.publish("t/a", String(qos), { qos });
  assert.deepEqual(topics(inside), ["t/a", "t/a", "t/a"]);
  assert.deepEqual(topics(outside), ["site/t/a", "site/t/a", "site/t/a"]);
  outside.publish("t/b", "hidden");
  outside.publish("site/t/b", "seen", { qos: 1 });
  assert.deepEqual(topics(inside), ["t/b"]);
});

test("mount_point: retained messages, wills, shared subscriptions and UNSUBSCRIBE are below it too", () => {
  const harness = new BrokerHarness();
  const below = { ...harness.entrance, mountPoint: "site/" };
  const will = { topicName: "gone", payload: "w", retain: true } as const;
  const dying = harness.open(5, below);
  dying.connect("dying", { will });
  dying.drop();
  const outside = harness.connect("outside");
  outside.subscribe("site/#");
  assert.deepEqual(topics(outside), ["site/gone"]);
  const inside = harness.open(4, below);
  inside.connect("inside", { version: 4 });
  inside.subscribe("#");
  assert.deepEqual(topics(inside), ["gone"]);
  inside.sendUnsubscribe("#");
  inside.subscribe("$share/g/+");
  outside.publish("site/x", "once");
  assert.deepEqual(topics(inside), ["x"]);
});

test("mount_point: a client with a topic alias of its own is understood", () => {
  const harness = new BrokerHarness();
  const inside = harness.open(5, { ...harness.entrance, mountPoint: "site/" });
  inside.connect("inside");
  const outside = harness.connect("outside");
  outside.subscribe("#");
  inside.publish("a", "1", { properties: { topicAlias: 1 } });
  inside.publish("", "2", { properties: { topicAlias: 1 } });
  assert.deepEqual(topics(outside), ["site/a", "site/a"]);
});

test("Sparkplug aware: birth certificates are retained below $sparkplug/certificates as well, and nothing else is", () => {
  const harness = new BrokerHarness({ options: { keepsBirthCertificates: true } });
  const node = harness.connect("node");
  const watcher = harness.connect("watcher");
  watcher.subscribe("$sparkplug/certificates/#", { qos: 1 });
  watcher.subscribe("spBv1.0/#");
  const births = ["spBv1.0/g/NBIRTH/n", "spBv1.0/g/DBIRTH/n/d"] as const;
  const others = ["spBv1.0/g/NDATA/n", "spBv1.0/g/NBIRTH/n/d", "spBv1.0/g/DBIRTH/n", "spAv1.0/g/NBIRTH/n"] as const;
  const properties = { contentType: "birth", topicAlias: 1 } as const;
  for (const topicName of births) node.publish(topicName, "born", { properties });
  for (const topicName of others) node.publish(topicName, "x");
  const live = topics(watcher);
  assert.deepEqual(
    live.filter((topicName) => topicName.startsWith("$")),
    births.map((topicName) => `$sparkplug/certificates/${topicName}`),
  );
  assert.equal(live.length, births.length * 2 + others.length - 1);
  const late = harness.connect("late");
  late.subscribe("$sparkplug/certificates/#");
  const retained = late.publishes();
  assert.deepEqual(
    retained.map(({ topicName, retain, properties: { contentType, topicAlias } }) => [
      topicName,
      retain,
      contentType,
      topicAlias,
    ]),
    births.map((topicName) => [`$sparkplug/certificates/${topicName}`, true, "birth", undefined]),
  );
  // Who was born again is not the one of before; an empty certificate is none.
  node.publish(births[0], "again");
  node.publish(births[1], "");
  const later = harness.connect("later");
  later.subscribe("$sparkplug/certificates/#");
  assert.deepEqual(later.payloads(), ["again"]);
});

test("Sparkplug aware: a certificate does not keep the bytes alive that came with it", () => {
  const harness = new BrokerHarness({ options: { keepsBirthCertificates: true } });
  const node = harness.connect("node");
  const fields = { dup: false, retain: false, qos: 0, packetId: 0, properties: NO_PROPERTIES } as const;
  node.send(
    publishOf({ ...fields, topicName: "spBv1.0/g/NBIRTH/n", payload: encodeUtf8("born") }),
    publishOf({ ...fields, topicName: "other", payload: new Uint8Array(60_000) }),
  );
  const kept = harness.broker.retained.search("$sparkplug/#").next(0);
  assert.equal(kept?.payload.buffer.byteLength, 4);
});

test("without the plugin a birth certificate is a message as any other", () => {
  const harness = new BrokerHarness();
  harness.connect("node").publish("spBv1.0/g/NBIRTH/n", "born");
  assert.equal(harness.broker.retained.count, 0);
});

function topics(client: ReturnType<BrokerHarness["connect"]>): string[] {
  return client.publishes().map(({ topicName }) => topicName);
}
