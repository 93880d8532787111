// Colours only where they are wanted, and a width that can be read.
import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { errorPaint, textLayout } from "./text-layout.ts";

function terminal(isTTY: boolean, columns?: number): PassThrough {
  return Object.assign(new PassThrough(), { isTTY, ...(columns !== undefined && { columns }) });
}

test("colours only on a terminal, and not with NO_COLOR or a dumb one", () => {
  const colours = (isTTY: boolean, env: Record<string, string>) =>
    textLayout({ stdout: terminal(isTTY), env }).style !== undefined;
  assert.equal(colours(true, {}), true);
  assert.equal(colours(true, { NO_COLOR: "" }), true);
  assert.equal(colours(true, { NO_COLOR: "1" }), false);
  assert.equal(colours(true, { TERM: "dumb" }), false);
  assert.equal(colours(false, {}), false);
});

test("the width is the terminal's, up to what can be read", () => {
  assert.equal(textLayout({ stdout: terminal(true, 72) }).width, 72);
  assert.equal(textLayout({ stdout: terminal(true, 300) }).width, 110);
  assert.equal(textLayout({ stdout: terminal(true, 0) }).width, 100);
  assert.equal(textLayout({ stdout: terminal(true, 5) }).width, 40);
  assert.equal(textLayout({ stdout: terminal(false) }).width, 100);
});

test("errors and warnings begin in colour, only on a terminal", () => {
  const painted = (text: string, isTTY: boolean, env: Record<string, string> = {}) =>
    errorPaint({ stderr: terminal(isTTY), env })(text);
  assert.equal(painted("Error: it failed", true), "\u001b[31mError\u001b[0m: it failed");
  assert.equal(painted("Warning: it may fail", true), "\u001b[33mWarning\u001b[0m: it may fail");
  assert.equal(painted("Errors are rare", true), "Errors are rare");
  assert.equal(painted("Error: it failed", true, { NO_COLOR: "1" }), "Error: it failed");
  assert.equal(painted("Error: it failed", false), "Error: it failed");
});
