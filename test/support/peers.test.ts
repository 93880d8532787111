// Tests are told the truth about the peers that are here, and a peer's process obeys its limits.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { findPeer, startPeer, testWithPeers } from "./peers.ts";
import { Program, runProgram } from "./program.ts";

const NODE = process.execPath;

test("npm's peers are here, with their versions", () => {
  for (const name of ["mqtt", "aedes"] as const) assert.match(findPeer(name)?.version ?? "", /^\d+\.\d+\.\d+$/);
});

testWithPeers("mosquitto's programs tell their version", ["mosquitto", "mosquitto_pub", "mosquitto_sub"], async () => {
  for (const name of ["mosquitto", "mosquitto_pub", "mosquitto_sub"] as const) {
    const { out } = await startPeer(name, ["--help"]).end();
    assert.ok(out.includes(`${name} version ${findPeer(name)?.version}`), out);
  }
});

testWithPeers("paho is importable and is 1.6", ["paho"], async () => {
  const { out } = await startPeer("paho", ["-c", "import paho.mqtt.client as c; print(c.MQTTv5)"]).end();
  assert.equal(out, "5\n");
  assert.match(findPeer("paho")?.version ?? "", /^1\.6\./);
});

/** Runs a file of tests that needs a peer which is nowhere, as PATH is empty. */
async function withoutPeers(ci: string): Promise<string> {
  const peers = fileURLToPath(new URL("./peers.js", import.meta.url));
  const source = `import(${JSON.stringify(peers)}).then((m) => m.testWithPeers("x", ["mosquitto_pub"], () => {}))`;
  // A file of tests inside a file of tests would report to the same runner.
  const env = { CI: ci, PATH: "", NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: undefined };
  return (await runProgram(NODE, ["--test-reporter=tap", "-e", source], { env })).out;
}

test("a test whose peer is missing is skipped with the reason, and fails in CI", async () => {
  assert.match(await withoutPeers(""), /^ok 1 - x # SKIP mosquitto_pub is not installed$/m);
  const inCi = await withoutPeers("true");
  assert.match(inCi, /^not ok 1 - x$/m);
  assert.match(inCi, /mosquitto_pub is not installed, and CI is true/);
});

test("what a program does not print in time, or before its end, rejects with what it printed", async () => {
  const patient = new Program(NODE, ["-e", 'console.log("first"); setInterval(() => {}, 1000)']);
  await patient.printed(/first/);
  await assert.rejects(patient.printed(/second/, 1), /0.001 s passed before \/second\/.\nfirst/);
  assert.equal((await patient.stop("SIGKILL")).signal, "SIGKILL");
  const brief = new Program(NODE, ["-e", 'console.error("first")']);
  await assert.rejects(brief.printed(/second/), /it ended before \/second\/.\n\nfirst/);
});

test("a program that does not end is killed and rejects; one that is not there rejects", async () => {
  await assert.rejects(runProgram(NODE, ["-e", "setInterval(() => {}, 1000)"], { limitMs: 1 }), /did not end within/);
  await assert.rejects(runProgram("no-such-program", []), /no-such-program: spawn no-such-program ENOENT/);
});
