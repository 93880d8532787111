/** Facts for tests of stores, and the plain model of what a store must give back: the last fact of each key. */
import type { Change, Fact, QueueSummary, Store } from "../../src/core/index.ts";
import { encodePublish, NO_PROPERTIES } from "../../src/protocol/index.ts";
import { bytesOf } from "../support/test-client.ts";

export type Of<Kind extends Change["kind"]> = Extract<Change, { kind: Kind }>;

export function sessionSet(clientId: string, rest: Partial<Of<"session-set">> = {}): Of<"session-set"> {
  return { kind: "session-set", clientId, principal: null, expirySeconds: 3600, disconnectedAtMs: null, ...rest };
}

export function subscriptionSet(clientId: string, topicFilter: string): Of<"subscription-set"> {
  return {
    kind: "subscription-set",
    clientId,
    topicFilter,
    qos: 1,
    noLocal: false,
    retainAsPublished: false,
    subscriptionId: null,
  };
}

/** A message of which `payload` tells it from others. */
export function messageAdded(
  message: number,
  payload: string | Uint8Array = `payload ${message}`,
): Of<"message-added"> {
  const bytes = typeof payload === "string" ? bytesOf(payload) : payload;
  const publish = encodePublish(
    { topicName: "t", payload: bytes, qos: 1, retain: false, dup: false, packetId: 1, properties: NO_PROPERTIES },
    5,
  );
  return { kind: "message-added", message, publish, expiresAtMs: null, publisher: "publisher" };
}

/** A delivery that waits in the queue, unless `rest` says otherwise. */
export function deliverySet(
  clientId: string,
  order: number,
  message: number | null,
  rest: Partial<Of<"delivery-set">> = {},
): Of<"delivery-set"> {
  return {
    kind: "delivery-set",
    clientId,
    order,
    message,
    qos: 1,
    retain: false,
    subscriptionIds: null,
    packetId: 0,
    wait: "PUBACK",
    share: null,
    payloadBytes: 10,
    ...rest,
  };
}

export function willSet(clientId: string, rest: Partial<Of<"will-set">> = {}): Of<"will-set"> {
  return {
    kind: "will-set",
    clientId,
    publish: messageAdded(1, "will").publish,
    delaySeconds: 5,
    dueAtMs: null,
    ...rest,
  };
}

/** Everything that a store holds, its queues read to their ends, as texts in no particular order. */
export async function holdings(store: Store, page: number = 1000): Promise<string[]> {
  const found: (Change | QueueSummary)[] = [];
  const queues: QueueSummary[] = [];
  const messages = new Set<number>();
  for (const fact of await replayed(store)) {
    if (fact.kind === "next-message") continue;
    found.push(fact);
    if (fact.kind === "queue") queues.push(fact);
    if (fact.kind === "message-added") messages.add(fact.message);
  }
  for (const { clientId } of queues) {
    for (const { delivery, message } of await wholeQueue(store, clientId, page)) {
      found.push(delivery);
      if (!messages.has(message.message)) found.push(message);
      messages.add(message.message);
    }
  }
  return found.map(textOf).sort();
}

export async function replayed(store: Store): Promise<Fact[]> {
  const facts: Fact[] = [];
  for await (const fact of store.replay()) facts.push(fact);
  return facts;
}

/** A queue, read in pages. */
export async function wholeQueue(
  store: Store,
  clientId: string,
  limit: number,
): Promise<Awaited<ReturnType<Store["readQueue"]>>[number][]> {
  const all = [];
  for (let after = 0; ; ) {
    const page = await store.readQueue(clientId, after, limit);
    if (page.length === 0) return all;
    all.push(...page);
    after = page.at(-1)!.delivery.order;
  }
}

/** A fact as text that does not depend on the order of its fields. */
export function textOf(fact: Fact): string {
  const fields = Object.entries(fact).map(([name, value]) => [name, value instanceof Uint8Array ? hex(value) : value]);
  return JSON.stringify(Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : 1))));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** What a store must hold, worked out in the plainest way. */
export class FactModel {
  readonly #facts: Map<string, Change> = new Map();

  apply(changes: readonly Change[]): void {
    for (const change of changes) this.#applyOne(change);
    const wanted = new Set([...this.#facts.values()].map(referenceOf));
    for (const [key, fact] of this.#facts) {
      if (fact.kind === "message-added" && !wanted.has(fact.message)) this.#facts.delete(key);
    }
  }

  #applyOne(change: Change): void {
    const key = keyOf(change);
    if (change.kind === "session-deleted") {
      for (const [other, fact] of this.#facts) {
        if ("clientId" in fact && fact.clientId === change.clientId) this.#facts.delete(other);
      }
    } else if (change.kind.endsWith("-deleted")) this.#facts.delete(key);
    else this.#facts.set(key, change);
  }

  /** Facts that name a Session or a message which is not there. */
  contradictions(): string[] {
    const facts = [...this.#facts.values()];
    const sessions = new Set(facts.flatMap((fact) => (fact.kind === "session-set" ? fact.clientId : [])));
    const messages = new Set(facts.flatMap((fact) => (fact.kind === "message-added" ? fact.message : [])));
    const isWrong = (fact: Change): boolean => {
      const message = referenceOf(fact);
      return ("clientId" in fact && !sessions.has(fact.clientId)) || (message !== null && !messages.has(message));
    };
    return facts.filter(isWrong).map(textOf);
  }

  /** As `holdings` of a store. */
  holdings(): string[] {
    return [...this.#facts.values(), ...this.#queues()].map(textOf).sort();
  }

  *#queues(): IterableIterator<QueueSummary> {
    const queues = new Map<string, Of<"delivery-set">[]>();
    for (const fact of this.#facts.values()) {
      if (fact.kind !== "delivery-set" || fact.packetId !== 0) continue;
      queues.set(fact.clientId, [...(queues.get(fact.clientId) ?? []), fact]);
    }
    for (const [clientId, deliveries] of queues) {
      const orders = deliveries.map(({ order }) => order);
      yield {
        kind: "queue",
        clientId,
        messages: deliveries.length,
        sharedMessages: deliveries.filter(({ share }) => share !== null).length,
        payloadBytes: deliveries.reduce((sum, { payloadBytes }) => sum + payloadBytes, 0),
        firstOrder: Math.min(...orders),
        lastOrder: Math.max(...orders),
      };
    }
  }
}

/** The message that a fact refers to. */
function referenceOf(fact: Change): number | null {
  return fact.kind === "delivery-set" || fact.kind === "share-set" || fact.kind === "retained-set"
    ? fact.message
    : null;
}

/** What a fact is about: kinds that set and end the same thing have the same. */
function keyOf(change: Change): string {
  const noun = change.kind.slice(0, change.kind.lastIndexOf("-"));
  switch (change.kind) {
    case "clock-set":
      return noun;
    case "subscription-set":
    case "subscription-deleted":
      return JSON.stringify([noun, change.clientId, change.topicFilter]);
    case "message-added":
      return JSON.stringify([noun, change.message]);
    case "delivery-set":
    case "delivery-deleted":
      return JSON.stringify([noun, change.clientId, change.order]);
    case "share-set":
    case "share-deleted":
      return JSON.stringify([noun, change.share, change.order]);
    case "received-set":
    case "received-deleted":
      return JSON.stringify([noun, change.clientId, change.packetId]);
    case "retained-set":
    case "retained-deleted":
      return JSON.stringify([noun, change.topicName]);
    default:
      return JSON.stringify([noun, change.clientId]);
  }
}
