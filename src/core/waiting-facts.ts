/**
 * The facts that the store has not been given, in the order in which they were recorded, and the rule of when it is given which.
 * A patient fact, which its receiver will probably discharge within moments, has longer and drives none out by its number; an idle one,
 * which nobody waits for, goes with others if it can. All facts of a turn go together, and none before one that was recorded earlier.
 */
import { Deque } from "./deque.ts";
import { type Entry, Lot } from "./obligation.ts";

/** Longest wait of other facts for more to join them, from the beginning of their turn on, in milliseconds. */
const URGENT_WAIT_MS = 2;
/** So many of those wait no longer. */
const URGENT_FACTS = 512;
/**
 * Longest wait of a patient fact, from the end of its turn on, in milliseconds: its receiver cannot have heard before, and a turn
 * that took long says nothing about the receiver.
 */
export const PATIENT_WAIT_MS = 10;
/**
 * Longest wait of an idle fact, from the end of its turn on, in milliseconds, and how many do not wait so long: while a queue empties
 * the store is to wait for the disk seldom, and no batch is to take so long that the next is late.
 */
const IDLE_WAIT_MS = 30;
const IDLE_FACTS = 4096;
/** So many facts of all kinds, or so many bytes of messages, wait no longer. */
const WAITING_FACTS = 16_384;
const WAITING_BYTES = 8_388_608;
/** Entries from which on they are looked through for those that have been withdrawn. */
const SWEEP_ENTRIES = 32_768;

/** Facts that wait, a Lot for each turn. */
export class WaitingFacts {
  #lots: Deque<Lot> = new Deque();
  /** The one of the present turn. */
  #present: Lot | null = null;
  /** When the turn of the first urgent fact began; Infinity when there is none. It may have been withdrawn since. */
  #urgentSinceMs = Number.POSITIVE_INFINITY;
  #urgent = 0;
  /** The same for when the turn of the first patient fact ended. */
  #patientSinceMs = Number.POSITIVE_INFINITY;
  #idle = 0;
  #entries = 0;
  #sweepAt = SWEEP_ENTRIES;
  /** Entries that have not been withdrawn. */
  size = 0;
  /** Bytes of the messages that they carry. */
  bytes = 0;

  /** Whether something has been recorded in this turn. */
  get hasPresent(): boolean {
    return this.#present !== null;
  }

  /** The Lot for what is recorded now; `turnMs` is when the turn began. */
  lot(turnMs: number): Lot {
    if (this.#present === null) {
      this.#present = new Lot(turnMs);
      this.#lots.push(this.#present);
    }
    return this.#present;
  }

