/** --proxy: a SOCKS5 proxy as a URL. */
import { CommandLineError } from "../command-line.ts";

/** A SOCKS5 proxy, which looks the broker's name up itself. */
export interface ProxyArguments {
  readonly host: string;
  readonly port: number;
  readonly username: string | null;
  readonly password: string | null;
}

const SCHEME = "socks5h://";

const DEFAULT_PORT = 1080;

const FORM = "the form is socks5h://[user[:password]@]host[:port].";

/**
 * Reads the URL.
 * @throws CommandLineError when it is not one
 */
export function proxyOf(url: string): ProxyArguments {
  if (!url.startsWith(SCHEME)) throw new CommandLineError(`Unsupported proxy protocol: ${url}; ${FORM}`);
  const [, login, host, port] = /^(?:([^@]*)@)?(\[[^\]]+\]|[^:@]+)(?::(.*))?$/.exec(url.slice(SCHEME.length)) ?? [];
  if (host === undefined) throw new CommandLineError(`Invalid proxy: ${FORM}`);
  const [username, ...rest] = login === undefined ? [] : login.split(":");
  return {
    host: host.replace(/^\[(.*)\]$/, "$1"),
    port: port === undefined ? DEFAULT_PORT : portOf(port),
    username: username === undefined ? null : decoded(username),
    password: rest.length === 0 ? null : decoded(rest.join(":")),
  };
}

function portOf(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw new CommandLineError(`Invalid proxy port ${text}; allowed is 1 to 65535.`);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new CommandLineError(
      `Invalid proxy: '${text}' has a % that begins no code; write %25 for %, %3A for :, %40 for @.`,
    );
  }
}
