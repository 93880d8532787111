// What mosquitto 2.0's tools do not have or do wrongly, so that there is nothing to compare with; at our broker.
import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { type Config, DEFAULT_CONFIG, listenerOf } from "../../src/config/index.ts";
import { type Server, startServer } from "../../src/server/index.ts";
import { temporaryFolder } from "../support/folder.ts";
import { runProgram } from "../support/program.ts";
import { ROOT } from "../support/repository.ts";
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

async function retain(topicName: string, payload: string, ...more: string[]): Promise<void> {
  const { code } = await runTool("pub", [...to, "-t", topicName, "-m", payload, "-q", "1", "-r", ...more]);
  assert.equal(code, 0);
}

for (const version of ["311", "5"]) {
  test(`--retained-only ends with the first message that is not, -V ${version}`, async () => {
    await retain(`only/${version}`, "kept");
    const sub = new ToolRun("sub", [...to, "-V", version, "-t", `only/${version}`, "--retained-only", "-d"]);
    await sub.printed(/^kept$/m);
    await runTool("pub", [...to, "-t", `only/${version}`, "-m", "fresh"]);
    const { code, out } = await sub.ended;
    assert.equal(code, 0);
    assert.doesNotMatch(out, /^fresh$/m);
  });

  test(`--remove-retained removes, but for -T, and with -R too; -C waits for it, -V ${version}`, async () => {
    for (const name of ["a", "b", "c"]) await retain(`gone/${version}/${name}`, name);
    const args = [...to, "-V", version, "-t", `gone/${version}/#`];
    const { code } = await runTool("sub", [...args, "--remove-retained", "-T", `gone/${version}/b`, "-C", "2"]);
    assert.equal(code, 0);
    assert.equal((await runTool("sub", [...args, "-C", "1", "-v"])).out, `gone/${version}/b b\n`);
  });
}

for (const version of ["311", "5"]) {
  test(`-R and --remove-retained: not shown, but removed, -V ${version}`, async () => {
    await retain("hidden", "x");
    // The removal comes as an empty message.
    const args = ["-V", version, "-t", "hidden", "-R", "--remove-retained", "-d", "-C", "2"];
    const sub = new ToolRun("sub", [...to, ...args]);
    await sub.printed(/received PUBACK/);
    await runTool("pub", [...to, "-t", "hidden", "-m", "fresh"]);
    const { out } = await sub.ended;
    assert.match(out, /^fresh$/m);
    assert.doesNotMatch(out, /^x$/m);
  });
}

test("--json: a line of JSON each, bytes in base64", async () => {
  await retain("json", "tëxt\n", "-D", "publish", "user-property", "k", "v", "-D", "publish", "correlation-data", "c");
  const { out } = await runTool("sub", [...to, "-V", "5", "-q", "1", "-t", "json", "--json", "-C", "1"]);
  const { time, packetId, ...rest } = JSON.parse(out) as Record<string, unknown>;
  assert.match(time as string, /^\d{4}-.*Z$/);
  assert.equal(packetId, 1);
  const properties = { userProperties: [["k", "v"]], correlationData: "c" };
  assert.deepEqual(rest, { topic: "json", qos: 1, retain: true, payload: "tëxt\n", properties });
  await runTool("pub", [...to, "-t", "json", "-s", "-r"], Buffer.from([0xff, 0]));
  assert.match((await runTool("sub", [...to, "-t", "json", "--json", "-C", "1"])).out, /"payloadBase64":"\/wA="\}\n$/);
});

test("-U alone, and -E after it", async () => {
  const { code, out } = await runTool("sub", [...to, "-U", "a", "-U", "b", "-E", "-d", "-i", "U"]);
  assert.equal(code, 0);
  assert.equal(out.match(/received UNSUBACK/g)?.length, 2);
  assert.match(out, /sending DISCONNECT\n$/);
});

test("--retain-handling: never, as -R, and always", async (context) => {
  const bytes = async (...args: string[]): Promise<string> => {
    const script = { CONNECT: "20 03 000000", SUBSCRIBE: "90 04 0001 00 00" };
    const server = await ScriptedServer.start(context, script);
    await runTool("sub", [
      "-h",
      "127.0.0.1",
      "-p",
      String(server.port),
      "-V",
      "5",
      "-i",
      "S",
      "-t",
      "t",
      "-E",
      ...args,
    ]);
    await server.allClosed();
    return /8207000100000174(..)/.exec(server.connections[0]!)![1]!;
  };
  assert.equal(await bytes(), "00");
  assert.equal(await bytes("--retain-handling", "new"), "10");
  assert.equal(await bytes("-R"), "20");
  assert.equal(await bytes("-R", "--retain-handling", "always", "--retain-as-published"), "08");
});

