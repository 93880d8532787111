/**
 * A client's Session [5.0 §4.1]: what it owes to the server and has taken from it. It outlives connections, can be saved and
 * restored, and does no I/O. Every request of the application gets a `mid`, which is also its packet identifier where it has one.
 */
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
import {
  checkMessage,
  checkText,
  type IncomingMessage,
  type Outcome,
  type OutgoingMessage,
  type Refusal,
} from "./message.ts";
import { Outbox, type OutboxLimits, type SavedMessage } from "./outbox.ts";

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

/** What a Session tells the application. */
export interface SessionListener {
  message(message: IncomingMessage): void;
  /** What became of a message: at QoS 1 with its PUBACK, at QoS 2 with its PUBCOMP. QoS 0 is the connection's to tell. */
  published(mid: number, outcome: Outcome): void;
  subscribed(mid: number, reasonCodes: readonly number[], properties: Properties): void;
  unsubscribed(mid: number, reasonCodes: readonly number[], properties: Properties): void;
  /** The connection went before the answer to a SUBSCRIBE or UNSUBSCRIBE came: nobody knows whether it took effect. */
  requestLost(mid: number): void;
}

/** A Session as plain data. */
export interface SavedSession {
  readonly outgoing: readonly SavedMessage[];
  /** Messages taken at QoS 2 that the server has not released, by packet identifier. */
  readonly received: readonly (readonly [packetId: number, message: IncomingMessage])[];
}

/** State that belongs to a client and outlives its connections. */
export class ClientSession {
  readonly version: Version;
  readonly limits: SessionLimits;
  /** Told from now on; set before the first connection. */
  listener: SessionListener | null = null;
  readonly #outbox: Outbox;
  /** SUBSCRIBE and UNSUBSCRIBE without an answer, by packet identifier. */
  readonly #requests: Map<number, "SUBACK" | "UNSUBACK"> = new Map();
  readonly #received: Received = new Received();
  /** The messages of `#received`: handed on with their PUBREL, as libmosquitto does. */
  readonly #held: Map<number, IncomingMessage> = new Map();
  #connection: ClientConnection | null = null;

