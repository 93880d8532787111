// Counts delivered messages, keeps their latencies and sees when one comes twice or out of order.
// Must not know who sent them or when a run is over.
import { Latencies } from "./latencies.ts";

/** Pairs of subscriber and publisher whose order is checked; 4 bytes each. */
const MAX_PAIRS = 1 << 24;

export interface DeliveryLatencies {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export class Tally {
  delivered = 0;
  /** Messages that came twice, out of order or from elsewhere: one that comes twice must not hide one that is lost. */
  disordered = 0;
  readonly #latencies: Latencies;
  readonly #publishers: number;
  /** The highest sequence number that each subscriber has from each publisher. */
  readonly #last: Uint32Array | undefined;

  /** @param expected deliveries, if known: Infinity otherwise
   *  @param subscribers with 0 the order is not checked */
  constructor(expected: number, subscribers: number, publishers: number) {
    this.#latencies = new Latencies(expected);
    this.#publishers = publishers;
    const pairs = subscribers * publishers;
    if (pairs > 0 && pairs <= MAX_PAIRS) this.#last = new Uint32Array(pairs);
  }

  /** Takes a payload as LoadConnection.publish made it: f64 time, u32 publisher, u32 sequence number from 1. */
  count(subscriber: number, bytes: Buffer, payloadAt: number, end: number): void {
    this.delivered++;
    if (end - payloadAt >= 8) this.#latencies.add(bytes.readDoubleLE(payloadAt));
    if (this.#last === undefined || end - payloadAt < 16) return;
    const publisher = bytes.readUInt32LE(payloadAt + 8);
    const sequence = bytes.readUInt32LE(payloadAt + 12);
    const at = subscriber * this.#publishers + publisher;
    if (publisher >= this.#publishers || sequence <= (this.#last[at] ?? 0)) this.disordered++;
    else this.#last[at] = sequence;
  }

  latencies(): DeliveryLatencies {
    const [p50Ms = 0, p99Ms = 0, maxMs = 0] = this.#latencies.percentiles(0.5, 0.99, 1);
    return { p50Ms, p99Ms, maxMs };
  }
}
