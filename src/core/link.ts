/** What a connection knows of the network. */
import type { Taken } from "../protocol/index.ts";
import type { PeerIdentity } from "./authenticator.ts";

/** The network as a connection sees it. Its owner calls `receive`, `drained` and `closed` of the connection. */
export interface Link {
  /** "ADDRESS:PORT" of the peer, as logs show it. */
  readonly remoteAddress: string;
  /** Port that the peer connected to, where the transport has ports. */
  readonly localPort?: number;
  /** What is known of the peer once it can say something; absent: nothing. */
  readonly peer?: PeerIdentity;
  /** Writes bytes in order; `Taken.spent` goes back to the connection's `recycle` once they have left. Returns how many bytes wait now. */
  write(taken: Taken): number;
  /** Closes once everything written has left, or soon after when the peer does not read. */
  close(): void;
  /** Stops and starts reading. */
  pause(): void;
  resume(): void;
}

/** Listens to one connection; the bytes are valid during the call. */
export type Tap = (direction: "received" | "sent", bytes: Uint8Array) => void;
