// Whatever is added comes out in the order of its time, and not before.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Schedule } from "./schedule.ts";

test("things come out in the order of their time, added at any moment", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.integer({ min: 0, max: 100 }), fc.constant(null))), (steps) => {
      const schedule = new Schedule<number>();
      let known: number[] = [];
      for (const step of steps) {
        if (step !== null) {
          schedule.add(step, step);
          known.push(step);
        } else {
          const least = known.length === 0 ? Number.POSITIVE_INFINITY : Math.min(...known);
          assert.equal(schedule.nextMs, least);
          assert.equal(schedule.take(least - 1), undefined);
          const taken = schedule.take(least);
          assert.equal(taken, known.length === 0 ? undefined : least);
          known = known.toSpliced(known.indexOf(least), known.length === 0 ? 0 : 1);
        }
      }
      assert.equal(schedule.size, known.length);
      for (const due of known.sort((a, b) => a - b)) assert.equal(schedule.take(1000), due);
      assert.equal(schedule.take(1000), undefined);
    }),
  );
});
