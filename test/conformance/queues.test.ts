/** What waits for a client: offline queues with their bounds, the in-flight window, and what is sent again after reconnection. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { DropReason } from "../../src/protocol/index.ts";
import { BrokerHarness, type HarnessParts } from "../support/broker-harness.ts";
import type { ConnectOptions, TestClient } from "../support/test-client.ts";

const LASTING: ConnectOptions = { cleanStart: false, properties: { sessionExpirySeconds: 1000 } };
const OLD_LASTING: ConnectOptions = { version: 4, cleanStart: false };

/** A Session of "c" that subscribes to "t" and is away. */
function away(parts: HarnessParts = {}, options: ConnectOptions = LASTING): BrokerHarness {
  const harness = new BrokerHarness(parts);
  const client = harness.connect("c", options);
  client.subscribe("t");
  client.drop();
  return harness;
}

/** Publishes "1" to "`count`". */
function publishAll(client: TestClient, count: number, qos: 0 | 1 | 2 = 1): void {
  for (let i = 1; i <= count; i++) client.publish("t", String(i), { qos });
}

test("[5.0 MQTT-4.5.0-1] [3.1.1 MQTT-4.5.0-1] QoS 1 and 2 wait for a client that is away, in order; QoS 0 does not", () => {
  for (const options of [LASTING, OLD_LASTING]) {
    const harness = away({}, options);
    const pub = harness.connect("pub", { acknowledges: true });
    for (const [payload, qos] of [
      ["0", 0],
      ["1", 1],
      ["2", 2],
      ["3", 1],
    ] as const)
      pub.publish("t", payload, { qos });
    assert.deepEqual(harness.connect("c", options).payloads(), ["1", "2", "3"]);
    assert.equal(harness.broker.counters.dropped["session-offline"], 1);
  }
});

test("max_queued_messages: the newest is dropped, counted, and the 5.0 publisher told 0x97 when no Session took it", () => {
  const drops: DropReason[] = [];
  const harness = away({
    options: { maximumQueuedMessages: 2 },
    observer: { dropped: (reason) => drops.push(reason) },
  });
  const pub = harness.connect("pub");
  publishAll(pub, 3);
  pub.publish("t", "4", { qos: 2 });
  assert.deepEqual(pub.trace(), ["PUBACK m1", "PUBACK m2", "PUBACK m3 0x97", "PUBREC m4 0x97"]);
  assert.deepEqual(drops, ["queue-full", "queue-full"]);
  assert.equal(harness.broker.counters.dropped["queue-full"], 2);
  assert.deepEqual(harness.connect("c", LASTING).payloads(), ["1", "2"]);
});

test("a publisher that gets its own message at QoS 2 back is told 0x97 when it could not take it either, and only then", () => {
  const drops: DropReason[] = [];
  const harness = away({
    options: { maximumQueuedMessages: 1 },
    observer: { dropped: (reason) => drops.push(reason) },
  });
  const pub = harness.connect("pub", { acknowledges: false, properties: { receiveMaximum: 1 } });
  pub.subscribe("t");
  publishAll(pub, 3, 2);
  assert.deepEqual(pub.trace(), ["PUBREC m2", "PUBLISH t=1 q2 m1", "PUBREC m3", "PUBREC m4 0x97"]);
  assert.deepEqual(drops, ["queue-full", "queue-full", "queue-full"]);
});

test("[5.0 MQTT-4.3.3-9] a QoS 2 identifier refused with 0x97 is free again at once", () => {
  const harness = away({ options: { maximumQueuedMessages: 1 } });
  const pub = harness.connect("pub");
  pub.publish("t", "kept", { qos: 2, packetId: 1 });
  pub.publish("t", "refused", { qos: 2, packetId: 2 });
  const client = harness.connect("c", LASTING);
  pub.publish("t", "again", { qos: 2, packetId: 2 });
  assert.deepEqual(client.payloads(), ["kept", "again"]);
});

test("a full queue of one Session is no refusal when another one took the message, nor for an older publisher", () => {
  const harness = away({ options: { maximumQueuedMessages: 1 } });
  const other = harness.connect("other");
  other.subscribe("t");
  const pub = harness.connect("pub");
  publishAll(pub, 2);
  assert.deepEqual(pub.trace(), ["PUBACK m1", "PUBACK m2"]);
  assert.deepEqual(other.payloads(), ["1", "2"]);
  other.disconnect();
  const old = harness.connect("old", { version: 4 });
  publishAll(old, 1);
  assert.deepEqual(old.trace(), ["PUBACK m1"]);
});

