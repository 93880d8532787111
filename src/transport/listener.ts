/** What every way in for clients has in common. */
import type { X509Certificate } from "node:crypto";
import type { Authenticator, Broker, Entrance } from "../core/index.ts";

/** Where connections come in. */
export interface Listener {
  /** "ADDRESS:PORT" as logs show it, or the path of a unix socket; the port is the real one when 0 was asked for. */
  readonly address: string;
  /** All of them, when a name has several, or all of a machine were asked for. */
  readonly addresses: readonly string[];
  /** The port in use; 0: a unix socket. */
  readonly port: number;
  /** The server's own certificates; empty without TLS. */
  readonly certificates: readonly X509Certificate[];
  /**
   * Reads the files of TLS again, and returns what has them used; connections that there are go on with what they have.
   * @throws TransportError when one cannot be used; nothing has changed then
   */
  prepareReload(): Promise<() => void>;
  /** Whether a file of TLS has changed since it was read or this was asked last. */
  hasChanged(): Promise<boolean>;
  /** Takes no new connections any more; those there are go on. Resolves when all of them have ended. */
  close(): Promise<void>;
}

/** Who takes the connections of a listener. */
export interface Reception {
  readonly broker: Broker;
  /** Decides who may come in here. */
  readonly authenticator: Authenticator;
  /** What holds for all who come in here. */
  readonly entrance: Entrance;
  /** Told when a connection could not be taken, for example for want of file descriptors. */
  readonly onAcceptError: (error: Error) => void;
}

/** "ADDRESS:PORT" of a peer as mosquitto's log has it, also for an address of IPv6 without brackets. */
export function formatPeer(address: string, port: number): string {
  return `${address}:${port}`;
}

/** "ADDRESS:PORT", with brackets around an address of IPv6; the path alone of a unix socket, which has no port. */
export function formatAddress(address: string, port: number): string {
  if (address.startsWith("/")) return address;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
