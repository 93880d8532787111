/** What is found out before the first byte is sent, with a sensible command line: a file that is not there, a key that is none. */

import type { Text } from "../explain/index.ts";

/** Ends a tool with exit code 1. */
export class SetUpError extends Error {
  override readonly name: string = "SetUpError";
  /** What to do, as a sentence. */
  readonly advice: Text;

  /** @param message mosquitto's line */
  constructor(message: string, advice: Text) {
    super(message);
    this.advice = advice;
  }
}
