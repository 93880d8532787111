import assert from "node:assert/strict";
import { test } from "node:test";
import type { Version } from "../../src/protocol/index.ts";
import { hexOf } from "./hex.ts";
import { bytesOfNotation } from "./packet-notation.ts";

for (const [notation, version, hex, why] of [
  ["", 4, "", "nothing"],
  ["c0 00", 4, "c000", "hexadecimal"],
  ["0001 ff0a", 4, "0001ff0a", "several bytes together"],
  ["'a/b'", 4, "0003612f62", "a string has its length"],
  ["''", 4, "0000", "an empty one too"],
  ["'é'", 4, "0002c3a9", "which is that of its UTF-8"],
  [`"a/b"`, 4, "612f62", "a text has none"],
  ["e0[]", 4, "e000", "a packet of nothing"],
  ["30[ 't' \"x\" ]", 4, "3004000174" + "78", "a packet"],
  ["32[ 't' 0007 {} \"x\" ]", 4, "3206000174000778", "no properties before 5.0"],
  ["32[ 't' 0007 {} \"x\" ]", 5, "320700017400070078", "none in 5.0"],
  ["32[ 't' 0007 {01 01} \"x\" ]", 5, "32090001740007020101" + "78", "properties"],
  ["3(03) 4(04) 5(05)", 3, "03", "only in 3.1"],
  ["3(03) 4(04) 5(05)", 4, "04", "only in 3.1.1"],
  ["3(03) 4(04) 5(e0[])", 5, "e000", "only in 5.0, and nested"],
  [`[ ${"00".repeat(127)} ]`, 4, `7f${"00".repeat(127)}`, "the longest length of one byte"],
  [`[ ${"00".repeat(128)} ]`, 4, `8001${"00".repeat(128)}`, "the shortest of two"],
  [`[ ${"00".repeat(16_384)} ]`, 4, `808001${"00".repeat(16_384)}`, "the shortest of three"],
] as const satisfies readonly (readonly [string, Version, string, string])[]) {
  test(`${notation.slice(0, 40)} in version ${version}: ${why}`, () =>
    assert.equal(hexOf(bytesOfNotation(notation, version)), hex));
}

for (const wrong of ["0", "000", "0g", "'a", "[", "]", "[ }", "30[ 't' ] ]", "2(00)", "a(00)", "~"]) {
  test(`${wrong}: no notation`, () =>
    assert.throws(() => bytesOfNotation(wrong, 4), /no notation|closes nothing|at the end/));
}
