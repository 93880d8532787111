/** Typed bridges as lines of mosquitto.conf, as `option-lines.ts` has it for the rest. */
import { ConfigError, type OptionLine } from "../config/index.ts";
import type { BridgedTopicSettings, BridgeSettings, BridgeTlsSettings } from "./bridge-settings.ts";
import { checkNames, line, linesOf } from "./option-lines.ts";

/** The option of mosquitto.conf that each stands for. One that is missing does not compile. */
export const BRIDGE_OPTIONS: Readonly<
  Record<Exclude<keyof BridgeSettings, "name" | "topics" | "tls" | "psk">, string>
> = {
  addresses: "addresses",
  roundRobin: "round_robin",
  protocolVersion: "bridge_protocol_version",
  cleansession: "cleansession",
  localCleansession: "local_cleansession",
  remoteClientid: "remote_clientid",
  remoteUsername: "remote_username",
  remotePassword: "remote_password",
  localClientid: "local_clientid",
  localUsername: "local_username",
  keepaliveInterval: "keepalive_interval",
  notifications: "notifications",
  notificationsLocalOnly: "notifications_local_only",
  notificationTopic: "notification_topic",
  startType: "start_type",
  idleTimeout: "idle_timeout",
  threshold: "threshold",
  restartTimeout: "restart_timeout",
  tryPrivate: "try_private",
  attemptUnsubscribe: "bridge_attempt_unsubscribe",
  bindAddress: "bridge_bind_address",
  maxPacketSize: "bridge_max_packet_size",
  maxTopicAlias: "bridge_max_topic_alias",
  receiveMaximum: "bridge_receive_maximum",
  sessionExpiryInterval: "bridge_session_expiry_interval",
  outgoingRetain: "bridge_outgoing_retain",
};

/** The same for TLS. */
export const BRIDGE_TLS_OPTIONS: Readonly<Record<keyof BridgeTlsSettings, string>> = {
  caFile: "bridge_cafile",
  caPath: "bridge_capath",
  useOsCerts: "bridge_tls_use_os_certs",
  certFile: "bridge_certfile",
  keyFile: "bridge_keyfile",
  tlsVersion: "bridge_tls_version",
  ciphers: "bridge_ciphers",
  ciphersTls13: "bridge_ciphers_tls1.3",
  alpn: "bridge_alpn",
  insecure: "bridge_insecure",
};

const BRIDGE_NAMES = [...Object.keys(BRIDGE_OPTIONS), "name", "topics", "tls", "psk"];
const TOPIC_NAMES = ["pattern", "direction", "qos", "localPrefix", "remotePrefix"];

/**
 * The lines of a bridge.
 * @param where its place in what the application gave
 * @throws ConfigError when an option is not known, or a value cannot be one
 */
export function bridgeLines(bridge: BridgeSettings, where: string): readonly OptionLine[] {
  checkNames(bridge, BRIDGE_NAMES, where);
  const { name, topics = [], tls = {}, psk, addresses = [] } = bridge;
  checkNames(tls, Object.keys(BRIDGE_TLS_OPTIONS), `${where}.tls`);
  if (psk !== undefined) checkNames(psk, ["identity", "key"], `${where}.psk`);
  for (const [at, address] of addresses.entries())
    if (/[\s#]/.test(address))
      throw refused(`${where}.addresses[${at}]`, `'${address}' is no address. Allowed is "HOST" or "HOST:PORT".`);
  return [
    line(where, "connection", name),
    ...linesOf(bridge, BRIDGE_OPTIONS, `${where}.`),
    ...linesOf(tls, BRIDGE_TLS_OPTIONS, `${where}.tls.`),
    ...(psk === undefined ? [] : linesOf(psk, { identity: "bridge_identity", key: "bridge_psk" }, `${where}.psk.`)),
    ...topics.map((topic, at) => topicLine(topic, `${where}.topics[${at}]`)),
  ];
}

function topicLine(topic: BridgedTopicSettings, where: string): OptionLine {
  checkNames(topic, TOPIC_NAMES, where);
  const { pattern, direction = "out", qos = 0, localPrefix = "", remotePrefix = "" } = topic;
  if (pattern.includes('"')) throw refused(`${where}.pattern`, "A pattern has no quotation marks.");
  for (const [prefix, which] of [
    [localPrefix, "localPrefix"],
    [remotePrefix, "remotePrefix"],
  ] as const)
    if (/[\s"+#]/.test(prefix))
      throw refused(
        `${where}.${which}`,
        `'${prefix}' has a wildcard, a blank or a quotation mark, which a prefix has not.`,
      );
  return line(
    where,
    "topic",
    `"${pattern}" ${direction} ${qos} ${prefixWord(localPrefix)} ${prefixWord(remotePrefix)}`,
  );
}

function prefixWord(prefix: string): string {
  return prefix === "" ? '""' : prefix;
}

function refused(place: string, text: string): ConfigError {
  return new ConfigError([{ place, text }]);
}
