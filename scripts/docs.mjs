// `npm run docs`: writes the pages that are made from the program's own tables.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build, ROOT, setUp } from "./project.mjs";

await setUp();
await build("dist");
/** @type {typeof import("../src/explain/index.ts")} */
const { errorsPage } = await import(pathToFileURL(join(ROOT, "dist/explain/index.js")).href);
/** @type {typeof import("../src/config/index.ts")} */
const { optionsPage } = await import(pathToFileURL(join(ROOT, "dist/config/index.js")).href);
writeFileSync(join(ROOT, "docs/errors.md"), errorsPage("en"));
writeFileSync(join(ROOT, "docs/errors.zh.md"), errorsPage("zh"));
writeFileSync(join(ROOT, "docs/configuration.md"), optionsPage());
console.log("Wrote docs/errors.md, docs/errors.zh.md and docs/configuration.md.");
