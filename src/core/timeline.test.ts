import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "./clock.ts";
import { Timeline } from "./timeline.ts";

const WALL_MS = 1_735_689_600_000;
const HOUR_MS = 3_600_000;

test("stored moments are wall time, and come back as they went", () => {
  const clock = new ManualClock(WALL_MS);
  const timeline = new Timeline(clock);
  clock.advance(500);
  assert.equal(timeline.toStored(clock.nowMs()), WALL_MS + 500);
  assert.equal(timeline.fromStored(WALL_MS + 700), 700);
  assert.equal(timeline.toStored(Number.POSITIVE_INFINITY), null);
  assert.equal(timeline.observe(), null);
});

for (const jumpMs of [HOUR_MS, -HOUR_MS, 87_600 * HOUR_MS, -87_600 * HOUR_MS]) {
  test(`a wall clock set by ${jumpMs / HOUR_MS} hours moves nothing, neither now nor after restarts`, () => {
    let clock = new ManualClock(WALL_MS);
    let timeline = new Timeline(clock);
    const due = timeline.toStored(HOUR_MS)!;
    let aheadMs = 0;
    for (let restarts = 0; restarts < 3; restarts++) {
      clock.advance(60_000);
      clock.setWall(clock.wallMs() + jumpMs);
      clock.advance(60_000);
      aheadMs = timeline.observe()!;
      assert.equal(aheadMs, jumpMs * (restarts + 1));
      assert.equal(timeline.observe(), null);
      assert.equal(timeline.fromStored(due) - clock.nowMs(), HOUR_MS - (restarts * 3 + 2) * 60_000);
      clock = new ManualClock(clock.wallMs() + 60_000);
      timeline = new Timeline(clock);
      timeline.resume(aheadMs);
      assert.equal(timeline.observe(), null);
      assert.equal(timeline.fromStored(due), HOUR_MS - (restarts * 3 + 3) * 60_000);
    }
  });
}

test("a clock that drifts is told of in steps of a second", () => {
  const clock = new ManualClock(WALL_MS);
  const timeline = new Timeline(clock);
  const told: number[] = [];
  for (let i = 0; i < 100; i++) {
    clock.advance(1000);
    clock.setWall(clock.wallMs() + 50);
    const aheadMs = timeline.observe();
    if (aheadMs !== null) told.push(aheadMs);
  }
  assert.deepEqual(told, [1000, 2000, 3000, 4000, 5000]);
});
