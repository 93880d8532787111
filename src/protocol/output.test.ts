// What is written comes out in order, joined, and long ranges of others are not copied; buffers come back.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { hexOf } from "../../test/support/hex.ts";
import { parameters } from "../../test/support/property.ts";
import { copyBytes, Output, OutputPool, type Taken } from "./output.ts";

/** Bytes that differ from place to place. */
function pattern(count: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, i) => (i * 7 + seed) & 0xff);
}

function joined(taken: Taken | null): Uint8Array {
  return taken === null ? new Uint8Array(0) : new Uint8Array(Buffer.concat(taken.segments));
}

test("an output without bytes gives nothing and holds no buffer", () => {
  const output = new Output(new OutputPool());
  assert.equal(output.take(), null);
  assert.equal(output.buffer, null);
  output.append(pattern(3, 1));
  output.take();
  assert.equal(output.buffer, null);
  assert.equal(output.length, 0);
});

test("small packets leave in one piece", () => {
  const output = new Output(new OutputPool());
  for (let i = 0; i < 50; i++) output.append(pattern(i, i));
  assert.equal(output.length, (49 * 50) / 2);
  const taken = output.take();
  assert.equal(taken?.segments.length, 1);
  assert.equal(hexOf(joined(taken)), Array.from({ length: 50 }, (_, i) => hexOf(pattern(i, i))).join(""));
});

test("one range alone is written where it lies", () => {
  const output = new Output(new OutputPool());
  const source = pattern(100, 3);
  output.appendRange(source, 10, 20);
  output.appendRange(source, 20, 35);
  const taken = output.take();
  assert.equal(taken?.spent, null);
  assert.equal(taken?.segments[0]?.buffer, source.buffer);
  assert.equal(hexOf(joined(taken)), hexOf(source.subarray(10, 35)));
});

test("a short range between packets is copied, a long one is referred to", () => {
  const source = pattern(20_000, 5);
  for (const [count, segments] of [
    [8191, 1],
    [8192, 3],
  ] as const) {
    const output = new Output(new OutputPool());
    output.append(pattern(4, 1));
    output.appendRange(source, 7, 7 + count);
    output.append(pattern(4, 2));
    const taken = output.take();
    assert.equal(taken?.segments.length, segments);
    assert.equal(
      taken?.segments.some(({ buffer }) => buffer === source.buffer),
      segments === 3,
    );
    assert.equal(
      hexOf(joined(taken)),
      `${hexOf(pattern(4, 1))}${hexOf(source.subarray(7, 7 + count))}${hexOf(pattern(4, 2))}`,
    );
  }
});

test("room is one piece, for its caller to fill", () => {
  const output = new Output(new OutputPool());
  for (const count of [1, 1000, 5000, 70_000, 300_000]) {
    const at = output.reserve(count);
    assert.ok(at + count <= output.buffer!.length);
    output.buffer!.set(pattern(count, count), at);
  }
  const expected = Buffer.concat([1, 1000, 5000, 70_000, 300_000].map((count) => pattern(count, count)));
  assert.equal(Buffer.compare(joined(output.take()), expected), 0);
});

test("a cleared output is empty and gives its buffer back", () => {
  const pool = new OutputPool();
  const output = new Output(pool);
  output.append(pattern(9, 0));
  const { buffer } = output;
  output.clear();
  assert.equal(output.length, 0);
  assert.equal(output.take(), null);
  assert.equal(pool.take(10), buffer);
});

test("the pool gives buffers out again, and keeps no more than 4 MiB of a size", () => {
  let allocations = 0;
  const pool = new OutputPool((bytes) => {
    allocations++;
    return new Uint8Array(bytes);
  });
  const first = pool.take(1000);
  assert.equal(first.length, 1024);
  pool.give(first);
  assert.equal(pool.take(1), first);
  assert.equal(allocations, 1);
  assert.equal(pool.take(300_000).length, 300_000, "larger than all sizes: made to measure");
  pool.give(new Uint8Array(300_000));
  pool.give(new Uint8Array(77));
  const many = Array.from({ length: 20 }, () => pool.take(262_144));
  allocations = 0;
  for (const buffer of many) pool.give(buffer);
  for (const _ of many) pool.take(262_144);
  assert.equal(allocations, 4, "16 of 256 KiB were kept");
});

