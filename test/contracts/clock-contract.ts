/** What every Clock must do, as tests that take the clock from whoever calls. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../../src/core/index.ts";

/** A clock, and what can be done to it. */
export interface ClockUnderTest {
  readonly clock: Clock;
  /** Lets at least `ms` milliseconds pass. */
  pass(ms: number): Promise<void>;
  /** Sets the wall clock as an operator does; absent where a test may not. */
  readonly setWall?: (wallMs: number) => void;
}

/** Declares the contract for the clock called `name`. */
export function testClock(name: string, open: () => ClockUnderTest): void {
  test(`${name} clock: both clocks tell milliseconds, and the wall clock those since 1970`, async () => {
    const { clock, pass } = open();
    const [nowMs, wallMs] = [clock.nowMs(), clock.wallMs()];
    assert.ok(Number.isFinite(nowMs) && Number.isFinite(wallMs));
    assert.ok(wallMs > Date.UTC(2025) && wallMs < Date.UTC(2100), `${new Date(wallMs)}`);
    await pass(30);
    const [passedMs, wallPassedMs] = [clock.nowMs() - nowMs, clock.wallMs() - wallMs];
    // A timer may ring a fraction of a millisecond early by another clock.
    assert.ok(passedMs > 28, `${passedMs} ms have passed`);
    assert.ok(Math.abs(passedMs - wallPassedMs) < 1000, `${passedMs} and ${wallPassedMs} ms have passed`);
  });

  test(`${name} clock: the one for intervals never goes back`, async () => {
    const { clock, pass } = open();
    let lastMs = clock.nowMs();
    for (let i = 0; i < 10_000; i++) {
      if (i % 1000 === 0) await pass(1);
      const nowMs = clock.nowMs();
      assert.ok(nowMs >= lastMs, `${nowMs} after ${lastMs}`);
      lastMs = nowMs;
    }
  });

  if (open().setWall === undefined) return;
  test(`${name} clock: setting the wall clock moves nothing but the wall clock`, async () => {
    const { clock, pass, setWall } = open();
    for (const jumpMs of [3_600_000, -3_600_000, 315_360_000_000]) {
      const [nowMs, wallMs] = [clock.nowMs(), clock.wallMs()];
      setWall!(wallMs + jumpMs);
      assert.ok(clock.nowMs() - nowMs < 1000);
      assert.ok(Math.abs(clock.wallMs() - wallMs - jumpMs) < 1000);
      await pass(1);
      assert.ok(clock.nowMs() > nowMs);
    }
  });
}
