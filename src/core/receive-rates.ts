/** How fast one client sends, against what its Entrance allows: who is too fast is not read from for a while, and loses nothing. */
import type { Connection } from "./connection.ts";
import type { Entrance } from "./entrance.ts";
import { Pause } from "./pause.ts";
import { dueWith, waitMs } from "./rate.ts";

/** What a client sends too fast. */
export type ExceededRate = "message-rate" | "byte-rate";

/** Shortest time for which a client is not read from: otherwise there would be a pause after each message. */
const SHORTEST_WAIT_MS = 20;
/** Longest time until it is looked again whether a client may go on, in milliseconds. */
const LONGEST_WAIT_MS = 1000;

/** The account of one connection. */
export class ReceiveRates {
  readonly #messagesPerSecond: number;
  readonly #bytesPerSecond: number;
  #messagesDueMs = 0;
  #bytesDueMs = 0;

  private constructor(messagesPerSecond: number, bytesPerSecond: number) {
    this.#messagesPerSecond = messagesPerSecond;
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** For a connection that has come in by `entrance`; null: it may send as fast as it can. */
  static of({ maximumMessageRate, maximumByteRate }: Entrance): ReceiveRates | null {
    return maximumMessageRate + maximumByteRate === 0 ? null : new ReceiveRates(maximumMessageRate, maximumByteRate);
  }

  tookBytes(bytes: number, nowMs: number): void {
    const perSecond = this.#bytesPerSecond;
    if (perSecond > 0) this.#bytesDueMs = dueWith(this.#bytesDueMs, nowMs, bytes, perSecond);
  }

  tookMessage(connection: Connection): void {
    const perSecond = this.#messagesPerSecond;
    if (perSecond === 0) return;
    this.#messagesDueMs = dueWith(this.#messagesDueMs, connection.broker.turnMs, 1, perSecond);
    this.keepPace(connection);
  }

  /** Takes no more for a while from a connection that sends too fast, so that its own network holds it up. */
  keepPace(connection: Connection): void {
    const { broker, machine } = connection;
    if (this.#waitMs(broker.turnMs) === 0 || machine.ended !== null) return;
    broker.counters.timesSlowed++;
    broker.observer.slowed?.(connection, this.#messagesDueMs >= this.#bytesDueMs ? "message-rate" : "byte-rate");
    connection.pauseReading(Pause.rate);
    this.#await(connection);
  }

  #await(connection: Connection): void {
    const { broker, machine } = connection;
    const waitMs = this.#waitMs(broker.turnMs);
    if (waitMs === 0 || machine.ended !== null) connection.resumeReading(Pause.rate);
    else broker.deadlines.add(broker.turnMs + waitMs, () => this.#await(connection));
    broker.wake();
  }

  /** How long nothing is to be taken; 0: not at all. It is to be asked again then. */
  #waitMs(nowMs: number): number {
    const ms = waitMs(Math.max(this.#messagesDueMs, this.#bytesDueMs), nowMs);
    return ms === 0 ? 0 : Math.min(LONGEST_WAIT_MS, Math.max(SHORTEST_WAIT_MS, ms));
  }
}
