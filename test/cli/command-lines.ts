// Command lines that our tools and mosquitto's are compared by. Those of sub and rr find the messages that `KEPT` lists.
import type { ToolName } from "./tool-run.ts";

/** Where the two may differ; docs/mosquitto-compatibility.md says why. */
export type Difference = "code" | "out" | "errors";

/** A command line. */
export interface CommandLine {
  readonly tool: ToolName;
  /** After host, port and, but for passwd, identifier. `{folder}` is a folder of the test's own. */
  readonly args: readonly string[];
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly differs: readonly Difference[];
}

/** A message that the broker retains before the command lines run. */
export interface Kept {
  readonly topicName: string;
  readonly payload: string | Buffer;
  /** For -D publish. */
  readonly properties?: readonly string[];
}

export const KEPT: readonly Kept[] = [
  { topicName: "kept/plain", payload: "hello" },
  { topicName: "kept/accents", payload: 'é"\\ü\u0001\t' },
  { topicName: "kept/bytes", payload: Buffer.from("00ff7f80abcdef0a", "hex") },
  {
    topicName: "kept/json",
    payload: ' {"b": [1, 2.50, {}, [], {"x": "é\\u00e9\\/"}], "1": -0.0, "b": null, "n": 1e21} ',
  },
  {
    topicName: "kept/numbers",
    payload: "[0.1, 0.30000000000000004, 123456789012345678, 2147483648, 1e-7, 5e-324, true]",
  },
  { topicName: "kept/broken", payload: '{"a": }' },
  {
    topicName: "kept/properties",
    payload: "x",
    properties: [
      "content-type text/plain",
      "response-topic answers",
      "correlation-data c-1",
      "message-expiry-interval 4000",
      "payload-format-indicator 1",
      "user-property key value",
      "user-property key again",
    ],
  },
  { topicName: "many/1", payload: "one" },
  { topicName: "many/2", payload: "two" },
  { topicName: "many/sub/3", payload: "three" },
];

export function line(tool: ToolName, args: string | readonly string[], ...differs: Difference[]): CommandLine {
  return { tool, args: typeof args === "string" ? args.split(" ") : args, differs };
}

function withInput(input: string, row: CommandLine): CommandLine {
  return { ...row, input };
}

/** One message, shown by a format. */
function shown(topicName: string, format: string, ...differs: Difference[]): CommandLine {
  return line("sub", ["-V", "5", "-q", "1", "-t", topicName, "-C", "1", "-F", format], ...differs);
}

function* publishing(): Generator<CommandLine> {
  for (const version of ["31", "311", "5"]) {
    for (const qos of [0, 1, 2]) yield line("pub", `-V ${version} -t a/b -m hello -q ${qos} -d`);
  }
  yield line("pub", "-V mqttv5 -t a -n -d");
  yield line("pub", "--protocol-version mqttv311 --topic a --message x --qos 1 --debug");
  yield line("pub", "-t a -f {folder}/payload -d");
  // 2.1 says why.
  yield line("pub", "-t a --file {folder}/nothing", "errors");
  yield withInput("all\nof it\n", line("pub", "-t a -s -d"));
  yield withInput("", line("pub", "-t a --stdin-file"));
  yield withInput("one\n\ntwo", line("pub", "-t a -l -q 1 -d"));
  yield line("pub", "-t a -m x -q 1 --repeat 3 -d");
  yield line("pub", "-t a -m x -q 1 --repeat 2 --repeat-delay 0.01 -d");
  yield line("pub", "-L mqtt://localhost:{port}/from/url -m x -d");
  yield line("pub", "-L mqtt://user:pass@localhost:{port}/a -m x -d -t later");
  yield line("pub", "-t first -L MQTT://localhost:{port}/url/wins -m x -d");
  yield line("pub", "-t a -m x -u user -P pass -k 10 -M 5 --nodelay -d");
  yield line("pub", "-t a -m x -c -d");
  yield line("pub", "-V 5 -t a -m x -c -x 5 -d");
  yield line("pub", "-V 5 -t a -m x -x ∞ -d");
  yield line("pub", "-t a -m x --will-topic w --will-payload gone --will-qos 2 --will-retain -d");
  yield line("pub", ["-t", "a", "-m", "", "-d"]);
  yield line("pub", ["-t", "sp ace/ü", "-m", "-5", "-d"]);
  yield line("pub", "-t a -m x --quiet");
  yield* withProperties();
}

