/**
 * What waits for one Session: a head in memory and, once that is long, a rest that only the store holds. The head is filled again
 * from the store in pages, so a queue may be larger than memory. It decides nothing about bounds or sending.
 */
import type { Broker } from "./broker.ts";
import { Delivery } from "./delivery.ts";
import { Deque } from "./deque.ts";
import type { Session } from "./session.ts";
import type { QueuedFact, QueueSummary } from "./store.ts";

/** Most deliveries and payload bytes of one queue that are held in memory while a store could hold them. */
const HEAD_MESSAGES = 1000;
const HEAD_BYTES = 1_048_576;
/** What a delivery takes besides its payload, in bytes; roughly. */
const DELIVERY_BYTES = 400;
/**
 * Deliveries read from the store at once, and the size of the head below which the next page is asked for: while the client takes one
 * page, the store reads the next.
 */
const PAGE_MESSAGES = 1000;
const REFILL_BELOW = 2000;
const REFILL_BELOW_BYTES = 524_288;
/** The same while all queues together hold as much as they may: then a page is asked for when the head is empty. */
const SMALL_PAGE_MESSAGES = 100;

/** A queue; first in, first out. */
export class Queue {
  readonly #broker: Broker;
  readonly #session: Session;
  readonly #head: Deque<Delivery> = new Deque();
  #headBytes = 0;
  #restMessages = 0;
  #restBytes = 0;
  #restShared = 0;
  /** Everything up to this place is in the head or has left it. */
  #loadedOrder = 0;
  #isLoading = false;
  #onFilled: () => void = () => {};

  constructor(broker: Broker, session: Session) {
    this.#broker = broker;
    this.#session = session;
  }

  /** Deliveries that wait, in memory or not. */
  get size(): number {
    return this.#head.size + this.#restMessages;
  }

  /** Their payloads together. */
  get bytes(): number {
    return this.#headBytes + this.#restBytes;
  }

  /** Deliveries that can be taken now. */
  get headSize(): number {
    return this.#head.size;
  }

