/** The options of `lacewing bench`. */
import { type Qos, topicFilterFault, topicNameFault } from "../../protocol/index.ts";
import { type Command, CommandLineError, type OptionTable, type ParsedOptions } from "../command-line.ts";
import { CONNECTION_OPTIONS, type ConnectionArguments, connectionOf } from "./connection-options.ts";
import { secondsOf } from "./seconds.ts";

const LOAD = {
  publishers: {
    group: "Load",
    long: "publishers",
    type: "integer",
    argument: "count",
    min: 0,
    max: 1_000_000,
    default: 1,
    help: "Clients that publish.",
  },
  subscribers: {
    group: "Load",
    long: "subscribers",
    type: "integer",
    argument: "count",
    min: 0,
    max: 1_000_000,
    default: 1,
    help: "Clients that subscribe.",
  },
  connections: {
    group: "Load",
    long: "connections",
    type: "integer",
    argument: "count",
    min: 0,
    max: 1_000_000,
    default: 0,
    help: "Clients besides that only keep their connection.",
  },
  topic: {
    group: "Load",
    short: "t",
    long: "topic",
    type: "text",
    argument: "topic",
    default: "lacewing/bench/%p/%n",
    help: "Where to publish; %n is the number of the publisher from 0, %p that of this process.",
  },
  filter: {
    group: "Load",
    long: "filter",
    type: "text",
    argument: "topic filter",
    help: "What each subscriber subscribes to; %n is its number from 0. Without it publishers are dealt out among subscribers, or subscribers among publishers, whichever are more.",
  },
  qos: {
    group: "Load",
    short: "q",
    long: "qos",
    type: "integer",
    argument: "QoS",
    min: 0,
    max: 2,
    default: 0,
    help: "Quality of service, of what is published and of the subscriptions.",
  },
  retain: { group: "Load", short: "r", long: "retain", type: "flag", help: "Have the broker retain the messages." },
  size: {
    group: "Load",
    short: "s",
    long: "size",
    type: "integer",
    argument: "bytes",
    min: 8,
    max: 268_435_455,
    default: 64,
    help: "Bytes of each payload; the first eight are the time.",
  },
  rate: {
    group: "Load",
    long: "rate",
    type: "text",
    argument: "messages",
    help: "Messages a second, of all publishers together; without it as many as go.",
  },
  duration: {
    group: "Load",
    long: "duration",
    type: "text",
    argument: "seconds",
    default: "10",
    help: "How long to measure, in seconds; fractions are allowed.",
  },
  messages: {
    group: "Load",
    long: "messages",
    type: "integer",
    argument: "count",
    min: 1,
    max: 1_000_000_000_000,
    help: "Stop after so many messages, if the time is not over before.",
  },
  warmUp: {
    group: "Load",
    long: "warm-up",
    type: "text",
    argument: "seconds",
    default: "1",
    help: "Publish so long before measuring.",
  },
  rampUp: {
    group: "Load",
    long: "ramp-up",
    type: "text",
    argument: "seconds",
    default: "0",
    help: "Spread the connecting over so many seconds; 0: as fast as the broker takes it.",
  },
  json: { group: "Output", long: "json", type: "flag", help: "The summary as one line of JSON." },
} as const;

type Table = typeof LOAD & typeof CONNECTION_OPTIONS;

/** `lacewing bench`. */
export const BENCH_COMMAND: Command<Table> = {
  name: "lacewing bench",
  summary: "Measures what an MQTT broker can do, with many clients in this process.",
  usage: [
    "[-h HOST] [-p PORT] [--publishers N] [--subscribers N] [-q QOS] [-s BYTES] [--rate N]",
    "--publishers 0 --subscribers 0 --connections N [--ramp-up SECONDS]",
  ],
  options: { ...LOAD, ...CONNECTION_OPTIONS } satisfies OptionTable,
  examples: [
    ["What the broker can carry", "-h broker.example -q 1"],
    ["How long a message takes under a load", "-h broker.example -q 1 --publishers 100 --subscribers 100 --rate 10000"],
    ["Ten thousand clients that only stay", "--publishers 0 --subscribers 0 --connections 10000 --ramp-up 30"],
    ["A group of workers", "--publishers 4 --subscribers 4 --filter '$share/workers/lacewing/bench/#'"],
  ],
  notes: [
    "Ctrl-C ends it with the summary so far. Latency is from the publisher's hands into the subscriber's,",
    "both in this process; at a fixed rate what is late counts from when it was due. As many messages as",
    "go fill every queue on the way, and latency with them: give --rate to measure latency.",
    "Exit code: 0 done; 1 wrong arguments or no connection; 2 a client was refused or lost its connection,",
    "or messages at QoS 1 or 2 were lost; 130 interrupted.",
  ],
};

/** What `lacewing bench` is to do. */
export interface BenchArguments extends ConnectionArguments {
  readonly publishers: number;
  readonly subscribers: number;
  readonly connections: number;
  readonly topic: string;
  readonly filter: string | null;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly payloadBytes: number;
  /** Of all publishers together; null: as many as go. */
  readonly messagesPerSecond: number | null;
  readonly durationMs: number;
  /** Most messages of all publishers together. */
  readonly mostMessages: number;
  readonly warmUpMs: number;
  readonly rampUpMs: number;
  readonly json: boolean;
  readonly debug: boolean;
  readonly quiet: boolean;
}

/**
 * Reads what the options say together.
 * @throws CommandLineError when something is missing or contradicts
 */
export function benchArgumentsOf(parsed: ParsedOptions<Table>): BenchArguments {
  const { publishers, subscribers, connections, topic, filter = null, qos, retain, size, rate, json } = parsed;
  if (publishers + subscribers + connections === 0) {
    throw new CommandLineError("No clients: give --publishers, --subscribers or --connections.");
  }
  const topicFault = topicNameFault(numbered(topic, 0), Number.POSITIVE_INFINITY);
  if (topicFault !== null) throw new CommandLineError(`Invalid topic '${topic}': ${topicFault}.`);
  const filterFault = filter === null ? null : topicFilterFault(numbered(filter, 0), Number.POSITIVE_INFINITY);
  if (filterFault !== null) throw new CommandLineError(`Invalid topic filter '${filter}': ${filterFault}.`);
  return {
    ...connectionOf(parsed),
    ...{ publishers, subscribers, connections, topic, filter, retain, json },
    qos: qos as Qos,
    payloadBytes: size,
    messagesPerSecond: rate === undefined ? null : rateOf(rate),
    durationMs: secondsOf("--duration", parsed.duration) * 1000,
    mostMessages: parsed.messages ?? Number.POSITIVE_INFINITY,
    warmUpMs: secondsOf("--warm-up", parsed.warmUp) * 1000,
    rampUpMs: secondsOf("--ramp-up", parsed.rampUp) * 1000,
    debug: parsed.debug,
    quiet: parsed.quiet,
  };
}

/** `pattern` for the client with a number. */
export function numbered(pattern: string, number: number): string {
  return pattern.replaceAll("%p", String(process.pid)).replaceAll("%n", String(number));
}

const MOST_PER_SECOND = 10_000_000;

function rateOf(text: string): number {
  const rate = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (rate > 0 && rate <= MOST_PER_SECOND) return rate;
  throw new CommandLineError(
    `Invalid --rate '${text}': allowed are more than 0 and up to ${MOST_PER_SECOND} messages a second.`,
  );
}