function* withProperties(): Generator<CommandLine> {
  yield line("pub", "-t a -m x -D publish content-type text/plain -d");
  yield line("pub", "-t a -m x -q 1 -D PUBLISH User-Property key value --property publish user-property key again -d");
  yield line("pub", "-t a -m x -D connect session-expiry-interval 5 -D disconnect session-expiry-interval 6 -d");
  yield line("pub", "-t a -m x --will-topic w -D will will-delay-interval 5 -D will content-type x -d");
  yield line("pub", "-t a -m x -D connect receive-maximum 5 -D connect maximum-packet-size 1000 -d");
  yield line("pub", "-t a -m x -D publish message-expiry-interval 4294967295 -d");
  yield line("pub", "-t a -m x -D publish");
  yield line("pub", "-t a -m x -D publish content-type");
  yield line("pub", "-t a -m x -D publish user-property key");
  // 2.1 repeats the word.
  yield line("pub", "-t a -m x -D nothing content-type x", "errors");
  yield line("pub", "-t a -m x -D publish nothing x", "errors");
  yield line("pub", "-t a -m x -D connect content-type x");
  yield line("pub", "-t a -m x -D puback reason-string x");
  yield line("pub", "-t a -m x -D publish subscription-identifier 5");
  yield line("pub", "-t a -m x -D publish topic-alias 70000");
  yield line("pub", "-t a -m x -D publish message-expiry-interval 4294967296");
  yield line("pub", "-t a -m x -D publish content-type a -D publish content-type b");
  yield line("pub", "-t a -m x -D connect receive-maximum 0", "errors");
  yield line("pub", "-t a -m x -D connect receive-maximum many", "errors");
  yield line("pub", "-t a -m x -D publish payload-format-indicator 2", "code", "errors");
  yield line("pub", "-t a -m x -D publish response-topic a/#", "code", "errors");
  yield line("pub", "-t a -m x -D will content-type x", "code", "errors");
  yield line("pub", "-t a -m x -D connect session-expiry-interval 5 -V 311", "errors");
}

function* refused(): Generator<CommandLine> {
  yield line("pub", "-L http://localhost/a -m x", "errors");
  yield line("pub", "-L mqtt://localhost -m x");
  yield line("pub", "-m x", "out");
  yield line("pub", "-t a", "out");
  yield line("pub", "-t a -m x -v");
  yield line("pub", "-t a -m x -s");
  yield line("pub", "-t a -l -s");
  yield line("pub", "-t a -m x -m y");
  yield line("pub", "-t a -n -n");
  yield line("pub", "-t a -l -l");
  yield line("pub", "-t a -m x -o", "errors");
  yield line("sub", "-t a -m x");
  yield line("sub", "-t a -l");
  yield line("sub", "-v");
  yield line("sub", "-t kept/plain -R --retained-only");
  yield line("sub", "-t a --random-filter 0");
  yield line("sub", "-t a --random-filter 1000.5");
  yield line("sub", "-t a --random-filter");
  yield line("sub", "-t a -F %z");
  yield line("sub", "-t a -F %");
  yield line("sub", "-t a -F %5.3");
  yield line("sub", "-t a -F %%%");
  yield line("sub", "-t a -F @");
  yield line("sub", "-t a -F \\q");
  yield line("sub", "-t a -F x\\");
  yield line("rr", "-t a -m x");
  yield line("rr", "-t a -e b");
  yield line("rr", "-e b -m x");
  yield line("rr", "-t a -e b/# -m x");
  yield line("rr", "-t a/+ -e b -m x");
  yield line("rr", "-t a -e b -m x -l");
  yield line("rr", "-t a -e");
  yield line("rr", "-t a -e b -m x -D publish response-topic c");
}

function* receiving(): Generator<CommandLine> {
  for (const version of ["31", "311", "5"]) yield line("sub", `-V ${version} -t kept/plain -q 2 -C 1 -d -v`);
  yield line("sub", "-t kept/plain -C 1");
  yield line("sub", "-t kept/plain -C 1 -N");
  yield line("sub", "-t kept/plain -C 1 -N -v");
  yield line("sub", "-t kept/accents -C 1 -v");
  yield line("sub", "-t kept/bytes -C 1");
  yield line("sub", "-t many/1 -t many/2 -C 2 -v");
  yield line("sub", "-t many/# -C 3 -v -q 1");
  yield line("sub", "-t many/# -T many/1 -T many/sub/# -C 1 -v");
  yield line("sub", "-t many/+ -C 1 -F %t -T many/2");
  yield line("sub", "-L mqtt://localhost:{port}/many/1 -t many/2 -C 2 -v");
  yield line("sub", "-t a -t b -q 1 -E -d");
  yield line("sub", "-V 5 -t a --retain-as-published -q 1 -E -d");
  yield line("sub", "-V 5 -t a -R -E -d");
  yield line("sub", "-t a --retain-as-published -R -E -d");
  yield line("sub", "-t a -D subscribe user-property k v -D subscribe subscription-identifier 7 -E -d");
  yield line("sub", "-t a -c -q 1 -E -d");
  // mosquitto_sub 2.0 takes 100 for 10.
  yield line("sub", "-t kept/plain --random-filter 1000 -C 1 -v", "code", "out", "errors");
  yield line("sub", "-t kept/plain --retained-only -C 1 -v");
  yield line("sub", "-t a -W 1");
  yield line("sub", "-V 5 -t a -W 1 -d");
}

