import assert from "node:assert/strict";
import { test } from "node:test";
import {
  decodePacket,
  encodePublish,
  isFault,
  NO_PROPERTIES,
  type Properties,
  type PublishFields,
  type Version,
} from "../protocol/index.ts";
import { Keep, Message, storedFields } from "./message.ts";

const PROPERTIES: Properties = {
  payloadFormatIndicator: 1,
  messageExpirySeconds: 60,
  contentType: "text/plain",
  responseTopic: "answers/1",
  correlationData: Uint8Array.of(1, 2, 3),
  userProperties: [
    ["a", "1"],
    ["a", "2"],
  ],
};

function fields(qos: 0 | 1 | 2, properties: Properties, payloadBytes: number): PublishFields {
  return {
    topicName: "räume/küche/temperatur",
    payload: new Uint8Array(payloadBytes).fill(0x5a),
    qos,
    retain: qos === 1,
    dup: qos === 2,
    packetId: qos === 0 ? 0 : 77,
    properties,
  };
}

/** The message as it comes from a client, between other bytes. */
function received(sent: PublishFields, version: Version): Message {
  const packet = encodePublish(sent, version);
  const chunk = new Uint8Array(packet.length + 7).fill(0xff);
  chunk.set(packet, 5);
  const publish = decodePacket(chunk, 5, 5 + packet.length, version, "client");
  assert.ok(!isFault(publish) && publish.type === "PUBLISH");
  return Message.received(publish, version, "publisher", 0);
}

for (const version of [3, 4, 5] as const) {
  for (const qos of [0, 1, 2] as const) {
    for (const payloadBytes of [0, 1, 100, 127, 128, 20_000]) {
      const properties = version === 5 && qos > 0 ? PROPERTIES : NO_PROPERTIES;
      test(`version ${version}, QoS ${qos}, ${payloadBytes} bytes: stored and read back is what was sent`, () => {
        const sent = fields(qos, properties, payloadBytes);
        const message = received(sent, version);
        assert.deepEqual(storedFields(message.toStored()), { ...sent, dup: false, packetId: 0 });
        message.keep(new Keep());
        assert.deepEqual(storedFields(message.toStored()), { ...sent, dup: false, packetId: 0 });
      });
    }
  }
}

test("an alias of the publisher's connection is not stored", () => {
  const message = received(fields(1, { topicAlias: 3, contentType: "x" }, 4), 5);
  assert.deepEqual(storedFields(message.toStored()).properties, { contentType: "x" });
});

test("what the store holds is a copy", () => {
  const message = received(fields(1, NO_PROPERTIES, 10), 5);
  const stored = message.toStored();
  message.payload.fill(0);
  assert.deepEqual(storedFields(stored).payload, new Uint8Array(10).fill(0x5a));
});

test("bytes that are no PUBLISH are refused", () => {
  assert.throws(() => storedFields(Uint8Array.of(0xc0, 0)), /no PUBLISH/);
  assert.throws(() => storedFields(Uint8Array.of(0x30, 5, 0, 9, 0x61)), /no PUBLISH/);
});

test("who hears at once is told the whole expiry, at whatever fraction of a millisecond, and later what is left", () => {
  for (let nowMs = 1; nowMs < 1e7; nowMs = nowMs * 1.01 + 0.1) {
    const message = Message.made(fields(1, PROPERTIES, 1), null, nowMs);
    assert.equal(message.remainingExpirySeconds(nowMs), 60, `${nowMs}`);
    assert.equal(message.remainingExpirySeconds(nowMs + 59_000.5), 1, `${nowMs}`);
    assert.equal(message.remainingExpirySeconds(nowMs + 60_000.5), 0, `${nowMs}`);
  }
});

test("a message with control characters, which no client may send any more, comes back from the store", () => {
  const properties = { userProperties: [["a\tb", "two\nlines"]] } as const;
  const sent = { ...fields(1, properties, 3), topicName: "a/\u0001/\uffff" };
  assert.deepEqual(storedFields(encodePublish(sent, 5)), { ...sent, packetId: 0 });
});
