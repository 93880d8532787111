// The book of what was sent, acknowledged and received, by publisher, sequence number and subscriber; and the verdict, which is set
// arithmetic and nothing else: acknowledged and not delivered, delivered twice, out of order, changed, never sent.
// Must not know brokers, connections or time.
import { Tally } from "./tally.ts";

/** What went wrong, and what only is told. */
export interface Verdict {
  readonly sent: number;
  readonly acknowledged: number;
  /** PUBACK or PUBREC with a reason code of 0x80 or more. */
  readonly refused: number;
  /** Deliveries that were not repetitions. */
  readonly delivered: number;
  /** Allowed at QoS 1 after a connection was lost. */
  readonly repeated: number;
  /** By subscriber: acknowledged and not received. */
  readonly lost: readonly number[];
  /** By subscriber: received more than once at QoS 2. */
  readonly doubled: readonly number[];
  /** By subscriber: received for the first time after a later message of the same publisher and topic. */
  readonly disordered: readonly number[];
  /** By subscriber: sequences that began anew without a lost connection. */
  readonly rewound: readonly number[];
  /** By subscriber: not as it was sent, or never sent. */
  readonly altered: readonly number[];
  /** Messages that came in this round and were lost in an earlier one: they were late, which is a fault too, but another one. */
  readonly late: number;
  /** Sessions that should have been there and were not. */
  readonly sessionsLost: number;
  /** Faults of another kind, in words. */
  readonly faults: readonly string[];
  readonly isClean: boolean;
}

/** One row of the book. */
interface PublisherRow {
  sent: number;
  /** Since the last `settle`, as all sums here. */
  acknowledged: number;
  refused: number;
  readonly acks: Tally;
  /** Times that it had to begin anew with what was not acknowledged. */
  restarts: number;
}

interface Pair {
  readonly counts: Tally;
  /** Lost in earlier rounds. */
  readonly missing: Set<number>;
  /** Highest sequence number received, the last one, and how often a sequence went back. */
  highest: number;
  last: number;
  descents: number;
}

/** One subscriber, or the members of a shared Subscription, who share a row. */
export interface SubscriberKind {
  readonly qos: 1 | 2;
  /** No order is promised to the members of a group. */
  readonly isGroup?: boolean;
}

interface SubscriberRow {
  readonly qos: 1 | 2;
  readonly isGroup: boolean;
  readonly pairs: readonly Pair[];
  delivered: number;
  repeated: number;
  doubled: number;
  disordered: number;
  altered: number;
  restarts: number;
}

export class Ledger {
  readonly #publishers: readonly PublisherRow[];
  readonly #subscribers: readonly SubscriberRow[];
  #faults: string[] = [];
  #sessionsLost = 0;
  #late = 0;

