/** When `$SYS` is updated: at whole multiples of its interval by the wall clock, as in mosquitto 2.1. */
import type { SysTopics } from "../observe/index.ts";

/** Runs the updates. */
export class SysClock {
  readonly #topics: SysTopics;
  #timer: NodeJS.Timeout | null = null;
  #intervalMs = 0;

  constructor(topics: SysTopics) {
    this.#topics = topics;
  }

  /** Updates every `seconds` from now on, and at once; 0: no more. */
  start(seconds: number): void {
    const intervalMs = seconds * 1000;
    if (intervalMs === this.#intervalMs) return;
    this.stop();
    this.#intervalMs = intervalMs;
    if (intervalMs === 0) return;
    this.#topics.update();
    this.#arm();
  }

  #arm(): void {
    const delayMs = this.#intervalMs - (Date.now() % this.#intervalMs);
    this.#timer = setTimeout(() => {
      this.#topics.update();
      this.#arm();
    }, delayMs).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#intervalMs = 0;
  }
}
