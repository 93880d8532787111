// `npm run check`: types, Biome and the rules of the house. All of them run, whatever the first one finds.
import { join } from "node:path";
import { build, Failure, filesBelow, ROOT, run, setUp } from "./project.mjs";

const TSC = join(ROOT, "node_modules/typescript/bin/tsc");
const BIOME = join(ROOT, "node_modules/@biomejs/biome/bin/biome");

await setUp();
const types = await succeeds(() => build("dist", "build"));
const scripts = await succeeds(() => runNode("The scripts do not type-check", TSC, "-p", "scripts/tsconfig.json"));
const biome = await succeeds(() =>
  runNode("Biome has complaints (npx biome check --write . mends most)", BIOME, "check"),
);
const rules = filesBelow("build/test/tidy", (path) => path.endsWith(".test.js"));
const tidy = await succeeds(() => runNode("A rule of the house is broken", "--test-reporter=spec", "--test", ...rules));
if (!(types && scripts && biome && tidy)) process.exitCode = 1;

/** @param {() => Promise<void>} step */
async function succeeds(step) {
  try {
    await step();
    return true;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    console.error(error.message);
    return false;
  }
}

/**
 * @param {string} complaint
 * @param {readonly string[]} args
 */
async function runNode(complaint, ...args) {
  if ((await run(process.execPath, args)) !== 0) throw new Failure(`${complaint}; see above.`);
}
