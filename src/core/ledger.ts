/**
 * The acknowledgement rule: nothing leaves that promises more than the store holds. Facts are recorded and wait for others; what is
 * due is appended, one batch at a time, and what waits for it is released in order. An obligation may be discharged earlier, when
 * the receiver itself has acknowledged; a fact that is undone before its batch goes never goes.
 * A store that rejects a batch, or does not answer in time, fails: it is told so, and everything waits until it works again.
 */
import { Batch, Entry, type Fact, FixedFact, type Haste, type Lot, Obligation } from "./obligation.ts";
import type { Change, Store } from "./store.ts";
import { PATIENT_WAIT_MS, WaitingFacts } from "./waiting-facts.ts";

/** From so many facts or bytes of messages on their way to the store on, nothing is read that would add to them. */
const FULL_CHANGES = 262_144;
const FULL_BYTES = 64 * 1024 * 1024;
/** From so many on, nothing is read from the store that would add to them. */
const BEHIND_CHANGES = 32_768;
const BEHIND_BYTES = 8 * 1024 * 1024;
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5000;

/** The state of the store as the ledger sees it. */
export type StoreState = "up" | "failing";

/** Who a ledger works for. */
export interface LedgerOwner {
  /** An append has ended, in a turn of its own. Returns the time on the monotonic clock. */
  beginTurn(): number;
  /** When the present turn began, on the monotonic clock. */
  turnMs(): number;
  /** Asks for a call of `tick` at the end of the turn. */
  requestTick(): void;
  /** Tells when the store begins to fail, with its error, and when it works again. */
  storeState(state: StoreState, error: unknown): void;
}

/** Facts on their way to the store. */
export class Ledger {
  readonly #store: Store;
  readonly #owner: LedgerOwner;
  readonly #waiting: WaitingFacts = new WaitingFacts();
  /** What the store has been given and has not answered, and as what. */
  #appending: Entry[] | null = null;
  #changes: readonly Change[] = [];
  #batches = 0;
  #appendingBytes = 0;
  #waitingForRoom: (() => void)[] = [];
  #retryAtMs = Number.POSITIVE_INFINITY;
  #retryMs = FIRST_RETRY_MS;
  /** When the present append counts as failing although it has not ended. */
  #overdueAtMs = Number.POSITIVE_INFINITY;
  readonly #timeoutMs: number;
  #state: StoreState = "up";
  #current: Obligation | null = null;
  readonly #outer: (Obligation | null)[] = [];
  /** Key of the next message that comes to the store; no restored one has it or a higher one. */
  nextMessage = 1;
  /** false when the store keeps nothing: then nothing is recorded and nothing waits. */
  readonly isRecording: boolean;

  /** @param timeoutMs how long an append may take before the store counts as failing */
  constructor(store: Store, owner: LedgerOwner, timeoutMs: number) {
    this.#store = store;
    this.#owner = owner;
    this.#timeoutMs = timeoutMs;
    this.isRecording = store.survives !== "nothing";
  }

  get state(): StoreState {
    return this.#state;
  }

  /** Facts that are not kept yet. */
  get outstanding(): number {
    return this.#waiting.size + (this.#appending?.length ?? 0);
  }

  /** Changes that the store has not taken, as far as we know. */
  get unwritten(): number {
    return this.#waiting.countFacts() + this.#changes.length;
  }

  /** Whether publishers should wait: the store is slower than they are. */
  get isFull(): boolean {
    return this.outstanding >= FULL_CHANGES || this.#bytes >= FULL_BYTES;
  }

  /** Whether what the store holds already should rather stay there for now: it is slower than those who take from it. */
  get isBehind(): boolean {
    return this.outstanding >= BEHIND_CHANGES || this.#bytes >= BEHIND_BYTES;
  }

