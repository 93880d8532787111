// A CONNACK that is not legal is refused before its first byte is written; what is read is in test/vectors/connack.json.
import assert from "node:assert/strict";
import { test } from "node:test";
import { MqttError } from "../errors.ts";
import type { Connack, Version } from "../packet.ts";
import { NO_PROPERTIES } from "../properties.ts";
import { encodeConnack } from "./connack.ts";

const MISTAKES: readonly (readonly [Version, Partial<Connack>, RegExp])[] = [
  [3, { reasonCode: 6 }, /code 6 does not belong here/],
  [4, { reasonCode: -1 }, /code -1/],
  [4, { reasonCode: 1.5 }, /code 1.5/],
  [4, { reasonCode: 0x87 }, /code 135/],
  [5, { reasonCode: 5 }, /code 5/],
  [5, { reasonCode: 0x8b }, /code 139/],
  [4, { reasonCode: 5, sessionPresent: true }, /session present with a refusal/],
  [5, { reasonCode: 0x87, sessionPresent: true }, /session present with a refusal/],
  [3, { sessionPresent: true }, /session present cannot be told in MQTT 3.1/],
  [4, { properties: { receiveMaximum: 1 } }, /no properties before 5.0/],
  [5, { properties: { topicAlias: 1 } }, /Topic Alias does not belong/],
];

for (const [version, fields, message] of MISTAKES)
  test(`a CONNACK of version ${version} is refused: ${message.source}`, () => {
    const connack: Connack = {
      type: "CONNACK",
      sessionPresent: false,
      reasonCode: 0,
      properties: NO_PROPERTIES,
      ...fields,
    };
    assert.throws(
      () => encodeConnack(connack, version),
      (error) => error instanceof MqttError && message.test(error.message),
    );
  });
