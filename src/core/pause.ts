/** Why a connection takes no packets for a while. */

/** Bits, as several of them may hold at once. */
export const Pause = {
  /** Somebody thinks about this connection. */
  deciding: 1,
  /** As many answers as the client may await wait for the store. */
  holding: 2,
  /** The store has as much to do as it may be given. */
  storeFull: 4,
  /** The client sends faster than it may. */
  rate: 8,
  /** It is the others' turn, or a packet is being done in pieces. */
  turn: 16,
  /** What decides about its packets is being read anew. */
  reload: 32,
} as const;

/** One of them. */
export type Pause = (typeof Pause)[keyof typeof Pause];
