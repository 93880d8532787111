// Fields become bytes in order; lengths that stand before what they count are put there afterwards.
import assert from "node:assert/strict";
import { test } from "node:test";
import { hexOf } from "../../test/support/hex.ts";
import { MqttError } from "./errors.ts";
import { putVarint, varintBytes, Writer } from "./writer.ts";

for (const [value, hex] of [
  [0, "00"],
  [127, "7f"],
  [128, "8001"],
  [16_383, "ff7f"],
  [16_384, "808001"],
  [2_097_151, "ffff7f"],
  [2_097_152, "80808001"],
  [268_435_455, "ffffff7f"],
] as const)
  test(`${value} as a Variable Byte Integer is ${hex} [5.0 §1.5.5]`, () => {
    assert.equal(varintBytes(value), hex.length / 2);
    const bytes = new Uint8Array(6).fill(0xee);
    assert.equal(putVarint(bytes, 1, value), 1 + hex.length / 2);
    assert.equal(hexOf(bytes), `ee${hex}${"ee".repeat(5 - hex.length / 2)}`);
    const writer = new Writer();
    writer.varint(value);
    assert.equal(hexOf(writer.fields()), hex);
  });

test("a packet is its fields behind type and length", () => {
  const writer = new Writer();
  writer.u8(1);
  writer.u16(0x203);
  writer.u32(4_294_967_295);
  writer.utf8("é");
  writer.binary(new Uint8Array([0, 1]));
  writer.raw(new Uint8Array([9]));
  assert.equal(hexOf(writer.packet(0x30)), "3010010203ffffffff0002c3a90002000109");
});

for (const size of [0, 127, 128, 16_383, 16_384, 2_097_152])
  test(`a packet with ${size} bytes after its header grows to its size`, () => {
    const writer = new Writer();
    for (let rest = size; rest > 0; rest -= 1000) writer.raw(new Uint8Array(Math.min(rest, 1000)).fill(7));
    const packet = writer.packet(0x30);
    assert.equal(packet.length, 1 + varintBytes(size) + size);
    assert.ok(packet.subarray(1 + varintBytes(size)).every((byte) => byte === 7));
  });

for (const size of [0, 1, 127, 128, 16_384])
  test(`a part of ${size} bytes gets its length before it`, () => {
    const writer = new Writer();
    writer.u8(1);
    const mark = writer.beginLength();
    writer.raw(new Uint8Array(size).fill(5));
    writer.endLength(mark);
    writer.u8(2);
    const length = new Uint8Array(varintBytes(size));
    putVarint(length, 0, size);
    assert.equal(hexOf(writer.fields()), `01${hexOf(length)}${"05".repeat(size)}02`);
  });

test("fields that no length can tell are refused", () => {
  const writer = new Writer();
  assert.throws(() => writer.binary(new Uint8Array(65_536)), MqttError);
  assert.throws(() => writer.utf8("x".repeat(65_536)), MqttError);
  assert.throws(() => writer.utf8("é".repeat(32_768)), MqttError, "65,536 bytes in 32,768 characters");
  assert.throws(() => writer.utf8("a\0"), MqttError);
  assert.throws(() => writer.utf8("\ud800"), MqttError);
  assert.equal(writer.fields().length, 0, "nothing was written");
  writer.utf8("x".repeat(65_535));
  assert.equal(writer.fields().length, 65_537);
});
