import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../test/support/random.ts";
import { type Deadline, Deadlines } from "./deadlines.ts";

test("what is due runs in the order of its time, what is cancelled does not, and each runs once", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = new Random(seed);
    const deadlines = new Deadlines();
    const planned: { deadline: Deadline; atMs: number; isLive: boolean }[] = [];
    const ran: number[] = [];
    for (let nowMs = 0; nowMs < 100; nowMs++) {
      for (let count = random.below(5); count > 0; count--) {
        const atMs = nowMs + random.below(50);
        planned.push({ deadline: deadlines.add(atMs, () => ran.push(atMs)), atMs, isLive: true });
      }
      const cancelled = random.pick([undefined, ...planned]);
      cancelled?.deadline.cancel();
      if (cancelled) cancelled.isLive = false;
      const live = planned.filter(({ isLive }) => isLive).map(({ atMs }) => atMs);
      assert.equal(deadlines.nextMs(), Math.min(...live), `seed ${seed}`);
      deadlines.run(nowMs);
      const due = planned.filter(({ isLive, atMs }) => isLive && atMs <= nowMs);
      for (const each of due) each.isLive = false;
      assert.deepEqual(
        ran.splice(0),
        due.map(({ atMs }) => atMs).sort((a, b) => a - b),
        `seed ${seed}`,
      );
    }
  }
});

test("what is added while others run is run too when it is due, and waits otherwise", () => {
  const deadlines = new Deadlines();
  const log: string[] = [];
  deadlines.add(1, () => {
    deadlines.add(1, () => log.push("due"));
    deadlines.add(2, () => log.push("later"));
  });
  deadlines.run(1);
  assert.deepEqual(log, ["due"]);
  deadlines.run(2);
  assert.deepEqual(log, ["due", "later"]);
  assert.equal(deadlines.nextMs(), Number.POSITIVE_INFINITY);
});

test("a deadline knows whether it has been cancelled or has run", () => {
  const deadlines = new Deadlines();
  const [cancelled, run] = [deadlines.add(1, assert.fail), deadlines.add(1, () => {})];
  cancelled.cancel();
  assert.deepEqual([cancelled.isCancelled, run.isCancelled], [true, false]);
  deadlines.run(1);
  assert.equal(run.isCancelled, true);
});

test("cancelled ones do not gather, wherever they stand in the order", () => {
  const deadlines = new Deadlines();
  deadlines.add(0, () => {});
  for (let i = 0; i < 200_000; i++) deadlines.add(1_000_000 + i, assert.fail).cancel();
  assert.ok(deadlines.size <= 4096, `${deadlines.size} are held`);
  const live = Array.from({ length: 3000 }, (_, i) => deadlines.add(5000 - i, () => {}));
  for (let i = 0; i < 100_000; i++) deadlines.add(6000 + i, assert.fail).cancel();
  assert.ok(deadlines.size <= 2 * live.length + 4096, `${deadlines.size} are held`);
  assert.equal(deadlines.nextMs(), 0);
  deadlines.run(5000);
  assert.ok(live.every(({ isCancelled }) => isCancelled));
});
