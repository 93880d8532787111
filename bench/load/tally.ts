// Counts delivered messages, keeps their latencies and sees when one comes twice or out of order.
// Must not know who sent them or when a run is over.
import { percentile } from "../statistics.ts";

/** Latencies kept; of longer runs every 2nd, 3rd, ... */
const MAX_LATENCIES = 1 << 22;
/** Pairs of subscriber and publisher whose order is checked; 4 bytes each. */
const MAX_PAIRS = 1 << 24;

export interface Latencies {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export class Tally {
  delivered = 0;
  /** Messages that came twice, out of order or from elsewhere: one that comes twice must not hide one that is lost. */
  disordered = 0;
  readonly #latenciesMs: number[] = [];
  readonly #stride: number;
  readonly #publishers: number;
  /** The highest sequence number that each subscriber has from each publisher. */
  readonly #last: Uint32Array | undefined;
  #turn = 0;

  /** @param expected deliveries, if known: Infinity otherwise
   *  @param subscribers with 0 the order is not checked */
  constructor(expected: number, subscribers: number, publishers: number) {
    this.#stride = Number.isFinite(expected) ? Math.floor(expected / MAX_LATENCIES) + 1 : 1;
    this.#publishers = publishers;
    const pairs = subscribers * publishers;
    if (pairs > 0 && pairs <= MAX_PAIRS) this.#last = new Uint32Array(pairs);
  }

  /** Takes a payload as LoadConnection.publish made it: f64 time, u32 publisher, u32 sequence number from 1. */
  count(subscriber: number, bytes: Buffer, payloadAt: number, end: number): void {
    this.delivered++;
    if (end - payloadAt >= 8 && ++this.#turn >= this.#stride && this.#latenciesMs.length < MAX_LATENCIES) {
      this.#turn = 0;
      this.#latenciesMs.push(performance.now() - bytes.readDoubleLE(payloadAt));
    }
    if (this.#last === undefined || end - payloadAt < 16) return;
    const publisher = bytes.readUInt32LE(payloadAt + 8);
    const sequence = bytes.readUInt32LE(payloadAt + 12);
    const at = subscriber * this.#publishers + publisher;
    if (publisher >= this.#publishers || sequence <= (this.#last[at] ?? 0)) this.disordered++;
    else this.#last[at] = sequence;
  }

  latencies(): Latencies {
    const sorted = Float64Array.from(this.#latenciesMs).sort();
    return { p50Ms: percentile(sorted, 0.5), p99Ms: percentile(sorted, 0.99), maxMs: percentile(sorted, 1) };
  }
}
