// V12: what is secret: in files that others cannot read, whatever the umask is, and in the time that a log-in takes, which says nothing
// of what was wrong. Times are reported; what is judged is that every log-in that fails costs a hash, and none holds the broker up.
import assert from "node:assert/strict";
import { chmodSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { formatPasswordHash, hashPassword } from "../../src/security/index.ts";
import { MAIN } from "../peers/broker-process.ts";
import { temporaryFolder } from "../support/folder.ts";
import { freePorts } from "../support/ports.ts";
import { Program, runProgram } from "../support/program.ts";
import { WireClient } from "../support/wire-client.ts";
import { startConfigured } from "./configured-broker.ts";

/** Whoever is not the owner may do this with a file. */
const OTHERS = 0o077;

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

test("with umask 000 the store, the log and a password file are the owner's alone", async (context) => {
  const folder = temporaryFolder(context);
  const [port = 0] = await freePorts(1);
  const file = join(folder, "mosquitto.conf");
  const lines = [`listener ${port} 127.0.0.1`, "allow_anonymous true", "persistence true"];
  const places = [`persistence_location ${folder}/data`, `log_dest file ${folder}/broker.log`];
  writeFileSync(file, `${[...lines, ...places].join("\n")}\n`);
  const shell = (...args: readonly string[]): string[] => [
    "-c",
    `umask 000; exec "$@"`,
    "sh",
    process.execPath,
    MAIN,
    ...args,
  ];
  const broker = new Program("/bin/sh", shell("-c", file));
  context.after(() => broker.stop());
  const address = { host: "127.0.0.1", port };
  const client = await connected(address);
  await client.subscribe("#");
  await client.publish("t", "secret", { qos: 1, retain: true });
  const made = [...filesBelow(join(folder, "data")), join(folder, "broker.log")];
  assert.ok(made.length >= 2, made.join());
  for (const path of made) assert.equal(statSync(path).mode & OTHERS, 0, path);
  await client.drop();
  await broker.stop();
  const passwords = join(folder, "users");
  const { code } = await runProgram("/bin/sh", shell("passwd", "-b", "-c", passwords, "ann", "s3cret"));
  assert.equal(code, 0);
  assert.equal(statSync(passwords).mode & OTHERS, 0);
});

/** The broker tells of its start in its log file, so its port is what can be waited for. */
async function connected(address: { host: string; port: number }): Promise<WireClient> {
  const options = { cleanStart: false, properties: { sessionExpirySeconds: 1000 } };
  for (const endMs = performance.now() + 20_000; ; ) {
    try {
      return await WireClient.connect(address, "c", options);
    } catch (error) {
      if (performance.now() > endMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

test("a file of passwords that others can read is warned of, at the start and at each reload", async (context) => {
  const users = `ann:${formatPasswordHash(await hashPassword("s3cret"))}\n`;
  const lines = ["password_file FOLDER/users", "log_type all"];
  const broker = await startConfigured(context, lines, { users });
  assert.match(broker.log, /File .*users has world readable permissions/);
  for (const mode of [0o644, 0o640, 0o604]) {
    chmodSync(join(broker.folder, "users"), mode);
    const before = broker.log.length;
    await broker.reload(lines);
    const who = (mode & 0o004) === 0 ? "group" : "world";
    assert.match(
      broker.log.slice(before),
      new RegExp(`File .*users has ${who} readable permissions`),
      mode.toString(8),
    );
  }
  chmodSync(join(broker.folder, "users"), 0o600);
  const before = broker.log.length;
  await broker.reload(lines);
  assert.doesNotMatch(broker.log.slice(before), /readable permissions/);
});

test("an unknown user, a wrong password and one of the right length take as long, and hold nobody up", async (context) => {
  const users = `ann:${formatPasswordHash(await hashPassword("s3cret", "sha512-pbkdf2", 100_000))}\n`;
  const broker = await startConfigured(context, ["password_file FOLDER/users"], { users });
  const login = async (username: string, password: string): Promise<number> => {
    const before = process.cpuUsage();
    assert.equal(await WireClient.reasonCode(broker.address, "c", { username, password }), 0x87);
    return process.cpuUsage(before).user / 1000;
  };
  const kinds = {
    "an unknown user": ["bob", "s3cret"],
    "a wrong password": ["ann", "x"],
    "one of the right length": ["ann", "s3creT"],
  } as const;
  const times = new Map<string, number[]>(Object.keys(kinds).map((kind) => [kind, []]));
  // A hash takes much longer than all the rest, so that its absence shows. The time is that of the processor, as other programs have theirs;
  // of the rounds the shortest, as garbage is collected in some.
  const ROUNDS = 5;
  for (let round = 0; round < ROUNDS; round++)
    for (const [kind, [username, password]] of Object.entries(kinds))
      times.get(kind)?.push(await login(username, password));
  const shortest = [...times].map(([kind, all]) => [kind, Math.min(...all)] as const);
  context.diagnostic(shortest.map(([kind, ms]) => `${kind}: ${ms.toFixed(2)} ms`).join(", "));
  const [least, most] = [Math.min(...shortest.map(([, ms]) => ms)), Math.max(...shortest.map(([, ms]) => ms))];
  // Without a hash it would be a fraction.
  assert.ok(most < 3 * least, shortest.join());
});

test("while log-ins are hashed for a second, who is there is served all the time", async (context) => {
  const users = `ann:${formatPasswordHash(await hashPassword("s3cret", "sha512-pbkdf2", 100_000))}\n`;
  const broker = await startConfigured(context, ["password_file FOLDER/users"], { users });
  const witness = await WireClient.connect(broker.address, "witness", { username: "ann", password: "s3cret" });
  const logins = Array.from({ length: 20 }, (_, i) =>
    WireClient.reasonCode(broker.address, `c${i}`, { username: "ann", password: `${i}` }),
  );
  let isOver = false;
  const guesses = Promise.all(logins).finally(() => {
    isOver = true;
  });
  let served = 0;
  for (; !isOver; served++) await witness.settled();
  assert.ok((await guesses).every((code) => code === 0x87));
  // If hashes stood in its way, there would be about one answer for each of them.
  assert.ok(served > 100, `${served} pings`);
});

test("no password and no hash is in any line of the log, also with everything logged", async (context) => {
  const hash = formatPasswordHash(await hashPassword("s3cret-word"));
  const broker = await startConfigured(context, ["password_file FOLDER/users", "log_type all"], {
    users: `ann:${hash}\n`,
  });
  for (const password of ["s3cret-word", "wr0ng-word"])
    await WireClient.reasonCode(broker.address, "c", { username: "ann", password });
  const program = await runProgram(process.execPath, [
    MAIN,
    "pub",
    "-h",
    "127.0.0.1",
    "-p",
    String(broker.address.port),
    "-u",
    "ann",
    "-P",
    "wr0ng-word",
    "-t",
    "t",
    "-m",
    "x",
    "-d",
  ]);
  assert.doesNotMatch(broker.log + program.out + program.errors, /s3cret-word|wr0ng-word/);
  assert.ok(!broker.log.includes(hash.slice(-20)));
  assert.match(broker.log, /is refused/);
});
