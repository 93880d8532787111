/** What a client does when a connection is over: which server, which version, after how long, or that it is the end. */
import type { Version } from "../protocol/index.ts";
import { BackOff, type BackOffLimits } from "./back-off.ts";
import type { ConnectionError } from "./errors.ts";
import { isVersionRefused } from "./healing.ts";
import { referredServers, type Server, ServerList } from "./servers.ts";

/** How a client reconnects. */
export interface ReconnectionSettings {
  readonly servers: readonly Server[];
  readonly version: Version;
  /** Whether an older version is tried when the server does not speak this one. */
  readonly fallBack: boolean;
  readonly followsRedirect: (server: Server) => boolean;
  readonly stopsOn: (error: ConnectionError) => boolean;
  /** null: never. */
  readonly backOff: BackOffLimits | null;
  /** Whether to give up when no server can be reached at the beginning. */
  readonly isTriedOnce: boolean;
}

const USE_ANOTHER_SERVER = 0x9c;
const SERVER_MOVED = 0x9d;

/** Decides about connections, one after the other. */
export class Reconnection {
  readonly #settings: ReconnectionSettings;
  readonly #servers: ServerList;
  readonly #backOff: BackOff;
  #version: Version;
  #acceptedMs: number | null = null;
  #hasBeenAccepted = false;

  constructor(settings: ReconnectionSettings, random?: () => number) {
    this.#settings = settings;
    this.#servers = new ServerList(settings.servers);
    this.#backOff = new BackOff(settings.backOff ?? { minimumDelayMs: 0, maximumDelayMs: 0 }, random);
    this.#version = settings.version;
  }

  /** The server for the next attempt, or of the connection that there is. */
  get server(): Server {
    return this.#servers.current;
  }

  /** The version for the next attempt. */
  get version(): Version {
    return this.#version;
  }

  /** Whether the server turned out to speak only an older version. */
  get isFallenBack(): boolean {
    return this.#version !== this.#settings.version;
  }

  /** The server has let us in. */
  accepted(nowMs: number): void {
    this.#servers.succeeded();
    this.#acceptedMs = nowMs;
    this.#hasBeenAccepted = true;
  }

  /** Milliseconds until the next attempt; null: there is none. */
  next(error: ConnectionError, nowMs: number): number | null {
    const wasAccepted = this.#acceptedMs !== null;
    if (this.#acceptedMs !== null) this.#backOff.lasted(nowMs - this.#acceptedMs);
    this.#acceptedMs = null;
    if (this.#isRedirected(error) || this.#hasFallenBack(error)) return 0;
    const { stopsOn, backOff, isTriedOnce } = this.#settings;
    if (stopsOn(error)) return null;
    if (wasAccepted) {
      this.#servers.lost();
    } else {
      // The next server at once; a wait only when all have had their turn.
      if (!this.#servers.failed()) return 0;
      if (isTriedOnce && !this.#hasBeenAccepted) return null;
    }
    return backOff === null ? null : this.#backOff.next();
  }

  #isRedirected({ reasonCode, serverReference }: ConnectionError): boolean {
    if (serverReference === null || (reasonCode !== USE_ANOTHER_SERVER && reasonCode !== SERVER_MOVED)) return false;
    const servers = referredServers(serverReference, this.server).filter(this.#settings.followsRedirect);
    return this.#servers.redirect(servers, reasonCode === SERVER_MOVED);
  }

  #hasFallenBack(error: ConnectionError): boolean {
    if (!this.#settings.fallBack || this.#version === 3 || !isVersionRefused(error)) return false;
    this.#version = this.#version === 5 ? 4 : 3;
    return true;
  }
}

/** The end of a connection, or of an attempt, as a line of the log; `delayMs` is null when it was the last. */
export function endText({ message }: ConnectionError, wasConnected: boolean, delayMs: number | null): string {
  const what = wasConnected ? `Disconnected: ${message}` : `Could not connect: ${message}`;
  if (delayMs === null) return `${what}; giving up.`;
  return delayMs === 0 ? `${what}; trying again.` : `${what}; trying again in ${Math.round(delayMs / 100) / 10} s.`;
}
