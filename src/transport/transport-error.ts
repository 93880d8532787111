/** What failed on the way to a server where the system's own error does not say which part it was. */

/** The part of the way that failed. */
export type TransportPart = "tls" | "proxy" | "websocket";

/** A failure of one part of the way; `cause` is the error as that part gave it. */
export class TransportError extends Error {
  override readonly name: string = "TransportError";
  readonly part: TransportPart;

  constructor(part: TransportPart, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.part = part;
  }
}
