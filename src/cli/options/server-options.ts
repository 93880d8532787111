/** The options that say where the broker is and which way leads there, for every tool that is a client. */
import { CommandLineError, type OptionTable, type ParsedOptions, type TextOption } from "../command-line.ts";
import { type ProxyArguments, proxyOf } from "./proxy-option.ts";
import { TLS_OPTIONS, type TlsArguments, tlsOf } from "./tls-options.ts";
import { urlParts } from "./url-option.ts";

const SERVER = {
  port: {
    group: "Where the broker is",
    short: "p",
    long: "port",
    type: "integer",
    argument: "port",
    min: 1,
    max: 65_535,
    help: "Port of the broker. Defaults to 1883, with TLS 8883.",
  },
  unix: {
    group: "Where the broker is",
    long: "unix",
    type: "text",
    argument: "socket path",
    help: "Unix socket of a broker on this machine, instead of -h.",
  },
  bindAddress: {
    group: "Where the broker is",
    short: "A",
    type: "text",
    argument: "address",
    help: "Address or name of this machine to connect from.",
  },
  usesSrv: {
    group: "Where the broker is",
    short: "S",
    type: "flag",
    help: "Look up where the broker of the domain -h is (SRV records of _mqtt._tcp, with TLS _secure-mqtt._tcp).",
  },
  proxy: {
    group: "Where the broker is",
    long: "proxy",
    type: "text",
    argument: "proxy url",
    help: "SOCKS5 proxy to go through: socks5h://[user[:password]@]host[:port].",
  },
  usesWebSocket: {
    group: "Where the broker is",
    long: "ws",
    type: "flag",
    help: "Speak MQTT in a WebSocket, as do ws:// and wss://.",
  },
  webSocketPath: {
    group: "Where the broker is",
    long: "ws-path",
    type: "text",
    argument: "path",
    default: "/mqtt",
    help: "What to ask the WebSocket's server for; it stands in no URL of -L.",
  },
  noDelay: {
    group: "Accepted for scripts",
    long: "nodelay",
    type: "flag",
    help: "Small packets never wait here.",
  },
  mptcp: {
    group: "Accepted for scripts",
    long: "mptcp",
    type: "flag",
    help: "Node.js has no Multipath TCP; plain TCP is used.",
  },
} as const;

// The later one of -h, -L and --unix counts.
const HOST_OPTION: { readonly host: TextOption & { readonly default: string } } = {
  host: {
    group: "Where the broker is",
    short: "h",
    long: "host",
    type: "text",
    argument: "host",
    default: "localhost",
    gives: () => ({ unix: "" }),
    help: "Name or address of the broker.",
  },
};

const URL_OPTION: { readonly url: TextOption } = {
  url: {
    group: "Where the broker is",
    short: "L",
    long: "url",
    type: "text",
    argument: "URL",
    gives: urlParts,
    help: "All in one: mqtt(s)://[user[:password]@]host[:port]/topic, or ws(s):// for a WebSocket.",
  },
};

type Table = typeof HOST_OPTION & typeof SERVER & typeof URL_OPTION & typeof TLS_OPTIONS;

/** The table. */
export const SERVER_OPTIONS: Table = { ...HOST_OPTION, ...SERVER, ...URL_OPTION, ...TLS_OPTIONS };
// Checked here and not at the table, whose type must be readable without inference.
SERVER_OPTIONS satisfies OptionTable;

/** Where the broker is, and the way there. */
export interface ServerArguments {
  readonly host: string;
  readonly port: number;
  /** A unix socket, which takes the place of host and port. */
  readonly unixPath: string | null;
  readonly bindAddress: string | null;
  readonly proxy: ProxyArguments | null;
  /** Whether host is a domain that says where its broker is. */
  readonly usesSrv: boolean;
  /** null: no WebSocket. */
  readonly webSocketPath: string | null;
  readonly tls: TlsArguments | null;
  /** Whether a client certificate was given, though TLS is off. */
  readonly hasUnusedCertificate: boolean;
}

/**
 * Reads what the options of SERVER_OPTIONS say together.
 * @throws CommandLineError when they contradict each other
 */
export function serverOf(parsed: ParsedOptions<typeof SERVER_OPTIONS>): ServerArguments {
  const { host, port, unix = "", usesSrv, usesWebSocket } = parsed;
  const tls = tlsOf(parsed, port);
  const unixPath = unix === "" ? null : unix;
  const proxy = parsed.proxy === undefined ? null : proxyOf(parsed.proxy);
  if (unixPath !== null && proxy !== null) {
    throw new CommandLineError("--unix is on this machine, where no --proxy leads: give one of them.");
  }
  if (unixPath !== null && usesSrv)
    throw new CommandLineError("--unix names the broker, so -S has nothing to look up.");
  return {
    host,
    port: port ?? (tls === null ? 1883 : 8883),
    unixPath,
    bindAddress: parsed.bindAddress ?? null,
    proxy,
    usesSrv,
    webSocketPath: usesWebSocket ? parsed.webSocketPath : null,
    tls,
    hasUnusedCertificate: tls === null && parsed.cert !== undefined,
  };
}
