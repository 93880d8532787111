/** The options of the commands that ask a running broker: why, why-not, clients, top, record. */
import { topicNameFault } from "../../protocol/index.ts";
import { type Command, CommandLineError, type OptionTable, type ParsedOptions } from "../command-line.ts";
import { CONNECTION_OPTIONS, type ConnectionArguments, connectionOf } from "./connection-options.ts";
import { LANGUAGE_OPTION } from "./language-option.ts";

/** Where and as whom to ask. */
export interface AskArguments extends ConnectionArguments {
  readonly debug: boolean;
  readonly quiet: boolean;
}

const CLIENT_OPERAND = {
  client: {
    group: "Client",
    type: "operand",
    argument: "client",
    isRequired: true,
    help: "The client identifier.",
  },
} as const;
CLIENT_OPERAND satisfies OptionTable;

const JSON_OPTION = {
  json: { group: "Output", long: "json", type: "flag", help: "Show JSON." },
} as const;
JSON_OPTION satisfies OptionTable;

const FOLLOW_OPTIONS = {
  forTime: {
    group: "Recording",
    long: "for",
    type: "text",
    argument: "time",
    help: "How long, as in 30s, 10m or 2h.",
  },
  pcap: {
    group: "Recording",
    long: "pcap",
    type: "text",
    argument: "file",
    help: "Write what passes to a file for Wireshark (pcapng).",
  },
  size: {
    group: "Recording",
    long: "size",
    type: "integer",
    argument: "megabytes",
    min: 1,
    max: 100_000,
    default: 100,
    help: "End when the file has so many megabytes.",
  },
} as const;
FOLLOW_OPTIONS satisfies OptionTable;

const WHY_OPTIONS = {
  limit: {
    group: "Client",
    long: "limit",
    type: "integer",
    argument: "count",
    min: 1,
    max: 50,
    default: 5,
    help: "How many of its last connections to show.",
  },
  follow: { group: "Recording", long: "follow", type: "flag", help: "Show the packets that pass from now on." },
} as const;
WHY_OPTIONS satisfies OptionTable;

const ASK_NOTES: readonly string[] = [
  "The broker must be Lacewing. It answers clients on its own machine; where rules say who may write to",
  "$CONTROL/lacewing/v1, those clients.",
];

type WhyTable = typeof CLIENT_OPERAND &
  typeof LANGUAGE_OPTION &
  typeof WHY_OPTIONS &
  typeof FOLLOW_OPTIONS &
  typeof JSON_OPTION &
  typeof CONNECTION_OPTIONS;

/** `lacewing why`. */
export const WHY_COMMAND: Command<WhyTable> = {
  name: "lacewing why",
  summary: "Says why a client went: its last connections, who ended them, by which rule, and what passed before.",
  usage: ["CLIENT [-h HOST] [-p PORT]", "CLIENT --follow [--for TIME] [--pcap FILE]"],
  options: {
    ...CLIENT_OPERAND,
    ...WHY_OPTIONS,
    ...FOLLOW_OPTIONS,
    ...LANGUAGE_OPTION,
    ...JSON_OPTION,
    ...CONNECTION_OPTIONS,
  },
  notes: [
    ...ASK_NOTES,
    "",
    "Exit code: 0 something is known of the client, 1 nothing is or the broker did not answer.",
  ],
};

type RecordTable = typeof CLIENT_OPERAND & typeof FOLLOW_OPTIONS & typeof CONNECTION_OPTIONS;

/** `lacewing record`. */
export const RECORD_COMMAND: Command<RecordTable> = {
  name: "lacewing record",
  summary: "Records everything that passes between a client and the broker, for Wireshark and lacewing replay.",
  usage: ["CLIENT --pcap FILE [--for TIME] [--size MEGABYTES]"],
  options: { ...CLIENT_OPERAND, ...FOLLOW_OPTIONS, ...CONNECTION_OPTIONS },
  notes: ["Passwords are made unreadable; payloads are not.", "", ...ASK_NOTES],
};

type ClientsTable = typeof JSON_OPTION & typeof CONNECTION_OPTIONS;

/** `lacewing clients`. */
export const CLIENTS_COMMAND: Command<ClientsTable> = {
  name: "lacewing clients",
  summary: "Lists the clients that are connected, and those that are away and remembered.",
  usage: ["[-h HOST] [-p PORT] [--json]"],
  options: { ...JSON_OPTION, ...CONNECTION_OPTIONS },
  notes: ASK_NOTES,
};

