// `npm test [-- --install-peers] [PATTERN...]`: all tests, or those in files whose path contains a PATTERN. What needs
// a program that is not installed is skipped and named at the end; with CI=true it is installed first, and whatever is
// skipped all the same counts as failed, unless the system does not allow it to this user.
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { installDebianPackages } from "./debian-packages.mjs";
import { build, Failure, filesBelow, ROOT, setUp } from "./project.mjs";
import { runTests } from "./test-run.mjs";

/** What a file of tests may take. All together should stay within five minutes on two cores. */
const FILE_LIMIT_MS = 180_000;
/** On one core too, as most of the slow files wait for other processes. */
const LEAST_CONCURRENCY = 2;
const HOW_TO_INSTALL = "`npm test -- --install-peers` installs them (Debian, as root)";

const isCi = process.env.CI === "true";
const { values, positionals } = options();

await setUp();
await build("dist", "build");
/** @type {typeof import("../test/support/peers.ts")} */
const { missingPeers } = await import(pathToFileURL(join(ROOT, "build/test/support/peers.js")).href);
const packages = new Set(missingPeers().flatMap(({ debianPackage }) => debianPackage ?? []));
if (packages.size > 0 && (isCi || values["install-peers"])) installDebianPackages([...packages]);

const files = filesBelow("build", isWanted);
if (files.length === 0) throw new Failure(`No file of tests has ${positionals.join(" or ")} in its path.`);
const startedMs = performance.now();
const outcome = await runTests({
  files: files.sort(bySlowness).map((path) => join(ROOT, path)),
  limitMs: FILE_LIMIT_MS,
  concurrency: Math.max(LEAST_CONCURRENCY, availableParallelism()),
  write: console.log,
});
// No package brings the right to mount file systems.
const isSkipBad = isCi && [...outcome.skipped.keys()].some((reason) => !reason.startsWith("not allowed here: "));
const isGood = countOf("tests") > 0 && countOf("fail") === 0 && countOf("cancelled") === 0 && !isSkipBad;
process.exitCode = isGood ? 0 : 1;
report();

function options() {
  try {
    return parseArgs({ options: { "install-peers": { type: "boolean", default: false } }, allowPositionals: true });
  } catch (error) {
    throw new Failure(`${/** @type {Error} */ (error).message}\nUsage: npm test [-- [--install-peers] [PATTERN...]]`);
  }
}

/** @param {string} path of a compiled file, from the root */
function isWanted(path) {
  const source = path.replace(/^build\//, "").replace(/\.js$/, ".ts");
  return path.endsWith(".test.js") && (positionals.length === 0 || positionals.some((part) => source.includes(part)));
}

/**
 * What crosses folders takes longest and comes first, so that it does not run alone at the end.
 * @param {string} a
 * @param {string} b
 */
function bySlowness(a, b) {
  const isUnit = (/** @type {string} */ path) => Number(path.startsWith("build/src/"));
  return isUnit(a) - isUnit(b) || a.localeCompare(b);
}

/** @param {string} name */
function countOf(name) {
  return outcome.counts.get(name) ?? 0;
}

function report() {
  console.log("");
  for (const [reason, count] of outcome.skipped) console.log(`Skipped ${count}: ${reason}.`);
  const missing = missingPeers().map(({ name }) => name);
  if (missing.length > 0) console.log(`Not installed: ${missing.join(", ")}; ${HOW_TO_INSTALL}.`);
  if (isSkipBad) console.log("CI is true, so a skipped test is a failure.");
  // As node:test ends its output; what reads the end of ours knows these lines.
  for (const name of ["tests", "suites", "pass", "fail", "cancelled", "skipped", "todo"])
    console.log(`ℹ ${name} ${countOf(name)}`);
  console.log(`ℹ duration_ms ${performance.now() - startedMs}`);
}
