/** The options of `lacewing`, the broker, and the Config that they make. */
import {
  applySetting,
  type Config,
  DEFAULT_CONFIG,
  isLoopback,
  LOG_TYPES,
  listenerOf,
  localListeners,
  SETTING_NAMES,
  SettingError,
  settingForm,
} from "../config/index.ts";
import { type Command, CommandLineError, type OptionTable, type ParsedOptions } from "./command-line.ts";
import { nearest } from "./nearest.ts";

const OPTIONS = {
  port: {
    group: "Listening",
    short: "p",
    long: "port",
    type: "integer",
    argument: "port",
    min: 0,
    max: 65_535,
    default: 1883,
    help: "Port to listen on; 0 takes any free one.",
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
  set: {
    group: "Settings",
    long: "set",
    type: "text",
    argument: "name=value",
    repeatable: true,
    help: "Change a setting, by its name in mosquitto.conf; those below.",
  },
  verbose: {
    group: "Output",
    short: "v",
    long: "verbose",
    type: "flag",
    help: "Log everything: each packet, subscriptions, refusals.",
  },
  help: { group: "Output", long: "help", type: "flag", isFinal: true, help: "Show this." },
  version: { group: "Output", long: "version", type: "flag", isFinal: true, help: "Show the version." },
} as const;
// Checked here and not at the table, whose type must be readable without inference.
OPTIONS satisfies OptionTable;

/** The values of the broker's command line. */
export type BrokerArguments = ParsedOptions<typeof OPTIONS>;

/** `lacewing` without a tool's name. */
export const BROKER_COMMAND: Command<typeof OPTIONS> = {
  name: "lacewing",
  summary: "An MQTT broker for 3.1, 3.1.1 and 5.0.",
  usage: [
    "[-p PORT] [--host ADDRESS] [--allow-anonymous] [-v] [--set NAME=VALUE]",
    "pub --help",
    "sub --help",
    "store --help",
  ],
  options: OPTIONS,
  notes: ["Settings:", ...SETTING_NAMES.map((name) => `  ${name} (${settingForm(name)})`)],
};

/**
 * What the broker runs with.
 * @throws CommandLineError when a setting is not understood
 */
export function configOf(args: BrokerArguments): Config {
  const listeners =
    args.host.length === 0
      ? localListeners(args.port)
      : args.host.map((host) =>
          listenerOf({ host, port: args.port, allowAnonymous: args.allowAnonymous || isLoopback(host) }),
        );
  // Without a configuration file the broker persists, and then the disk is the bound of the queues.
  let config: Config = { ...DEFAULT_CONFIG, listeners, persistence: { ...DEFAULT_CONFIG.persistence, enabled: true } };
  if (args.verbose) config = { ...config, log: { ...config.log, types: LOG_TYPES } };
  for (const text of args.set) config = withSetting(config, text);
  const isBounded = args.set.some((text) => text.startsWith("max_queued_messages="));
  if (!config.persistence.enabled || isBounded) return config;
  return { ...config, broker: { ...config.broker, maximumQueuedMessages: 0 } };
}

function withSetting(config: Config, text: string): Config {
  const at = text.indexOf("=");
  const name = at < 0 ? text : text.slice(0, at);
  if (at < 0) throw new CommandLineError(`--set ${text}: the form is NAME=VALUE, as in --set max_queued_messages=0.`);
  try {
    return applySetting(config, name, text.slice(at + 1));
  } catch (error) {
    if (!(error instanceof SettingError)) throw error;
    const close = settingForm(name) === undefined ? nearest(name, SETTING_NAMES) : null;
    throw new CommandLineError(`--set: ${error.message}.${close === null ? "" : ` Did you mean ${close}?`}`);
  }
}
