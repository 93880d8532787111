// Every block of docs/client.md and docs/embedding.md that is marked to be run, the former against a broker.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { temporaryFolder } from "../support/folder.ts";
import { runProgram } from "../support/program.ts";
import { ROOT } from "../support/repository.ts";
import { startBroker } from "./test-broker.ts";

interface Block {
  readonly page: string;
  /** That it stands under. */
  readonly heading: string;
  readonly code: string;
}

function blocksOf(page: string): readonly Block[] {
  const text = readFileSync(join(ROOT, page), "utf8");
  return [...text.matchAll(/^```js run\n(.*?)^```/gms)].map((match) => {
    const headings = [...text.slice(0, match.index).matchAll(/^## (.*)$/gm)];
    return { page, heading: headings.at(-1)![1]!, code: match[1]! };
  });
}

const CLIENT = blocksOf("docs/client.md");
const EMBEDDING = blocksOf("docs/embedding.md");

test("the guides have blocks to be run", () => {
  assert.ok(CLIENT.length >= 8);
  assert.ok(EMBEDDING.length >= 7);
});

for (const { page, heading, code } of [...CLIENT, ...EMBEDDING]) {
  test(`${page} runs: ${heading}: ${code.split("\n")[2]}`, async (context) => {
    const folder = temporaryFolder(context);
    const values = [
      `const folder = ${JSON.stringify(folder)};`,
      `const file = ${JSON.stringify(join(folder, "guide.store"))};`,
    ];
    if (page === "docs/client.md") values.push(`const url = ${JSON.stringify((await startBroker(context)).url)};`);
    // Below the root, so that it finds the package by its name as an application does.
    const file = join(ROOT, "build/guide", `${Math.random().toString(36).slice(2)}.mjs`);
    context.after(() => rmSync(file, { force: true }));
    mkdirSync(join(ROOT, "build/guide"), { recursive: true });
    writeFileSync(file, `${values.join("\n")}\n${code}`);
    const { code: exitCode, out, errors } = await runProgram(process.execPath, [file]);
    assert.deepEqual([exitCode, errors], [0, ""], `${pathToFileURL(file)}\n${out}`);
    assert.ok(out !== "" || !code.includes("console.log"), "it prints nothing");
  });
}