test("max_queued_bytes bounds the payloads that wait", () => {
  const harness = away({ options: { maximumQueuedBytes: 10 } });
  const pub = harness.connect("pub");
  pub.publish("t", "12345678", { qos: 1 });
  pub.publish("t", "123", { qos: 1 });
  pub.publish("t", "12", { qos: 1 });
  assert.deepEqual(pub.trace(), ["PUBACK m1", "PUBACK m2 0x97", "PUBACK m3"]);
  assert.equal(harness.broker.counters.dropped["queue-bytes-full"], 1);
  assert.deepEqual(harness.connect("c", LASTING).payloads(), ["12345678", "12"]);
  assert.equal(harness.broker.sessions.get("c")?.queuedBytes, 0);
});

test("0 switches the bounds of the queue off", () => {
  const harness = away({ options: { maximumQueuedMessages: 0, maximumQueuedBytes: 0 } });
  publishAll(harness.connect("pub"), 3000);
  assert.equal(harness.broker.sessions.get("c")?.queuedMessages, 3000);
});

test("[5.0 MQTT-3.3.4-9] [5.0 MQTT-4.9.0-2] no more messages are in flight than the client takes; an acknowledgement lets one follow", () => {
  const harness = new BrokerHarness();
  const properties = { receiveMaximum: 2 };
  const client = harness.connect("c", { properties, acknowledges: false });
  client.subscribe("t");
  publishAll(harness.connect("pub"), 5);
  assert.deepEqual(client.trace(), ["PUBLISH t=1 q1 m1", "PUBLISH t=2 q1 m2"]);
  client.acknowledge("PUBACK", 2);
  assert.deepEqual(client.trace(), ["PUBLISH t=3 q1 m3"]);
  client.acknowledge("PUBACK", 1);
  client.acknowledge("PUBACK", 3);
  assert.deepEqual(client.trace(), ["PUBLISH t=4 q1 m4", "PUBLISH t=5 q1 m5"]);
});

test("[5.0 MQTT-4.9.0-3] a full window holds back neither QoS 0 nor other packets", () => {
  const harness = new BrokerHarness();
  const client = harness.connect("c", { properties: { receiveMaximum: 1 }, acknowledges: false });
  client.subscribe("t");
  const pub = harness.connect("pub");
  publishAll(pub, 2);
  pub.publish("t", "zero");
  client.send({ type: "PINGREQ" });
  assert.deepEqual(client.trace(), ["PUBLISH t=1 q1 m1", "PUBLISH t=zero q0", "PINGRESP"]);
});

test("a QoS 2 message keeps its place in the window until PUBCOMP", () => {
  const harness = new BrokerHarness();
  const client = harness.connect("c", { properties: { receiveMaximum: 1 }, acknowledges: false });
  client.subscribe("t");
  publishAll(harness.connect("pub"), 2, 2);
  assert.deepEqual(client.trace(), ["PUBLISH t=1 q2 m1"]);
  client.acknowledge("PUBREC", 1);
  assert.deepEqual(client.trace(), ["PUBREL m1"]);
  client.acknowledge("PUBCOMP", 1);
  assert.deepEqual(client.trace(), ["PUBLISH t=2 q2 m2"]);
});

test("[5.0 §4.9] a QoS 2 message that the client refuses in PUBREC is done: no PUBREL, and the window has room", () => {
  const harness = new BrokerHarness();
  const client = harness.connect("c", { properties: { receiveMaximum: 1 }, acknowledges: false });
  client.subscribe("t");
  publishAll(harness.connect("pub"), 2, 2);
  client.trace();
  client.acknowledge("PUBREC", 1, 0x80);
  assert.deepEqual(client.trace(), ["PUBLISH t=2 q2 m2"]);
});

test("max_inflight_messages bounds the window for every version, 0 does not", () => {
  for (const [maximumInflightMessages, sent] of [
    [3, 3],
    [0, 50],
  ] as const) {
    const harness = new BrokerHarness({ options: { maximumInflightMessages } });
    const client = harness.connect("c", { version: 4, acknowledges: false });
    client.subscribe("t");
    publishAll(harness.connect("pub"), 50);
    assert.equal(client.publishes().length, sent);
  }
});