for (const count of [0, 1, 48, 49, 500])
  test(`copyBytes copies ${count} bytes and no other`, () => {
    const target = new Uint8Array(600).fill(0xee);
    copyBytes(pattern(600, 1), 20, 20 + count, target, 30);
    const expected = new Uint8Array(600).fill(0xee);
    expected.set(pattern(600, 1).subarray(20, 20 + count), 30);
    assert.equal(hexOf(target), hexOf(expected));
  });

/** What is done to an output, as data. */
type Call =
  | { readonly do: "append" | "reserve"; readonly count: number }
  | { readonly do: "range"; readonly source: 0 | 1; readonly count: number; readonly skip: number }
  | { readonly do: "take" | "recycle" };

const count = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.constantFrom(1000, 8191, 8192, 9000, 66_000));
const call: fc.Arbitrary<Call> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("append", "reserve"), count }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("range"),
      source: fc.constantFrom(0, 1),
      count,
      // Mostly none, so that ranges continue each other.
      skip: fc.constantFrom(0, 0, 0, 1),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("take", "recycle") }) },
);

const SOURCES = [pattern(2_000_000, 1), pattern(2_000_000, 99)] as const;

/** An output beside the bytes that it must hold; buffers that went back are spoilt, so that whoever still refers to them is found. */
class OutputUnderTest {
  readonly #pool: OutputPool = new OutputPool((bytes) => new Uint8Array(bytes).fill(0xee));
  readonly #output: Output = new Output(this.#pool);
  readonly #at: [number, number] = [0, 0];
  readonly #written: { readonly taken: Taken; readonly expected: Uint8Array }[] = [];
  #expected: Uint8Array[] = [];
  #seed = 0;

  apply(call: Call): void {
    if (call.do === "range") this.#range(call.source, call.count, call.skip);
    else if ("count" in call) this.#put(call.do, pattern(call.count, ++this.#seed));
    else if (call.do === "take") this.take();
    else this.#recycle();
    const bytes = this.#expected.reduce((sum, { length }) => sum + length, 0);
    assert.equal(this.#output.length, bytes);
  }

  #put(how: "append" | "reserve", bytes: Uint8Array): void {
    if (how === "append") this.#output.append(bytes);
    else {
      const at = this.#output.reserve(bytes.length);
      this.#output.buffer!.set(bytes, at);
    }
    this.#expected.push(bytes);
  }

  #range(source: 0 | 1, count: number, skip: number): void {
    const from = this.#at[source] + skip;
    const to = from + count;
    if (to > SOURCES[source].length) return;
    this.#at[source] = to;
    this.#output.appendRange(SOURCES[source], from, to);
    this.#expected.push(SOURCES[source].subarray(from, to));
  }

  take(): void {
    const expected = new Uint8Array(Buffer.concat(this.#expected));
    this.#expected = [];
    const taken = this.#output.take();
    assert.equal(Buffer.compare(joined(taken), expected), 0, "the bytes in their order");
    if (taken !== null) this.#written.push({ taken, expected });
  }

  /** The oldest write has left; until then its bytes must not have changed. */
  #recycle(): void {
    const oldest = this.#written.shift();
    if (oldest === undefined) return;
    assert.equal(Buffer.compare(joined(oldest.taken), oldest.expected), 0, "unchanged until it was written");
    for (const buffer of oldest.taken.spent ?? []) buffer.fill(0xee);
    this.#output.recycle(oldest.taken.spent ?? []);
  }
}

test("whatever is appended comes out in order, and stays as it was until it is recycled", () => {
  fc.assert(
    fc.property(fc.array(call, { maxLength: 40 }), (calls) => {
      const subject = new OutputUnderTest();
      for (const one of calls) subject.apply(one);
      subject.take();
    }),
    parameters(400),
  );
});
