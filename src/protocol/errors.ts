/** What is thrown and what is reported: our caller's mistake is an exception, the peer's is a Fault value. */
import type { ReasonCode } from "./reason-codes.ts";

/** The peer's mistake, as found while decoding: which reason code answers it and what was wrong, where, against which rule. */
export interface Fault {
  readonly reasonCode: ReasonCode;
  readonly message: string;
  /** The server closes without a word, as mosquitto does: the code is for the log alone. */
  readonly isUnanswered?: true;
}

/** A caller's mistake found before the first byte is written. */
export class MqttError extends Error {
  override readonly name: string = "MqttError";
  readonly reasonCode: ReasonCode;

  /**
   * @param reasonCode what a peer would have answered
   * @param message what was wrong, where, and what is allowed
   */
  constructor(reasonCode: ReasonCode, message: string) {
    super(message);
    this.reasonCode = reasonCode;
  }
}