  constructor(version: Version, limits: SessionLimits = DEFAULT_SESSION_LIMITS) {
    this.version = version;
    this.limits = limits;
    this.#outbox = new Outbox(
      limits,
      (mid) => this.#requests.has(mid),
      (mid, outcome) => this.listener?.published(mid, outcome),
    );
  }

  /** Messages at QoS 1 and 2 that the server has not acknowledged, those that wait included. */
  get unacknowledgedMessages(): number {
    return this.#outbox.size;
  }

  /**
   * Publishes. Without a connection, QoS 1 and 2 wait for one.
   * @returns its `mid`, or why it was not taken
   * @throws MqttError or RangeError when a field is not allowed
   */
  publish(message: OutgoingMessage): number | Refusal {
    checkMessage(message, this.version);
    const mid = this.#outbox.nextMid();
    if (mid === 0) return "no-packet-identifier";
    const refusal = message.qos === 0 ? this.#publishQos0(mid, message) : this.#outbox.publish(mid, message);
    return refusal ?? mid;
  }

  #publishQos0(mid: number, message: OutgoingMessage): Refusal | null {
    const connection = this.#connection;
    if (connection === null) return "not-connected";
    if (connection.backlogBytes > this.limits.maximumQueuedBytes) return "queue-full";
    return connection.refusal(message) ?? (connection.sendPublish(message, 0, mid, false) ? null : "packet-too-large");
  }

  /**
   * Subscribes, by one packet.
   * @returns its `mid`, or why it was not sent
   * @throws MqttError or RangeError when a field is not allowed
   */
  subscribe(subscriptions: readonly SubscriptionRequest[], properties: Properties = NO_PROPERTIES): number | Refusal {
    for (const { topicFilter } of subscriptions) checkFilter("SUBSCRIBE", topicFilter);
    return this.#request("SUBACK", (packetId) => ({ type: "SUBSCRIBE", packetId, subscriptions, properties }));
  }

  /**
   * Unsubscribes, by one packet.
   * @returns its `mid`, or why it was not sent
   * @throws MqttError or RangeError when a field is not allowed
   */
  unsubscribe(topicFilters: readonly string[], properties: Properties = NO_PROPERTIES): number | Refusal {
    for (const topicFilter of topicFilters) checkFilter("UNSUBSCRIBE", topicFilter);
    return this.#request("UNSUBACK", (packetId) => ({ type: "UNSUBSCRIBE", packetId, topicFilters, properties }));
  }

  #request(answer: "SUBACK" | "UNSUBACK", packetOf: (packetId: number) => Subscribe | Unsubscribe): number | Refusal {
    const connection = this.#connection;
    if (connection === null) return "not-connected";
    const mid = this.#outbox.nextMid();
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

  /** The server has lost the Session. What we took from it is ours, and it will use the packet identifiers anew. */
  #lost(): void {
    for (const packetId of [...this.#received.values()]) this.#release(packetId);
    this.#outbox.sessionLost();
  }

  /** The connection is gone. */
  detach(): void {
    if (this.#connection === null) return;
    this.#connection = null;
    this.#outbox.detach();
    const lost = [...this.#requests.keys()];
    this.#requests.clear();
    for (const mid of lost) this.listener?.requestLost(mid);
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
        return this.listener?.subscribed(packet.packetId, packet.reasonCodes, packet.properties);
      case "UNSUBACK":
        if (!this.#answered(connection, packet)) return;
        return this.listener?.unsubscribed(packet.packetId, packet.reasonCodes, packet.properties);
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
        break;
      case 1:
        connection.acknowledge("PUBACK", packet.packetId, 0);
        break;
      default:
        return this.#receiveQos2(connection, packet);
    }
    this.listener?.message(packet);
  }

  #receiveQos2(connection: ClientConnection, packet: Publish): void {
    const { packetId } = packet;
    const received = this.#received;
    if (!received.has(packetId) && received.size >= this.limits.receiveMaximum && this.version === 5) {
      connection.fail({
        reasonCode: ReasonCode.ReceiveMaximumExceeded,
        message: `more than ${received.size} messages at QoS 2 are under way, our Receive Maximum [5.0 MQTT-3.3.4-9]`,
      });
      return;
    }
    if (received.publish(packetId) === "new") {
      // A copy: the chunk that it came in should not live as long as the server takes.
      this.#held.set(packetId, publishOf({ ...fieldsOf(packet), payload: packet.payload.slice() }));
    }
    connection.acknowledge("PUBREC", packetId, 0);
  }

  #receivePubrel(connection: ClientConnection, { packetId }: Acknowledgement): void {
    const isKnown = this.#received.has(packetId);
    if (!isKnown) connection.unknownPacketId("PUBREL", packetId);
    connection.acknowledge("PUBCOMP", packetId, isKnown ? 0 : ReasonCode.PacketIdentifierNotFound);
    if (isKnown) this.#release(packetId);
  }

  #release(packetId: number): void {
    this.#received.release(packetId);
    const message = this.#held.get(packetId);
    this.#held.delete(packetId);
    if (message !== undefined) this.listener?.message(message);
  }

  /** Everything that must survive for the promises of QoS 1 and 2 to hold, as plain data. */
  save(): SavedSession {
    return {
      outgoing: this.#outbox.save(),
      received: [...this.#held].map(([packetId, message]) => [packetId, fieldsOf(message)] as const),
    };
  }

  /** Takes a saved Session back, before the first connection and the first request. */
  restore(saved: SavedSession): void {
    this.#outbox.restore(saved.outgoing);
    for (const [packetId, message] of saved.received) {
      this.#received.publish(packetId);
      this.#held.set(packetId, message);
    }
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
