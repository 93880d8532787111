// SUBSCRIBE and SUBACK that are not legal are refused before their first byte is written; what is read is in test/vectors.
import assert from "node:assert/strict";
import { test } from "node:test";
import { MqttError } from "../errors.ts";
import type { Suback, Subscribe, SubscriptionRequest, Version } from "../packet.ts";
import { NO_PROPERTIES } from "../properties.ts";
import { encodeSuback, encodeSubscribe } from "./subscribe.ts";

const REQUEST: SubscriptionRequest = {
  topicFilter: "a",
  qos: 0,
  noLocal: false,
  retainAsPublished: false,
  retainHandling: 0,
};

function withRequest(fields: Partial<SubscriptionRequest>): Partial<Subscribe> {
  return { subscriptions: [REQUEST, { ...REQUEST, ...fields }] };
}

const MISTAKES: readonly (readonly [Version, Partial<Subscribe>, RegExp])[] = [
  [4, { packetId: 0 }, /packet identifier 0/],
  [4, { packetId: 65_536 }, /packet identifier 65536/],
  [4, { subscriptions: [] }, /no topic filter/],
  [4, withRequest({ topicFilter: "" }), /topic filter is empty/],
  [4, withRequest({ topicFilter: "a#" }), /"#" at 2/],
  [4, withRequest({ topicFilter: "a\0" }), /U\+0000/],
  [5, withRequest({ topicFilter: "$share/g" }), /shared topic filter/],
  [5, withRequest({ topicFilter: "x".repeat(65_536) }), /65536 bytes/],
  [5, withRequest({ qos: 3 as 2 }), /QoS 3/],
  [5, withRequest({ retainHandling: 3 as 2 }), /retain handling 3/],
  [5, withRequest({ topicFilter: "$share/g/a", noLocal: true }), /no local on a shared subscription/],
  [4, withRequest({ noLocal: true }), /cannot be told before 5.0/],
  [4, withRequest({ retainAsPublished: true }), /cannot be told before 5.0/],
  [3, withRequest({ retainHandling: 1 }), /cannot be told before 5.0/],
  [4, { properties: { subscriptionIdentifiers: [1] } }, /no properties before 5.0/],
  [5, { properties: { subscriptionIdentifiers: [1, 2] } }, /more than once/],
  [5, { properties: { reasonString: "" } }, /Reason String does not belong/],
];

for (const [version, fields, message] of MISTAKES)
  test(`a SUBSCRIBE of version ${version} is refused: ${message.source}`, () => {
    const packet: Subscribe = {
      type: "SUBSCRIBE",
      packetId: 1,
      subscriptions: [REQUEST],
      properties: NO_PROPERTIES,
      ...fields,
    };
    assert.throws(
      () => encodeSubscribe(packet, version),
      (error) => error instanceof MqttError && message.test(error.message),
    );
  });

const SUBACK_MISTAKES: readonly (readonly [Version, Partial<Suback>, RegExp])[] = [
  [4, { packetId: 0 }, /packet identifier 0/],
  [4, { reasonCodes: [] }, /no code/],
  [5, { reasonCodes: [] }, /no code/],
  [4, { reasonCodes: [0, 3] }, /code 0x3 does not belong here/],
  [4, { reasonCodes: [0x87] }, /code 0x87/],
  [5, { reasonCodes: [0x11] }, /code 0x11/],
  [4, { properties: { reasonString: "" } }, /no properties before 5.0/],
];

for (const [version, fields, message] of SUBACK_MISTAKES)
  test(`a SUBACK of version ${version} is refused: ${message.source}`, () => {
    const packet: Suback = { type: "SUBACK", packetId: 1, reasonCodes: [0], properties: NO_PROPERTIES, ...fields };
    assert.throws(
      () => encodeSuback(packet, version),
      (error) => error instanceof MqttError && message.test(error.message),
    );
  });