  constructor(publishers: number, subscribers: readonly SubscriberKind[]) {
    this.#publishers = Array.from({ length: publishers }, () => ({
      sent: 0,
      acknowledged: 0,
      refused: 0,
      acks: new Tally(),
      restarts: 0,
    }));
    const pair = (): Pair => ({ counts: new Tally(), missing: new Set(), highest: 0, last: 0, descents: 0 });
    this.#subscribers = subscribers.map(({ qos, isGroup = false }) => ({
      qos,
      isGroup,
      pairs: Array.from({ length: publishers }, pair),
      delivered: 0,
      repeated: 0,
      doubled: 0,
      disordered: 0,
      altered: 0,
      restarts: 0,
    }));
  }

  /** Number of them. */
  get publishers(): number {
    return this.#publishers.length;
  }

  #publisher(index: number): PublisherRow {
    return this.#publishers[index] as PublisherRow;
  }

  #subscriber(index: number): SubscriberRow {
    return this.#subscribers[index] as SubscriberRow;
  }

  /** Books a message as sent and returns its sequence number: 1, 2, 3, ... */
  send(publisher: number): number {
    return ++this.#publisher(publisher).sent;
  }

  /** Books that the broker has taken a message on; a second time counts for nothing. */
  acknowledge(publisher: number, sequence: number): void {
    const row = this.#publisher(publisher);
    if (row.acks.add(sequence) === 0) row.acknowledged++;
  }

  refuse(publisher: number): void {
    this.#publisher(publisher).refused++;
  }

  /** Books a message as received. */
  receive(subscriber: number, publisher: number, sequence: number): void {
    const row = this.#subscriber(subscriber);
    const pair = row.pairs[publisher];
    if (pair === undefined || sequence > this.#publisher(publisher).sent) {
      row.altered++;
      return;
    }
    if (sequence <= pair.last) pair.descents++;
    pair.last = sequence;
    if (pair.missing.delete(sequence)) this.#late++;
    if (pair.counts.add(sequence) > 0) {
      row.repeated++;
      if (row.qos === 2) row.doubled++;
      return;
    }
    row.delivered++;
    if (sequence > pair.highest) pair.highest = sequence;
    else if (!row.isGroup) row.disordered++;
  }

  receiveAltered(subscriber: number): void {
    this.#subscriber(subscriber).altered++;
  }

  /** Books that a publisher sends again what was not acknowledged: at QoS 1 a sequence may begin anew once. */
  restartPublisher(publisher: number): void {
    this.#publisher(publisher).restarts++;
  }

  /** Books that a subscriber has come back: what it had not acknowledged may come again. */
  restartSubscriber(subscriber: number): void {
    this.#subscriber(subscriber).restarts++;
  }

  loseSession(): void {
    this.#sessionsLost++;
  }

  fault(text: string): void {
    this.#faults.push(text);
  }

  get sent(): number {
    return this.#publishers.reduce((sum, { sent, acks }) => sum + sent - acks.settled, 0);
  }

  get acknowledged(): number {
    return this.#publishers.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  }

  get refused(): number {
    return this.#publishers.reduce((sum, { refused }) => sum + refused, 0);
  }

  /** Different messages that a subscriber has had in this round. */
  delivered(subscriber: number): number {
    return this.#subscriber(subscriber).delivered;
  }

  /** Messages acknowledged and not received by `subscriber`. */
  lost(subscriber: number): number {
    let lost = 0;
    for (const [index, { counts }] of this.#subscriber(subscriber).pairs.entries()) {
      const { acks, sent } = this.#publisher(index);
      for (let sequence = acks.settled + 1; sequence <= sent; sequence++) {
        if (acks.get(sequence) > 0 && counts.get(sequence) === 0) lost++;
      }
    }
    return lost;
  }

  /** The first messages that `subscriber` lacks, as "publisher:sequence". */
  examples(subscriber: number, most: number = 5): string[] {
    const found: string[] = [];
    for (const [index, { counts }] of this.#subscriber(subscriber).pairs.entries()) {
      const { acks, sent } = this.#publisher(index);
      for (let sequence = acks.settled + 1; sequence <= sent && found.length < most; sequence++) {
        if (acks.get(sequence) > 0 && counts.get(sequence) === 0) found.push(`${index}:${sequence}`);
      }
    }
    return found;
  }

  verdict(): Verdict {
    const lost = this.#subscribers.map((_, index) => this.lost(index));
    const doubled = this.#subscribers.map((row) => row.doubled);
    const disordered = this.#subscribers.map((row) => row.disordered);
    const altered = this.#subscribers.map((row) => row.altered);
    const rewound = this.#subscribers.map((row) => this.#rewound(row));
    const bad = [lost, doubled, disordered, altered, rewound].flat();
    return {
      sent: this.sent,
      acknowledged: this.acknowledged,
      refused: this.refused,
      delivered: this.#subscribers.reduce((sum, row) => sum + row.delivered, 0),
      repeated: this.#subscribers.reduce((sum, row) => sum + row.repeated, 0),
      lost,
      doubled,
      disordered,
      rewound,
      altered,
      late: this.#late,
      sessionsLost: this.#sessionsLost,
      faults: [...this.#faults],
      isClean:
        this.#late === 0 && bad.every((count) => count === 0) && this.#sessionsLost === 0 && this.#faults.length === 0,
    };
  }

  /** A sequence goes back when the publisher begins anew, or when the subscriber does. */
  #rewound({ pairs, restarts, isGroup }: SubscriberRow): number {
    if (isGroup) return 0;
    let rewound = 0;
    for (const [index, { descents }] of pairs.entries()) {
      rewound += Math.max(0, descents - restarts - this.#publisher(index).restarts);
    }
    return rewound;
  }

  /** Begins a new round: sums begin at 0, single messages are forgotten; one that comes all the same is a repetition. */
  settle(): void {
    for (const [index, publisher] of this.#publishers.entries()) {
      const { sent, acks } = publisher;
      publisher.acknowledged = publisher.refused = publisher.restarts = 0;
      for (const { pairs } of this.#subscribers) {
        const pair = pairs[index] as Pair;
        for (let sequence = acks.settled + 1; sequence <= sent; sequence++)
          if (acks.get(sequence) > 0 && pair.counts.get(sequence) === 0) pair.missing.add(sequence);
        pair.counts.settle(sent);
        pair.descents = 0;
      }
      acks.settle(sent);
    }
    for (const row of this.#subscribers) {
      row.delivered = row.repeated = row.doubled = row.disordered = row.altered = row.restarts = 0;
    }
    this.#sessionsLost = this.#late = 0;
    this.#faults = [];
  }
}
