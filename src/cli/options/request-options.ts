/** The options of `lacewing rr`. */
import { type Properties, type Qos, topicNameFault } from "../../protocol/index.ts";
import { type Command, CommandLineError, type OptionTable, type ParsedOptions } from "../command-line.ts";
import { CONNECTION_OPTIONS, type ConnectionArguments, connectionOf } from "./connection-options.ts";
import { MESSAGE_OPTIONS, type PayloadSource, sourceOf } from "./message-options.ts";
import { FORMAT_NOTES, OUTPUT_OPTIONS, type OutputArguments, outputOf } from "./output-options.ts";

const REQUEST_OPTIONS = {
  topic: {
    group: "Message",
    short: "t",
    long: "topic",
    type: "text",
    argument: "topic",
    help: "Where to publish the request.",
  },
  responseTopic: {
    group: "Message",
    short: "e",
    type: "text",
    argument: "response topic",
    help: "Where the response is to come.",
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
    help: "Quality of service of the request and, at most, of the response.",
  },
  timeoutSeconds: {
    group: "Output",
    short: "W",
    type: "integer",
    argument: "timeout",
    min: 1,
    max: 2_147_483,
    invalid: 'Invalid timeout "{}".',
    help: "Give up after so many seconds, with exit code 27.",
  },
  showsLatency: {
    group: "Output",
    long: "latency",
    type: "flag",
    help: "Show how long it took from the request to the response.",
  },
} as const;
// Checked here and not at the table, whose type must be readable without inference.
REQUEST_OPTIONS satisfies OptionTable;

type Table = typeof REQUEST_OPTIONS & typeof MESSAGE_OPTIONS & typeof OUTPUT_OPTIONS & typeof CONNECTION_OPTIONS;

/** `lacewing rr`. */
export const RR_COMMAND: Command<Table> = {
  name: "lacewing rr",
  summary: "Publishes a request to an MQTT broker and shows the response.",
  usage: ["[-h HOST] [-p PORT] [-q QOS] [-W SECONDS] -t TOPIC -e RESPONSE-TOPIC {-m MESSAGE | -n | -f FILE | -s}"],
  options: { ...REQUEST_OPTIONS, ...MESSAGE_OPTIONS, ...OUTPUT_OPTIONS, ...CONNECTION_OPTIONS },
  configName: "mosquitto_rr",
  examples: [
    ["Ask a device, for at most five seconds", "-t command/7/req -e command/7/res -m status -W 5"],
    ["Measure how long a message takes through a broker", "-h broker.example -t ping -e ping -m x --latency"],
  ],
  notes: [
    "MQTT 5 is used unless -V says otherwise: its requests say where the response is to go.",
    "",
    ...FORMAT_NOTES,
    "",
    "Exit code: 0 done; 1 wrong arguments or no connection; 27 the time of -W is over;",
    "otherwise the code with which the broker refused.",
  ],
};

/** What `lacewing rr` is to do. */
export interface RequestArguments extends ConnectionArguments, OutputArguments {
  readonly topicName: string;
  readonly responseTopic: string;
  readonly qos: Qos;
  readonly source: PayloadSource;
  /** Of the request. */
  readonly requestProperties: Properties;
  readonly timeoutSeconds: number | null;
  readonly showsLatency: boolean;
  readonly debug: boolean;
  readonly quiet: boolean;
}

/**
 * Reads what the options say together.
 * @throws CommandLineError when something is missing or contradicts
 */
export function requestArgumentsOf(parsed: ParsedOptions<Table>): RequestArguments {
  const { topic, responseTopic, qos, debug, quiet, showsLatency } = parsed;
  if (topic !== undefined) checkTopic("publish", topic);
  if (responseTopic !== undefined) checkTopic("response", responseTopic);
  const source = sourceOf(parsed, 0);
  const output = outputOf(parsed);
  const connection = connectionOf(parsed, 5);
  if (topic === undefined || responseTopic === undefined || source === null) {
    throw new CommandLineError("All of topic, message, and response topic must be supplied.");
  }
  const { PUBLISH: properties } = connection.given;
  if (properties.responseTopic !== undefined) {
    throw new CommandLineError("Error in PUBLISH properties: Duplicate response topic.");
  }
  return {
    ...connection,
    ...output,
    // One response is all that is waited for.
    receiveMaximum: 1,
    topicName: topic,
    responseTopic,
    qos: qos as Qos,
    source,
    requestProperties: connection.version === 5 ? { ...properties, responseTopic } : properties,
    timeoutSeconds: parsed.timeoutSeconds ?? null,
    showsLatency,
    debug,
    quiet,
  };
}

function checkTopic(kind: string, topic: string): void {
  if (topicNameFault(topic, Number.POSITIVE_INFINITY) === null) return;
  throw new CommandLineError(
    topic === "" ? `The ${kind} topic is empty.` : `Invalid ${kind} topic '${topic}', does it contain '+' or '#'?`,
  );
}
