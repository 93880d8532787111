/** Which transport reaches a server, in Node. */
import {
  type Connector,
  type Dialer,
  SocketConnector,
  Socks5Dialer,
  TcpDialer,
  TlsDialer,
  type TlsOptions,
  UnixDialer,
  WebSocketConnector,
} from "../transport/index.ts";
import { ArgumentError } from "./errors.ts";
import { checkNamesOf, type Names, type Place } from "./known-names.ts";
import type { SharedClientOptions } from "./options.ts";
import { type Server, serverName } from "./servers.ts";

/** Options of what only Node can do. */
export interface NodeTransportOptions {
  /** For mqtts:// and wss://. */
  readonly tls?: TlsOptions;
  /** A SOCKS5 proxy, which looks names up itself: socks5h://user:password@host:1080. */
  readonly proxy?: string;
  /** Address of this machine to connect from. */
  readonly bindAddress?: string;
  /** More headers for ws:// and wss://. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Everything that a client in Node can be set to. */
export type NodeClientOptions = SharedClientOptions & NodeTransportOptions;

/** Time for an open connection unless asked otherwise, in milliseconds. */
const CONNECT_TIMEOUT_MS = 30_000;

const PROXY_PORT = 1080;

const TLS_OPTION: Names<keyof TlsOptions> = {
  ...{ ca: true, caFile: true, cert: true, certFile: true, key: true, keyFile: true, passphrase: true, crl: true },
  ...{ crlFile: true, serverName: true, alpnProtocols: true, insecure: true, anyServerName: true },
  ...{ minimumVersion: true, maximumVersion: true, ciphers: true, psk: true, onKeyLog: true },
};

const TLS: Place = {
  what: "option of tls",
  known: TLS_OPTION,
  elsewhere: { rejectUnauthorized: "insecure", servername: "serverName" },
};

/** The ways to the servers of one client: one for each, as TLS remembers the last connection. */
export class NodeConnectors {
  readonly #options: NodeClientOptions;
  readonly #connectors: Map<string, Connector> = new Map();

  /** @throws ArgumentError when an option is not allowed */
  constructor(options: NodeClientOptions) {
    this.#options = options;
    checkNamesOf(TLS, options.tls);
    if (options.proxy !== undefined) proxyOf(options.proxy);
  }

  of(server: Server): Connector {
    const name = serverName(server);
    let connector = this.#connectors.get(name);
    if (connector === undefined) {
      connector = this.#newConnector(server);
      this.#connectors.set(name, connector);
    }
    return connector;
  }

  #newConnector(server: Server): Connector {
    const { connectTimeoutMs: timeoutMs = CONNECT_TIMEOUT_MS, headers } = this.#options;
    const { scheme, path, host } = server;
    if (scheme === "unix") return new SocketConnector(new UnixDialer(path), timeoutMs);
    const plain = this.#plainDialer(server);
    const isSafe = scheme === "mqtts" || scheme === "wss";
    const dialer = isSafe ? new TlsDialer(plain, host, this.#options.tls) : plain;
    if (scheme === "mqtt" || scheme === "mqtts") return new SocketConnector(dialer, timeoutMs);
    return new WebSocketConnector(dialer, { url: serverName(server), headers, timeoutMs });
  }

  #plainDialer({ host, port }: Server): Dialer {
    const { proxy, bindAddress } = this.#options;
    if (proxy === undefined) return new TcpDialer({ host, port, bindAddress });
    const { username, password, ...place } = proxyOf(proxy);
    return new Socks5Dialer(new TcpDialer({ ...place, bindAddress }), { host, port, username, password });
  }
}

function proxyOf(text: string) {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.hostname === "" || !["socks5h:", "socks5:"].includes(url.protocol)) {
    throw new ArgumentError(`"${text}" is not the URL of a SOCKS5 proxy, as socks5h://user:password@host:1080`);
  }
  const decode = (part: string): string | null => (part === "" ? null : decodeURIComponent(part));
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? PROXY_PORT : Number(url.port),
    username: decode(url.username),
    password: decode(url.password),
  };
}
