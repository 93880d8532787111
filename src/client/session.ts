/**
 * A client's Session [5.0 §4.1]: what it owes to the server and has taken from it. It outlives connections, can be saved and
 * restored, and does no I/O. Every request of the application gets a `mid`, which is also its packet identifier where it has one.
 */
import { Deque } from "../core/index.ts";
import {
  type Acknowledgement,
  MqttError,
  NO_PROPERTIES,
  type Packet,
  type Properties,
  type Publish,
  publishOf,
  ReasonCode,
  Received,
  type Subscribe,
  type SubscriptionRequest,
  topicFilterFault,
  type Unsubscribe,
  type Version,
} from "../protocol/index.ts";
import type { ClientConnection } from "./connection.ts";
import type { SessionJournal } from "./journal.ts";
import {
  checkMessage,
  checkText,
  type IncomingMessage,
  type Outcome,
  type OutgoingMessage,
  type Refusal,
} from "./message.ts";
import { Outbox, type OutboxLimits, type SavedMessage } from "./outbox.ts";
import { SparseMap } from "./sparse-map.ts";

/** Bounds of a Session. */
export interface SessionLimits extends OutboxLimits {
  /** Most messages at QoS 1 and 2 that the server may have under way to us, 1..65,535; announced in the CONNECT of 5.0. */
  readonly receiveMaximum: number;
}

/** libmosquitto's windows; what waits is bounded by the packet identifiers and by bytes. */
export const DEFAULT_SESSION_LIMITS: SessionLimits = {
  maximumInflightMessages: 20,
  receiveMaximum: 20,
  maximumQueuedMessages: 65_535,
  maximumQueuedBytes: 268_435_456,
};

/**
 * Messages at QoS 2 beyond our Receive Maximum that are taken all the same: mosquitto 2.0 sends twice the window with each round while its
 * queue, 1000 messages unless it is set to more, lasts. To go for that would be to lose the same connection again and again.
 */
const TOLERATED_OVERRUN = 2000;

/** What a Session tells the application. */
export interface SessionListener {
  /**
   * A message came.
   * @param sequence at QoS 2 the number of the message in this Session, the same after a restart; 0 at QoS 0 and 1
   * @returns false when the application has not taken it yet and `taken` will say when; looked at unless `acknowledgesFirst`
   */
  message(message: IncomingMessage, sequence: number): unknown;
  /**
   * What became of a message: at QoS 1 with its PUBACK, at QoS 2 with its PUBCOMP. QoS 0 is told only when it never left the
   * queue; the rest is the connection's to tell. `message` is null when only its `mid` is left.
   */
  published(mid: number, outcome: Outcome, message: OutgoingMessage | null): void;
  subscribed(mid: number, reasonCodes: readonly number[], properties: Properties): void;
  unsubscribed(mid: number, reasonCodes: readonly number[], properties: Properties): void;
  /** The connection went before the answer to a SUBSCRIBE or UNSUBSCRIBE came: nobody knows whether it took effect. */
  requestLost(mid: number): void;
}

/** A message taken at QoS 2 as it is saved. */
export interface SavedReceipt {
  readonly sequence: number;
  /** 0 when the server has lost the Session since: no PUBREL will come. */
  readonly packetId: number;
  readonly message: IncomingMessage;
}

/** A Session as plain data. */
export interface SavedSession {
  readonly outgoing: readonly SavedMessage[];
  /** Messages taken at QoS 2 that the server has not released or the application not taken. */
  readonly received: readonly SavedReceipt[];
  /** How many messages have been taken at QoS 2. */
  readonly lastSequence: number;
}

/** What a Session is besides its limits. */
export interface SessionTraits {
  /** Told of what must survive the process. */
  readonly journal?: SessionJournal | null;
  /**
   * Whether a message is acknowledged before the application gets it, as libmosquitto does; otherwise when the application has
   * taken it.
   */
  readonly acknowledgesFirst?: boolean;
  /**
   * Whether PUBRELs go out again when the server says that it has lost the Session, as those of mosquitto's bridges do: a server that has
   * should know none of them and answers so; one that has not is given its PUBREL.
   */
  readonly keepsReleases?: boolean;
  /** Milliseconds on a clock that never goes back, for messages that expire while they wait. */
  readonly nowMs?: () => number;
}

