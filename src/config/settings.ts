/**
 * The options of mosquitto.conf that are understood, as a table: name, what a value means, and where in the Config it goes. Reading
 * a value never guesses: what is not understood is an error that says what is allowed.
 */
import { NEVER_EXPIRES_SECONDS } from "../core/index.ts";
import type { Config } from "./config.ts";

/** A setting that cannot be used: what was wrong and what is allowed. */
export class SettingError extends Error {
  override readonly name: string = "SettingError";
}

interface Setting {
  /** What a value looks like, for messages and help. */
  readonly form: string;
  /** Returns the Config with the value in place, or null when the text is not of that form. */
  apply(config: Config, text: string): Config | null;
}

type BrokerNumber = {
  [K in keyof Config["broker"]]: Config["broker"][K] extends number ? K : never;
}[keyof Config["broker"]];

type BrokerSwitch = "retainAvailable" | "allowDuplicateMessages";

/** Largest Remaining Length plus its fixed header [5.0 §2.1.4]. */
const LARGEST_PACKET_BYTES = 268_435_460;

function withBroker(config: Config, change: Partial<Config["broker"]>): Config {
  return { ...config, broker: { ...config.broker, ...change } };
}

function number(field: BrokerNumber, min: number, max: number): Setting {
  return {
    form: `a whole number from ${min} to ${max}`,
    apply(config, text) {
      const value = wholeNumber(text, min, max);
      return value === null ? null : withBroker(config, { [field]: value });
    },
  };
}

function wholeNumber(text: string, min: number, max: number): number | null {
  if (!/^\d{1,12}$/.test(text)) return null;
  const value = Number(text);
  return value >= min && value <= max ? value : null;
}

function trueOrFalse(text: string): boolean | null {
  return text === "true" ? true : text === "false" ? false : null;
}

const SWITCH_FORM = "true or false";

function brokerSwitch(field: BrokerSwitch): Setting {
  return {
    form: SWITCH_FORM,
    apply(config, text) {
      const value = trueOrFalse(text);
      return value === null ? null : withBroker(config, { [field]: value });
    },
  };
}

function logSwitch(field: "timestamp" | "connectionMessages"): Setting {
  return {
    form: SWITCH_FORM,
    apply(config, text) {
      const value = trueOrFalse(text);
      return value === null ? null : { ...config, log: { ...config.log, [field]: value } };
    },
  };
}

const SECONDS_PER_UNIT: Readonly<Record<string, number>> = {
  s: 1,
  h: 3600,
  d: 86_400,
  w: 604_800,
  m: 2_592_000,
  y: 31_536_000,
};

/** `persistent_client_expiration`: a number and a unit, as "2w". */
const SESSION_EXPIRY: Setting = {
  form: "a number with a unit: s, h, d, w, m (30 days) or y, as in 14d",
  apply(config, text) {
    const match = /^(\d{1,9})([shdwmy])$/.exec(text);
    if (match === null) return null;
    const seconds = Number(match[1]) * SECONDS_PER_UNIT[match[2]!]!;
    if (seconds === 0 || seconds >= NEVER_EXPIRES_SECONDS) return null;
    return withBroker(config, { maximumSessionExpirySeconds: seconds });
  },
};

const AUTO_ID_PREFIX: Setting = {
  form: "text without spaces",
  apply: (config, text) => (/^\S*$/.test(text) ? withBroker(config, { autoIdPrefix: text }) : null),
};

/** The table. */
const SETTINGS: Readonly<Record<string, Setting>> = {
  allow_duplicate_messages: brokerSwitch("allowDuplicateMessages"),
  auto_id_prefix: AUTO_ID_PREFIX,
  connection_messages: logSwitch("connectionMessages"),
  global_max_connections: number("maximumConnections", 0, 1_000_000),
  log_timestamp: logSwitch("timestamp"),
  max_inflight_messages: number("maximumInflightMessages", 0, 65_535),
  max_keepalive: number("maximumKeepAliveSeconds", 0, 65_535),
  max_packet_size: number("maximumPacketSize", 20, LARGEST_PACKET_BYTES),
  max_qos: number("maximumQos", 0, 2),
  max_queued_bytes: number("maximumQueuedBytes", 0, 1_000_000_000_000 - 1),
  max_queued_messages: number("maximumQueuedMessages", 0, 1_000_000_000),
  max_topic_alias: number("topicAliasMaximum", 0, 65_535),
  max_topic_alias_broker: number("topicAliasMaximumOut", 0, 65_535),
  persistent_client_expiration: SESSION_EXPIRY,
  retain_available: brokerSwitch("retainAvailable"),
};

/** The names of all settings. */
export const SETTING_NAMES: readonly string[] = Object.keys(SETTINGS);

/** What values of `name` look like. */
export function settingForm(name: string): string | undefined {
  return Object.hasOwn(SETTINGS, name) ? SETTINGS[name]!.form : undefined;
}

/**
 * Puts one setting into `config`.
 * @throws SettingError when the name or the value is not understood
 */
export function applySetting(config: Config, name: string, text: string): Config {
  const setting = Object.hasOwn(SETTINGS, name) ? SETTINGS[name] : undefined;
  if (setting === undefined) throw new SettingError(`unknown setting "${name}"; known are ${SETTING_NAMES.join(", ")}`);
  const applied = setting.apply(config, text);
  if (applied === null) throw new SettingError(`${name} cannot be "${text}"; allowed is ${setting.form}`);
  return applied;
}
