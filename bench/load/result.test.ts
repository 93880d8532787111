// The line that both generators print.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResult, resultText } from "./result.ts";

const RESULT = {
  generator: "load",
  mode: "pairs",
  timeout: false,
  disordered: 0,
  metrics: { inPerSecond: 1234.5, p50Ms: 0.25 },
};

test("a result survives its line", () => assert.deepEqual(parseResult(JSON.stringify(RESULT)), RESULT));

for (const line of ["", "{}", "null", "TIMEOUT", JSON.stringify({ ...RESULT, metrics: { inPerSecond: "fast" } })])
  test(`not a result: ${JSON.stringify(line)}`, () => assert.throws(() => parseResult(line)));

test("text for people names trouble", () => {
  assert.equal(resultText("mine", RESULT), "mine  pairs  inPerSecond=1235  p50Ms=0.250");
  assert.match(
    resultText("", { ...RESULT, timeout: true, disordered: 3 }),
    /^pairs {2}TIMEOUT {2}DISORDER of 3 messages {2}/,
  );
});