/** A message taken at QoS 2, from its PUBLISH until everything is done. */
interface Receipt {
  readonly sequence: number;
  readonly message: IncomingMessage;
  /** Whether the application has got it and not said that it has taken it. */
  isHandedOn: boolean;
  /** Whether the server has forgotten it. */
  isOrphan: boolean;
}

/** A message at QoS 1 that is acknowledged when it and those before it have been taken. */
interface Owed {
  readonly message: IncomingMessage;
  isTaken: boolean;
}

/** State that belongs to a client and outlives its connections. */
export class ClientSession {
  /** May change between two connections. */
  version: Version;
  readonly limits: SessionLimits;
  /** Told from now on; set before the first connection. */
  listener: Partial<SessionListener> | null = null;
  readonly #outbox: Outbox;
  readonly #journal: SessionJournal | null;
  readonly #acknowledgesFirst: boolean;
  readonly #keepsReleases: boolean;
  /** SUBSCRIBE and UNSUBSCRIBE without an answer, by packet identifier; "reserved" are those not sent. */
  readonly #requests: SparseMap<number, "SUBACK" | "UNSUBACK" | "reserved"> = new SparseMap();
  readonly #received: Received = new Received();
  /** The messages of `#received`: handed on with their PUBREL, as libmosquitto does. */
  readonly #receipts: SparseMap<number, Receipt> = new SparseMap();
  /** Handed on, and of no connection any more; by their sequence. */
  readonly #orphans: SparseMap<number, Receipt> = new SparseMap();
  #lastSequence = 0;
  /** PUBACKs are sent in the order of the messages [5.0 MQTT-4.6.0-2] [3.1.1 MQTT-4.6.0-2]. */
  readonly #owed: Deque<Owed> = new Deque();
  #connection: ClientConnection | null = null;

