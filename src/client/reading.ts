/** Whether a client reads from the network: not while a consumer is behind, unless an answer of the server is awaited. */
import type { Client } from "./client.ts";

/** What decides. */
export interface ReadingHost {
  /** Whether a consumer is so far behind that nothing more should be read. */
  readonly isFull: boolean;
  /** Whether somebody waits for an answer, so that to stop reading could mean to wait for ever. */
  readonly isAnswerAwaited: boolean;
}

/** Stops and starts the reading of one client. */
export class Reading {
  readonly #client: Client;
  readonly #host: ReadingHost;
  #isPaused = false;

  constructor(client: Client, host: ReadingHost) {
    this.#client = client;
    this.#host = host;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** A new connection reads. */
  connected(): void {
    this.#isPaused = false;
    this.changed();
  }

  /** Something that decides may have changed. */
  changed(): void {
    const { isFull, isAnswerAwaited } = this.#host;
    const isPaused = isFull && !isAnswerAwaited;
    if (isPaused === this.#isPaused || !this.#client.isConnected) return;
    this.#isPaused = isPaused;
    if (isPaused) this.#client.pause();
    else this.#client.resume();
  }
}