  /** Adds the next entry, which is of the present Lot. */
  push(entry: Entry): void {
    const { lot } = entry;
    if (this.#entries >= this.#sweepAt) this.#sweep();
    this.#entries++;
    lot.entries.push(entry);
    lot.waiting++;
    this.size++;
    if (entry.fact !== null) this.bytes += entry.fact.wait();
    if (entry.haste === "idle") {
      lot.idle++;
      this.#idle++;
    }
    if (entry.haste !== "urgent") return;
    lot.urgent++;
    this.#urgent++;
    if (this.#urgentSinceMs > lot.beganMs) this.#urgentSinceMs = lot.beganMs;
  }

  /** Facts that the store is to be told. */
  countFacts(): number {
    let facts = 0;
    for (const { entries } of this.#lots) for (const { fact } of entries) if (fact !== null) facts++;
    return facts;
  }

  /** Lets `entry`, which waits, go from its place. */
  withdraw(entry: Entry): void {
    const { lot } = entry;
    entry.state = "withdrawn";
    if (entry.fact !== null) this.bytes -= entry.fact.leave();
    entry.fact = null;
    lot.waiting--;
    this.size--;
    if (entry.haste === "idle") {
      lot.idle--;
      this.#idle--;
    } else if (entry.haste === "urgent") {
      lot.urgent--;
      this.#urgent--;
    }
  }

  /** Lets go of withdrawn entries: while an append hangs, messages still come and are discharged. */
  #sweep(): void {
    const lots: Deque<Lot> = new Deque();
    this.#entries = 0;
    for (const lot of this.#lots) {
      if (lot.waiting < lot.entries.length) lot.entries = lot.entries.filter(isWaiting);
      if (lot.waiting === 0 && lot !== this.#present) continue;
      this.#entries += lot.entries.length;
      lots.push(lot);
    }
    this.#lots = lots;
    this.#sweepAt = Math.max(SWEEP_ENTRIES, this.#entries * 2);
  }

  /** The turn is over: what comes now is a Lot of its own. */
  endTurn(nowMs: number): void {
    if (this.#present !== null) {
      this.#present.endedMs = nowMs;
      if (this.#present.patient > 0) this.#patientSinceMs = Math.min(this.#patientSinceMs, nowMs);
    }
    this.#present = null;
    for (let first = this.#lots.peek(); first?.waiting === 0; first = this.#lots.peek()) this.#take();
  }

  #take(): Lot {
    const lot = this.#lots.shift()!;
    this.#entries -= lot.entries.length;
    this.#urgent -= lot.urgent;
    this.#idle -= lot.idle;
    this.size -= lot.waiting;
    for (const entry of lot.entries) {
      if (isWaiting(entry) && entry.fact !== null) this.bytes -= entry.fact.leave();
    }
    return lot;
  }

  /** When something is due; Infinity when nothing waits. */
  get dueMs(): number {
    const first = this.#lots.peek();
    if (first === undefined) return Number.POSITIVE_INFINITY;
    return Math.min(
      this.#urgentSinceMs + URGENT_WAIT_MS,
      this.#patientSinceMs + PATIENT_WAIT_MS,
      first.endedMs + IDLE_WAIT_MS,
    );
  }

  /** Takes the Lots that are due, and with them all that were begun before. */
  takeDue(nowMs: number): Lot[] {
    const isFull = this.#urgent >= URGENT_FACTS || this.size >= WAITING_FACTS || this.bytes >= WAITING_BYTES;
    if (!isFull && this.#idle < IDLE_FACTS && nowMs < this.dueMs) return [];
    const taken: Lot[] = [];
    for (let due = isFull ? this.#lots.size : this.#dueLots(nowMs); due > 0; due--) taken.push(this.#take());
    this.#urgentSinceMs = this.#firstMs((lot) => (lot.urgent > 0 ? lot.beganMs : null));
    this.#patientSinceMs = this.#firstMs((lot) => (lot.patient > 0 ? lot.endedMs : null));
    return taken;
  }

  #firstMs(momentOf: (lot: Lot) => number | null): number {
    for (const lot of this.#lots) {
      const ms = momentOf(lot);
      if (ms !== null) return ms;
    }
    return Number.POSITIVE_INFINITY;
  }

  /** How many Lots, from the first on, go when the time of some has come: up to the last of those, and what may join it. */
  #dueLots(nowMs: number): number {
    let at = 0;
    let due = 0;
    for (const lot of this.#lots) {
      // One without patient facts loses nothing by going early, right behind one that is due, or first where many are idle.
      const joins = lot.patient === 0 && due === at && (due > 0 || this.#idle >= IDLE_FACTS);
      at++;
      if (joins || isDue(lot, nowMs)) due = at;
    }
    return due;
  }
}

function isDue({ beganMs, endedMs, urgent, patient, waiting }: Lot, nowMs: number): boolean {
  if (urgent > 0) return nowMs >= beganMs + URGENT_WAIT_MS;
  return waiting > 0 && nowMs >= endedMs + (patient > 0 ? PATIENT_WAIT_MS : IDLE_WAIT_MS);
}

function isWaiting({ state }: Entry): boolean {
  return state === "waiting";
}
