// V7: tens of thousands of user properties. In a CONNECT they are too large to be looked at; elsewhere only so many pass. The times are
// reported, not judged.
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodePacket, publishOf } from "../../src/protocol/index.ts";
import { BrokerHarness } from "../support/broker-harness.ts";
import { connectOf } from "../support/test-client.ts";

type Pair = [string, string];

/** Entries that a list of one packet may have. */
const MOST = 8192;

function pairs(count: number): Pair[] {
  return Array.from({ length: count }, (_, i): Pair => [`name-${i % 10}`, `${i}`]);
}

function timed(run: () => void): number {
  const beganMs = performance.now();
  run();
  return performance.now() - beganMs;
}

test("60,000 user properties in a CONNECT: refused by its size, before any of them is read", (context) => {
  const harness = new BrokerHarness();
  const bytes = encodePacket(connectOf(5, "c", { properties: { userProperties: pairs(60_000) } }), 5);
  assert.ok(bytes.length > 600_000);
  const client = harness.open(5);
  const ms = timed(() => client.sendBytes(bytes));
  context.diagnostic(`${ms.toFixed(1)} ms`);
  assert.equal(client.isClosed, true);
  assert.equal(harness.broker.counters.ended["packet-too-large"], 1);
  assert.equal(harness.broker.counters.connectsReceived, 0);
});

test("as many as fit into the largest CONNECT are taken, and not kept", (context) => {
  const harness = new BrokerHarness();
  const client = harness.open(5);
  const bytes = encodePacket(connectOf(5, "c", { properties: { userProperties: pairs(6500) } }), 5);
  assert.ok(bytes.length > 90_000 && bytes.length < 100_000, `${bytes.length}`);
  const ms = timed(() => client.sendBytes(bytes));
  context.diagnostic(`${ms.toFixed(1)} ms`);
  assert.equal(client.connack?.reasonCode, 0);
  assert.deepEqual(client.connection.connect?.properties, {});
});

test("as many as a list may have in a PUBLISH reach the subscriber, in order; one more is refused, and so are 60,000", (context) => {
  const harness = new BrokerHarness();
  const subscriber = harness.connect("subscriber");
  subscriber.subscribe("t");
  const userProperties = pairs(MOST);
  const ms = timed(() => harness.connect("publisher").publish("t", "x", { properties: { userProperties } }));
  context.diagnostic(`${ms.toFixed(1)} ms, in and out`);
  assert.deepEqual(subscriber.publishes()[0]?.properties.userProperties, userProperties);
  for (const count of [MOST + 1, 60_000]) {
    const publisher = harness.connect("publisher");
    const tookMs = timed(() => publisher.publish("t", "x", { properties: { userProperties: pairs(count) } }));
    context.diagnostic(`${count}: ${tookMs.toFixed(1)} ms`);
    assert.equal(publisher.trace().at(-1), "DISCONNECT 0x97");
  }
  assert.deepEqual(subscriber.publishes(), []);
});

test("a property that says it is longer than its packet ends the connection", () => {
  const client = new BrokerHarness().connect("c");
  const fields = {
    topicName: "t",
    payload: new Uint8Array(0),
    qos: 0,
    retain: false,
    dup: false,
    packetId: 0,
  } as const;
  const bytes = encodePacket(publishOf({ ...fields, properties: { userProperties: [["name", "value"]] } }), 5);
  bytes[bytes.length - 7] = 0xff;
  client.sendBytes(bytes);
  assert.equal(client.trace().at(-1), "DISCONNECT 0x81");
});

test("other properties may be there once: a flood of them ends with the second", () => {
  for (const [name, flood] of [
    ["session expiry", "1100000001".repeat(1000)],
    ["receive maximum", "210001".repeat(1000)],
    ["request problem information", "1701".repeat(1000)],
  ] as const) {
    const length = flood.length / 2;
    const variable = Buffer.of((length & 0x7f) | 0x80, length >> 7);
    const body = Buffer.concat([
      Buffer.from("00044d5154540502003c", "hex"),
      variable,
      Buffer.from(`${flood}000163`, "hex"),
    ]);
    const client = new BrokerHarness().open(5);
    client.sendBytes(Buffer.concat([Buffer.of(0x10, (body.length & 0x7f) | 0x80, body.length >> 7), body]));
    assert.deepEqual([client.isClosed, client.connack?.reasonCode], [true, 0x82], name);
  }
});
