// The runner of the tests: each way in which a file can fail ends it, is told with its reason, and is counted.
import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { temporaryFolder } from "../support/folder.ts";
import { type Ended, runProgram } from "../support/program.ts";
import { ROOT } from "../support/repository.ts";

const BEGINNING = 'import assert from "node:assert"; import { test } from "node:test";\n';
const RUNNER = pathToFileURL(join(ROOT, "scripts/test-run.mjs")).href;

/** Runs each text as a file of tests; the last line of the output has the counts and the reasons of skipping. */
async function runFiles(context: TestContext, sources: readonly string[], limitMs: number): Promise<Ended> {
  const files = Object.fromEntries(sources.map((source, index) => [`${index}.test.mjs`, BEGINNING + source]));
  const folder = temporaryFolder(context, files);
  const paths = readdirSync(folder)
    .sort()
    .map((name) => join(folder, name));
  const script = `
    import { runTests } from ${JSON.stringify(RUNNER)};
    const options = { files: ${JSON.stringify(paths)}, limitMs: ${limitMs}, concurrency: 2, write: console.log };
    const { counts, skipped } = await runTests(options);
    console.log(JSON.stringify([Object.fromEntries(counts), [...skipped]]));`;
  writeFileSync(join(folder, "runner.mjs"), script);
  return runProgram(process.execPath, [join(folder, "runner.mjs")], { env: { NODE_TEST_CONTEXT: undefined } });
}

function verdict({ out, errors }: Ended): [Record<string, number>, [string, number][]] {
  assert.equal(errors, "");
  return JSON.parse(out.trim().split("\n").at(-1) ?? "") as [Record<string, number>, [string, number][]];
}

test("what passes has one line, what is skipped its reason", async (t) => {
  const passing =
    'test("a", () => {}); test("b", async (t) => { await t.test("c", () => {}); console.log("heard"); });';
  const skipping = 'test("d", { skip: "needs x" }, () => {}); test("e", { skip: "needs x" }, () => {});';
  const ended = await runFiles(t, [passing, skipping], 60_000);
  const [counts, skipped] = verdict(ended);
  assert.deepEqual([counts.tests, counts.pass, counts.fail, counts.skipped], [5, 3, 0, 2]);
  assert.deepEqual(skipped, [["needs x", 2]]);
  assert.match(ended.out, /^ok {4}\S.*0\.test\.mjs .*3 pass\n/m);
  assert.doesNotMatch(ended.out, /heard/);
});

const FAILURES: readonly (readonly [what: string, source: string, told: RegExp])[] = [
  [
    "an assertion, with its way and output",
    'test("a", async (t) => { console.log("heard"); await t.test("b", () => assert.equal(1, 2)); });',
    /a > b\n +AssertionError.*1 == 2[\s\S]*at .*0\.test\.mjs:2[\s\S]*Its output:\n +heard/,
  ],
  [
    "an unhandled rejection",
    'test("a", () => { void Promise.reject(new Error("nobody listens")); });',
    /nobody listens/,
  ],
  [
    "an exception while loading",
    'throw new Error("broken file");',
    /The file\n +ended with exit code 1[\s\S]*broken file/,
  ],
  [
    "a signal",
    'test("a", () => {}); await new Promise((r) => setTimeout(r, 50)); process.kill(process.pid, "SIGKILL");',
    /was ended by SIGKILL/,
  ],
];

for (const [what, source, told] of FAILURES)
  test(`a failure is told: ${what}`, async (t) => {
    const ended = await runFiles(t, [source], 60_000);
    assert.match(ended.out, /^FAIL {2}/m);
    assert.match(ended.out, told);
    assert.ok((verdict(ended)[0].fail ?? 0) > 0);
  });

test("what does not end is ended: a test, a handle that stays open, a loop", async (t) => {
  const hangs = [
    'test("waits", () => new Promise(() => setInterval(() => {}, 100)));',
    'setInterval(() => {}, 100); test("a", () => {});',
    'test("a", () => { for (;;); });',
  ];
  const ended = await runFiles(t, hangs, 1500);
  const [counts] = verdict(ended);
  assert.equal((counts.fail ?? 0) + (counts.cancelled ?? 0), 3, ended.out);
  assert.match(
    ended.out,
    /Not done: waits\n +Its output:\n +Not done after 1.5 s, so it was ended. Still open: .*Timeout/,
  );
  assert.match(ended.out, /2\.test\.mjs[\s\S]*aborted due to timeout/);
});
