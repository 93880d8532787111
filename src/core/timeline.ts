/**
 * The time line of stored moments. It is that of the wall clock, but for jumps: while the broker runs it follows the monotonic clock,
 * and what somebody sets the wall clock by is remembered, so that after a restart nothing expires too early or too late. Only a clock
 * that is set while no broker runs cannot be told from time that has passed.
 */
import type { Clock } from "./clock.ts";

/** A change of the wall clock by less is none: clocks drift, and are asked one after the other. */
const JUMP_MS = 1000;

/** Translates between moments in the store and the monotonic clock. */
export class Timeline {
  /** When this broker began, on the monotonic clock. */
  readonly startedMs: number;
  readonly #clock: Clock;
  /** From the monotonic clock to the time line. */
  #offsetMs: number;
  /** How far the wall clock is ahead of the time line. */
  #aheadMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.startedMs = clock.nowMs();
    this.#offsetMs = clock.wallMs() - this.startedMs;
  }

  /** Goes on with the time line of the broker before, on which the wall clock was found to be `aheadMs` ahead. */
  resume(aheadMs: number): void {
    this.#aheadMs = aheadMs;
    this.#offsetMs = this.#clock.wallMs() - this.#clock.nowMs() - aheadMs;
  }

  /** Looks at the wall clock. Returns how far it is ahead when somebody has set it since the last time, null otherwise. */
  observe(): number | null {
    const aheadMs = Math.round(this.#clock.wallMs() - this.#clock.nowMs() - this.#offsetMs);
    if (Math.abs(aheadMs - this.#aheadMs) < JUMP_MS) return null;
    this.#aheadMs = aheadMs;
    return aheadMs;
  }

  /** A moment of the monotonic clock as it is stored; null: never. */
  toStored(atMs: number): number | null {
    return atMs === Number.POSITIVE_INFINITY ? null : Math.round(atMs + this.#offsetMs);
  }

  /** A stored moment on the monotonic clock. */
  fromStored(storedMs: number): number {
    return storedMs - this.#offsetMs;
  }
}
