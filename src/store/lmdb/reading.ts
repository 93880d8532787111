/** Reads records in the orders that replay, queues and exports need, as pages of bytes for the process that wants facts. */
import { ByteWriter, putUint48, uint32At, uint48At, uint48Key } from "./bytes.ts";
import { type Damage, NO_SUCH_MESSAGE, WRONG_CHECKSUM } from "./damage.ts";
import { type Environment, isWhole, type Table } from "./environment.ts";
import { Page, type StoredRecord } from "./page.ts";
import { isQueued, isShared, PAYLOAD_BYTES_AT } from "./records.ts";
import { type DatabaseName, NO_MESSAGE } from "./schema.ts";

/** Records fetched at once: no position in the file is held from one page to the next. */
const FETCHED_RECORDS = 512;
/** Of wills, which may be large. */
const FETCHED_WILLS = 8;

interface Row {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** The waiting deliveries of one Session, summed up. */
class Queue {
  readonly session: number;
  messages = 0;
  sharedMessages = 0;
  payloadBytes = 0;
  firstOrder = 0;
  lastOrder = 0;

  constructor(session: number) {
    this.session = session;
  }

  add(order: number, value: Uint8Array): void {
    if (this.messages++ === 0) this.firstOrder = order;
    if (isShared(value)) this.sharedMessages++;
    this.payloadBytes += uint32At(value, PAYLOAD_BYTES_AT);
    this.lastOrder = order;
  }

  toRecord(): StoredRecord {
    const value = new ByteWriter();
    const { messages, sharedMessages, payloadBytes, firstOrder, lastOrder } = this;
    for (const number of [messages, sharedMessages, payloadBytes, firstOrder, lastOrder]) value.float64(number);
    return { from: "queue", key: uint48Key(this.session), value: value.bytes.subarray(0, value.at) };
  }
}

/** Reads one environment. */
export class RecordReader {
  readonly #environment: Environment;
  readonly #onDamage: (damage: Damage) => void;

  constructor(environment: Environment, onDamage: (damage: Damage) => void) {
    this.#environment = environment;
    this.#onDamage = onDamage;
  }

  /** The records of a database in order; damaged ones are reported and left out. */
  *#rows(database: DatabaseName, start?: Uint8Array, end?: Uint8Array): IterableIterator<Row> {
    const table = this.#environment.tables[database];
    const limit = database === "wills" ? FETCHED_WILLS : FETCHED_RECORDS;
    let range: Parameters<Table["getRange"]>[0] = {
      limit,
      ...(start === undefined ? {} : { start }),
      ...(end === undefined ? {} : { end }),
    };
    for (;;) {
      const rows: Row[] = [...table.getRange(range)];
      for (const row of rows) {
        if (isWhole(row.key, row.value)) yield row;
        else this.#onDamage({ database, key: row.key, reason: WRONG_CHECKSUM });
      }
      if (rows.length < limit) return;
      range = { ...range, start: rows.at(-1)!.key, exclusiveStart: true };
    }
  }

  /** The message of `row`, unless it is missing or damaged. */
  #messageOf(database: DatabaseName, row: Row): Row | null {
    const key = row.value.slice(0, 6);
    const value = this.#environment.tables.messages.getBinary(key);
    if (value !== undefined && isWhole(key, value)) return { key, value };
    this.#missing(database, row.key, key, value !== undefined);
    return null;
  }

  #missing(database: DatabaseName, key: Uint8Array, message: Uint8Array, isDamaged: boolean): void {
    if (isDamaged) this.#onDamage({ database: "messages", key: message, reason: WRONG_CHECKSUM });
    this.#onDamage({ database, key, reason: NO_SUCH_MESSAGE });
  }

  /** All records of a database. */
  *records(from: DatabaseName): IterableIterator<StoredRecord> {
    for (const { key, value } of this.#rows(from)) yield { from, key, value };
  }

  /** What is in force, in the order that `Store.replay` asks for. */
  *all(nextMessage: number): IterableIterator<StoredRecord> {
    yield* this.records("clock");
    yield { from: "next-message", key: uint48Key(nextMessage), value: new Uint8Array(0) };
    yield* this.records("sessions");
    yield* this.records("subscriptions");
    const given = new Set<number>();
    yield* this.#deliveries(given);
    yield* this.records("received");
    yield* this.records("wills");
    for (const database of ["shares", "retained"] as const)
      for (const row of this.#rows(database)) yield* this.#withMessage(database, row, given);
  }

  *#deliveries(given: Set<number>): IterableIterator<StoredRecord> {
    let queue = new Queue(-1);
    for (const row of this.#rows("deliveries")) {
      const session = uint48At(row.key, 0);
      if (session !== queue.session) {
        if (queue.messages > 0) yield queue.toRecord();
        queue = new Queue(session);
      }
      if (isQueued(row.value)) queue.add(uint48At(row.key, 6), row.value);
      else yield* this.#withMessage("deliveries", row, given);
    }
    if (queue.messages > 0) yield queue.toRecord();
  }

  /** A record, and before it the message that it refers to unless that was `given`. */
  *#withMessage(from: DatabaseName, { key, value }: Row, given: Set<number>): IterableIterator<StoredRecord> {
    const message = uint48At(value, 0);
    if (message !== NO_MESSAGE && !given.has(message)) {
      const found = this.#messageOf(from, { key, value });
      if (found === null) return;
      // What only one record refers to is not asked for again.
      if (this.#environment.tables.references.getBinaryFast(found.key) !== undefined) given.add(message);
      yield { from: "messages", ...found };
    }
    yield { from, key, value };
  }

  /** Up to `limit` waiting deliveries of a Session above `afterOrder`, each behind its message, as many as a page holds. */
  queue(session: number, afterOrder: number, limit: number): Page {
    const { deliveries, messages } = this.#environment.tables;
    const page = new Page();
    const start = new Uint8Array(12);
    putUint48(start, 0, session);
    putUint48(start, 6, afterOrder + 1);
    const message = new Uint8Array(6);
    let count = 0;
    for (const { key, value } of deliveries.getRange({ start, end: uint48Key(session + 1) })) {
      if (!isWhole(key, value)) {
        this.#onDamage({ database: "deliveries", key, reason: WRONG_CHECKSUM });
        continue;
      }
      if (!isQueued(value)) continue;
      for (let i = 0; i < 6; i++) message[i] = value[i]!;
      // Valid until the next one is asked for, and longer in truth than it says.
      const bytes = messages.getBinaryFast(message);
      if (bytes === undefined || !isWhole(message, bytes)) {
        this.#missing("deliveries", key, message.slice(), bytes !== undefined);
        continue;
      }
      page.add("messages", message, Uint8Array.prototype.subarray.call(bytes, 0, bytes.length));
      page.add("deliveries", key, value);
      if (++count === limit || page.isFull) break;
    }
    return page;
  }
}
