// Command lines that make no sense, and servers that are not there: one clear line, exit code 1, and what mosquitto's tools say.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startPeer, testWithPeers } from "../support/peers.ts";
import { runTool, type ToolName } from "./tool-run.ts";

type Row = readonly [tool: ToolName, args: string, firstLine: string];

/** mosquitto's tools begin their line with the same words. */
const LIKE_MOSQUITTO: readonly Row[] = [
  ["pub", "-Z", "Unknown option '-Z'."],
  ["sub", "-m x", "Unknown option '-m'."],
  ["pub", "-v", "Unknown option '-v'."],
  ["pub", "--will-topc w", "Unknown option '--will-topc'. Did you mean '--will-topic'?"],
  ["pub", "-p", "-p argument given but no port specified."],
  ["pub", "--will-topic", "--will-topic argument given but no will topic specified."],
  ["sub", "-C", "-C argument given but no count specified."],
  ["pub", "-p 70000 -t a -n", "Invalid port given: 70000; allowed is 1 to 65535."],
  ["pub", "-q 3", "Invalid QoS given: 3; allowed is 0 to 2."],
  ["pub", "-k 3 -t a -n", "Invalid keepalive given, it must be between 5 and 65535 inclusive."],
  ["pub", "-M 0", "Maximum inflight messages must be greater than 0 and at most 65535."],
  ["pub", "-t a", "Both topic and message must be supplied."],
  ["pub", "-m a", "Both topic and message must be supplied."],
  ["pub", "-t a -n -m x", "Only one type of message can be sent at once."],
  ["pub", "-t a/# -m x", "Invalid publish topic 'a/#', does it contain '+' or '#'?"],
  ["pub", "-t a -m x --repeat 0", "--repeat argument must be >0."],
  ["pub", "-t a -m x --repeat-delay -1", "--repeat-delay argument must be >=0.0."],
  ["pub", "-t a -m x --will-payload x", "Will payload given, but no will topic given."],
  ["pub", "-t a -m x --will-retain", "Will retain given, but no will topic given."],
  ["pub", "-t a -m x --will-topic a/+", "Invalid will topic 'a/+', does it contain '+' or '#'?"],
  ["pub", "-t a -m x --will-topic a --will-qos 3", "Invalid will QoS 3."],
  ["pub", "-i x -I y -t a -m x", "-i and -I argument cannot be used together."],
  ["sub", "-q 1", "You must specify a topic to subscribe to (-t) or unsubscribe from (-U)."],
  ["sub", "-t a/#b", "Invalid subscription topic 'a/#b', are all '+' and '#' wildcards correct?"],
  ["sub", "-t a -T a/#/b", "Invalid filter topic 'a/#/b', are all '+' and '#' wildcards correct?"],
  ["sub", "-t a -U a+", "Invalid unsubscribe topic 'a+', are all '+' and '#' wildcards correct?"],
  ["sub", "-t a -c", "You must provide a client id if you are using the -c option."],
  ["sub", "-t a -c -V 5", "You must provide a client id if you are using an infinite session expiry interval."],
  ["sub", "-t a -C 0", 'Invalid message count "0".'],
  ["sub", "-t a -W 0", 'Invalid timeout "0".'],
  ["sub", "-t a -x 5x", "session-expiry-interval not a number."],
  ["sub", "-t a -x -2", "session-expiry-interval out of range."],
];

/** mosquitto's tools do something else: connect, print their help, or speak of errno. */
const OUR_OWN: readonly Row[] = [
  ["pub", "-p 0 -t a -n", "Invalid port given: 0; allowed is 1 to 65535."],
  ["pub", "-p abc -t a -n", "Invalid port given: abc; allowed is 1 to 65535."],
  [
    "pub",
    "-V 7",
    "Invalid protocol version argument given: 7; allowed is 5, 311 or 31, also as mqttv5, mqttv311 or mqttv31.",
  ],
  ["pub", "-P x -t a -n", "A password needs a user name before MQTT 5: give -u too, or -V 5."],
  // As in mosquitto 2.1.
  ["pub", "-D nothing receive-maximum 1", "Invalid command nothing given in --property argument."],
  ["pub", "-D connect Nothing 1", "Invalid property name Nothing given in --property argument."],
  ["sub", "-o a -o b", "Duplicate -o argument given."],
  ["sub", "-L ws://localhost", "Invalid URL for -L argument specified - topic missing."],
  ["rr", "-F %Z", "Invalid format specifier 'Z'."],
  ["rr", "--retain-handling", "--retain-handling argument given but no option specified."],
  ["sub", "-t a --retain-handling x", "Unknown value 'x' for --retain-handling.\nAllowed is always, new or never."],
  ["pub", "--port=1883", "Unknown option '--port=1883'. Did you mean '--port 1883'?"],
];

