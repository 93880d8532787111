/** The servers that a client may use: their URLs, which one is next, and where a server sends us instead. */
import { ArgumentError } from "./errors.ts";
import type { ServerScheme } from "./topic-types.ts";

/** One server, as its URL names it. */
export interface Server {
  readonly scheme: ServerScheme;
  /** Name or address, IPv6 without brackets; empty for a unix socket. */
  readonly host: string;
  /** 0 for a unix socket. */
  readonly port: number;
  /** Of a WebSocket with its query, or of a unix socket. */
  readonly path: string;
  readonly username: string | null;
  readonly password: string | null;
}

const PORTS: Readonly<Record<ServerScheme, number>> = { mqtt: 1883, mqtts: 8883, ws: 80, wss: 443, unix: 0 };

function isScheme(text: string): text is ServerScheme {
  return Object.hasOwn(PORTS, text);
}

/**
 * Reads the URL of a server.
 * @throws ArgumentError when it is none
 */
export function serverOf(text: string): Server {
  const example = "write it as in mqtt://example.org:1883, mqtts://, ws://, wss:// or unix:///run/mosquitto.sock";
  let url: URL;
  try {
    url = new URL(text);
  } catch (error) {
    throw new ArgumentError(`"${text}" is not the URL of a server; ${example}`, error);
  }
  const scheme = url.protocol.slice(0, -1);
  if (!isScheme(scheme)) throw new ArgumentError(`"${text}" has the unknown scheme "${scheme}"; ${example}`);
  const [username, password] = [decode(url.username), decode(url.password)];
  if (scheme === "unix") {
    if (url.pathname === "") throw new ArgumentError(`"${text}" names no file; ${example}`);
    return { scheme, host: "", port: 0, path: decodeURIComponent(url.pathname), username, password };
  }
  if (url.hostname === "") throw new ArgumentError(`"${text}" names no host; ${example}`);
  const host = decodeURIComponent(url.hostname).replace(/^\[(.*)\]$/, "$1");
  const port = url.port === "" ? PORTS[scheme] : Number(url.port);
  const isWebSocket = scheme === "ws" || scheme === "wss";
  return { scheme, host, port, path: isWebSocket ? `${url.pathname}${url.search}` : "", username, password };
}

function decode(part: string): string | null {
  return part === "" ? null : decodeURIComponent(part);
}

/** The server as messages show it, without its password. */
export function serverName({ scheme, host, port, path }: Server): string {
  if (scheme === "unix") return `unix://${path}`;
  const address = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  return `${scheme}://${address}${path === "/" ? "" : path}`;
}

/**
 * Where the server says to go instead [5.0 §4.11]: names or addresses with or without port, by spaces; the way to speak to them stays.
 * Also URLs are understood. What cannot be read is left out.
 */
export function referredServers(reference: string, from: Server): readonly Server[] {
  return reference.split(/\s+/).flatMap((word) => {
    if (word === "" || from.scheme === "unix") return [];
    try {
      const isUrl = word.includes("://");
      const place = bracketed(word);
      const server = serverOf(isUrl ? word : `${from.scheme}://${place}`);
      // A server may not lead from a safe way to an open one.
      if (isSafe(from) && !isSafe(server)) return [];
      if (isUrl) return [{ ...server, username: from.username, password: from.password }];
      const port = /^(?:\[.*\]|[^:]*)$/.test(place) ? from.port : server.port;
      return [{ ...server, port, path: from.path, username: from.username, password: from.password }];
    } catch {
      return [];
    }
  });
}

function bracketed(word: string): string {
  return (word.match(/:/g)?.length ?? 0) > 1 && !word.startsWith("[") ? `[${word}]` : word;
}

function isSafe({ scheme }: Server): boolean {
  return scheme === "mqtts" || scheme === "wss";
}

/** Redirections followed without being let in between. */
const MOST_REDIRECTIONS = 5;

/** Which server is next. */
export class ServerList {
  #servers: readonly Server[];
  /** Those we were sent to, until they fail. */
  #detour: readonly Server[] | null = null;
  #at = 0;
  #redirections = 0;

  /** @param servers at least one, in the order in which they are tried */
  constructor(servers: readonly Server[]) {
    this.#servers = servers;
  }

  get current(): Server {
    return (this.#detour ?? this.#servers)[this.#at]!;
  }

  /** It let us in. */
  succeeded(): void {
    this.#redirections = 0;
  }

  /** It failed: goes on to the next one. Returns whether that is the first again, so that it is time to wait. */
  failed(): boolean {
    this.#at++;
    if (this.#at < (this.#detour ?? this.#servers).length) return false;
    this.#at = 0;
    const wasDetour = this.#detour !== null;
    this.#detour = null;
    return !wasDetour;
  }

  /** A connection of the current one is over: a detour that was only for it ends. */
  lost(): void {
    if (this.#detour === null) return;
    this.#detour = null;
    this.#at = 0;
  }

  /** Goes where the server sends us. Returns false when that leads nowhere, or in circles. */
  redirect(servers: readonly Server[], isPermanent: boolean): boolean {
    if (servers.length === 0 || this.#redirections >= MOST_REDIRECTIONS) return false;
    this.#redirections++;
    if (isPermanent) {
      this.#servers = servers;
      this.#detour = null;
    } else {
      this.#detour = servers;
    }
    this.#at = 0;
    return true;
  }
}
