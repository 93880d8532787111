// What package.json promises is there after a build: every export with its types, the commands, the files.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { ROOT } from "../support/repository.ts";

interface Target {
  readonly types: string;
  readonly default: string;
  /** For bundlers and browsers. */
  readonly browser?: Omit<Target, "browser">;
}

interface Manifest {
  readonly exports: Readonly<Record<string, string | Target>>;
  readonly bin: Readonly<Record<string, string>>;
  readonly files: readonly string[];
}

const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Manifest;

for (const [name, target] of Object.entries(manifest.exports))
  test(`export ${name} exists, has types and can be imported`, async () => {
    if (typeof target === "string") return assert.ok(existsSync(join(ROOT, target)), target);
    for (const { types, default: path } of [target, target.browser ?? target]) {
      assert.ok(existsSync(join(ROOT, types)), `${types} is missing; npm run build, or mend package.json`);
      const module = (await import(pathToFileURL(join(ROOT, path)).href)) as object;
      assert.ok(Object.keys(module).length > 0, `${path} exports nothing`);
    }
  });

for (const [name, path] of Object.entries(manifest.bin))
  test(`the command ${name} exists and says who runs it`, () => {
    const [firstLine] = readFileSync(join(ROOT, path), "utf8").split("\n");
    assert.equal(firstLine, "#!/usr/bin/env node", `${path}: begin its source with #!/usr/bin/env node`);
  });

test("the files that are published exist", () => {
  for (const path of manifest.files.filter((name) => !name.startsWith("!")))
    assert.ok(existsSync(join(ROOT, path)), `${path} of "files" is missing`);
});
