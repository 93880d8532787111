// Brings the repository into working order: what is missing or stale is installed and built, and nothing else is
// touched. Every command begins with it.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { BUNDLES, writeBundles } from "./bundle.mjs";

/** The root folder of the repository. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** What is built: a tsconfig file, the folder that `tsc` writes to, the folders it reads, and what is bundled beside that. */
const OUTPUTS = {
  /** The program as it is published. */
  dist: { config: "tsconfig.json", sources: ["src"], ignores: /\.test\.ts$/, bundles: BUNDLES },
  /** The same with tests and benchmark. */
  build: { config: "tsconfig.dev.json", sources: ["src", "test", "bench"], ignores: /^$/, bundles: [] },
};
/** In each output folder: what it was built from. */
const STAMP = ".built-from";

/** Ends a command with a message for the user in place of a stack trace. */
export class Failure extends Error {
  /** @override */
  name = "Failure";
}

/** @param {string} text */
export function say(text) {
  process.stderr.write(`${text}\n`);
}

/**
 * Runs a program with our terminal; its standard output goes to standard error, which is where progress belongs.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<number>} its exit code; 1 when a signal ended it, 127 when it is not there
 */
export function run(program, args, env = process.env) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: ROOT, env, stdio: ["inherit", 2, 2] });
    child.once("error", () => resolve(127));
    child.once("exit", (code) => resolve(code ?? 1));
  });
}

/**
 * Installs packages unless those that package-lock.json names are there.
 * @throws {Failure} when npm fails
 */
export async function setUp() {
  const missing = missingPackage();
  if (missing === undefined) return;
  const folder = join(ROOT, "node_modules");
  // npm would empty the folder of somebody else and leave the link replaced.
  if (lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink())
    throw new Failure(
      `${missing} is missing, and node_modules is a link to ${realpathSync(folder)}: install it there.`,
    );
  say(`Installing packages${existsSync(folder) ? ` (${missing} is missing or another version)` : ""} ...`);
  // The development packages are needed to build, whatever NODE_ENV says.
  const args = ["ci", "--include=dev", "--loglevel=error"];
  const npm = process.env.npm_execpath;
  const code = npm?.endsWith(".js") ? await run(process.execPath, [npm, ...args]) : await run("npm", args);
  if (code !== 0) throw new Failure(`npm ci failed with exit code ${code}; its reason is above.`);
}

/** A package that is not installed as package-lock.json says; undefined when there is none. */
function missingPackage() {
  const wanted = packagesOf(join(ROOT, "package-lock.json"));
  const installed = packagesOf(join(ROOT, "node_modules/.package-lock.json"));
  // What is optional may be for another system.
  const missing = Object.entries(wanted).find(
    ([path, entry]) => path !== "" && !entry.optional && installed[path]?.version !== entry.version,
  );
  return missing?.[0].replace(/^.*node_modules\//, "");
}

/**
 * @param {string} lockFile
 * @returns {Record<string, { version: string, optional?: boolean }>}
 */
function packagesOf(lockFile) {
  return existsSync(lockFile) ? JSON.parse(readFileSync(lockFile, "utf8")).packages : {};
}

/**
 * Compiles what has changed.
 * @param {("dist" | "build")[]} folders
 * @throws {Failure} when the compiler finds mistakes
 */
export async function build(...folders) {
  const results = await Promise.all(folders.map(buildOne));
  if (results.includes(false)) throw new Failure("The sources do not compile; the compiler's reasons are above.");
}

/** @param {"dist" | "build"} folder */
async function buildOne(folder) {
  const { config, sources, ignores, bundles } = OUTPUTS[folder];
  const isOurs = (/** @type {string} */ path) => path.endsWith(".ts") && !ignores.test(path);
  const files = sources.flatMap((name) => filesBelow(name, isOurs));
  const stamp = join(ROOT, folder, STAMP);
  const digest = digestOf([...files, "package-lock.json", "tsconfig.json", "scripts/bundle.mjs", config]);
  const outputs = new Set(files.map((path) => outputOf(path, folder)));
  for (const name of bundles) outputs.add(join(ROOT, folder, name));
  const isComplete = [...outputs].every((path) => existsSync(`${path}.js`));
  if (isComplete && existsSync(stamp) && readFileSync(stamp, "utf8") === digest) return true;
  // The compiler does not see that an output is gone; without its notes it writes all of them.
  if (!isComplete) rmSync(join(ROOT, folder, ".tsbuildinfo"), { force: true });
  const started = performance.now();
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
  if ((await run(process.execPath, [tsc, "-p", config])) !== 0) return false;
  if (bundles.length > 0 && !(await writeBundles(ROOT))) return false;
  removeStale(folder, outputs);
  writeFileSync(stamp, digest);
  say(`Built ${folder}/ in ${((performance.now() - started) / 1000).toFixed(1)} s.`);
  return true;
}

/**
 * The paths of files, relative to the root and with "/".
 * @param {string} folder
 * @param {(path: string) => boolean} isWanted
 * @returns {string[]}
 */
export function filesBelow(folder, isWanted) {
  const top = join(ROOT, folder);
  if (!existsSync(top)) return [];
  const entries = readdirSync(top, { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).replaceAll("\\", "/"));
  return paths.filter(isWanted).sort();
}

/** @param {readonly string[]} files */
function digestOf(files) {
  const hash = createHash("sha256");
  for (const path of files) {
    const { mtimeMs, size } = statSync(join(ROOT, path));
    hash.update(`${path} ${mtimeMs} ${size}\n`);
  }
  return hash.digest("hex");
}

/**
 * Where the output of a source goes, without its ending.
 * @param {string} path
 * @param {"dist" | "build"} folder
 */
function outputOf(path, folder) {
  const below = folder === "dist" ? path.replace("src/", "") : path;
  return join(ROOT, folder, below.replace(/\.ts$/, ""));
}

/**
 * Removes the outputs of sources that are gone, so that nothing old is run or published.
 * @param {string} folder
 * @param {ReadonlySet<string>} outputs without their endings
 */
function removeStale(folder, outputs) {
  const endings = /(\.d\.ts|\.js|\.js\.map)$/;
  for (const path of filesBelow(folder, (name) => endings.test(name))) {
    const full = join(ROOT, path);
    // The bundler looks after its folder itself.
    if (!outputs.has(full.replace(endings, "")) && !path.startsWith("dist/bin/")) rmSync(full);
  }
}