  constructor(version: Version, limits: SessionLimits = DEFAULT_SESSION_LIMITS, traits: SessionTraits = {}) {
    const { journal = null, acknowledgesFirst = true, nowMs = () => performance.now() } = traits;
    const { keepsReleases = false } = traits;
    this.version = version;
    this.limits = limits;
    this.#journal = journal;
    this.#acknowledgesFirst = acknowledgesFirst;
    this.#keepsReleases = keepsReleases;
    this.#outbox = new Outbox(
      limits,
      journal,
      nowMs,
      (mid) => this.#requests.has(mid),
      (mid, outcome, message) => this.listener?.published?.(mid, outcome, message),
    );
  }

  /** Messages at QoS 1 and 2 that the server has not acknowledged, those that wait included. */
  get unacknowledgedMessages(): number {
    return this.#outbox.size;
  }

  /** Messages that wait for a connection or for room in the window. */
  get queuedMessages(): number {
    return this.#outbox.queuedMessages;
  }

  /** Bytes of payload that wait. */
  get queuedBytes(): number {
    return this.#outbox.queuedBytes;
  }

  /**
   * Publishes. Without a connection, QoS 1 and 2 wait for one.
   * @param reserved a `mid` that was reserved; it stays so when the message is not taken
   * @returns its `mid`, or why it was not taken
   * @throws MqttError or RangeError when a field is not allowed
   */
  publish(message: OutgoingMessage, reserved: number = 0): number | Refusal {
    checkMessage(message, this.version);
    const mid = reserved === 0 ? this.#outbox.nextMid() : reserved;
    if (mid === 0) return "no-packet-identifier";
    const refusal = this.#outbox.publish(mid, message);
    if (refusal !== null) return refusal;
    if (reserved !== 0) this.#requests.delete(reserved);
    return mid;
  }

  /** Takes back a message that has not been sent; false when it has been, or is not known. */
  withdraw(mid: number): boolean {
    return this.#outbox.withdraw(mid);
  }

  /** A `mid` for a request that will be sent later; 0 when there is none. `release` gives it back. */
  reserve(): number {
    const mid = this.#outbox.nextMid();
    if (mid !== 0) this.#requests.set(mid, "reserved");
    return mid;
  }

  /** Reserves a `mid` that has just been free again, as in `requestLost`. */
  keep(mid: number): void {
    this.#requests.set(mid, "reserved");
  }

  /** Gives a reserved `mid` back. */
  release(mid: number): void {
    if (this.#requests.get(mid) === "reserved") this.#requests.delete(mid);
  }

  /**
   * Subscribes, by one packet.
   * @param reserved a `mid` that was reserved; it stays so when the request is not sent
   * @returns its `mid`, or why it was not sent
   * @throws MqttError or RangeError when a field is not allowed
   */
  subscribe(
    subscriptions: readonly SubscriptionRequest[],
    properties: Properties = NO_PROPERTIES,
    reserved: number = 0,
  ): number | Refusal {
    for (const { topicFilter } of subscriptions) checkFilter("SUBSCRIBE", topicFilter);
    return this.#request("SUBACK", reserved, (packetId) => ({
      type: "SUBSCRIBE",
      packetId,
      subscriptions,
      properties,
    }));
  }

  /**
   * Unsubscribes, by one packet.
   * @param reserved a `mid` that was reserved; it stays so when the request is not sent
   * @returns its `mid`, or why it was not sent
   * @throws MqttError or RangeError when a field is not allowed
   */
  unsubscribe(
    topicFilters: readonly string[],
    properties: Properties = NO_PROPERTIES,
    reserved: number = 0,
  ): number | Refusal {
    for (const topicFilter of topicFilters) checkFilter("UNSUBSCRIBE", topicFilter);
    return this.#request("UNSUBACK", reserved, (packetId) => ({
      ...{ type: "UNSUBSCRIBE", packetId, topicFilters, properties },
    }));
  }

  #request(
    answer: "SUBACK" | "UNSUBACK",
    reserved: number,
    packetOf: (packetId: number) => Subscribe | Unsubscribe,
  ): number | Refusal {
    const connection = this.#connection;
    if (connection === null) return "not-connected";
    const mid = reserved === 0 ? this.#outbox.nextMid() : reserved;
    if (mid === 0) return "no-packet-identifier";
    if (!connection.send(packetOf(mid))) return "packet-too-large";
    this.#requests.set(mid, answer);
    return mid;
  }

  /** Begins to serve a connection that was accepted. `isPresent`: the server remembers this Session. */
  attach(connection: ClientConnection, isPresent: boolean): void {
    this.#connection = connection;
    if (!isPresent) this.#lost();
    this.#outbox.attach(connection);
  }

  /** Sends again what was under way, and what waits. */
  begin(): void {
    this.#outbox.begin();
  }

  /** The server has lost the Session. What we took from it is ours, and it will use the packet identifiers anew. */
  #lost(): void {
    const receipts = this.#receipts.entries();
    this.#receipts.clear();
    for (const [packetId, receipt] of receipts) {
      this.#received.release(packetId);
      receipt.isOrphan = true;
      this.#orphans.set(receipt.sequence, receipt);
      this.#journal?.note({ kind: "incoming-orphaned", sequence: receipt.sequence });
      if (!receipt.isHandedOn) this.#handOn(receipt);
    }
    if (!this.#keepsReleases) this.#outbox.sessionLost();
  }

  /** The connection is gone. */
  detach(): void {
    if (this.#connection === null) return;
    this.#connection = null;
    this.#owed.drain();
    this.#outbox.detach();
    const sent = this.#requests.entries().filter(([, state]) => state !== "reserved");
    const lost = sent.map(([mid]) => mid);
    for (const mid of lost) this.#requests.delete(mid);
    for (const mid of lost) this.listener?.requestLost?.(mid);
  }

  /** The network has room again. */
  pump(): void {
    this.#outbox.pump();
  }

  /** Handles a packet of the server that belongs to the Session. */
  receive(connection: ClientConnection, packet: Packet): void {
    switch (packet.type) {
      case "PUBLISH":
        return this.#receivePublish(connection, packet);
      case "PUBREL":
        return this.#receivePubrel(connection, packet);
      case "PUBACK":
      case "PUBREC":
      case "PUBCOMP":
        return this.#outbox.acknowledge(connection, packet);
      case "SUBACK":
        if (!this.#answered(connection, packet)) return;
        return this.listener?.subscribed?.(packet.packetId, packet.reasonCodes, packet.properties);
      case "UNSUBACK":
        if (!this.#answered(connection, packet)) return;
        return this.listener?.unsubscribed?.(packet.packetId, packet.reasonCodes, packet.properties);
      default:
        throw new Error(`a ${packet.type} does not belong to the Session`);
    }
  }

  #answered(connection: ClientConnection, packet: { type: "SUBACK" | "UNSUBACK"; packetId: number }): boolean {
    const { type, packetId } = packet;
    const isExpected = this.#requests.get(packetId) === type;
    if (isExpected) this.#requests.delete(packetId);
    else connection.unknownPacketId(type, packetId);
    return isExpected;
  }

  #receivePublish(connection: ClientConnection, packet: Publish): void {
    switch (packet.qos) {
      case 0:
        this.listener?.message?.(packet, 0);
        return;
      case 1:
        return this.#receiveQos1(connection, packet);
      default:
        return this.#receiveQos2(connection, packet);
    }
  }

  #receiveQos1(connection: ClientConnection, packet: Publish): void {
    if (this.#acknowledgesFirst) {
      connection.acknowledge("PUBACK", packet.packetId, 0);
      this.listener?.message?.(packet, 0);
      return;
    }
    const owed: Owed = { message: packet, isTaken: false };
    this.#owed.push(owed);
    if (this.listener?.message?.(packet, 0) === false) return;
    owed.isTaken = true;
    this.#payOwed(connection);
  }

  #payOwed(connection: ClientConnection): void {
    while (this.#owed.peek()?.isTaken) connection.acknowledge("PUBACK", this.#owed.shift()!.message.packetId, 0);
  }

  /** The application has taken a message for which `message` had returned false. */
  taken(message: IncomingMessage): void {
    if (message.qos === 2) return this.#takenQos2(message);
    const connection = this.#connection;
    if (connection === null) return;
    for (const owed of this.#owed) {
      if (owed.message !== message) continue;
      owed.isTaken = true;
      return this.#payOwed(connection);
    }
  }

  #takenQos2(message: IncomingMessage): void {
    const receipt = this.#receipts.get(message.packetId);
    if (receipt?.message === message) return this.#done(message.packetId, receipt);
    for (const orphan of this.#orphans.values()) if (orphan.message === message) return this.#done(0, orphan);
  }

  #receiveQos2(connection: ClientConnection, packet: Publish): void {
    const { packetId } = packet;
    const received = this.#received;
    const most = this.limits.receiveMaximum + TOLERATED_OVERRUN;
    if (!received.has(packetId) && received.size >= most && this.version === 5) {
      connection.fail({
        reasonCode: ReasonCode.ReceiveMaximumExceeded,
        message: `${received.size} messages at QoS 2 are under way, far more than our Receive Maximum of ${this.limits.receiveMaximum} [5.0 MQTT-3.3.4-9]`,
      });
      return;
    }
    if (received.publish(packetId) === "new") {
      // A copy: the chunk that it came in should not live as long as the server takes.
      const message = publishOf({ ...fieldsOf(packet), payload: new Uint8Array(packet.payload) });
      const sequence = ++this.#lastSequence;
      this.#receipts.set(packetId, { sequence, message, isHandedOn: false, isOrphan: false });
      this.#journal?.note({ kind: "incoming-added", sequence, message });
    }
    this.#acknowledgeWhenKept("PUBREC", connection, packetId);
  }

  #acknowledgeWhenKept(type: "PUBREC" | "PUBCOMP", connection: ClientConnection, packetId: number): void {
    if (this.#journal === null) return connection.acknowledge(type, packetId, 0);
    this.#journal.whenKept(() => {
      if (this.#connection === connection) connection.acknowledge(type, packetId, 0);
    });
  }

  #receivePubrel(connection: ClientConnection, { packetId }: Acknowledgement): void {
    const receipt = this.#receipts.get(packetId);
    if (receipt === undefined) {
      connection.unknownPacketId("PUBREL", packetId);
      return connection.acknowledge("PUBCOMP", packetId, ReasonCode.PacketIdentifierNotFound);
    }
    // The PUBCOMP comes when the application has taken it.
    if (receipt.isHandedOn) return;
    if (this.#acknowledgesFirst && this.#journal === null) connection.acknowledge("PUBCOMP", packetId, 0);
    this.#handOn(receipt);
  }

  #handOn(receipt: Receipt): void {
    const { message, sequence, isOrphan } = receipt;
    receipt.isHandedOn = true;
    const isTaken = this.listener?.message?.(message, sequence) !== false;
    if (isTaken || this.#acknowledgesFirst) this.#done(isOrphan ? 0 : message.packetId, receipt);
  }

  /** A message at QoS 2 has been taken. */
  #done(packetId: number, receipt: Receipt): void {
    if (receipt.isOrphan) {
      this.#orphans.delete(receipt.sequence);
    } else {
      this.#receipts.delete(packetId);
      this.#received.release(packetId);
    }
    this.#journal?.note({ kind: "incoming-done", sequence: receipt.sequence });
    const connection = this.#connection;
    const isAnswered = this.#acknowledgesFirst && this.#journal === null;
    if (!receipt.isOrphan && connection !== null && !isAnswered) {
      this.#acknowledgeWhenKept("PUBCOMP", connection, packetId);
    }
  }

  /** Everything that must survive for the promises of QoS 1 and 2 to hold, as plain data. */
  save(): SavedSession {
    const received = [...this.#receipts.values(), ...this.#orphans.values()].map(({ sequence, message, isOrphan }) => {
      const packetId = isOrphan ? 0 : message.packetId;
      return { sequence, packetId, message: fieldsOf(message) };
    });
    return { outgoing: this.#outbox.save(), received, lastSequence: this.#lastSequence };
  }

  /** Takes a saved Session back, before the first connection and the first request. */
  restore(saved: SavedSession): void {
    this.#outbox.restore(saved.outgoing);
    this.#lastSequence = saved.lastSequence;
    for (const { sequence, packetId, message } of saved.received) {
      const receipt = { sequence, message, isHandedOn: false, isOrphan: packetId === 0 };
      if (packetId === 0) {
        this.#orphans.set(receipt.sequence, receipt);
        continue;
      }
      this.#received.publish(packetId);
      this.#receipts.set(packetId, receipt);
    }
  }

  /** Hands on what a restored Session still had for the application without any server's doing. */
  resume(): void {
    for (const receipt of this.#orphans.values()) if (!receipt.isHandedOn) this.#handOn(receipt);
  }
}

function fieldsOf(message: IncomingMessage): IncomingMessage {
  const { topicName, payload, qos, retain, dup, packetId, properties } = message;
  return { topicName, payload, qos, retain, dup, packetId, properties };
}

function checkFilter(packet: "SUBSCRIBE" | "UNSUBSCRIBE", topicFilter: string): void {
  const fault = topicFilterFault(topicFilter, Number.POSITIVE_INFINITY);
  if (fault !== null) throw new MqttError(ReasonCode.TopicFilterInvalid, `${packet}: ${fault}`);
  checkText(`${packet}: the topic filter`, topicFilter, ReasonCode.TopicFilterInvalid);
}
