/**
 * Which facts outlive the process, and when they no longer matter: what happens to durable Sessions, their deliveries and
 * retained messages becomes changes in the ledger. With a store that keeps nothing, none of this does anything.
 */
import type { Ack } from "../protocol/index.ts";
import type { Clock } from "./clock.ts";
import type { Delivery } from "./delivery.ts";
import type { Ledger } from "./ledger.ts";
import { type Message, storedMessage } from "./message.ts";
import { isReservedTopic } from "./router.ts";
import type { Session } from "./session.ts";
import type { Change } from "./store.ts";
import type { Subscription } from "./subscription.ts";
import { Timeline } from "./timeline.ts";
import type { PendingWill } from "./wills.ts";

/** Writes facts about durable things. "owes": the present acknowledgement waits for it; "notes": nobody waits. */
export class Records {
  readonly timeline: Timeline;
  readonly #ledger: Ledger;
  /** Keys of messages in the store, and places of shares; a restored one is never below. */
  nextMessage = 1;
  /** The key of the first message of this broker; those below were left by the ones before. */
  firstMessage: number = Number.POSITIVE_INFINITY;
  nextShare = 1;

  constructor(ledger: Ledger, clock: Clock) {
    this.#ledger = ledger;
    this.timeline = new Timeline(clock);
  }

  /** Notes when somebody has set the wall clock. To be called now and then. */
  observeClock(): void {
    if (!this.#ledger.isRecording) return;
    const aheadMs = this.timeline.observe();
    if (aheadMs !== null) this.#ledger.note({ kind: "clock-set", aheadMs });
  }

  /** Whether facts of `session` are kept at all. */
  covers(session: Session): boolean {
    return session.isStored;
  }

  /**
   * Notes that the Session exists, and since when it has had no connection (null: it has one). A Session that was to outlive its
   * connection and no longer is stays in the store until it ends: its queue may lie there.
   */
  sessionSet(session: Session, disconnectedAtMs: number | null): void {
    if (this.#ledger.isRecording && session.isDurable) session.isStored = true;
    if (!session.isStored) return;
    const { clientId, principal, expirySeconds } = session;
    this.#ledger.note({
      kind: "session-set",
      clientId,
      principal,
      expirySeconds,
      disconnectedAtMs: disconnectedAtMs === null ? null : this.timeline.toStored(disconnectedAtMs),
    });
  }

  /** Notes the end of a Session and of all that belongs to it. */
  sessionDeleted(session: Session): void {
    if (!this.covers(session)) return;
    for (const delivery of session.deliveries()) this.#forget(delivery);
    this.#ledger.note({ kind: "session-deleted", clientId: session.clientId });
    session.isStored = false;
  }

