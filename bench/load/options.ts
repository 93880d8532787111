// The generator's options: one table gives parsing, help text and types. Letters are those of mload.c.
// Must not open sockets or files.
import { parseArgs } from "node:util";

type Row = {
  short?: string;
  argument?: string;
  /** Lowest and highest value of a number; absent for text. */
  range?: readonly [number, number];
  default?: number | string;
  help: string;
};

const ROWS = {
  port: { short: "p", argument: "PORT", range: [1, 65_535], default: 1883, help: "the broker's port" },
  host: { argument: "HOST", default: "127.0.0.1", help: "the broker's address" },
  publishers: {
    short: "P",
    argument: "N",
    range: [1, 60_000],
    default: 1,
    help: "publishers, each with a topic of its own",
  },
  subscribers: {
    short: "S",
    argument: "N",
    range: [0, 60_000],
    default: 1,
    help: "subscribers; k takes publishers k, k+S, ...",
  },
  qos: { short: "q", argument: "QOS", range: [0, 2], default: 0, help: "of publishes and subscriptions" },
  payload: { short: "l", argument: "BYTES", range: [0, 268_000_000], default: 64, help: "payload" },
  window: { short: "w", argument: "N", range: [1, 10_000_000], default: 1000, help: "most messages under way" },
  messages: { short: "n", argument: "N", range: [1, 1e12], default: 100_000, help: "messages to send" },
  duration: { short: "d", argument: "SECONDS", range: [0, 1e6], default: 0, help: "send for so long, instead of -n" },
  rate: {
    short: "R",
    argument: "N",
    range: [0, 1e9],
    default: 0,
    help: "messages a second, all publishers together; 0: no limit",
  },
  version: { short: "v", argument: "3|4|5", range: [3, 5], default: 4, help: "MQTT 3.1, 3.1.1 or 5.0" },
  pid: {
    short: "i",
    argument: "PID",
    range: [0, 1e9],
    default: 0,
    help: "the broker's process, for its CPU time and memory",
  },
  "fan-out": { short: "f", help: "every subscriber gets every message" },
  wildcard: { short: "W", help: "with -f: by bench/+/+/# instead of bench/load/#" },
  shared: { short: "g", help: "the subscribers are one shared group" },
  retain: { short: "r", help: "publish retained messages" },
  topics: {
    argument: "N",
    range: [1, 1_000_000],
    default: 1,
    help: "topics of each publisher, one after the other; without subscribers",
  },
  durable: { short: "D", help: "the subscribers have durable Sessions, which are ended after the run" },
  idle: { short: "I", argument: "N", range: [0, 1e6], default: 0, help: "only open this many idle connections" },
  settle: {
    short: "s",
    argument: "SECONDS",
    range: [0, 600],
    default: 10,
    help: "with --idle: most time for memory to settle",
  },
  offline: { help: "fill the queues of offline durable subscribers, then drain them" },
  subscriptions: {
    argument: "N",
    range: [0, 1e7],
    default: 0,
    help: "cost of a publish with 100 and with N subscriptions, held by 100 clients",
  },
  tls: { help: "connect by TLS" },
  ca: { argument: "FILE", default: "", help: "certificates (PEM) that may sign the broker's; implies --tls" },
  insecure: { help: "do not check the broker's certificate; implies --tls" },
  limit: { short: "t", argument: "SECONDS", range: [0.001, 1e6], default: 60, help: "give up after so long: TIMEOUT" },
  label: { short: "N", argument: "TEXT", default: "", help: "put before the result" },
  json: { short: "j", help: "one line of JSON" },
  help: { short: "h", help: "this text" },
} as const satisfies Record<string, Row>;

type Rows = typeof ROWS;
type ValueOf<R> = R extends { default: infer D } ? (D extends number ? number : string) : boolean;
export type LoadOptions = { -readonly [Name in keyof Rows]: ValueOf<Rows[Name]> };

/** Thrown for arguments that make no sense; the message is for the user. */
export class OptionError extends Error {}

/** The help text, one line for each option. */
export function helpText(): string {
  const lines = Object.entries<Row>(ROWS).map(([name, row]) => {
    const short = row.short === undefined ? "    " : `-${row.short}, `;
    const fallback = row.default === undefined || row.default === "" ? "" : ` [${row.default}]`;
    const argument = row.argument === undefined ? "" : ` ${row.argument}`;
    return `  ${short}${`--${name}${argument}`.padEnd(24)} ${row.help}${fallback}`;
  });
  return `node build/bench/load.js [OPTIONS]: an MQTT load generator; every message is counted\n${lines.join("\n")}\n`;
}

/** Reads command-line arguments; throws an OptionError that names what was wrong and what is allowed. */
export function parseLoadOptions(args: readonly string[]): LoadOptions {
  const values = parseText(args);
  const options: Record<string, number | string | boolean> = {};
  for (const [name, row] of Object.entries<Row>(ROWS)) options[name] = optionValue(name, row, values[name]);
  const checked = options as LoadOptions;
  if (checked.ca !== "" || checked.insecure) checked.tls = true;
  if (checked.offline && checked.qos === 0) checked.qos = 1;
  refuseContradictions(checked);
  return checked;
}

function parseText(args: readonly string[]): Record<string, string | boolean | undefined> {
  const config: Record<string, { type: "string" | "boolean"; short?: string }> = {};
  for (const [name, row] of Object.entries<Row>(ROWS)) {
    const type = row.default === undefined ? "boolean" : "string";
    config[name] = row.short === undefined ? { type } : { type, short: row.short };
  }
  try {
    return parseArgs({ args: [...args], options: config, strict: true }).values as Record<string, string | boolean>;
  } catch (error) {
    throw new OptionError((error as Error).message);
  }
}

function optionValue(name: string, row: Row, text: string | boolean | undefined): number | string | boolean {
  if (row.default === undefined) return text === true;
  if (text === undefined) return row.default;
  if (row.range === undefined) return String(text);
  const value = Number(text);
  const [lowest, highest] = row.range;
  const isCount = row.argument !== "SECONDS";
  if (
    text === "" ||
    Number.isNaN(value) ||
    value < lowest ||
    value > highest ||
    (isCount && !Number.isInteger(value))
  ) {
    throw new OptionError(`--${name} is ${JSON.stringify(text)}; allowed is ${lowest} to ${highest}`);
  }
  return value;
}

function refuseContradictions(options: LoadOptions): void {
  const inPairs = !options["fan-out"] && !options.shared && options.idle === 0 && options.subscriptions === 0;
  if (inPairs && options.subscribers > options.publishers) {
    throw new OptionError("more subscribers than publishers need --fan-out or --shared");
  }
  if (options.offline && (options.shared || options.subscribers === 0)) {
    throw new OptionError("--offline needs subscribers of their own: no --shared, and --subscribers of 1 or more");
  }
  if (options.topics > 1 && (options.subscribers > 0 || options.offline)) {
    throw new OptionError("--topics is for publishers alone: give --subscribers 0");
  }
  if (options.subscriptions > 0 && options.subscriptions < 100) {
    throw new OptionError("--subscriptions is compared with 100: give 100 or more");
  }
  if (options.qos > 0 && options.window / options.publishers > 65_535) {
    throw new OptionError("a publisher has at most 65535 packet identifiers: lower --window");
  }
}
