/** Builds Sessions, Subscriptions, deliveries, retained messages and wills again from the facts that a store kept. */
import { NO_PROPERTIES, type PublishFields } from "../protocol/index.ts";
import { ALLOW_ALL } from "./authenticator.ts";
import type { Broker } from "./broker.ts";
import { Delivery } from "./delivery.ts";
import { Message, storedFields } from "./message.ts";
import { Session } from "./session.ts";
import type { Change, Store, Fact as StoreFact } from "./store.ts";
import { Subscription } from "./subscription.ts";
import { PendingWill } from "./wills.ts";

type Fact<Kind extends Change["kind"]> = Extract<Change, { kind: Kind }>;

/** Reads the facts of `store` into `broker`. */
export async function restore(broker: Broker, store: Store): Promise<void> {
  const restorer = new Restorer(broker);
  for await (const fact of store.replay()) restorer.apply(fact);
  restorer.finish();
}

const NOTHING: PublishFields = {
  topicName: "",
  payload: new Uint8Array(0),
  qos: 2,
  retain: false,
  dup: false,
  packetId: 0,
  properties: NO_PROPERTIES,
};

class Restorer {
  readonly #broker: Broker;
  readonly #messages: Map<number, Message> = new Map();
  readonly #sessions: Session[] = [];
  /** Those that had a connection when the process ended. */
  readonly #interrupted: Session[] = [];
  readonly #willDueAtMs: Map<Session, number> = new Map();
  readonly #shares: Fact<"share-set">[] = [];
  /** Stands for every message that its receiver has already. */
  readonly #received: Message = Message.made(NOTHING, null, 0);

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  apply(fact: StoreFact): void {
    switch (fact.kind) {
      case "session-set":
        return this.#session(fact);
      case "subscription-set":
        return this.#subscription(fact);
      case "message-added":
        return this.#message(fact);
      case "delivery-set":
        return this.#delivery(fact);
      case "received-set":
        return this.#receivedId(fact);
      case "retained-set":
        return this.#retained(fact);
      case "will-set":
        return this.#will(fact);
      case "clock-set":
        return this.#broker.records.timeline.resume(fact.aheadMs);
      case "share-set":
        this.#shares.push(fact);
        return;
      case "queue":
        return this.#owner(fact.clientId).restoreQueue(fact);
      case "next-message":
        this.#broker.ledger.nextMessage = Math.max(this.#broker.ledger.nextMessage, fact.message);
        return;
      default:
        throw new Error(`a store replays facts in force, not ${fact.kind}`);
    }
  }

  #session(fact: Fact<"session-set">): void {
    const { sessions, records, turnMs } = this.#broker;
    const session = new Session(this.#broker, fact.clientId, fact.principal, fact.expirySeconds);
    session.isStored = true;
    sessions.add(session);
    const { disconnectedAtMs, lastPacketId } = fact;
    if (lastPacketId !== undefined) session.lastPacketId = lastPacketId;
    // A connection that was there when the process ended has been gone since then at the earliest: it counts from now.
    if (disconnectedAtMs === null) this.#interrupted.push(session);
    session.disconnectedAtMs =
      disconnectedAtMs === null ? turnMs : Math.min(records.timeline.fromStored(disconnectedAtMs), turnMs);
    this.#sessions.push(session);
  }

  #owner(clientId: string): Session {
    const session = this.#broker.sessions.get(clientId);
    if (session === undefined)
      throw new Error(`the store names the session "${clientId}" before it says that it exists`);
    return session;
  }

  #subscription(fact: Fact<"subscription-set">): void {
    const session = this.#owner(fact.clientId);
    const { topicFilter, qos, noLocal, retainAsPublished, subscriptionId } = fact;
    const subscription = new Subscription(session, topicFilter, qos, noLocal, retainAsPublished, subscriptionId ?? 0);
    session.subscriptions.set(topicFilter, subscription);
    this.#broker.router.add(subscription);
  }

  #message(fact: Fact<"message-added">): void {
    const { records, ledger } = this.#broker;
    this.#messages.set(fact.message, records.restored(fact));
    ledger.nextMessage = Math.max(ledger.nextMessage, fact.message + 1);
  }

  #known(message: number): Message {
    const known = this.#messages.get(message);
    if (known === undefined) throw new Error(`the store names message ${message} and does not have it`);
    return known;
  }

  #delivery(fact: Fact<"delivery-set">): void {
    const { router } = this.#broker;
    const group = fact.share === null ? null : (router.group(fact.share) ?? null);
    const message = fact.message === null ? this.#received : this.#known(fact.message);
    const delivery = new Delivery(message, fact.qos, fact.retain, fact.subscriptionIds, group);
    delivery.order = fact.order;
    delivery.isStored = true;
    delivery.storedMessage = fact.message;
    delivery.isReceived = fact.message === null;
    delivery.usesStored = !delivery.isReceived;
    if (delivery.usesStored) message.storedUses++;
    this.#owner(fact.clientId).restore(delivery, fact.packetId, fact.wait);
  }

  #receivedId(fact: Fact<"received-set">): void {
    this.#owner(fact.clientId).received.publish(fact.packetId);
  }

  #retained(fact: Fact<"retained-set">): void {
    const message = this.#known(fact.message);
    message.storedUses++;
    message.isRetainedStored = true;
    const { retainExpirySeconds } = this.#broker.options;
    const lastMs =
      retainExpirySeconds === 0 ? Number.POSITIVE_INFINITY : this.#broker.turnMs + retainExpirySeconds * 1000;
    this.#broker.retained.set(message, lastMs);
  }

  #will(fact: Fact<"will-set">): void {
    const session = this.#owner(fact.clientId);
    // Its policy was that of a connection which is gone; the message was allowed when the client said it.
    const { principal: username } = session;
    // Who had no proven name may be anybody, as a bridge that no rules hold for.
    const source = username === null ? null : { username, listener: null };
    session.will = new PendingWill(
      { ...storedFields(fact.publish), packetId: 0 },
      fact.delaySeconds,
      ALLOW_ALL,
      source,
    );
    if (fact.dueAtMs === null) return;
    const { records, turnMs } = this.#broker;
    const latestMs = turnMs + fact.delaySeconds * 1000;
    this.#willDueAtMs.set(session, Math.min(records.timeline.fromStored(fact.dueAtMs), latestMs));
  }

  /** Ends what has expired, sets the deadlines of the rest, and gives to a durable member what a group had lent to one that is gone. */
  finish(): void {
    const { sessions, records, deadlines, ledger } = this.#broker;
    records.firstMessage = ledger.nextMessage;
    const nowMs = this.#broker.beginTurn();
    for (const session of this.#interrupted) records.sessionSet(session, session.disconnectedAtMs);
    for (const session of this.#sessions)
      sessions.awaitReturn(session, session.disconnectedAtMs, this.#willDueAtMs.get(session));
    deadlines.run(nowMs);
    for (const share of this.#shares) this.#share(share);
  }

  #share({ share, order, message }: Fact<"share-set">): void {
    const { router, ledger, records } = this.#broker;
    const kept = this.#known(message);
    kept.storedUses++;
    records.nextShare = Math.max(records.nextShare, order + 1);
    const member = router.group(share)?.choose(kept, null);
    if (member != null) {
      ledger.beginObligation();
      const reason = member.deliver(kept);
      ledger.endObligation();
      if (reason !== null) this.#broker.dropped(reason, member.session, kept);
    }
    records.shareMoved(share, order, kept);
  }
}
