/**
 * Messages that nobody wants yet. A Session that the server has kept may bring some before the program has got as far as to
 * subscribe: they wait a little, and those at QoS 1 and 2 are not acknowledged meanwhile.
 */
import type { IncomingMessage } from "./message.ts";
import type { ReceivedMessage } from "./received-message.ts";

/** A message that nobody wants yet. */
export interface Unclaimed {
  readonly message: ReceivedMessage;
  readonly source: IncomingMessage;
}

/** So many wait, for so long from the first one on. */
const MOST_MESSAGES = 1000;
const WAIT_MS = 10_000;

/** Those of one client. */
export class UnclaimedMessages {
  readonly #givenUp: (messages: readonly Unclaimed[]) => void;
  #messages: Unclaimed[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;
  #isOver = false;

  /** @param givenUp told which messages nobody wanted in time */
  constructor(givenUp: (messages: readonly Unclaimed[]) => void) {
    this.#givenUp = givenUp;
  }

  /** Has a message wait; false when it is too late or too many do. */
  add(unclaimed: Unclaimed): boolean {
    if (this.#isOver || this.#messages.length >= MOST_MESSAGES) return false;
    const { message } = unclaimed;
    message.payload = new Uint8Array(message.payload);
    this.#messages.push(unclaimed);
    this.#timer ??= setTimeout(() => this.#giveUp(), WAIT_MS);
    return true;
  }

  #giveUp(): void {
    this.#timer = null;
    this.#isOver = true;
    this.#givenUp(this.takeAll());
  }

  takeAll(): readonly Unclaimed[] {
    const messages = this.#messages;
    this.#messages = [];
    return messages;
  }

  end(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#isOver = true;
    this.#messages = [];
  }
}
