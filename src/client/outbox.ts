/** The outward half of a client's Session: messages that wait, messages on their way, and what is sent again after a reconnection. */
import { Deque } from "../core/index.ts";
import { type Ack, type Acknowledgement, Inflight, type Properties, ReasonCode } from "../protocol/index.ts";
import type { ClientConnection } from "./connection.ts";
import type { SessionJournal } from "./journal.ts";
import { DELIVERED, type Outcome, type OutgoingMessage, type Refusal, refused } from "./message.ts";
import { SparseMap } from "./sparse-map.ts";

/** Bounds of what a Session holds for the server. */
export interface OutboxLimits {
  /** Most messages at QoS 1 and 2 sent and not acknowledged, 1..65,535; the server's Receive Maximum holds too. */
  readonly maximumInflightMessages: number;
  /** Most messages that wait for a connection or for room in the window. */
  readonly maximumQueuedMessages: number;
  /** Most bytes of payload that wait. */
  readonly maximumQueuedBytes: number;
  /** Whether messages at QoS 0 wait for a connection too; not so with libmosquitto, and so not unless asked for. */
  readonly queuesQos0?: boolean;
  /** Whether the oldest waiting message at QoS 0 gives way when the queue is full; otherwise the newest is refused. */
  readonly dropsOldestQos0?: boolean;
}

/** One message of an outbox as it is saved, in the order of sending. */
export interface SavedMessage {
  readonly mid: number;
  readonly qos: 1 | 2;
  /** What the server has not sent yet; null for a message that has not been sent itself. */
  readonly wait: Ack | null;
  /** null when only PUBCOMP is missing. */
  readonly message: OutgoingMessage | null;
}

/** Told what became of a message; `message` is null after its PUBREC, when only its `mid` is left. */
export type Finished = (mid: number, outcome: Outcome, message: OutgoingMessage | null) => void;

class Queued {
  readonly mid: number;
  readonly message: OutgoingMessage;
  /** Since when it waits, for its Message Expiry Interval. */
  readonly sinceMs: number;
  /** Whether the journal has it, so that it may be sent. */
  isKept: boolean;
  /** Taken out of the queue before its turn. */
  isGone = false;

  constructor(mid: number, message: OutgoingMessage, isKept: boolean, sinceMs: number) {
    this.mid = mid;
    this.message = message;
    this.isKept = isKept;
    this.sinceMs = sinceMs;
  }
}

/** Entries that were taken out early and still lie in the queue: so many are left there without counting. */
const FEW_GONE = 64;

/** Messages on their way to the server. */
export class Outbox {
  readonly #limits: OutboxLimits;
  readonly #journal: SessionJournal | null;
  readonly #inflight: Inflight<OutgoingMessage>;
  readonly #nowMs: () => number;
  readonly #isTaken: (mid: number) => boolean;
  readonly #finished: Finished;
  #queue: Deque<Queued> = new Deque();
  /** Those of the queue at QoS 0, to be dropped first. */
  #queuedQos0: Deque<Queued> = new Deque();
  readonly #queued: SparseMap<number, Queued> = new SparseMap();
  #queuedBytes = 0;
  #qos0 = 0;
  /** What was in flight on an earlier connection and has not been sent again on this one, in order. */
  #resend: Deque<number> | null = null;
  #connection: ClientConnection | null = null;
  /** Whether nothing may leave yet: the connection is new, or the journal is behind with what an earlier one brought. */
  #isHeldBack = false;

  /**
   * @param nowMs milliseconds on a clock that never goes back
   * @param isTaken whether others use a packet identifier
   * @param finished told what became of each message
   */
  constructor(
    limits: OutboxLimits,
    journal: SessionJournal | null,
    nowMs: () => number,
    isTaken: (mid: number) => boolean,
    finished: Finished,
  ) {
    this.#limits = limits;
    this.#journal = journal;
    this.#inflight = new Inflight(limits.maximumInflightMessages);
    this.#nowMs = nowMs;
    this.#isTaken = (mid) => this.#queued.has(mid) || isTaken(mid);
    this.#finished = finished;
  }

