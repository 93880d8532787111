// Text to bytes and back: strict as the specification, and the fast ways the same as the slow ones.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { bytesOfHex, hexOf } from "../../test/support/hex.ts";
import { parameters } from "../../test/support/property.ts";
import { decodeUtf8, encodeUtf8, isEncodable } from "./utf8.ts";

for (const [hex, text, why] of [
  ["", "", "nothing"],
  ["61", "a", "ASCII"],
  ["01 1f 7f", "\u0001\u001f\u007f", "control characters may be refused and are not [5.0 §1.5.4]"],
  ["c280", "\u0080", "the smallest of two bytes"],
  ["dfbf", "\u07ff", "the largest of two bytes"],
  ["e0a080", "\u0800", "the smallest of three bytes"],
  ["ed9fbf", "\ud7ff", "the last before the surrogates"],
  ["ee8080", "\ue000", "the first after the surrogates"],
  ["efbfbf", "\uffff", "the largest of three bytes, a non-character"],
  ["f0908080", "\u{10000}", "the smallest of four bytes"],
  ["f48fbfbf", "\u{10ffff}", "the largest of all"],
  ["efbbbf61", "\ufeffa", "U+FEFF is kept wherever it stands [5.0 MQTT-1.5.4-3] [3.1.1 MQTT-1.5.3-3]"],
  ["00", null, "U+0000 [5.0 MQTT-1.5.4-2] [3.1.1 MQTT-1.5.3-2]"],
  ["6100", null, "U+0000 at the end"],
  ["80", null, "a continuation alone"],
  ["c3", null, "cut short"],
  ["c328", null, "a continuation is missing"],
  ["e282", null, "cut short"],
  ["f09f98", null, "cut short"],
  ["c080", null, "U+0000, overlong"],
  ["c1bf", null, "U+007F, overlong"],
  ["e09fbf", null, "U+07FF, overlong"],
  ["f08fbfbf", null, "U+FFFF, overlong"],
  ["eda080", null, "the first surrogate [5.0 MQTT-1.5.4-1] [3.1.1 MQTT-1.5.3-1]"],
  ["edbfbf", null, "the last surrogate"],
  ["eda080edb080", null, "a pair of surrogates"],
  ["f4908080", null, "U+110000"],
  ["f5808080", null, "a first byte that does not exist"],
  ["fe", null, "a byte that does not exist"],
  ["ff", null, "a byte that does not exist"],
] as const)
  test(`decodeUtf8 of ${hex || "nothing"}: ${why}`, () => {
    const bytes = bytesOfHex(hex);
    assert.equal(decodeUtf8(bytes, 0, bytes.length), text);
    // Also amid other bytes, and too long for the loop.
    const amid = bytesOfHex(`ff${hex}80`);
    assert.equal(decodeUtf8(amid, 1, amid.length - 1), text);
    const long = bytesOfHex("61".repeat(100) + hex);
    assert.equal(decodeUtf8(long, 0, long.length), text === null ? null : "a".repeat(100) + text);
    if (text !== null) assert.equal(hexOf(encodeUtf8(text)), hexOf(bytes));
  });

for (const [text, isLegal] of [
  ["", true],
  ["a\u{1f600}b", true],
  ["\0", false],
  ["a\0b", false],
  ["\ud800", false],
  ["\ud800a", false],
  ["\udc00", false],
  ["\udc00\ud800", false],
  ["\ud800\ud800\udc00", false],
  ["\ud800\udc00", true],
] as const)
  test(`isEncodable of ${JSON.stringify(text)} is ${isLegal}`, () => assert.equal(isEncodable(text), isLegal));

test("any text that may be sent comes back, and encodes as the platform does", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 90 }), (text) => {
      const bytes = encodeUtf8(text);
      assert.equal(hexOf(bytes), Buffer.from(text, "utf8").toString("hex"));
      assert.equal(decodeUtf8(bytes, 0, bytes.length), isEncodable(text) ? text : null);
    }),
    parameters(1000),
  );
});

test("any text that may be sent comes back strictly, unless it holds a control character or a noncharacter", () => {
  const unit = fc.oneof(
    fc.integer({ min: 1, max: 0xff }),
    fc.constantFrom(0xfdcf, 0xfdd0, 0xfdef, 0xfdf0, 0xfffd, 0xfffe, 0xffff, 0x10000, 0x1fffd, 0x1fffe, 0x10ffff),
  );
  fc.assert(
    fc.property(fc.array(unit, { maxLength: 40 }), (codePoints) => {
      const text = String.fromCodePoint(...codePoints);
      const bytes = encodeUtf8(text);
      const expected = /[\p{Cc}\p{Noncharacter_Code_Point}]/u.test(text) ? null : text;
      assert.equal(decodeUtf8(bytes, 0, bytes.length, true), expected);
      assert.equal(decodeUtf8(bytes, 0, bytes.length), text);
    }),
    parameters(2000),
  );
});

test("any bytes decode as the platform's strict decoder does, but for U+0000", () => {
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  // Bytes that begin or continue characters, more often than chance has them.
  const byte = fc.oneof(
    fc.integer({ min: 0, max: 255 }),
    fc.constantFrom(0x61, 0x80, 0xbf, 0xc3, 0xe0, 0xed, 0xf0, 0xf4),
  );
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 40 }), (values) => {
      const bytes = new Uint8Array(values);
      let expected: string | null = null;
      try {
        if (!values.includes(0)) expected = strict.decode(bytes);
      } catch {
        // It is not well-formed.
      }
      assert.equal(decodeUtf8(bytes, 0, bytes.length), expected);
    }),
    parameters(2000),
  );
});

test("bytes in shared memory decode too", () => {
  const shared = new Uint8Array(new SharedArrayBuffer(40)).fill(0x61);
  shared.set([0xc3, 0xa9]);
  assert.equal(decodeUtf8(shared, 0, 40), `é${"a".repeat(38)}`);
  assert.equal(decodeUtf8(shared, 2, 4), "aa");
});
