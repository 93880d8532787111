import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "../../test/support/repository.ts";
import { OPTION_GROUPS } from "./option-table.ts";
import { optionsPage } from "./page.ts";

test("docs/configuration.md is what `npm run docs` makes", () => {
  assert.equal(readFileSync(join(ROOT, "docs/configuration.md"), "utf8"), optionsPage());
});

test("what does not do as mosquitto says why", () => {
  for (const { name, standing, note } of [...OPTION_GROUPS.values()].flat())
    if (standing !== "same") assert.notEqual(note, "", name);
});
