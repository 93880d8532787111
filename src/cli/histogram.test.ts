// Percentiles from counts are those of the sorted times, to within one percent and a microsecond.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Histogram } from "./histogram.ts";

const PERCENTS = [0, 1, 50, 90, 99, 99.9, 100];

test("percentiles are within one percent of the true ones, however the times are spread", () => {
  const time = fc.oneof(
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.double({ min: 0, max: 1e6, noNaN: true }),
    fc.integer({ min: 0, max: 30 }).map((power) => (0.128 * 2 ** power) / 8),
  );
  fc.assert(
    fc.property(fc.array(time, { minLength: 1, maxLength: 300 }), (times) => {
      const histogram = new Histogram();
      for (const ms of times) histogram.record(ms);
      const sorted = [...times].sort((a, b) => a - b);
      for (const percent of PERCENTS) {
        const wanted = sorted[Math.max(1, Math.ceil((sorted.length * percent) / 100)) - 1]!;
        const got = histogram.percentile(percent);
        assert.ok(Math.abs(got - wanted) <= wanted * 0.01 + 0.001, `${percent} %: ${got}, not ${wanted}`);
      }
      assert.equal(histogram.count, times.length);
      assert.deepEqual([histogram.minimum, histogram.maximum], [sorted[0], sorted.at(-1)]);
      assert.ok(Math.abs(histogram.mean - times.reduce((sum, ms) => sum + ms, 0) / times.length) < 1e-6 * 1e6);
    }),
  );
});

test("nothing measured, times below zero, and times beyond the last part", () => {
  const histogram = new Histogram();
  assert.deepEqual([histogram.minimum, histogram.mean, histogram.percentile(50)], [0, 0, 0]);
  histogram.record(-5);
  assert.deepEqual([histogram.minimum, histogram.maximum], [0, 0]);
  histogram.record(1e12);
  assert.equal(histogram.percentile(100), 1e12);
  histogram.clear();
  assert.deepEqual([histogram.count, histogram.maximum], [0, 0]);
});
