/**
 * The acknowledgement rule: nothing leaves that promises more than the store holds. Facts are recorded into an open batch; a batch
 * is appended when it is full or has waited long enough, one at a time, and what waits for it is released in order. An obligation
 * may be discharged earlier, when the receiver itself has acknowledged; a fact that is undone before its batch goes never goes.
 * A store that rejects a batch, or does not answer in time, fails: it is told so, and everything waits until it works again.
 */
import type { Change, Store } from "./store.ts";

/** Longest wait of a fact for others to join it, in milliseconds. */
const BATCH_WAIT_MS = 2;
/** A batch that holds this many facts waits no longer. */
const BATCH_CHANGES = 512;
/** From so many facts or bytes of messages on their way to the store on, nothing is read that would add to them. */
const FULL_CHANGES = 262_144;
const FULL_BYTES = 64 * 1024 * 1024;
/** Entries of a batch from which on it is looked through for those without a fact. */
const SWEEP_ENTRIES = 4096;
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5000;

/** What is owed before one acknowledgement may leave: a number of facts, each kept or discharged. */
export class Obligation {
  #owed = 0;
  #onMet: (() => void) | null = null;

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
    const onMet = this.#onMet;
    this.#onMet = null;
    onMet?.();
  }

  /** Calls `onMet` once nothing is owed any more. */
  whenMet(onMet: () => void): void {
    if (this.isMet) onMet();
    else this.#onMet = onMet;
  }
}

/** A recorded fact and who waits for it. */
export class Entry {
  change: Change | null;
  readonly onKept: (() => void) | null;
  /** Whether the store has been given it: from then on only another fact undoes it. */
  isHanded = false;
  #obligation: Obligation | null;
  /** The fact that this one takes the place of and that the store was given before: whoever waits for it still does. */
  #earlier: Entry | null;

