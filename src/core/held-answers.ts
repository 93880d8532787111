/** The answers of one connection that wait for the store, in the order in which they are to leave. */
import { MAXIMUM_PACKET_ID } from "../protocol/index.ts";
import type { Connection } from "./connection.ts";
import { Deque } from "./deque.ts";
import type { HeldAnswer } from "./held-answer.ts";
import { Pause } from "./pause.ts";

/** Made when the first one has to wait, and forgotten with the last one. */
export class HeldAnswers {
  readonly #connection: Connection;
  readonly #answers: Deque<HeldAnswer> = new Deque();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Reading stops while too many wait. */
  add(answer: HeldAnswer): void {
    const connection = this.#connection;
    this.#answers.push(answer);
    if (this.#answers.size >= this.#most) connection.pauseReading(Pause.holding);
    if (connection.broker.ledger.isFull) connection.awaitRoom();
    if (answer.obligation === null) this.sendMet();
    else answer.obligation.whenMet(connection);
  }

  /** Sends those whose turn it is and that need not wait any more. */
  sendMet(): void {
    const connection = this.#connection;
    const answers = this.#answers;
    for (let head = answers.peek(); head !== undefined; head = answers.peek()) {
      if (head.obligation !== null && !head.obligation.isMet) break;
      answers.shift();
      if (head.send === null) connection.sendAcknowledgement(head.type, head.packetId, head.reasonCode);
      else head.send();
    }
    if (answers.size === 0) connection.heldAreSent();
    if (answers.size < this.#most) connection.resumeReading(Pause.holding);
  }

  /** Answers that may wait before reading stops: a 5.0 client was told how many; others are stopped by TCP. */
  get #most(): number {
    const { isVersion5, broker } = this.#connection;
    return isVersion5 ? broker.options.receiveMaximum : MAXIMUM_PACKET_ID;
  }
}
