/** Why a broker could not start, or not reload, when it is none of its store, its listeners or its users. */

/** The message is one line for the operator: what was wrong, where, and what to do. */
export class StartError extends Error {
  override readonly name: string = "StartError";

  constructor(message: string, cause?: unknown) {
    super(message, { cause });
  }
}
