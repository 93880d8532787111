// `user`: who the broker is when root starts it, what that one may do, and that a restart, SIGHUP and the end find their files.
import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { formatPasswordHash, hashPassword } from "../../src/security/index.ts";
import { MAIN } from "../peers/broker-process.ts";
import { temporaryFolder } from "../support/folder.ts";
import { freePorts } from "../support/ports.ts";
import { type Ended, Program, type ProgramOptions } from "../support/program.ts";
import { ROOT } from "../support/repository.ts";
import { WireClient } from "../support/wire-client.ts";

const EVERYBODY_ENTERS = 0o001;
/** Debian's numbers of nobody and its group; others have others. */
const NOBODY = idOf("nobody");

function idOf(name: string): { readonly uid: number; readonly gid: number } | null {
  if (process.platform === "win32") return null;
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((each) => each.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(":") ?? [];
  return uid === undefined ? null : { uid: Number(uid), gid: Number(gid) };
}

function isOpenToAll(path: string): boolean {
  const isOpen = (statSync(path).mode & EVERYBODY_ENTERS) !== 0;
  return isOpen && (dirname(path) === path || isOpenToAll(dirname(path)));
}

function reasonToSkip(): string | false {
  if (process.geteuid?.() !== 0) return "only root can become another user";
  if (NOBODY === null) return "there is no user nobody";
  return isOpenToAll(ROOT) && isOpenToAll(process.execPath) ? false : "other users may not run the program from here";
}

const OPTIONS = { skip: reasonToSkip() };
const RUNNING = /running: /;

/** A folder that everybody may enter, with a mosquitto.conf of `lines` and a listener. */
async function configured(
  context: TestContext,
  lines: readonly string[],
): Promise<{ readonly folder: string; readonly file: string; readonly port: number }> {
  const folder = temporaryFolder(context);
  chmodSync(folder, 0o755);
  const [port = 0] = await freePorts(1);
  const file = join(folder, "mosquitto.conf");
  const real = lines.map((line) => line.replaceAll("FOLDER", folder));
  writeFileSync(file, `${[...real, `listener ${port} 127.0.0.1`].join("\n")}\n`);
  return { folder, file, port };
}

function start(context: TestContext, args: readonly string[], options: ProgramOptions = {}): Program {
  const program = new Program(process.execPath, [MAIN, ...args], options);
  context.after(() => program.stop("SIGKILL").catch(() => {}));
  return program;
}

/** User and group of a process, and its other groups. */
function whoIs(pid: number): { readonly uids: string; readonly gids: string; readonly groups: string } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const of = (name: string): string => new RegExp(`^${name}:\\s*(.*?)\\s*$`, "m").exec(status)?.[1] ?? "";
  return { uids: of("Uid"), gids: of("Gid"), groups: of("Groups") };
}

function four(id: number): string {
  return Array<number>(4).fill(id).join("\t");
}

test("the user that is named runs all, and finds its files again", OPTIONS, async (context) => {
  const { uid, gid } = NOBODY!;
  const { folder, file, port } = await configured(context, [
    "user nobody",
    "persistence true",
    "persistence_location FOLDER/own/data",
    "pid_file FOLDER/own/pid",
    "log_dest file FOLDER/own/log",
    "log_dest stderr",
    "password_file FOLDER/users",
  ]);
  const own = join(folder, "own");
  mkdirSync(own);
  chownSync(own, uid, gid);
  const users = join(folder, "users");
  await writeUser(users, "first");
  const to = { host: "127.0.0.1", port };

  const first = start(context, ["-c", file]);
  await first.printed(RUNNING);
  assert.match(first.errors, /Running as the user nobody\./);
  // "chmod 600" alone would take from the broker a file that is root's.
  assert.match(first.errors, /users has world readable permissions; chown nobody .*users && chmod 600 .*users takes/);
  const lock = JSON.parse(readFileSync(join(own, "data/lock.json"), "utf8")) as { pid: number; writer: number };
  assert.equal(lock.pid, first.pid);
  for (const pid of [lock.pid, lock.writer]) {
    assert.deepEqual(whoIs(pid), { uids: four(uid), gids: four(gid), groups: String(gid) });
  }
  assert.equal(statSync(join(own, "data/data.mdb")).uid, uid);
  const publisher = await WireClient.connect(to, "p", { username: "a", password: "first" });
  await publisher.publish("kept", "message", { qos: 1, retain: true });
  await publisher.drop();

  // SIGHUP: the log's file was moved away, and other users are there.
  renameSync(join(own, "log"), join(own, "log.1"));
  await writeUser(users, "second");
  first.signal("SIGHUP");
  await eventually(async () => existsSync(join(own, "log")));
  await eventually(async () => (await WireClient.reasonCode(to, "q", { username: "a", password: "second" })) === 0);
  // A file that only root may read changes nothing.
  await writeUser(users, "third");
  chmodSync(users, 0o600);
  first.signal("SIGHUP");
  await first.printed(/Nothing has been reloaded/);
  assert.match(first.errors, /users.*(permission denied|EACCES|may not)/i);
  assert.equal(await WireClient.reasonCode(to, "q", { username: "a", password: "second" }), 0);
  chmodSync(users, 0o644);
  assert.ok(existsSync(join(own, "pid")));
  assert.equal((await first.stop()).code, 0);
  assert.ok(!existsSync(join(own, "pid")));

  const second = start(context, ["-c", file]);
  await second.printed(RUNNING);
  const subscriber = await WireClient.connect(to, "s", { username: "a", password: "third" });
  await subscriber.subscribe("kept");
  assert.equal(Buffer.from((await subscriber.expect("PUBLISH")).payload).toString(), "message");
  await subscriber.drop();
  assert.equal((await second.stop()).code, 0);
});

