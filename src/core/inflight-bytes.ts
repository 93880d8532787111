/** Payload bytes that are in flight to one client, for `max_inflight_bytes`. */

/** Payloads by packet identifier, and their sum. */
export class InflightBytes {
  readonly #byId: Map<number, number> = new Map();
  /** All of them together. */
  total = 0;

  add(packetId: number, payloadBytes: number): void {
    this.remove(packetId);
    this.#byId.set(packetId, payloadBytes);
    this.total += payloadBytes;
  }

  remove(packetId: number): void {
    this.total -= this.#byId.get(packetId) ?? 0;
    this.#byId.delete(packetId);
  }
}