for (const options of [LASTING, OLD_LASTING]) {
  const version = options.version ?? 5;
  test(`[5.0 MQTT-4.4.0-1] [5.0 MQTT-4.6.0-1] [3.1.1 MQTT-4.4.0-1] version ${version}: what was not acknowledged is sent again, in order, with DUP and its identifier`, () => {
    const harness = new BrokerHarness();
    const first = harness.connect("c", { ...options, acknowledges: false });
    first.subscribe("t");
    const pub = harness.connect("pub");
    publishAll(pub, 2);
    pub.publish("t", "3", { qos: 2 });
    first.acknowledge("PUBACK", 1);
    first.drop();
    publishAll(pub, 1);
    const second = harness.connect("c", { ...options, acknowledges: false });
    assert.deepEqual(second.trace(), ["PUBLISH t=2 q1 dup m2", "PUBLISH t=3 q2 dup m3", "PUBLISH t=1 q1 m4"]);
  });

  test(`[5.0 MQTT-4.3.3-6] [3.1.1 MQTT-4.3.3-1] version ${version}: after PUBREC only the PUBREL is sent again`, () => {
    const harness = new BrokerHarness();
    const first = harness.connect("c", { ...options, acknowledges: false });
    first.subscribe("t");
    harness.connect("pub").publish("t", "x", { qos: 2 });
    first.acknowledge("PUBREC", 1);
    assert.deepEqual(first.trace(), ["PUBLISH t=x q2 m1", "PUBREL m1"]);
    first.drop();
    const second = harness.connect("c", { ...options, acknowledges: false });
    assert.deepEqual(second.trace(), ["PUBREL m1"]);
    second.acknowledge("PUBCOMP", 1);
    second.drop();
    assert.deepEqual(harness.connect("c", options).trace(), []);
  });

  test(`[5.0 MQTT-4.4.0-1] version ${version}: nothing is sent again while the connection lasts, however long it takes`, () => {
    const harness = new BrokerHarness();
    const client = harness.connect("c", { ...options, acknowledges: false });
    client.subscribe("t");
    harness.connect("pub").publish("t", "x", { qos: 1 });
    client.trace();
    harness.advance(3_600_000);
    assert.deepEqual(client.trace(), []);
  });
}

test("[5.0 §4.9] what is sent again keeps within the Receive Maximum of the new connection", () => {
  const harness = new BrokerHarness();
  const first = harness.connect("c", { ...LASTING, acknowledges: false });
  first.subscribe("t");
  publishAll(harness.connect("pub"), 4);
  first.drop();
  const properties = { sessionExpirySeconds: 1000, receiveMaximum: 2 };
  const second = harness.connect("c", { cleanStart: false, properties, acknowledges: false });
  assert.deepEqual(second.trace(), ["PUBLISH t=1 q1 dup m1", "PUBLISH t=2 q1 dup m2"]);
  second.acknowledge("PUBACK", 1);
  second.acknowledge("PUBACK", 2);
  assert.deepEqual(second.trace(), ["PUBLISH t=3 q1 dup m3", "PUBLISH t=4 q1 dup m4"]);
});

test("a takeover sends what was in flight again on the new connection", () => {
  const harness = new BrokerHarness();
  const first = harness.connect("c", { ...LASTING, acknowledges: false });
  first.subscribe("t");
  publishAll(harness.connect("pub"), 1);
  first.trace();
  const second = harness.connect("c", { ...LASTING, acknowledges: false });
  assert.deepEqual(second.trace(), ["PUBLISH t=1 q1 dup m1"]);
});

test("[5.0 MQTT-2.2.1-4] [3.1.1 MQTT-2.3.1-4] packet identifiers go around and skip those in use", () => {
  const harness = new BrokerHarness({ options: { maximumInflightMessages: 0, maximumQueuedMessages: 0 } });
  const client = harness.connect("c", { acknowledges: false });
  client.subscribe("t");
  const pub = harness.connect("pub");
  pub.publish("t", "stays", { qos: 1 });
  client.trace();
  for (let i = 0; i < 65_540; i++) {
    pub.publish("t", "x", { qos: 1, packetId: 1 });
    const { packetId } = client.expect("PUBLISH");
    assert.ok(packetId >= 2 && packetId <= 65_535);
    client.acknowledge("PUBACK", packetId);
  }
});

test("an exhausted window of 65,535 messages queues the next one and goes on", () => {
  const harness = new BrokerHarness({ options: { maximumInflightMessages: 0, maximumQueuedMessages: 0 } });
  const client = harness.connect("c", { acknowledges: false });
  client.subscribe("t");
  const pub = harness.connect("pub");
  harness.isHeld = true;
  for (let i = 0; i < 65_537; i++) pub.publish("t", "x", { qos: 1, packetId: 1 });
  harness.isHeld = false;
  harness.settle();
  const ids = client.publishes().map(({ packetId }) => packetId);
  assert.deepEqual([ids.length, new Set(ids).size], [65_535, 65_535]);
  client.acknowledge("PUBACK", 77);
  assert.deepEqual(client.trace(), ["PUBLISH t=x q1 m77"]);
});

test("a message that cannot leave because the turn's output is full leaves in a later turn, with nothing else happening", () => {
  const harness = new BrokerHarness();
  const client = harness.connect("c", { acknowledges: false });
  client.subscribe("t", { qos: 1 });
  const pub = harness.connect("pub");
  harness.isHeld = true;
  // With its fixed header, topic and property length this fills the turn's output exactly: 1,048,576 bytes.
  pub.publish("t", new Uint8Array(1_048_568));
  pub.publish("t", "last", { qos: 1 });
  harness.isHeld = false;
  harness.settle();
  assert.equal(client.publishes().length, 2);
});