function* formats(): Generator<CommandLine> {
  yield shown("kept/plain", "%t|%p|%l|%q|%r|%m|%%|@@|\\\\");
  yield shown("kept/plain", "a\\tb\\nc\\rd\\ae\\ef\\vg\\0h");
  yield shown("kept/plain", "%20t|%-20t|%020t|%4.4t|%.4t|%-12.4t|%2t");
  yield shown("kept/plain", "%10p|%-10p|%010p|%3p|%-3p|%.3p");
  yield shown("kept/plain", "%5l|%-5l|%05l|%5m|%05m|%-5m");
  yield shown("kept/plain", "%x|%X");
  yield shown("kept/bytes", "%x|%X|%p|%l");
  yield shown("kept/bytes", "%20x|%-20x|%020X|%16x", "out");
  yield shown("kept/properties", "%C|%R|%D|%F|%P|%A|%S");
  yield shown("kept/properties", "%12C|%-12C|%012C|%.4C|%9R|%-9R|%4F|%04F|%-4F|%D|%P");
  yield shown("kept/plain", "%C|%R|%D|%E|%F|%P|%A|%S");
  yield shown("kept/plain", "%5C|%5R|%5E|%05F|%-5A|%5S");
  yield line("sub", [
    "-t",
    "kept/plain",
    "-C",
    "1",
    "-D",
    "subscribe",
    "subscription-identifier",
    "77",
    "-F",
    "%S|%5S",
  ]);
  yield shown(
    "kept/plain",
    "@Y-@m-@d @H @a @A @b @B @C @D @e @F @g @G @h @I @j @p @P @u @U @V @w @W @x @y @z @k @l @%",
  );
  yield shown("kept/plain", "@n@t@q@E");
  yield shown("kept/plain", "%j");
  yield shown("kept/accents", "%j");
  yield shown("kept/json", "%J");
  yield shown("kept/json", "%j");
  yield shown("kept/numbers", "%J");
  yield shown("kept/broken", "%J|%t");
  yield line("sub", ["-t", "kept/json", "-C", "1", "--pretty", "-F", "%J"]);
  yield line("sub", ["-t", "kept/plain", "-C", "1", "--pretty", "-q", "1", "-F", "%j"]);
  yield line("sub", ["-t", "many/#", "-C", "3", "-N", "-F", "%p "]);
  yield line("sub", ["-t", "kept/plain", "-C", "1", "-v", "-F", "%p"]);
}

function* requests(): Generator<CommandLine> {
  // The request is its own response. mosquitto_rr ends without a DISCONNECT.
  yield line("rr", "-t echo -e echo -m hello -W 5");
  yield line("rr", "-t echo -e echo -m hello -q 1 -v -W 5");
  yield line("rr", "-V 311 -t echo -e echo -m hello -q 2 -W 5");
  yield line("rr", "-t echo -e echo -m hello -N -W 5");
  yield line("rr", "-t echo -e echo -n -v -W 5");
  yield line("rr", [
    "-t",
    "echo",
    "-e",
    "echo",
    "-m",
    "hi",
    "-F",
    "%t %p %R %D",
    "-D",
    "publish",
    "correlation-data",
    "c",
    "-W",
    "5",
  ]);
  yield line("rr", "-t echo -e echo -f {folder}/payload -W 5", "out");
  yield withInput("from stdin", line("rr", "-t echo -e echo -s -W 5", "out"));
  yield line("rr", "-t echo -e echo -m hello -d -W 5", "out");
  yield line("rr", "-t nobody -e silence -m hello -W 1 -d");
}

/** All but those of passwd, that change files. */
export const COMMAND_LINES: readonly CommandLine[] = [
  ...publishing(),
  ...refused(),
  ...receiving(),
  ...formats(),
  ...requests(),
];
