/** Typed options as lines of mosquitto.conf, so that one reader checks both, with the option's name as the place of what is wrong. */
import type { LooseListener, OptionLine } from "../config/index.ts";
import { ConfigError, isLoopback } from "../config/index.ts";
import { nearest } from "../protocol/index.ts";
import type { BrokerLimits, CreateBrokerOptions, ListenerSettings, TlsSettings } from "./options.ts";

/** The option of mosquitto.conf that each stands for. One that is missing does not compile. */
export const LIMIT_OPTIONS: Readonly<Record<keyof BrokerLimits, string>> = {
  allowDuplicateMessages: "allow_duplicate_messages",
  checkRetainSource: "check_retain_source",
  clientidPrefixes: "clientid_prefixes",
  connectTimeout: "lacewing_connect_timeout",
  enableControlApi: "enable_control_api",
  globalMaxClients: "global_max_clients",
  globalMaxConnections: "global_max_connections",
  maxInflightBytes: "max_inflight_bytes",
  maxInflightMessages: "max_inflight_messages",
  maxKeepalive: "max_keepalive",
  maxPacketSize: "max_packet_size",
  maxQueuedBytes: "max_queued_bytes",
  maxQueuedMessages: "max_queued_messages",
  maxTopicLevels: "lacewing_max_topic_levels",
  memoryLimit: "memory_limit",
  persistentClientExpiration: "persistent_client_expiration",
  queueQos0Messages: "queue_qos0_messages",
  reasonStrings: "lacewing_reason_strings",
  retainAvailable: "retain_available",
  retainExpiryInterval: "retain_expiry_interval",
  sysInterval: "sys_interval",
  upgradeOutgoingQos: "upgrade_outgoing_qos",
};

type Placeless = Omit<ListenerSettings, "port" | "host" | "path" | "tls" | "allowAnonymous">;

/** The same for those of listeners. A list is a line for each, but for versions, which are one. */
export const LISTENER_OPTIONS: Readonly<Record<keyof Placeless, string>> = {
  protocol: "protocol",
  acceptProtocolVersions: "accept_protocol_versions",
  maxConnections: "max_connections",
  maxQos: "max_qos",
  maxTopicAlias: "max_topic_alias",
  maxTopicAliasBroker: "max_topic_alias_broker",
  mountPoint: "mount_point",
  useIdentityAsUsername: "use_identity_as_username",
  useSubjectAsUsername: "use_subject_as_username",
  useUsernameAsClientid: "use_username_as_clientid",
  enableProxyProtocol: "enable_proxy_protocol",
  proxyProtocolV2RequireTls: "proxy_protocol_v2_require_tls",
  websocketsOrigins: "websockets_origin",
  httpDir: "http_dir",
  maxConnectRate: "lacewing_max_connect_rate",
  maxConnectRatePerAddress: "lacewing_max_connect_rate_per_address",
  maxLoginFailures: "lacewing_max_login_failures",
  maxMessageRate: "lacewing_max_message_rate",
  maxByteRate: "lacewing_max_byte_rate",
  maxSubscriptions: "lacewing_max_subscriptions",
};

/** The same for TLS. */
export const TLS_OPTIONS: Readonly<Record<Exclude<keyof TlsSettings, "sniCertificates">, string>> = {
  certFile: "certfile",
  keyFile: "keyfile",
  caFile: "cafile",
  caPath: "capath",
  crlFile: "crlfile",
  requireCertificate: "require_certificate",
  tlsVersion: "tls_version",
  ciphers: "ciphers",
  ciphersTls13: "ciphers_tls1.3",
  alpn: "lacewing_alpn",
};

type OtherOption = Exclude<keyof CreateBrokerOptions, keyof BrokerLimits>;

const OTHERS: Readonly<Record<OtherOption, true>> = {
  ...{ port: true, host: true, listeners: true, configFile: true, allowAnonymous: true, users: true },
  ...{
    passwordFile: true,
    acl: true,
    aclFile: true,
    authenticate: true,
    plugins: true,
    bridges: true,
    persistence: true,
    log: true,
    logType: true,
  },
};

/** @throws ConfigError when `options` has a name that nobody knows */
export function checkNames(options: object, known: readonly string[], where: string): void {
  const problems = Object.keys(options)
    .filter((name) => !known.includes(name))
    .map((name) => {
      const close = nearest(name, [...known]);
      const guess = close === null ? "" : ` Did you mean '${close}'?`;
      return { place: where, text: `Unknown option '${name}'.${guess}` };
    });
  if (problems.length > 0) throw new ConfigError(problems);
}

