/** The options of `lacewing doctor`: those of every tool that is a client, and its own. */
import { LAYERS } from "../../doctor/index.ts";
import {
  type Command,
  CommandLineError,
  type OptionTable,
  type ParsedOptions,
  parseCommandLine,
} from "../command-line.ts";
import { CONNECTION_OPTIONS } from "./connection-options.ts";
import { LANGUAGE_OPTION } from "./language-option.ts";

const OWN = {
  place: {
    group: "Connection",
    type: "operand",
    argument: "broker",
    help: "The broker: mqtt://, mqtts://, ws:// or wss:// with host and port, or HOST[:PORT]; as -L and -h.",
  },
  idle: {
    group: "Checks",
    long: "idle",
    type: "text",
    argument: "time",
    help: "Leave the connection idle for so long, as 90s or 5m, to find what ends idle connections.",
  },
  timeout: {
    group: "Checks",
    long: "timeout",
    type: "integer",
    argument: "seconds",
    min: 1,
    max: 300,
    default: 10,
    help: "Longest time for each answer, in seconds.",
  },
  topic: {
    group: "Checks",
    long: "topic",
    type: "text",
    argument: "topic",
    help: "Send messages below this topic. Defaults to lacewing/doctor and the client identifier.",
  },
  timeServer: {
    group: "Checks",
    long: "time-server",
    type: "text",
    argument: "host",
    repeatable: true,
    help: "Ask this server for the time (SNTP), instead of those that this machine is configured with.",
  },
  json: { group: "Output", long: "json", type: "flag", help: "One JSON object." },
} as const;
OWN satisfies OptionTable;

type Table = typeof CONNECTION_OPTIONS & typeof LANGUAGE_OPTION & typeof OWN;

const EXIT_CODES = Object.entries(LAYERS).map(([layer, { exitCode }]) => `${exitCode} ${layer}`);

/** `lacewing doctor`. */
export const DOCTOR_COMMAND: Command<Table> = {
  name: "lacewing doctor",
  summary:
    "Finds out what is wrong between here and a broker, layer by layer: the first cause, its evidence and its fix.",
  usage: ["BROKER [OPTIONS]", "mqtts://HOST:PORT --cafile FILE -u USER -P PASSWORD"],
  options: { ...CONNECTION_OPTIONS, ...LANGUAGE_OPTION, ...OWN },
  configName: "mosquitto_pub",
  notes: [
    "It connects with the client identifier of -i, or one of its own, and leaves nothing behind at the broker.",
    "Passwords are sent to the broker as any client does, and never printed.",
    `Exit codes: 0 all is well, 1 wrong arguments; else the layer that failed: ${EXIT_CODES.join(", ")}.`,
  ],
};

/** What the command line says. */
export type DoctorOptions = ParsedOptions<Table>;

/**
 * Reads the broker's place as -L or -h at the beginning, so that the other options change what it gives.
 * @throws CommandLineError when it is none
 */
export function withPlace(parsed: DoctorOptions, args: readonly string[]): DoctorOptions {
  const { place } = parsed;
  if (place === undefined) return parsed;
  const rest = args.filter((argument) => argument !== place);
  return parseCommandLine(DOCTOR_COMMAND, [...placeArguments(place), ...rest]);
}

function placeArguments(place: string): readonly string[] {
  const url = /^([a-z]+):\/\/([^/]*)(.*)$/i.exec(place);
  if (url !== null) return ["-L", url[3] === "" ? `${place}/` : place];
  const [, address, host = address, port] = /^(?:\[([^\]]+)\]|([^:]+|[^:]*:[^:]*:.*?))(?::(\d+))?$/.exec(place) ?? [];
  if (host === undefined) throw new CommandLineError(`'${place}' is no broker: give HOST, HOST:PORT or a URL.`);
  return ["-h", host, ...(port === undefined ? [] : ["-p", port])];
}

const UNITS_MS: Readonly<Record<string, number>> = { "": 1000, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * A time as 90, 90s, 5m or 1h, in milliseconds.
 * @throws CommandLineError when it is none
 */
export function idleMsOf(text: string | undefined): number {
  if (text === undefined) return 0;
  const [, number, unit = ""] = /^(\d{1,6})([smh]?)$/.exec(text) ?? [];
  if (number !== undefined) return Number(number) * UNITS_MS[unit]!;
  throw new CommandLineError(`Invalid idle time given: ${text}; allowed is a number with s, m or h, as 90s.`);
}
