import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 as zlibCrc32 } from "node:zlib";
import { crc32 } from "./bytes.ts";

test("the checksum is zlib's CRC-32, for any range and going on from another", () => {
  const bytes = Uint8Array.from({ length: 600 }, (_, i) => (i * 167 + (i >> 3)) & 255);
  for (let length = 0; length < 300; length++) {
    for (const from of [0, 1, 2, 3, 250]) {
      const range = bytes.subarray(from, from + length);
      assert.equal(crc32(bytes, from, from + length), zlibCrc32(range), `${length} bytes from ${from}`);
      const goingOn = crc32(bytes, from, from + length, crc32(bytes, 0, 7));
      assert.equal(
        goingOn,
        zlibCrc32(range, zlibCrc32(bytes.subarray(0, 7))),
        `${length} bytes from ${from}, going on`,
      );
    }
  }
});