  /**
   * Whoever waits for the delivery goes on to wait for the batch: should the end of the Session not be kept, the delivery must be.
   */
  #forget(delivery: Delivery): void {
    if (delivery.order === 0) return;
    if (delivery.entry !== null) this.#ledger.withdraw(delivery.entry);
    this.#cleared(delivery);
  }

  /** Nothing is recorded about the delivery any more. */
  #cleared(delivery: Delivery): void {
    if (!delivery.isReceived || delivery.isShare) this.#release(delivery.message);
    delivery.entry = null;
    delivery.order = 0;
    delivery.isStored = delivery.isShare = false;
  }

  /** A message as the store gives it back. */
  restored(fact: Extract<Change, { kind: "message-added" }>): Message {
    const isOwn = fact.message >= this.firstMessage;
    return storedMessage(fact, this.timeline, isOwn ? Number.POSITIVE_INFINITY : this.timeline.startedMs);
  }

  /** Owes a Subscription. */
  subscriptionSet(subscription: Subscription): void {
    const { session, topicFilter, qos, noLocal, retainAsPublished, subscriptionId } = subscription;
    if (!this.covers(session)) return;
    this.#ledger.owe({
      kind: "subscription-set",
      clientId: session.clientId,
      topicFilter,
      qos,
      noLocal,
      retainAsPublished,
      subscriptionId: subscriptionId === 0 ? null : subscriptionId,
    });
  }

  /** Owes the end of a Subscription. */
  subscriptionDeleted(subscription: Subscription): void {
    const { session, topicFilter } = subscription;
    if (this.covers(session))
      this.#ledger.owe({ kind: "subscription-deleted", clientId: session.clientId, topicFilter });
  }

  #use(message: Message): void {
    if (message.durableUses++ > 0) return;
    const { storeEntry } = message;
    // In the batch that is open it is there already, and a queue in the store refers to it.
    if (message.isLeftToStore && storeEntry !== null && !storeEntry.isHanded) return;
    message.storeKey = this.nextMessage++;
    message.isLeftToStore = false;
    message.storeEntry = this.#ledger.owe({
      kind: "message-added",
      message: message.storeKey,
      publish: message.toStored(),
      expiresAtMs: this.timeline.toStored(message.expiresAtMs),
      publisher: message.publisher,
    });
  }

  /** The store counts references itself; a message that nothing refers to before it got there need not go there. */
  #release(message: Message): void {
    if (--message.durableUses > 0 || message.isLeftToStore) return;
    const { storeEntry } = message;
    message.storeEntry = null;
    if (storeEntry === null) return;
    storeEntry.settle();
    this.#ledger.withdraw(storeEntry);
  }

  /** Lets go of a delivery whose Session finds it in the store when its turn comes. */
  leaveToStore(delivery: Delivery): void {
    const { message } = delivery;
    message.isLeftToStore = true;
    message.durableUses--;
  }

  /** Owes a new delivery to a durable Session; `packetId` is 0 while it waits in the queue. */
  deliveryAdded(session: Session, delivery: Delivery, packetId: number): void {
    this.#use(delivery.message);
    delivery.order = session.nextOrder++;
    delivery.entry = this.#ledger.owe(deliverySet(session, delivery, packetId, firstWait(delivery), true));
  }

  /** Records that a queued delivery is on its way under `packetId`. */
  deliverySent(session: Session, delivery: Delivery, packetId: number): void {
    if (delivery.order === 0 || delivery.isShare) return;
    this.#replace(delivery, deliverySet(session, delivery, packetId, firstWait(delivery), true));
  }

  /** Records that the receiver has the message at QoS 2: it is not sent again, only its PUBREL. */
  deliveryReceived(session: Session, delivery: Delivery, packetId: number): void {
    delivery.isReceived = true;
    if (delivery.order === 0 || delivery.isShare) return;
    this.#replace(delivery, deliverySet(session, delivery, packetId, "PUBCOMP", false));
    this.#release(delivery.message);
  }

  #replace(delivery: Delivery, change: Change): void {
    const { entry } = delivery;
    if (entry !== null && !entry.isHanded) {
      entry.change = change;
      return;
    }
    if (entry !== null) delivery.isStored = true;
    delivery.entry = this.#ledger.note(change, entry);
  }

  /** The duty is done, or given up: whoever waited for the fact need not any more. */
  deliveryDone(session: Session, delivery: Delivery): void {
    const { entry, order, isShare } = delivery;
    if (order === 0) return;
    if (entry !== null) {
      entry.settle();
      this.#ledger.withdraw(entry);
    }
    if (delivery.isStored || entry?.isHanded) {
      this.#ledger.note(
        isShare
          ? { kind: "share-deleted", share: delivery.group!.name, order }
          : { kind: "delivery-deleted", clientId: session.clientId, order },
      );
    }
    this.#cleared(delivery);
  }

  /** Owes a message that a Session which is not durable takes for a group that has a durable member. */
  shareAdded(delivery: Delivery): void {
    const { group, message } = delivery;
    if (!this.#ledger.isRecording || group === null || !group.hasDurableMember) return;
    this.#use(message);
    delivery.order = this.nextShare++;
    delivery.isShare = true;
    delivery.entry = this.#ledger.owe({
      kind: "share-set",
      share: group.name,
      order: delivery.order,
      message: message.storeKey,
    });
  }

  /** Notes that a message which a group was owed has been given to a durable member after a restart. */
  shareMoved(share: string, order: number, message: Message): void {
    this.#ledger.note({ kind: "share-deleted", share, order });
    this.#release(message);
  }

  /** Owes a packet identifier received at QoS 2. */
  receivedSet(session: Session, packetId: number): void {
    if (this.covers(session)) this.#ledger.owe({ kind: "received-set", clientId: session.clientId, packetId });
  }

  /** Owes its release. */
  receivedDeleted(session: Session, packetId: number): void {
    if (this.covers(session)) this.#ledger.owe({ kind: "received-deleted", clientId: session.clientId, packetId });
  }

  /** Owes a retained message, in place of `replaced`. */
  retainedSet(message: Message, replaced: Message | null): void {
    const { topicName } = message;
    if (!this.#ledger.isRecording || isReservedTopic(topicName)) return;
    this.#use(message);
    message.retainedEntry = this.#ledger.owe({ kind: "retained-set", topicName, message: message.storeKey });
    if (replaced !== null) this.#notRetained(replaced);
  }

  /** Owes that `deleted` is retained no more. */
  retainedDeleted(deleted: Message): void {
    const { topicName } = deleted;
    if (!this.#ledger.isRecording || isReservedTopic(topicName)) return;
    this.#ledger.owe({ kind: "retained-deleted", topicName });
    this.#notRetained(deleted);
  }

  /** Owes that nothing is retained where nothing was: the deletion of what was there may still be on its way to the store. */
  retainedAbsent(): void {
    if (this.#ledger.isRecording) this.#ledger.oweEarlier();
  }

  /** Whoever waits for the message to be retained goes on to wait for the batch, which holds what took its place. */
  #notRetained(message: Message): void {
    if (message.retainedEntry !== null) this.#ledger.withdraw(message.retainedEntry);
    message.retainedEntry = null;
    this.#release(message);
  }

  /** Notes the will of a durable Session; `dueAtMs` is set once it only waits for its delay. */
  willSet(session: Session, will: PendingWill, dueAtMs: number | null): void {
    if (!this.covers(session)) return;
    this.#ledger.note({
      kind: "will-set",
      clientId: session.clientId,
      publish: will.toStored(),
      delaySeconds: will.delaySeconds,
      dueAtMs: dueAtMs === null ? null : this.timeline.toStored(dueAtMs),
    });
  }

  /** Notes that there is no will any more. */
  willDeleted(session: Session): void {
    if (this.covers(session)) this.#ledger.note({ kind: "will-deleted", clientId: session.clientId });
  }
}

function firstWait(delivery: Delivery): Ack {
  return delivery.qos === 1 ? "PUBACK" : "PUBREC";
}

function deliverySet(session: Session, delivery: Delivery, packetId: number, wait: Ack, hasMessage: boolean): Change {
  const { order, retain, subscriptionIds, group, message } = delivery;
  return {
    kind: "delivery-set",
    clientId: session.clientId,
    order,
    message: hasMessage ? message.storeKey : null,
    qos: delivery.qos === 1 ? 1 : 2,
    retain,
    subscriptionIds,
    packetId,
    wait,
    share: group?.name ?? null,
    payloadBytes: message.payloadBytes,
  };
}
