/** The options that say where to connect and as whom, for every tool that is a client. */

import { DEFAULT_SESSION_LIMITS } from "../../client/index.ts";
import type { Language } from "../../explain/index.ts";
import { encodeUtf8, type Properties, type Version, type Will } from "../../protocol/index.ts";
import { CommandLineError, type OptionTable, type ParsedOptions } from "../command-line.ts";
import { LANGUAGE_OPTION } from "./language-option.ts";
import { type GivenProperties, givenProperties, PROPERTY_OPTIONS } from "./property-options.ts";
import { SERVER_OPTIONS, type ServerArguments, serverOf } from "./server-options.ts";
import { WILL_OPTIONS, willOf } from "./will-options.ts";

const CONNECTION = {
  id: {
    group: "Who we are",
    short: "i",
    long: "id",
    type: "text",
    argument: "id",
    help: "Client identifier. Without it the broker chooses one.",
  },
  idPrefix: {
    group: "Who we are",
    short: "I",
    long: "id-prefix",
    type: "text",
    argument: "id prefix",
    help: "Beginning of the client identifier; the number of this process is put behind it.",
  },
  username: {
    group: "Who we are",
    short: "u",
    long: "username",
    type: "text",
    argument: "username",
    help: "User name.",
  },
  password: {
    group: "Who we are",
    short: "P",
    long: "pw",
    type: "text",
    argument: "password",
    help: "Password.",
  },
  version: {
    group: "Who we are",
    short: "V",
    long: "protocol-version",
    type: "choice",
    argument: "version",
    missing: "--protocol-version argument given but no version specified.",
    choices: { mqttv311: 4, "311": 4, mqttv5: 5, "5": 5, mqttv31: 3, "31": 3 },
    invalid:
      "Invalid protocol version argument given: {}; allowed is 5, 311 or 31, also as mqttv5, mqttv311 or mqttv31.",
    help: "Version of MQTT: 5, 311 or 31, also as mqttv5, mqttv311 or mqttv31. Defaults to 311.",
  },
  keepAliveSeconds: {
    group: "Who we are",
    short: "k",
    long: "keepalive",
    type: "integer",
    argument: "seconds",
    missing: "-k argument given but no keepalive specified.",
    min: 5,
    max: 65_535,
    default: 60,
    invalid: "Invalid keepalive given, it must be between 5 and 65535 inclusive.",
    help: "Longest time without a packet, in seconds.",
  },
  keepsSession: {
    group: "Who we are",
    short: "c",
    long: "disable-clean-session",
    type: "flag",
    help: "Go on with the session of this client identifier, and let the broker keep it. Needs -i.",
  },
  sessionExpiry: {
    group: "Who we are",
    short: "x",
    type: "text",
    argument: "seconds",
    missing: "-x argument given but no session expiry interval specified.",
    help: "How long the broker keeps the session, in seconds; -1 for ever. Selects version 5.",
  },
  maximumInflight: {
    group: "Who we are",
    short: "M",
    type: "integer",
    argument: "count",
    missing: "-M argument given but max_inflight not specified.",
    min: 1,
    max: 65_535,
    default: 20,
    invalid: "Maximum inflight messages must be greater than 0 and at most 65535.",
    help: "Most messages sent at QoS 1 and 2 and not acknowledged.",
  },
} as const;

const OUTPUT = {
  optionsFile: {
    group: "Output",
    short: "o",
    type: "text",
    argument: "options file",
    again: "Duplicate -o argument given.",
    help: "Read options from a file, one on a line, instead of from the one in the folder for configuration.",
  },
  debug: { group: "Output", short: "d", long: "debug", type: "flag", help: "Show every packet sent and received." },
  quiet: { group: "Output", long: "quiet", type: "flag", help: "Do not show errors." },
  help: { group: "Output", long: "help", type: "flag", isFinal: true, help: "Show this." },
  showVersion: { group: "Output", long: "version", type: "flag", isFinal: true, help: "Show the version." },
} as const;

type Table = typeof SERVER_OPTIONS &
  typeof CONNECTION &
  typeof PROPERTY_OPTIONS &
  typeof WILL_OPTIONS &
  typeof OUTPUT &
  typeof LANGUAGE_OPTION;

/** The table. */
export const CONNECTION_OPTIONS: Table = {
  ...SERVER_OPTIONS,
  ...CONNECTION,
  ...PROPERTY_OPTIONS,
  ...WILL_OPTIONS,
  ...OUTPUT,
  ...LANGUAGE_OPTION,
};
// Checked here and not at the table, whose type must be readable without inference.
CONNECTION_OPTIONS satisfies OptionTable;

