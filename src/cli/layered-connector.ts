/** The ways to a broker that are more than TCP: a unix socket, SRV records, a proxy, TLS, WebSocket, one over the other. */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { hostname } from "node:os";
import {
  type Connector,
  type Dialer,
  formatAddress,
  SocketConnector,
  Socks5Dialer,
  TcpDialer,
  TlsDialer,
  type TlsOptions,
  UnixDialer,
  WebSocketConnector,
} from "../transport/index.ts";
import { CONNECT_TIMEOUT_MS } from "./broker-connector.ts";
import type { ServerArguments } from "./options/server-options.ts";
import type { ToolIo } from "./output.ts";
import { SetUpError } from "./set-up-error.ts";
import { SrvDialer } from "./srv-dialer.ts";
import { tlsOptionsOf } from "./tls-set-up.ts";

/** The ways to a broker, layer by layer. */
export interface Ways {
  /** Below TLS and WebSocket. */
  readonly dialer: Dialer;
  readonly tls: TlsOptions | null;
  /** Through all layers. */
  readonly connector: Connector;
}

/**
 * The Connector that goes through all layers.
 * @throws SetUpError when a file is not there or a word is not understood
 */
export async function layeredConnector(server: ServerArguments, io: ToolIo): Promise<Connector> {
  return (await waysTo(server, io)).connector;
}

/** As `layeredConnector`, and the layers below. */
export async function waysTo(server: ServerArguments, io: ToolIo): Promise<Ways> {
  const { host, port, webSocketPath } = server;
  const tls = server.tls === null ? null : await tlsOptionsOf(server.tls, io);
  const bindAddress = await boundTo(server);
  const dialerWith = (layer: TlsOptions | null): Dialer =>
    server.usesSrv
      ? new SrvDialer(domainOf(server), tls !== null, (target, at) => dialerTo(server, target, at, bindAddress, layer))
      : dialerTo(server, host, port, bindAddress, layer);
  const whole = dialerWith(tls);
  const ways = { dialer: tls === null ? whole : dialerWith(null), tls };
  if (webSocketPath === null) return { ...ways, connector: new SocketConnector(whole, CONNECT_TIMEOUT_MS) };
  const url = `${tls === null ? "ws" : "wss"}://${formatAddress(host, port)}${webSocketPath}`;
  return { ...ways, connector: new WebSocketConnector(whole, { url, timeoutMs: CONNECT_TIMEOUT_MS }) };
}

function dialerTo(
  { unixPath, proxy }: ServerArguments,
  host: string,
  port: number,
  bindAddress: string | undefined,
  tls: TlsOptions | null,
): Dialer {
  let dialer: Dialer;
  if (unixPath !== null) {
    dialer = new UnixDialer(unixPath);
  } else if (proxy !== null) {
    const { username, password } = proxy;
    const toProxy = new TcpDialer({ host: proxy.host, port: proxy.port, bindAddress });
    dialer = new Socks5Dialer(toProxy, { host, port, username, password });
  } else {
    dialer = new TcpDialer({ host, port, bindAddress });
  }
  return tls === null ? dialer : new TlsDialer(dialer, host, tls);
}

/** Whose SRV records to look up: without -h those of the domain that this machine is in. */
function domainOf({ host }: ServerArguments): string {
  if (host !== "localhost") return host;
  const [, ...domain] = hostname().split(".");
  if (domain.length > 0) return domain.join(".");
  throw new SetUpError("Unable to connect (Lookup error.).", {
    en: "This machine is in no domain: name the broker's with -h.",
    zh: "本机不属于任何域：请用 -h 指定服务器所在的域。",
  });
}

/** The address to connect from; -A takes names too. */
async function boundTo({ bindAddress }: ServerArguments): Promise<string | undefined> {
  if (bindAddress === null) return undefined;
  if (isIP(bindAddress) !== 0) return bindAddress;
  try {
    return (await lookup(bindAddress)).address;
  } catch {
    throw new SetUpError("Unable to connect (Lookup error.).", {
      en: `No address was found for the name '${bindAddress}': see -A.`,
      zh: `找不到 '${bindAddress}' 的地址：请检查 -A。`,
    });
  }
}
