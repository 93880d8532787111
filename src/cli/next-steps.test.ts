import assert from "node:assert/strict";
import { test } from "node:test";
import { nextSteps } from "./next-steps.ts";

for (const { startedBy, tool, broker } of [
  { startedBy: undefined, tool: "lacewing", broker: "lacewing" },
  { startedBy: "npx", tool: "npx lacewing", broker: "npx lacewing" },
  { startedBy: "start", tool: "npx lacewing", broker: "npm start --" },
]) {
  test(`started by ${startedBy ?? "a shell"}, the next commands are those that this shell finds`, () => {
    const lines = nextSteps([{ port: 1884 }], "local", startedBy ?? "").split("\n");
    assert.ok(lines.includes(`  ${tool} sub -p 1884 -t 'test/#' -v`), lines.join("\n"));
    assert.ok(lines.includes(`  ${broker} -p 1884 --host 0.0.0.0 --allow-anonymous`), lines.join("\n"));
  });
}
