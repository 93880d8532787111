// The generator's raw packets, byte by byte.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as wire from "./wire.ts";

function hex(bytes: Buffer): string {
  return bytes.toString("hex").replace(/../g, "$& ").trim();
}

for (const [name, bytes, expected] of [
  ["CONNECT 3.1", wire.encodeConnect(3, "a", true, false), "10 0f 00 06 4d 51 49 73 64 70 03 02 00 00 00 01 61"],
  ["CONNECT 3.1.1, durable", wire.encodeConnect(4, "a", false, true), "10 0d 00 04 4d 51 54 54 04 00 00 00 00 01 61"],
  [
    "CONNECT 5.0, durable",
    wire.encodeConnect(5, "a", false, true),
    "10 13 00 04 4d 51 54 54 05 00 00 00 05 11 00 00 0e 10 00 01 61",
  ],
  ["SUBSCRIBE 3.1.1", wire.encodeSubscribe(4, 258, ["a", "b/#"], 1), "82 0c 01 02 00 01 61 01 00 03 62 2f 23 01"],
  ["SUBSCRIBE 5.0", wire.encodeSubscribe(5, 1, ["a"], 2), "82 07 00 01 00 00 01 61 02"],
  ["UNSUBSCRIBE 3.1.1", wire.encodeUnsubscribe(4, 1, ["a"]), "a2 05 00 01 00 01 61"],
  ["PUBLISH QoS 0", wire.publishTemplate(4, "t", 0, true, 2).bytes, "31 05 00 01 74 78 78"],
  ["PUBLISH QoS 2, 5.0", wire.publishTemplate(5, "t", 2, false, 1).bytes, "34 07 00 01 74 00 00 00 78"],
  ["DISCONNECT", wire.encodeDisconnect(), "e0 00"],
] as const)
  test(name, () => assert.equal(hex(bytes), expected));

test("a template knows where its packet identifier and payload are", () => {
  const template = wire.publishTemplate(5, "topic", 1, false, 3);
  assert.equal(template.bytes.subarray(template.payloadAt).toString(), "xxx");
  assert.equal(template.packetIdAt, template.payloadAt - 3); // two bytes and the length of the properties
});

test("packetBytes finds the length of what varint made, and asks for more before that", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 268_435_455 }), (length) => {
      const bytes = Buffer.concat([Buffer.from([0x30]), wire.varint(length)]);
      assert.equal(wire.packetBytes(bytes, 0, bytes.length), bytes.length + length);
      for (let end = 1; end < bytes.length; end++) assert.equal(wire.packetBytes(bytes, 0, end), 0);
    }),
  );
});

test("a fifth byte of Remaining Length is malformed", () => {
  assert.equal(wire.packetBytes(Buffer.from("30ffffffff01", "hex"), 0, 6), -1);
});

test("skipVarint", () => {
  assert.equal(wire.skipVarint(Buffer.from("00c10200", "hex"), 1), 3);
  assert.equal(wire.varintValue, 321);
});

for (const [properties, expected] of [
  ["00", 65_535],
  ["0a 22000a 27001e8480 2400", 65_535],
  ["0f 22000a 26000161000162 210014 2a01", 20],
  ["08 12000178 210005 2801", 5],
] as const)
  test(`receiveMaximum of ${properties}`, () => {
    assert.equal(wire.receiveMaximum(Buffer.from(properties.replaceAll(" ", ""), "hex"), 0), expected);
  });
