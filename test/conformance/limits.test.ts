/** Bounds that hold whatever clients do: slow receivers, deep topics, `$SYS`, and what they count. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodePublish, NO_PROPERTIES } from "../../src/protocol/index.ts";
import { BrokerHarness } from "../support/broker-harness.ts";

const VERSIONS = [3, 4, 5] as const;
const KIB = 1024;

for (const version of VERSIONS) {
  test(`version ${version}: QoS 0 for a receiver that does not read is dropped from a bound on, and counted; others get everything`, () => {
    const harness = new BrokerHarness({ options: { maximumOutputBytes: 2 * KIB * KIB } });
    const slow = harness.connect("slow", { version });
    const quick = harness.connect("quick", { version });
    for (const client of [slow, quick]) client.subscribe("t");
    slow.setReading(false);
    const pub = harness.connect("pub", { version });
    const payload = new Uint8Array(64 * KIB);
    for (let i = 0; i < 100; i++) pub.publish("t", payload);
    const dropped = harness.broker.counters.dropped["receiver-slow"];
    assert.ok(slow.connection.backlogBytes <= 2 * KIB * KIB + 65 * KIB);
    assert.equal(quick.publishes().length, 100);
    slow.setReading(true);
    const received = slow.publishes().length;
    assert.ok(received >= 31 && received < 40, `${received} received`);
    assert.equal(received + dropped, 100);
    pub.publish("t", "after");
    assert.deepEqual(slow.payloads(), ["after"]);
  });
}

test("QoS 0 is dropped for those that are behind when all connections together hold too much", () => {
  const harness = new BrokerHarness({ options: { maximumTotalOutputBytes: 3 * KIB * KIB } });
  const slow = [1, 2, 3].map((i) => harness.connect(`slow${i}`));
  for (const client of slow) {
    client.subscribe("t");
    client.setReading(false);
  }
  const pub = harness.connect("pub");
  for (let i = 0; i < 200; i++) pub.publish("t", new Uint8Array(64 * KIB));
  assert.ok(harness.broker.pendingOutputBytes <= 4 * KIB * KIB);
  assert.ok(harness.broker.counters.dropped["receiver-slow"] > 0);
  for (const client of slow) client.setReading(true);
  assert.equal(harness.broker.pendingOutputBytes, 0);
});

test("QoS 1 and 2 for a receiver that does not read wait in its Session, up to the bound of its queue", () => {
  const harness = new BrokerHarness({ options: { maximumInflightMessages: 0, maximumQueuedMessages: 10 } });
  const slow = harness.connect("slow");
  slow.subscribe("t");
  slow.setReading(false);
  const pub = harness.connect("pub");
  for (let i = 0; i < 40; i++) pub.publish("t", new Uint8Array(64 * KIB), { qos: i % 2 === 0 ? 1 : 2 });
  const session = harness.broker.sessions.get("slow");
  assert.equal(session?.queuedMessages, 10);
  const sent = session?.inflightMessages ?? 0;
  assert.ok(sent >= 16 && sent < 20, `${sent} in flight`);
  assert.equal(harness.broker.counters.dropped["queue-full"], 40 - 10 - sent);
  slow.setReading(true);
  assert.equal(slow.publishes().length, sent + 10);
});

test("a slow receiver that goes gives back what waited for it", () => {
  const harness = new BrokerHarness();
  const slow = harness.connect("slow");
  slow.subscribe("t");
  slow.setReading(false);
  const pub = harness.connect("pub");
  for (let i = 0; i < 10; i++) pub.publish("t", new Uint8Array(64 * KIB));
  assert.ok(harness.broker.pendingOutputBytes > 0);
  slow.drop();
  assert.equal(harness.broker.pendingOutputBytes, 0);
});

test("the output of one turn is handed to the network before it grows without bound", () => {
  const harness = new BrokerHarness();
  const sub = harness.connect("sub");
  sub.subscribe("t");
  const pub = harness.connect("pub");
  harness.isHeld = true;
  for (let i = 0; i < 100; i++) pub.publish("t", new Uint8Array(64 * KIB));
  harness.isHeld = false;
  harness.settle();
  assert.equal(sub.publishes().length, 100);
});

test("$SYS belongs to the broker: a client's PUBLISH is answered with 0x87, goes nowhere, and the connection stays", () => {
  const harness = new BrokerHarness();
  const sub = harness.connect("sub");
  sub.subscribe(["$SYS/#", "#"]);
  for (const topic of ["$SYS", "$SYS/broker/uptime"]) {
    const pub = harness.connect("pub");
    for (const qos of [0, 1, 2] as const) pub.publish(topic, "forged", { qos, retain: true });
    assert.deepEqual([pub.trace(), pub.isClosed], [["PUBACK m1 0x87", "PUBREC m2 0x87"], false]);
  }
  assert.deepEqual([sub.trace(), harness.broker.retained.count], [[], 0]);
  harness.connect("pub").publish("$SYSTEM/x", "another tree");
  const all = harness.connect("all");
  all.subscribe("$SYSTEM/#");
  harness.connect("pub").publish("$SYSTEM/x", "another tree");
  assert.deepEqual(all.payloads(), ["another tree"]);
});

test("the broker itself publishes below $SYS, retained too, and # does not match it", () => {
  const harness = new BrokerHarness();
  const sub = harness.connect("sub");
  sub.subscribe("$SYS/#");
  const wild = harness.connect("wild");
  wild.subscribe("#");
  harness.broker.publish({
    topicName: "$SYS/broker/uptime",
    payload: new Uint8Array([0x31]),
    qos: 1,
    retain: true,
    dup: false,
    packetId: 0,
    properties: NO_PROPERTIES,
  });
  harness.settle();
  const late = harness.connect("late", { version: 4 });
  late.subscribe("$SYS/broker/+");
  assert.deepEqual([sub.payloads(), wild.payloads(), late.payloads()], [["1"], [], ["1"]]);
});

test("what goes in and out is counted, by packets, messages and bytes", () => {
  const harness = new BrokerHarness();
  const client = harness.connect("c");
  client.subscribe("t");
  client.publish("t", "12345");
  const { counters } = harness.broker;
  assert.deepEqual(
    [counters.messagesReceived, counters.publishReceived, counters.publishBytesReceived, counters.connectionsOpened],
    [3, 1, 5, 1],
  );
  assert.deepEqual([counters.messagesSent, counters.publishSent, counters.publishBytesSent], [3, 1, 5]);
  assert.equal(counters.bytesSent, client.hex().length / 2);
});

test("a broker that all clients have left holds nothing of them", () => {
  const harness = new BrokerHarness();
  for (let round = 0; round < 3; round++) {
    const clients = [3, 4, 5].map((version) => harness.connect(`c${version}`, { version: version as 3 | 4 | 5 }));
    for (const client of clients) client.subscribe(["a/+", "a/#", "$share/g/a/b", "#"]);
    for (const client of clients) for (const qos of [0, 1, 2] as const) client.publish("a/b", "x", { qos });
    for (const client of clients) client.drop();
  }
  const { broker } = harness;
  assert.deepEqual(
    [broker.sessions.count, broker.connections.size, broker.connectedClients, broker.router.subscriptions],
    [0, 0, 0, 0],
  );
  assert.deepEqual([broker.router.sharedSubscriptions, broker.pendingOutputBytes, broker.queueMemoryBytes], [0, 0, 0]);
  assert.equal(broker.deadlines.nextMs(), Number.POSITIVE_INFINITY);
});

test("a PUBLISH is found in its chunk however the network cuts it", () => {
  const harness = new BrokerHarness();
  const sub = harness.connect("sub", { version: 4 });
  sub.subscribe("t");
  const pub = harness.connect("pub", { version: 4 });
  const fields = { topicName: "t", qos: 0, retain: false, dup: false, packetId: 0, properties: NO_PROPERTIES } as const;
  const bytes = Buffer.concat(
    ["one", "", "three".repeat(50)].map((text) => encodePublish({ ...fields, payload: Buffer.from(text) }, 4)),
  );
  for (const size of [1, 2, 3, 7, 100]) {
    for (let at = 0; at < bytes.length; at += size) pub.sendBytes(new Uint8Array(bytes.subarray(at, at + size)));
    assert.deepEqual(sub.payloads(), ["one", "", "three".repeat(50)], `chunks of ${size}`);
  }
});