  /** Messages not acknowledged, those that wait included. */
  get size(): number {
    return this.#inflight.size + this.#queued.size;
  }

  /** Messages that wait. */
  get queuedMessages(): number {
    return this.#queued.size;
  }

  /** Bytes of payload that wait. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** The next packet identifier that nobody uses; 0 when there is none. */
  nextMid(): number {
    return this.#inflight.nextId(this.#isTaken);
  }

  /** Begins to serve a connection: what was in flight goes first, in its old order [5.0 MQTT-4.4.0-1] [3.1.1 MQTT-4.4.0-1]. */
  attach(connection: ClientConnection): void {
    this.#connection = connection;
    this.#inflight.receiveMaximum = Math.min(this.#limits.maximumInflightMessages, connection.receiveMaximum);
    this.#resend = new Deque();
    for (const { packetId: mid } of this.#inflight.entries()) this.#resend.push(mid);
    this.#isHeldBack = true;
  }

  /** Sends what was under way or waits, now that the application has asked for what must leave before: its Subscriptions. */
  begin(): void {
    const connection = this.#connection;
    const go = (): void => {
      if (connection === null || this.#connection !== connection) return;
      this.#isHeldBack = false;
      this.pump();
    };
    if (this.#journal === null) go();
    else this.#journal.whenKept(go);
  }

  detach(): void {
    this.#connection = this.#resend = null;
  }

  /** The server has lost the Session: whatever it had acknowledged as received is done. */
  sessionLost(): void {
    for (const { packetId: mid, wait } of this.#inflight.entries()) {
      if (wait !== "PUBCOMP") continue;
      this.#inflight.remove(mid);
      this.#finish(mid, DELIVERED, null);
    }
  }

  /** A message at QoS 1 or 2 is done. */
  #finish(mid: number, outcome: Outcome, message: OutgoingMessage | null): void {
    this.#journal?.note({ kind: "outgoing-done", mid });
    this.#finished(mid, outcome, message);
  }

  /** Sends a message or has it wait; returns why neither was done, or null. */
  publish(mid: number, message: OutgoingMessage): Refusal | null {
    const connection = this.#connection;
    const refusal = connection?.refusal(message) ?? null;
    if (refusal !== null) return refusal;
    if (message.qos === 0) return this.#publishQos0(connection, mid, message);
    if (this.#journal === null && this.#isFree(connection)) {
      return this.#send(connection, mid, message) ? null : "packet-too-large";
    }
    if (!this.#makeRoom(message)) return "queue-full";
    const queued = this.#enqueue(mid, message, this.#journal === null);
    this.#journal?.note({ kind: "outgoing-added", mid, message });
    this.#journal?.whenKept(() => {
      queued.isKept = true;
      this.pump();
    });
    return null;
  }

  #publishQos0(connection: ClientConnection | null, mid: number, message: OutgoingMessage): Refusal | null {
    const { queuesQos0 = false, maximumQueuedBytes } = this.#limits;
    if (connection !== null && this.#qos0 === 0) {
      if (connection.backlogBytes > maximumQueuedBytes) return "queue-full";
      return connection.sendPublish(message, 0, mid, false) ? null : "packet-too-large";
    }
    if (!queuesQos0) return "not-connected";
    if (!this.#makeRoom(message)) return "queue-full";
    this.#enqueue(mid, message, true);
    return null;
  }

  /** Whether a message may be sent past everything that waits. */
  #isFree(connection: ClientConnection | null): connection is ClientConnection {
    return connection !== null && this.#resend === null && this.#queued.size === 0 && this.#hasRoom(connection);
  }

