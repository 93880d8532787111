// Our tools and mosquitto's beside each other at mosquitto's broker: the same output, the same complaints, the same exit
// code; where they differ on purpose, they do differ, and docs/mosquitto-compatibility.md says why.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startMosquitto } from "../peers/mosquitto-process.ts";
import type { BrokerProcess } from "../peers/tools-suite.ts";
import { COMMAND_LINES, type CommandLine, KEPT } from "./command-lines.ts";
import { compareWithMosquitto } from "./comparison.ts";
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

compareWithMosquitto(COMMAND_LINES, completed);

test("there are enough command lines", () => assert.ok(COMMAND_LINES.length >= 120, String(COMMAND_LINES.length)));
