/** Counts of measured times in bounded memory: percentiles of any number of them, each right to within one percent. */

/** Parts that each doubling is cut into. */
const PARTS = 128;
/** Doublings above `PARTS` microseconds: up to 39 hours. */
const DOUBLINGS = 30;

/** Times in milliseconds, kept in steps of a microsecond up to 128 µs and of less than one percent above. */
export class Histogram {
  readonly #counts: Float64Array = new Float64Array(PARTS * (DOUBLINGS + 1));
  #count = 0;
  #sum = 0;
  #minimum = Number.POSITIVE_INFINITY;
  #maximum = 0;

  get count(): number {
    return this.#count;
  }

  /** Times in milliseconds; 0 when there are none. */
  get minimum(): number {
    return this.#count === 0 ? 0 : this.#minimum;
  }

  get maximum(): number {
    return this.#maximum;
  }

  get mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }

  /** Takes a time; one below zero, as of a clock that was set, counts as zero. */
  record(ms: number): void {
    const time = Math.max(0, ms);
    const index = indexOf(time * 1000);
    this.#counts[index] = this.#counts[index]! + 1;
    this.#count++;
    this.#sum += time;
    if (time < this.#minimum) this.#minimum = time;
    if (time > this.#maximum) this.#maximum = time;
  }

  /** The time in milliseconds that `percent` of all, 0 to 100, do not exceed. */
  percentile(percent: number): number {
    const wanted = Math.max(1, Math.ceil((this.#count * percent) / 100));
    if (wanted >= this.#count) return this.#maximum;
    let seen = 0;
    for (let index = 0; index < this.#counts.length; index++) {
      seen += this.#counts[index]!;
      if (seen >= wanted) return Math.min(this.#maximum, Math.max(this.minimum, middleOf(index) / 1000));
    }
    return this.#maximum;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#count = this.#sum = this.#maximum = 0;
    this.#minimum = Number.POSITIVE_INFINITY;
  }
}

/** Where a time in microseconds is counted. */
function indexOf(us: number): number {
  const whole = Math.floor(us);
  if (whole < PARTS) return whole;
  const doubling = Math.floor(Math.log2(whole / PARTS));
  if (doubling >= DOUBLINGS) return PARTS * (DOUBLINGS + 1) - 1;
  // Rounding of the logarithm can put the very ends of a doubling one part too far; they stay inside of it.
  const part = Math.min(PARTS - 1, Math.max(0, Math.floor(whole / 2 ** doubling) - PARTS));
  return PARTS * (doubling + 1) + part;
}

/** The middle of what is counted at `index`, in microseconds. */
function middleOf(index: number): number {
  if (index < PARTS) return index + 0.5;
  const doubling = Math.floor(index / PARTS) - 1;
  return (PARTS + (index % PARTS) + 0.5) * 2 ** doubling;
}