test("--watch gives each topic its line of the screen", async () => {
  await retain("watch/a", "one");
  const { out } = await runTool("sub", [...to, "-t", "watch/+", "--watch", "-v", "-C", "1"]);
  assert.equal(out, "\x1b[2J\x1b[1;1HBroker: 127.0.0.1\n\x1b[2;1H\x1b[Kwatch/a one\n\x1b[2;1H\n");
});

test("--message-rate: how many came in each second, and no message", async () => {
  for (const topicName of ["rate/a", "rate/b", "rate/hidden"]) await retain(topicName, "payload");
  const hidden = ["-T", "rate/hidden"];
  const sub = new ToolRun("sub", [...to, "-t", "rate/+", "-v", "--message-rate", ...hidden, "-C", "3"]);
  await sub.printed(/^2$/m);
  await runTool("pub", [...to, "-t", "rate/c", "-m", "payload"]);
  const { code, out, errors } = await sub.ended;
  assert.deepEqual([code, errors], [0, ""]);
  // A second before the messages and one after them may have none; that in which -C ends it is not shown.
  assert.match(out, /^(0\n)*2\n(0\n)*$/);
});

test("--random-filter: about so many percent", async () => {
  const sub = new ToolRun("sub", [...to, "-t", "chance", "-q", "1", "--random-filter", "50", "-C", "1000", "-d"]);
  await sub.printed(/^Subscribed/m);
  await runTool("pub", [...to, "-t", "chance", "-q", "1", "-l"], "x\n".repeat(1000));
  const shown = (await sub.ended).out.match(/^x$/gm)?.length ?? 0;
  // Seven standard deviations.
  assert.ok(shown > 390 && shown < 610, String(shown));
});

test("--strict: refused or lost is an exit code", async (context) => {
  const [nobody, usual] = await Promise.all([
    runTool("pub", [...to, "-t", "no/one", "-m", "x", "--strict"]),
    runTool("pub", [...to, "-t", "no/one", "-m", "x", "-q", "1", "-V", "5"]),
  ]);
  assert.deepEqual([nobody.code, usual.code], [16, 0]);
  assert.match(nobody.errors, /^Error: Nobody has subscribed to the topic; the message is lost\.$/m);
  assert.equal((await runTool("pub", [...to, "-t", "kept", "-m", "x", "-q", "1", "-r", "--strict"])).code, 0);
  const at = async (script: Record<string, string>, ...args: string[]): Promise<number | null> => {
    const server = await ScriptedServer.start(context, script);
    const fixed = ["-h", "127.0.0.1", "-p", String(server.port), "-t", "t", "-m", "x", "--strict", ...args];
    return (await runTool("pub", fixed)).code;
  };
  assert.equal(await at({ CONNECT: "20 03 000000", PUBLISH: "40 03 0001 87" }, "-q", "1"), 0x87);
  assert.equal(await at({ CONNECT: "20 03 000000", PUBLISH: "50 03 0001 97" }, "-q", "2"), 0x97);
  assert.equal(await at({ CONNECT: "20 05 0000 02 2400" }, "-q", "1"), 24);
  assert.equal(await at({ CONNECT: "20 05 0000 02 2500" }, "-r"), 154);
});

test("rr: response of another client, its latency, a refused request, a refused subscription", async (context) => {
  const sub = new ToolRun("sub", [...to, "-V", "5", "-t", "ask", "-F", "%R %p", "-C", "1", "-d"]);
  await sub.printed(/^Subscribed/m);
  const rr = new ToolRun("rr", [...to, "-t", "ask", "-e", "answer", "-m", "question", "-v", "--latency"]);
  assert.match((await sub.ended).out, /^answer question$/m);
  await runTool("pub", [...to, "-t", "answer", "-m", "42"]);
  const { code, out } = await rr.ended;
  assert.equal(code, 0);
  assert.match(out, /^answer 42\nLatency: \d+\.\d{3} ms\n$/);
  const self = await runTool("rr", [...to, "-t", "self", "-e", "self", "-m", "x", "--json", "--latency"]);
  const [message, latency] = self.out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.equal(message!.payload, "x");
  assert.equal(typeof latency!.latencyMs, "number");
  const at = async (script: Record<string, string>) => {
    const server = await ScriptedServer.start(context, script);
    return runTool("rr", ["-h", "127.0.0.1", "-p", String(server.port), "-t", "a", "-e", "b", "-m", "x", "-q", "1"]);
  };
  const denied = await at({ CONNECT: "20 03 000000", SUBSCRIBE: "90 04 0001 00 87" });
  assert.deepEqual([denied.code, denied.errors.split("\n")[0]], [0x87, "Not authorized"]);
  const refused = await at({
    CONNECT: "20 03 000000",
    SUBSCRIBE: "90 04 0001 00 01",
    PUBLISH: "40 03 0002 87",
  });
  assert.equal(refused.code, 0x87);
  assert.match(
    refused.errors,
    /^Error: The broker refused the request: Not authorized\.\nThe broker's rules do not allow this topic\. More: /,
  );
});

