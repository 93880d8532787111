// A reader gives what is there; its first fault sticks and leaves nothing to read.
import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOfHex, hexOf } from "../../test/support/hex.ts";
import { Reader } from "./reader.ts";
import { ReasonCode } from "./reason-codes.ts";

function readerOf(hex: string): Reader {
  const bytes = bytesOfHex(`ff${hex}ff`);
  return new Reader(bytes, 1, bytes.length - 1);
}

test("numbers are read in the order of the network", () => {
  const reader = readerOf("01 0203 04050607 ffffffff 80808001 00");
  assert.deepEqual(
    [reader.u8(), reader.u16(), reader.u32(), reader.u32(), reader.varint(), reader.varint()],
    [1, 0x203, 0x4050607, 4_294_967_295, 2_097_152, 0],
  );
  assert.equal(reader.left, 0);
  assert.equal(reader.fault, null);
});

test("strings and bytes are read behind their length", () => {
  const reader = readerOf("0003 61c3a9 0002 00ff 0000 0000");
  assert.equal(reader.utf8(), "aé");
  assert.equal(hexOf(reader.binary()), "00ff");
  assert.equal(reader.utf8(), "");
  assert.equal(reader.binary().length, 0);
  assert.equal(reader.fault, null);
});

test("bytes are a copy, so that the chunk need not be kept", () => {
  const bytes = bytesOfHex("0002 0102");
  const value = new Reader(bytes, 0, 4).binary();
  bytes[2] = 9;
  assert.equal(hexOf(value), "0102");
});

const FIELDS = {
  u8: (reader: Reader) => reader.u8(),
  u16: (reader: Reader) => reader.u16(),
  u32: (reader: Reader) => reader.u32(),
  varint: (reader: Reader) => reader.varint(),
  utf8: (reader: Reader) => reader.utf8(),
  binary: (reader: Reader) => reader.binary().length,
} as const;

for (const [field, hex, why] of [
  ["u8", "", "nothing"],
  ["u16", "01", "half a number"],
  ["u32", "010203", "three bytes of four"],
  ["varint", "", "nothing"],
  ["varint", "80", "half a length"],
  ["varint", "ffffff", "three bytes of four"],
  ["varint", "80808080", "a fifth byte [5.0 §1.5.5]"],
  ["varint", "8000", "not in its shortest form [5.0 MQTT-1.5.5-1]"],
  ["varint", "80808000", "not in its shortest form [5.0 MQTT-1.5.5-1]"],
  ["utf8", "00", "half a length"],
  ["utf8", "0002 61", "shorter than announced"],
  ["utf8", "ffff", "65,535 bytes that are not there"],
  ["utf8", "0001 ff", "no UTF-8 [5.0 MQTT-1.5.4-1]"],
  ["utf8", "0001 00", "U+0000 [5.0 MQTT-1.5.4-2]"],
  ["binary", "0002 61", "shorter than announced"],
] as const)
  test(`${field} of ${hex || "nothing"} is malformed: ${why}`, () => {
    const reader = readerOf(hex);
    FIELDS[field](reader);
    assert.equal(reader.fault?.reasonCode, ReasonCode.MalformedPacket);
    assert.equal(reader.left, 0);
    const { fault } = reader;
    for (const read of Object.values(FIELDS)) assert.ok(!read(reader), "whatever is read after a fault is neutral");
    reader.fail(ReasonCode.ProtocolError, "later");
    assert.equal(reader.fault, fault, "the first fault sticks");
  });

test("a limit narrows what may be read, and a fault keeps it from being widened", () => {
  const reader = readerOf("01020304");
  const outer = reader.limit(reader.offset + 2);
  assert.equal(reader.left, 2);
  reader.u16();
  assert.equal(reader.left, 0);
  reader.limit(outer);
  assert.equal(reader.left, 2);
  const whole = reader.limit(reader.offset + 1);
  reader.u16();
  reader.limit(whole);
  assert.equal(reader.left, 0);
});

test("a reader starts over on other bytes", () => {
  const reader = readerOf("");
  reader.u8();
  reader.reset(bytesOfHex("2a"), 0, 1);
  assert.equal(reader.fault, null);
  assert.equal(reader.u8(), 42);
});