  #makeRoom({ payload }: OutgoingMessage): boolean {
    const { maximumQueuedMessages, maximumQueuedBytes, dropsOldestQos0 = false } = this.#limits;
    const isFull = (): boolean =>
      this.#queued.size >= maximumQueuedMessages || this.#queuedBytes + payload.length > maximumQueuedBytes;
    while (isFull()) {
      const oldest = dropsOldestQos0 ? this.#oldestQos0() : undefined;
      if (oldest === undefined) return false;
      this.#takeOut(oldest);
      this.#finished(oldest.mid, refused("dropped"), oldest.message);
    }
    return true;
  }

  #oldestQos0(): Queued | undefined {
    for (;;) {
      const oldest = this.#queuedQos0.shift();
      if (oldest === undefined || !oldest.isGone) return oldest;
    }
  }

  #enqueue(mid: number, message: OutgoingMessage, isKept: boolean): Queued {
    const queued = new Queued(mid, message, isKept, this.#nowMs());
    this.#queue.push(queued);
    this.#queued.set(mid, queued);
    this.#queuedBytes += message.payload.length;
    if (message.qos === 0) {
      this.#qos0++;
      if (this.#limits.dropsOldestQos0) this.#queuedQos0.push(queued);
    }
    return queued;
  }

  /** Takes a message out of the queue, in its turn or before. */
  #takeOut(queued: Queued): void {
    queued.isGone = true;
    this.#queued.delete(queued.mid);
    this.#queuedBytes -= queued.message.payload.length;
    if (queued.message.qos === 0) this.#qos0--;
    // Those that went early lie in the queue until their turn comes; many of them would be a leak while there is no connection.
    if (this.#queue.size > 2 * this.#queued.size + FEW_GONE) this.#queue = withoutGone(this.#queue);
    if (this.#queuedQos0.size > 2 * this.#qos0 + FEW_GONE) this.#queuedQos0 = withoutGone(this.#queuedQos0);
  }

  /** Takes back a message that has not been sent; false when it has been, or is not known. */
  withdraw(mid: number): boolean {
    const queued = this.#queued.get(mid);
    if (queued === undefined) return false;
    this.#takeOut(queued);
    if (queued.message.qos !== 0) this.#journal?.note({ kind: "outgoing-done", mid });
    return true;
  }

  #hasRoom(connection: ClientConnection): boolean {
    return this.#inflight.hasRoom && connection.hasRoom;
  }

  #send(
    connection: ClientConnection,
    mid: number,
    message: OutgoingMessage,
    properties: Properties = message.properties,
  ): boolean {
    if (message.qos === 0) return connection.sendPublish(message, 0, mid, false, properties);
    this.#inflight.restore(mid, message, message.qos);
    if (connection.sendPublish(message, mid, mid, false, properties)) return true;
    this.#inflight.remove(mid);
    return false;
  }

  /** Sends what waits, as far as window and network have room. */
  pump(): void {
    const connection = this.#connection;
    if (connection === null || this.#isHeldBack) return;
    if (this.#resend !== null) this.#pumpResend(connection, this.#resend);
    while (this.#resend === null && this.#connection === connection) {
      const queued = this.#nextQueued();
      if (queued === undefined || !this.#maySend(connection, queued)) return;
      this.#queue.shift();
      this.#takeOut(queued);
      const { mid, message } = queued;
      const properties = propertiesNow(queued, this.#nowMs());
      const refusal = properties === null ? "expired" : connection.refusal(message);
      if (properties !== null && refusal === null && this.#send(connection, mid, message, properties)) continue;
      const outcome = refused(refusal ?? "packet-too-large");
      if (message.qos === 0) this.#finished(mid, outcome, message);
      else this.#finish(mid, outcome, message);
    }
  }

  #nextQueued(): Queued | undefined {
    while (this.#queue.peek()?.isGone) this.#queue.shift();
    return this.#queue.peek();
  }

  #maySend(connection: ClientConnection, { isKept, message }: Queued): boolean {
    return isKept && connection.hasRoom && (message.qos === 0 || this.#inflight.hasRoom);
  }

  #pumpResend(connection: ClientConnection, resend: Deque<number>): void {
    const inflight = this.#inflight;
    while (resend.size > 0 && inflight.size - resend.size < inflight.receiveMaximum && connection.hasRoom) {
      const mid = resend.shift()!;
      const entry = inflight.get(mid);
      if (entry === undefined) continue;
      const { message } = entry;
      if (message === null) {
        connection.acknowledge("PUBREL", mid, 0);
      } else if (!connection.sendPublish(message, mid, mid, true)) {
        inflight.remove(mid);
        this.#finish(mid, refused("packet-too-large"), message);
      }
    }
    if (resend.size === 0) this.#resend = null;
  }

  /** Applies an acknowledgement of the server. */
  acknowledge(connection: ClientConnection, packet: Acknowledgement): void {
    const { packetId, reasonCode, properties } = packet;
    const type = packet.type as Ack;
    const entry = this.#inflight.get(packetId);
    const message = entry?.message ?? null;
    const step = this.#inflight.acknowledge(packetId, type, reasonCode >= 0x80);
    if (step === "done") {
      // With its PUBREC the message is the server's. That it does not know a PUBREL which had to be sent again, as its PUBCOMP was lost on
      // the way, is no refusal [5.0 §4.13.1] [5.0 §3.7.2.1].
      const outcome = type === "PUBCOMP" ? 0 : reasonCode;
      this.#finish(packetId, { reasonCode: outcome, properties, refusal: null }, message);
      this.pump();
    } else if (step === "send PUBREL") {
      this.#release(connection, packetId);
    } else if (entry !== undefined) {
      const text = `${type} ${packetId} is not what that message waits for [5.0 §4.3] [3.1.1 §4.3]`;
      connection.fail({ reasonCode: ReasonCode.ProtocolError, message: text });
    } else {
      // After a lost Session the peer may know more than we do: that is not its mistake.
      connection.unknownPacketId(type, packetId);
      if (type === "PUBREC" && reasonCode < 0x80) {
        connection.acknowledge("PUBREL", packetId, ReasonCode.PacketIdentifierNotFound);
      }
    }
  }

  /** Sends PUBREL once it is certain that the message will not be sent again: the server would take it for a new one. */
  #release(connection: ClientConnection, mid: number): void {
    if (this.#journal === null) return connection.acknowledge("PUBREL", mid, 0);
    this.#journal.note({ kind: "outgoing-released", mid });
    this.#journal.whenKept(() => {
      if (this.#connection === connection) connection.acknowledge("PUBREL", mid, 0);
    });
  }

  /** Everything not acknowledged at QoS 1 and 2, in the order of sending. */
  save(): SavedMessage[] {
    const saved: SavedMessage[] = [];
    for (const { packetId: mid, message, wait, qos } of this.#inflight.entries())
      saved.push({ mid, qos, wait, message });
    for (const { mid, message, isGone } of this.#queue) {
      if (message.qos !== 0 && !isGone) saved.push({ mid, qos: message.qos, wait: null, message });
    }
    return saved;
  }

  /** Takes saved messages back, before anything else is published. */
  restore(saved: readonly SavedMessage[]): void {
    for (const { mid, qos, wait, message } of saved) {
      if (wait !== null) this.#inflight.restore(mid, message, qos, wait);
      else if (message !== null) this.#enqueue(mid, message, true);
    }
  }
}

/** The properties with what is left of the Message Expiry Interval after the wait; null when nothing is [5.0 §3.3.2.3.3]. */
function propertiesNow({ message: { properties }, sinceMs }: Queued, nowMs: number): Properties | null {
  const { messageExpirySeconds } = properties;
  if (messageExpirySeconds === undefined) return properties;
  const waitedSeconds = Math.floor((nowMs - sinceMs) / 1000);
  if (waitedSeconds === 0) return properties;
  if (waitedSeconds >= messageExpirySeconds) return null;
  return { ...properties, messageExpirySeconds: messageExpirySeconds - waitedSeconds };
}

function withoutGone(queue: Deque<Queued>): Deque<Queued> {
  const left = new Deque<Queued>();
  for (const queued of queue) if (!queued.isGone) left.push(queued);
  return left;
}
