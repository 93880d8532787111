/** What a bridge comes to, in the words of mosquitto.conf. Secrets are not shown. */
import type { BridgeConfig, BridgeTlsConfig, BridgeTopic } from "../bridge-config.ts";
import { newBridge } from "../draft.ts";
import { group, type Row, type SettingGroup } from "./setting.ts";

const STANDARD = newBridge("", "").settings;
const VERSIONS = { 3: "mqttv31", 4: "mqttv311", 5: "mqttv50" } as const;
const HIDDEN = "(set)";

/** Those of one bridge. */
export function bridgeSettings(bridge: BridgeConfig): readonly SettingGroup[] {
  return [reaching(bridge), ...securing(bridge), crossing(bridge), keeping(bridge), being(bridge)];
}

function reaching(bridge: BridgeConfig): SettingGroup {
  const { startType, idleTimeoutSeconds, thresholdMessages, tcpKeepAlive, remoteClientId } = bridge;
  const lazy: readonly Row[] = [
    ["idle_timeout", idleTimeoutSeconds, STANDARD.idleTimeoutSeconds],
    ["threshold", thresholdMessages, STANDARD.thresholdMessages],
  ];
  const keepAlive = tcpKeepAlive === null ? null : Object.values(tcpKeepAlive).join(" ");
  return group("The other broker", [
    ["address", bridge.addresses.map(({ host, port }) => `${host}:${port}`), null, orderOf(bridge)],
    ["round_robin", bridge.roundRobin, STANDARD.roundRobin],
    ["bridge_protocol_version", VERSIONS[bridge.version], VERSIONS[STANDARD.version]],
    ["remote_clientid", remoteClientId, null, remoteClientId === null ? `HOSTNAME.${bridge.name}` : ""],
    ["remote_username", bridge.remoteUsername, null],
    ["remote_password", bridge.remotePassword === null ? null : HIDDEN, null],
    ["start_type", startType, STANDARD.startType],
    ...(startType === "lazy" ? lazy : []),
    ["restart_timeout", delayText(bridge.restartDelay), delayText(STANDARD.restartDelay)],
    ["keepalive_interval", bridge.keepAliveSeconds, STANDARD.keepAliveSeconds],
    ["try_private", bridge.tryPrivate, STANDARD.tryPrivate],
    ["bridge_bind_address", bridge.bindAddress, null],
    ["bridge_tcp_keepalive", keepAlive, null],
    ["bridge_max_packet_size", bridge.maximumPacketSize, STANDARD.maximumPacketSize],
    ["bridge_max_topic_alias", bridge.topicAliasMaximum, STANDARD.topicAliasMaximum],
    ["bridge_receive_maximum", bridge.receiveMaximum, null],
    ["bridge_reload_type", bridge.reloadType, STANDARD.reloadType],
  ]);
}

function orderOf({ addresses, roundRobin }: BridgeConfig): string {
  if (addresses.length === 1) return "";
  return roundRobin ? "all are equal" : "the first one is the main one";
}

function delayText(delay: BridgeConfig["restartDelay"]): string {
  if (delay.kind === "constant") return String(delay.seconds);
  const { baseSeconds, capSeconds, stableSeconds } = delay;
  return stableSeconds === 0 ? `${baseSeconds} ${capSeconds}` : `${baseSeconds} ${capSeconds} ${stableSeconds}`;
}

function securing({ tls, psk }: BridgeConfig): readonly SettingGroup[] {
  if (psk !== null) {
    const rows: readonly Row[] = [
      ["bridge_identity", psk.identity, null],
      ["bridge_psk", HIDDEN, null],
    ];
    return [group("TLS with a pre-shared key", rows)];
  }
  return tls === null ? [] : [group("TLS", tlsRows(tls))];
}

function tlsRows(tls: BridgeTlsConfig): readonly Row[] {
  const { isInsecure } = tls;
  return [
    ["bridge_cafile", tls.caFile, null],
    ["bridge_capath", tls.caPath, null],
    ["bridge_tls_use_os_certs", tls.useSystemCas, false],
    ["bridge_certfile", tls.certFile, null],
    ["bridge_keyfile", tls.keyFile, null],
    ["bridge_tls_version", tls.version?.toLowerCase() ?? "tlsv1.2", "tlsv1.2", "the oldest that is spoken"],
    ["bridge_ciphers", tls.ciphers, null],
    ["bridge_ciphers_tls1.3", tls.ciphersTls13, null],
    ["bridge_alpn", tls.alpn, null],
    ["bridge_insecure", isInsecure, false, isInsecure ? "the name in the certificate does not matter" : ""],
    ["bridge_require_ocsp", tls.requireOcsp, false],
  ];
}

function crossing({ topics, outgoingRetain }: BridgeConfig): SettingGroup {
  return group("What crosses", [
    ...topics.map((topic): Row => ["topic", topicText(topic), null, whereTo(topic)]),
    ["bridge_outgoing_retain", outgoingRetain, STANDARD.outgoingRetain],
  ]);
}

function topicText({ pattern, direction, qos, localPrefix, remotePrefix }: BridgeTopic): string {
  const shown = (text: string): string => (text === "" ? '""' : text);
  const prefixes = localPrefix + remotePrefix === "" ? "" : ` ${shown(localPrefix)} ${shown(remotePrefix)}`;
  return `${shown(pattern)} ${direction} ${qos}${prefixes}`;
}

function whereTo({ pattern, direction, localPrefix, remotePrefix }: BridgeTopic): string {
  const arrow = { out: "->", in: "<-", both: "<->" }[direction];
  return localPrefix + remotePrefix === "" ? "" : `${localPrefix}${pattern} ${arrow} ${remotePrefix}${pattern}`;
}

function keeping({ cleanSession, localCleanSession, version, sessionExpirySeconds }: BridgeConfig): SettingGroup {
  const expiry = sessionExpirySeconds === null ? "not while the bridge is away" : "";
  return group("What waits", [
    ["cleansession", cleanSession, null, cleanSession ? "nothing waits there" : "what comes in waits there"],
    ["local_cleansession", localCleanSession ?? cleanSession, cleanSession],
    ...(version === 5 ? [["bridge_session_expiry_interval", sessionExpirySeconds, null, expiry] as const] : []),
  ]);
}

function being(bridge: BridgeConfig): SettingGroup {
  const { localClientId, localUsername, remoteClientId, name } = bridge;
  const id = localClientId === null ? `local.${remoteClientId ?? `HOSTNAME.${name}`}` : "";
  return group("Who it is here", [
    ["local_clientid", localClientId, null, id],
    ["local_username", localUsername, "", localUsername === null ? "may publish and read everything here" : ""],
    ["notifications", bridge.notifications, STANDARD.notifications],
    ["notifications_local_only", bridge.notificationsLocalOnly, STANDARD.notificationsLocalOnly],
    ["notification_topic", bridge.notificationTopic, null],
    ["bridge_attempt_unsubscribe", bridge.attemptUnsubscribe, STANDARD.attemptUnsubscribe],
  ]);
}
