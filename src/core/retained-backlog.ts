/**
 * Retained messages that Subscriptions of one Session are still to be sent [5.0 §3.3.1.3]. They go into its queue as far as that has
 * room, and the rest follows as the client takes them: however many there are, none is dropped and none is held twice.
 */
import type { Broker } from "./broker.ts";
import type { Message } from "./message.ts";
import { MOST_SEARCH_STEPS, type RetainedSearch } from "./retained-messages.ts";
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
  /** By Topic Filter, in the order of the Subscriptions: a SUBSCRIBE may have thousands. */
  readonly #rests: Map<string, Rest> = new Map();

  constructor(broker: Broker, session: Session) {
    this.#broker = broker;
    this.#session = session;
  }

  /** Whether `fill` will be called again soon: until then it has done what it may. */
  isDue = false;

  get isEmpty(): boolean {
    return this.#rests.size === 0;
  }

  add(subscription: Subscription, search: RetainedSearch): void {
    // At the end, also when it begins anew.
    this.#rests.delete(subscription.topicFilter);
    this.#rests.set(subscription.topicFilter, { subscription, search });
  }

  /** A Subscription is gone, or begins anew. */
  remove(topicFilter: string): void {
    this.#rests.delete(topicFilter);
  }

  /** The client is gone: what it would be sent at QoS 0 does not wait for it. */
  detach(): void {
    for (const [topicFilter, { subscription }] of this.#rests)
      if (subscription.qos === 0) this.#rests.delete(topicFilter);
  }

  /** Delivers what there is room for. Returns whether it is to be called again soon, as there was too much to look through. */
  fill(): boolean {
    const { ledger } = this.#broker;
    ledger.beginObligation();
    const isCutShort = this.#fill();
    ledger.endObligation();
    return isCutShort;
  }

  #fill(): boolean {
    const { turnMs } = this.#broker;
    // Of all searches together: thousands of short ones stop the event loop as one long one does.
    let steps = MOST_SEARCH_STEPS;
    for (const [topicFilter, { subscription, search }] of this.#rests) {
      while (!search.isAtEnd) {
        if (steps <= 0) return true;
        const message = search.next(turnMs, steps);
        steps -= search.steps + 1;
        if (message === null) continue;
        if (!this.#session.hasRoomFor(message, subscription.qos)) return false;
        search.take();
        this.#deliver(message, subscription);
      }
      this.#rests.delete(topicFilter);
    }
    return false;
  }

  #deliver(message: Message, { qos, noLocal, subscriptionId }: Subscription): void {
    const isOwn = noLocal && message.publisher === this.#session.clientId;
    const ids = subscriptionId > 0 ? [subscriptionId] : null;
    const reason = isOwn
      ? "no-local"
      : this.#mayBeGiven(message)
        ? this.#session.deliver(message, qos, true, ids, null)
        : "source-denied";
    if (reason !== null) this.#broker.dropped(reason, this.#session, message);
  }

  /** Whether who published the message has not lost the right to since. */
  #mayBeGiven({ source, publisher, topicName }: Message): boolean {
    const { options, sourceJudge } = this.#broker;
    if (source === null || sourceJudge === null || !options.checkRetainSource) return true;
    return sourceJudge(source, publisher, topicName);
  }
}
