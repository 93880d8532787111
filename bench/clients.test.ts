// The comparison of client libraries as a user starts it, with tiny amounts.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const CLIENTS = fileURLToPath(new URL("./clients.js", import.meta.url));
const NUMBER = String.raw`[\d,.]+(?: ±\d+%)?`;

function clients(...args: readonly string[]) {
  return spawnSync(process.execPath, [CLIENTS, ...args], { encoding: "utf8" });
}

test("libraries are measured side by side, and judged", () => {
  const { status, stdout, stderr } = clients("--runs", "1", "--seconds", "0.05", "--only", "pair-q1", "--window", "20");
  assert.equal(status, 0, stderr);
  assert.match(stdout, new RegExp(String.raw`\| pair-q1 +\| msg/s +\| +${NUMBER} \| +${NUMBER} \|`));
  assert.match(stdout, />= 3x mqttjs, >= 1x libmosquitto/);
});

test("an idle client has a price", () => {
  const { status, stdout, stderr } = clients(
    "--runs",
    "1",
    "--only",
    "idle",
    "--libraries",
    "lacewing",
    "--idle",
    "10,60",
  );
  assert.equal(status, 0, stderr);
  assert.match(stdout, new RegExp(String.raw`\| idle: all of them, each +\| KiB +\| +${NUMBER} \|`));
});
