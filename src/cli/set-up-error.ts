/** What is found out before the first byte is sent, with a sensible command line: a file that is not there, a key that is none. */

/** Ends a tool with exit code 1. */
export class SetUpError extends Error {
  override readonly name: string = "SetUpError";
  /** What to do, as a sentence. */
  readonly advice: string;

  /** @param message mosquitto's line */
  constructor(message: string, advice: string) {
    super(message);
    this.advice = advice;
  }
}
