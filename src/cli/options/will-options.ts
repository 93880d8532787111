/** The options of the message that the broker publishes when a client goes without a word. */
import { encodeUtf8, NO_PROPERTIES, type Properties, topicNameFault, type Will } from "../../protocol/index.ts";
import { CommandLineError, type OptionTable, type ParsedOptions } from "../command-line.ts";

/** The table. */
export const WILL_OPTIONS = {
  willTopic: {
    group: "Will",
    long: "will-topic",
    type: "text",
    argument: "will topic",
    help: "Where the broker publishes when this client goes without a word.",
  },
  willPayload: {
    group: "Will",
    long: "will-payload",
    type: "text",
    argument: "will payload",
    help: "What it publishes; nothing unless given.",
  },
  willQos: {
    group: "Will",
    long: "will-qos",
    type: "integer",
    argument: "will QoS",
    min: 0,
    max: 2,
    invalid: "Invalid will QoS {}.",
    help: "At which QoS; 0 unless given.",
  },
  willRetain: { group: "Will", long: "will-retain", type: "flag", help: "Have the broker retain it." },
} as const;
// Checked here and not at the table, whose type must be readable without inference.
WILL_OPTIONS satisfies OptionTable;

/**
 * The will, if there is one.
 * @throws CommandLineError when its topic is missing or is none
 */
export function willOf(parsed: ParsedOptions<typeof WILL_OPTIONS>, properties: Properties): Will | null {
  const { willTopic, willPayload, willQos = 0, willRetain } = parsed;
  if (willTopic === undefined) {
    if (willPayload !== undefined) throw new CommandLineError("Will payload given, but no will topic given.");
    if (willRetain) throw new CommandLineError("Will retain given, but no will topic given.");
    if (properties !== NO_PROPERTIES) throw new CommandLineError("Will properties given, but no will topic given.");
    return null;
  }
  if (topicNameFault(willTopic, Number.POSITIVE_INFINITY) !== null) {
    throw new CommandLineError(`Invalid will topic '${willTopic}', does it contain '+' or '#'?`);
  }
  const payload = encodeUtf8(willPayload ?? "");
  return { topicName: willTopic, payload, qos: willQos as Will["qos"], retain: willRetain, properties };
}
