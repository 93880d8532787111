/** What an acknowledgement waits for: facts, each kept by the store or discharged by the receiver. It knows neither batch nor store. */
import type { Change } from "./store.ts";

/** Who holds an acknowledgement back. */
export interface ObligationWaiter {
  obligationMet(): void;
}

/** What is owed before one acknowledgement may leave: a number of facts, each kept or discharged. */
export class Obligation {
  #owed = 0;
  #waiter: ObligationWaiter | null = null;

  get isMet(): boolean {
    return this.#owed === 0;
  }

  /** One fact more. */
  add(): void {
    this.#owed++;
  }

  /** One fact kept or discharged. */
  settle(): void {
    if (--this.#owed > 0) return;
    const waiter = this.#waiter;
    this.#waiter = null;
    waiter?.obligationMet();
  }

  /** Tells `waiter` once nothing is owed any more. */
  whenMet(waiter: ObligationWaiter): void {
    if (this.isMet) waiter.obligationMet();
    else this.#waiter = waiter;
  }
}

/** What the store is to be given together. */
export class Batch {
  /** Tells this batch from others of its Ledger. */
  readonly number: number;
  readonly changes: Change[] = [];
  /** Key of the next message that comes to the store. */
  nextMessage: number;

  constructor(number: number, nextMessage: number) {
    this.number = number;
    this.nextMessage = nextMessage;
  }
}

/** A fact that is put into the store's words only when its turn comes, as most are discharged before. */
export interface Fact {
  /** Adds what the store is to know now. */
  tell(batch: Batch): void;
  /** It begins, or ceases, to wait for its turn. Returns the bytes of messages that wait more, or less, for that. */
  wait(): number;
  leave(): number;
}

/** A fact that does not change any more. */
export class FixedFact implements Fact {
  readonly #change: Change;

  constructor(change: Change) {
    this.#change = change;
  }

  tell(batch: Batch): void {
    batch.changes.push(this.#change);
  }

  wait(): number {
    return 0;
  }

  leave(): number {
    return 0;
  }
}

/** Facts that were recorded in one turn and are handed over together. */
export class Lot {
  /** When the turn began, on the monotonic clock. */
  readonly beganMs: number;
  /** When it ended, and what it had for the network was written; in it: when it began. */
  endedMs: number;
  entries: Entry[] = [];
  /** Entries that have not been withdrawn, and those of them that are urgent, and idle. */
  waiting = 0;
  urgent = 0;
  idle = 0;

  constructor(beganMs: number) {
    this.beganMs = this.endedMs = beganMs;
  }

  get patient(): number {
    return this.waiting - this.urgent - this.idle;
  }
}

/**
 * How soon the store is to be given a fact: "urgent" as soon as others have had a chance to join it, "patient" when its receiver, who
 * will probably discharge it, has had time for that, "idle" when it suits: nobody waits for it, and without it a client is only sent
 * again what it has acknowledged.
 */
export type Haste = "urgent" | "patient" | "idle";

/** Where an entry stands: it waits to be given to the store, has been given, or need not be any more. */
export type EntryState = "waiting" | "handed" | "withdrawn";

/** A recorded fact and who waits for it. */
export class Entry {
  /** null: only something waits at this place, or the fact is not needed any more. */
  fact: Fact | null;
  readonly lot: Lot;
  readonly haste: Haste;
  readonly onKept: (() => void) | null;
  state: EntryState = "waiting";
  #obligation: Obligation | null;
  /** The entry whose place this one takes: whoever waits for it still does. */
  #earlier: Entry | null;

  constructor(
    fact: Fact | null,
    lot: Lot,
    haste: Haste,
    obligation: Obligation | null,
    onKept: (() => void) | null,
    earlier: Entry | null,
  ) {
    this.fact = fact;
    this.lot = lot;
    this.haste = haste;
    this.onKept = onKept;
    this.#obligation = obligation;
    this.#earlier = earlier;
  }

  /** Whether the store has been given it: from then on only another fact undoes it. */
  get isHanded(): boolean {
    return this.state === "handed";
  }

  /** Whether somebody waits for it. */
  get isOwed(): boolean {
    return this.#obligation !== null || this.#earlier?.isOwed === true;
  }

  /** The duty is done, by the store or by the receiver. */
  settle(): void {
    const obligation = this.#obligation;
    const earlier = this.#earlier;
    this.#obligation = this.#earlier = null;
    earlier?.settle();
    obligation?.settle();
  }
}
