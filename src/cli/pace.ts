/** A fixed rate: how many messages are due, and from when the time of each counts. */

/** How late a message may be before it counts from when it was due: what timers miss by is not the broker's. */
const TIMER_SLACK_MS = 5;

/** So many messages a second; times are milliseconds of any one clock. */
export class Pace {
  readonly #beganMs: number;
  readonly #perSecond: number;

  constructor(beganMs: number, perSecond: number) {
    this.#beganMs = beganMs;
    this.#perSecond = perSecond;
  }

  /** How many are due by now: the first after one interval. */
  count(nowMs: number): number {
    return Math.floor(((nowMs - this.#beganMs) * this.#perSecond) / 1000);
  }

  /** From when the message at `index` (0 is the first) counts that is sent now. */
  stampMs(index: number, nowMs: number): number {
    const dueMs = this.#beganMs + ((index + 1) * 1000) / this.#perSecond;
    return nowMs - dueMs > TIMER_SLACK_MS ? dueMs : nowMs;
  }
}
