/** The options of `lacewing`, the broker, and the configuration that they make. */
import {
  type ConfigError,
  DEFAULT_PORT,
  isLoopback,
  LOG_TYPES,
  OPTION_GROUPS,
  type OptionLine,
  type ReadConfig,
  readConfig,
} from "../config/index.ts";
import { type Command, CommandLineError, type OptionTable, type ParsedOptions } from "./command-line.ts";

const OPTIONS = {
  configFile: {
    group: "Settings",
    short: "c",
    long: "config-file",
    type: "text",
    argument: "config file",
    missing: "-c argument given, but no config file specified.",
    help: "Read this mosquitto.conf.",
  },
  set: {
    group: "Settings",
    long: "set",
    type: "text",
    argument: "name=value",
    repeatable: true,
    help: "Change a setting, by its name in mosquitto.conf; they are listed below. It comes after the file's.",
  },
  testConfig: {
    group: "Settings",
    long: "test-config",
    type: "flag",
    help: "Only say whether the configuration file can be used.",
  },
  port: {
    group: "Listening",
    short: "p",
    long: "port",
    type: "integer",
    argument: "port",
    missing: "-p argument given, but no port specified.",
    min: 0,
    max: 65_535,
    repeatable: true,
    invalid: "Invalid port specified ({}).",
    help: "Port to listen on, 1883 without it; 0 takes any free one. Ignored when the configuration file has a listener. With -p and nothing else than -v, -q, -d and --tls-keylog all is as in mosquitto: nothing is kept on disk.",
  },
  host: {
    group: "Listening",
    long: "host",
    type: "text",
    argument: "address",
    repeatable: true,
    help: "Address to listen on instead of 127.0.0.1 and ::1; 0.0.0.0 is all of IPv4, :: all of IPv6.",
  },
  allowAnonymous: {
    group: "Listening",
    long: "allow-anonymous",
    type: "flag",
    help: "Let clients of the network in without user name and password. Those of this machine always may.",
  },
  daemon: {
    group: "Running",
    short: "d",
    long: "daemon",
    type: "flag",
    help: "Go on in the background once the broker listens.",
  },
  tlsKeylog: {
    group: "Running",
    long: "tls-keylog",
    type: "text",
    argument: "file",
    missing: "--tls-keylog argument given, but no file specified.",
    help: "Append the secrets of TLS at the listeners to a file, for Wireshark: who has it can read all connections.",
  },
  verbose: {
    group: "Output",
    short: "v",
    long: "verbose",
    type: "flag",
    help: "Log everything: each packet, subscriptions, refusals. Overrides log_type.",
  },
  quiet: { group: "Output", short: "q", long: "quiet", type: "flag", help: "Log nothing. Overrides log_type and -v." },
  help: { group: "Output", short: "h", long: "help", type: "flag", isFinal: true, help: "Show this." },
  version: { group: "Output", long: "version", type: "flag", isFinal: true, help: "Show the version." },
} as const;
// Checked here and not at the table, whose type must be readable without inference.
OPTIONS satisfies OptionTable;

/** The values of the broker's command line. */
export type BrokerArguments = ParsedOptions<typeof OPTIONS>;

const SETTINGS = [...OPTION_GROUPS]
  .filter(([title]) => title !== "Bridges")
  .flatMap(([, options]) => options)
  .filter(({ standing }) => standing !== "not applicable");

/** `lacewing` without a tool's name. */
export const BROKER_COMMAND: Command<typeof OPTIONS> = {
  name: "lacewing",
  summary: "An MQTT broker for 3.1, 3.1.1 and 5.0.",
  usage: [
    "[-c FILE] [-p PORT] [-d] [-v] [--set NAME=VALUE]",
    "[-p PORT] [--host ADDRESS] [--allow-anonymous] [-v] [--set NAME=VALUE]",
    "help",
  ],
  options: OPTIONS,
  notes: ["Names and values for --set:", ...SETTINGS.map(({ name, form }) => `  ${name} (${form})`)],
};

/** The same called by mosquitto's name, with its line of usage: scripts look for that. */
export const MOSQUITTO_COMMAND: typeof BROKER_COMMAND = {
  ...BROKER_COMMAND,
  name: "mosquitto",
  usage: ["[-c config_file] [-d] [-h] [-p port] [-v]", ...BROKER_COMMAND.usage.slice(1, 2)],
};

/** Most ports of `-p`, as in mosquitto. */
const MOST_PORTS = 10;

