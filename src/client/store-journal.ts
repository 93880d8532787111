/** Between a Session and its store: what happens in one turn of the event loop is kept as one batch. */
import type { SessionChange, SessionJournal } from "./journal.ts";

/** Keeps changes in order, as a ClientStore does. */
interface Keeping<Change> {
  append(changes: readonly Change[]): Promise<void>;
}

/** A journal that a store keeps; `Change` is what the store takes. */
export class StoreJournal<Change = SessionChange> implements Pick<SessionJournal, "whenKept"> {
  readonly #store: Keeping<Change>;
  readonly #failed: (error: unknown) => void;
  readonly #keptSome: () => void;
  #changes: Change[] = [];
  #waiting: (() => void)[] = [];
  #settling: (() => void)[] = [];
  #isPlanned = false;
  #batches = 0;
  #isBroken = false;

  /**
   * @param keptSome called after what waited for a batch has run
   * @param failed called once, when the store keeps nothing any more
   */
  constructor(store: Keeping<Change>, keptSome: () => void, failed: (error: unknown) => void) {
    this.#store = store;
    this.#keptSome = keptSome;
    this.#failed = failed;
  }

  note(change: Change): void {
    this.#changes.push(change);
    this.#plan();
  }

  whenKept(then: () => void): void {
    if (this.#isIdle && !this.#isBroken) return then();
    this.#waiting.push(then);
    this.#plan();
  }

  #plan(): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    queueMicrotask(() => this.#append());
  }

  #append(): void {
    this.#isPlanned = false;
    if (this.#isBroken) return;
    const [changes, waiting] = [this.#changes, this.#waiting];
    this.#changes = [];
    this.#waiting = [];
    this.#batches++;
    this.#store.append(changes).then(
      () => {
        this.#batches--;
        for (const then of waiting) then();
        this.#keptSome();
        if (this.#isIdle) this.#settle();
      },
      (error: unknown) => {
        const isFirst = !this.#isBroken;
        this.#isBroken = true;
        if (isFirst) this.#failed(error);
        this.#settle();
      },
    );
  }

  get #isIdle(): boolean {
    return this.#changes.length === 0 && this.#waiting.length === 0 && this.#batches === 0;
  }

  #settle(): void {
    for (const settled of this.#settling.splice(0)) settled();
  }

  /** Resolves when everything noted so far is kept, or can no longer be. */
  settled(): Promise<void> {
    if (this.#isIdle || this.#isBroken) return Promise.resolve();
    return new Promise((resolve) => {
      this.#settling.push(resolve);
    });
  }
}
