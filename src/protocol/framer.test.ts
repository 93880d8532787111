// Packets are cut out of the stream wherever its chunks begin and end, and nothing is allocated for what has not come.
import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOfHex, hexOf } from "../../test/support/hex.ts";
import { Framer, packetLength } from "./framer.ts";

for (const [hex, length, why] of [
  ["", 0, "nothing yet"],
  ["c0", 0, "no length yet"],
  ["c0 00", 2, "PINGREQ"],
  ["30 7f", 129, "the largest length of one byte"],
  ["30 80", 0, "half a length of two bytes"],
  ["30 80 01", 131, "the smallest length of two bytes"],
  ["30 ff 7f", 16_386, "the largest length of two bytes"],
  ["30 80 80 01", 16_388, "the smallest length of three bytes"],
  ["30 ff ff 7f", 2_097_155, "the largest length of three bytes"],
  ["30 80 80 80 01", 2_097_157, "the smallest length of four bytes"],
  ["30 ff ff ff", 0, "three bytes of four"],
  ["30 ff ff ff 7f", 268_435_460, "the largest length of all"],
  ["30 87 80 80 00", 12, "a length in more bytes than it needs is read"],
  ["30 ff ff ff ff", -1, "a fifth byte [5.0 §1.5.5] [3.1.1 §2.2.3]"],
  ["30 80 80 80 80", -1, "a fifth byte [5.0 §1.5.5] [3.1.1 §2.2.3]"],
] as const)
  test(`packetLength of ${hex || "nothing"}: ${why}`, () => {
    assert.equal(packetLength(bytesOfHex(hex), 0), length);
    const amid = bytesOfHex(`ffff${hex}`);
    assert.equal(packetLength(amid, 2), length, "behind other bytes");
    assert.equal(
      packetLength(bytesOfHex(`${hex}ffff`), 0, hex.replaceAll(" ", "").length / 2),
      length,
      "before others",
    );
  });

/** All packets that come out of `chunks`, and what ended them. */
function framesOf(framer: Framer, chunks: readonly Uint8Array[]): { packets: string[]; last: string } {
  const packets: string[] = [];
  let last = "more";
  for (const chunk of chunks) {
    framer.push(chunk);
    for (last = framer.next(); last === "packet"; last = framer.next())
      packets.push(hexOf(framer.bytes.subarray(framer.start, framer.end)));
  }
  return { packets, last };
}

const PACKETS = ["c000", "30050001616869", "d000", `3083 01 0001 61 ${"70".repeat(128)}`.replaceAll(" ", ""), "e000"];

test("every way to cut a stream into two or three chunks gives the same packets", () => {
  const stream = bytesOfHex(PACKETS.join(""));
  for (let first = 0; first <= stream.length; first++) {
    for (const second of [first, Math.min(first + 1, stream.length), Math.min(first + 70, stream.length)]) {
      const chunks = [stream.slice(0, first), stream.slice(first, second), stream.slice(second)];
      const framer = new Framer(1000);
      assert.deepEqual(framesOf(framer, chunks), { packets: PACKETS, last: "more" }, `cut at ${first} and ${second}`);
      assert.equal(framer.heldBytes, 0);
    }
  }
});

test("a packet that lies whole in a chunk is not copied", () => {
  const framer = new Framer(1000);
  const chunk = bytesOfHex("c000 d000 30");
  framer.push(chunk);
  for (const start of [0, 2]) {
    assert.equal(framer.next(), "packet");
    assert.deepEqual([framer.bytes === chunk, framer.start, framer.end], [true, start, start + 2]);
  }
  assert.equal(framer.next(), "more");
  assert.equal(framer.heldBytes, 1);
});

test("a chunk that was read to its end is let go, and so is the last packet", () => {
  const framer = new Framer(1000);
  framer.push(bytesOfHex("c000"));
  framer.next();
  framer.release();
  assert.deepEqual([framer.bytes.length, framer.start, framer.end, framer.heldBytes], [0, 0, 0, 0]);
  assert.equal(framer.next(), "more");
});

test("the first byte tells the type of the packet to come, whole or not", () => {
  const framer = new Framer(1000);
  assert.equal(framer.firstByte, -1);
  framer.push(bytesOfHex("c000 30"));
  assert.equal(framer.firstByte, 0xc0);
  framer.next();
  assert.equal(framer.firstByte, 0x30);
  framer.next();
  assert.equal(framer.firstByte, 0x30, "kept as the beginning of a packet");
  framer.push(bytesOfHex("00"));
  assert.equal(framer.firstByte, 0x30);
});

test("a chunk that comes before the last one was read to its end joins it", () => {
  const framer = new Framer(1000);
  framer.push(bytesOfHex("c000 d000 30"));
  assert.equal(framer.next(), "packet");
  framer.push(bytesOfHex("00 e0"));
  assert.equal(framer.heldBytes, 5);
  assert.deepEqual(framesOf(framer, [bytesOfHex("00")]), { packets: ["d000", "3000", "e000"], last: "more" });
});

for (const [size, header] of [
  [129, "30 7f"],
  [131, "30 80 01"],
  [268_435_460, "30 ff ff ff 7f"],
] as const)
  test(`a packet of ${size} bytes is too large as soon as its header is there, and allowed at its size`, () => {
    const bytes = bytesOfHex(header);
    for (const chunks of [[bytes], Array.from(bytes, (byte) => new Uint8Array([byte]))]) {
      const framer = new Framer(size - 1);
      assert.deepEqual(framesOf(framer, chunks), { packets: [], last: "too large" });
      assert.equal(framer.next(), "too large", "and stays so");
      assert.equal(hexOf(framer.bytes.subarray(framer.start, framer.end)), hexOf(bytes), "what came of it is shown");
      assert.deepEqual(framesOf(new Framer(size), chunks), { packets: [], last: "more" });
    }
  });

test("a fifth byte of a length is refused whether it comes at once or not, and stays refused", () => {
  const bytes = bytesOfHex("30 ff ff ff ff 00");
  for (const chunks of [[bytes], [bytes.slice(0, 3), bytes.slice(3)]]) {
    const framer = new Framer(Number.POSITIVE_INFINITY);
    assert.deepEqual(framesOf(framer, chunks), { packets: [], last: "malformed length" });
    assert.equal(framer.next(), "malformed length");
  }
});

/** The largest array that is made while `body` runs. */
function largestAllocation(body: () => void): number {
  const Original = globalThis.Uint8Array;
  let largest = 0;
  const Counting = new Proxy(Original, {
    construct(target, args: [number]) {
      if (typeof args[0] === "number") largest = Math.max(largest, args[0]);
      return Reflect.construct(target, args);
    },
  });
  globalThis.Uint8Array = Counting;
  try {
    body();
  } finally {
    globalThis.Uint8Array = Original;
  }
  return largest;
}

test("memory is taken for what has come, never for what a length announces", () => {
  const header = bytesOfHex("30 ff ff ff 7f");
  const piece = bytesOfHex("aa".repeat(1000));
  const framer = new Framer(Number.POSITIVE_INFINITY);
  const atFirst = largestAllocation(() => framesOf(framer, [header]));
  assert.ok(atFirst > 0 && atFirst <= 256, `${atFirst} bytes for 5`);
  const later = largestAllocation(() =>
    framesOf(
      framer,
      Array.from({ length: 100 }, () => piece),
    ),
  );
  assert.equal(framer.heldBytes, 100_005);
  assert.ok(later < 2 * 100_005, `${later} bytes for 100,005`);
});