/** What decides how settings are read, beside the arguments. */
export interface BrokerSurroundings {
  /** Whether the program was called by mosquitto's name: then all defaults are mosquitto's. */
  readonly isMosquitto: boolean;
  /** The variable MOSQUITTO_PERSISTENCE_LOCATION. */
  readonly persistenceLocation?: string | undefined;
}

/**
 * What the broker runs with.
 * @throws CommandLineError when an argument cannot be followed; ConfigError when a setting is not understood
 */
export function configOf(args: BrokerArguments, surroundings: BrokerSurroundings = { isMosquitto: false }): ReadConfig {
  const file = args.configFile ?? null;
  const isOwn = file === null && !surroundings.isMosquitto && !isMosquittoLine(args);
  if (args.port.length > MOST_PORTS)
    throw new CommandLineError(`Only ${MOST_PORTS} ports can be specified on the command line.`);
  if (args.port.includes(0) && (surroundings.isMosquitto || args.port.length > 1))
    throw new CommandLineError(
      "Invalid port specified (0). It takes any free port, but alone and not in mosquitto's place.",
    );
  const read = readConfig({
    file,
    // With --host the ports are those of the hosts.
    ports: args.host.length > 0 ? [] : args.port,
    listeners: args.host.flatMap((host) =>
      (args.port.length > 0 ? args.port : [DEFAULT_PORT]).map((port) => ({
        place: "--host",
        host,
        port,
        allowAnonymous: args.allowAnonymous || isLoopback(host),
      })),
    ),
    lines: [...(isOwn ? OWN_DEFAULTS : file === null ? MOSQUITTO_DEFAULTS : []), ...args.set.map(lineOf)],
    persistenceLocation: surroundings.persistenceLocation,
  });
  return withKeyLog(withLogTypes(withoutBound(read, isOwn, args), args), args);
}

function withKeyLog(read: ReadConfig, { tlsKeylog: tlsKeyLog }: BrokerArguments): ReadConfig {
  if (tlsKeyLog === undefined) return read;
  const { config, notices } = read;
  const text = `Warning: the secrets of TLS are written to ${tlsKeyLog}: who has it can read all connections.`;
  const process = { ...config.process, tlsKeyLog };
  return { ...read, config: { ...config, process }, notices: [...notices, { place: null, type: "warning", text }] };
}

/** Without a configuration file the broker persists. */
const OWN_DEFAULTS: readonly OptionLine[] = [{ place: "default", text: "persistence true" }];

/** Whether that is a command line of mosquitto's without a configuration file, as in `-v -p 1884`: what is expected is mosquitto. */
function isMosquittoLine({ port, host, set, allowAnonymous }: BrokerArguments): boolean {
  const hasOwnOptions = host.length > 0 || set.length > 0 || allowAnonymous || port.includes(0);
  return port.length > 0 && !hasOwnOptions;
}

/** In mosquitto's place it sends what mosquitto sends. */
const MOSQUITTO_DEFAULTS: readonly OptionLine[] = [{ place: "default", text: "lacewing_reason_strings false" }];

function lineOf(text: string): OptionLine {
  const at = text.indexOf("=");
  if (at < 0) throw new CommandLineError(`--set ${text}: the form is NAME=VALUE, as in --set max_queued_messages=0.`);
  return { place: `--set ${text}`, text: `${text.slice(0, at)} ${text.slice(at + 1)}` };
}

/** Where the broker persists without a file, the disk is the bound of the queues. */
function withoutBound(read: ReadConfig, isOwn: boolean, { set }: BrokerArguments): ReadConfig {
  const { config } = read;
  const isBounded = set.some((text) => text.startsWith("max_queued_messages="));
  if (!isOwn || !config.persistence.enabled || isBounded) return read;
  return { ...read, config: { ...config, broker: { ...config.broker, maximumQueuedMessages: 0 } } };
}

function withLogTypes(read: ReadConfig, { quiet, verbose }: BrokerArguments): ReadConfig {
  if (!quiet && !verbose) return read;
  const log = { ...read.config.log, types: quiet ? [] : LOG_TYPES };
  return { ...read, config: { ...read.config, log } };
}

/** What to print on stderr for a configuration that cannot be used. */
export function configErrorText(error: ConfigError): string {
  return error.problems
    .map(({ place, text }) => `${text}\n${place === null ? "" : `Error found at ${place}.\n`}`)
    .join("");
}
