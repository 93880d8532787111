// What every command does first: install and build what is missing, and only that. On a small project of our shape.
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { temporaryFolder } from "../support/folder.ts";
import { type Ended, runProgram } from "../support/program.ts";
import { ROOT } from "../support/repository.ts";

const OURS = ["scripts", "package.json", "package-lock.json", "tsconfig.json", "tsconfig.dev.json"];
const SOURCES = {
  "src/cli/main.ts":
    'import { text } from "./text.ts";\nconsole.log(text, ...process.argv.slice(2));\nprocess.exitCode = 3;\n',
  "src/cli/text.ts": 'export const text: string = "built";\n',
  "src/client/browser.ts": "export const connect: number = 1;\n",
  "src/client/error-explanation.ts": "export const explained: number = 1;\n",
  "src/cli/broker.ts": "export const runBroker: number = 1;\n",
  "src/store/lmdb/store-child.ts": "export const child: number = 1;\n",
  "src/cli/old.ts": "export const old: number = 1;\n",
};

function smallProject(context: TestContext): string {
  const folder = temporaryFolder(context, SOURCES);
  for (const name of OURS) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  return folder;
}

function run(folder: string, name: string, ...args: readonly string[]): Promise<Ended> {
  return runProgram(process.execPath, [join(folder, "scripts/run.mjs"), name, ...args]);
}

test("start builds what is new and runs it with its arguments and its exit code", async (t) => {
  const folder = smallProject(t);
  const first = await run(folder, "start", "-p", "1884");
  assert.deepEqual([first.out, first.code], ["built --set persistence=true -p 1884\n", 3], first.errors);
  assert.match(first.errors, /^Built dist\/ in [\d.]+ s\.\n$/);
  const second = await run(folder, "start", "-c", "mosquitto.conf");
  assert.deepEqual([second.out, second.errors], ["built -c mosquitto.conf\n", ""], "a file decides for itself");
  writeFileSync(join(folder, "src/cli/text.ts"), 'export const text: string = "changed";\n');
  assert.equal((await run(folder, "start")).out, "changed --set persistence=true\n");
});

test("build removes the outputs of deleted sources and restores lost ones", async (t) => {
  const folder = smallProject(t);
  await run(folder, "build");
  for (const output of ["dist/cli/old.js", "dist/cli/old.d.ts", "build/src/cli/old.js"])
    assert.ok(existsSync(join(folder, output)), output);
  rmSync(join(folder, "src/cli/old.ts"));
  rmSync(join(folder, "dist/cli/text.js"));
  assert.equal((await run(folder, "build")).code, 0);
  for (const output of ["dist/cli/old.js", "dist/cli/old.d.ts", "build/src/cli/old.js", "build/src/cli/old.js.map"])
    assert.ok(!existsSync(join(folder, output)), output);
  assert.ok(existsSync(join(folder, "dist/cli/text.js")));
});

test("a mistake in the sources stops it, each time, with the compiler's words", async (t) => {
  const folder = smallProject(t);
  writeFileSync(join(folder, "src/cli/text.ts"), "export const text: string = 1;\n");
  for (const _ of [1, 2]) {
    const { code, out, errors } = await run(folder, "start");
    assert.deepEqual([code, out], [1, ""]);
    assert.match(errors, /text\.ts.*TS2322[\s\S]*The sources do not compile/);
  }
});

test("packages are installed when one is missing, and not otherwise", async (t) => {
  const folder = smallProject(t);
  rmSync(join(folder, "node_modules"));
  // In npm's place: says what it was asked for, and fails.
  writeFileSync(join(folder, "npm.js"), 'console.error("npm", ...process.argv.slice(2)); process.exit(7);');
  const args = [join(folder, "scripts/run.mjs"), "build"];
  const install = () => runProgram(process.execPath, args, { env: { npm_execpath: join(folder, "npm.js") } });
  const { code, errors } = await install();
  assert.equal(code, 1);
  assert.match(errors, /^Installing packages \.\.\.\nnpm ci --include=dev.*\nnpm ci failed with exit code 7/);
  mkdirSync(join(folder, "node_modules"));
  assert.match((await install()).errors, /^Installing packages \(\S+ is missing or another version\) \.\.\.\nnpm ci /);
});

test("packages behind a link belong to somebody else", async (t) => {
  const folder = smallProject(t);
  mkdirSync(join(folder, "elsewhere"));
  rmSync(join(folder, "node_modules"));
  symlinkSync(join(folder, "elsewhere"), join(folder, "node_modules"));
  const { code, errors } = await run(folder, "build");
  assert.equal(code, 1);
  assert.match(errors, /^\S+ is missing, and node_modules is a link to .*elsewhere: install it there\.\n$/);
});

test("an older Node.js gets a clear line", async (t) => {
  const folder = smallProject(t);
  const manifest = readFileSync(join(folder, "package.json"), "utf8").replace(/">=[\d.]+"/, '">=1000.1"');
  writeFileSync(join(folder, "package.json"), manifest);
  const { code, errors } = await run(folder, "start");
  assert.equal(code, 1);
  assert.match(errors, /^Lacewing needs Node\.js 1000\.1 or newer; .* is [\d.]+\.\n$/);
});