  get #bytes(): number {
    return this.#waiting.bytes + this.#appendingBytes;
  }

  /** Calls `run` once there is room again. */
  whenRoom(run: () => void): void {
    this.#waitingForRoom.push(run);
  }

  /** From here until `endObligation`, `owe` counts for one acknowledgement. One may begin within another. */
  beginObligation(): void {
    this.#outer.push(this.#current);
    this.#current = null;
  }

  /** What the acknowledgement waits for, or null when it need not wait. */
  endObligation(): Obligation | null {
    const current = this.#current;
    this.#current = this.#outer.pop() ?? null;
    return current;
  }

  /** Records a fact that the present acknowledgement, if there is one, must wait for. */
  owe(fact: Fact | Change, haste: Haste = "urgent"): Entry {
    return this.#push(asFact(fact), haste, this.#outer.length === 0 ? null : this.#owed(), null, null);
  }

  #owed(): Obligation {
    this.#current ??= new Obligation();
    this.#current.add();
    return this.#current;
  }

  /** Records a fact that nobody waits for, but for those who wait for the one that it takes the place of. */
  note(fact: Fact | Change, earlier: Entry | null = null, haste: Haste = "urgent"): Entry {
    return this.#push(asFact(fact), haste, null, null, earlier);
  }

  /** Lets the present acknowledgement wait for everything recorded before it: what it says may follow from a fact on its way. */
  oweEarlier(): void {
    if (this.outstanding === 0 || this.#outer.length === 0) return;
    this.#push(null, "urgent", this.#owed(), null, null);
  }

  /** Calls `onKept` when all facts recorded until now are kept; at once when there is none. */
  whenKept(onKept: () => void): void {
    if (this.outstanding === 0) onKept();
    else this.#push(null, "urgent", null, onKept, null);
  }

  #push(
    fact: Fact | null,
    haste: Haste,
    obligation: Obligation | null,
    onKept: (() => void) | null,
    earlier: Entry | null,
  ): Entry {
    if (!this.#waiting.hasPresent) this.#owner.requestTick();
    const lot = this.#waiting.lot(this.#owner.turnMs());
    const entry = new Entry(fact, lot, haste, obligation, onKept, earlier);
    this.#waiting.push(entry);
    return entry;
  }

  /**
   * Takes a fact out of its batch, as something else recorded in this turn has made it pointless. Once the store has been given it
   * this does nothing. Whoever waits for it goes on to wait for what is recorded now.
   */
  withdraw(entry: Entry): void {
    if (entry.state !== "waiting" || entry.fact === null) return;
    this.#waiting.withdraw(entry);
    if (entry.isOwed) this.#push(null, "urgent", null, null, entry);
  }

  /** As `withdraw`, but whoever waits for the fact goes on to wait for `obligation`; null: for nothing. */
  passOn(entry: Entry, obligation: Obligation | null): void {
    if (entry.state === "waiting") this.#waiting.withdraw(entry);
    if (obligation === null) entry.settle();
    else obligation.whenMet({ obligationMet: () => entry.settle() });
  }

  /** Whether `entry` is so young that its receiver can still be called prompt. */
  isFresh(entry: Entry): boolean {
    return this.#owner.turnMs() - entry.lot.endedMs <= PATIENT_WAIT_MS;
  }

  /** When `tick` is due; Infinity when nothing is to be appended. */
  deadlineMs(): number {
    return this.#appending === null ? this.#waiting.dueMs : Math.min(this.#retryAtMs, this.#overdueAtMs);
  }

  /** Appends what is due. Call at the end of each turn and at the deadline. */
  tick(nowMs: number): void {
    this.#waiting.endTurn(nowMs);
    if (this.#appending !== null) {
      if (nowMs >= this.#retryAtMs) this.#append(this.#appending);
      else if (nowMs >= this.#overdueAtMs) this.#overdue();
      return;
    }
    const due = this.#waiting.takeDue(nowMs);
    if (due.length > 0) this.#hand(due);
  }

  #hand(lots: readonly Lot[]): void {
    const entries: Entry[] = [];
    const batch = new Batch(++this.#batches, this.nextMessage);
    for (const lot of lots) {
      for (const entry of lot.entries) {
        if (entry.state !== "waiting") continue;
        entry.state = "handed";
        entry.fact?.tell(batch);
        entries.push(entry);
      }
    }
    this.nextMessage = batch.nextMessage;
    this.#changes = batch.changes;
    for (const change of batch.changes)
      if (change.kind === "message-added") this.#appendingBytes += change.publish.length;
    if (batch.changes.length > 0) this.#append(entries);
    else this.#kept(entries);
  }

  #append(entries: Entry[]): void {
    this.#appending = entries;
    this.#retryAtMs = Number.POSITIVE_INFINITY;
    this.#overdueAtMs = this.#owner.turnMs() + this.#timeoutMs;
    let appended: Promise<void>;
    try {
      appended = this.#store.append(this.#changes);
    } catch (error) {
      appended = Promise.reject(error);
    }
    appended.then(
      () => {
        this.#owner.beginTurn();
        this.#kept(entries);
      },
      (error: unknown) => this.#failed(error, this.#owner.beginTurn()),
    );
  }

  /** The append is not given up: it ends when the store says how. */
  #overdue(): void {
    this.#overdueAtMs = Number.POSITIVE_INFINITY;
    this.#setState("failing", new Error(`it has not answered for ${this.#timeoutMs} ms`));
  }

  #kept(entries: readonly Entry[]): void {
    this.#appending = null;
    this.#changes = [];
    this.#overdueAtMs = Number.POSITIVE_INFINITY;
    this.#appendingBytes = 0;
    this.#retryMs = FIRST_RETRY_MS;
    this.#setState("up", null);
    for (const entry of entries) {
      // The entry may live as long as its message, which need not be in memory twice.
      entry.fact = null;
      entry.settle();
      entry.onKept?.();
    }
    this.#tellOfRoom();
    this.#owner.requestTick();
  }

  #tellOfRoom(): void {
    if (this.#waitingForRoom.length === 0 || this.isFull) return;
    const waiting = this.#waitingForRoom;
    this.#waitingForRoom = [];
    for (const run of waiting) run();
  }

  #failed(error: unknown, nowMs: number): void {
    this.#overdueAtMs = Number.POSITIVE_INFINITY;
    this.#retryAtMs = nowMs + this.#retryMs;
    this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS);
    this.#setState("failing", error);
    this.#owner.requestTick();
  }

  #setState(state: StoreState, error: unknown): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#owner.storeState(state, error);
  }
}

function asFact(fact: Fact | Change): Fact {
  return "tell" in fact ? fact : new FixedFact(fact);
}
