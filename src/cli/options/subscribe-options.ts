/** The options of `lacewing sub`. */
import { type Qos, topicFilterFault } from "../../protocol/index.ts";
import { type Command, CommandLineError, type OptionTable, type ParsedOptions } from "../command-line.ts";
import { CONNECTION_OPTIONS, type ConnectionArguments, connectionOf } from "./connection-options.ts";
import { FORMAT_NOTES, OUTPUT_OPTIONS, type OutputArguments, outputOf } from "./output-options.ts";

const SUBSCRIBE_OPTIONS = {
  topic: {
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
    argument: "unsubscribe topic",
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
  hides: {
    group: "Output",
    short: "T",
    long: "filter-out",
    type: "text",
    argument: "topic filter",
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
    missing: "-W argument given but no timeout specified.",
    min: 1,
    max: 2_147_483,
    invalid: 'Invalid timeout "{}".',
    help: "End after so long, with exit code 27.",
  },
  retainedOnly: {
    group: "Output",
    long: "retained-only",
    type: "flag",
    help: "Show retained messages only, and end with the first that is not.",
  },
  removesRetained: {
    group: "Output",
    long: "remove-retained",
    type: "flag",
    help: "Have the broker drop each retained message that comes, except those of -T.",
  },
  chance: {
    group: "Output",
    long: "random-filter",
    type: "text",
    argument: "chance",
    default: "100",
    help: "Show so many percent of the messages, by chance.",
  },
  isWatch: {
    group: "Output",
    short: "w",
    long: "watch",
    type: "flag",
    help: "Give each topic a line of the screen that shows its last message.",
  },
  isRate: {
    group: "Output",
    long: "message-rate",
    type: "flag",
    help: "Show how many messages came in each second, instead of the messages.",
  },
} as const;
// Checked here and not at the table, whose type must be readable without inference.
SUBSCRIBE_OPTIONS satisfies OptionTable;

type Table = typeof SUBSCRIBE_OPTIONS & typeof OUTPUT_OPTIONS & typeof CONNECTION_OPTIONS;

/** `lacewing sub`. */
export const SUB_COMMAND: Command<Table> = {
  name: "lacewing sub",
  summary: "Subscribes to topics of an MQTT broker and shows the messages that come.",
  usage: ["[-h HOST] [-p PORT] [-q QOS] [-v] [-C COUNT] [-W SECONDS] -t TOPIC [-t ...]", "[OPTIONS] -L URL [-t TOPIC]"],
  options: { ...SUBSCRIBE_OPTIONS, ...OUTPUT_OPTIONS, ...CONNECTION_OPTIONS },
  configName: "mosquitto_sub",
  examples: [
    ["Everything, with its topics", "-h broker.example -t '#' -v"],
    ["One message, for at most five seconds", "-t sensors/7/temperature -C 1 -W 5"],
    ["For a program: one line of JSON each", "-t 'sensors/#' --json"],
    ["Time, topic and payload in hexadecimal", "-t '#' -F '%I %t %x'"],
    ["Keep a session, so that nothing is missed while this does not run", "-t 'orders/#' -q 1 -c -i archive"],
  ],
  notes: [
    ...FORMAT_NOTES,
    "",
    "Exit code: 0 done; 1 wrong arguments or no connection; 27 the time of -W is over;",
    "otherwise the code with which the broker refused.",
  ],
};

/** What `lacewing sub` is to do. */
export interface SubscribeArguments extends ConnectionArguments, OutputArguments {
  readonly topicFilters: readonly string[];
  readonly unsubscribes: readonly string[];
  readonly qos: Qos;
  readonly hides: readonly string[];
  readonly count: number | null;
  readonly endsSubscribed: boolean;
  readonly timeoutSeconds: number | null;
  readonly retainedOnly: boolean;
  readonly removesRetained: boolean;
  /** That a message is shown, 0 to 1. */
  readonly chance: number;
  readonly isWatch: boolean;
  readonly isRate: boolean;
  readonly debug: boolean;
  readonly quiet: boolean;
}

/**
 * Reads what the options say together.
 * @throws CommandLineError when something is missing or contradicts
 */
export function subscribeArgumentsOf(parsed: ParsedOptions<Table>): SubscribeArguments {
  const { topic, unsubscribes, hides, qos, endsSubscribed, retainedOnly, removesRetained, debug, quiet } = parsed;
  const output = outputOf(parsed);
  checkFilters("subscription", topic);
  checkFilters("unsubscribe", unsubscribes);
  checkFilters("filter", hides);
  const chance = chanceOf(parsed.chance);
  const connection = connectionOf(parsed);
  if (topic.length === 0 && unsubscribes.length === 0) {
    throw new CommandLineError("You must specify a topic to subscribe to (-t) or unsubscribe from (-U).");
  }
  if (retainedOnly && output.skipsRetained) {
    throw new CommandLineError("Combining '-R' and '--retained-only' makes no sense.");
  }
  const count = parsed.count ?? null;
  return {
    ...connection,
    ...output,
    // What is to be removed must come.
    retainHandling: removesRetained ? (parsed.retainHandling ?? 0) : output.retainHandling,
    // The server need not send more than will be shown.
    receiveMaximum: Math.min(connection.receiveMaximum, count ?? Number.POSITIVE_INFINITY),
    topicFilters: topic,
    unsubscribes,
    qos: qos as Qos,
    hides,
    count,
    endsSubscribed,
    timeoutSeconds: parsed.timeoutSeconds ?? null,
    retainedOnly,
    removesRetained,
    chance,
    isWatch: parsed.isWatch,
    isRate: parsed.isRate,
    debug,
    quiet,
  };
}

function chanceOf(text: string): number {
  const percent = /^\d+(\.\d*)?$|^\.\d+$/.test(text) ? Number(text) : Number.NaN;
  if (percent >= 0.1 && percent <= 100) return percent / 100;
  throw new CommandLineError("--random-filter chance must be between 0.1-100.0");
}

function checkFilters(kind: string, topicFilters: readonly string[]): void {
  for (const topicFilter of topicFilters) {
    if (topicFilterFault(topicFilter, Number.POSITIVE_INFINITY) === null) continue;
    throw new CommandLineError(`Invalid ${kind} topic '${topicFilter}', are all '+' and '#' wildcards correct?`);
  }
}