const TOP_OPTIONS = {
  every: {
    group: "Output",
    long: "every",
    type: "integer",
    argument: "seconds",
    min: 1,
    max: 3600,
    default: 2,
    help: "Seconds from one picture to the next.",
  },
  times: {
    group: "Output",
    long: "times",
    type: "integer",
    argument: "count",
    min: 1,
    max: 1_000_000,
    help: "End after so many pictures.",
  },
} as const;
TOP_OPTIONS satisfies OptionTable;

/** `lacewing top`. */
export const TOP_COMMAND: Command<typeof TOP_OPTIONS & typeof CONNECTION_OPTIONS> = {
  name: "lacewing top",
  summary: "Shows the busiest clients, again and again.",
  usage: ["[-h HOST] [-p PORT] [--every SECONDS] [--times COUNT]"],
  options: { ...TOP_OPTIONS, ...CONNECTION_OPTIONS },
  notes: ASK_NOTES,
};

const WHY_NOT_OPTIONS = {
  topic: {
    group: "Message",
    short: "t",
    long: "topic",
    type: "text",
    argument: "topic",
    help: "The topic that the message is published to.",
  },
  to: { group: "Message", long: "to", type: "text", argument: "client", help: "Who should get it." },
  from: {
    group: "Message",
    long: "from",
    type: "text",
    argument: "client",
    help: "Who publishes it; without it, anybody who may.",
  },
  qos: {
    group: "Message",
    short: "q",
    long: "qos",
    type: "integer",
    argument: "QoS",
    min: 0,
    max: 2,
    default: 0,
    help: "Its quality of service.",
  },
  retain: { group: "Message", short: "r", long: "retain", type: "flag", help: "It is retained." },
  payloadBytes: {
    group: "Message",
    long: "payload-bytes",
    type: "integer",
    argument: "bytes",
    min: 0,
    max: 268_435_455,
    default: 0,
    help: "Length of its payload.",
  },
} as const;
WHY_NOT_OPTIONS satisfies OptionTable;

type WhyNotTable = typeof WHY_NOT_OPTIONS & typeof LANGUAGE_OPTION & typeof JSON_OPTION & typeof CONNECTION_OPTIONS;

/** `lacewing why-not`. */
export const WHY_NOT_COMMAND: Command<WhyNotTable> = {
  name: "lacewing why-not",
  summary: "Says whether a message would reach a client now, and what stops it if not.",
  usage: ["--topic TOPIC --to CLIENT [--from CLIENT] [-q QOS] [--retain] [--payload-bytes N]"],
  options: { ...WHY_NOT_OPTIONS, ...LANGUAGE_OPTION, ...JSON_OPTION, ...CONNECTION_OPTIONS },
  notes: [
    ...ASK_NOTES,
    "",
    "Exit code: 0 it would be delivered or queued, 2 it would not, 1 the broker did not answer.",
  ],
};

/**
 * Where and as whom to ask. Requests need MQTT 5.0.
 * @throws CommandLineError when an option does not fit
 */
export function askArgumentsOf(parsed: ParsedOptions<typeof CONNECTION_OPTIONS>): AskArguments {
  if (parsed.version !== undefined && parsed.version !== 5)
    throw new CommandLineError("Requests to the broker need MQTT 5: leave out -V, or give -V 5.");
  return { ...connectionOf(parsed, 5), debug: parsed.debug, quiet: parsed.quiet };
}

/** The question of `lacewing why-not`. */
export interface WhyNotArguments {
  readonly topicName: string;
  readonly to: string;
  readonly from: string | null;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly payloadBytes: number;
}

/**
 * Reads the question.
 * @throws CommandLineError when a part of it is missing
 */
export function whyNotArgumentsOf(parsed: ParsedOptions<typeof WHY_NOT_OPTIONS>): WhyNotArguments {
  const { topic, to, from = null, qos, retain, payloadBytes } = parsed;
  if (topic === undefined || to === undefined)
    throw new CommandLineError("Both --topic and --to must be given: which message, and for whom?");
  const fault = topicNameFault(topic);
  if (fault !== null) throw new CommandLineError(`Nothing can be published to '${topic}': the ${fault}.`);
  return { topicName: topic, to, from, qos: qos as 0 | 1 | 2, retain, payloadBytes };
}

/**
 * Seconds of a text as 30s, 10m, 2h, or 45; null: none was given.
 * @throws CommandLineError when it is something else
 */
export function secondsOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const [, digits, unit = "s"] = /^(\d{1,6})([smh]?)$/.exec(text) ?? [];
  const seconds = Number(digits) * { s: 1, m: 60, h: 3600, "": 1 }[unit as "s" | "m" | "h" | ""];
  if (seconds >= 1 && seconds <= 86_400) return seconds;
  throw new CommandLineError(`Invalid time '${text}' for --for; allowed is 1s to 24h, as in 30s, 10m or 2h.`);
}
