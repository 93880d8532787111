// The broker as an operator starts it: a mosquitto.conf with users, rules and tokens, mosquitto's own tools, signals.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { temporaryFolder } from "../support/folder.ts";
import { startPeer, testWithPeers } from "../support/peers.ts";
import { freePorts } from "../support/ports.ts";
import { Program, runProgram } from "../support/program.ts";
import { MAIN } from "./broker-process.ts";

const PEERS = ["mosquitto_passwd", "mosquitto_pub", "mosquitto_sub"] as const;
const SECRET = "a secret of more than sixteen bytes";

/** A broker with that configuration, on a free port, and its folder. */
async function configured(
  context: TestContext,
  lines: readonly string[],
  files: Readonly<Record<string, string>> = {},
) {
  const folder = temporaryFolder(context, files);
  const file = join(folder, "mosquitto.conf");
  const write = (all: readonly string[]): void =>
    writeFileSync(file, `${all.join("\n").replaceAll("FOLDER", folder)}\n`);
  const [port = 0] = await freePorts(1);
  const listener = `listener ${port} 127.0.0.1`;
  write([listener, ...lines]);
  const start = async () => {
    const program = new Program(process.execPath, [MAIN, "-c", file]);
    context.after(() => program.stop());
    await program.printed(/running: /);
    return { program, port: String(port) };
  };
  return { folder, file, listener, port: String(port), write, start };
}

