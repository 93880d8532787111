// Our tools at our broker: input of every kind, long streams, output that nobody reads, signals, and the network that goes.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type Config, DEFAULT_CONFIG, listenerOf } from "../../src/config/index.ts";
import { type Server, startServer } from "../../src/server/index.ts";
import { temporaryFolder } from "../support/folder.ts";
import { Program } from "../support/program.ts";
import { ScriptedServer } from "./scripted-server.ts";
import { runTool, ToolRun } from "./tool-run.ts";

let broker: Server;
let to: readonly string[];

before(async () => {
  const listeners: Config["listeners"] = [listenerOf({ host: "127.0.0.1", port: 0, allowAnonymous: true })];
  broker = await startServer({ ...DEFAULT_CONFIG, listeners }, () => {});
  to = ["-h", "127.0.0.1", "-p", String(broker.listeners[0]!.port)];
});
after(() => broker.close());

/** A subscriber that is ready. */
async function subscriber(...args: string[]): Promise<ToolRun> {
  const run = new ToolRun("sub", [...to, "-d", ...args]);
  await run.printed(/^Subscribed/m);
  return run;
}

/** What a run printed without the lines of -d. */
function shown(out: string): string {
  return out.replaceAll(/^(Client .* (sending|received) .*|Subscribed \(.*)\n/gm, "");
}

for (const qos of ["0", "1", "2"]) {
  test(`5,000 lines at QoS ${qos} arrive, all and in order, through windows and back-pressure`, async () => {
    const count = 5000;
    const sub = await subscriber("-t", `lines/${qos}`, "-q", "2", "-C", String(count));
    const lines = Array.from({ length: count }, (_, i) => `line ${i}`).join("\n");
    const { code, errors } = await runTool("pub", [...to, "-t", `lines/${qos}`, "-q", qos, "-l"], `${lines}\n`);
    assert.deepEqual([code, errors], [0, ""]);
    const ended = await sub.ended;
    assert.equal(ended.code, 0);
    assert.ok(shown(ended.out) === `${lines}\n`);
  });
}

test("a file and standard input are sent as they are, byte for byte", async (context) => {
  const bytes = randomBytes(300_000);
  const folder = temporaryFolder(context);
  writeFileSync(join(folder, "payload"), bytes);
  for (const args of [["-f", join(folder, "payload")], ["-s"]]) {
    const sub = new ToolRun("sub", [...to, "-t", "bytes", "-N", "-C", "1", "-d"]);
    await sub.printed(/^Subscribed/m);
    await runTool("pub", [...to, "-t", "bytes", ...args], bytes);
    await sub.ended;
    const { outBytes } = sub;
    const at = outBytes.indexOf(bytes.subarray(0, 64));
    assert.ok(at > 0 && outBytes.subarray(at, at + bytes.length).equals(bytes));
  }
});

test("a line in pieces is one message, and the last needs no end", async () => {
  const sub = await subscriber("-t", "pieces", "-C", "3");
  const pub = new ToolRun("pub", [...to, "-t", "pieces", "-l", "-d"], null);
  for (const piece of ["on", "e\n\nthr", "ee"]) {
    pub.stdin.write(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  pub.stdin.end();
  assert.equal((await pub.ended).code, 0);
  // An empty message shows nothing.
  assert.equal(shown((await sub.ended).out), "one\nthree\n");
});

test("--repeat publishes again, one after the other", async () => {
  const sub = await subscriber("-t", "again", "-q", "1", "-C", "3");
  await runTool("pub", [...to, "-t", "again", "-m", "x", "-q", "1", "--repeat", "3", "--repeat-delay", "0.001"]);
  assert.equal(shown((await sub.ended).out), "x\nx\nx\n");
});

test("-W ends with 27, also when there is nobody who answers", async (context) => {
  const silent = await ScriptedServer.start(context, {});
  const args = ["-t", "t", "-W", "1"];
  const [first, second] = await Promise.all([
    runTool("sub", [...to, ...args]),
    runTool("sub", ["-h", "127.0.0.1", "-p", String(silent.port), ...args]),
  ]);
  assert.deepEqual([first.code, first.errors, second.code, second.errors], [27, "Timed out\n", 27, "Timed out\n"]);
});

test("a subscriber whose connection is lost connects and subscribes again", async (context) => {
  const server = await ScriptedServer.start(context, {
    CONNECT: "20020000",
    SUBSCRIBE: ["90030001 00", "90030002 00 3003 0001 74 30050001 74 6869"],
  });
  const sub = new ToolRun("sub", ["-h", "127.0.0.1", "-p", String(server.port), "-t", "t", "-i", "S", "-C", "2", "-d"]);
  await sub.printed(/^Subscribed/m);
  server.cut();
  const { code, out, errors } = await sub.ended;
  assert.deepEqual([code, errors], [0, ""]);
  assert.equal(shown(out), "hi\n");
  assert.match(out, /sending SUBSCRIBE \(Mid: 2, Topic: t, QoS: 0, Options: 0x00\)/);
  assert.equal(server.connections.length, 2);
});

test("lines go on after the connection has come back", async (context) => {
  const server = await ScriptedServer.start(context, { CONNECT: "20020000", PUBLISH: ["40020001", "40020002"] });
  const args = ["-h", "127.0.0.1", "-p", String(server.port), "-t", "t", "-i", "S", "-q", "1", "-l", "-d"];
  const pub = new ToolRun("pub", args, null);
  pub.stdin.write("one\n");
  await pub.printed(/received PUBACK/);
  server.cut();
  await server.until(() => server.connections.length === 2);
  pub.stdin.end("two\n");
  assert.equal((await pub.ended).code, 0);
  await server.allClosed();
  assert.match(server.connections[1]!, /3208000174000274776f/);
});

test("a reader that stops for a while misses nothing", async () => {
  const sub = await subscriber("-t", "slow", "-q", "1", "-C", "300");
  sub.stdout.pause();
  const line = "x".repeat(2000);
  await runTool("pub", [...to, "-t", "slow", "-q", "1", "-l"], `${line}\n`.repeat(300));
  sub.stdout.resume();
  assert.equal(shown((await sub.ended).out), `${line}\n`.repeat(300));
});

test("nobody reads the output any more: a goodbye, and no error", async () => {
  const sub = await subscriber("-t", "broken");
  sub.stdout.destroy(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
  assert.deepEqual([(await sub.ended).code, sub.ended], [0, sub.ended]);
});

const MAIN = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`${signal} ends sub with DISCONNECT and exit code 0`, async () => {
    const sub = new Program(process.execPath, [MAIN, "sub", ...to, "-t", "t", "-i", "signalled", "-d"]);
    await sub.printed(/^Subscribed/m);
    const { code, out, errors } = await sub.stop(signal);
    assert.deepEqual([code, errors], [0, ""]);
    assert.match(out, /Client signalled sending DISCONNECT\n$/);
  });
}

test("sub | head: the program ends by itself when its reader has gone", async () => {
  const script = '"$0" "$1" sub "$2" "$3" "$4" "$5" -t head -d | head -n 1';
  const pipe = new Program("/bin/sh", ["-c", script, process.execPath, MAIN, ...to]);
  const pub = new ToolRun("pub", [...to, "-t", "head", "-l"], null);
  await pipe.printed(/sending CONNECT/);
  // The first line that cannot be written ends it; some come before head has gone.
  const lines = setInterval(() => pub.stdin.write("x\n"), 20);
  const { code, errors } = await pipe.end().finally(() => clearInterval(lines));
  pub.stdin.end();
  await pub.ended;
  assert.deepEqual([code, errors], [0, ""]);
});
