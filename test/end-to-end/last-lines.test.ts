// A fault of the broker's own: the lines before it, which say what led to it, are in the log all the same.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { encodePacket } from "../../src/protocol/index.ts";
import { MAIN } from "../peers/broker-process.ts";
import { temporaryFolder } from "../support/folder.ts";
import { freePorts } from "../support/ports.ts";
import { Program } from "../support/program.ts";
import { connectOf } from "../support/test-client.ts";

/** Says what it does and throws before the turn of the event loop, at whose end lines are written, is over. */
const PLUGIN = `export default ({ log }) => ({
  authenticate: () => {
    for (const number of [1, 2]) log("notice", \`last line \${number}\`);
    queueMicrotask(() => { throw new Error("nobody expected this"); });
    return true;
  },
});
`;

test("a broker that ends by a fault has written its last lines", async (context) => {
  const folder = temporaryFolder(context, { "plugin.mjs": PLUGIN });
  const [port = 0] = await freePorts(1);
  const file = join(folder, "mosquitto.conf");
  const log = join(folder, "log");
  const lines = [`listener ${port} 127.0.0.1`, `plugin ${join(folder, "plugin.mjs")}`, `log_dest file ${log}`];
  writeFileSync(file, `${["user root", "persistence false", ...lines].join("\n")}\n`);
  const broker = new Program(process.execPath, [MAIN, "-c", file]);
  const isListening = (): boolean => /running/.test(readFileSync(log, { encoding: "utf8", flag: "a+" }));
  const deadline = AbortSignal.timeout(20_000);
  while (!isListening()) {
    deadline.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const socket = connect(port, "127.0.0.1").on("error", () => {});
  socket.write(encodePacket(connectOf(4, "c"), 4));
  await broker.printed(/lacewing has a fault and ends[\s\S]*nobody expected this/);
  assert.equal((await broker.end()).code, 70);
  assert.match(readFileSync(log, "utf8"), /last line 1\n.*last line 2\n$/);
});

test("a log in a file ends with why the broker did not start", async (context) => {
  const folder = temporaryFolder(context, { store: "a file, not a folder", rules: "topic read a#\n" });
  const log = join(folder, "log");
  const rows = [
    [`persistence true\npersistence_location ${join(folder, "store")}`, /Error: .*store.*\n$/, 1],
    [`password_file ${join(folder, "nobody")}`, /Error: .*nobody: cannot be read: there is no such file\.\n$/, 13],
    [`acl_file ${join(folder, "rules")}`, /Error: Invalid ACL topic "a#" in acl_file .*rules:1: .*\n$/, 3],
  ] as const;
  for (const [lines, last, exitCode] of rows) {
    const file = join(folder, "mosquitto.conf");
    writeFileSync(file, `user root\nlistener 0 ${join(folder, "socket")}\nlog_dest file ${log}\n${lines}\n`);
    const { code, errors } = await new Program(process.execPath, [MAIN, "-c", file]).end();
    assert.equal(code, exitCode);
    assert.match(errors, last);
    assert.match(readFileSync(log, "utf8"), last);
  }
});
