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
  notes: [
    "It connects with the client identifier of -i, or one of its own, and leaves nothing behind at the broker.",
    "Passwords are sent to the broker as every client does, and never printed.",
    "Exit codes: 0 all is well, 1 wrong arguments; else the layer that failed:",
    `  ${EXIT_CODES.slice(0, 7).join(", ")},`,
    `  ${EXIT_CODES.slice(7).join(", ")}.`,
  ],
};

/** What the command line says. */
export type DoctorOptions = ParsedOptions<Table>;

/** The arguments with the broker's place as -L or -h at the beginning, so that the options can change what it gives. */
export function withPlace(args: readonly string[]): readonly string[] {
  const place = placeIn(args);
  if (place === undefined || place === null) return args;
  // The same word may be the value of an option: it is the place where nothing is missing without it.
  for (const [at, argument] of args.entries()) {
    const rest = args.filter((_, index) => index !== at);
    if (argument === place && placeIn(rest) === null) return [...placeArguments(place), ...rest];
  }
  return args;
}

/** The operand; null for none; undefined when the arguments are wrong, which whoever reads them next says. */
function placeIn(args: readonly string[]): string | null | undefined {
  try {
    return parseCommandLine(DOCTOR_COMMAND, args).place ?? null;
  } catch (error) {
    if (error instanceof CommandLineError) return undefined;
    throw error;
  }
}

function placeArguments(place: string): readonly string[] {
  const url = /^(([a-z]+):\/\/([^/]*))(.*)$/i.exec(place);
  if (url !== null) return urlArguments(url);
  // An address of IPv6 stands in brackets, or has no port.
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(place) ?? [];
  return ["-h", bracketed ?? plain ?? place, ...(port === undefined ? [] : ["-p", port])];
}

/** Web pages' ports of a WebSocket, where -L has mosquitto's. */
const WEB_PORTS: Readonly<Record<string, string>> = { ws: "80", wss: "443" };

/** A WebSocket's URL is the one that a page would open: what follows the host is its path. */
function urlArguments([, start, scheme, authority, rest]: readonly string[]): readonly string[] {
  const webPort = WEB_PORTS[scheme!.toLowerCase()];
  if (webPort === undefined) return ["-L", `${start}${rest === "" ? "/" : rest}`];
  return [
    ...["-L", `${start}/`],
    ...(/:\d+$/.test(authority!) ? [] : ["-p", webPort]),
    ...(rest === "" || rest === "/" ? [] : ["--ws-path", rest!]),
  ];
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
