/** The options of `lacewing sub`. */
import { type Qos, topicFilterFault } from "../../protocol/index.ts";
import { type Command, CommandLineError, type OptionTable, type ParsedOptions } from "../command-line.ts";
import { CONNECTION_OPTIONS, type ConnectionArguments, connectionOf } from "./connection-options.ts";

const SUBSCRIBE_OPTIONS = {
  topics: {
    group: "Subscription",
    short: "t",
    long: "topic",
    type: "text",
    argument: "topic",
    repeatable: true,
    help: "Topic filter to subscribe to.",
  },
  unsubscribes: {
    group: "Subscription",
    short: "U",
    long: "unsubscribe",
    type: "text",
    argument: "topic",
    repeatable: true,
    help: "Topic filter to unsubscribe from, after all -t.",
  },
  qos: {
    group: "Subscription",
    short: "q",
    long: "qos",
    type: "integer",
    argument: "QoS",
    min: 0,
    max: 2,
    default: 0,
    help: "Highest quality of service to get messages at.",
  },
  verbose: { group: "Output", short: "v", long: "verbose", type: "flag", help: "Show the topic before each message." },
  noNewline: { group: "Output", short: "N", type: "flag", help: "Do not end each message with a new line." },
  skipsRetained: { group: "Output", short: "R", type: "flag", help: "Do not show retained messages." },
  hides: {
    group: "Output",
    short: "T",
    long: "filter-out",
    type: "text",
    argument: "topic",
    repeatable: true,
    help: "Topic filter of messages not to show.",
  },
  count: {
    group: "Output",
    short: "C",
    type: "integer",
    argument: "count",
    min: 1,
    max: 2_147_483_647,
    invalid: 'Invalid message count "{}".',
    help: "End after so many messages.",
  },
  endsSubscribed: {
    group: "Output",
    short: "E",
    type: "flag",
    help: "End once the broker has granted the subscriptions.",
  },
  timeoutSeconds: {
    group: "Output",
    short: "W",
    type: "integer",
    argument: "seconds",
    min: 1,
    max: 2_147_483,
    invalid: 'Invalid timeout "{}".',
    help: "End after so long, with exit code 27.",
  },
} as const;
// Checked here and not at the table, whose type must be readable without inference.
SUBSCRIBE_OPTIONS satisfies OptionTable;

type Table = typeof SUBSCRIBE_OPTIONS & typeof CONNECTION_OPTIONS;

/** `lacewing sub`. */
export const SUB_COMMAND: Command<Table> = {
  name: "lacewing sub",
  summary: "Subscribes to topics of an MQTT broker and shows the messages that come.",
  usage: ["[-h HOST] [-p PORT] [-q QOS] [-v] [-C COUNT] [-W SECONDS] -t TOPIC [-t ...]"],
  options: { ...SUBSCRIBE_OPTIONS, ...CONNECTION_OPTIONS },
  notes: [
    "Exit code: 0 done; 1 wrong arguments or no connection; 27 the time of -W is over;",
    "otherwise the code with which the broker refused.",
  ],
};

/** What `lacewing sub` is to do. */
export interface SubscribeArguments extends ConnectionArguments {
  readonly topicFilters: readonly string[];
  readonly unsubscribes: readonly string[];
  readonly qos: Qos;
  readonly verbose: boolean;
  readonly noNewline: boolean;
  readonly skipsRetained: boolean;
  readonly hides: readonly string[];
  readonly count: number | null;
  readonly endsSubscribed: boolean;
  readonly timeoutSeconds: number | null;
  readonly debug: boolean;
  readonly quiet: boolean;
}

/**
 * Reads what the options say together.
 * @throws CommandLineError when something is missing or contradicts
 */
export function subscribeArgumentsOf(parsed: ParsedOptions<Table>): SubscribeArguments {
  const { topics, unsubscribes, hides, qos, verbose, noNewline, skipsRetained, endsSubscribed, debug, quiet } = parsed;
  if (topics.length === 0 && unsubscribes.length === 0) {
    throw new CommandLineError("You must specify a topic to subscribe to.");
  }
  checkFilters("subscription", topics);
  checkFilters("unsubscribe", unsubscribes);
  checkFilters("filter", hides);
  const connection = connectionOf(parsed);
  const count = parsed.count ?? null;
  return {
    ...connection,
    // The server need not send more than will be shown.
    receiveMaximum: Math.min(connection.receiveMaximum, count ?? Number.POSITIVE_INFINITY),
    topicFilters: topics,
    unsubscribes,
    qos: qos as Qos,
    verbose,
    noNewline,
    skipsRetained,
    hides,
    count,
    endsSubscribed,
    timeoutSeconds: parsed.timeoutSeconds ?? null,
    debug,
    quiet,
  };
}

function checkFilters(kind: string, topicFilters: readonly string[]): void {
  for (const topicFilter of topicFilters) {
    if (topicFilterFault(topicFilter, Number.POSITIVE_INFINITY) === null) continue;
    throw new CommandLineError(`Invalid ${kind} topic '${topicFilter}', are all '+' and '#' wildcards correct?`);
  }
}
