/** What `unsubscribe` returns, as the client sees it. */
import { NO_PROPERTIES } from "../protocol/index.ts";
import { Awaitable, Settled } from "./settled.ts";
import type { Unsubscribed, Unsubscription } from "./subscription.ts";

/** An answer that may still be missing. */
export class PendingUnsubscription extends Awaitable<Unsubscribed> implements Unsubscription {
  readonly mid: number;
  readonly #settled: Settled<Unsubscribed>;

  constructor(mid: number, settled: Settled<Unsubscribed>) {
    super();
    this.mid = mid;
    this.#settled = settled;
  }

  get outcome(): Promise<Unsubscribed> {
    return this.#settled.promise;
  }
}

/** There was nothing to send. */
export const NOTHING_TO_DO: Unsubscription = new PendingUnsubscription(0, settledUnsubscription());

function settledUnsubscription(): Settled<Unsubscribed> {
  const settled = new Settled<Unsubscribed>();
  settled.resolve({ mid: 0, reasonCodes: [], properties: NO_PROPERTIES });
  return settled;
}
