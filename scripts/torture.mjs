// `npm run torture -- OPTIONS`: the long fault tests, in this very process.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build, ROOT, setUp } from "./project.mjs";

const MAIN = join(ROOT, "build/test/torture/run.js");

await setUp();
await build("dist", "build");
process.argv[1] = MAIN;
await import(pathToFileURL(MAIN).href);
