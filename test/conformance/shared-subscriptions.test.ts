/** Shared subscriptions [5.0 §4.8.2]: one message to one member, in turn, and to another one when a member goes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { DropReason } from "../../src/protocol/index.ts";
import { BrokerHarness, type HarnessParts } from "../support/broker-harness.ts";
import type { ConnectOptions, TestClient } from "../support/test-client.ts";

const LASTING: ConnectOptions = { cleanStart: false, properties: { sessionExpirySeconds: 1000 } };
const SHARE = "$share/g/t";

function members(harness: BrokerHarness, ids: readonly string[], options: ConnectOptions = {}): TestClient[] {
  return ids.map((id) => {
    const client = harness.connect(id, options);
    client.subscribe(SHARE);
    return client;
  });
}

function publishAll(harness: BrokerHarness, count: number, qos: 0 | 1 | 2 = 1): TestClient {
  const pub = harness.connect("pub");
  for (let i = 1; i <= count; i++) pub.publish("t", String(i), { qos });
  return pub;
}

test("[5.0 §4.8.2] each message goes to one member, in turn", () => {
  for (const qos of [0, 1, 2] as const) {
    const harness = new BrokerHarness();
    const clients = members(harness, ["a", "b", "c"]);
    publishAll(harness, 6, qos);
    assert.deepEqual(
      clients.map((client) => client.payloads()),
      [
        ["1", "4"],
        ["2", "5"],
        ["3", "6"],
      ],
    );
  }
});

test("[5.0 §4.8.2] groups of other names and plain Subscriptions get their own copies", () => {
  const harness = new BrokerHarness();
  const [a] = members(harness, ["a"]);
  const other = harness.connect("other");
  other.subscribe(["$share/h/t", "t"]);
  const old = harness.connect("old", { version: 4 });
  old.subscribe("$share/h/#");
  publishAll(harness, 1);
  assert.deepEqual([a?.payloads(), other.payloads(), old.payloads()], [["1"], ["1", "1"], ["1"]]);
});

test("[5.0 MQTT-4.8.2-3] the QoS is the one granted to the member that gets the message, with its identifier", () => {
  const harness = new BrokerHarness();
  const low = harness.connect("low");
  low.subscribe(SHARE, { qos: 0, id: 7 });
  const high = harness.connect("high");
  high.subscribe(SHARE, { qos: 2 });
  publishAll(harness, 2, 2);
  const [first] = low.publishes();
  const [second] = high.publishes();
  assert.deepEqual([first?.qos, first?.properties.subscriptionIdentifiers, second?.qos], [0, [7], 2]);
});

test("[5.0 §4.8.2] a shared subscription gets no retained messages", () => {
  const harness = new BrokerHarness();
  harness.connect("pub").publish("t", "kept", { retain: true });
  const [a] = members(harness, ["a"]);
  assert.deepEqual(a?.trace(), []);
});

test("[5.0 MQTT-3.8.3-4] no local on a shared subscription is a protocol error", () => {
  const client = new BrokerHarness().connect("c");
  // The filter of SHARE with option bit 2.
  client.sendHex("82 10 0001 00 000a 2473686172652f672f74 04");
  assert.deepEqual([client.trace(), client.isClosed], [["DISCONNECT 0x82"], true]);
});

test("[5.0 §4.8.2] a member that is away gets nothing while another one is there, and everything when nobody is", () => {
  const harness = new BrokerHarness();
  const [a, b] = members(harness, ["a", "b"], LASTING);
  a?.drop();
  publishAll(harness, 2);
  assert.deepEqual(b?.payloads(), ["1", "2"]);
  b?.drop();
  publishAll(harness, 2);
  const back = [harness.connect("a", LASTING).payloads(), harness.connect("b", LASTING).payloads()];
  assert.deepEqual(back.flat().sort(), ["1", "2"]);
});

test("QoS 0 for a group of which nobody is there is dropped and counted", () => {
  const harness = new BrokerHarness();
  const [a] = members(harness, ["a"], LASTING);
  a?.drop();
  publishAll(harness, 1, 0);
  assert.equal(harness.broker.counters.dropped["session-offline"], 1);
});

test("[5.0 §4.8.2] a member whose window is full is passed over as long as another one has room", () => {
  const harness = new BrokerHarness();
  const slow = harness.connect("slow", { properties: { receiveMaximum: 1 }, acknowledges: false });
  slow.subscribe(SHARE);
  const [quick] = members(harness, ["quick"]);
  publishAll(harness, 6);
  assert.deepEqual([slow.payloads(), quick?.payloads()], [["1"], ["2", "3", "4", "5", "6"]]);
});

test("a member whose network is full is passed over", () => {
  const harness = new BrokerHarness();
  const [slow, quick] = members(harness, ["slow", "quick"]);
  slow?.setReading(false);
  const pub = harness.connect("pub");
  const large = new Uint8Array(600_000);
  for (let i = 0; i < 4; i++) pub.publish("t", large);
  pub.publish("t", "last", { qos: 1 });
  assert.equal(quick?.payloads().at(-1), "last");
});

test("[5.0 §4.8.2] what a member has not acknowledged at QoS 1 or not been sent goes to another one when its Session ends", () => {
  const harness = new BrokerHarness();
  const leaving = harness.connect("leaving", { properties: { receiveMaximum: 2 }, acknowledges: false });
  leaving.subscribe(SHARE);
  publishAll(harness, 4);
  assert.deepEqual(leaving.payloads(), ["1", "2"]);
  const [staying] = members(harness, ["staying"]);
  leaving.drop();
  assert.deepEqual(staying?.trace(), [
    "PUBLISH t=1 q1 m1",
    "PUBLISH t=2 q1 m2",
    "PUBLISH t=3 q1 m3",
    "PUBLISH t=4 q1 m4",
  ]);
});

test("[5.0 §4.8.2] it goes to a member that is there also when the Session stays", () => {
  const harness = new BrokerHarness();
  const leaving = harness.connect("leaving", { ...LASTING, acknowledges: false });
  leaving.subscribe(SHARE);
  publishAll(harness, 2);
  const [staying] = members(harness, ["staying"]);
  leaving.drop();
  assert.deepEqual(staying?.payloads(), ["1", "2"]);
  assert.deepEqual(harness.connect("leaving", LASTING).trace(), []);
});

test("[5.0 MQTT-4.8.2-4] [5.0 MQTT-4.8.2-5] a QoS 2 message that was sent stays with its member, also when its Session ends", () => {
  const harness = new BrokerHarness();
  const leaving = harness.connect("leaving", { ...LASTING, acknowledges: false });
  leaving.subscribe(SHARE);
  publishAll(harness, 1, 2);
  const [staying] = members(harness, ["staying"]);
  leaving.drop();
  assert.deepEqual(harness.connect("leaving", LASTING).payloads(), ["1"]);
  const again = harness.connect("again", { ...LASTING, acknowledges: false });
  assert.deepEqual(staying?.trace(), []);
  again.drop();

  const ending = new BrokerHarness();
  const gone = ending.connect("gone", { acknowledges: false });
  gone.subscribe(SHARE);
  publishAll(ending, 1, 2);
  const [other] = members(ending, ["other"]);
  gone.drop();
  assert.deepEqual(other?.trace(), []);
});

test("[5.0 MQTT-4.8.2-6] a message that a member refuses goes to nobody else", () => {
  const harness = new BrokerHarness();
  const refusing = harness.connect("refusing", { acknowledges: false });
  refusing.subscribe(SHARE);
  const [other] = members(harness, ["other"]);
  publishAll(harness, 1);
  refusing.acknowledge("PUBACK", 1, 0x80);
  refusing.drop();
  assert.deepEqual(other?.trace(), []);
});

test("a durable member keeps what nobody else has room for: nothing that was acknowledged is lost", () => {
  const drops: DropReason[] = [];
  const parts: HarnessParts = {
    options: { maximumInflightMessages: 2, maximumQueuedMessages: 2 },
    observer: { dropped: (reason) => drops.push(reason) },
  };
  const harness = new BrokerHarness(parts);
  const leaving = harness.connect("leaving", { ...LASTING, acknowledges: false });
  leaving.subscribe(SHARE);
  const pub = publishAll(harness, 4);
  assert.deepEqual(pub.trace(), ["PUBACK m1", "PUBACK m2", "PUBACK m3", "PUBACK m4"]);
  const staying = harness.connect("staying", { acknowledges: false });
  staying.subscribe(["$share/g/t", "other"]);
  for (let i = 5; i <= 7; i++) pub.publish("other", String(i), { qos: 1 });
  leaving.drop();
  const back = harness.connect("leaving", LASTING);
  staying.acknowledges = true;
  for (const { packetId } of staying.received.filter((packet) => packet.type === "PUBLISH"))
    staying.acknowledge("PUBACK", packetId);
  assert.deepEqual([...back.payloads(), ...staying.payloads()].sort(), ["1", "2", "3", "4", "5", "6", "7"]);
  assert.deepEqual(drops, []);
});

test("a group ends with its last member, and begins anew", () => {
  const harness = new BrokerHarness();
  const [a] = members(harness, ["a"]);
  assert.deepEqual(a?.unsubscribe(SHARE), [0]);
  const pub = publishAll(harness, 1);
  assert.deepEqual(pub.trace(), ["PUBACK m1 0x10"]);
  const [b] = members(harness, ["b"]);
  publishAll(harness, 1);
  assert.deepEqual([a?.trace(), b?.payloads()], [[], ["1"]]);
});

test("[5.0 MQTT-3.3.4-2] a Session in a group and with a plain Subscription gets a message for each", () => {
  const harness = new BrokerHarness();
  const client = harness.connect("c");
  client.subscribe([SHARE, "t"]);
  publishAll(harness, 1);
  assert.deepEqual(client.payloads(), ["1", "1"]);
});
