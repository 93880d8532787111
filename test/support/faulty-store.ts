/**
 * A store for tests that does what a test wants around another one: an append waits until it is told to end, is rejected with or
 * without having been kept, or is cut off by a crash. It also watches over what the core hands it.
 */
import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import type { Change, Fact, QueuedFact, Store } from "../../src/core/index.ts";
import { FactModel } from "../contracts/facts.ts";

/** How one append ends. */
export type Outcome = "kept" | "rejected" | "rejected but kept";

interface Pending {
  readonly changes: readonly Change[];
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Passes facts on to `inner`, when and as it is told to. */
export class FaultyStore implements Store {
  readonly survives: Store["survives"];
  /** Every batch that was given, in order, the repeated ones too. */
  readonly batches: (readonly Change[])[] = [];
  /** What the core must not do and has done. An assertion would only look like a failing store to it. */
  readonly breaches: string[] = [];
  /** While true, each append waits for `end`. */
  isHeld = false;
  /** Places whose records are damaged, in every queue; and how many deliveries a page holds at most. */
  readonly damagedOrders: Set<number> = new Set();
  pageMessages: number = Number.POSITIVE_INFINITY;
  /** What reading a queue is refused with; null: it is not. While `areReadsHeld`, pages come when `endReads` is called. */
  readError: Error | null = null;
  areReadsHeld = false;
  readonly #heldReads: (() => void)[] = [];
  /** How appends end that are not held, or for which `end` says nothing else. */
  outcome: Outcome = "kept";
  readonly #inner: Store;
  readonly #model: FactModel;
  #pending: Pending | null = null;
  #rejected: readonly Change[] | null = null;
  #isCutOff = false;

  constructor(inner: Store, model: FactModel = new FactModel()) {
    this.#inner = inner;
    this.survives = inner.survives;
    this.#model = model;
  }

  /** The batch whose append has not ended, or null. */
  get pending(): readonly Change[] | null {
    return this.#pending?.changes ?? null;
  }

  /** What the store holds, as `FactModel.holdings`. */
  holdings(): string[] {
    return this.#model.holdings();
  }

  append(changes: readonly Change[]): Promise<void> {
    if (this.#isCutOff) return new Promise(() => {});
    this.#watch(changes);
    this.batches.push(changes);
    return new Promise((resolve, reject) => {
      this.#pending = { changes, resolve, reject };
      if (!this.isHeld) this.end();
    });
  }

  #watch(changes: readonly Change[]): void {
    if (this.#pending !== null) this.breaches.push("appends overlap");
    if (changes.length === 0) this.breaches.push("an append of nothing");
    if (this.#rejected !== null && !isDeepStrictEqual(changes, this.#rejected))
      this.breaches.push("a rejected batch did not come again as it was");
    this.#rejected = null;
  }

  /** Ends the append that waits. */
  end(outcome: Outcome = this.outcome): void {
    const pending = this.#pending;
    assert.ok(pending !== null, "no append waits");
    this.#pending = null;
    if (outcome !== "rejected") this.#keep(pending.changes);
    if (outcome === "kept") {
      pending.resolve();
    } else {
      this.#rejected = pending.changes;
      pending.reject(new Error("the disk says no"));
    }
  }

  #keep(changes: readonly Change[]): void {
    this.#model.apply(changes);
    this.breaches.push(...this.#model.contradictions());
    void this.#inner.append(changes);
  }

  /** The end of the process: the broker hears of no append any more. Returns the store as the next one finds it. */
  crash(isPendingKept: boolean): FaultyStore {
    if (this.#pending !== null && isPendingKept) this.#keep(this.#pending.changes);
    this.#pending = null;
    this.#isCutOff = true;
    return new FaultyStore(this.#inner, this.#model);
  }

  replay(): AsyncIterable<Fact> {
    return this.#inner.replay();
  }

  async readQueue(clientId: string, afterOrder: number, limit: number): Promise<readonly QueuedFact[]> {
    if (this.#isCutOff) return new Promise(() => {});
    if (this.readError !== null) throw this.readError;
    if (this.areReadsHeld) await new Promise<void>((resolve) => this.#heldReads.push(resolve));
    const page = await this.#inner.readQueue(clientId, afterOrder, limit);
    return page.filter(({ delivery }) => !this.damagedOrders.has(delivery.order)).slice(0, this.pageMessages);
  }

  /** Lets the reads that wait, and later ones, go on. */
  endReads(): void {
    this.areReadsHeld = false;
    for (const go of this.#heldReads.splice(0)) go();
  }
}
