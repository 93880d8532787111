// The line that says how far work is: only on a terminal, only when work is long, and never in the way of other lines.
import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { type TestContext, test } from "node:test";
import { Progress } from "./progress.ts";

const CLEAR = "\r\u001b[K";

function terminal(isTTY: boolean, columns?: number) {
  const stderr = Object.assign(new PassThrough({ encoding: "utf8" }), { isTTY, columns });
  return { stderr, written: () => (stderr.read() as string | null) ?? "" };
}

function clock(context: TestContext): (ms: number) => void {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  return (ms) => context.mock.timers.tick(ms);
}

test("nothing in the first second; then the line, again and again, until the work is done", (context) => {
  const tick = clock(context);
  const { stderr, written } = terminal(true, 10);
  const progress = new Progress({ stderr }, true);
  let count = 0;
  progress.start(() => `${++count} of 10 messages`);
  tick(999);
  assert.equal(written(), "");
  tick(1);
  assert.equal(written(), `${CLEAR}1 of 10 m`);
  tick(250);
  assert.equal(written(), `${CLEAR}2 of 10 m`);
  progress.clear();
  progress.clear();
  assert.equal(written(), CLEAR);
  tick(250);
  progress.stop();
  assert.equal(written(), `${CLEAR}3 of 10 m${CLEAR}`);
  tick(10_000);
  assert.equal(written(), "");
});

test("not without a terminal, not on a dumb one, not when nobody wants it", (context) => {
  const tick = clock(context);
  for (const [isTTY, TERM, isWanted] of [
    [false, "xterm", true],
    [true, "dumb", true],
    [true, "xterm", false],
  ] as const) {
    const { stderr, written } = terminal(isTTY);
    new Progress({ stderr, env: { TERM } }, isWanted).start(() => "working");
    tick(5000);
    assert.equal(written(), "");
  }
});
