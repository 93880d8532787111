/**
 * A Store in the memory of this process: what it keeps outlives a broker that ends, not the process. For tests, and for an
 * application that starts its embedded broker again.
 */
import type { Change, Fact, QueuedFact, QueueSummary, Store } from "../core/index.ts";

type Of<Kind extends Change["kind"]> = Extract<Change, { kind: Kind }>;

/** A Session and all that names it. */
interface SessionFacts {
  fact: Of<"session-set">;
  readonly subscriptions: Map<string, Of<"subscription-set">>;
  readonly deliveries: Deliveries;
  readonly received: Map<number, Of<"received-set">>;
  will: Of<"will-set"> | null;
}

/** Deliveries of one Session by their place, which nearly always come in order. */
class Deliveries {
  #byOrder: Map<number, Of<"delivery-set">> = new Map();
  #highest = 0;
  #isSorted = true;

  get(order: number): Of<"delivery-set"> | undefined {
    return this.#byOrder.get(order);
  }

  set(fact: Of<"delivery-set">): void {
    if (fact.order > this.#highest) this.#highest = fact.order;
    else if (!this.#byOrder.has(fact.order)) this.#isSorted = false;
    this.#byOrder.set(fact.order, fact);
  }

  delete(order: number): void {
    this.#byOrder.delete(order);
  }

  /** All of them, lowest place first. */
  values(): IterableIterator<Of<"delivery-set">> {
    if (!this.#isSorted) {
      this.#byOrder = new Map([...this.#byOrder].sort(([a], [b]) => a - b));
      this.#isSorted = true;
    }
    return this.#byOrder.values();
  }
}

/** Keeps facts in memory. */
export class MemoryStore implements Store {
  readonly survives = "process";
  #clock: Of<"clock-set"> | null = null;
  readonly #sessions: Map<string, SessionFacts> = new Map();
  readonly #messages: Map<number, Of<"message-added">> = new Map();
  /** How many facts refer to each message. */
  readonly #references: Map<number, number> = new Map();
  readonly #retained: Map<string, Of<"retained-set">> = new Map();
  /** Shares by group and place. */
  readonly #shares: Map<string, Map<number, Of<"share-set">>> = new Map();
  /** Messages that the present batch has added or taken a reference from. */
  readonly #doubtful: Set<number> = new Set();
  #nextMessage = 1;

  /** Messages kept. */
  get messages(): number {
    return this.#messages.size;
  }

  append(changes: readonly Change[]): Promise<void> {
    for (const change of changes) this.#apply(change);
    for (const message of this.#doubtful) if (!this.#references.has(message)) this.#messages.delete(message);
    this.#doubtful.clear();
    return Promise.resolve();
  }

  #apply(change: Change): void {
    switch (change.kind) {
      case "clock-set":
        this.#clock = change;
        return;
      case "session-set":
        return this.#setSession(change);
      case "session-deleted":
        return this.#deleteSession(change.clientId);
      case "message-added":
        return this.#addMessage(change);
      case "share-set":
      case "share-deleted":
        return this.#applyShare(change);
      case "retained-set":
      case "retained-deleted":
        return this.#applyRetained(change);
      default: {
        const session = this.#sessions.get(change.clientId);
        if (session !== undefined) this.#applyTo(session, change);
      }
    }
  }

  #setSession(fact: Of<"session-set">): void {
    const known = this.#sessions.get(fact.clientId);
    if (known !== undefined) known.fact = fact;
    else {
      const [subscriptions, deliveries, received] = [new Map(), new Deliveries(), new Map()];
      this.#sessions.set(fact.clientId, { fact, subscriptions, deliveries, received, will: null });
    }
  }

  #deleteSession(clientId: string): void {
    const session = this.#sessions.get(clientId);
    if (session === undefined) return;
    this.#sessions.delete(clientId);
    for (const { message } of session.deliveries.values()) this.#unrefer(message);
  }