for (const [tool, args, line] of [...LIKE_MOSQUITTO, ...OUR_OWN]) {
  test(`lacewing ${tool} ${args}`, async () => {
    const { code, out, errors } = await runTool(tool, args.split(" "));
    assert.deepEqual(
      { code, out, errors },
      { code: 1, out: "", errors: `Error: ${line}\n\nUse 'lacewing ${tool} --help' to see usage.\n` },
    );
  });
}

for (const [tool, args, line] of LIKE_MOSQUITTO) {
  const peer = `mosquitto_${tool}` as const;
  testWithPeers(`${peer} ${args} begins with the same words`, [peer], async () => {
    const { code, errors } = await startPeer(peer, args.split(" ")).end();
    assert.equal(code, 1);
    const theirs = errors.split("\n")[0]!;
    assert.ok(`Error: ${line}`.startsWith(theirs.replace(/\.$/, "")), theirs);
  });
}

test("an empty topic and an empty identifier are refused before anything is connected", async () => {
  assert.match((await runTool("pub", ["-t", "", "-m", "x"])).errors, /^Error: The topic is empty\.\n/);
  assert.match((await runTool("pub", ["-t", "a", "-m", "x", "-i", ""])).errors, /^Error: Invalid id\.\n/);
  assert.match((await runTool("sub", ["-t", ""])).errors, /^Error: Invalid subscription topic ''/);
});

test("a file that is not there", async () => {
  const { code, errors } = await runTool("pub", ["-t", "a", "-f", "/no/such/file"]);
  assert.equal(code, 1);
  assert.match(
    errors,
    /^Error: Unable to read file "\/no\/such\/file": No such file or directory\.\nError loading input file "\/no\/such\/file"\.\n$/,
  );
});

test("nothing on standard input", async () => {
  const { code, errors } = await runTool("pub", ["-t", "a", "-s"]);
  assert.deepEqual([code, errors], [1, "Error: Zero length input.\nError loading input from stdin.\n"]);
});

for (const tool of ["pub", "sub"] as const) {
  const args = tool === "pub" ? ["-t", "a", "-m", "x"] : ["-t", "a"];

  test(`lacewing ${tool}: nobody listens`, async () => {
    // Port 1 of the loopback interface is nobody's.
    const { code, errors } = await runTool(tool, ["-h", "127.0.0.1", "-p", "1", ...args]);
    assert.equal(code, 1);
    assert.match(
      errors,
      /^Error: Connection refused\nNothing listens on that port \(127\.0\.0\.1, port 1\): see -h and -p\. More: lacewing explain nothing-listens\n$/,
    );
  });

  test(`lacewing ${tool}: the line under an error is in the language of --lang, or of the locale`, async () => {
    const nobody = ["-h", "127.0.0.1", "-p", "1", ...args];
    const chinese =
      /^Error: Connection refused\n[^\n]*\p{Script=Han}[^\n]*：请检查 -h 和 -p。详见：lacewing explain nothing-listens\n$/u;
    const asked = await runTool(tool, [...nobody, "--lang", "zh"]);
    assert.match(asked.errors, chinese);
    const locale = { LC_ALL: "zh_CN.UTF-8" };
    assert.match((await runTool(tool, nobody, "", locale)).errors, chinese);
    assert.match((await runTool(tool, [...nobody, "--lang", "en"], "", locale)).errors, /More: lacewing explain/);
  });

  test(`lacewing ${tool}: a name without address`, async () => {
    const { code, errors } = await runTool(tool, ["-h", "no-such-host.invalid", ...args]);
    assert.equal(code, 1);
    assert.match(
      errors,
      /^Unable to connect \(Lookup error\.\)\.\nThe broker's name has no address .*'no-such-host\.invalid'\)/,
    );
  });

  test(`lacewing ${tool} --help and --version`, async () => {
    const help = await runTool(tool, ["--help", "--nonsense"]);
    assert.deepEqual([help.code, help.errors], [0, ""]);
    assert.match(help.out, new RegExp(`^Usage: lacewing ${tool} `, "m"));
    assert.ok(help.out.split("\n").every((line) => line.length <= 100));
    assert.match(
      (await runTool(tool, ["--version"])).out,
      new RegExp(`^lacewing ${tool} version \\d+\\.\\d+\\.\\d+\\n$`),
    );
  });
}
