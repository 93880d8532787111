/** A connection to another broker: mosquitto's `connection` and the options after it. */
import type { BridgedTopic, RestartDelay } from "../bridge/index.ts";
import type { Version } from "../protocol/index.ts";
import type { TlsVersion } from "./listener-config.ts";

/** Where the other broker is. */
export interface BridgeAddress {
  readonly host: string;
  readonly port: number;
}

/** `topic`, and where the line is, as "FILE:LINE". */
export interface BridgeTopic extends BridgedTopic {
  readonly place: string;
}

/** TLS towards the other broker. Paths name PEM files. */
export interface BridgeTlsConfig {
  /** `bridge_cafile` */
  readonly caFile: string | null;
  /** `bridge_capath` */
  readonly caPath: string | null;
  /** `bridge_tls_use_os_certs` */
  readonly useSystemCas: boolean;
  /** `bridge_certfile` */
  readonly certFile: string | null;
  /** `bridge_keyfile` */
  readonly keyFile: string | null;
  /** `bridge_tls_version` */
  readonly version: TlsVersion | null;
  /** `bridge_ciphers` */
  readonly ciphers: string | null;
  /** `bridge_ciphers_tls1.3` */
  readonly ciphersTls13: string | null;
  /** `bridge_alpn` */
  readonly alpn: string | null;
  /** `bridge_insecure`: whether the name in the certificate does not matter. */
  readonly isInsecure: boolean;
  /** `bridge_require_ocsp` */
  readonly requireOcsp: boolean;
}

/** One bridge. */
export interface BridgeConfig {
  /** Where its `connection` is, as "FILE:LINE". */
  readonly place: string;
  readonly name: string;
  /** At least one; the first is the main one. */
  readonly addresses: readonly BridgeAddress[];
  /** `round_robin` */
  readonly roundRobin: boolean;
  /** At least one. */
  readonly topics: readonly BridgeTopic[];
  /** `bridge_protocol_version` */
  readonly version: Version;
  /** `cleansession` */
  readonly cleanSession: boolean;
  /** `local_cleansession`; null: as `cleanSession`. */
  readonly localCleanSession: boolean | null;
  /** `remote_clientid`; null: HOSTNAME.NAME. */
  readonly remoteClientId: string | null;
  readonly remoteUsername: string | null;
  readonly remotePassword: string | null;
  /** `local_clientid`; null: "local." before the remote one. */
  readonly localClientId: string | null;
  readonly localUsername: string | null;
  readonly localPassword: string | null;
  /** `keepalive_interval`: 5..65,535 */
  readonly keepAliveSeconds: number;
  readonly notifications: boolean;
  readonly notificationsLocalOnly: boolean;
  /** `notification_topic`; null: `$SYS/broker/connection/REMOTE CLIENT IDENTIFIER/state`. */
  readonly notificationTopic: string | null;
  readonly startType: "automatic" | "lazy" | "once";
  /** `idle_timeout` of a lazy bridge. */
  readonly idleTimeoutSeconds: number;
  /** `threshold`: messages that start a lazy bridge. */
  readonly thresholdMessages: number;
  /** `restart_timeout` */
  readonly restartDelay: RestartDelay;
  /** `try_private`: whether the bit that says "bridge" is set in CONNECT. */
  readonly tryPrivate: boolean;
  /** `bridge_attempt_unsubscribe` */
  readonly attemptUnsubscribe: boolean;
  /** `bridge_bind_address` */
  readonly bindAddress: string | null;
  /** `bridge_max_packet_size`: bytes; 0: no bound of its own. */
  readonly maximumPacketSize: number;
  /** `bridge_max_topic_alias` */
  readonly topicAliasMaximum: number;
  /** `bridge_receive_maximum`; null: not said. */
  readonly receiveMaximum: number | null;
  /** `bridge_session_expiry_interval` of 5.0; null: not said. */
  readonly sessionExpirySeconds: number | null;
  /** `bridge_outgoing_retain`: whether RETAIN is sent on. */
  readonly outgoingRetain: boolean;
  /** `bridge_reload_type`: whether a reload connects anew at once or when the connection next ends. */
  readonly reloadType: "lazy" | "immediate";
  /** `bridge_tcp_keepalive`: IDLE INTERVAL COUNT; null: the system's. */
  readonly tcpKeepAlive: {
    readonly idleSeconds: number;
    readonly intervalSeconds: number;
    readonly count: number;
  } | null;
  /** `bridge_tcp_user_timeout`, in milliseconds; null: the system's. */
  readonly tcpUserTimeoutMs: number | null;
  readonly tls: BridgeTlsConfig | null;
  /** `bridge_identity` and `bridge_psk`, in hexadecimal. */
  readonly psk: { readonly identity: string; readonly key: string } | null;
}
