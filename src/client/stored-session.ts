/** What a client's store file holds by now: the records that still count, where they are, and the Session that they add up to. */
import type { SavedMessage } from "./outbox.ts";
import type { SavedReceipt, SavedSession } from "./session.ts";
import { encodeRecord, type FoundRecord, type StoreRecord } from "./store-record.ts";

/** A message of the Session in the file. */
export interface Stored {
  /** Where its record begins. */
  start: number;
  readonly bytes: number;
  /** For the other way: its PUBREC came. For ours: the server has forgotten it. */
  isMarked: boolean;
}

/** Bytes of a record without a message. */
const SMALL_BYTES = encodeRecord({ kind: "last-sequence", sequence: 0 }).length;

/** Follows the records of a file. */
export class StoredSession {
  /** Which of the Sessions in the file it is. */
  readonly #side: 0 | 1;
  readonly #outgoing: Map<number, Stored> = new Map();
  readonly #incoming: Map<number, Stored> = new Map();
  lastSequence = 0;
  #messageBytes = 0;

  constructor(side: 0 | 1 = 0) {
    this.#side = side;
  }

  /** Bytes that a file with nothing else in it would have. */
  get liveBytes(): number {
    return this.#messageBytes + SMALL_BYTES * (1 + this.#outgoing.size + this.#incoming.size);
  }

  /** Applies a record that lies at `start` of the file. */
  apply(record: StoreRecord, start: number, bytes: number): void {
    switch (record.kind) {
      case "outgoing-added":
        return this.#add(this.#outgoing, record.mid, start, bytes);
      case "outgoing-released":
        return mark(this.#outgoing.get(record.mid));
      case "outgoing-done":
        return this.#remove(this.#outgoing, record.mid);
      case "incoming-added":
        this.lastSequence = Math.max(this.lastSequence, record.sequence);
        return this.#add(this.#incoming, record.sequence, start, bytes);
      case "incoming-orphaned":
        return mark(this.#incoming.get(record.sequence));
      case "incoming-done":
        return this.#remove(this.#incoming, record.sequence);
      case "last-sequence":
        this.lastSequence = Math.max(this.lastSequence, record.sequence);
    }
  }

  #add(messages: Map<number, Stored>, key: number, start: number, bytes: number): void {
    this.#remove(messages, key);
    messages.set(key, { start, bytes, isMarked: false });
    this.#messageBytes += bytes;
  }

  #remove(messages: Map<number, Stored>, key: number): void {
    const stored = messages.get(key);
    if (stored === undefined) return;
    messages.delete(key);
    this.#messageBytes -= stored.bytes;
  }

  /**
   * The records of a file with nothing else in it, in order, each with the message that it is the record of.
   * @param read the bytes of the present file
   */
  *rewritten(
    read: (start: number, bytes: number) => Uint8Array,
  ): IterableIterator<readonly [record: Uint8Array, stored: Stored | null]> {
    const small = (record: StoreRecord) => [encodeRecord(record, this.#side), null] as const;
    yield small({ kind: "last-sequence", sequence: this.lastSequence });
    for (const [mid, stored] of this.#outgoing) {
      yield [read(stored.start, stored.bytes), stored];
      if (stored.isMarked) yield small({ kind: "outgoing-released", mid });
    }
    for (const [sequence, stored] of this.#incoming) {
      yield [read(stored.start, stored.bytes), stored];
      if (stored.isMarked) yield small({ kind: "incoming-orphaned", sequence });
    }
  }

  /** The Session, from the records of the whole file. */
  saved(found: readonly FoundRecord[]): SavedSession {
    const own = found.filter(({ side }) => side === this.#side);
    const byStart = new Map(own.map(({ record, start }) => [start, record]));
    const outgoing: SavedMessage[] = [];
    for (const [mid, { start, isMarked }] of this.#outgoing) {
      const record = byStart.get(start);
      if (record?.kind !== "outgoing-added" || record.message.qos === 0) continue;
      const { message } = record;
      const { qos } = record.message;
      // Nobody knows whether it has been sent: it is sent as one that has.
      if (isMarked) outgoing.push({ mid, qos, wait: "PUBCOMP", message: null });
      else outgoing.push({ mid, qos, wait: qos === 1 ? "PUBACK" : "PUBREC", message });
    }
    const received: SavedReceipt[] = [];
    for (const [sequence, { start, isMarked }] of this.#incoming) {
      const record = byStart.get(start);
      if (record?.kind !== "incoming-added") continue;
      received.push({ sequence, packetId: isMarked ? 0 : record.message.packetId, message: record.message });
    }
    return { outgoing, received, lastSequence: this.lastSequence };
  }
}

function mark(stored: Stored | undefined): void {
  if (stored !== undefined) stored.isMarked = true;
}
