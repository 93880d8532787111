/** What every way in for clients has in common. */
import type { Authenticator, Broker, Entrance } from "../core/index.ts";

/** Where connections come in. */
export interface Listener {
  /** "ADDRESS:PORT" as logs show it; the port is the real one when 0 was asked for. */
  readonly address: string;
  /** The port in use. */
  readonly port: number;
  /** Takes no new connections any more; those there are go on. Resolves when the address is free again. */
  close(): Promise<void>;
}

/** Who takes the connections of a listener. */
export interface Reception {
  readonly broker: Broker;
  /** Decides who may come in here. */
  readonly authenticator: Authenticator;
  /** What holds for all who come in here; absent: the defaults. */
  readonly entrance?: Entrance;
  /** Told when a connection could not be taken, for example for want of file descriptors. */
  readonly onAcceptError: (error: Error) => void;
}

/** "ADDRESS:PORT", with brackets around an address of IPv6. */
export function formatAddress(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
