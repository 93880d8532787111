// `npm start -- OPTIONS`: the broker, in this very process, so that signals reach it and its exit code is ours.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build, Failure, ROOT, setUp } from "./project.mjs";

const MAIN = join(ROOT, "dist/cli/main.js");

await setUp();
await build("dist");
if (!existsSync(MAIN)) throw new Failure("src/cli/main.ts is missing: this clone is not complete.");
process.argv[1] = MAIN;
// A first broker keeps what it acknowledged, whatever port it is given: `-p` alone would be mosquitto's way, in memory.
const hasFile = process.argv.some((word) => /^(-c|--config-file)/.test(word));
if (!hasFile) process.argv.splice(2, 0, "--set", "persistence=true");
await import(pathToFileURL(MAIN).href);
