// A small number for each of the sequence numbers 1, 2, 3, ... of one publisher; those that are settled are forgotten.

const FIRST_NUMBERS = 4096;
const MOST = 255;

export class Tally {
  #counts: Uint8Array = new Uint8Array(FIRST_NUMBERS);
  #settled = 0;

  /** Everything up to this sequence number has been forgotten. */
  get settled(): number {
    return this.#settled;
  }

  get(sequence: number): number {
    return this.#counts[sequence - this.#settled] ?? 0;
  }

  /** Counts one more, up to 255, and returns how many there were before; 255 for what has been forgotten. */
  add(sequence: number): number {
    const at = sequence - this.#settled;
    if (at <= 0) return MOST;
    if (at >= this.#counts.length) {
      const larger = new Uint8Array(at * 2);
      larger.set(this.#counts);
      this.#counts = larger;
    }
    const before = this.#counts[at] as number;
    if (before < MOST) this.#counts[at] = before + 1;
    return before;
  }

  /** Forgets everything up to `sequence`. */
  settle(sequence: number): void {
    this.#settled = sequence;
    this.#counts = new Uint8Array(FIRST_NUMBERS);
  }
}