  #addMessage(fact: Of<"message-added">): void {
    this.#messages.set(fact.message, fact);
    this.#doubtful.add(fact.message);
    this.#nextMessage = Math.max(this.#nextMessage, fact.message + 1);
  }

  #refer(message: number | null): void {
    if (message !== null) this.#references.set(message, (this.#references.get(message) ?? 0) + 1);
  }

  #unrefer(message: number | null | undefined): void {
    if (message == null) return;
    const left = this.#references.get(message)! - 1;
    if (left > 0) this.#references.set(message, left);
    else {
      this.#references.delete(message);
      this.#doubtful.add(message);
    }
  }

  #applyShare(change: Of<"share-set"> | Of<"share-deleted">): void {
    const { share, order } = change;
    let places = this.#shares.get(share);
    this.#unrefer(places?.get(order)?.message);
    if (change.kind === "share-set") {
      if (places === undefined) this.#shares.set(share, (places = new Map()));
      places.set(order, change);
      this.#refer(change.message);
    } else if (places !== undefined) {
      places.delete(order);
      if (places.size === 0) this.#shares.delete(share);
    }
  }

  #applyRetained(change: Of<"retained-set"> | Of<"retained-deleted">): void {
    const { topicName } = change;
    this.#unrefer(this.#retained.get(topicName)?.message);
    if (change.kind === "retained-set") {
      this.#retained.set(topicName, change);
      this.#refer(change.message);
    } else {
      this.#retained.delete(topicName);
    }
  }

  #applyTo(
    session: SessionFacts,
    change: Exclude<Change, { kind: `${"clock" | "session" | "message" | "share" | "retained"}-${string}` }>,
  ): void {
    switch (change.kind) {
      case "subscription-set":
        session.subscriptions.set(change.topicFilter, change);
        return;
      case "subscription-deleted":
        session.subscriptions.delete(change.topicFilter);
        return;
      case "delivery-set":
        this.#unrefer(session.deliveries.get(change.order)?.message);
        session.deliveries.set(change);
        return this.#refer(change.message);
      case "delivery-deleted":
        this.#unrefer(session.deliveries.get(change.order)?.message);
        return session.deliveries.delete(change.order);
      case "received-set":
        session.received.set(change.packetId, change);
        return;
      case "received-deleted":
        session.received.delete(change.packetId);
        return;
      case "will-set":
        session.will = change;
        return;
      case "will-deleted":
        session.will = null;
        return;
    }
  }

  async *replay(): AsyncIterable<Fact> {
    yield* this.#facts();
  }

  *#facts(): IterableIterator<Fact> {
    if (this.#clock !== null) yield this.#clock;
    yield { kind: "next-message", message: this.#nextMessage };
    const sessions = [...this.#sessions.values()];
    for (const { fact } of sessions) yield fact;
    for (const { subscriptions } of sessions) yield* subscriptions.values();
    const seen = new Set<number>();
    for (const { deliveries, received, will } of sessions) {
      for (const delivery of deliveries.values()) {
        if (!isQueued(delivery)) yield* this.#withMessage(delivery, seen);
      }
      yield* received.values();
      if (will !== null) yield will;
    }
    for (const places of this.#shares.values())
      for (const share of places.values()) yield* this.#withMessage(share, seen);
    for (const retained of this.#retained.values()) yield* this.#withMessage(retained, seen);
    for (const { fact, deliveries } of sessions) {
      const summary = summaryOf(fact.clientId, deliveries);
      if (summary !== null) yield summary;
    }
  }

  /** A fact, and before it the message that it refers to unless that is `seen`. */
  *#withMessage(
    fact: Of<"delivery-set"> | Of<"share-set"> | Of<"retained-set">,
    seen: Set<number>,
  ): IterableIterator<Fact> {
    const { message } = fact;
    if (message !== null && !seen.has(message)) {
      seen.add(message);
      yield this.#messages.get(message)!;
    }
    yield fact;
  }

  readQueue(clientId: string, afterOrder: number, limit: number): Promise<readonly QueuedFact[]> {
    const page: QueuedFact[] = [];
    for (const delivery of this.#sessions.get(clientId)?.deliveries.values() ?? []) {
      if (page.length === limit) break;
      if (delivery.order > afterOrder && isQueued(delivery))
        page.push({ delivery, message: this.#messages.get(delivery.message!)! });
    }
    return Promise.resolve(page);
  }
}

/** Whether a `QueueSummary` counts it. */
function isQueued({ packetId }: Of<"delivery-set">): boolean {
  return packetId === 0;
}

function summaryOf(clientId: string, deliveries: Deliveries): QueueSummary | null {
  let [messages, sharedMessages, payloadBytes, firstOrder, lastOrder] = [0, 0, 0, 0, 0];
  for (const delivery of deliveries.values()) {
    if (!isQueued(delivery)) continue;
    if (messages++ === 0) firstOrder = delivery.order;
    if (delivery.share !== null) sharedMessages++;
    payloadBytes += delivery.payloadBytes;
    lastOrder = delivery.order;
  }
  if (messages === 0) return null;
  return { kind: "queue", clientId, messages, sharedMessages, payloadBytes, firstOrder, lastOrder };
}
