/**
 * A Session [5.0 §4.1]: what the broker owes to one client and has taken from it. It outlives connections when the client asked
 * for that. This file is the outbound half of the delivery rules: what is sent at once, what waits, what is dropped and why.
 */
import {
  type Ack,
  type DropReason,
  Inflight,
  lowerQos,
  MAXIMUM_PACKET_ID,
  type Qos,
  Received,
} from "../protocol/index.ts";
import type { Broker } from "./broker.ts";
import type { Connection } from "./connection.ts";
import type { Deadline } from "./deadlines.ts";
import { Delivery } from "./delivery.ts";
import { Deque } from "./deque.ts";
import { InflightBytes } from "./inflight-bytes.ts";
import { inflightWindow } from "./inflight-window.ts";
import type { Message } from "./message.ts";
import { Promptness } from "./promptness.ts";
import { Queue } from "./queue.ts";
import { RetainedBacklog } from "./retained-backlog.ts";
import type { RetainedSearch } from "./retained-messages.ts";
import type { Source } from "./source.ts";
import type { QueueSummary } from "./store.ts";
import type { ShareGroup, Subscription } from "./subscription.ts";
import type { PendingWill } from "./wills.ts";

/** Retained messages queued at once; more follow when the client has taken some. */
const RETAINED_AHEAD = 1000;
const RETAINED_AHEAD_BYTES = 1_048_576;

/** What an acknowledgement asks of the connection that it came on. */
export type Acknowledged = "done" | "send PUBREL" | "unknown" | "protocol error";

/** State that belongs to a Client Identifier. */
export class Session {
  readonly clientId: string;
  /** Who it belongs to; null: nobody, until a client with a principal takes it over. */
  principal: string | null;
  /** Who is judged again about what its present client retains; null: nobody. */
  source: Source | null = null;
  /** How long it outlives its connection; 0: not at all. Changed by a new CONNECT or a DISCONNECT. */
  expirySeconds: number;
  connection: Connection | null = null;
  /** On the monotonic clock; meaningful without connection. */
  disconnectedAtMs = 0;
  readonly subscriptions: Map<string, Subscription> = new Map();
  will: PendingWill | null = null;
  expiry: Deadline | null = null;
  hasEnded = false;
  /** Whether facts about it are in the store. */
  isStored = false;
  /** Place of the next delivery in the store. */
  nextOrder = 1;
  readonly #broker: Broker;
  /** A message that is never sent again is not held: its entry has null. */
  #inflight: Inflight<Delivery | null> | null = null;
  #received: Received | null = null;
  #inflightBytes: InflightBytes | null = null;
  #queue: Queue | null = null;
  /** Packet identifiers in flight on the last connection that have not been sent again on this one, in order. */
  #resend: Deque<number> | null = null;
  #retained: RetainedBacklog | null = null;
  /** How soon the client of this connection acknowledges. */
  #promptness: Promptness = new Promptness();
  /** Deliveries whose PUBREL is out, for the store. */
  #releasing: Map<number, Delivery> | null = null;

  constructor(broker: Broker, clientId: string, principal: string | null, expirySeconds: number) {
    this.#broker = broker;
    this.clientId = clientId;
    this.principal = principal;
    this.expirySeconds = expirySeconds;
  }

  /** Whether it outlives its connection. */
  get isDurable(): boolean {
    return this.expirySeconds > 0;
  }

  /** Whether what is sent now will probably be acknowledged before the store would have it. */
  get isPrompt(): boolean {
    return this.#promptness.isPrompt(this.#broker.turnMs);
  }

  get queuedMessages(): number {
    return this.#queue?.size ?? 0;
  }

  get queuedBytes(): number {
    return this.#queue?.bytes ?? 0;
  }

  get inflightMessages(): number {
    return this.#inflight?.size ?? 0;
  }

  /** The packet identifier that was given out last; 0: none. The next one is behind it, also after a restart. */
  get lastPacketId(): number {
    return this.#inflight?.lastId ?? 0;
  }
  set lastPacketId(value: number) {
    this.#inflight ??= new Inflight(MAXIMUM_PACKET_ID);
    this.#inflight.lastId = value;
  }

