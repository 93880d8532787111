// Every block of docs/client.md that is marked to be run, against a broker.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { temporaryFolder } from "../support/folder.ts";
import { runProgram } from "../support/program.ts";
import { ROOT } from "../support/repository.ts";
import { startBroker } from "./test-broker.ts";

const GUIDE = readFileSync(join(ROOT, "docs/client.md"), "utf8");

/** The blocks, each with the heading that it stands under. */
const BLOCKS = [...GUIDE.matchAll(/^```js run\n(.*?)^```/gms)].map((match) => {
  const headings = [...GUIDE.slice(0, match.index).matchAll(/^## (.*)$/gm)];
  return { heading: headings.at(-1)![1]!, code: match[1]! };
});

test("the guide has blocks to be run", () => assert.ok(BLOCKS.length >= 8));

for (const { heading, code } of BLOCKS) {
  test(`the guide runs: ${heading}: ${code.split("\n")[2]}`, async (context) => {
    const { url } = await startBroker(context);
    const folder = temporaryFolder(context);
    // Below the root, so that it finds the package by its name as an application does.
    const file = join(ROOT, "build/guide", `${Math.random().toString(36).slice(2)}.mjs`);
    context.after(() => rmSync(file, { force: true }));
    mkdirSync(join(ROOT, "build/guide"), { recursive: true });
    const values = `const url = ${JSON.stringify(url)};\nconst file = ${JSON.stringify(join(folder, "guide.store"))};\n`;
    writeFileSync(file, `${values}${code}`);
    const { code: exitCode, out, errors } = await runProgram(process.execPath, [file]);
    assert.deepEqual([exitCode, errors], [0, ""], `${pathToFileURL(file)}\n${out}`);
    assert.ok(out !== "" || !code.includes("console.log"), "it prints nothing");
  });
}
