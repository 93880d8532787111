// Password files: what mosquitto's broker lets in, what is said, what is left of the file, and how it is asked for.
import assert from "node:assert/strict";
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { runPasswd } from "../../src/cli/passwd.ts";
import { parsePasswordHash, parseScramVerifier, verifyPassword } from "../../src/security/index.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startPeer, testWithPeers } from "../support/peers.ts";
import { freePort } from "../support/ports.ts";
import { runTool } from "./tool-run.ts";

/** A file with two users and a comment. */
async function filled(context: TestContext): Promise<string> {
  const path = join(temporaryFolder(context), "passwords");
  await runTool("passwd", ["-c", "-b", path, "ann", "secret"]);
  await runTool("passwd", ["-H", "sha512", "-b", path, "bob", "hidden"]);
  writeFileSync(path, `# Who may\n${readFileSync(path, "utf8")}`);
  return path;
}

function users(path: string): Record<string, string> {
  const lines = readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line.includes(":"));
  return Object.fromEntries(lines.map((line) => line.split(":") as [string, string]));
}

async function isPassword(path: string, username: string, password: string): Promise<boolean> {
  return verifyPassword(password, parsePasswordHash(users(path)[username]!)!);
}

test("users are added, changed and deleted; all else stays", async (context) => {
  const path = await filled(context);
  const { ann, bob } = users(path);
  assert.match(ann!, /^\$7\$1000\$/);
  assert.match(bob!, /^\$6\$/);
  assert.deepEqual((await runTool("passwd", ["-I", "7", "-b", path, "ann", "-D"])).code, 0);
  assert.match(users(path).ann!, /^\$7\$7\$/);
  assert.equal(await isPassword(path, "ann", "-D"), true);
  assert.equal(users(path).bob, bob);
  assert.equal((await runTool("passwd", ["-D", path, "ann"])).code, 0);
  assert.equal(readFileSync(path, "utf8"), `# Who may\nbob:${bob}\n`);
  const missing = await runTool("passwd", ["-D", path, "ann"]);
  assert.deepEqual([missing.code, missing.errors], [1, "Warning: User ann not found in password file.\n"]);
});

test("-H scram-sha-256 writes verifiers, with RFC 7677's rounds at least, and leaves other lines alone", async (context) => {
  const path = join(temporaryFolder(context), "verifiers");
  for (const args of [
    ["-c", "-b", path, "ann", "secret"],
    ["-I", "5000", "-b", path, "bob", "hidden"],
  ])
    assert.equal((await runTool("passwd", ["-H", "scram-sha-256", ...args])).code, 0);
  const before = readFileSync(path, "utf8").split("\n");
  const [ann, bob] = before.map((line) => parseScramVerifier(line.slice(line.indexOf(":") + 1)));
  assert.deepEqual([ann?.iterations, bob?.iterations], [4096, 5000]);
  assert.equal((await runTool("passwd", ["-H", "scram-sha-256", "-b", path, "ann", "changed"])).code, 0);
  const after = readFileSync(path, "utf8").split("\n");
  assert.notEqual(after[0], before[0]);
  assert.equal(after[1], before[1]);
});

