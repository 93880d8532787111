// UNSUBSCRIBE and UNSUBACK that are not legal are refused before their first byte is written; what is read is in test/vectors.
import assert from "node:assert/strict";
import { test } from "node:test";
import { MqttError } from "../errors.ts";
import type { Unsuback, Unsubscribe, Version } from "../packet.ts";
import { NO_PROPERTIES } from "../properties.ts";
import { encodeUnsuback, encodeUnsubscribe } from "./unsubscribe.ts";

const MISTAKES: readonly (readonly [Version, Partial<Unsubscribe>, RegExp])[] = [
  [4, { packetId: 0 }, /packet identifier 0/],
  [4, { topicFilters: [] }, /no topic filter/],
  [4, { topicFilters: ["a", ""] }, /topic filter is empty/],
  [4, { topicFilters: ["+a"] }, /"\+" at 1/],
  [4, { topicFilters: ["\ud800"] }, /lone surrogate/],
  [4, { properties: { userProperties: [["k", "v"]] } }, /no properties before 5.0/],
  [5, { properties: { subscriptionIdentifiers: [1] } }, /Subscription Identifier does not belong/],
];

for (const [version, fields, message] of MISTAKES)
  test(`an UNSUBSCRIBE of version ${version} is refused: ${message.source}`, () => {
    const packet: Unsubscribe = {
      type: "UNSUBSCRIBE",
      packetId: 1,
      topicFilters: ["a"],
      properties: NO_PROPERTIES,
      ...fields,
    };
    assert.throws(
      () => encodeUnsubscribe(packet, version),
      (error) => error instanceof MqttError && message.test(error.message),
    );
  });

const UNSUBACK_MISTAKES: readonly (readonly [Version, Partial<Unsuback>, RegExp])[] = [
  [5, { packetId: 0 }, /packet identifier 0/],
  [5, { reasonCodes: [] }, /0 codes; 5.0 has one for each topic filter/],
  [4, { reasonCodes: [0] }, /1 codes; 5.0 has one for each topic filter, others none/],
  [5, { reasonCodes: [0, 1] }, /reason code 0x1 does not belong here/],
  [4, { reasonCodes: [], properties: { reasonString: "" } }, /no properties before 5.0/],
];

for (const [version, fields, message] of UNSUBACK_MISTAKES)
  test(`an UNSUBACK of version ${version} is refused: ${message.source}`, () => {
    const packet: Unsuback = { type: "UNSUBACK", packetId: 1, reasonCodes: [0], properties: NO_PROPERTIES, ...fields };
    assert.throws(
      () => encodeUnsuback(packet, version),
      (error) => error instanceof MqttError && message.test(error.message),
    );
  });
