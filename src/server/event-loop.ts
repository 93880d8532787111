/** Runs a Broker on Node's event loop: one flush at the end of each turn that asked for it, and a timer for the next deadline. */
import { randomUUID } from "node:crypto";
import { Broker, type BrokerParts, type Clock, type Host } from "../core/index.ts";
import { Patience } from "../transport/index.ts";

/** The clocks of this machine. */
export const SYSTEM_CLOCK: Clock = { nowMs: () => performance.now(), wallMs: () => Date.now() };

/** Longest delay of a timer in Node, in milliseconds. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** What a broker needs besides its host and clock. */
export type RunningParts = Omit<BrokerParts, "host" | "clock">;

/** A Broker and the event loop that it lives in. */
export class EventLoop implements Host {
  readonly broker: Broker;
  #timer: Patience | null = null;
  #timerAtMs = Number.POSITIVE_INFINITY;

  constructor(parts: RunningParts) {
    this.broker = new Broker({ ...parts, clock: SYSTEM_CLOCK, host: this });
  }

  requestFlush(): void {
    setImmediate(() => {
      this.broker.flush();
      this.#arm();
    });
  }

  randomId(): string {
    return randomUUID().toUpperCase();
  }

  allocate(bytes: number): Uint8Array {
    return Buffer.allocUnsafeSlow(bytes);
  }

  /** Sets the timer for the next deadline, unless one that comes first is set already. */
  #arm(): void {
    const deadlineMs = this.broker.deadlineMs();
    if (deadlineMs >= this.#timerAtMs || deadlineMs === Number.POSITIVE_INFINITY) return;
    this.#timer?.cancel();
    this.#timerAtMs = deadlineMs;
    const delayMs = Math.min(Math.max(deadlineMs - performance.now(), 0), LONGEST_TIMER_MS);
    this.#timer = new Patience(delayMs, () => this.#tick());
  }

  #tick(): void {
    this.#timer = null;
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    this.broker.tick();
    this.#arm();
  }

  /** Ends the timer; the broker is not to be used any more. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
    // Nothing arms it again.
    this.#timerAtMs = Number.NEGATIVE_INFINITY;
  }
}
