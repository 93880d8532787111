/**
 * Entries by packet identifier, in the order in which they were added. Identifiers go round, so those in use lie close together:
 * each has a place of its own in an array that is about twice as large as what is in it, and a Map takes the few that have not.
 * A Map for all would be slower, and the tables that it leaves behind as entries come and go keep garbage alive (measured on
 * Node 20: two thirds of all messages outlived two collections).
 */

/** What lies in the table. */
export abstract class TableEntry {
  readonly packetId: number;
  /** The neighbours in order; the table's own. */
  before: this | null = null;
  after: this | null = null;

  constructor(packetId: number) {
    this.packetId = packetId;
  }
}

const SMALLEST_SLOTS = 8;
/** With a slot for each packet identifier nothing can meet. */
const MOST_SLOTS = 65_536;
/** An empty table of more slots gives them up. */
const KEPT_SLOTS = 1024;

/** A table of entries. */
export class InOrderTable<Entry extends TableEntry> {
  #slots: (Entry | undefined)[] = new Array(SMALLEST_SLOTS);
  #mask = SMALLEST_SLOTS - 1;
  /** Entries whose slot another has. */
  #displaced: Map<number, Entry> | null = null;
  #first: Entry | null = null;
  #last: Entry | null = null;
  size = 0;

  get(packetId: number): Entry | undefined {
    const entry = this.#slots[packetId & this.#mask];
    if (entry !== undefined && entry.packetId === packetId) return entry;
    return this.#displaced?.get(packetId);
  }

  /** Adds `entry` at the end; there must be none with its identifier. */
  add(entry: Entry): void {
    if (this.size * 2 >= this.#slots.length && this.#slots.length < MOST_SLOTS) this.#resize(this.#slots.length * 2);
    this.#place(entry);
    entry.before = this.#last;
    if (this.#last === null) this.#first = entry;
    else this.#last.after = entry;
    this.#last = entry;
    this.size++;
  }

  #place(entry: Entry): void {
    const at = entry.packetId & this.#mask;
    if (this.#slots[at] === undefined) this.#slots[at] = entry;
    else (this.#displaced ??= new Map()).set(entry.packetId, entry);
  }

  #resize(slots: number): void {
    this.#slots = new Array(slots);
    this.#mask = slots - 1;
    this.#displaced = null;
    for (let entry = this.#first; entry !== null; entry = entry.after) this.#place(entry);
  }

  /** Takes out `entry`, which is in the table. */
  delete(entry: Entry): void {
    const { packetId, before, after } = entry;
    const at = packetId & this.#mask;
    if (this.#slots[at] === entry) this.#slots[at] = undefined;
    else this.#displaced?.delete(packetId);
    if (before === null) this.#first = after;
    else before.after = after;
    if (after === null) this.#last = before;
    else after.before = before;
    entry.before = entry.after = null;
    this.size--;
    if (this.size === 0 && this.#slots.length > KEPT_SLOTS) this.#resize(SMALLEST_SLOTS);
  }

  /** What is in it now, first to last. */
  entries(): Entry[] {
    const entries: Entry[] = [];
    for (let entry = this.#first; entry !== null; entry = entry.after) entries.push(entry);
    return entries;
  }
}
