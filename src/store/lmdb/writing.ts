/** Applies batches to the tables, within a transaction that the caller has begun. */
import { HEAD_BYTES, OPERATION } from "./batch.ts";
import { uint16At, uint32At, uint48At, uint48Key } from "./bytes.ts";
import { type Environment, isWhole, putLast, seal, type Table } from "./environment.ts";
import { References } from "./references.ts";
import { CRC_BYTES, DATABASE, DATABASES, NO_MESSAGE, OF_SESSIONS, REFERRING } from "./schema.ts";

/** Records of ended Sessions that one batch removes; what is more than that waits for the next. */
const MOST_REMOVED = 2000;

const NOTHING = new Uint8Array(0);

/** The message that a record refers to. Of a damaged one that is not known: then a message is kept that nobody wants. */
function messageOf(key: Uint8Array, value: Uint8Array | undefined): number {
  return value === undefined || !isWhole(key, value) ? NO_MESSAGE : uint48At(value, 0);
}

/** The highest key of a table; empty when it is. */
function lastKeyOf(table: Table): Uint8Array {
  for (const key of table.getKeys({ reverse: true, limit: 1 })) return key;
  return new Uint8Array(0);
}

/** Writes into one environment. */
export class RecordWriter {
  readonly #environment: Environment;
  readonly #tables: readonly Table[];
  readonly #isReferring: readonly boolean[];
  readonly #references: References;
  /** Whether there may be something to clear up. */
  #hasDropped = true;
  /** No delivery has a higher key. It may be one that is gone, or that a batch brought which failed. */
  #lastDelivery: Uint8Array | null = null;

  constructor(environment: Environment, nextMessage: number) {
    this.#environment = environment;
    this.#tables = DATABASES.map((name) => environment.tables[name]);
    this.#isReferring = DATABASES.map((name) => REFERRING.includes(name));
    this.#references = new References(environment, nextMessage);
  }

  /** No message in the store has this key or a higher one. */
  get nextMessage(): number {
    return this.#references.nextMessage;
  }

  /** Applies `batch`, writing the checksums into it, and clears up after ended Sessions. Returns whether all is cleared. */
  apply(batch: Uint8Array): boolean {
    this.#references.begin();
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
    this.#references.settle();
    return isCleared;
  }

  #applyOne(operation: number, database: number, key: Uint8Array, value: Uint8Array): void {
    if (operation === OPERATION.set) {
      seal(key, value);
      if (database === DATABASE.messages) this.#references.add(key, value);
      else this.#set(database, key, value);
    } else if (operation === OPERATION.delete) this.#delete(database, key, value);
    else this.#endSession(key);
  }

  #set(database: number, key: Uint8Array, value: Uint8Array): void {
    const table = this.#tables[database]!;
    if (database === DATABASE.deliveries && this.#isLastDelivery(key)) {
      this.#references.refer(uint48At(value, 0), 1);
      if (putLast(table, key, value)) return;
    } else if (this.#isReferring[database]) {
      const message = uint48At(value, 0);
      const before = messageOf(key, table.getBinaryFast(key));
      if (before !== message) {
        this.#references.refer(before, -1);
        this.#references.refer(message, 1);
      }
    }
    void table.put(key, value);
  }

  /** Whether no delivery in the table has this place, or one behind it; from now on this one has. */
  #isLastDelivery(key: Uint8Array): boolean {
    this.#lastDelivery ??= lastKeyOf(this.#environment.tables.deliveries);
    if (Buffer.compare(key, this.#lastDelivery) <= 0) return false;
    this.#lastDelivery = Uint8Array.from(key);
    return true;
  }

  /** @param message the message that the record refers to, or nothing: then the record is asked */
  #delete(database: number, key: Uint8Array, message: Uint8Array = NOTHING): void {
    const table = this.#tables[database]!;
    if (message.length > 0) {
      // One that is not there any more was counted when it went.
      if (table.removeSync(key)) this.#references.refer(uint48At(message, 0), -1);
      return;
    }
    if (this.#isReferring[database]) {
      const old = table.getBinaryFast(key);
      if (old === undefined) return;
      this.#references.refer(messageOf(key, old), -1);
    }
    void table.remove(key);
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
}
