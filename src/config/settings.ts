/**
 * The options of mosquitto.conf that are understood, as a table: name, what a value means, and where in the Config it goes. Reading
 * a value never guesses: what is not understood is an error that says what is allowed.
 */
import { type Entrance, NEVER_EXPIRES_SECONDS } from "../core/index.ts";
import type { Config, Durability, PersistenceConfig } from "./config.ts";

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

type Numbers<Of> = { [K in keyof Of]: Of[K] extends number ? K : never }[keyof Of];

type BrokerNumber = Numbers<Config["broker"]>;

type EntranceNumber = Numbers<Entrance>;

type BrokerSwitch = "retainAvailable" | "allowDuplicateMessages";

/** Largest Remaining Length plus its fixed header [5.0 §2.1.4]. */
const LARGEST_PACKET_BYTES = 268_435_460;

function withBroker(config: Config, change: Partial<Config["broker"]>): Config {
  return { ...config, broker: { ...config.broker, ...change } };
}

/** Of every listener there is. */
function withEntrance(config: Config, change: Partial<Entrance>): Config {
  const listeners = config.listeners.map((listener) => ({
    ...listener,
    entrance: { ...listener.entrance, ...change },
  }));
  return { ...config, listeners };
}

function entranceNumber(field: EntranceNumber, min: number, max: number): Setting {
  return {
    form: `a whole number from ${min} to ${max}`,
    apply(config, text) {
      const value = wholeNumber(text, min, max);
      return value === null ? null : withEntrance(config, { [field]: value });
    },
  };
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

/** `max_inflight_messages` bounds both directions, as in mosquitto: it is announced to 5.0 clients as receive maximum. */
const MAX_INFLIGHT: Setting = {
  form: "a whole number from 0 to 65535",
  apply(config, text) {
    const value = wholeNumber(text, 0, 65_535);
    return value === null
      ? null
      : withBroker(config, { maximumInflightMessages: value, receiveMaximum: value === 0 ? 65_535 : value });
  },
};

function seconds(field: "connectTimeoutMs" | "storeTimeoutMs"): Setting {
  return {
    form: "a whole number of seconds from 1 to 3600",
    apply(config, text) {
      const value = wholeNumber(text, 1, 3600);
      return value === null ? null : withBroker(config, { [field]: value * 1000 });
    },
  };
}

const VERSIONS: Setting = {
  form: "some of 3, 4 and 5 (3.1, 3.1.1 and 5.0), as in 4,5",
  apply(config, text) {
    const versions = ([3, 4, 5] as const).filter((version) => text.split(",").includes(String(version)));
    const isUnderstood = versions.length > 0 && versions.length === text.split(",").length;
    return isUnderstood ? withEntrance(config, { versions }) : null;
  },
};

const RESPONSE_INFORMATION: Setting = {
  form: "a topic prefix without wildcards, as in answers/",
  apply: (config, text) => (/^[^+#\s]+$/.test(text) ? withBroker(config, { responseInformation: text }) : null),
};

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
  apply: (config, text) => (/^\S*$/.test(text) ? withEntrance(config, { autoIdPrefix: text }) : null),
};

function withPersistence(config: Config, change: Partial<PersistenceConfig>): Config {
  return { ...config, persistence: { ...config.persistence, ...change } };
}

const PERSISTENCE: Setting = {
  form: SWITCH_FORM,
  apply(config, text) {
    const enabled = trueOrFalse(text);
    return enabled === null ? null : withPersistence(config, { enabled });
  },
};

const PERSISTENCE_LOCATION: Setting = {
  form: "a folder",
  apply: (config, text) => (text === "" ? null : withPersistence(config, { location: text })),
};

/** Longest time that `interval` may leave acknowledged messages off the disk, in milliseconds. */
const LONGEST_INTERVAL_MS = 3_600_000;

const DURABILITY: Setting = {
  form: `always, none, or interval:MS with MS from 1 to ${LONGEST_INTERVAL_MS}`,
  apply(config, text) {
    const durability = durabilityOf(text);
    return durability === null ? null : withPersistence(config, { durability });
  },
};

function durabilityOf(text: string): Durability | null {
  if (text === "always" || text === "none") return { mode: text };
  if (!text.startsWith("interval:")) return null;
  const intervalMs = wholeNumber(text.slice("interval:".length), 1, LONGEST_INTERVAL_MS);
  return intervalMs === null ? null : { mode: "interval", intervalMs };
}

/** The table. */
const SETTINGS: Readonly<Record<string, Setting>> = {
  accept_protocol_versions: VERSIONS,
  allow_duplicate_messages: brokerSwitch("allowDuplicateMessages"),
  auto_id_prefix: AUTO_ID_PREFIX,
  connection_messages: logSwitch("connectionMessages"),
  global_max_connections: number("maximumConnections", 0, 1_000_000),
  lacewing_connect_timeout: seconds("connectTimeoutMs"),
  lacewing_durability: DURABILITY,
  lacewing_max_queue_memory: number("maximumQueueMemoryBytes", 1_048_576, 1_000_000_000_000),
  lacewing_max_topic_levels: number("maximumTopicLevels", 1, 65_535),
  lacewing_response_information: RESPONSE_INFORMATION,
  lacewing_store_timeout: seconds("storeTimeoutMs"),
  log_timestamp: logSwitch("timestamp"),
  max_inflight_messages: MAX_INFLIGHT,
  max_keepalive: number("maximumKeepAliveSeconds", 0, 65_535),
  max_packet_size: number("maximumPacketSize", 20, LARGEST_PACKET_BYTES),
  max_qos: entranceNumber("maximumQos", 0, 2),
  max_queued_bytes: number("maximumQueuedBytes", 0, 1_000_000_000_000 - 1),
  max_queued_messages: number("maximumQueuedMessages", 0, 1_000_000_000),
  max_topic_alias: entranceNumber("topicAliasMaximum", 0, 65_535),
  max_topic_alias_broker: entranceNumber("topicAliasMaximumOut", 0, 65_535),
  persistence: PERSISTENCE,
  persistence_location: PERSISTENCE_LOCATION,
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
