/** Whether a client acknowledges so soon that the store need not be troubled with what it is sent. It only knows times. */

/** Without a prompt acknowledgement for so long, while there is something to acknowledge, a client is not prompt; milliseconds. */
const PATIENCE_MS = 100;

/** How soon one client acknowledges. One that has not acknowledged anything yet is not prompt. */
export class Promptness {
  #isPrompt = false;
  /** When it last acknowledged promptly, or was sent something while nothing else was under way. */
  #sinceMs = 0;

  /** Whether what it is sent now will probably be acknowledged within moments. */
  isPrompt(nowMs: number): boolean {
    return this.#isPrompt && nowMs - this.#sinceMs <= PATIENCE_MS;
  }

  /** Something is sent to it, and nothing else is under way. */
  begin(nowMs: number): void {
    this.#sinceMs = nowMs;
  }

  /** It has acknowledged something; `isFresh`: within moments. */
  acknowledged(isFresh: boolean, nowMs: number): void {
    if (isFresh) {
      this.#isPrompt = true;
      this.#sinceMs = nowMs;
    } else if (nowMs - this.#sinceMs > PATIENCE_MS) {
      this.#isPrompt = false;
    }
  }
}
