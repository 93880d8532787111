/** What an application sets a bridge to: mosquitto.conf's settings of bridges without `bridge_` before their names. */

/** Messages that cross a bridge. */
export interface BridgedTopicSettings {
  /** Topic Filter without the prefixes; "": the prefixes themselves are the topics. */
  readonly pattern: string;
  /** "out", as seen from this broker. */
  readonly direction?: "out" | "in" | "both";
  /** The highest QoS that crosses; 0. */
  readonly qos?: 0 | 1 | 2;
  /** Put before `pattern` here. */
  readonly localPrefix?: string;
  /** Put before `pattern` there. */
  readonly remotePrefix?: string;
}

/** TLS towards the other broker; all files are PEM. Something must say whose certificates are trusted. */
export interface BridgeTlsSettings {
  readonly caFile?: string;
  /** A folder of CAs. */
  readonly caPath?: string;
  /** Whether the CAs that this system trusts are trusted. */
  readonly useOsCerts?: boolean;
  readonly certFile?: string;
  readonly keyFile?: string;
  /** The oldest version that is spoken; "tlsv1.2". */
  readonly tlsVersion?: "tlsv1.2" | "tlsv1.3";
  /** Of TLS 1.2, in OpenSSL's names with colons between them. */
  readonly ciphers?: string;
  /** Of TLS 1.3. */
  readonly ciphersTls13?: string;
  /** The protocol of ALPN. */
  readonly alpn?: string;
  /** Whether the name in the other broker's certificate does not matter; false. */
  readonly insecure?: boolean;
}

/** A connection to another broker. */
export interface BridgeSettings {
  readonly name: string;
  /** "HOST" or "HOST:PORT"; the first one is the main one. */
  readonly addresses: readonly string[];
  readonly topics: readonly BridgedTopicSettings[];
  /** Whether all addresses are equal; false. */
  readonly roundRobin?: boolean;
  /** "mqttv311". */
  readonly protocolVersion?: "mqttv31" | "mqttv311" | "mqttv50";
  /** Whether nothing waits there while the link is down; false. */
  readonly cleansession?: boolean;
  /** Whether nothing waits here; as `cleansession`. */
  readonly localCleansession?: boolean;
  /** HOSTNAME.NAME. */
  readonly remoteClientid?: string;
  readonly remoteUsername?: string;
  readonly remotePassword?: string;
  readonly localClientid?: string;
  /** Whose rights the bridge has here; without it, all. */
  readonly localUsername?: string;
  /** Seconds; 60. */
  readonly keepaliveInterval?: number;
  /** Whether it is told by a retained message that the link is there; true. */
  readonly notifications?: boolean;
  readonly notificationsLocalOnly?: boolean;
  readonly notificationTopic?: string;
  /** "automatic". */
  readonly startType?: "automatic" | "lazy" | "once";
  /** Seconds without a message after which a lazy bridge ends its connection; 60. */
  readonly idleTimeout?: number;
  /** Messages that start a lazy bridge; 10. */
  readonly threshold?: number;
  /** Seconds between attempts: always the same; or the least and the most, and how long a connection lasts after which it begins anew. */
  readonly restartTimeout?: number | readonly [base: number, cap: number, stable?: number];
  readonly tryPrivate?: boolean;
  readonly attemptUnsubscribe?: boolean;
  readonly bindAddress?: string;
  /** Bytes; 0: no bound of its own. */
  readonly maxPacketSize?: number;
  readonly maxTopicAlias?: number;
  readonly receiveMaximum?: number;
  /** Seconds that the other broker keeps the session, with 5.0; 4,294,967,295: for ever. */
  readonly sessionExpiryInterval?: number;
  /** Whether RETAIN is sent on; true. */
  readonly outgoingRetain?: boolean;
  readonly tls?: BridgeTlsSettings;
  /** A key that both brokers know, in hexadecimal, in place of certificates. */
  readonly psk?: { readonly identity: string; readonly key: string };
}
