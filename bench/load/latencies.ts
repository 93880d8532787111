// Latencies of a run, or of every 2nd, 3rd, ... message where there are too many to keep. Must not know what was measured.
import { percentile } from "../statistics.ts";

const MAX_LATENCIES = 1 << 22;

export class Latencies {
  readonly #latenciesMs: number[] = [];
  readonly #stride: number;
  #turn = 0;

  /** @param expected how many will come, if known: Infinity otherwise */
  constructor(expected: number) {
    this.#stride = Number.isFinite(expected) ? Math.floor(expected / MAX_LATENCIES) + 1 : 1;
  }

  /** Takes the latency of a message that was due at `dueMs` and has come now. */
  add(dueMs: number): void {
    if (++this.#turn < this.#stride || this.#latenciesMs.length >= MAX_LATENCIES) return;
    this.#turn = 0;
    this.#latenciesMs.push(performance.now() - dueMs);
  }

  /** The latencies that the given parts of all messages stay below; 1: all. */
  percentiles(...parts: readonly number[]): number[] {
    const sorted = Float64Array.from(this.#latenciesMs).sort();
    return parts.map((part) => percentile(sorted, part));
  }
}
