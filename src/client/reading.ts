/** Whether a client reads from the network: not while a consumer is behind, unless an answer of the server is awaited. */
import type { Client } from "./client.ts";

/** Stops and starts the reading of one client. */
export class Reading {
  readonly #client: Client;
  readonly #mustPause: () => boolean;
  #isPaused = false;

  /**
   * @param mustPause whether a consumer is so far behind that nothing more should be read, and nobody waits for an answer: to stop
   *   reading could mean to wait for ever then
   */
  constructor(client: Client, mustPause: () => boolean) {
    this.#client = client;
    this.#mustPause = mustPause;
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
    const isPaused = this.#mustPause();
    if (isPaused === this.#isPaused || !this.#client.isConnected) return;
    this.#isPaused = isPaused;
    if (isPaused) this.#client.pause();
    else this.#client.resume();
  }
}
