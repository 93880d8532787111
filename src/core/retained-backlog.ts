/**
 * Retained messages that Subscriptions of one Session are still to be sent [5.0 §3.3.1.3]. They go into its queue as far as that has
 * room, and the rest follows as the client takes them: however many there are, none is dropped and none is held twice.
 */
import type { Broker } from "./broker.ts";
import type { Message } from "./message.ts";
import type { RetainedSearch } from "./retained-messages.ts";
import type { Session } from "./session.ts";
import type { Subscription } from "./subscription.ts";

/** What one Subscription is still to be sent. */
interface Rest {
  readonly subscription: Subscription;
  readonly search: RetainedSearch;
}

/** What is still to be sent, in the order of the Subscriptions. */
export class RetainedBacklog {
  readonly #broker: Broker;
  readonly #session: Session;
  #rests: Rest[] = [];

  constructor(broker: Broker, session: Session) {
    this.#broker = broker;
    this.#session = session;
  }

  get isEmpty(): boolean {
    return this.#rests.length === 0;
  }

  add(subscription: Subscription, search: RetainedSearch): void {
    this.remove(subscription.topicFilter);
    this.#rests.push({ subscription, search });
  }

  /** A Subscription is gone, or begins anew. */
  remove(topicFilter: string): void {
    this.#rests = this.#rests.filter(({ subscription }) => subscription.topicFilter !== topicFilter);
  }

  /** The client is gone: what it would be sent at QoS 0 does not wait for it. */
  detach(): void {
    this.#rests = this.#rests.filter(({ subscription }) => subscription.qos > 0);
  }

  /** Delivers what there is room for. Returns whether it is to be called again soon, as there was too much to look through. */
  fill(): boolean {
    const { ledger, turnMs } = this.#broker;
    ledger.beginObligation();
    let isCutShort = false;
    for (let rest = this.#rests[0]; rest !== undefined && !isCutShort; rest = this.#rests[0]) {
      const { subscription, search } = rest;
      const message = search.next(turnMs);
      if (message === null) {
        if (search.isAtEnd) this.#rests.shift();
        else isCutShort = true;
      } else {
        if (!this.#session.hasRoomFor(message, subscription.qos)) break;
        search.take();
        this.#deliver(message, subscription);
      }
    }
    ledger.endObligation();
    return isCutShort;
  }

  #deliver(message: Message, { qos, noLocal, subscriptionId }: Subscription): void {
    const isOwn = noLocal && message.publisher === this.#session.clientId;
    const ids = subscriptionId > 0 ? [subscriptionId] : null;
    const reason = isOwn ? "no-local" : this.#session.deliver(message, qos, true, ids, null);
    if (reason !== null) this.#broker.dropped(reason, this.#session, message);
  }
}