  constructor(
    change: Change | null,
    obligation: Obligation | null,
    onKept: (() => void) | null,
    earlier: Entry | null,
  ) {
    this.change = change;
    this.onKept = onKept;
    this.#obligation = obligation;
    this.#earlier = earlier;
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

/** The state of the store as the ledger sees it. */
export type StoreState = "up" | "failing";

/** Who a ledger works for. */
export interface LedgerOwner {
  /** An append has ended, in a turn of its own. Returns the time on the monotonic clock. */
  beginTurn(): number;
  /** Asks for a call of `tick` at the end of the turn. */
  requestTick(): void;
  /** Tells when the store begins to fail, with its error, and when it works again. */
  storeState(state: StoreState, error: unknown): void;
}

/** Facts on their way to the store. */
export class Ledger {
  readonly #store: Store;
  readonly #owner: LedgerOwner;
  #open: Entry[] = [];
  #openBytes = 0;
  /** Entries of `#open` without a fact any more. */
  #withdrawn = 0;
  #sweepAt = SWEEP_ENTRIES;
  #appendingBytes = 0;
  #waitingForRoom: (() => void)[] = [];
  #openedAtMs = 0;
  #appending: Entry[] | null = null;
  #retryAtMs = Number.POSITIVE_INFINITY;
  #retryMs = FIRST_RETRY_MS;
  /** When the present append counts as failing although it has not ended. */
  #overdueAtMs = Number.POSITIVE_INFINITY;
  readonly #timeoutMs: number;
  #state: StoreState = "up";
  #nowMs = 0;
  #current: Obligation | null = null;
  readonly #outer: (Obligation | null)[] = [];
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
    return this.#open.length - this.#withdrawn + (this.#appending?.length ?? 0);
  }

  /** Changes that the store has not taken, as far as we know. */
  get unwritten(): number {
    return countChanges(this.#open) + countChanges(this.#appending ?? []);
  }

  /** Whether publishers should wait: the store is slower than they are. */
  get isFull(): boolean {
    return this.outstanding >= FULL_CHANGES || this.#openBytes + this.#appendingBytes >= FULL_BYTES;
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
  owe(change: Change): Entry {
    if (this.#outer.length === 0) return this.note(change);
    this.#current ??= new Obligation();
    this.#current.add();
    return this.#push(new Entry(change, this.#current, null, null));
  }

  /** Records a fact that nobody waits for, but for those who wait for the one that it takes the place of. */
  note(change: Change, earlier: Entry | null = null): Entry {
    return this.#push(new Entry(change, null, null, earlier));
  }

  /** Lets the present acknowledgement wait for everything recorded before it: what it says may follow from a fact on its way. */
  oweEarlier(): void {
    if (this.outstanding === 0 || this.#outer.length === 0) return;
    this.#current ??= new Obligation();
    this.#current.add();
    this.#push(new Entry(null, this.#current, null, null));
  }

  /** Calls `onKept` when all facts recorded until now are kept; at once when there is none. */
  whenKept(onKept: () => void): void {
    if (this.outstanding === 0) onKept();
    else this.#push(new Entry(null, null, onKept, null));
  }

  #push(entry: Entry): Entry {
    if (this.#open.length === 0) {
      this.#openedAtMs = this.#nowMs;
      this.#owner.requestTick();
    } else if (this.#open.length >= this.#sweepAt) {
      this.#sweep();
    }
    this.#open.push(entry);
    this.#openBytes += bytesOf(entry);
    return entry;
  }

  /** Lets go of entries that are there for nothing: while an append hangs, messages still come and are discharged. */
  #sweep(): void {
    this.#open = this.#open.filter((entry) => !isEmpty(entry) || entry.isOwed);
    this.#withdrawn = this.#open.filter(isEmpty).length;
    this.#sweepAt = Math.max(SWEEP_ENTRIES, this.#open.length * 2);
  }

  /**
   * Takes a fact out of its batch, as something else has made it pointless. Once the store has been given it this does nothing.
   * Whoever waits for it goes on to wait for the batch.
   */
  withdraw(entry: Entry): void {
    if (entry.isHanded || entry.change === null) return;
    this.#openBytes -= bytesOf(entry);
    this.#withdrawn++;
    entry.change = null;
  }

  /** When `tick` is due; Infinity when nothing is to be appended. */
  deadlineMs(): number {
    if (this.#appending !== null) return Math.min(this.#retryAtMs, this.#overdueAtMs);
    return this.#open.length === 0 ? Number.POSITIVE_INFINITY : this.#openedAtMs + BATCH_WAIT_MS;
  }

  /** Appends what is due. Call at the end of each turn and at the deadline. */
  tick(nowMs: number): void {
    this.#nowMs = nowMs;
    if (this.#appending !== null) {
      if (nowMs >= this.#retryAtMs) this.#append(this.#appending);
      else if (nowMs >= this.#overdueAtMs) this.#overdue();
      return;
    }
    if (this.#open.length - this.#withdrawn >= BATCH_CHANGES || nowMs >= this.deadlineMs()) {
      const batch = this.#open;
      this.#open = [];
      this.#appendingBytes = this.#openBytes;
      this.#openBytes = this.#withdrawn = 0;
      this.#append(batch);
    }
  }

  #append(batch: Entry[]): void {
    this.#appending = batch;
    this.#retryAtMs = Number.POSITIVE_INFINITY;
    const changes: Change[] = [];
    for (const entry of batch) {
      if (entry.change === null) continue;
      entry.isHanded = true;
      changes.push(entry.change);
    }
    if (changes.length === 0) {
      this.#kept(batch);
      return;
    }
    this.#overdueAtMs = this.#nowMs + this.#timeoutMs;
    let appended: Promise<void>;
    try {
      appended = this.#store.append(changes);
    } catch (error) {
      appended = Promise.reject(error);
    }
    appended.then(
      () => {
        this.#nowMs = this.#owner.beginTurn();
        this.#kept(batch);
      },
      (error: unknown) => {
        this.#nowMs = this.#owner.beginTurn();
        this.#failed(error);
      },
    );
  }

  /** The append is not given up: it ends when the store says how. */
  #overdue(): void {
    this.#overdueAtMs = Number.POSITIVE_INFINITY;
    this.#setState("failing", new Error(`it has not answered for ${this.#timeoutMs} ms`));
  }

  #kept(batch: readonly Entry[]): void {
    this.#appending = null;
    this.#overdueAtMs = Number.POSITIVE_INFINITY;
    this.#appendingBytes = 0;
    this.#retryMs = FIRST_RETRY_MS;
    this.#setState("up", null);
    for (const entry of batch) {
      // The entry may live as long as its message, which need not be in memory twice.
      entry.change = null;
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

  #failed(error: unknown): void {
    this.#overdueAtMs = Number.POSITIVE_INFINITY;
    this.#retryAtMs = this.#nowMs + this.#retryMs;
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

function isEmpty({ change, onKept }: Entry): boolean {
  return change === null && onKept === null;
}

function countChanges(entries: readonly Entry[]): number {
  return entries.reduce((sum, { change }) => (change === null ? sum : sum + 1), 0);
}

/** Bytes of the message that an entry carries. */
function bytesOf({ change }: Entry): number {
  return change?.kind === "message-added" ? change.publish.length : 0;
}
