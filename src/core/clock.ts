/** The Clock seam: the core asks for the time, it never sleeps. */

/** Two clocks: intervals are measured on the one that never goes back, stored moments are taken from the other. */
export interface Clock {
  /** Milliseconds since any fixed moment; never goes back, not even when somebody sets the machine's time. */
  nowMs(): number;
  /** Milliseconds since 1970-01-01 UTC, as the machine believes; it may jump. */
  wallMs(): number;
}

/** A clock that stands still until it is moved: for tests and simulations. */
export class ManualClock implements Clock {
  #nowMs = 0;
  #wallMs: number;

  /** @param wallMs the wall time to begin with */
  constructor(wallMs: number = 0) {
    this.#wallMs = wallMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#wallMs;
  }

  /** Lets `ms` milliseconds pass on both clocks. */
  advance(ms: number): void {
    this.#nowMs += ms;
    this.#wallMs += ms;
  }

  /** Sets the wall clock alone, as an operator or NTP does. */
  setWall(wallMs: number): void {
    this.#wallMs = wallMs;
  }
}
