/** How long a bridge waits before it connects again: mosquitto's `restart_timeout`. */
import type { RestartDelay } from "./bridge-options.ts";

/** The waits of one bridge. */
export class RestartDelays {
  readonly #delay: RestartDelay;
  readonly #random: () => number;
  #lastSeconds = 0;

  constructor(delay: RestartDelay, random: () => number = Math.random) {
    this.#delay = delay;
    this.#random = random;
  }

  /** The next wait, in milliseconds. With jitter it lies between the base and three times the last one, at most at the cap. */
  nextMs(): number {
    if (this.#delay.kind === "constant") return this.#delay.seconds * 1000;
    const { baseSeconds, capSeconds } = this.#delay;
    const most = Math.max(baseSeconds, this.#lastSeconds * 3);
    this.#lastSeconds = Math.min(capSeconds, baseSeconds + this.#random() * (most - baseSeconds));
    return this.#lastSeconds * 1000;
  }

  /** A connection that lasted so long has ended. */
  lasted(seconds: number): void {
    if (this.#delay.kind === "jitter" && seconds >= this.#delay.stableSeconds) this.#lastSeconds = 0;
  }
}
