/** Checks that facts fit together: what they refer to came before, nothing comes twice, and a delivery stands where one can. */
import type { Change } from "../../core/index.ts";
import { decodePacket, isFault, parseShared, topicFilterFault } from "../../protocol/index.ts";
import { ImportError } from "../import-source.ts";

type Of<Kind extends Change["kind"]> = Extract<Change, { kind: Kind }>;

interface KnownSession {
  readonly orders: Set<number>;
  readonly packetIds: Set<number>;
}

/** All facts so far. */
export class References {
  readonly #sessions: Map<string, KnownSession> = new Map();
  /** Topics of messages by their keys. */
  readonly #messages: Map<number, string> = new Map();
  /** The message that the next fact must refer to. */
  #expected: number | null = null;
  #number = 0;

  /**
   * Takes the next fact, of line `number`.
   * @throws ImportError when it does not fit
   */
  add(fact: Change, number: number): void {
    this.#number = number;
    const refersTo = "message" in fact && fact.kind !== "message-added" ? fact.message : null;
    if (this.#expected !== null && refersTo !== this.#expected)
      throw this.#fault(`must refer to the message ${this.#expected}, which stands before it`);
    this.#expected = null;
    if (refersTo !== null && !this.#messages.has(refersTo))
      throw this.#fault(`names the message ${refersTo}, which does not stand before it`);
    switch (fact.kind) {
      case "session-set":
        return this.#session(fact);
      case "message-added":
        return this.#message(fact);
      case "delivery-set":
        return this.#delivery(fact, this.#owner(fact.clientId));
      case "subscription-set":
        this.#owner(fact.clientId);
        return this.#wellFormed(topicFilterFault(fact.topicFilter, Number.POSITIVE_INFINITY));
      case "share-set":
        return this.#share(fact.share);
      case "retained-set":
        return this.#retained(fact);
      case "received-set":
      case "will-set":
        this.#owner(fact.clientId);
    }
  }

  /** Says that there are no more. */
  end(): void {
    if (this.#expected !== null) throw this.#fault(`has the message ${this.#expected}, to which nothing refers`);
  }

  #fault(what: string): ImportError {
    return new ImportError(`line ${this.#number} ${what}`);
  }

  #wellFormed(fault: string | null): void {
    if (fault !== null) throw this.#fault(`cannot be: ${fault}`);
  }

  #session({ clientId }: Of<"session-set">): void {
    if (this.#sessions.has(clientId)) throw this.#fault(`has the session "${clientId}" for the second time`);
    this.#sessions.set(clientId, { orders: new Set(), packetIds: new Set() });
  }

  #owner(clientId: string): KnownSession {
    const session = this.#sessions.get(clientId);
    if (session === undefined) throw this.#fault(`names the session "${clientId}", which does not stand before it`);
    return session;
  }

  #message({ message, publish }: Of<"message-added">): void {
    if (this.#messages.has(message)) throw this.#fault(`has the message ${message} for the second time`);
    const packet = decodePacket(publish, 0, publish.length, 5, "client");
    if (isFault(packet) || packet.type !== "PUBLISH")
      throw this.#fault(`cannot be: ${isFault(packet) ? packet.message : packet.type}`);
    this.#messages.set(message, packet.topicName);
    this.#expected = message;
  }

  #delivery(fact: Of<"delivery-set">, { orders, packetIds }: KnownSession): void {
    const { clientId, order, packetId, qos, wait, message, share } = fact;
    if (orders.has(order)) throw this.#fault(`has the order ${order} of "${clientId}" for the second time`);
    orders.add(order);
    if (share !== null) this.#share(share);
    if (packetId > 0 && packetIds.has(packetId))
      throw this.#fault(`has the packet identifier ${packetId} to "${clientId}" for the second time`);
    packetIds.add(packetId);
    if ((wait === "PUBACK") !== (qos === 1)) throw this.#fault(`waits for ${wait} at QoS ${qos}`);
    if ((wait === "PUBCOMP") !== (message === null))
      throw this.#fault(`waits for ${wait} ${message === null ? "without a" : "with its"} message`);
    if (wait === "PUBCOMP" && packetId === 0) throw this.#fault("waits for PUBCOMP without packet identifier");
  }

  #share(share: string): void {
    if (parseShared(share) === null) throw this.#fault(`has "${share}", which is no shared subscription`);
  }

  #retained({ topicName, message }: Of<"retained-set">): void {
    const known = this.#messages.get(message);
    if (known !== topicName) throw this.#fault(`retains a message of "${known}" for "${topicName}"`);
  }
}