  /** Packet identifiers taken at QoS 2 and not released. */
  get received(): Received {
    this.#received ??= new Received();
    return this.#received;
  }

  /** Number of them, without making room for any. */
  get receivedMessages(): number {
    return this.#received?.size ?? 0;
  }

  /** All deliveries that are not done. */
  *deliveries(): IterableIterator<Delivery> {
    if (this.#inflight !== null)
      for (const { message } of this.#inflight.entries()) if (message !== null) yield message;
    if (this.#releasing !== null) yield* this.#releasing.values();
    if (this.#queue !== null) yield* this.#queue;
  }

  /** Whether a message could be sent now: for the choice among those who share a Subscription. */
  canTakeNow(needsPacketId: boolean): boolean {
    const { connection } = this;
    if (connection === null || !connection.isReady || !connection.hasRoom) return false;
    return !needsPacketId || this.#hasNothingToOvertake(connection);
  }

  /**
   * Takes a message for the client: sends it, queues it, or drops it and returns why.
   * @param qos the highest QoS that its Subscriptions allow
   * @param retain RETAIN as the client will see it
   */
  deliver(
    message: Message,
    qos: Qos,
    retain: boolean,
    subscriptionIds: readonly number[] | null,
    group: ShareGroup | null,
  ): DropReason | null {
    const granted = this.#granted(message, qos);
    const decision = this.#judge(message, granted, subscriptionIds);
    if (decision === "send") this.#send(this.connection!, message, granted, retain, subscriptionIds, group);
    else if (decision === "queue") this.#enqueue(message, granted, retain, subscriptionIds, group);
    else {
      if (decision === "too-large-for-receiver") this.#skipPacketId(granted);
      return decision;
    }
    return null;
  }

  /** Packet identifiers are given in the order of the messages, as by mosquitto: one that cannot be sent leaves a gap. */
  #skipPacketId(qos: Qos): void {
    if (qos > 0) this.#inflight?.nextId();
  }

  /** What `deliver` would do with a message now, without doing it. */
  judge(message: Message, qos: Qos, subscriptionIds: readonly number[] | null): "send" | "queue" | DropReason {
    return this.#judge(message, this.#granted(message, qos), subscriptionIds);
  }

  /** The QoS that a message leaves with. */
  #granted(message: Message, qos: Qos): Qos {
    return this.#broker.options.upgradeOutgoingQos ? qos : lowerQos(message.qos, qos);
  }

  #judge(message: Message, qos: Qos, subscriptionIds: readonly number[] | null): "send" | "queue" | DropReason {
    const { connection } = this;
    if (qos === 0) {
      const isAway = connection === null || !connection.isReady;
      const mayWait = this.#broker.options.queueQos0Messages && this.isDurable;
      if (isAway && !mayWait) return "session-offline";
      if (!isAway && !(mayWait && this.queuedMessages > 0)) {
        if (!connection.hasRoomForQos0) return "receiver-slow";
        return connection.refusal(message, 0, subscriptionIds) ?? "send";
      }
    } else {
      if (connection !== null && this.#hasNothingToOvertake(connection) && this.#fitsInflight(message))
        return connection.refusal(message, qos, subscriptionIds) ?? "send";
      if (connection === null && !this.isDurable) return "session-offline";
    }
    const { maximumQueuedMessages, maximumQueuedBytes } = this.#broker.options;
    if (maximumQueuedMessages > 0 && this.queuedMessages >= maximumQueuedMessages) return "queue-full";
    if (maximumQueuedBytes > 0 && this.queuedBytes + message.payloadBytes > maximumQueuedBytes)
      return "queue-bytes-full";
    if (!this.isStored && maximumQueuedMessages === 0 && maximumQueuedBytes === 0 && this.#queue?.isTooMuchForMemory)
      return "queue-bytes-full";
    return "queue";
  }

  #hasNothingToOvertake(connection: Connection): boolean {
    if (this.#queue !== null && this.#queue.size > 0) return false;
    if (this.#resend !== null || !connection.isReady || !connection.hasRoom) return false;
    this.#inflight ??= new Inflight(inflightWindow(connection));
    return this.#inflight.hasRoom;
  }

  /** Whether the payload may be in flight beside those that are; one alone always may. */
  #fitsInflight({ payloadBytes }: Message): boolean {
    const { maximumInflightBytes } = this.#broker.options;
    if (maximumInflightBytes === 0 || this.inflightMessages === 0) return true;
    return (this.#inflightBytes?.total ?? 0) + payloadBytes <= maximumInflightBytes;
  }

  /** Notes what is in flight, where that has a bound. */
  #noteInflight(packetId: number, { payloadBytes }: Message): void {
    if (this.#broker.options.maximumInflightBytes > 0)
      (this.#inflightBytes ??= new InflightBytes()).add(packetId, payloadBytes);
  }

  #send(
    connection: Connection,
    message: Message,
    qos: Qos,
    retain: boolean,
    ids: readonly number[] | null,
    group: ShareGroup | null,
  ): void {
    if (qos === 0) {
      connection.sendPublish(message, 0, retain, false, 0, ids);
      return;
    }
    // A Session that ends with its connection sends nothing twice, so its messages need not outlive the turn.
    const delivery =
      this.isDurable || this.isStored || group !== null ? new Delivery(message, qos, retain, ids, group) : null;
    if (this.#inflight!.size === 0) this.#promptness.begin(this.#broker.turnMs);
    const packetId = this.#inflight!.add(delivery, qos);
    this.#noteInflight(packetId, message);
    if (delivery !== null) this.#keep(delivery, packetId);
    this.#write(connection, message, qos, retain, false, packetId, ids);
  }

  #keep(delivery: Delivery, packetId: number): void {
    const { records, keep } = this.#broker;
    delivery.message.keep(keep);
    if (records.covers(this)) records.deliveryAdded(this, delivery, packetId);
    else records.shareAdded(this, delivery);
  }

  /** A PUBLISH at QoS 2 does not leave before its packet identifier is stored. */
  #write(
    connection: Connection,
    message: Message,
    qos: 1 | 2,
    retain: boolean,
    dup: boolean,
    packetId: number,
    ids: readonly number[] | null,
  ): void {
    if (qos === 2 && this.#broker.records.covers(this)) {
      this.#broker.ledger.whenKept(() => {
        if (this.connection === connection && this.#inflight?.get(packetId)?.message != null) {
          connection.sendPublish(message, qos, retain, dup, packetId, ids);
        }
      });
    } else {
      connection.sendPublish(message, qos, retain, dup, packetId, ids);
    }
  }

  #enqueue(message: Message, qos: Qos, retain: boolean, ids: readonly number[] | null, group: ShareGroup | null): void {
    const queue = (this.#queue ??= new Queue(this.#broker, this));
    const delivery = new Delivery(message, qos, retain, ids, group);
    if (qos === 0) {
      message.keep(this.#broker.keep);
      queue.push(delivery);
    } else if (this.isStored && queue.isHeadFull) {
      delivery.isLeft = true;
      this.#keep(delivery, 0);
      queue.leave(delivery);
    } else {
      this.#keep(delivery, 0);
      queue.push(delivery);
    }
  }

  /** Sends Subscriptions the retained messages that their searches find, as far as there is room, and the rest later. */
  sendRetained(wanting: readonly (readonly [Subscription, RetainedSearch])[]): void {
    if (wanting.length === 0) return;
    this.#retained ??= new RetainedBacklog(this.#broker, this);
    for (const [subscription, search] of wanting) this.#retained.add(subscription, search);
    this.#fillRetained();
  }

  /** What the client was still to be sent of retained messages for a Subscription is not sent. */
  forgetRetained(topicFilter: string): void {
    this.#retained?.remove(topicFilter);
  }

  /** Whether a retained message would be sent, or queued not far ahead of what the client takes. */
  hasRoomFor(message: Message, qos: Qos): boolean {
    if (this.#granted(message, qos) === 0) return this.connection?.hasRoom === true;
    const queue = this.#queue;
    if (queue === null || queue.size === 0) return true;
    const { maximumQueuedMessages, maximumQueuedBytes } = this.#broker.options;
    if (queue.size >= RETAINED_AHEAD || queue.bytes >= RETAINED_AHEAD_BYTES) return false;
    if (maximumQueuedMessages > 0 && queue.size >= maximumQueuedMessages) return false;
    return maximumQueuedBytes === 0 || queue.bytes + message.payloadBytes <= maximumQueuedBytes;
  }

  #fillRetained(): void {
    const retained = this.#retained;
    if (retained === null || retained.isDue || this.connection?.isReady !== true) return;
    const isCutShort = retained.fill();
    if (retained.isEmpty) this.#retained = null;
    if (!isCutShort) return;
    retained.isDue = true;
    this.#broker.later(() => {
      retained.isDue = false;
      this.#fillRetained();
    });
  }

