/**
 * Messages, and how many records refer to each: a message is there as long as one does, judged at the end of each batch. One
 * reference needs no count, so the common message costs one record; it is settled as soon as the next message is spoken of.
 */
import { uint32At, uint48At, uint48Key } from "./bytes.ts";
import { type Environment, isWhole, putLast, type Table, uint32Value } from "./environment.ts";
import { NO_MESSAGE } from "./schema.ts";

/** Stands for a count that is damaged: then a message is kept that perhaps nobody wants. */
const UNKNOWN_COUNT = 2 ** 31;
const NONE = -1;

/** The references of one environment. */
export class References {
  readonly #messages: Table;
  readonly #counts: Table;
  /** The message spoken of, how its references have changed, and whether this batch has brought it. */
  #message = NONE;
  #change = 0;
  #isFresh = false;
  /** Changes to settle at the end of the batch, and which of their messages this batch has brought. */
  readonly #changes: Map<number, number> = new Map();
  readonly #fresh: Set<number> = new Set();
  /** Whether any message had a count when the batch began. */
  #hasCounts = true;
  /** No message in the store has this key or a higher one. */
  nextMessage: number;

  constructor({ tables }: Environment, nextMessage: number) {
    this.#messages = tables.messages;
    this.#counts = tables.references;
    this.nextMessage = nextMessage;
  }

  /** Begins a batch; the last one may have failed half-way. */
  begin(): void {
    this.#message = NONE;
    this.#changes.clear();
    this.#fresh.clear();
    this.#hasCounts = [...this.#counts.getKeys({ limit: 1 })].length > 0;
  }

  /** Writes a message. */
  add(key: Uint8Array, value: Uint8Array): void {
    const message = uint48At(key, 0);
    this.#turnTo(message);
    if (message >= this.nextMessage) {
      this.nextMessage = message + 1;
      this.#isFresh = true;
      if (putLast(this.#messages, key, value)) return;
    } else this.#isFresh = !this.#fresh.has(message) && this.#countOf(key) === 0;
    void this.#messages.put(key, value);
  }

  /** Notes that `count` more records refer to a message; fewer, when it is negative. */
  refer(message: number, count: number): void {
    if (message === NO_MESSAGE) return;
    if (message !== this.#message) this.#turnTo(message);
    this.#change += count;
  }

  #turnTo(message: number): void {
    // A new message with one reference is complete as it is.
    if (this.#message !== NONE && !(this.#isFresh && this.#change === 1)) {
      if (this.#isFresh) this.#fresh.add(this.#message);
      this.#changes.set(this.#message, (this.#changes.get(this.#message) ?? 0) + this.#change);
    }
    this.#message = message;
    this.#change = 0;
    this.#isFresh = false;
  }

  /** Ends a batch: counts what has changed and removes messages that nothing refers to. */
  settle(): void {
    this.#turnTo(NONE);
    for (const [message, change] of this.#changes) {
      const isFresh = this.#fresh.has(message);
      if (change === 0 && !isFresh) continue;
      const key = uint48Key(message);
      const before = isFresh ? 0 : change < 0 ? (this.#storedCountOf(key) ?? 1) : this.#countOf(key);
      this.#set(key, before, before + change);
    }
  }

  #set(key: Uint8Array, before: number, after: number): void {
    if (after > 1) void this.#counts.put(key, uint32Value(key, after));
    else if (before > 1) void this.#counts.remove(key);
    if (after <= 0) void this.#messages.remove(key);
  }

  /** How many records refer to a message that no change of this batch speaks of; 0: it is not there. */
  #countOf(key: Uint8Array): number {
    return this.#storedCountOf(key) ?? (this.#messages.getBinaryFast(key) === undefined ? 0 : 1);
  }

  #storedCountOf(key: Uint8Array): number | undefined {
    if (!this.#hasCounts) return undefined;
    const count = this.#counts.getBinaryFast(key);
    if (count === undefined) return undefined;
    return isWhole(key, count) ? uint32At(count, 0) : UNKNOWN_COUNT;
  }
}
