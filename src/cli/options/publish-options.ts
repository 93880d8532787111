/** The options of `lacewing pub`. */
import { type Qos, topicNameFault } from "../../protocol/index.ts";
import { type Command, CommandLineError, type OptionTable, type ParsedOptions } from "../command-line.ts";
import { CONNECTION_OPTIONS, type ConnectionArguments, connectionOf } from "./connection-options.ts";
import { MESSAGE_OPTIONS, type PayloadSource, sourceOf } from "./message-options.ts";

const TOPIC = {
  topic: { group: "Message", short: "t", long: "topic", type: "text", argument: "topic", help: "Where to publish." },
} as const;

const PUBLISH = {
  readsLines: {
    group: "Message",
    short: "l",
    long: "stdin-line",
    type: "flag",
    help: "Publish each line of standard input.",
    again: "Only one type of message can be sent at once.",
  },
  qos: {
    group: "Message",
    short: "q",
    long: "qos",
    type: "integer",
    argument: "QoS",
    min: 0,
    max: 2,
    help: "Quality of service: 0 at most once, 1 at least once, 2 exactly once. Defaults to 0, with --strict to 1.",
  },
  retain: { group: "Message", short: "r", long: "retain", type: "flag", help: "Have the broker retain the message." },
  repeat: {
    group: "Message",
    long: "repeat",
    type: "integer",
    argument: "count",
    min: 1,
    max: 2_147_483_647,
    default: 1,
    invalid: "--repeat argument must be >0.",
    help: "Publish so many times; not with -l.",
  },
  repeatDelay: {
    group: "Message",
    long: "repeat-delay",
    type: "text",
    argument: "seconds",
    missing: "--repeat-delay argument given but no time specified.",
    default: "0",
    help: "Wait so long between them; fractions are allowed.",
  },
  isStrict: {
    group: "Message",
    long: "strict",
    type: "flag",
    help: "End with an exit code other than 0 when the broker refused a message or had nobody to give it to. That it says at QoS 1 and 2 of version 5, so this selects both unless -q or -V says otherwise.",
  },
} as const;

type PublishTable = typeof TOPIC & typeof MESSAGE_OPTIONS & typeof PUBLISH;

const PUBLISH_OPTIONS: PublishTable = { ...TOPIC, ...MESSAGE_OPTIONS, ...PUBLISH };
// Checked here and not at the table, whose type must be readable without inference.
PUBLISH_OPTIONS satisfies OptionTable;

type Table = PublishTable & typeof CONNECTION_OPTIONS;

/** `lacewing pub`. */
export const PUB_COMMAND: Command<Table> = {
  name: "lacewing pub",
  summary: "Publishes messages to an MQTT broker.",
  usage: [
    "[-h HOST] [-p PORT] [-q QOS] [-r] -t TOPIC {-m MESSAGE | -n | -f FILE | -s | -l}",
    "[OPTIONS] -L URL {-m MESSAGE | -n | -f FILE | -s | -l}",
  ],
  options: { ...PUBLISH_OPTIONS, ...CONNECTION_OPTIONS },
  configName: "mosquitto_pub",
  examples: [
    ["One message, and be sure that the broker has it", "-h broker.example -t sensors/7/temperature -m 21.5 -q 1"],
    ["Kept for those who subscribe later", "-r -t lamps/kitchen -m on"],
    ["No longer kept", "-r -t lamps/kitchen -n"],
    ["Each line of a file as a message", "-t log -l < log.txt"],
    ["By TLS with a user name", "-L mqtts://ann:secret@broker.example/t -m x --cafile ca.pem"],
    ["Fail when nobody got it", "--strict -t command/7 -m reboot"],
  ],
  notes: [
    "Exit code: 0 done; 1 wrong arguments or no connection; 7 connection lost;",
    "otherwise the code with which the broker refused; with --strict also when it refused a message.",
  ],
};

/** What `lacewing pub` is to do. */
export interface PublishArguments extends ConnectionArguments {
  readonly topicName: string;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly source: PayloadSource | { readonly from: "lines" };
  readonly repeat: number;
  readonly repeatDelayMs: number;
  readonly isStrict: boolean;
  readonly debug: boolean;
  readonly quiet: boolean;
}

/**
 * Reads what the options say together.
 * @throws CommandLineError when something is missing or contradicts
 */
export function publishArgumentsOf(parsed: ParsedOptions<Table>): PublishArguments {
  const { topic, isStrict, qos = isStrict ? 1 : 0, retain, repeat, debug, quiet } = parsed;
  const single = sourceOf(parsed, parsed.readsLines ? 1 : 0);
  const source = parsed.readsLines ? ({ from: "lines" } as const) : single;
  const connection = connectionOf(parsed, isStrict ? 5 : 4);
  const repeatDelayMs = delayOf(parsed.repeatDelay);
  if (topic !== undefined && topicNameFault(topic, Number.POSITIVE_INFINITY) !== null) {
    throw new CommandLineError(
      topic === "" ? "The topic is empty." : `Invalid publish topic '${topic}', does it contain '+' or '#'?`,
    );
  }
  if (topic === undefined || source === null) throw new CommandLineError("Both topic and message must be supplied.");
  return {
    ...connection,
    topicName: topic,
    qos: qos as Qos,
    retain,
    source,
    repeat,
    repeatDelayMs,
    isStrict,
    debug,
    quiet,
  };
}

function delayOf(text: string): number {
  const seconds = /^\d+(\.\d*)?$|^\.\d+$/.test(text) ? Number(text) : Number.NaN;
  if (seconds >= 0 && seconds <= 2_147_483) return seconds * 1000;
  throw new CommandLineError("--repeat-delay argument must be >=0.0.");
}
