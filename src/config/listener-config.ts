/** One way in for clients: where it is, what it speaks, whom it lets in and what they may do there. */
import { DEFAULT_ENTRANCE, type Entrance } from "../core/index.ts";
import { NO_SECURITY, type SecurityConfig } from "../security/index.ts";

/** What is spoken on a listener: MQTT, MQTT in WebSocket, or mosquitto 2.1's read-only HTTP interface. */
export type ListenerProtocol = "mqtt" | "websockets" | "http_api";

/** Oldest version of TLS that is spoken. 1.0 and 1.1 are never. */
export type TlsVersion = "TLSv1.2" | "TLSv1.3";

/** Certificate and key of a listener for one server name, by SNI. All paths name PEM files. */
export interface SniCertificate {
  /** As the client asks for it, in small letters; `*.example.org` stands for one label. */
  readonly serverName: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** TLS with certificates. All files are PEM; the server reads them at its start, on SIGHUP, and when they change. */
export interface TlsConfig {
  /** `certfile`: the server's certificate, with those between it and its CA. */
  readonly certFile: string;
  /** `keyfile` */
  readonly keyFile: string;
  /** `cafile`: CAs that clients' certificates may be signed by. */
  readonly caFile: string | null;
  /** `capath`: a folder of such CAs. */
  readonly caPath: string | null;
  /** `crlfile`: certificates that are revoked. */
  readonly crlFile: string | null;
  /** `tls_version` */
  readonly minimumVersion: TlsVersion;
  /** `ciphers`: of TLS 1.2, in OpenSSL's names with colons; null: the defaults of Node. */
  readonly ciphers: string | null;
  /** `ciphers_tls1.3`; null: the defaults of Node. */
  readonly ciphersTls13: string | null;
  /** `require_certificate`: whether a client must show a certificate that verifies. */
  readonly requireCertificate: boolean;
  /** `disable_client_cert_date_checks`: whether a client's certificate is taken before its time and after. */
  readonly ignoreClientCertificateDates: boolean;
  /** `lacewing_sni_certificate`: certificates for other server names on the same port. */
  readonly sniCertificates: readonly SniCertificate[];
  /** `lacewing_alpn`: protocols that are agreed to, as "mqtt"; empty: ALPN is not spoken of. */
  readonly alpn: readonly string[];
}

/** TLS with pre-shared keys; the keys are in `SecurityConfig.pskFile`. */
export interface PskConfig {
  /** `psk_hint`: told to clients. */
  readonly hint: string;
  /** `ciphers`; null: OpenSSL's PSK ciphers. */
  readonly ciphers: string | null;
  /** `tls_version` */
  readonly minimumVersion: TlsVersion;
}

/** Of WebSocket and HTTP listeners. */
export interface WebSocketConfig {
  /** `websockets_origin`: values of Origin that are let in; empty: all, and of `http_api` none but its own. */
  readonly origins: readonly string[];
  /** `http_dir`: folder of files given out by HTTP; null: none. */
  readonly httpDir: string | null;
  /** `websockets_headers_size`, `packet_buffer_size`: largest HTTP request without body, in bytes. */
  readonly maximumHeaderBytes: number;
}

/** One way in. */
export interface ListenerConfig {
  /** Where it was configured, as "/etc/mosquitto/mosquitto.conf:12"; null: not in a file. */
  readonly place: string | null;
  /** 0..65,535; 0: one that is free, or a unix socket when `unixPath` says so. */
  readonly port: number;
  /** Address or name to bind; null: all addresses, of IPv4 and IPv6. */
  readonly host: string | null;
  /** Path of a unix socket, which then is all there is. */
  readonly unixPath: string | null;
  /** Whether the broker runs without it when it cannot be had, as on a machine without IPv6. */
  readonly isOptional: boolean;
  readonly protocol: ListenerProtocol;
  /** `socket_domain`: the only version of IP that is listened on; null: both. */
  readonly socketDomain: "ipv4" | "ipv6" | null;
  /** `bind_interface`: network interface whose addresses alone are listened on; null: all. */
  readonly bindInterface: string | null;
  /** `set_tcp_nodelay`. The broker joins all of a turn into one write, so true costs no packets. */
  readonly noDelay: boolean;
  /** null: without TLS, or with `psk`. */
  readonly tls: TlsConfig | null;
  readonly psk: PskConfig | null;
  /** `enable_proxy_protocol`: version of the PROXY header that every connection must begin with; 0: none. */
  readonly proxyProtocol: 0 | 1 | 2;
  /** `proxy_protocol_v2_require_tls`: whether the proxy must say that the client spoke TLS to it. */
  readonly proxyRequiresTls: boolean;
  /** `require_certificate` with `enable_proxy_protocol 2`: whether the proxy must say that it has verified the client's certificate. */
  readonly proxyRequiresCertificate: boolean;
  readonly webSocket: WebSocketConfig;
  /** Whether clients without user name may come in here: `listener_allow_anonymous`, else `allow_anonymous`. */
  readonly allowAnonymous: boolean;
  /** Who is asked about clients that come in here: by `per_listener_settings`, that of all listeners or its own. */
  readonly security: SecurityConfig;
  /** What the core makes of it: maximum QoS, aliases, mount point, identifiers, user names, number of connections. */
  readonly entrance: Entrance;
}

/** `packet_buffer_size` of mosquitto 2.1, which takes the place of `websockets_headers_size`. */
const DEFAULT_HEADER_BYTES = 4096;

/** mosquitto's defaults for a listener: all addresses, nobody without a name, nobody to ask. */
export const DEFAULT_LISTENER: ListenerConfig = {
  place: null,
  port: 1883,
  host: null,
  unixPath: null,
  isOptional: false,
  protocol: "mqtt",
  socketDomain: null,
  bindInterface: null,
  noDelay: true,
  tls: null,
  psk: null,
  proxyProtocol: 0,
  proxyRequiresTls: false,
  proxyRequiresCertificate: false,
  webSocket: { origins: [], httpDir: null, maximumHeaderBytes: DEFAULT_HEADER_BYTES },
  allowAnonymous: false,
  security: NO_SECURITY,
  entrance: DEFAULT_ENTRANCE,
};
