// Our tools and mosquitto's beside each other at mosquitto's broker: the same output, the same complaints, the same exit
// code; where they differ on purpose, they do differ, and docs/mosquitto-compatibility.md says why.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startMosquitto } from "../peers/mosquitto-process.ts";
import type { BrokerProcess } from "../peers/tools-suite.ts";
import { type PeerName, startPeer, testWithPeers } from "../support/peers.ts";
import type { Ended } from "../support/program.ts";
import { COMMAND_LINES, type CommandLine, type Difference, KEPT } from "./command-lines.ts";
import { runTool } from "./tool-run.ts";

let broker: BrokerProcess;
let folder: string;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "lacewing-lines-"));
  writeFileSync(join(folder, "payload"), "from a file\n");
  broker = await startMosquitto();
  if (broker.port === 0) return;
  for (const { topicName, payload, properties = [] } of KEPT) {
    const given = properties.flatMap((property) => ["-D", "publish", ...property.split(" ")]);
    const args = [...where(), "-t", topicName, "-q", "1", "-r", "-s", ...given];
    const { code, errors } = await runTool("pub", args, Buffer.from(payload));
    assert.deepEqual([code, errors], [0, ""]);
  }
});
after(async () => {
  await broker.stop();
  rmSync(folder, { recursive: true, force: true });
});

function where(): string[] {
  return ["-h", "localhost", "-p", String(broker.port)];
}

function completed({ args }: CommandLine): string[] {
  const filled = args.map((arg) => arg.replace("{folder}", folder).replace("{port}", String(broker.port)));
  return [...where(), "-i", "S", ...filled];
}

/** What a run did, in words that can be compared. */
type Did = Readonly<Record<Difference, unknown>>;

function did({ args }: CommandLine, { code, out, errors }: Ended): Did {
  // With several messages under way it is chance which lines come before which answers.
  const isRace = args.includes("-l") && args.includes("-d");
  return {
    code,
    out: isRace ? out.split("\n").sort().join("\n") : timeless(out),
    errors: errors.split("\n").filter((line) => line !== "" && !line.startsWith("Use '")),
  };
}

/** Without the times, and of the forms that changed from 2.0 to 2.1 the later one. */
function timeless(out: string): string {
  return out
    .replaceAll(/("tst":\t?)"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z?[+-]\d{4}"/g, '$1"NOW"')
    .replaceAll(/("retain":\t?)1/g, "$1true")
    .replaceAll(/("retain":\t?)0/g, "$1false");
}

/** Where they complain we do as well, with the same beginning; we may say more. */
function agree(ours: Did, theirs: Did, difference: Difference): boolean {
  if (difference !== "errors") return ours[difference] === theirs[difference];
  const [our, their] = [ours.errors, theirs.errors] as readonly string[][];
  if (their!.length === 0) return our!.length === 0;
  return their!.every((line, index) => our![index]?.startsWith(line.replace(/\.$/, "")));
}

for (const row of COMMAND_LINES) {
  const { tool, args, input, differs } = row;
  const peer = `mosquitto_${tool}` satisfies PeerName;
  testWithPeers(`${tool} ${JSON.stringify(args)}`, ["mosquitto", peer], async () => {
    // One after the other: they have the same identifier.
    const ours = did(row, await runTool(tool, completed(row), input));
    const theirs = did(row, await startPeer(peer, completed(row), input === undefined ? {} : { input }).end());
    const found = (["code", "out", "errors"] as const).filter((difference) => !agree(ours, theirs, difference));
    assert.deepEqual(found, differs, `${JSON.stringify(ours, null, 1)}\n${JSON.stringify(theirs, null, 1)}`);
  });
}

test("there are enough command lines", () => assert.ok(COMMAND_LINES.length >= 120, String(COMMAND_LINES.length)));