  /** Whether a further delivery, kept by the store, should not be held in memory too. */
  get isHeadFull(): boolean {
    if (this.#restMessages > 0) return true;
    if (this.#head.size === 0) return false;
    const { queueMemoryBytes, options } = this.#broker;
    return (
      this.#head.size >= HEAD_MESSAGES ||
      this.#headBytes >= HEAD_BYTES ||
      queueMemoryBytes >= options.maximumQueueMemoryBytes
    );
  }

  /**
   * Whether it is long, and all queues together hold as much as they may, where a store is there for the others and nothing else bounds
   * those that it does not keep.
   */
  get isTooMuchForMemory(): boolean {
    const { queueMemoryBytes, options, ledger } = this.#broker;
    if (!ledger.isRecording || queueMemoryBytes < options.maximumQueueMemoryBytes) return false;
    return this.#head.size >= HEAD_MESSAGES || this.#headBytes >= HEAD_BYTES;
  }

  /** Deliveries that only the store holds and that came by shared subscriptions. */
  get restShared(): number {
    return this.#restShared;
  }

  /** Adds a delivery that is held in memory. */
  push(delivery: Delivery): void {
    const { payloadBytes } = delivery.message;
    this.#head.push(delivery);
    this.#headBytes += payloadBytes;
    this.#broker.queueMemoryBytes += payloadBytes + DELIVERY_BYTES;
  }

  /** Counts a delivery that only the store holds. */
  leave({ order, message, group }: Delivery): void {
    if (this.#restMessages === 0) this.#loadedOrder = order - 1;
    this.#restMessages++;
    this.#restBytes += message.payloadBytes;
    if (group !== null) this.#restShared++;
  }

  /** What a store says of the queue of a Session that it kept. */
  restore(summary: QueueSummary): void {
    this.#restMessages = summary.messages;
    this.#restBytes = summary.payloadBytes;
    this.#restShared = summary.sharedMessages;
    this.#loadedOrder = summary.firstOrder - 1;
  }

  /** The first delivery of the head. */
  peek(): Delivery | undefined {
    return this.#head.peek();
  }

  /** Takes the first delivery of the head. */
  shift(): Delivery | undefined {
    const delivery = this.#head.shift();
    if (delivery !== undefined) this.#left(delivery);
    return delivery;
  }

  #left(delivery: Delivery): void {
    const { payloadBytes } = delivery.message;
    this.#headBytes -= payloadBytes;
    this.#broker.queueMemoryBytes -= payloadBytes + DELIVERY_BYTES;
  }

  /** Takes all deliveries of the head. */
  drain(): Delivery[] {
    const deliveries = this.#head.drain();
    for (const delivery of deliveries) this.#left(delivery);
    return deliveries;
  }

  /** The deliveries of the head. */
  [Symbol.iterator](): IterableIterator<Delivery> {
    return this.#head[Symbol.iterator]();
  }

  /** Forgets everything and returns how many of the rest were waiting. */
  clear(): number {
    const rest = this.#restMessages;
    this.drain();
    this.#restMessages = this.#restBytes = this.#restShared = 0;
    return rest;
  }

  /** Asks the store for the next page when the head runs short; `onFilled`, the last one given, is called when it is there. */
  refill(onFilled: () => void): void {
    this.#onFilled = onFilled;
    this.#readAhead();
  }

  #readAhead(): void {
    if (this.#restMessages === 0 || this.#isLoading) return;
    const { queueMemoryBytes, options, ledger } = this.#broker;
    const isShort = queueMemoryBytes >= options.maximumQueueMemoryBytes;
    if (this.#head.size >= (isShort ? 1 : REFILL_BELOW) || this.#headBytes >= REFILL_BELOW_BYTES) return;
    this.#isLoading = true;
    if (ledger.isBehind) this.#readWhenKept();
    else {
      this.#read(isShort ? SMALL_PAGE_MESSAGES : PAGE_MESSAGES, (page) => {
        // What the store has not taken yet cannot be read from it, and it takes everything in its order.
        if (page.length === 0) this.#readWhenKept();
        else this.#fill(page);
      });
    }
  }

  /** Reads what is there when the store has taken all that was left to it until now: when that is nothing, it has lost it. */
  #readWhenKept(): void {
    const expected = this.#restMessages;
    this.#broker.ledger.whenKept(() => {
      this.#read(PAGE_MESSAGES, (page) => {
        if (page.length === 0) this.#lost(expected);
        this.#fill(page);
      });
    });
  }

  /** Reads on in the store, unless the queue has been cleared before or by then. */
  #read(limit: number, onPage: (page: readonly QueuedFact[]) => void): void {
    if (this.#restMessages === 0) return;
    this.#broker.queueReads.read(this.#session.clientId, this.#loadedOrder, limit, (page) => {
      if (this.#restMessages > 0) onPage(page);
    });
  }

  #fill(page: readonly QueuedFact[]): void {
    this.#isLoading = false;
    for (const fact of page) this.#take(fact);
    // The store reads on while this page is sent.
    this.#readAhead();
    this.#onFilled();
  }

  #take({ delivery: fact, message }: QueuedFact): void {
    const { records, router } = this.#broker;
    const group = fact.share === null ? null : (router.group(fact.share) ?? null);
    const delivery = new Delivery(records.restored(message), fact.qos, fact.retain, fact.subscriptionIds, group);
    delivery.order = fact.order;
    delivery.isStored = delivery.usesStored = true;
    delivery.storedMessage = message.message;
    delivery.message.storedUses = 1;
    this.#loadedOrder = fact.order;
    this.#restMessages--;
    this.#restBytes -= fact.payloadBytes;
    if (fact.share !== null) this.#restShared--;
    this.push(delivery);
  }

  /** The store had fewer deliveries than were given to it: their records are damaged. */
  #lost(missing: number): void {
    this.#restMessages -= missing;
    if (this.#restMessages === 0) this.#restBytes = this.#restShared = 0;
    this.#broker.counters.dropped["store-damaged"] += missing;
    this.#broker.observer.queueDamaged?.(this.#session, missing);
  }
}
