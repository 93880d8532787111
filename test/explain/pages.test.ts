// The pages of docs/ that are made from the catalogue are those that it makes now.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { errorsPage, LANGUAGES } from "../../src/explain/index.ts";
import { ROOT } from "../support/repository.ts";

for (const language of LANGUAGES) {
  const path = `docs/errors${language === "en" ? "" : `.${language}`}.md`;
  test(`${path} is made from the catalogue of today`, () => {
    assert.ok(readFileSync(join(ROOT, path), "utf8") === errorsPage(language), `${path} is old: npm run docs makes it`);
  });

  test(`every link within ${path} leads somewhere`, () => {
    const page = errorsPage(language);
    const anchors = new Set([...page.matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id));
    for (const [, target] of page.matchAll(/\]\(#([^)]+)\)/g)) assert.ok(anchors.has(target), target);
  });
}
