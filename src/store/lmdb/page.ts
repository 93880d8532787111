/** Records on their way from the process that reads them, one behind the other in one buffer. */
import { ByteWriter, putUint32, uint16At, uint32At } from "./bytes.ts";
import { DATABASE, DATABASES, type DatabaseName } from "./schema.ts";

/** A page is full with this many bytes. */
const PAGE_BYTES = 262_144;

/** What a page can hold besides records of databases. */
const QUEUE = DATABASES.length;
const NEXT_MESSAGE = DATABASES.length + 1;

/** A record, or what a reader makes up: "queue" is a queue summed up, "next-message" where the keys of messages go on. */
export interface StoredRecord {
  readonly from: DatabaseName | "queue" | "next-message";
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Before each: number of the database u8, length of the key u16, length of the value u32. */
const HEAD_BYTES = 7;

/** Collects records. */
export class Page {
  readonly #to: ByteWriter = new ByteWriter();

  get isFull(): boolean {
    return this.#to.at >= PAGE_BYTES;
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#to.bytes.subarray(0, this.#to.at);
  }

  add(from: StoredRecord["from"], key: Uint8Array, value: Uint8Array): void {
    const to = this.#to;
    to.reserve(HEAD_BYTES + key.length + value.length);
    const { bytes, at } = to;
    bytes[at] = from === "queue" ? QUEUE : from === "next-message" ? NEXT_MESSAGE : DATABASE[from];
    bytes[at + 1] = key.length >>> 8;
    bytes[at + 2] = key.length;
    putUint32(bytes, at + 3, value.length);
    bytes.set(key, at + HEAD_BYTES);
    bytes.set(value, at + HEAD_BYTES + key.length);
    to.at = at + HEAD_BYTES + key.length + value.length;
  }
}

/**
 * Calls `visit` with each record in a page, as ranges of it: its key from `keyAt` to `valueAt`, its value from there to `end`. Many
 * small records are read faster so than by `recordsOf`.
 */
export function visitRecords(
  page: Uint8Array,
  visit: (database: number, keyAt: number, valueAt: number, end: number) => void,
): void {
  for (let at = 0; at < page.length; ) {
    const keyAt = at + HEAD_BYTES;
    const valueAt = keyAt + uint16At(page, at + 1);
    const end = valueAt + uint32At(page, at + 3);
    visit(page[at]!, keyAt, valueAt, end);
    at = end;
  }
}

/** The records in a page. Keys and values are views of it. */
export function* recordsOf(page: Uint8Array): IterableIterator<StoredRecord> {
  for (let at = 0; at < page.length; ) {
    const number = page[at]!;
    const keyAt = at + HEAD_BYTES;
    const valueAt = keyAt + uint16At(page, at + 1);
    at = valueAt + uint32At(page, at + 3);
    const from = number === QUEUE ? "queue" : number === NEXT_MESSAGE ? "next-message" : DATABASES[number]!;
    yield { from, key: page.subarray(keyAt, valueAt), value: page.subarray(valueAt, at) };
  }
}
