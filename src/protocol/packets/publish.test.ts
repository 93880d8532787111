// PUBLISH: decoded in place, encoded in one piece, and refused when it is not legal. What is read is in test/vectors/publish.json.
import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOfHex, hexOf } from "../../../test/support/hex.ts";
import { MqttError } from "../errors.ts";
import type { Version } from "../packet.ts";
import { NO_PROPERTIES } from "../properties.ts";
import { Reader } from "../reader.ts";
import { ReasonCode } from "../reason-codes.ts";
import {
  decodePublish,
  encodePublish,
  encodePublishProperties,
  LastTopic,
  type Publish,
  type PublishFields,
  publishBytes,
  publishOf,
  publishRemainingLength,
} from "./publish.ts";

function fieldsOf(fields: Partial<PublishFields>): PublishFields {
  const payload = bytesOfHex("01");
  return {
    topicName: "a",
    payload,
    qos: 0,
    retain: false,
    dup: false,
    packetId: 0,
    properties: NO_PROPERTIES,
    ...fields,
  };
}

const MISTAKES: readonly (readonly [Version, Partial<PublishFields>, ReasonCode, RegExp])[] = [
  [4, { topicName: "" }, ReasonCode.TopicNameInvalid, /topic name is empty/],
  [5, { topicName: "" }, ReasonCode.TopicNameInvalid, /topic name is empty/],
  [4, { topicName: "", properties: { topicAlias: 1 } }, ReasonCode.TopicNameInvalid, /topic name is empty/],
  [5, { topicName: "a/#" }, ReasonCode.TopicNameInvalid, /"#" at 3/],
  [5, { topicName: "a\0" }, ReasonCode.TopicNameInvalid, /U\+0000/],
  [5, { topicName: "\udc00" }, ReasonCode.TopicNameInvalid, /lone surrogate/],
  [5, { topicName: "x".repeat(65_536) }, ReasonCode.TopicNameInvalid, /longer than 65,535 bytes/],
  [5, { topicName: "é".repeat(32_768) }, ReasonCode.TopicNameInvalid, /longer than 65,535 bytes/],
  [4, { qos: 3 as 2, packetId: 1 }, ReasonCode.ProtocolError, /QoS 3/],
  [4, { qos: 1 }, ReasonCode.ProtocolError, /packet identifier 0; allowed are/],
  [4, { qos: 2, packetId: 65_536 }, ReasonCode.ProtocolError, /packet identifier 65536/],
  [4, { packetId: 1 }, ReasonCode.ProtocolError, /a packet identifier at QoS 0/],
  [4, { dup: true }, ReasonCode.ProtocolError, /DUP at QoS 0/],
  [4, { properties: { contentType: "t" } }, ReasonCode.ProtocolError, /no properties before 5.0/],
  [5, { properties: { topicAlias: 0 } }, ReasonCode.TopicAliasInvalid, /Topic Alias is 0/],
  [5, { properties: { receiveMaximum: 1 } }, ReasonCode.MalformedPacket, /Receive Maximum does not belong/],
];

for (const [version, fields, reasonCode, message] of MISTAKES)
  test(`a PUBLISH of version ${version} is refused: ${message.source}`, () =>
    assert.throws(
      () => encodePublish(fieldsOf(fields), version),
      (error) => error instanceof MqttError && error.reasonCode === reasonCode && message.test(error.message),
    ));

/** Decodes the PUBLISH at `start` of `bytes`, whose fixed header has two bytes. */
function decoded(bytes: Uint8Array, start: number, end: number, version: Version, last: LastTopic): Publish {
  const reader = new Reader(bytes, start + 2, end);
  const packet = decodePublish(reader, start, version, "client", last);
  assert.equal(reader.fault, null);
  return packet;
}

test("a decoded PUBLISH refers to its bytes and copies nothing", () => {
  const bytes = bytesOfHex("ffff 3208 0001 61 0007 aabbcc ffff");
  const packet = decoded(bytes, 2, 12, 4, new LastTopic());
  assert.equal(packet.bytes, bytes);
  assert.deepEqual([packet.start, packet.bodyStart, packet.payloadStart, packet.end], [2, 4, 9, 12]);
  assert.equal(packet.payload.buffer, bytes.buffer);
  assert.equal(hexOf(packet.payload), "aabbcc");
});

test("the last topic is recognised by its bytes, and another one is not taken for it", () => {
  const last = new LastTopic();
  for (const topicName of ["a/b", "a/b", "a/c", "a/b/c", "a", "é", "x".repeat(100), "y".repeat(100), "a/b"]) {
    const bytes = encodePublish(fieldsOf({ topicName, payload: new Uint8Array(0) }), 4);
    assert.equal(decoded(bytes, 0, bytes.length, 4, last).topicName, topicName);
    assert.equal(last.name, topicName);
  }
});

test("a topic longer than 256 bytes is not remembered", () => {
  const last = new LastTopic();
  const bytes = bytesOfHex("61".repeat(257));
  last.remember(bytes, 0, 257, "a".repeat(257));
  assert.equal(last.equals(bytes, 0, 257), false);
  last.remember(bytes, 0, 256, "a".repeat(256));
  assert.equal(last.equals(bytes, 0, 256), true);
  assert.equal(last.equals(bytes, 0, 255), false);
});

test("a fault in a topic leaves the last one as it was", () => {
  const last = new LastTopic();
  const good = encodePublish(fieldsOf({}), 4);
  decoded(good, 0, good.length, 4, last);
  for (const hex of ["3003 0001 ff", "3003 0001 2b", "3003 0005 61"]) {
    const bad = bytesOfHex(hex);
    const reader = new Reader(bad, 2, bad.length);
    decodePublish(reader, 0, 4, "client", last);
    assert.notEqual(reader.fault, null);
    assert.equal(decoded(good, 0, good.length, 4, last).topicName, "a");
  }
});

test("sizes are known before anything is written", () => {
  for (const version of [4, 5] as const)
    for (const qos of [0, 1] as const)
      for (const payload of [0, 100, 130, 20_000].map((size) => new Uint8Array(size)))
        for (const properties of version === 5 ? [NO_PROPERTIES, { contentType: "x".repeat(200) }] : [NO_PROPERTIES]) {
          const bytes = encodePublish(fieldsOf({ qos, packetId: qos, payload, properties }), version);
          const propertyBytes = version === 5 ? encodePublishProperties(properties).length : -1;
          assert.equal(bytes.length, publishBytes(publishRemainingLength(1, qos, propertyBytes, payload.length)));
        }
});

test("a Publish from fields has no wire form", () => {
  const packet = publishOf(fieldsOf({ qos: 1, packetId: 5, retain: true }));
  assert.equal(packet.start, packet.bodyStart);
  assert.equal(hexOf(packet.payload), "01");
  assert.deepEqual([packet.qos, packet.packetId, packet.retain, packet.dup], [1, 5, true, false]);
});
