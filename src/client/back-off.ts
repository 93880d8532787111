/** How long to wait before the next attempt to connect: twice as long each time, by chance, between two bounds. */

/** Bounds of the waits, in milliseconds. */
export interface BackOffLimits {
  /** Shortest wait; 1000. */
  readonly minimumDelayMs: number;
  /** Longest wait; 30,000. */
  readonly maximumDelayMs: number;
}

/** libmosquitto's shortest wait, and a longest one that a server with many clients survives. */
export const DEFAULT_BACK_OFF: BackOffLimits = { minimumDelayMs: 1000, maximumDelayMs: 30_000 };

/** Doubled so often, any wait that is not zero is longer than the longest. */
const MOST_DOUBLINGS = 30;

/** The waits of one client. */
export class BackOff {
  readonly #limits: BackOffLimits;
  readonly #random: () => number;
  #attempts = 0;

  /** @param random 0 to 1 */
  constructor(limits: BackOffLimits, random: () => number = Math.random) {
    this.#limits = limits;
    this.#random = random;
  }

  /**
   * The next wait, in milliseconds. Already the first one is by chance: after a restart of the server all its clients come, and
   * those that come at the same moment fail together.
   */
  next(): number {
    const { minimumDelayMs, maximumDelayMs } = this.#limits;
    this.#attempts++;
    const upper = Math.min(maximumDelayMs, minimumDelayMs * 2 ** Math.min(this.#attempts, MOST_DOUBLINGS));
    return Math.max(0, minimumDelayMs + this.#random() * (upper - minimumDelayMs));
  }

  /** A connection was there for `ms`. One that did not last is no reason to come again as soon as the first time. */
  lasted(ms: number): void {
    if (ms >= this.#limits.maximumDelayMs) this.#attempts = 0;
  }
}
