/**
 * Which facts outlive the process, and when they no longer matter: what happens to durable Sessions, their deliveries and
 * retained messages becomes changes in the ledger. With a store that keeps nothing, none of this does anything.
 */
import type { Clock } from "./clock.ts";
import type { Delivery } from "./delivery.ts";
import type { Ledger } from "./ledger.ts";
import { type Message, StoredMessages } from "./message.ts";
import type { Batch, Fact, Haste, Obligation } from "./obligation.ts";
import { isSysTopic } from "./router.ts";
import type { Session } from "./session.ts";
import type { Change } from "./store.ts";
import type { Subscription } from "./subscription.ts";
import { Timeline } from "./timeline.ts";
import type { PendingWill } from "./wills.ts";

/** That a message is retained. */
class RetainedFact implements Fact {
  readonly #message: Message;

  constructor(message: Message) {
    this.#message = message;
  }

  tell(batch: Batch): void {
    const message = this.#message;
    batch.changes.push({ kind: "retained-set", topicName: message.topicName, message: message.store(batch) });
    message.isRetainedStored = true;
    message.storedUses++;
  }

  wait(): number {
    return this.#message.wait();
  }

  leave(): number {
    return this.#message.leave();
  }
}

/** Writes facts about durable things. "owes": the present acknowledgement waits for it; "notes": nobody waits. */
export class Records {
  readonly timeline: Timeline;
  readonly #ledger: Ledger;
  readonly #stored: StoredMessages;
  /** The key of the first message of this broker; those below were left by the ones before. */
  firstMessage: number = Number.POSITIVE_INFINITY;
  /** Place of the next share; no restored one has it or a higher one. */
  nextShare = 1;

  constructor(ledger: Ledger, clock: Clock) {
    this.#ledger = ledger;
    this.timeline = new Timeline(clock);
    this.#stored = new StoredMessages(this.timeline);
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
    const { clientId, principal, expirySeconds, lastPacketId } = session;
    this.#ledger.note({
      kind: "session-set",
      clientId,
      principal,
      expirySeconds,
      disconnectedAtMs: disconnectedAtMs === null ? null : this.timeline.toStored(disconnectedAtMs),
      ...(lastPacketId > 0 && { lastPacketId }),
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
    this.#withdraw(delivery);
    this.#cleared(delivery);
  }

  /** Nothing is recorded about the delivery any more. */
  #cleared(delivery: Delivery): void {
    this.#release(delivery);
    delivery.entry = null;
    delivery.order = 0;
    delivery.isStored = delivery.isShare = false;
  }

  /** A message as the store gives it back. */
  restored(fact: Extract<Change, { kind: "message-added" }>): Message {
    const isOwn = fact.message >= this.firstMessage;
    return this.#stored.messageOf(fact, isOwn ? Number.POSITIVE_INFINITY : this.timeline.startedMs);
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

  /**
   * Owes a new delivery to a durable Session; `packetId` is 0 while it waits in the queue. Its message must have been kept: what the
   * store is given is made later.
   */
  deliveryAdded(session: Session, delivery: Delivery, packetId: number): void {
    delivery.session = session;
    delivery.order = session.nextOrder++;
    delivery.packetId = packetId;
    this.#owe(session, delivery);
  }

  #owe(session: Session, delivery: Delivery): void {
    const { message, qos, isLeft } = delivery;
    message.storedExpiresAtMs = this.timeline.toStored(message.expiresAtMs);
    delivery.entry = this.#ledger.owe(delivery, qos === 1 && !isLeft && session.isPrompt ? "patient" : "urgent");
  }

  /** Records that a queued delivery is on its way under `packetId`. */
  deliverySent(session: Session, delivery: Delivery, packetId: number): void {
    if (delivery.order === 0 || delivery.isShare) return;
    delivery.session = session;
    delivery.packetId = packetId;
    this.#changed(delivery, delivery.qos === 1 ? "patient" : "urgent");
  }

  /** Records that the receiver has the message at QoS 2: it is not sent again, only its PUBREL. */
  deliveryReceived(session: Session, delivery: Delivery, packetId: number): void {
    delivery.isReceived = true;
    if (delivery.order === 0 || delivery.isShare) return;
    delivery.session = session;
    delivery.packetId = packetId;
    this.#changed(delivery, "urgent");
    this.#release(delivery);
  }

  /** The store need not keep the message for this delivery any more. */
  #release(delivery: Delivery): void {
    if (delivery.usesStored) delivery.message.storedUses--;
    delivery.usesStored = false;
  }

  /** What still waits to be handed over is told as it is then. */
  #changed(delivery: Delivery, haste: Haste): void {
    const { entry } = delivery;
    if (entry !== null && !entry.isHanded) return;
    delivery.entry = this.#ledger.note(delivery, entry, haste);
  }

  /** The duty is done, or given up: whoever waited for the fact need not any more. */
  deliveryDone(session: Session, delivery: Delivery): void {
    if (delivery.order === 0) return;
    delivery.entry?.settle();
    this.#withdraw(delivery);
    this.#deleted(session, delivery);
  }

  /** Another member of its group has the delivery: whoever waits for this one goes on to wait for `obligation`, which that one owes. */
  deliveryMoved(session: Session, delivery: Delivery, obligation: Obligation | null): void {
    if (delivery.order === 0) return;
    if (delivery.entry !== null) this.#ledger.passOn(delivery.entry, obligation);
    this.#deleted(session, delivery);
  }

  #withdraw({ entry }: Delivery): void {
    if (entry !== null) this.#ledger.withdraw(entry);
  }

  #deleted(session: Session, delivery: Delivery): void {
    const { order, isShare, isStored, group } = delivery;
    if (isStored) {
      const change: Change = isShare
        ? { kind: "share-deleted", share: group!.name, order }
        : { kind: "delivery-deleted", clientId: session.clientId, order, message: delivery.storedMessage };
      this.#ledger.note(change, null, "idle");
    }
    this.#cleared(delivery);
  }

  /** Owes a message that a Session which is not durable takes for a group that has a durable member. */
  shareAdded(session: Session, delivery: Delivery): void {
    const { group } = delivery;
    if (!this.#ledger.isRecording || group === null || !group.hasDurableMember) return;
    delivery.order = this.nextShare++;
    delivery.isShare = true;
    this.#owe(session, delivery);
  }

  /** Notes that a message which a group was owed has been given to a durable member after a restart. */
  shareMoved(share: string, order: number, message: Message): void {
    this.#ledger.note({ kind: "share-deleted", share, order });
    message.storedUses--;
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
    if (!this.#ledger.isRecording || isSysTopic(topicName)) return;
    message.storedExpiresAtMs = this.timeline.toStored(message.expiresAtMs);
    message.retainedEntry = this.#ledger.owe(new RetainedFact(message));
    if (replaced !== null) this.#notRetained(replaced);
  }

  /** Owes that `deleted` is retained no more. */
  retainedDeleted(deleted: Message): void {
    const { topicName } = deleted;
    if (!this.#ledger.isRecording || isSysTopic(topicName)) return;
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
    if (message.isRetainedStored) message.storedUses--;
    message.isRetainedStored = false;
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
