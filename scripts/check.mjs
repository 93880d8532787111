// `npm run check`: types, Biome and the rules of the house. All of them run, whatever the first one finds.
import { join } from "node:path";
import { build, Failure, filesBelow, ROOT, run, setUp } from "./project.mjs";
import { runTests } from "./test-run.mjs";

const TSC = join(ROOT, "node_modules/typescript/bin/tsc");
const BIOME = join(ROOT, "node_modules/@biomejs/biome/bin/biome");
const RULES_LIMIT_MS = 60_000;

await setUp();
const results = [
  await succeeds("The sources do not compile", buildAll),
  await succeeds("The scripts do not type-check", () => runNode(TSC, "-p", "scripts/tsconfig.json")),
  await succeeds("Biome has complaints; `npx biome check --write .` mends most of them", () => runNode(BIOME, "check")),
  await succeeds("A rule of the house is broken", checkRules),
];
if (results.includes(false)) process.exitCode = 1;

/**
 * @param {string} complaint
 * @param {() => Promise<boolean>} step
 */
async function succeeds(complaint, step) {
  const isGood = await step();
  if (!isGood) console.error(`${complaint}; see above.\n`);
  return isGood;
}

async function buildAll() {
  try {
    await build("dist", "build");
    return true;
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
}

/** @param {readonly string[]} args */
async function runNode(...args) {
  return (await run(process.execPath, args)) === 0;
}

async function checkRules() {
  const rules = filesBelow("build/test/tidy", (path) => path.endsWith(".test.js"));
  const files = rules.map((path) => join(ROOT, path));
  const { counts } = await runTests({ files, limitMs: RULES_LIMIT_MS, concurrency: 1, write: console.log });
  return (counts.get("pass") ?? 0) > 0 && counts.get("pass") === counts.get("tests");
}