/** What of a ClientOptions the command line gives. */
export interface ConnectionArguments extends ServerArguments {
  readonly version: Version;
  readonly clientId: string;
  readonly cleanStart: boolean;
  readonly keepAliveSeconds: number;
  readonly will: Will | null;
  readonly username: string | null;
  readonly password: Uint8Array | null;
  /** Of the CONNECT. */
  readonly properties: Properties;
  /** What -D gives to each kind of packet. */
  readonly given: GivenProperties;
  readonly maximumInflightMessages: number;
  /** Announced in the CONNECT of 5.0. */
  readonly receiveMaximum: number;
  /** Of what is said beyond mosquitto's own words. */
  readonly language: Language;
}

type Parsed = ParsedOptions<typeof CONNECTION_OPTIONS>;

/** A Session that never expires [5.0 §3.1.2.11.2]. */
const NEVER_EXPIRES_SECONDS = 4_294_967_295;

/**
 * Reads what the options of CONNECTION_OPTIONS say together.
 * @param defaultVersion of MQTT, when no option chooses one
 * @throws CommandLineError when they contradict each other
 */
export function connectionOf(parsed: Parsed, defaultVersion: Version = 4): ConnectionArguments {
  const { keepAliveSeconds, keepsSession, maximumInflight, username = null, password = null } = parsed;
  const version = parsed.version ?? (parsed.sessionExpiry === undefined ? defaultVersion : 5);
  if (parsed.property.length > 0 && version !== 5) {
    throw new CommandLineError("Properties came with MQTT 5: leave out -V, or give -V 5.");
  }
  const given = givenProperties(parsed.property);
  const sessionExpirySeconds = expiryOf(parsed, given.CONNECT);
  const clientId = clientIdOf(parsed, version, sessionExpirySeconds);
  if (password !== null && username === null && version !== 5) {
    throw new CommandLineError("A password needs a user name before MQTT 5: give -u too, or -V 5.");
  }
  return {
    ...serverOf(parsed),
    version,
    clientId,
    cleanStart: !keepsSession,
    keepAliveSeconds,
    will: willOf(parsed, given.WILL),
    username,
    password: password === null ? null : encodeUtf8(password),
    properties: sessionExpirySeconds === 0 ? given.CONNECT : { ...given.CONNECT, sessionExpirySeconds },
    given,
    maximumInflightMessages: maximumInflight,
    receiveMaximum: given.CONNECT.receiveMaximum ?? DEFAULT_SESSION_LIMITS.receiveMaximum,
    language: parsed.lang ?? "en",
  };
}

function expiryOf({ sessionExpiry, keepsSession }: Parsed, { sessionExpirySeconds }: Properties): number {
  if (sessionExpiry === undefined) return sessionExpirySeconds ?? (keepsSession ? NEVER_EXPIRES_SECONDS : 0);
  if (sessionExpirySeconds !== undefined) {
    throw new CommandLineError(
      "Error in CONNECT properties: Duplicate property in property list: session-expiry-interval, by -x and by -D.",
    );
  }
  if (sessionExpiry === "-1" || sessionExpiry === "∞") return NEVER_EXPIRES_SECONDS;
  if (!/^-?\d+$/.test(sessionExpiry)) throw new CommandLineError("session-expiry-interval not a number.");
  const seconds = Number(sessionExpiry);
  if (seconds >= 0 && seconds <= NEVER_EXPIRES_SECONDS) return seconds;
  throw new CommandLineError("session-expiry-interval out of range.");
}

function clientIdOf({ id, idPrefix, keepsSession }: Parsed, version: Version, sessionExpirySeconds: number): string {
  if (id !== undefined && idPrefix !== undefined) {
    throw new CommandLineError("-i and -I argument cannot be used together.");
  }
  if (id === "") throw new CommandLineError("Invalid id.");
  if (id !== undefined) return id;
  if (idPrefix !== undefined) return `${idPrefix}${process.pid}`;
  if (version === 5 && sessionExpirySeconds === NEVER_EXPIRES_SECONDS) {
    throw new CommandLineError("You must provide a client id if you are using an infinite session expiry interval.");
  }
  if (keepsSession) throw new CommandLineError("You must provide a client id if you are using the -c option.");
  return version === 3 ? randomId() : "";
}

const ID_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/** 23 characters: MQTT 3.1 needs an identifier, and brokers need not take longer ones [3.1.1 MQTT-3.1.3-5]. */
function randomId(): string {
  let id = "lacewing-";
  while (id.length < 23) id += ID_LETTERS[Math.floor(Math.random() * ID_LETTERS.length)];
  return id;
}
