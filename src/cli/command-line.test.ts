import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Command,
  CommandLineError,
  commandLineErrorText,
  helpText,
  type OptionTable,
  parseCommandLine,
} from "./command-line.ts";

const OPTIONS = {
  host: {
    group: "Connection",
    short: "h",
    long: "host",
    argument: "host",
    type: "text",
    default: "localhost",
    help: "The broker's name.",
  },
  port: {
    group: "Connection",
    short: "p",
    long: "port",
    argument: "port",
    type: "integer",
    min: 1,
    max: 65_535,
    help: "Its port.",
  },
  version: {
    group: "Connection",
    short: "V",
    argument: "version",
    type: "choice",
    choices: { "5": 5, mqttv5: 5, "311": 4 },
    default: 4,
    invalid: "Invalid protocol version {} given.",
    help: "The version of MQTT.",
  },
  topics: {
    group: "What",
    short: "t",
    long: "topic",
    argument: "topic",
    type: "text",
    repeatable: true,
    help: "A topic.",
  },
  message: { group: "What", short: "m", argument: "message", type: "text", help: "The payload." },
  willTopic: { group: "What", long: "will-topic", argument: "will topic", type: "text", help: "Where the will goes." },
  debug: { group: "What", short: "d", type: "flag", help: "Say what happens." },
  help: { group: "What", long: "help", type: "flag", isFinal: true, help: "This text." },
} as const;

const COMMAND: Command<typeof OPTIONS> = {
  name: "lacewing try",
  summary: "Tries things.",
  usage: ["-t TOPIC", "--help"],
  options: OPTIONS,
};

const parse = (...args: string[]) => parseCommandLine(COMMAND, args);

test("nothing given: defaults, no values, no flags", () => {
  assert.deepEqual(parse(), {
    host: "localhost",
    port: undefined,
    version: 4,
    topics: [],
    message: undefined,
    willTopic: undefined,
    debug: false,
    help: false,
  });
});

test("short and long options, in any order, with the types of the table", () => {
  const options = parse(
    "-t",
    "a",
    "--host",
    "h",
    "-d",
    "--topic",
    "b",
    "-p",
    "8883",
    "-V",
    "mqttv5",
    "--will-topic",
    "w",
  );
  const { host, port, version, topics, willTopic, debug } = options;
  const typed: [string, number | undefined, 4 | 5, readonly string[], string | undefined, boolean] = [
    host,
    port,
    version,
    topics,
    willTopic,
    debug,
  ];
  assert.deepEqual(typed, ["h", 8883, 5, ["a", "b"], "w", true]);
});

test("the next argument is the value, whatever it looks like", () => {
  assert.equal(parse("-m", "-t").message, "-t");
  assert.equal(parse("-m", "").message, "");
  assert.equal(parse("-m", "--help").help, false);
});

test("of an option that is not repeatable the last counts", () => {
  assert.equal(parse("-h", "a", "-h", "b").host, "b");
});

test("after --help nothing is looked at", () => {
  assert.equal(parse("--help", "--nonsense").help, true);
});

for (const [args, message] of [
  [["--topc", "a"], "Unknown option '--topc'. Did you mean '--topic'?"],
  [["--hots", "a"], "Unknown option '--hots'. Did you mean '--host'?"],
  [["-T", "a"], "Unknown option '-T'."],
  [["-Z"], "Unknown option '-Z'."],
  [["-host", "a"], "Unknown option '-host'. Did you mean '--host'?"],
  [["--frobnicate"], "Unknown option '--frobnicate'."],
  [["--port=1883"], "Unknown option '--port=1883'. Did you mean '--port 1883'?"],
  [["-p1883"], "Unknown option '-p1883'. Did you mean '-p 1883'?"],
  [["-d", "stray"], "Unknown option 'stray'."],
  [["constructor"], "Unknown option 'constructor'."],
  [["-p"], "-p argument given but no port specified."],
  [["--will-topic"], "--will-topic argument given but no will topic specified."],
  [["-p", "70000"], "Invalid port given: 70000; allowed is 1 to 65535."],
  [["-p", "abc"], "Invalid port given: abc; allowed is 1 to 65535."],
  [["-p", "1e3"], "Invalid port given: 1e3; allowed is 1 to 65535."],
  [["-p", ""], "Invalid port given: ; allowed is 1 to 65535."],
  [["-V", "6"], "Invalid protocol version 6 given."],
  [["-V", "toString"], "Invalid protocol version toString given."],
] as const) {
  test(`refused: ${args.join(" ")}`, () => assert.throws(() => parse(...args), new CommandLineError(message)));
}

test("the text of an error names the way to the help", () => {
  const text = commandLineErrorText(COMMAND, new CommandLineError("Unknown option '-Z'."));
  assert.equal(text, "Error: Unknown option '-Z'.\n\nUse 'lacewing try --help' to see usage.\n");
});

test("help: summary, usage, and the options by group", () => {
  assert.equal(
    helpText(COMMAND),
    `Tries things.

Usage: lacewing try -t TOPIC
       lacewing try --help

Connection:
  -h, --host HOST           The broker's name. Defaults to localhost.
  -p, --port PORT           Its port.
  -V VERSION                The version of MQTT. Defaults to 311.

What:
  -t, --topic TOPIC         A topic. May be given several times.
  -m MESSAGE                The payload.
      --will-topic WILL-TOPIC
                            Where the will goes.
  -d                        Say what happens.
      --help                This text.
`,
  );
});

const WITH_OPERANDS: Command<OptionTable> = {
  name: "lacewing copy",
  summary: "Copies things.",
  usage: ["[-v] FROM [TO]"],
  options: {
    from: { group: "What", type: "operand", argument: "from", isRequired: true, help: "What is copied." },
    to: { group: "What", type: "operand", argument: "to", default: "here", help: "Where it goes." },
    verbose: { group: "What", short: "v", type: "flag", help: "Say what happens." },
    help: { group: "What", long: "help", type: "flag", isFinal: true, help: "This text." },
  },
};

test("arguments without a name fill the operands in order, wherever they stand", () => {
  const read = (...args: string[]) => parseCommandLine(WITH_OPERANDS, args);
  assert.deepEqual(read("a", "-v", "b"), { from: "a", to: "b", verbose: true, help: false });
  assert.deepEqual(read("a"), { from: "a", to: "here", verbose: false, help: false });
  assert.throws(() => read("-v"), new CommandLineError("No from given."));
  assert.throws(() => read("a", "b", "c"), new CommandLineError("Unknown option 'c'."));
  assert.throws(() => read("a", "-w"), new CommandLineError("Unknown option '-w'."));
  assert.equal(read("--help").help, true, "without what is required");
});

test("help: operands stand with the options", () => {
  assert.match(
    helpText(WITH_OPERANDS),
    /\n {2}FROM {22}What is copied\.\n {2}TO {24}Where it goes\. Defaults to here\.\n/,
  );
});
