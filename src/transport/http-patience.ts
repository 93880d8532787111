/**
 * How long a client of HTTP may take: for a whole request, and between two of them. While it is answered, what counts is that it reads on,
 * as a long file takes as long as it takes. Node's own time-outs look at sockets only now and then.
 */
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Patience } from "./patience.ts";

/** Requests of one connection that are answered at once: each may hold an open file, and a client can ask for thousands without reading. */
export const MOST_ANSWERS = 16;

/** The patience with one connection. */
export class HttpPatience {
  readonly #socket: Socket;
  readonly #limitMs: number;
  readonly #onLate: () => void;
  #patience: Patience | null = null;
  #answers = 0;
  #isOver = false;

  /** @param onLate called once, when the time for a request is over */
  constructor(socket: Socket, limitMs: number, onLate: () => void) {
    this.#socket = socket;
    this.#limitMs = limitMs;
    this.#onLate = onLate;
    this.#arm();
  }

  /** Whether no more requests are to be answered before others have been. */
  get isFull(): boolean {
    return this.#answers >= MOST_ANSWERS;
  }

  /** A request is answered by `response` from now on. @param onRest called when nothing is being answered any more */
  answering(response: ServerResponse, onRest: () => void = () => {}): void {
    this.#disarm();
    this.#answers++;
    // Node destroys a socket that is late.
    this.#socket.setTimeout(this.#limitMs);
    response.once("close", () => {
      if (--this.#answers > 0 || this.#isOver) return;
      this.#socket.setTimeout(0);
      onRest();
      this.#arm();
    });
  }

  /** It is no longer about HTTP. */
  stop(): void {
    this.#isOver = true;
    this.#disarm();
  }

  #arm(): void {
    this.#patience = new Patience(this.#limitMs, this.#onLate);
  }

  #disarm(): void {
    this.#patience?.cancel();
    this.#patience = null;
  }
}