test("options of files: defaults that the command line changes, by -o or in the folder for configuration", async (context) => {
  await retain("file/topic", "from a file");
  const lines = [
    "# Where",
    ...[`-p ${to[3]}`, "-h 127.0.0.1", "-t file/topic", "-C 1"],
    "",
    "-F <%p>",
    "-D subscribe user-property a b",
  ];
  const folder = temporaryFolder(context, {
    mosquitto_sub: `${lines.join("\r\n")}\n`,
    ".config/mosquitto_sub": "-t nothing\n-C 0\n",
    wrong: "-t x\n-C none\n",
  });
  const env = { XDG_CONFIG_HOME: folder, HOME: folder };
  assert.equal((await runTool("sub", [], "", env)).out, "<from a file>\n");
  assert.equal((await runTool("sub", ["-F", "%l"], "", env)).out, "11\n");
  const named = await runTool("sub", ["-o", join(folder, "mosquitto_sub")], "", { HOME: folder });
  assert.equal(named.out, "<from a file>\n");
  const home = await runTool("sub", [], "", { HOME: folder });
  assert.match(home.errors, /^Error: .*\.config\/mosquitto_sub, line 2: Invalid message count "0"\./);
  const wrong = await runTool("sub", ["-o", join(folder, "wrong")]);
  assert.match(wrong.errors, /wrong, line 2: Invalid message count "none"/);
  const missing = await runTool("sub", ["-o", join(folder, "missing"), "-t", "x"]);
  assert.match(missing.errors, /^Error: Unable to read the options file '.*missing': ENOENT/);
});

for (const [tool, args, script, code, errors] of [
  [
    "pub",
    "-m x",
    "20 02 0005",
    5,
    /^Connection error: .*: not authorised\.\n.*\n.*: see -u and -P\. More: lacewing explain not-authorised\n$/,
  ],
  ["sub", "", "20 02 0004", 4, /^Connection error: .*: bad user name or password\.\n.*: see -u and -P\. More: .*\n$/],
  ["rr", "-e b -m x", "20 03 009b 00", 155, /^Connection error: .*\n.*: see --will-qos\. More: .*\n$/],
  ["sub", "-V 5", "20 03 0085 00", 133, /\n.*identifier: see -i\. /],
] as const) {
  test(`${tool} says what to do about CONNACK ${script}`, async (context) => {
    const server = await ScriptedServer.start(context, { CONNECT: script });
    const fixed = ["-h", "127.0.0.1", "-p", String(server.port), "-t", "t", ...(args === "" ? [] : args.split(" "))];
    const ended = await runTool(tool, fixed);
    assert.equal(ended.code, code);
    assert.match(ended.errors, errors);
  });
}

/** The command as it is published, a file for each tool. */
const PROGRAM = join(ROOT, "dist/bin/lacewing.js");

/** Links as a user of mosquitto's tools would make them. */
function links(context: TestContext): string {
  const folder = temporaryFolder(context);
  for (const name of ["pub", "sub", "rr", "passwd"]) symlinkSync(PROGRAM, join(folder, `mosquitto_${name}`));
  return folder;
}