  /** Begins to serve a new connection: what was in flight goes first, in its old order [5.0 MQTT-4.4.0-1] [3.1.1 MQTT-4.4.0-1]. */
  resume(connection: Connection): void {
    if (this.#inflight !== null) {
      this.#inflight.receiveMaximum = inflightWindow(connection);
      if (this.#inflight.size > 0) {
        this.#resend = new Deque();
        for (const { packetId } of this.#inflight.entries()) this.#resend.push(packetId);
      }
    }
    this.pump();
  }

  /** Sends what waits, as far as window and network have room. */
  pump(): void {
    const { connection } = this;
    if (connection === null || !connection.isReady) return;
    if (this.#resend !== null) this.#pumpResend(connection, this.#resend);
    if (this.#resend !== null) return;
    if (this.#queue !== null) this.#pumpQueue(connection, this.#queue);
    this.#fillRetained();
  }

  #pumpQueue(connection: Connection, queue: Queue): void {
    const inflight = (this.#inflight ??= new Inflight(inflightWindow(connection)));
    while (inflight.hasRoom && connection.hasRoom) {
      const next = queue.peek();
      if (next === undefined || !this.#fitsInflight(next.message)) break;
      queue.shift();
      this.#sendQueued(connection, inflight, next);
    }
    queue.refill(() => this.pump());
  }

  #pumpResend(connection: Connection, resend: Deque<number>): void {
    const inflight = this.#inflight!;
    while (resend.size > 0 && inflight.size - resend.size < inflight.receiveMaximum && connection.hasRoom) {
      const packetId = resend.shift()!;
      const entry = inflight.get(packetId);
      if (entry === undefined) continue;
      if (entry.wait === "PUBCOMP") connection.sendPubrel(packetId);
      else {
        const { message, retain, subscriptionIds } = entry.message!;
        connection.sendPublish(message, entry.qos, retain, true, packetId, subscriptionIds);
      }
    }
    if (resend.size === 0) this.#resend = null;
  }

  #sendQueued(connection: Connection, inflight: Inflight<Delivery | null>, delivery: Delivery): void {
    const { message, qos, retain, subscriptionIds } = delivery;
    const broker = this.#broker;
    const reason = message.isExpired(broker.clock.nowMs())
      ? "message-expired"
      : connection.refusal(message, qos, subscriptionIds);
    if (reason !== null) {
      broker.records.deliveryDone(this, delivery);
      broker.dropped(reason, this, message);
      this.#skipPacketId(qos);
      return;
    }
    if (qos === 0) {
      connection.sendPublish(message, 0, retain, false, 0, subscriptionIds);
      return;
    }
    if (inflight.size === 0) this.#promptness.begin(broker.turnMs);
    const packetId = inflight.add(delivery, qos);
    this.#noteInflight(packetId, message);
    broker.records.deliverySent(this, delivery, packetId);
    this.#write(connection, message, qos, retain, false, packetId, subscriptionIds);
  }

  /** Applies an acknowledgement of the client; `refused`: its reason code was 0x80 or more. */
  acknowledge(packetId: number, ack: Ack, refused: boolean): Acknowledged {
    const inflight = this.#inflight;
    const entry = inflight?.get(packetId);
    if (inflight === null || entry === undefined) return "unknown";
    const delivery = entry.message;
    const step = inflight.acknowledge(packetId, ack, refused);
    if (step === "unexpected") return "protocol error";
    if (step === "done") this.#inflightBytes?.remove(packetId);
    if (delivery !== null || this.#releasing !== null) this.#record(packetId, delivery, step);
    if (step === "done" && (this.#queue !== null || this.#resend !== null || this.#retained !== null)) this.pump();
    return step;
  }

  #record(packetId: number, delivery: Delivery | null, step: "done" | "send PUBREL"): void {
    const { records, ledger, turnMs } = this.#broker;
    const known = delivery ?? this.#releasing?.get(packetId);
    if (known === undefined) return;
    if (step === "done") {
      this.#releasing?.delete(packetId);
      if (known.qos === 1 && known.entry !== null) this.#promptness.acknowledged(ledger.isFresh(known.entry), turnMs);
      records.deliveryDone(this, known);
    } else if (delivery !== null) {
      records.deliveryReceived(this, delivery, packetId);
      (this.#releasing ??= new Map()).set(packetId, delivery);
    }
  }

  /** Forgets the connection. */
  detach(nowMs: number): void {
    this.connection = null;
    this.#promptness = new Promptness();
    this.disconnectedAtMs = nowMs;
    this.#resend = null;
    this.#retained?.detach();
  }

  /**
   * Offers the deliveries that came by shared subscriptions and are not under way at QoS 2 to `handOver`, and forgets those for
   * which it says that another member has them now [5.0 §4.8.2] [5.0 MQTT-4.8.2-5].
   */
  handOverShared(handOver: (delivery: Delivery) => boolean): void {
    const isTaken = (delivery: Delivery): boolean => delivery.group !== null && handOver(delivery);
    if (this.#inflight !== null) {
      for (const { packetId, message: delivery, qos } of this.#inflight.entries()) {
        if (delivery !== null && qos === 1 && isTaken(delivery)) {
          this.#inflight.remove(packetId);
          this.#inflightBytes?.remove(packetId);
        }
      }
    }
    if (this.#queue !== null) {
      const queue = this.#queue;
      for (const delivery of queue.drain()) if (!isTaken(delivery)) queue.push(delivery);
    }
  }

  /** Whether deliveries that came by shared subscriptions are in the store and not in memory. */
  get leavesShared(): boolean {
    return this.#queue !== null && this.#queue.restShared > 0;
  }

  /**
   * Takes the rest of the queue back from the store, page by page, and offers what came by shared subscriptions to `handOver`. Calls
   * `onDone` when there is none any more; what nobody took is given up.
   */
  bequeath(handOver: (delivery: Delivery) => boolean, onDone: () => void): void {
    const { records, counters } = this.#broker;
    this.handOverShared(handOver);
    for (const delivery of this.#queue!.drain()) {
      records.deliveryDone(this, delivery);
      counters.dropped["session-ended"]++;
    }
    if (this.leavesShared) this.#queue!.refill(() => this.bequeath(handOver, onDone));
    else onDone();
  }

  /** Ends: everything still owed is given up. */
  end(): void {
    const { records } = this.#broker;
    for (const delivery of this.deliveries()) {
      if (!delivery.isReceived) this.#broker.dropped("session-ended", this, delivery.message);
      if (!this.isStored) records.deliveryDone(this, delivery);
    }
    records.sessionDeleted(this);
    this.#broker.counters.dropped["session-ended"] += this.#queue?.clear() ?? 0;
    this.#inflight = this.#queue = this.#received = this.#releasing = this.#resend = this.#retained = null;
  }

  /** Puts a delivery back that a store kept. */
  restore(delivery: Delivery, packetId: number, wait: Ack): void {
    this.nextOrder = Math.max(this.nextOrder, delivery.order + 1);
    if (packetId === 0) {
      (this.#queue ??= new Queue(this.#broker, this)).push(delivery);
      return;
    }
    this.#inflight ??= new Inflight(MAXIMUM_PACKET_ID);
    this.#inflight.restore(packetId, wait === "PUBCOMP" ? null : delivery, delivery.qos === 1 ? 1 : 2, wait);
    if (wait === "PUBCOMP") (this.#releasing ??= new Map()).set(packetId, delivery);
  }

  /** Remembers that a store holds deliveries which wait. */
  restoreQueue(summary: QueueSummary): void {
    this.nextOrder = Math.max(this.nextOrder, summary.lastOrder + 1);
    (this.#queue ??= new Queue(this.#broker, this)).restore(summary);
  }
}