const token = (claims: object): string => {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part({ alg: "HS256" })}.${part(claims)}`;
  return `${signed}.${createHmac("sha256", SECRET).update(signed).digest("base64url")}`;
};

testWithPeers("users and rules of mosquitto's files, and tokens; SIGHUP takes a right away", PEERS, async (context) => {
  const lines = ["allow_anonymous false", "password_file FOLDER/users", "acl_file FOLDER/rules", "plugin lacewing_jwt"];
  const files = { rules: "user ann\ntopic readwrite home/#\n", secret: SECRET };
  const { folder, start } = await configured(context, [...lines, "plugin_opt_secret_file FOLDER/secret"], files);
  await runProgram("mosquitto_passwd", ["-b", "-c", join(folder, "users"), "ann", "s3cret"]);
  const { program, port } = await start();
  const publish = async (...args: readonly string[]) =>
    (await startPeer("mosquitto_pub", ["-h", "127.0.0.1", "-p", port, "-m", "x", ...args]).end()).code;
  const ann = ["-u", "ann", "-P", "s3cret", "-V", "5", "-q", "1"];
  assert.equal(await publish("-t", "home/1", ...ann), 0);
  assert.equal(await publish("-t", "home/1", "-u", "ann", "-P", "wrong"), 5);
  assert.equal(await publish("-t", "home/1"), 5);
  const claims = { sub: "device", exp: Math.floor(Date.now() / 1000) + 60, acl: { readwrite: ["device/#"] } };
  assert.equal(await publish("-t", "device/1", "-u", "device", "-P", token(claims)), 0);
  assert.equal(await publish("-t", "device/1", "-u", "device", "-P", token({ ...claims, exp: 1 })), 5);
  const answer = ["-d", "-t", "home/1", ...ann];
  const before = await startPeer("mosquitto_pub", ["-h", "127.0.0.1", "-p", port, "-m", "x", ...answer]).end();
  assert.doesNotMatch(before.out, /RC:135/);
  writeFileSync(join(folder, "rules"), "user ann\ntopic read home/#\n");
  program.signal("SIGHUP");
  await program.printed(/Reloading config/);
  for (let out = ""; !out.includes("RC:135"); ) {
    ({ out } = await startPeer("mosquitto_pub", ["-h", "127.0.0.1", "-p", port, "-m", "x", ...answer]).end());
  }
  writeFileSync(join(folder, "rules"), "usr ann\n");
  program.signal("SIGHUP");
  await program.printed(/Error: Invalid line in acl_file .*rules:1: "usr" is none of .*\n.*Nothing has been reloaded/);
});

test("SIGHUP with a mistake in the file: it is named, and nothing changes", async (context) => {
  const { listener, write, start } = await configured(context, ["allow_anonymous true"]);
  const { program, port } = await start();
  write([listener, "allow_anonymus false"]);
  program.signal("SIGHUP");
  await program.printed(/Did you mean 'allow_anonymous'\?[\s\S]*mosquitto\.conf:2\.[\s\S]*Nothing has been reloaded/);
  const { code } = await runProgram(process.execPath, [
    MAIN,
    "pub",
    "-h",
    "127.0.0.1",
    "-p",
    port,
    "-t",
    "a",
    "-m",
    "b",
  ]);
  assert.equal(code, 0);
});

testWithPeers("$SYS, SIGUSR2, the file with the process's number, and the end", PEERS, async (context) => {
  const lines = ["allow_anonymous true", "sys_interval 1", "pid_file FOLDER/pid", "persistence true"];
  const { folder, start } = await configured(context, [...lines, "persistence_location FOLDER/data"]);
  const { program, port } = await start();
  assert.equal(Number(readFileSync(join(folder, "pid"), "utf8")), program.pid);
  const watch = ["-h", "127.0.0.1", "-p", port, "-W", "10", "-C", "1", "-v"];
  const { out } = await startPeer("mosquitto_sub", [...watch, "-t", "$SYS/broker/uptime"]).end();
  assert.match(out, /^\$SYS\/broker\/uptime \d+ seconds$/m);
  const subscriber = startPeer("mosquitto_sub", ["-h", "127.0.0.1", "-p", port, "-i", "watcher", "-t", "a/b", "-d"]);
  await subscriber.printed(/Subscribed/);
  program.signal("SIGUSR2");
  await program.printed(/a\n +b \(watcher, 0\)/);
  await subscriber.stop();
  const { code } = await program.stop();
  assert.equal(code, 0);
  assert.equal(existsSync(join(folder, "pid")), false);
});

test("--test-config says whether a file can be used, with the place of what cannot", async (context) => {
  const { file, listener, write } = await configured(context, ["max_qos 1"]);
  const check = () => runProgram(process.execPath, [MAIN, "-c", file, "--test-config"]);
  const good = await check();
  assert.deepEqual([good.code, good.errors], [0, "Configuration file is OK.\n"]);
  write([listener, "max_qos 3"]);
  const bad = await check();
  assert.equal(bad.code, 3);
  assert.match(bad.errors, /mosquitto\.conf:2/);
});

test("-d goes on in the background once it listens, and says why when it cannot", async (context) => {
  const { folder, file, port } = await configured(context, [
    "allow_anonymous true",
    "pid_file FOLDER/pid",
    "log_dest file FOLDER/log",
  ]);
  const { code } = await runProgram(process.execPath, [MAIN, "-c", file, "-d"]);
  assert.equal(code, 0);
  const pid = Number(readFileSync(join(folder, "pid"), "utf8"));
  const second = join(folder, "second.conf");
  writeFileSync(second, `listener ${port} 127.0.0.1\nallow_anonymous true\n`);
  const refused = await runProgram(process.execPath, [MAIN, "-c", second, "-d"]);
  process.kill(pid, "SIGTERM");
  while (existsSync(join(folder, "pid"))) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(refused.code, 1);
  assert.match(refused.errors, /another program has the port/);
});

test("called by a link named mosquitto it has mosquitto's defaults", async (context) => {
  const folder = temporaryFolder(context);
  const link = join(folder, "mosquitto");
  symlinkSync(MAIN, link);
  const [port = 0] = await freePorts(1);
  const program = new Program(process.execPath, [link, "-p", String(port)], { cwd: folder });
  context.after(() => program.stop());
  await program.printed(/Persistence is off/);
  await program.printed(/running: /);
  assert.doesNotMatch(program.out, /Try it/);
});
