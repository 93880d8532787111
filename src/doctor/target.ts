/** What is examined: where the broker is, the ways there, and as whom to come. */
import type { Version, Will } from "../protocol/index.ts";
import type { Connector, Dialer, TlsOptions } from "../transport/index.ts";

/** Where to connect to, how, and as whom. */
export interface Target {
  /** Name or address of the broker. */
  readonly host: string;
  readonly port: number;
  /** The host and port that TCP leads to first: the broker's, or a proxy's; null where there is no TCP, or SRV records say it. */
  readonly firstHop: { readonly host: string; readonly port: number } | null;
  /** The way below TLS and WebSocket. */
  readonly dialer: Dialer;
  readonly tls: TlsOptions | null;
  /** null: no WebSocket. */
  readonly webSocketPath: string | null;
  /** The whole way. */
  readonly connector: Connector;
  /** Versions of MQTT to try, the preferred first. */
  readonly versions: readonly Version[];
  readonly clientId: string;
  readonly username: string | null;
  readonly password: Uint8Array | null;
  readonly keepAliveSeconds: number;
  readonly will: Will | null;
  /** Below this topic messages are sent. */
  readonly topic: string;
  /** How long the connection is left idle before PINGREQ, in milliseconds. */
  readonly idleMs: number;
  /** How long each answer may take, in milliseconds. */
  readonly timeoutMs: number;
}

/** What an examination knows of the machine that it runs on. */
export interface Surroundings {
  /** Milliseconds since 1970 by this machine's clock. */
  wallClockMs(): number;
  /** When the newest of some files was written that systems keep up to date; null when none is known. */
  newestFileMs(): Promise<number | null>;
  /** SNTP servers that may be asked, as HOST or HOST:PORT. */
  timeServers(): Promise<readonly string[]>;
}
