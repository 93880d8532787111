// `npm start` as a stranger types it, and what the broker says when it cannot start.
import assert from "node:assert/strict";
import { test } from "node:test";
import { temporaryFolder } from "../support/folder.ts";
import { startPeer, testWithPeers } from "../support/peers.ts";
import { Program, runProgram } from "../support/program.ts";
import { ROOT } from "../support/repository.ts";
import { MAIN, startBrokerProcess } from "./broker-process.ts";
import { SUBSCRIBED } from "./tools-suite.ts";

const PEERS = ["mosquitto_pub", "mosquitto_sub"] as const;

for (const signal of ["SIGTERM", "SIGINT"] as const)
  testWithPeers(`npm start runs a broker that mosquitto's clients use; ${signal} ends it well`, PEERS, async (t) => {
    const folder = temporaryFolder(t);
    const options = ["-p", "0", "--host", "127.0.0.1", "--set", `persistence_location=${folder}`];
    const broker = new Program("npm", ["start", "--", ...options], { cwd: ROOT });
    const [, port = ""] = await broker.printed(/running: 127\.0\.0\.1:(\d+)/);
    await broker.printed(/lacewing sub -p \d+ -t 'test\/#' -v/); // what to try next
    const fixed = ["-h", "127.0.0.1", "-p", port, "-V", "5", "-q", "2"];
    const subscriber = startPeer("mosquitto_sub", [...fixed, "-t", "sensors/#", "-v", "-d"]);
    await subscriber.printed(SUBSCRIBED);
    const publisher = await startPeer("mosquitto_pub", [...fixed, "-t", "sensors/kitchen", "-m", "21.5"]).end();
    assert.equal(publisher.code, 0);
    await subscriber.printed(/^sensors\/kitchen 21\.5$/m);
    const { code, errors } = await broker.stop(signal);
    assert.equal(code, 0, errors);
    assert.match(errors, new RegExp(`${signal}: lacewing version \\S+ terminating`));
    await subscriber.printed(/^Received DISCONNECT \(139\)$/m); // server shutting down
    await subscriber.stop();
  });

test("a port in use: one line that says what to do, and not exit code 0", async () => {
  const first = await startBrokerProcess();
  const args = [MAIN, "-p", String(first.port), "--host", "127.0.0.1", "--set", "persistence=false"];
  const { code, out, errors } = await runProgram(process.execPath, args);
  await first.stop();
  assert.deepEqual([code, out], [1, ""]);
  const complaints = errors.split("\n").filter((line) => line.startsWith("Error: "));
  assert.equal(complaints.length, 1, errors);
  assert.match(complaints[0] ?? "", new RegExp(`127\\.0\\.0\\.1:${first.port}.* another program has the port.*-p`));
});

for (const [exitCode, args, complaint] of [
  [3, ["--frobnicate"], /frobnicate/],
  [3, ["-p", "70000"], /70000/],
  [3, ["-p"], /-p/],
  [3, ["--set", "no_such_setting=1"], /no_such_setting/],
  [3, ["--set", "max_qos=3"], /max_qos/],
  [1, ["publish"], /publish/],
  [1, ["--host", "192.0.2.1", "--set", "persistence=false"], /192\.0\.2\.1/],
] as const)
  test(`wrong: lacewing ${args.join(" ")}`, async () => {
    const { code, out, errors } = await runProgram(process.execPath, [MAIN, ...args]);
    assert.deepEqual([code, out], [exitCode, ""]);
    const complaints = errors.split("\n").filter((line) => line.startsWith("Error: "));
    assert.equal(complaints.length, 1, errors);
    assert.match(complaints[0] ?? "", complaint);
    assert.doesNotMatch(errors, /^ +at /m); // no stack
  });
