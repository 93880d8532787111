// Acknowledgements are as short as they can be, and refused when they say what they cannot.
import assert from "node:assert/strict";
import { test } from "node:test";
import { hexOf } from "../../../test/support/hex.ts";
import { MqttError } from "../errors.ts";
import type { Acknowledgement, Version } from "../packet.ts";
import { NO_PROPERTIES } from "../properties.ts";
import { acknowledgementFirstByte, encodeAcknowledgement } from "./acknowledgement.ts";

function acknowledgementOf(fields: Partial<Acknowledgement>): Acknowledgement {
  return { type: "PUBACK", packetId: 1, reasonCode: 0, properties: NO_PROPERTIES, ...fields };
}

const MISTAKES: readonly (readonly [Version, Partial<Acknowledgement>, RegExp])[] = [
  [4, { packetId: 0 }, /PUBACK: packet identifier 0; allowed are 1 to 65,535/],
  [5, { packetId: 65_536 }, /packet identifier 65536/],
  [5, { packetId: -1 }, /packet identifier -1/],
  [5, { packetId: 1.5 }, /packet identifier 1.5/],
  [5, { reasonCode: 0x92 }, /PUBACK: reason code 0x92 does not belong here/],
  [5, { type: "PUBREL", reasonCode: 0x10 }, /PUBREL: reason code 0x10/],
  [5, { type: "PUBCOMP", reasonCode: 0x80 }, /PUBCOMP: reason code 0x80/],
  [4, { type: "PUBREC", reasonCode: 0x87 }, /PUBREC: reason code 0x87 cannot be told before 5.0/],
  [3, { type: "PUBREL", reasonCode: 0x92 }, /PUBREL: reason code 0x92 cannot be told before 5.0/],
  [4, { properties: { reasonString: "no" } }, /no properties before 5.0/],
  [5, { properties: { topicAlias: 1 } }, /Topic Alias does not belong/],
];

for (const [version, fields, message] of MISTAKES)
  test(`an acknowledgement of version ${version} is refused: ${message.source}`, () =>
    assert.throws(
      () => encodeAcknowledgement(acknowledgementOf(fields), version),
      (error) => error instanceof MqttError && message.test(error.message),
    ));

test("what can be left out is left out", () => {
  assert.equal(hexOf(encodeAcknowledgement(acknowledgementOf({}), 5)), "40020001");
  assert.equal(hexOf(encodeAcknowledgement(acknowledgementOf({ properties: {} }), 5)), "40020001");
  assert.equal(hexOf(encodeAcknowledgement(acknowledgementOf({ reasonCode: 0x87, properties: {} }), 5)), "4003000187");
  const explained = acknowledgementOf({ properties: { reasonString: "" } });
  assert.equal(hexOf(encodeAcknowledgement(explained, 5)), "4007000100031f0000");
});

test("first bytes [5.0 MQTT-3.6.1-1]", () => {
  const types = ["PUBACK", "PUBREC", "PUBREL", "PUBCOMP"] as const;
  assert.deepEqual(types.map(acknowledgementFirstByte), [0x40, 0x50, 0x62, 0x70]);
});
