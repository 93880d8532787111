// Medians, spreads and percentiles.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { median, percentile, spread } from "./statistics.ts";

const figures = fc.array(fc.integer({ min: -1_000_000, max: 1_000_000 }), { minLength: 1, maxLength: 50 });

for (const [values, middle] of [
  [[3], 3],
  [[9, 1, 5], 5],
  [[4, 1, 3, 2], 2.5],
  [[10, 9, 100], 10],
] as const)
  test(`median of ${values.join(", ")}`, () => assert.equal(median(values), middle));

test("the median of nothing is not a number", () => assert.ok(Number.isNaN(median([]))));

test("as many values are below the median as above it", () => {
  fc.assert(
    fc.property(figures, (values) => {
      const middle = median(values);
      const below = values.filter((value) => value < middle).length;
      const above = values.filter((value) => value > middle).length;
      return below <= values.length / 2 && above <= values.length / 2;
    }),
  );
});

test("median leaves its argument alone", () => {
  const values = [3, 1, 2];
  median(values);
  assert.deepEqual(values, [3, 1, 2]);
});

test("spread is half the range as a part of the median", () => {
  assert.equal(spread([90, 100, 110]), 0.1);
  assert.equal(spread([7]), 0);
  assert.equal(spread([0, 0]), 0);
});

test("percentile", () => {
  const hundred = Array.from({ length: 100 }, (_, i) => i);
  assert.equal(percentile(hundred, 0.5), 50);
  assert.equal(percentile(hundred, 0.99), 99);
  assert.equal(percentile(hundred, 1), 99);
  assert.equal(percentile([], 0.5), 0);
});