test("called by the names of mosquitto's tools", async (context) => {
  const folder = links(context);
  const run = (name: string, ...args: string[]) => runProgram(join(folder, name), args);
  const [pub, rr, passwd] = await Promise.all([
    run("mosquitto_pub", ...to, "-t", "link", "-m", "x", "-r", "-q", "1"),
    run("mosquitto_rr", ...to, "-t", "self", "-e", "self", "-m", "echo"),
    run("mosquitto_passwd", "-c", "-b", join(folder, "file"), "ann"),
  ]);
  assert.deepEqual([pub.code, rr.code, rr.out, passwd.code], [0, 0, "echo\n", 1]);
  assert.equal(passwd.errors, "Error: -c argument given but password file, username, or password missing.\n");
  assert.equal((await run("mosquitto_sub", ...to, "-t", "link", "-C", "1")).out, "x\n");
});

/** Runs the published program and returns which of Node's own modules it has loaded, one on a line. */
async function loadedBy(...args: readonly string[]): Promise<string> {
  const spy = `
    const before = new Set(process.moduleLoadList);
    process.on("exit", () => console.error(process.moduleLoadList.filter((name) => !before.has(name)).join("\\n")));
    process.argv.splice(1, 0, ${JSON.stringify(PROGRAM)});
    await import(${JSON.stringify(pathToFileURL(PROGRAM).href)});`;
  const { code, errors } = await runProgram(process.execPath, ["--input-type=module", "-e", spy, "--", ...args]);
  assert.equal(code, 0, errors);
  return errors;
}

test("a tool over TCP loads neither TLS nor names nor the broker", async () => {
  const loaded = await loadedBy("pub", ...to, "-t", "x", "-m", "x");
  assert.match(loaded, /^NativeModule net$/m);
  assert.doesNotMatch(
    loaded,
    /^NativeModule (tls|_tls_\w+|crypto|dns\/promises|http|https|worker_threads|child_process)$/m,
  );
});

test("--version does not load the broker", async () => {
  assert.doesNotMatch(await loadedBy("--version"), /^NativeModule (tls|crypto|http|worker_threads)$/m);
});

/** Writes the address of each module to standard error as it is loaded. */
const NAMING = `
  import { writeSync } from "node:fs";
  export function load(url, context, next) {
    writeSync(2, url + "\\n");
    return next(url, context);
  }`;

test("the broker starts from few files, which are its own", async () => {
  const naming = `data:text/javascript,${encodeURIComponent(NAMING)}`;
  const spy = `import { register } from "node:module"; register(${JSON.stringify(naming)});`;
  const fixed = ["--import", `data:text/javascript,${encodeURIComponent(spy)}`, PROGRAM];
  // An address for examples, which no machine has: it ends when all is loaded.
  const args = ["--host", "192.0.2.1", "-p", "1883", "--allow-anonymous"];
  const { code, errors } = await runProgram(process.execPath, [...fixed, ...args]);
  assert.equal(code, 1, errors);
  assert.match(errors, /Cannot listen on 192\.0\.2\.1:1883/);
  const names = [...errors.matchAll(/^file:.*\/dist\/(.*)$/gm)].map(([, name]) => name ?? "");
  assert.ok(names.includes("bin/broker.js"), errors);
  assert.deepEqual(
    names.filter((name) => !name.startsWith("bin/")),
    [],
  );
  assert.ok(names.length < 30, errors);
});

test("--test-config loads what reads a configuration, not what runs a broker", async (context) => {
  const file = join(temporaryFolder(context, { "mosquitto.conf": "listener 1883\n" }), "mosquitto.conf");
  const loaded = await loadedBy("--test-config", "-c", file);
  assert.match(loaded, /^Configuration file is OK\.$/m);
  assert.doesNotMatch(loaded, /^NativeModule (tls|http|zlib|dns\/promises)$/m);
});

test("what is not UTF-8 is a payload as any other, and no topic", { skip: process.platform !== "linux" }, async () => {
  const shell = (command: string) => runProgram("/bin/sh", ["-c", command, PROGRAM, ...to]);
  const pub = '"$0" pub "$1" "$2" "$3" "$4" -r -q 1';
  const sent = await shell(`${pub} -t raw -m "$(printf 'a\\377\\376b')"`);
  assert.deepEqual([sent.code, sent.errors], [0, ""]);
  assert.equal((await runTool("sub", [...to, "-t", "raw", "-C", "1", "-F", "%x"])).out, "61fffe62\n");
  for (const topic of ["a\\377", "a\\001", "a\\177", "a\\302\\205", "a\\357\\277\\276"]) {
    const refused = await shell(`${pub} -m x -t "$(printf '${topic}')"`);
    assert.equal(refused.code, 1, topic);
    assert.match(refused.errors, /^Error: Malformed UTF-8 in -t argument\.\n/);
  }
});
