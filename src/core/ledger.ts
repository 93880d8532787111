/**
 * The acknowledgement rule: nothing leaves that promises more than the store holds. Facts are recorded into an open batch; a batch
 * is appended when it is full or has waited long enough, one at a time, and what waits for it is released in order. An obligation
 * may be discharged earlier, when the receiver itself has acknowledged; a fact that is undone before its batch goes never goes.
 */
import type { Change, Store } from "./store.ts";

/** Longest wait of a fact for others to join it, in milliseconds. */
const BATCH_WAIT_MS = 2;
/** A batch that holds this many facts waits no longer. */
const BATCH_CHANGES = 512;
/** From so many facts or bytes of messages on their way to the store on, nothing is read that would add to them. */
const FULL_CHANGES = 262_144;
const FULL_BYTES = 64 * 1024 * 1024;
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
  #obligation: Obligation | null;
  readonly onKept: (() => void) | null;
  /** Whether the store has been given it: from then on only another fact undoes it. */
  isHanded = false;

  constructor(change: Change | null, obligation: Obligation | null, onKept: (() => void) | null) {
    this.change = change;
    this.#obligation = obligation;
    this.onKept = onKept;
  }

  /** The duty is done, by the store or by the receiver. */
  settle(): void {
    const obligation = this.#obligation;
    this.#obligation = null;
    obligation?.settle();
  }
}

/** The state of the store as the ledger sees it. */
export type StoreState = "up" | "failing";

/** Facts on their way to the store. */
export class Ledger {
  readonly #store: Store;
  readonly #onState: (state: StoreState, error: unknown) => void;
  readonly #onWork: () => void;
  #open: Entry[] = [];
  #openBytes = 0;
  #appendingBytes = 0;
  #waitingForRoom: (() => void)[] = [];
  #openedAtMs = 0;
  #appending: Entry[] | null = null;
  #retryAtMs = Number.POSITIVE_INFINITY;
  #retryMs = FIRST_RETRY_MS;
  #state: StoreState = "up";
  #nowMs = 0;
  #current: Obligation | null = null;
  readonly #outer: (Obligation | null)[] = [];
  /** false when the store keeps nothing: then nothing is recorded and nothing waits. */
  readonly isRecording: boolean;

  /**
   * @param onState told when the store begins to fail, with its error, and when it works again
   * @param onWork asked for a call of `tick` at the end of the turn: there is something to append, or an append has ended
   */
  constructor(store: Store, onState: (state: StoreState, error: unknown) => void, onWork: () => void) {
    this.#store = store;
    this.isRecording = store.survives !== "nothing";
    this.#onState = onState;
    this.#onWork = onWork;
  }

  get state(): StoreState {
    return this.#state;
  }

  /** Facts that are not kept yet. */
  get outstanding(): number {
    return this.#open.length + (this.#appending?.length ?? 0);
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
    this.#current ??= new Obligation();
    this.#current.add();
    return this.#push(new Entry(change, this.#current, null));
  }

  /** Records a fact that nobody waits for. */
  note(change: Change): Entry {
    return this.#push(new Entry(change, null, null));
  }

  /** Calls `onKept` when all facts recorded until now are kept; at once when there is none. */
  whenKept(onKept: () => void): void {
    if (this.outstanding === 0) onKept();
    else this.#push(new Entry(null, null, onKept));
  }

  #push(entry: Entry): Entry {
    if (this.#open.length === 0) {
      this.#openedAtMs = this.#nowMs;
      this.#onWork();
    }
    this.#open.push(entry);
    if (entry.change?.kind === "message-added") this.#openBytes += entry.change.publish.length;
    return entry;
  }

  /** The receiver has done the duty itself: whoever waits for the fact need not. */
  discharge(entry: Entry): void {
    entry.settle();
  }

  /** Nobody needs a fact any more, and it does no harm if the store has it: it is taken out of the batch if it is still there. */
  cancel(entry: Entry): void {
    entry.settle();
    if (!entry.isHanded) entry.change = null;
  }

  /** When `tick` is due; Infinity when nothing is to be appended. */
  deadlineMs(): number {
    if (this.#appending !== null) return this.#retryAtMs;
    return this.#open.length === 0 ? Number.POSITIVE_INFINITY : this.#openedAtMs + BATCH_WAIT_MS;
  }

  /** Appends what is due. Call at the end of each turn and at the deadline. */
  tick(nowMs: number): void {
    this.#nowMs = nowMs;
    if (this.#appending !== null) {
      if (nowMs >= this.#retryAtMs) this.#append(this.#appending);
      return;
    }
    if (this.#open.length >= BATCH_CHANGES || nowMs >= this.deadlineMs()) {
      const batch = this.#open;
      this.#open = [];
      this.#appendingBytes = this.#openBytes;
      this.#openBytes = 0;
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
    let appended: Promise<void>;
    try {
      appended = this.#store.append(changes);
    } catch (error) {
      appended = Promise.reject(error);
    }
    appended.then(
      () => this.#kept(batch),
      (error: unknown) => this.#failed(error),
    );
  }

  #kept(batch: readonly Entry[]): void {
    this.#appending = null;
    this.#appendingBytes = 0;
    this.#retryMs = FIRST_RETRY_MS;
    this.#setState("up", null);
    for (const entry of batch) {
      entry.settle();
      entry.onKept?.();
    }
    this.#tellOfRoom();
    this.#onWork();
  }

  #tellOfRoom(): void {
    if (this.#waitingForRoom.length === 0 || this.isFull) return;
    const waiting = this.#waitingForRoom;
    this.#waitingForRoom = [];
    for (const run of waiting) run();
  }

  #failed(error: unknown): void {
    this.#retryAtMs = this.#nowMs + this.#retryMs;
    this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS);
    this.#setState("failing", error);
    this.#onWork();
  }

  #setState(state: StoreState, error: unknown): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#onState(state, error);
  }
}
