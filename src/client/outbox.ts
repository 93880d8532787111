/** The outward half of a client's Session: messages that wait, messages on their way, and what is sent again after a reconnection. */
import { Deque } from "../core/index.ts";
import { type Ack, type Acknowledgement, Inflight, ReasonCode } from "../protocol/index.ts";
import type { ClientConnection } from "./connection.ts";
import { DELIVERED, type Outcome, type OutgoingMessage, type Refusal, refused } from "./message.ts";

/** Bounds of what a Session holds for the server. */
export interface OutboxLimits {
  /** Most messages at QoS 1 and 2 sent and not acknowledged, 1..65,535; the server's Receive Maximum holds too. */
  readonly maximumInflightMessages: number;
  /** Most messages that wait for a connection or for room in the window. */
  readonly maximumQueuedMessages: number;
  /** Most bytes of payload that wait. */
  readonly maximumQueuedBytes: number;
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

interface Queued {
  readonly mid: number;
  readonly message: OutgoingMessage;
}

/** Messages at QoS 1 and 2 on their way to the server. */
export class Outbox {
  readonly #limits: OutboxLimits;
  readonly #inflight: Inflight<OutgoingMessage>;
  readonly #finished: (mid: number, outcome: Outcome) => void;
  readonly #isTaken: (mid: number) => boolean;
  readonly #queue: Deque<Queued> = new Deque();
  readonly #queuedMids: Set<number> = new Set();
  #queuedBytes = 0;
  /** What was in flight on an earlier connection and has not been sent again on this one, in order. */
  #resend: Deque<number> | null = null;
  #connection: ClientConnection | null = null;

  /**
   * @param isTaken whether others use a packet identifier
   * @param finished told what became of each message
   */
  constructor(
    limits: OutboxLimits,
    isTaken: (mid: number) => boolean,
    finished: (mid: number, outcome: Outcome) => void,
  ) {
    this.#limits = limits;
    this.#inflight = new Inflight(limits.maximumInflightMessages);
    this.#isTaken = (mid) => this.#queuedMids.has(mid) || isTaken(mid);
    this.#finished = finished;
  }

  /** Messages not acknowledged, those that wait included. */
  get size(): number {
    return this.#inflight.size + this.#queue.size;
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
    for (const [mid] of this.#inflight.entries()) this.#resend.push(mid);
    this.pump();
  }

  detach(): void {
    this.#connection = this.#resend = null;
  }

  /** The server has lost the Session: whatever it had acknowledged as received is done. */
  sessionLost(): void {
    for (const [mid, { wait }] of [...this.#inflight.entries()]) {
      if (wait !== "PUBCOMP") continue;
      this.#inflight.remove(mid);
      this.#finished(mid, DELIVERED);
    }
  }

  /** Sends a message or has it wait; returns why neither was done, or null. */
  publish(mid: number, message: OutgoingMessage): Refusal | null {
    const connection = this.#connection;
    const refusal = connection?.refusal(message) ?? null;
    if (refusal !== null) return refusal;
    if (connection !== null && this.#resend === null && this.#queue.size === 0 && this.#hasRoom(connection)) {
      return this.#send(connection, mid, message) ? null : "packet-too-large";
    }
    const { maximumQueuedMessages, maximumQueuedBytes } = this.#limits;
    if (this.#queue.size >= maximumQueuedMessages) return "queue-full";
    if (this.#queuedBytes + message.payload.length > maximumQueuedBytes) return "queue-full";
    this.#enqueue(mid, message);
    return null;
  }

  #enqueue(mid: number, message: OutgoingMessage): void {
    this.#queue.push({ mid, message });
    this.#queuedMids.add(mid);
    this.#queuedBytes += message.payload.length;
  }

  #hasRoom(connection: ClientConnection): boolean {
    return this.#inflight.hasRoom && connection.hasRoom;
  }

  #send(connection: ClientConnection, mid: number, message: OutgoingMessage): boolean {
    this.#inflight.restore(mid, message, message.qos === 1 ? 1 : 2);
    if (connection.sendPublish(message, mid, mid, false)) return true;
    this.#inflight.remove(mid);
    return false;
  }

  /** Sends what waits, as far as window and network have room. */
  pump(): void {
    const connection = this.#connection;
    if (connection === null) return;
    if (this.#resend !== null) this.#pumpResend(connection, this.#resend);
    while (this.#resend === null && this.#queue.size > 0 && this.#hasRoom(connection)) {
      const { mid, message } = this.#queue.shift()!;
      this.#queuedMids.delete(mid);
      this.#queuedBytes -= message.payload.length;
      const refusal = connection.refusal(message);
      if (refusal !== null) this.#finished(mid, refused(refusal));
      else if (!this.#send(connection, mid, message)) this.#finished(mid, refused("packet-too-large"));
    }
  }

  #pumpResend(connection: ClientConnection, resend: Deque<number>): void {
    const inflight = this.#inflight;
    while (resend.size > 0 && inflight.size - resend.size < inflight.receiveMaximum && connection.hasRoom) {
      const mid = resend.shift()!;
      const entry = inflight.get(mid);
      if (entry === undefined) continue;
      if (entry.message === null) {
        connection.acknowledge("PUBREL", mid, 0);
      } else if (!connection.sendPublish(entry.message, mid, mid, true)) {
        inflight.remove(mid);
        this.#finished(mid, refused("packet-too-large"));
      }
    }
    if (resend.size === 0) this.#resend = null;
  }

  /** Applies an acknowledgement of the server. */
  acknowledge(connection: ClientConnection, packet: Acknowledgement): void {
    const { packetId, reasonCode, properties } = packet;
    const type = packet.type as Ack;
    const isKnown = this.#inflight.has(packetId);
    const step = this.#inflight.acknowledge(packetId, type, reasonCode >= 0x80);
    if (step === "done") {
      this.#finished(packetId, { reasonCode, properties, refusal: null });
      this.pump();
    } else if (step === "send PUBREL") {
      connection.acknowledge("PUBREL", packetId, 0);
    } else if (isKnown) {
      const message = `${type} ${packetId} is not what that message waits for [5.0 §4.3] [3.1.1 §4.3]`;
      connection.fail({ reasonCode: ReasonCode.ProtocolError, message });
    } else {
      // After a lost Session the peer may know more than we do: that is not its mistake.
      connection.unknownPacketId(type, packetId);
      if (type === "PUBREC" && reasonCode < 0x80) {
        connection.acknowledge("PUBREL", packetId, ReasonCode.PacketIdentifierNotFound);
      }
    }
  }

  /** Everything not acknowledged, in the order of sending. */
  save(): SavedMessage[] {
    const saved: SavedMessage[] = [];
    for (const [mid, { message, wait, qos }] of this.#inflight.entries()) saved.push({ mid, qos, wait, message });
    for (const { mid, message } of this.#queue) {
      saved.push({ mid, qos: message.qos === 1 ? 1 : 2, wait: null, message });
    }
    return saved;
  }

  /** Takes saved messages back, before anything else is published. */
  restore(saved: readonly SavedMessage[]): void {
    for (const { mid, qos, wait, message } of saved) {
      if (wait !== null) this.#inflight.restore(mid, message, qos, wait);
      else if (message !== null) this.#enqueue(mid, message);
    }
  }
}