test(
  "a user that is named and may not do it: the broker does not start, and names the files",
  OPTIONS,
  async (context) => {
    const { folder, file } = await configured(context, [
      "user nobody",
      "persistence true",
      "persistence_location FOLDER/data",
    ]);
    const { code, errors } = await start(context, ["-c", file]).end();
    assert.equal(code, 1);
    assert.equal(
      errors,
      `Error: The user nobody may not write in ${folder}/data. Give it that right, as with chown or setfacl, or name another one: 'user root' stays root.\n`,
    );
    // A store that root had; what else is in its folder is nobody's concern.
    const data = join(folder, "data");
    mkdirSync(data);
    chownSync(data, NOBODY!.uid, NOBODY!.gid);
    for (const name of ["data.mdb", "other"]) writeFileSync(join(data, name), "", { mode: 0o600 });
    const kept = await start(context, ["-c", file]).end();
    assert.match(kept.errors, /^Error: The user nobody may not write .*\/data\/data\.mdb\. Give it/);
    const check = (): Promise<Ended> => start(context, ["config", "check", file]).end();
    const checked = await check();
    assert.match(checked.out, /\nError: The user nobody may not write .*\/data\/data\.mdb\.\n {2}Give it that right/);
    assert.equal(checked.code, 1);
    writeFileSync(file, "persistence true\npersistence_location FOLDER/data\n".replace("FOLDER", folder));
    const byDefault = await check();
    assert.match(
      byDefault.out,
      /\nWarning: Started as root, the broker stays root: The user .* may not write in .*\/data/,
    );
    assert.equal(byDefault.code, 0);
    writeFileSync(file, "user no-such-user\n");
    assert.match((await check()).out, /'no-such-user' because this user does not exist\.\n {2}Name one/);
    const unknown = await start(context, ["-c", file]).end();
    assert.match(
      unknown.errors,
      /^Error: Unable to drop privileges to 'no-such-user' because this user does not exist\./,
    );
  },
);

test("mosquitto's default, where the files allow it and where not", OPTIONS, async (context) => {
  const { folder, file } = await configured(context, ["log_dest stderr"]);
  const name = idOf("mosquitto") === null ? "nobody" : "mosquitto";
  const one = start(context, ["-c", file]);
  await one.printed(RUNNING);
  assert.match(one.errors, new RegExp(`Running as the user ${name}\\.`));
  assert.equal(whoIs(one.pid).uids, four(idOf(name)!.uid));
  await one.stop();

  chmodSync(folder, 0o700);
  const other = start(context, ["-c", file]);
  await other.printed(RUNNING);
  assert.match(other.errors, new RegExp(`goes on as root because .*: The user ${name} may not read ${file}\\.`));
  assert.equal(whoIs(other.pid).uids, four(0));
  await other.stop();
});

