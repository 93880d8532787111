/** A line at the end of a terminal that says how far long work has come; where there is no terminal, nothing. */
import type { ToolIo } from "./output.ts";

/** Work that is done before that needs no line, in milliseconds. */
const FIRST_MS = 1000;

/** Between two looks, in milliseconds. */
const EVERY_MS = 250;

/** Takes a line away: back to its beginning, and nothing behind that. */
const CLEAR = "\r\u001b[K";

/** The line. */
export class Progress {
  readonly #stderr: ToolIo["stderr"];
  readonly #isWanted: boolean;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isShown = false;

  /** @param isWanted whether anybody wants to know, if there is a terminal */
  constructor({ stderr, env = {} }: Pick<ToolIo, "stderr" | "env">, isWanted: boolean) {
    this.#stderr = stderr;
    this.#isWanted = isWanted && (stderr as { isTTY?: boolean }).isTTY === true && env.TERM !== "dumb";
  }

  /** Shows what `textOf` says, from a second on and again and again. */
  start(textOf: () => string): void {
    this.stop();
    if (this.#isWanted) this.#timer = setTimeout(() => this.#show(textOf), FIRST_MS).unref();
  }

  #show(textOf: () => string): void {
    // Some terminals say 0. A line that wraps could not be taken away.
    const columns = (this.#stderr as { columns?: number }).columns || 80;
    this.#stderr.write(`${CLEAR}${textOf().slice(0, columns - 1)}`);
    this.#isShown = true;
    this.#timer = setTimeout(() => this.#show(textOf), EVERY_MS).unref();
  }

  /** Takes the line away, so that something else can be written; it comes again. */
  clear(): void {
    if (!this.#isShown) return;
    this.#isShown = false;
    this.#stderr.write(CLEAR);
  }

  /** The work is done. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.clear();
  }
}
