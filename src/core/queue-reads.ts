/** Reads pages of queues from the store, and tells when that fails or takes too long, and when it works again. */
import type { Broker } from "./broker.ts";
import type { StoreState } from "./ledger.ts";
import type { QueuedFact } from "./store.ts";

/** Pause before a page that could not be read is asked for again, in milliseconds. */
const RETRY_MS = 1000;

/** What all queues of a broker read with. */
export class QueueReads {
  readonly #broker: Broker;
  #state: StoreState = "up";

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /** Reads up to `limit` deliveries of a queue above `afterOrder`; `onPage` is called with them in a turn of its own, sooner or later. */
  read(clientId: string, afterOrder: number, limit: number, onPage: (page: readonly QueuedFact[]) => void): void {
    const { store, deadlines, clock, options } = this.#broker;
    const { storeTimeoutMs } = options;
    const overdue = deadlines.add(clock.nowMs() + storeTimeoutMs, () =>
      this.#setState("failing", new Error(`it has not answered for ${storeTimeoutMs} ms`)),
    );
    store.readQueue(clientId, afterOrder, limit).then(
      (page) => {
        overdue.cancel();
        this.#broker.beginTurn();
        this.#setState("up", null);
        onPage(page);
        this.#broker.wake();
      },
      (error: unknown) => {
        overdue.cancel();
        this.#setState("failing", error);
        deadlines.add(clock.nowMs() + RETRY_MS, () => this.read(clientId, afterOrder, limit, onPage));
        this.#broker.wake();
      },
    );
    this.#broker.wake();
  }

  #setState(state: StoreState, error: unknown): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#broker.observer.storeReads?.(state, error);
  }
}
