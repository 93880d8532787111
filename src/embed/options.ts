/** What an application sets a broker to: mosquitto.conf's settings in TypeScript's style, and functions where a file would have plugins. */
import type { LogType } from "../config/index.ts";
import type { AclLists, Plugin, PluginClient, PluginFactory, PluginVerdict } from "../server/index.ts";
import type { BridgeSettings } from "./bridge-settings.ts";

/** A certificate for one more server name. */
export interface SniCertificateSettings {
  /** As "b.example.org" or "*.example.org". */
  readonly serverName: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** TLS of a listener; all files are PEM. */
export interface TlsSettings {
  readonly certFile: string;
  readonly keyFile: string;
  /** CAs that clients' certificates may be signed by. */
  readonly caFile?: string;
  /** A folder of such CAs. */
  readonly caPath?: string;
  /** Certificates that are revoked. */
  readonly crlFile?: string;
  /** Whether a client must show a certificate that verifies; false. */
  readonly requireCertificate?: boolean;
  /** The oldest version that is spoken; "tlsv1.2". */
  readonly tlsVersion?: "tlsv1.2" | "tlsv1.3";
  /** Of TLS 1.2, in OpenSSL's names with colons between them. */
  readonly ciphers?: string;
  /** Of TLS 1.3. */
  readonly ciphersTls13?: string;
  /** Certificates for other server names on the same port. */
  readonly sniCertificates?: readonly SniCertificateSettings[];
  /** Protocols of ALPN, of which a client that offers any must offer one. */
  readonly alpn?: readonly string[];
}

/** A way in. */
export interface ListenerSettings {
  /** 0, or nothing: one that is free. */
  readonly port?: number;
  /** Address or name to bind; "127.0.0.1". null: all addresses. */
  readonly host?: string | null;
  /** Path of a unix socket, in place of host and port. */
  readonly path?: string;
  /** "mqtt"; "http_api" is HTTP to read what the broker counts, and no MQTT. */
  readonly protocol?: "mqtt" | "websockets" | "http_api";
  readonly tls?: TlsSettings;
  /** Whether clients without user name come in: where nobody is asked for users, true for listeners of this machine; else false. */
  readonly allowAnonymous?: boolean;
  /** Protocol levels that are spoken: 3, 4 (3.1.1), 5. */
  readonly acceptProtocolVersions?: readonly (3 | 4 | 5)[];
  /** Connections at once. */
  readonly maxConnections?: number;
  readonly maxQos?: 0 | 1 | 2;
  /** Topic aliases that a client may use. */
  readonly maxTopicAlias?: number;
  /** Topic aliases that the broker uses towards a client. */
  readonly maxTopicAliasBroker?: number;
  /** Put before all topics of its clients, who do not see it. */
  readonly mountPoint?: string;
  /** Whether the CN of a client's certificate is its user name. */
  readonly useIdentityAsUsername?: boolean;
  /** Whether the subject of a client's certificate is its user name. */
  readonly useSubjectAsUsername?: boolean;
  readonly useUsernameAsClientid?: boolean;
  /** Version of the PROXY header that every connection begins with. */
  readonly enableProxyProtocol?: 1 | 2;
  /** Whether a header of version 2 must say that the client spoke TLS to the proxy; false. */
  readonly proxyProtocolV2RequireTls?: boolean;
  /** Values of Origin that are let in; all. */
  readonly websocketsOrigins?: readonly string[];
  /** Folder of files that are given out by HTTP beside WebSocket. */
  readonly httpDir?: string;
  /** Connections taken in a second. */
  readonly maxConnectRate?: number;
  readonly maxConnectRatePerAddress?: number;
  /** Failed log-ins from one address before it is not listened to for a while. */
  readonly maxLoginFailures?: number;
  /** PUBLISH packets a client may send in a second; who sends more is read from more slowly. */
  readonly maxMessageRate?: number;
  /** Bytes a client may send in a second. */
  readonly maxByteRate?: number;
  /** Subscriptions that a client may have. */
  readonly maxSubscriptions?: number;
}

/** Where sessions, their messages and retained messages are kept. */
export interface PersistenceSettings {
  /** Folder of the store, which is made when it is not there. */
  readonly location: string;
  /** When an acknowledgement may leave; "always": when the disk has what it promises. */
  readonly durability?: "always" | "none" | `interval:${number}`;
}

/** Bounds and switches of the broker, by their names in mosquitto.conf; what is left out is mosquitto's default. */
export interface BrokerLimits {
  readonly allowDuplicateMessages?: boolean;
  /** Whether retained messages are given only while their publisher may publish to their topic; true. */
  readonly checkRetainSource?: boolean;
  /** What every client identifier must begin with. */
  readonly clientidPrefixes?: string;
  /** Seconds from the opening of a connection to its whole CONNECT; 15. */
  readonly connectTimeout?: number;
  /** Whether `$CONTROL/broker/v1` answers; false. */
  readonly enableControlApi?: boolean;
  readonly globalMaxClients?: number;
  readonly globalMaxConnections?: number;
  readonly maxInflightBytes?: number;
  readonly maxInflightMessages?: number;
  /** Seconds; 0: no bound. */
  readonly maxKeepalive?: number;
  /** Bytes; 2,000,000. */
  readonly maxPacketSize?: number;
  readonly maxQueuedBytes?: number;
  /** 1000; 0: no bound. */
  readonly maxQueuedMessages?: number;
  readonly maxTopicLevels?: number;
  /** Bytes held for clients together; 0: no bound. */
  readonly memoryLimit?: number;
  /** As "1d", "2m"; never. */
  readonly persistentClientExpiration?: string;
  readonly queueQos0Messages?: boolean;
  /** Whether refusals and ends are explained to 5.0 clients; true. */
  readonly reasonStrings?: boolean;
  readonly retainAvailable?: boolean;
  /** Minutes. */
  readonly retainExpiryInterval?: number;
  /** Seconds between updates of $SYS; 10. 0: there is none. */
  readonly sysInterval?: number;
  readonly upgradeOutgoingQos?: boolean;
}

/** Everything that a broker can be set to. */
export interface CreateBrokerOptions extends BrokerLimits {
  /** Of the one listener, when there are no `listeners`; 0: one that is free. */
  readonly port?: number;
  /** Of the one listener, when there are no `listeners`; "127.0.0.1". */
  readonly host?: string | null;
  readonly listeners?: readonly ListenerSettings[];
  /** A mosquitto.conf to begin with; what is said here comes after it. Its listeners are in force unless some are given here. */
  readonly configFile?: string;
  /** Whether clients without user name come in, by all listeners that do not say it themselves. */
  readonly allowAnonymous?: boolean;
  /** Passwords by user name. */
  readonly users?: Readonly<Record<string, string>>;
  /** A password file of mosquitto. */
  readonly passwordFile?: string;
  /** Who may read and write what; without it and `aclFile` everybody everything. */
  readonly acl?: AclLists;
  /** An ACL file of mosquitto. */
  readonly aclFile?: string;
  /** Asked about each client that `users` and `passwordFile` do not know; what it throws refuses the client. */
  readonly authenticate?: (client: PluginClient) => PluginVerdict | Promise<PluginVerdict>;
  /** Asked in their order, after all others; the same interface as modules that mosquitto.conf names. */
  readonly plugins?: readonly (Plugin | PluginFactory)[];
  /** Connections to other brokers, beside those of `configFile`. */
  readonly bridges?: readonly BridgeSettings[];
  /** false: sessions and messages end with the process. */
  readonly persistence?: false | PersistenceSettings;
  /** Kinds of lines that are logged; error, warning, notice and information. */
  readonly logType?: readonly LogType[];
  /** "none", with a `configFile` what that says; "stderr", or a function that gets each line without its time. The event "log" has all lines in any case. */
  readonly log?: "none" | "stderr" | ((line: { readonly type: string; readonly text: string }) => void);
}
