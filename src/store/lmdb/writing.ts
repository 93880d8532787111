/** Applies batches to the tables, within a transaction that the caller has begun, and counts references to messages. */

import { HEAD_BYTES, OPERATION } from "./batch.ts";
import { uint16At, uint32At, uint48At, uint48Key } from "./bytes.ts";
import { type Environment, isWhole, seal, type Table, uint32Value } from "./environment.ts";
import { CRC_BYTES, DATABASE, DATABASES, NO_MESSAGE, OF_SESSIONS, REFERRING } from "./schema.ts";

/** Records of ended Sessions that one batch removes; what is more than that waits for the next. */
const MOST_REMOVED = 2000;

/** Stands for a count that is damaged: then a message is kept that perhaps nobody wants. */
const UNKNOWN_COUNT = 2 ** 31;

/** The message that a record refers to. Of a damaged one that is not known: then a message is kept that nobody wants. */
function messageOf(key: Uint8Array, value: Uint8Array | undefined): number {
  return value === undefined || !isWhole(key, value) ? NO_MESSAGE : uint48At(value, 0);
}

/** Writes into one environment. */
export class RecordWriter {
  readonly #environment: Environment;
  readonly #tables: readonly Table[];
  readonly #isReferring: readonly boolean[];
  /** Messages that this batch brings: where they are in it. */
  readonly #added: Map<number, { key: Uint8Array; value: Uint8Array }> = new Map();
  /** References that this batch adds, less those that it takes away. */
  readonly #references: Map<number, number> = new Map();
  /** Whether there may be something to clear up. */
  #hasDropped = true;
  #hasFailed = false;
  /** No message in the store has this key or a higher one. */
  nextMessage: number;

  constructor(environment: Environment, nextMessage: number) {
    this.#environment = environment;
    this.#tables = DATABASES.map((name) => environment.tables[name]);
    this.#isReferring = DATABASES.map((name) => REFERRING.includes(name));
    this.nextMessage = nextMessage;
  }

  /** Applies `batch`, writing the checksums into it, and clears up after ended Sessions. Returns whether all is cleared. */
  apply(batch: Uint8Array): boolean {
    // The last one may have failed half-way.
    this.#added.clear();
    this.#references.clear();
    if (this.#hasFailed) this.#hasDropped = true;
    this.#hasFailed = true;
    for (let at = 0; at < batch.length; ) {
      const operation = batch[at]!;
      const database = batch[at + 1]!;
      const valueAt = at + HEAD_BYTES + uint16At(batch, at + 2);
      const key = batch.subarray(at + HEAD_BYTES, valueAt);
      at = valueAt + uint32At(batch, at + 4);
      if (operation === OPERATION.set) at += CRC_BYTES;
      this.#applyOne(operation, database, key, batch.subarray(valueAt, at));
    }
    const isCleared = this.#clearUp();
    this.#settle();
    this.#hasFailed = false;
    return isCleared;
  }

  #applyOne(operation: number, database: number, key: Uint8Array, value: Uint8Array): void {
    if (operation === OPERATION.set) {
      seal(key, value);
      if (database === DATABASE.messages) this.#added.set(uint48At(key, 0), { key, value });
      else this.#set(database, key, value);
    } else if (operation === OPERATION.delete) this.#delete(database, key);
    else this.#endSession(key);
  }

  #set(database: number, key: Uint8Array, value: Uint8Array): void {
    const table = this.#tables[database]!;
    if (this.#isReferring[database]) {
      const message = uint48At(value, 0);
      const before = messageOf(key, table.getBinaryFast(key));
      if (before !== message) {
        this.#refer(before, -1);
        this.#refer(message, 1);
      }
    }
    void table.put(key, value);
  }

  #delete(database: number, key: Uint8Array): void {
    const table = this.#tables[database]!;
    if (this.#isReferring[database]) {
      const old = table.getBinaryFast(key);
      if (old === undefined) return;
      this.#refer(messageOf(key, old), -1);
    }
    void table.remove(key);
  }

  #refer(message: number, count: number): void {
    if (message !== NO_MESSAGE) this.#references.set(message, (this.#references.get(message) ?? 0) + count);
  }

  #endSession(key: Uint8Array): void {
    const { sessions, dropped } = this.#environment.tables;
    const mark = new Uint8Array(CRC_BYTES);
    seal(key, mark);
    void sessions.remove(key);
    void dropped.put(key, mark);
    this.#hasDropped = true;
  }

  /** Removes what is left of ended Sessions, within bounds. */
  #clearUp(): boolean {
    if (!this.#hasDropped) return true;
    const { tables } = this.#environment;
    let room = MOST_REMOVED;
    for (const key of [...tables.dropped.getKeys({ limit: room })]) {
      const [start, end] = [key, uint48Key(uint48At(key, 0) + 1)];
      for (const name of OF_SESSIONS) {
        const keys = [...tables[name].getKeys({ start, end, limit: room })];
        for (const found of keys) this.#delete(DATABASE[name], found);
        room -= keys.length;
        if (room === 0) return false;
      }
      void tables.dropped.remove(key);
    }
    this.#hasDropped = false;
    return true;
  }

  /** Writes the messages that are new and wanted, and the numbers of references that have changed. */
  #settle(): void {
    for (const [message, { key, value }] of this.#added) {
      const change = this.#references.get(message) ?? 0;
      this.#references.delete(message);
      const before = message < this.nextMessage ? this.#countOf(key) : 0;
      if (before + change > 0) {
        void this.#environment.tables.messages.put(key, value);
        if (before > 1 || change > 1) this.#setCount(key, before, before + change);
      } else if (before > 0) this.#forget(key, before);
      if (message >= this.nextMessage) this.nextMessage = message + 1;
    }
    for (const [message, change] of this.#references) {
      if (change === 0) continue;
      const key = uint48Key(message);
      const before = change < 0 ? (this.#storedCountOf(key) ?? 1) : this.#countOf(key);
      if (before + change > 0) this.#setCount(key, before, before + change);
      else this.#forget(key, before);
    }
  }

  /** How many records refer to a message before this batch; 0: it is not there. */
  #countOf(key: Uint8Array): number {
    const { messages } = this.#environment.tables;
    return this.#storedCountOf(key) ?? (messages.getBinaryFast(key) === undefined ? 0 : 1);
  }

  #storedCountOf(key: Uint8Array): number | undefined {
    const count = this.#environment.tables.references.getBinaryFast(key);
    if (count === undefined) return undefined;
    return isWhole(key, count) ? uint32At(count, 0) : UNKNOWN_COUNT;
  }

  #setCount(key: Uint8Array, before: number, after: number): void {
    const { references } = this.#environment.tables;
    if (after > 1) void references.put(key, uint32Value(key, after));
    else if (before > 1) void references.remove(key);
  }

  #forget(key: Uint8Array, before: number): void {
    const { references, messages } = this.#environment.tables;
    if (before > 1) void references.remove(key);
    void messages.remove(key);
  }
}
