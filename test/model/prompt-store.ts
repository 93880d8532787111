/**
 * A broker whose store has kept everything as soon as a turn is over, so that durable Sessions can be played without waiting. The
 * clock goes on by the two milliseconds that a batch waits; steps of whole seconds are far apart from that.
 */
import type { Change, Fact, QueuedFact, Store } from "../../src/core/index.ts";
import { MemoryStore } from "../../src/store/index.ts";
import { BrokerHarness } from "../support/broker-harness.ts";

const BATCH_MS = 2;

/** What is kept at once: who waits for it is called before `then` returns, which no real promise does. */
const KEPT = {
  // biome-ignore lint/suspicious/noThenProperty: it stands for a promise on purpose
  then(onKept: () => void) {
    onKept();
  },
} as unknown as Promise<void>;

/** A store in memory without any delay. */
export class PromptStore implements Store {
  readonly survives = "process";
  readonly #memory: MemoryStore = new MemoryStore();

  replay(): AsyncIterable<Fact> {
    return this.#memory.replay();
  }

  append(changes: readonly Change[]): Promise<void> {
    void this.#memory.append(changes);
    return KEPT;
  }

  readQueue(clientId: string, afterOrder: number, limit: number): Promise<readonly QueuedFact[]> {
    return this.#memory.readQueue(clientId, afterOrder, limit);
  }
}

/** A harness that is at rest only when its store has everything. */
export class PromptHarness extends BrokerHarness {
  override settle(): void {
    super.settle();
    while (this.broker.ledger.outstanding > 0) {
      this.clock.advance(BATCH_MS);
      this.broker.tick();
      super.settle();
    }
  }
}
