/** What a Config comes to, in the words of mosquitto.conf: each setting with its value, whether it is the default, and its meaning. */
import { type Config, DEFAULT_CONFIG } from "../config.ts";
import { DEFAULT_LISTENER, type ListenerConfig } from "../listener-config.ts";
import type { LogDestination } from "../log-config.ts";
import { group, type SettingGroup, type SettingValue } from "./setting.ts";

/** -1 where mosquitto writes that for "no bound", which is 0 here. */
function unbounded(value: number): number {
  return value === 0 ? -1 : value;
}

/** Those of one listener. */
export function listenerSettings(listener: ListenerConfig): readonly SettingGroup[] {
  return [speaking(listener), ...encryption(listener), access(listener), limits(listener), webPages(listener)].filter(
    ({ settings }) => settings.length > 0,
  );
}

function speaking(listener: ListenerConfig): SettingGroup {
  const { protocol, entrance, socketDomain, bindInterface, proxyProtocol, proxyRequiresTls, noDelay } = listener;
  const isProven = listener.proxyRequiresCertificate;
  const words = { mqtt: "MQTT", websockets: "MQTT in WebSocket", http_api: "HTTP" } as const;
  return group("What it speaks", [
    ["protocol", protocol, null, words[protocol]],
    ["accept_protocol_versions", entrance.versions.join(", "), "3, 4, 5", versionsText(entrance.versions)],
    ["socket_domain", socketDomain, null],
    ["bind_interface", bindInterface, null],
    ["enable_proxy_protocol", proxyProtocol, 0, proxyProtocol === 0 ? "" : "every connection begins with its header"],
    ["proxy_protocol_v2_require_tls", proxyRequiresTls, false],
    ...(proxyProtocol === 2
      ? [["require_certificate", isProven, false, isProven ? "the proxy must have verified one" : ""] as const]
      : []),
    ["set_tcp_nodelay", noDelay, true],
  ]);
}

function versionsText(versions: readonly number[]): string {
  return versions.map((version) => ({ 3: "3.1", 4: "3.1.1", 5: "5.0" })[version]).join(", ");
}

function encryption({ tls, psk }: ListenerConfig): readonly SettingGroup[] {
  if (psk !== null) {
    return [
      group("TLS with pre-shared keys", [
        ["psk_hint", psk.hint, null],
        ["tls_version", psk.minimumVersion.toLowerCase(), "tlsv1.2"],
        ["ciphers", psk.ciphers, null],
      ]),
    ];
  }
  if (tls === null) return [];
  const { certFile, keyFile, caFile, caPath, crlFile, minimumVersion, ciphers, ciphersTls13 } = tls;
  const names = tls.sniCertificates.map(({ serverName }) => serverName);
  return [
    group("TLS", [
      ["certfile", certFile, null],
      ["keyfile", keyFile, null],
      ["tls_version", minimumVersion.toLowerCase(), "tlsv1.2", "the oldest that is spoken"],
      ["ciphers", ciphers, null],
      ["ciphers_tls1.3", ciphersTls13, null],
      ["cafile", caFile, null, "whose certificates of clients are trusted"],
      ["capath", caPath, null, "whose certificates of clients are trusted"],
      ["crlfile", crlFile, null, "certificates that are revoked"],
      ["require_certificate", tls.requireCertificate, false, tls.requireCertificate ? "clients must show one" : ""],
      ["disable_client_cert_date_checks", tls.ignoreClientCertificateDates, false],
      ["lacewing_sni_certificate", names, []],
      ["lacewing_alpn", tls.alpn, []],
    ]),
  ];
}

