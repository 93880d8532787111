/** Which of several addresses of the other broker is next. */
import type { Connector, LinkSeeker } from "../transport/index.ts";

/** How often it is looked whether the main address is back, in milliseconds: mosquitto's. */
const MAIN_RETRY_MS = 5000;

/** The addresses of one bridge. */
export class Addresses {
  readonly #connectors: readonly Connector[];
  readonly #roundRobin: boolean;
  #at = 0;
  #timer: NodeJS.Timeout | null = null;
  #giveUp: (() => void) | null = null;

  constructor(connectors: readonly Connector[], roundRobin: boolean) {
    this.#connectors = connectors;
    this.#roundRobin = roundRobin;
  }

  get current(): Connector {
    return this.#connectors[this.#at]!;
  }

  /** An attempt has failed, or a connection has ended. */
  failed(): void {
    this.stopLooking();
    this.#at = (this.#at + 1) % this.#connectors.length;
  }

  /** A connection to `current` has come to be. `onMainBack` is called when that is not the main address and that one answers again. */
  connected(onMainBack: () => void): void {
    if (this.#roundRobin || this.#at === 0) return;
    this.#timer = setInterval(() => this.#lookForMain(onMainBack), MAIN_RETRY_MS);
    this.#timer.unref();
  }

  #lookForMain(onMainBack: () => void): void {
    this.#giveUp?.();
    const seeker: LinkSeeker = {
      opened: (link) => {
        link.close();
        this.stopLooking();
        this.#at = 0;
        onMainBack();
      },
      receive() {},
      drained() {},
      recycle() {},
      closed() {},
    };
    this.#giveUp = this.#connectors[0]!.connect(seeker);
  }

  stopLooking(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#giveUp?.();
    this.#giveUp = null;
  }
}
