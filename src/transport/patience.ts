/**
 * A time limit for what another does. When it runs out while this process stood still (it was stopped, its machine was, or it was busy),
 * what the other did in time waits in the system's buffers: that is read before anybody is told that it did not come. Runs in browsers too.
 */

/** Runs `then` once what has arrived so far has been read: in Node the turn of the loop that is under way looks at all sockets before. */
const afterReading: (then: () => void) => unknown =
  typeof setImmediate === "function" ? setImmediate : (then) => setTimeout(then, 0);

/** One such limit. */
export class Patience {
  readonly #timer: ReturnType<typeof setTimeout>;
  #isCancelled = false;

  /** @param limitMs in milliseconds, at most what a timer takes */
  constructor(limitMs: number, onEnd: () => void) {
    this.#timer = setTimeout(() => afterReading(() => this.#isCancelled || onEnd()), limitMs);
  }

  /** It came, or does not matter any more. */
  cancel(): void {
    this.#isCancelled = true;
    clearTimeout(this.#timer);
  }
}