function access({ allowAnonymous, security, entrance, tls }: ListenerConfig): SettingGroup {
  const { passwordFile, aclFile, pskFile, plugins, denySpecialCharacters, refuseSubscriptions } = security;
  const { identityAsUsername } = entrance;
  const isSubject = identityAsUsername === "subject";
  return group("Who comes in, and what they may do", [
    ["allow_anonymous", allowAnonymous, null, allowAnonymous ? "also who names no user" : "only who proves a user"],
    ["password_file", passwordFile, null],
    ["psk_file", pskFile, null],
    ["acl_file", aclFile, null],
    ["plugin", plugins.map(pluginText), []],
    ["use_identity_as_username", identityAsUsername !== null && !isSubject, false, identityText(identityAsUsername)],
    ["use_subject_as_username", isSubject, false, tls === null ? "" : identityText(identityAsUsername)],
    ["use_username_as_clientid", entrance.usernameAsClientId, false],
    ["allow_zero_length_clientid", entrance.allowZeroLengthClientId, true],
    ["auto_id_prefix", entrance.autoIdPrefix, "auto-"],
    ["mount_point", entrance.mountPoint === "" ? null : entrance.mountPoint, null],
    ["auth_plugin_deny_special_chars", denySpecialCharacters, true],
    ["lacewing_acl_refuse_subscriptions", refuseSubscriptions, false],
  ]);
}

function identityText(identity: ListenerConfig["entrance"]["identityAsUsername"]): string {
  switch (identity) {
    case "common-name":
      return "the CN of its certificate is the client's user name, and no password is asked for";
    case "subject":
      return "the subject of its certificate is the client's user name, and no password is asked for";
    case "psk-identity":
      return "the identity of its key is the client's user name, and no password is asked for";
    default:
      return "";
  }
}

function pluginText(plugin: ListenerConfig["security"]["plugins"][number]): string {
  switch (plugin.kind) {
    case "dynamic-security":
      return `dynamic security, ${plugin.configFile}`;
    case "jwt":
      return "lacewing_jwt";
    case "http":
      return `lacewing_http, ${plugin.url}`;
    case "scram":
      return `lacewing_scram, ${plugin.file}`;
    case "module":
      return plugin.path;
    case "given":
      return plugin.name;
    case "acl-lists":
      return "lists of rules";
    default:
      return `${plugin.kind}, ${plugin.file}`;
  }
}

function limits({ entrance }: ListenerConfig): SettingGroup {
  const standard = DEFAULT_LISTENER.entrance;
  return group("Limits", [
    ["max_connections", unbounded(entrance.maximumConnections), -1],
    ["max_qos", entrance.maximumQos, 2],
    ["max_topic_alias", entrance.topicAliasMaximum, standard.topicAliasMaximum],
    ["max_topic_alias_broker", entrance.topicAliasMaximumOut, standard.topicAliasMaximumOut],
    ["lacewing_max_connect_rate", entrance.maximumConnectRate, standard.maximumConnectRate],
    ["lacewing_max_connect_rate_per_address", entrance.maximumConnectRatePerAddress, 0],
    ["lacewing_max_login_failures", entrance.maximumLoginFailures, standard.maximumLoginFailures],
    ["lacewing_login_backoff", entrance.loginBackOffMs / 1000, standard.loginBackOffMs / 1000],
    ["lacewing_max_message_rate", entrance.maximumMessageRate, standard.maximumMessageRate],
    ["lacewing_max_byte_rate", entrance.maximumByteRate, standard.maximumByteRate],
    ["lacewing_max_subscriptions", entrance.maximumSubscriptions, standard.maximumSubscriptions],
  ]);
}

function webPages({ protocol, webSocket }: ListenerConfig): SettingGroup {
  if (protocol === "mqtt") return group("", []);
  const { origins, httpDir, maximumHeaderBytes } = webSocket;
  return group("HTTP", [
    [
      "websockets_origin",
      origins,
      [],
      origins.length > 0 ? "" : protocol === "http_api" ? "its own pages" : "pages of all origins",
    ],
    ["http_dir", httpDir, null],
    ["packet_buffer_size", maximumHeaderBytes, DEFAULT_LISTENER.webSocket.maximumHeaderBytes],
  ]);
}

/** Those of the broker as a whole. */
export function brokerSettings(config: Config): readonly SettingGroup[] {
  return [keeping(config), messages(config), logging(config), running(config)];
}

function keeping({ persistence }: Config): SettingGroup {
  const { enabled, location, durability } = persistence;
  const mode = durability.mode === "interval" ? `interval:${durability.intervalMs}` : durability.mode;
  const words = enabled ? "sessions and messages outlive the process" : "sessions and messages end with the process";
  return group("What is kept", [
    ["persistence", enabled, null, words],
    ["persistence_location", location, DEFAULT_CONFIG.persistence.location],
    ["lacewing_durability", mode, "always"],
  ]);
}

