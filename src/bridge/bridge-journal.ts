/** The journal of both ends: what a message leaves and what it enters is kept in one step, so that no crash finds it in both or in none. */
import { type PairStore, type SessionJournal, type SidedChange, StoreJournal } from "../client/index.ts";

/** What of the two Sessions of a bridge outlives the process. */
export class BridgeJournal {
  readonly local: SessionJournal;
  readonly remote: SessionJournal;
  readonly #journal: StoreJournal<SidedChange>;

  /**
   * @param keptSome called after what waited has run
   * @param failed called once, when nothing is kept any more
   */
  constructor(store: PairStore, keptSome: () => void, failed: (error: unknown) => void) {
    this.#journal = new StoreJournal(store, keptSome, failed);
    this.local = this.#sideOf(0);
    this.remote = this.#sideOf(1);
  }

  #sideOf(side: 0 | 1): SessionJournal {
    return {
      note: (change) => this.#journal.note({ side, change }),
      whenKept: (then) => this.#journal.whenKept(then),
    };
  }

  /** Calls `then` once everything noted so far survives a crash. */
  whenKept(then: () => void): void {
    this.#journal.whenKept(then);
  }

  /** Resolves when everything noted so far is kept, or can no longer be. */
  settled(): Promise<void> {
    return this.#journal.settled();
  }
}