/**
 * One line.
 * @throws ConfigError when the value cannot be in a line: a line break would begin another one, and blanks around it are none of it
 */
export function line(place: string, option: string, value: unknown): OptionLine {
  const text = String(value);
  if (text !== text.trim())
    throw new ConfigError([
      { place, text: `The value of '${place}' begins or ends with a blank, which is not allowed.` },
    ]);
  if (/[\r\n\0]/.test(text))
    throw new ConfigError([{ place, text: `The value of '${place}' has a line break, which is not allowed.` }]);
  return { place, text: `${option} ${text}` };
}

/** Lists that are one line, and what is between their parts; any other is a line for each. */
const JOINED: Readonly<Record<string, string>> = { acceptProtocolVersions: ", ", addresses: " ", restartTimeout: " " };

/** A line for each of `values` that `table` has an option for. @param before put before the name for its place */
export function linesOf(
  values: object,
  table: Readonly<Record<string, string>>,
  before: string,
): readonly OptionLine[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const option = Object.hasOwn(table, name) ? table[name] : undefined;
    if (option === undefined || value === undefined) return [];
    const place = `${before}${name}`;
    const between = JOINED[name];
    if (Array.isArray(value) && between !== undefined) return [line(place, option, value.join(between))];
    return Array.isArray(value)
      ? value.map((each, at) => line(`${place}[${at}]`, option, each))
      : [line(place, option, value)];
  });
}

/**
 * The lines of the broker as a whole.
 * @throws ConfigError when an option is not known
 */
export function brokerLines(options: CreateBrokerOptions): readonly OptionLine[] {
  checkNames(options, [...Object.keys(LIMIT_OPTIONS), ...Object.keys(OTHERS)], "createBroker");
  const { passwordFile, aclFile, logType, persistence } = options;
  const others = { passwordFile: "password_file", aclFile: "acl_file", logType: "log_type" };
  const files = linesOf({ passwordFile, aclFile, logType }, others, "");
  return [...linesOf(options, LIMIT_OPTIONS, ""), ...files, ...persistenceLines(persistence)];
}

function persistenceLines(persistence: CreateBrokerOptions["persistence"]): readonly OptionLine[] {
  if (persistence === undefined) return [];
  if (persistence === false) return [line("persistence", "persistence", false)];
  checkNames(persistence, ["location", "durability"], "persistence");
  const { location, durability = "always" } = persistence;
  return [
    line("persistence", "persistence", true),
    line("persistence.location", "persistence_location", location),
    line("persistence.durability", "lacewing_durability", durability),
  ];
}

const LISTENER_NAMES = [...Object.keys(LISTENER_OPTIONS), "port", "host", "path", "tls", "allowAnonymous"];

/**
 * A listener.
 * @param isOpen whether clients without user name come in by a listener of this machine that does not say it
 * @throws ConfigError when an option is not known
 */
export function looseListener(settings: ListenerSettings, where: string, isOpen: boolean): LooseListener {
  checkNames(settings, LISTENER_NAMES, where);
  const { port = 0, path, tls, allowAnonymous } = settings;
  const host = settings.host === undefined ? "127.0.0.1" : settings.host;
  const isLocal = path !== undefined || (host !== null && isLoopback(host));
  return {
    place: where,
    host: path === undefined ? host : null,
    port,
    ...(path !== undefined && { unixPath: path }),
    allowAnonymous: allowAnonymous ?? (isOpen && isLocal),
    lines: [...linesOf(settings, LISTENER_OPTIONS, `${where}.`), ...(tls === undefined ? [] : tlsLines(tls, where))],
  };
}

function tlsLines(tls: TlsSettings, where: string): readonly OptionLine[] {
  const place = `${where}.tls`;
  checkNames(tls, [...Object.keys(TLS_OPTIONS), "sniCertificates"], place);
  const more = (tls.sniCertificates ?? []).map(({ serverName, certFile, keyFile }, at) =>
    line(`${place}.sniCertificates[${at}]`, "lacewing_sni_certificate", `${serverName} "${certFile}" "${keyFile}"`),
  );
  return [...linesOf(tls, TLS_OPTIONS, `${place}.`), ...more];
}