function messages({ broker }: Config): SettingGroup {
  const standard = DEFAULT_CONFIG.broker;
  const seconds = (value: number): SettingValue => (value === standard.maximumSessionExpirySeconds ? null : value);
  return group("Clients and messages", [
    ["max_keepalive", broker.maximumKeepAliveSeconds, standard.maximumKeepAliveSeconds],
    ["global_max_connections", unbounded(broker.maximumConnections), -1],
    ["global_max_clients", unbounded(broker.maximumClients), -1],
    ["persistent_client_expiration", seconds(broker.maximumSessionExpirySeconds), null],
    ["clientid_prefixes", broker.clientIdPrefix === "" ? null : broker.clientIdPrefix, null],
    ["max_packet_size", broker.maximumPacketSize, standard.maximumPacketSize],
    ["message_size_limit", broker.maximumPayloadBytes, standard.maximumPayloadBytes],
    ["max_inflight_messages", broker.maximumInflightMessages, standard.maximumInflightMessages],
    ["max_inflight_bytes", broker.maximumInflightBytes, standard.maximumInflightBytes],
    ["max_queued_messages", broker.maximumQueuedMessages, standard.maximumQueuedMessages],
    ["max_queued_bytes", broker.maximumQueuedBytes, standard.maximumQueuedBytes],
    ["queue_qos0_messages", broker.queueQos0Messages, standard.queueQos0Messages],
    ["upgrade_outgoing_qos", broker.upgradeOutgoingQos, standard.upgradeOutgoingQos],
    ["allow_duplicate_messages", broker.allowDuplicateMessages, standard.allowDuplicateMessages],
    ["check_retain_source", broker.checkRetainSource, standard.checkRetainSource],
    ["retain_available", broker.retainAvailable, standard.retainAvailable],
    ["retain_expiry_interval", broker.retainExpirySeconds / 60, 0],
    ["memory_limit", broker.memoryLimitBytes, standard.memoryLimitBytes],
    ["lacewing_connect_timeout", broker.connectTimeoutMs / 1000, standard.connectTimeoutMs / 1000],
    ["lacewing_store_timeout", broker.storeTimeoutMs / 1000, standard.storeTimeoutMs / 1000],
    ["lacewing_max_connect_size", broker.maximumConnectBytes, standard.maximumConnectBytes],
    ["lacewing_max_queue_memory", broker.maximumQueueMemoryBytes, standard.maximumQueueMemoryBytes],
    ["lacewing_max_topic_levels", broker.maximumTopicLevels, standard.maximumTopicLevels],
    ["lacewing_reason_strings", broker.reasonStrings, false],
    ["lacewing_response_information", broker.responseInformation, standard.responseInformation],
  ]);
}

function logging({ log }: Config): SettingGroup {
  const standard = DEFAULT_CONFIG.log;
  return group("Log", [
    ["log_dest", log.destinations.map(destinationText), null, log.destinations.length === 0 ? "nowhere" : ""],
    ["log_type", log.types, standard.types],
    ["log_timestamp", log.timestamp, standard.timestamp],
    ["log_timestamp_format", log.timestampFormat, standard.timestampFormat],
    ["log_facility", log.facility, standard.facility],
    ["lacewing_log_format", log.format, standard.format],
    ["connection_messages", log.connectionMessages, standard.connectionMessages],
  ]);
}

function destinationText(destination: LogDestination): string {
  return destination.kind === "file" ? `file ${destination.path}` : destination.kind;
}

function running({ sysIntervalSeconds, enableControlApi, process: { user, pidFile } }: Config): SettingGroup {
  return group("Running", [
    ["sys_interval", sysIntervalSeconds, DEFAULT_CONFIG.sysIntervalSeconds],
    ["enable_control_api", enableControlApi, DEFAULT_CONFIG.enableControlApi],
    ["user", user, null, user === null ? "started as root: mosquitto, or nobody" : "who root becomes"],
    ["pid_file", pidFile, null],
  ]);
}
