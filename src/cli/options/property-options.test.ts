// -D: what is given, in which order it is sent, and what is refused.
import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOfHex, hexOf } from "../../../test/support/hex.ts";
import { encodePacket, type Properties, publishOf } from "../../protocol/index.ts";
import { givenProperties } from "./property-options.ts";

function given(...lines: readonly string[]): ReturnType<typeof givenProperties> {
  return givenProperties(lines.map((line) => line.split(" ")));
}

function publishHex(properties: Properties): string {
  const fields = { topicName: "t", payload: new Uint8Array(0), packetId: 0, properties } as const;
  return hexOf(encodePacket(publishOf({ dup: false, qos: 0, retain: false, ...fields }), 5));
}

test("properties are sent in the order in which they are given, as by mosquitto's tools", () => {
  const { PUBLISH: properties } = given(
    "publish user-property a b",
    "publish content-type t",
    "publish topic-alias 4",
    "PUBLISH Message-Expiry-Interval 59",
    "publish user-property c d",
    "publish payload-format-indicator 1",
  );
  const expected = "30 20 0001 74 1c 26 0001 61 0001 62 03 0001 74 23 0004 02 0000003b 26 0001 63 0001 64 01 01";
  assert.equal(publishHex(properties), hexOf(bytesOfHex(expected)));
});

test("what a tool adds comes behind them", () => {
  const { PUBLISH: properties } = given("publish content-type t", "publish payload-format-indicator 1");
  const expected = "30 0e 0001 74 0a 03 0001 74 01 01 08 0001 72";
  assert.equal(publishHex({ ...properties, responseTopic: "r" }), hexOf(bytesOfHex(expected)));
});
