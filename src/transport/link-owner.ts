/** What the transports of both ends know of those who use them. */

/** Who gets what a Link reads: a Connection of the broker, or the Pump of a client. */
export interface LinkOwner {
  /** Takes bytes as read; they do not change afterwards. */
  receive(chunk: Uint8Array): void;
  /** Everything written has left the process. */
  drained(): void;
  /** Takes buffers back whose bytes have left. */
  recycle(spent: readonly Uint8Array[]): void;
  /** The peer has closed or the network is gone; called at least once, and once more when the link itself has closed. */
  closed(isError: boolean, error?: Error): void;
}