test("-U hashes plain passwords", async (context) => {
  const folder = temporaryFolder(context, { passwords: "ann:one\n\n# comment\nbob:two words\n" });
  const path = join(folder, "passwords");
  assert.equal((await runTool("passwd", ["-U", path])).code, 0);
  assert.equal(await isPassword(path, "ann", "one"), true);
  assert.equal(await isPassword(path, "bob", "two words"), true);
  assert.match(readFileSync(path, "utf8"), /\n\n# comment\n/);
});

test("a new file is its owner's alone; one that was there loses the rights of others; a link stays one", async (context) => {
  const path = await filled(context);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  chmodSync(path, 0o664);
  const link = join(temporaryFolder(context), "link");
  symlinkSync(path, link);
  await runTool("passwd", ["-b", link, "ann", "x"]);
  assert.equal(statSync(path).mode & 0o777, 0o640);
  assert.equal(readFileSync(link, "utf8"), readFileSync(path, "utf8"));
  assert.deepEqual(readdirSync(join(path, "..")), ["passwords"]);
});

test("a file that is broken or not there is left alone", async (context) => {
  const folder = temporaryFolder(context, { broken: "ann:x\nnobody\n" });
  const broken = await runTool("passwd", ["-b", join(folder, "broken"), "bob", "x"]);
  assert.equal(broken.code, 1);
  assert.match(broken.errors, /^Error: Corrupt password file at line 2\.\n/);
  assert.equal(readFileSync(join(folder, "broken"), "utf8"), "ann:x\nnobody\n");
  const missing = await runTool("passwd", ["-b", join(folder, "missing"), "bob", "x"]);
  assert.equal(missing.code, 1);
  assert.match(missing.errors, /^Error: Unable to open password file .*missing\. No such file or directory\.\n/);
  assert.equal(existsSync(join(folder, "missing")), false);
});

test("with -c, - is standard output, and no file is made", async (context) => {
  const folder = temporaryFolder(context);
  const asked = await runTool("passwd", ["-c", "-", "ann"], "secret\nsecret\n");
  assert.match(asked.out, /^Password: \nReenter password: \nann:\$7\$1000\$[^:]+\n$/);
  const given = await runTool("passwd", ["-b", "-c", "-", "ann", "secret"]);
  assert.match(given.out, /^ann:\$7\$1000\$[^:]+\n$/);
  assert.deepEqual([asked.code, given.code, existsSync(join(folder, "-"))], [0, 0, false]);
});

test("by mosquitto's name it says one line of an error; by our own also what is allowed, and where to read more", async () => {
  for (const [args, line, allowed] of [
    [["-H"], "Error: -H argument given but not enough other arguments.", ""],
    [["-I"], "Error: -I argument given but not enough other arguments.", ""],
    [["-H", "none"], "Error: Unknown hash type 'none'", "There are sha512, sha512-pbkdf2 and scram-sha-256.\n"],
    [["-I", "0"], "Error: Number of iterations must be > 0.", "At most 10000000 are taken.\n"],
    [["-c", "-D"], "Error: -c and -D cannot be used together.", ""],
  ] as const) {
    const stderr = new PassThrough();
    const io = { stdin: new PassThrough(), stdout: new PassThrough(), stderr, calledAs: "mosquitto_passwd" };
    assert.equal(await runPasswd(args, io), 1);
    assert.equal(await text(stderr.end()), `${line}\n`);
    const own = await runTool("passwd", args);
    assert.equal(own.errors, `${line}\n${allowed}\nUse 'lacewing passwd --help' to see usage.\n`);
  }
});

test("it asks twice, and lines of standard input answer", async (context) => {
  const path = await filled(context);
  const good = await runTool("passwd", [path, "eve"], "päss\npäss\n");
  assert.deepEqual(good, { code: 0, signal: null, out: "Password: \nReenter password: \n", errors: "" });
  assert.equal(await isPassword(path, "eve", "päss"), true);
  const different = await runTool("passwd", [path, "eve"], "one\ntwo\n");
  assert.deepEqual([different.code, different.errors], [2, "Error: Passwords do not match.\n"]);
  const empty = await runTool("passwd", [path, "eve"], "\n\n");
  assert.deepEqual([empty.code, empty.errors], [1, "Error: Empty password.\n"]);
  assert.equal((await runTool("passwd", [path, "eve"], "")).code, 1);
  assert.equal(await isPassword(path, "eve", "päss"), true);
});

test("on a terminal it shows nothing that is typed, takes corrections, and leaves the terminal as it was", async (context) => {
  const path = await filled(context);
  const modes: boolean[] = [];
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (isRaw: boolean) => modes.push(isRaw) });
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  stdin.end("wrong\u0015pasz\u007fs\rpass\r");
  assert.equal(await runPasswd([path, "eve"], { stdin, stdout, stderr }), 0);
  assert.equal(await text(stdout.end()), "Password: \nReenter password: \n");
  assert.deepEqual(modes, [true, false]);
  assert.equal(await isPassword(path, "eve", "pass"), true);
});

/** What both say of a command line that makes no sense. */
const REFUSED = [
  "-b {file} a:b x",
  "-b {file} bob",
  "-c {file}",
  "-c -b {file} bob",
  "-D {file}",
  "-U",
  "-c -D {file} bob",
  "-c -U {file}",
  "-D -U {file}",
  "-b -D {file} bob",
  "-H md5 -b {file} bob x",
  "-b {folder}/missing bob x",
  "-D {file} nobody",
  "-I 0 -b {file} bob x",
] as const;
/** mosquitto_passwd shows its help, or does not know the option. */
const DIFFERENT: readonly string[] = ["-b {file} bob", "-I 0 -b {file} bob x"];

for (const args of REFUSED) {
  testWithPeers(`passwd ${args}`, ["mosquitto_passwd"], async (context) => {
    const folder = temporaryFolder(context, { file: "ann:$6$x$y\n" });
    const words = args
      .split(" ")
      .map((word) => word.replace("{file}", join(folder, "file")).replace("{folder}", folder));
    const [ours, theirs] = [await runTool("passwd", words), await startPeer("mosquitto_passwd", words).end()];
    assert.equal(ours.code, theirs.code);
    const first = theirs.errors.split("\n")[0]!.replace(/\.$/, "");
    if (DIFFERENT.includes(args)) assert.match(ours.errors, /^Error: /);
    else assert.ok(ours.errors.startsWith(first.replace(/'$/, "")) && first !== "", `${ours.errors}${theirs.errors}`);
    assert.equal(readFileSync(join(folder, "file"), "utf8"), "ann:$6$x$y\n");
  });
}

testWithPeers(
  "mosquitto's broker lets in who is in our file, with that password only",
  ["mosquitto"],
  async (context) => {
    const path = await filled(context);
    chmodSync(path, 0o644);
    const port = await freePort();
    const config = join(temporaryFolder(context), "mosquitto.conf");
    // It becomes another user when root starts it, who must be able to read the file.
    const user = process.getuid?.() === 0 ? "user root\n" : "";
    writeFileSync(
      config,
      `listener ${port} 127.0.0.1\nallow_anonymous false\npassword_file ${path}\nlog_dest stderr\n${user}`,
    );
    const program = startPeer("mosquitto", ["-c", config]);
    await program.printed(/running$/m);
    const code = async (username: string, password: string): Promise<number | null> => {
      const to = ["-h", "127.0.0.1", "-p", String(port), "-t", "t", "-m", "x"];
      return (await runTool("pub", [...to, "-u", username, "-P", password])).code;
    };
    assert.deepEqual([await code("ann", "secret"), await code("bob", "hidden")], [0, 0]);
    assert.deepEqual([await code("ann", "hidden"), await code("bob", ""), await code("eve", "secret")], [5, 5, 5]);
    await program.stop();
  },
);