test("user root, no file, and the numbers of the environment", OPTIONS, async (context) => {
  const { folder, file } = await configured(context, ["user root", "log_dest stderr"]);
  const none = ["-p", "0", "--host", "127.0.0.1", "--set", "persistence=false"];
  const env = { PUID: "12345", PGID: "54321" };
  const rows: readonly (readonly [args: readonly string[], uid: number, said: RegExp, options?: ProgramOptions])[] = [
    [["-c", file], 0, /lacewing should not be run as root\./],
    [none, 0, /running/],
    [[...none, "--set", "user=nobody"], NOBODY!.uid, /Running as the user nobody/],
    [["-c", file], 12_345, /Running as the user of PUID 12345 and PGID 54321/, { env }],
  ];
  for (const [args, uid, said, options] of rows) {
    const program = start(context, args, { cwd: folder, ...options });
    await program.printed(RUNNING);
    assert.match(program.errors, said);
    assert.equal(whoIs(program.pid).uids, four(uid), args.join(" "));
    await program.stop();
  }
  const { code, errors } = await start(context, ["-c", file], { env: { PUID: "me" } }).end();
  assert.equal(code, 1);
  assert.match(errors, /PUID is 'me' in the environment\. Allowed is the number/);
  const checked = await start(context, ["config", "check", file], { env: { PUID: "me" } }).end();
  assert.match(checked.out, /\nError: PUID is 'me'/);
});

test("a port below 1024 is opened before root is left", OPTIONS, async (context) => {
  // Of the many addresses of the loopback interface nobody else has this one.
  const host = `127.${process.pid % 256}.${(process.pid >> 8) % 256}.77`;
  const { folder, file } = await configured(context, ["user nobody", "log_dest stderr"]);
  writeFileSync(
    file,
    `${["user nobody", "log_dest stderr", "allow_anonymous true", `listener 883 ${host}`].join("\n")}\n`,
  );
  const program = start(context, ["-c", file], { cwd: folder });
  await program.printed(RUNNING);
  assert.equal(whoIs(program.pid).uids, four(NOBODY!.uid));
  const client = await WireClient.connect({ host, port: 883 }, "c");
  await client.drop();
  assert.match(program.errors, new RegExp(`Opening ipv4 listen socket on port 883[\\s\\S]*running: ${host}:883`));
  await program.stop();
});

const SETPRIV = "/usr/bin/setpriv";
const WITH_SETPRIV = { skip: OPTIONS.skip || (existsSync(SETPRIV) ? false : "there is no setpriv") };

test("root without the right to be others is not told that they do not exist", WITH_SETPRIV, async (context) => {
  const { folder, file } = await configured(context, ["user nobody", "log_dest stderr"]);
  const args = ["--bounding-set=-setuid", process.execPath, MAIN, "-c", file];
  const program = new Program(SETPRIV, args, { cwd: folder });
  context.after(() => program.stop("SIGKILL").catch(() => {}));
  const { code, errors } = await program.end();
  assert.equal(code, 1);
  assert.match(errors, /The system does not let this process become the user nobody: EPERM/);
});

test("a start that fails ends, whatever was opened before root was left", OPTIONS, async (context) => {
  const host = `127.${process.pid % 256}.${(process.pid >> 8) % 256}.78`;
  const { folder, file } = await configured(context, []);
  for (const [lines, said] of [
    [[`listener 883 ${host}`, "user nobody-here"], /'nobody-here' because this user does not exist/],
    [[`listener 883 ${host}`, "listener 884 203.0.113.9"], /Cannot listen on 203\.0\.113\.9:884/],
    [
      ["user root", `listener 883 ${host}`, `listener 884 ${host}`, "http_dir none", "protocol websockets"],
      /no such folder/,
    ],
    // The second of them is left when the first cannot be had.
    [
      ["user root", `listener 883 ${host}`, "http_dir none", "protocol websockets", `listener 884 ${host}`],
      /no such folder/,
    ],
  ] as const) {
    writeFileSync(file, `${["log_dest stderr", ...lines].join("\n")}\n`);
    const { code, errors } = await start(context, ["-c", file], { cwd: folder }).end();
    assert.equal(code, 1, errors);
    assert.match(errors, said);
  }
});

async function writeUser(path: string, password: string): Promise<void> {
  writeFileSync(path, `a:${formatPasswordHash(await hashPassword(password))}\n`);
}

/** Asks until the answer is yes. */
async function eventually(ask: () => Promise<boolean>): Promise<void> {
  const deadline = AbortSignal.timeout(20_000);
  while (!(await ask())) {
    deadline.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
