// The door to the commands: `node scripts/run.mjs NAME ARGUMENTS...` runs scripts/NAME.mjs. It is written in the
// JavaScript of 2015, so that an old Node.js prints the line below and not a syntax error.

// biome-ignore lint/style/useNodejsImportProtocol: old Node.js does not know "node:"
import { readFileSync } from "fs";

const { engines } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const wanted = engines.node.replace(">=", "");

/** @param {string} version */
function minorsOf(version) {
  const [major, minor] = version.split(".").map(Number);
  return Number(major) * 1000 + Number(minor);
}

if (minorsOf(process.versions.node) < minorsOf(wanted)) {
  console.error(`Lacewing needs Node.js ${wanted} or newer; ${process.execPath} is ${process.versions.node}.`);
  process.exit(1);
}
const [name] = process.argv.splice(2, 1);
import(`./${name}.mjs`).catch((error) => {
  console.error(error instanceof Error && error.name === "Failure" ? error.message : error);
  process.exit(1);
});
