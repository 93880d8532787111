/** The waits between attempts: they double, by chance, between two bounds. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BackOff } from "./back-off.ts";

const LIMITS = { minimumDelayMs: 1000, maximumDelayMs: 10_000 };

test("the upper end doubles up to the longest wait, the lower end stays", () => {
  const longest = new BackOff(LIMITS, () => 1);
  const shortest = new BackOff(LIMITS, () => 0);
  const middle = new BackOff(LIMITS, () => 0.5);
  const waits = (backOff: BackOff): number[] => Array.from({ length: 5 }, () => backOff.next());
  assert.deepEqual(waits(longest), [2000, 4000, 8000, 10_000, 10_000]);
  assert.deepEqual(waits(shortest), [1000, 1000, 1000, 1000, 1000]);
  assert.deepEqual(waits(middle), [1500, 2500, 4500, 5500, 5500]);
});

test("a connection that lasted begins anew, one that did not goes on", () => {
  const backOff = new BackOff(LIMITS, () => 1);
  backOff.next();
  backOff.next();
  backOff.lasted(9999);
  assert.equal(backOff.next(), 8000);
  backOff.lasted(10_000);
  assert.equal(backOff.next(), 2000);
});

test("bounds of zero do not wait, and many failures do not overflow", () => {
  const atOnce = new BackOff({ minimumDelayMs: 0, maximumDelayMs: 0 });
  const long = new BackOff(LIMITS, () => 1);
  for (let i = 0; i < 2000; i++) assert.deepEqual([atOnce.next(), long.next() <= 10_000], [0, true]);
});
