/**
 * The one loop between a client's end of a connection, which does no I/O, and a Link: what is read goes in, what is to be written
 * goes out in one write for each chunk read or turn, and the clock ticks when something is due.
 */
import type { Link } from "../core/index.ts";
import type { Taken } from "../protocol/index.ts";
import type { LinkSeeker } from "./connector.ts";
import { Patience } from "./patience.ts";

/** What is pumped. Times: milliseconds on a clock that never goes back. */
export interface Pumped {
  opened(nowMs: number): void;
  receive(chunk: Uint8Array, nowMs: number): void;
  takeOutput(): Taken | null;
  /** Output has been handed to the network, of which `waiting` bytes have not left yet. */
  written(waiting: number, nowMs: number): void;
  /** Everything written has left. */
  drained(): void;
  recycle(spent: readonly Uint8Array[]): void;
  /** The link is gone, or never came to be. */
  closed(isError: boolean, error: Error | null): void;
  /** Whether the link is to be closed once the output has left. */
  readonly isEnded: boolean;
  deadlineMs(): number;
  tick(nowMs: number): void;
}

/** Longest delay of a timer in Node, in milliseconds. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** Runs one `Pumped` on one Link. */
export class Pump implements LinkSeeker {
  readonly #pumped: Pumped;
  #link: Link | null = null;
  #isFlushRequested = false;
  #timer: Patience | null = null;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #isClosed = false;

  constructor(pumped: Pumped) {
    this.#pumped = pumped;
  }

  opened(link: Link): void {
    this.#link = link;
    this.#pumped.opened(performance.now());
    this.flush();
  }

  receive(chunk: Uint8Array): void {
    if (this.#isClosed) return;
    this.#pumped.receive(chunk, performance.now());
    this.flush();
  }

  drained(): void {
    if (this.#isClosed) return;
    this.#pumped.drained();
    this.flush();
  }

  recycle(spent: readonly Uint8Array[]): void {
    this.#pumped.recycle(spent);
  }

  closed(isError: boolean, error?: Error): void {
    if (this.#isClosed) return;
    this.#stop();
    this.#pumped.closed(isError, error ?? null);
  }

  /** Has the output written when the running piece of the program is done, joined with what it still writes. */
  requestFlush(): void {
    if (this.#isFlushRequested) return;
    this.#isFlushRequested = true;
    queueMicrotask(() => {
      this.#isFlushRequested = false;
      this.flush();
    });
  }

  /** Writes the output. */
  flush(): void {
    const link = this.#link;
    if (link === null || this.#isClosed) return;
    const taken = this.#pumped.takeOutput();
    if (taken !== null) this.#pumped.written(link.write(taken), performance.now());
    if (this.#pumped.isEnded) {
      this.#stop();
      link.close();
    } else {
      this.#arm();
    }
  }

  /** Stops and starts reading. */
  pause(): void {
    this.#link?.pause();
  }

  resume(): void {
    this.#link?.resume();
  }

  /** Sets the timer for the next deadline, unless one that comes first is set already. */
  #arm(): void {
    const deadlineMs = this.#pumped.deadlineMs();
    if (deadlineMs >= this.#timerAtMs || deadlineMs === Number.POSITIVE_INFINITY) return;
    this.#timer?.cancel();
    this.#timerAtMs = deadlineMs;
    const delayMs = Math.min(Math.max(deadlineMs - performance.now(), 0), LONGEST_TIMER_MS);
    this.#timer = new Patience(delayMs, () => this.#tick());
  }

  #tick(): void {
    this.#timer = null;
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    this.#pumped.tick(performance.now());
    this.flush();
  }

  #stop(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#timer = null;
  }
}
