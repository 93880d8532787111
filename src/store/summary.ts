/** Counts and bytes of what a store holds, in all and by client, from one replay: queues are not read. */
import type { Fact, Store } from "../core/index.ts";
import { decodePacket, isFault } from "../protocol/index.ts";

/** What belongs to one client. Bytes are of payloads. */
export interface ClientSummary {
  readonly clientId: string;
  subscriptions: number;
  queuedMessages: number;
  queuedBytes: number;
  inflightMessages: number;
  inflightBytes: number;
  /** Packet identifiers received at QoS 2. */
  received: number;
}

/** What there is in all. */
export interface StoreSummary {
  readonly clients: readonly ClientSummary[];
  readonly subscriptions: number;
  readonly queuedMessages: number;
  readonly queuedBytes: number;
  readonly inflightMessages: number;
  readonly inflightBytes: number;
  readonly received: number;
  readonly retainedMessages: number;
  readonly retainedBytes: number;
  readonly wills: number;
  /** Messages owed to shared subscriptions while a member that is not durable holds them. */
  readonly shares: number;
}

/** Sums `store` up. */
export async function summarize(store: Store): Promise<StoreSummary> {
  const summing = new Summing();
  for await (const fact of store.replay()) summing.add(fact);
  return summing.summary;
}

class Summing {
  readonly #clients: Map<string, ClientSummary> = new Map();
  /** Payload bytes of the messages that were replayed. */
  readonly #payloadBytes: Map<number, number> = new Map();
  #retainedMessages = 0;
  #retainedBytes = 0;
  #wills = 0;
  #shares = 0;

  add(fact: Fact): void {
    switch (fact.kind) {
      case "session-set":
        this.#client(fact.clientId);
        break;
      case "subscription-set":
        this.#client(fact.clientId).subscriptions++;
        break;
      case "queue":
        this.#queued(fact.clientId, fact.messages, fact.payloadBytes);
        break;
      case "delivery-set":
        if (fact.packetId === 0) this.#queued(fact.clientId, 1, fact.payloadBytes);
        else this.#inflight(fact.clientId, fact.message === null ? 0 : fact.payloadBytes);
        break;
      case "received-set":
        this.#client(fact.clientId).received++;
        break;
      case "message-added":
        this.#payloadBytes.set(fact.message, payloadBytesOf(fact.publish));
        break;
      case "retained-set":
        this.#retainedMessages++;
        this.#retainedBytes += this.#payloadBytes.get(fact.message) ?? 0;
        break;
      case "will-set":
        this.#wills++;
        break;
      case "share-set":
        this.#shares++;
    }
  }

  #client(clientId: string): ClientSummary {
    const known = this.#clients.get(clientId);
    if (known !== undefined) return known;
    const client = {
      clientId,
      subscriptions: 0,
      queuedMessages: 0,
      queuedBytes: 0,
      inflightMessages: 0,
      inflightBytes: 0,
      received: 0,
    };
    this.#clients.set(clientId, client);
    return client;
  }

  #queued(clientId: string, messages: number, bytes: number): void {
    const client = this.#client(clientId);
    client.queuedMessages += messages;
    client.queuedBytes += bytes;
  }

  #inflight(clientId: string, bytes: number): void {
    const client = this.#client(clientId);
    client.inflightMessages++;
    client.inflightBytes += bytes;
  }

  get summary(): StoreSummary {
    const clients = [...this.#clients.values()];
    const sum = (field: Exclude<keyof ClientSummary, "clientId">): number =>
      clients.reduce((total, client) => total + client[field], 0);
    return {
      clients,
      subscriptions: sum("subscriptions"),
      queuedMessages: sum("queuedMessages"),
      queuedBytes: sum("queuedBytes"),
      inflightMessages: sum("inflightMessages"),
      inflightBytes: sum("inflightBytes"),
      received: sum("received"),
      retainedMessages: this.#retainedMessages,
      retainedBytes: this.#retainedBytes,
      wills: this.#wills,
      shares: this.#shares,
    };
  }
}

function payloadBytesOf(publish: Uint8Array): number {
  const packet = decodePacket(publish, 0, publish.length, 5, "client");
  return isFault(packet) || packet.type !== "PUBLISH" ? 0 : packet.payload.length;
}
