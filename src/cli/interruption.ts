/** Ctrl-C, or the wish of whoever ends the process, as something to wait for. */

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Watches the signals from when it is made; the second one ends the process at once. */
export class Interruption {
  /** By convention, of a program that Ctrl-C ended. */
  static readonly EXIT_CODE = 130;

  /** Resolves with the first signal. */
  readonly happened: Promise<null>;
  #hasHappened = false;
  #listener: () => void = () => {};

  constructor() {
    this.happened = new Promise((resolve) => {
      this.#listener = () => {
        if (this.#hasHappened) process.exit(Interruption.EXIT_CODE);
        this.#hasHappened = true;
        resolve(null);
      };
    });
    for (const signal of SIGNALS) process.on(signal, this.#listener);
  }

  get hasHappened(): boolean {
    return this.#hasHappened;
  }

  /** Leaves the signals to others again. */
  end(): void {
    for (const signal of SIGNALS) process.off(signal, this.#listener);
  }
}
