/** The load of `lacewing bench`: publishers that send as fast as they may or at a rate, subscribers that take the time. */
import { Buffer } from "node:buffer";
import { type Client, ClientError, type IncomingMessage, type Outcome } from "../client/index.ts";
import { NO_PROPERTIES, parseShared, type SubscriptionRequest, topicMatches } from "../protocol/index.ts";
import type { Fleet } from "./fleet.ts";
import { Histogram } from "./histogram.ts";
import { type BenchArguments, numbered } from "./options/bench-options.ts";
import { Pace } from "./pace.ts";

/** Messages that one publisher may send in a turn at QoS 0, so that others have theirs. */
const MOST_IN_A_TURN = 200;

/** Messages of one publisher without their acknowledgement: what the window takes, and as many that wait for it. */
const WINDOWS = 2;

/** Most pairs of a publisher and a subscriber that are compared to know how many deliveries are due. */
const MOST_PAIRS = 10_000_000;

interface Publisher {
  readonly client: Client;
  readonly topicName: string;
  /** How many subscribers each message is for; null: unknown. */
  readonly receivers: number | null;
  isReady: boolean;
  underWay: number;
}

/** What was counted so far. */
export interface LoadCounts {
  readonly published: number;
  /** At QoS 0: handed to the system; above: acknowledged. */
  readonly acknowledged: number;
  readonly refused: number;
  readonly received: number;
  /** Deliveries that are due for what was published; null: unknown. */
  readonly due: number | null;
}

/** One load on one broker. */
export class BenchLoad {
  /** From the publisher's hands into the subscriber's, of messages sent since `measure`; in milliseconds. */
  readonly latency: Histogram = new Histogram();
  readonly #args: BenchArguments;
  readonly #publishers: Publisher[] = [];
  #subscribersLeft: number;
  #subscribed: () => void = () => {};
  #published = 0;
  #acknowledged = 0;
  #refused = 0;
  #received = 0;
  #due: number | null = 0;
  #measuredFromMs = Number.POSITIVE_INFINITY;
  #isPublishing = false;
  /** Set when publishing begins; null: as fast as goes. */
  #pace: Pace | null = null;
  #isTurnDue = false;
  #timer: NodeJS.Timeout | undefined;
  #nextPublisher = 0;
  #done: () => void = () => {};
  readonly #clock: Float64Array = new Float64Array(1);
  readonly #clockBytes: Uint8Array = new Uint8Array(this.#clock.buffer);

  constructor(args: BenchArguments, fleet: Fleet) {
    this.#args = args;
    this.#subscribersLeft = args.subscribers;
    const filters = this.#filters();
    for (const own of filters) this.#addSubscriber(fleet, fleet.size, own);
    for (let number = 0; number < args.publishers; number++) this.#addPublisher(fleet, number, filters.flat());
    for (let number = 0; number < args.connections; number++) fleet.add(memberOf(args, fleet.size), {});
  }

  get counts(): LoadCounts {
    const [published, acknowledged, refused] = [this.#published, this.#acknowledged, this.#refused];
    return { published, acknowledged, refused, received: this.#received, due: this.#due };
  }

  /** What each subscriber subscribes to. */
  #filters(): readonly (readonly string[])[] {
    const { filter, subscribers, publishers, topic } = this.#args;
    return Array.from({ length: subscribers }, (_, number) => {
      if (filter !== null) return [numbered(filter, number)];
      if (publishers === 0) return [numbered(topic, number)];
      const own: Set<string> = new Set();
      if (subscribers >= publishers) own.add(numbered(topic, number % publishers));
      else for (let i = number; i < publishers; i += subscribers) own.add(numbered(topic, i));
      return [...own];
    });
  }

  #addSubscriber(fleet: Fleet, number: number, filters: readonly string[]): void {
    const { qos, given } = this.#args;
    const requests = filters.map((topicFilter): SubscriptionRequest => {
      return { topicFilter, qos, noLocal: false, retainAsPublished: false, retainHandling: 0 };
    });
    let isNew = true;
    const client: Client = fleet.add(memberOf(this.#args, number), {
      connected: () => void client.subscribe(requests, given.SUBSCRIBE),
      subscribed: (_mid, reasonCodes) => {
        for (const reasonCode of reasonCodes) if (reasonCode >= 0x80) this.#refused++;
        if (isNew) this.#subscriberIsReady();
        isNew = false;
      },
      message: (message) => this.#message(message),
      disconnected: (_error, willReconnect) => {
        if (isNew && !willReconnect) this.#subscriberIsReady();
      },
    });
  }

  #subscriberIsReady(): void {
    if (--this.#subscribersLeft === 0) this.#subscribed();
  }

  #addPublisher(fleet: Fleet, number: number, filters: readonly string[]): void {
    const topicName = numbered(this.#args.topic, number);
    const client = fleet.add(memberOf(this.#args, fleet.size), {
      connected: () => {
        publisher.isReady = true;
        this.#wake();
      },
      disconnected: () => {
        publisher.isReady = false;
      },
      drained: () => this.#wake(),
      published: (_mid, outcome) => this.#settled(publisher, outcome),
    });
    const isKnown = filters.length * this.#args.publishers <= MOST_PAIRS;
    const receivers = isKnown ? receiversOf(topicName, filters) : null;
    const publisher: Publisher = { client, topicName, receivers, isReady: false, underWay: 0 };
    this.#publishers.push(publisher);
  }

  /** Resolves when every subscriber has its answer. */
  subscribed(): Promise<void> {
    return new Promise((resolve) => {
      this.#subscribed = resolve;
      if (this.#subscribersLeft <= 0) resolve();
    });
  }

  /** Begins to publish. */
  begin(): void {
    this.#isPublishing = true;
    const { messagesPerSecond } = this.#args;
    if (messagesPerSecond !== null) {
      this.#pace = new Pace(performance.now(), messagesPerSecond);
      this.#timer = setInterval(() => this.#wake(), 1);
    }
    this.#wake();
  }

  /** From here on times count. */
  measure(): void {
    this.#measuredFromMs = performance.now();
    this.latency.clear();
  }

  /** Resolves when as many messages have been published as are wanted. */
  enough(): Promise<void> {
    return new Promise((resolve) => {
      this.#done = resolve;
    });
  }

  /** Publishes nothing more. */
  stop(): void {
    this.#isPublishing = false;
    clearInterval(this.#timer);
  }

  #wake(): void {
    if (this.#isTurnDue || !this.#isPublishing) return;
    this.#isTurnDue = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#isTurnDue = false;
    if (!this.#isPublishing) return;
    if (this.#pace === null) this.#publishAll();
    else this.#publishDue(this.#pace);
    if (this.#published >= this.#args.mostMessages) {
      this.stop();
      this.#done();
    }
  }

  /** As many as go. */
  #publishAll(): void {
    let isAnySent = false;
    for (const publisher of this.#publishers) {
      const nowMs = performance.now();
      for (let count = 0; count < MOST_IN_A_TURN && this.#mayPublish(publisher); count++) {
        if (this.#published >= this.#args.mostMessages || !this.#publish(publisher, nowMs)) break;
        isAnySent = true;
      }
    }
    // When nobody may, an acknowledgement or an empty socket wakes us.
    if (isAnySent) this.#wake();
  }

  /** Those whose time has come, each by the next publisher that may. */
  #publishDue(pace: Pace): void {
    const nowMs = performance.now();
    const due = Math.min(this.#args.mostMessages, pace.count(nowMs));
    while (this.#published < due) {
      const publisher = this.#next();
      if (publisher === null) return;
      if (!this.#publish(publisher, pace.stampMs(this.#published, nowMs))) return;
    }
  }

  #next(): Publisher | null {
    const { length } = this.#publishers;
    for (let tried = 0; tried < length; tried++) {
      const publisher = this.#publishers[this.#nextPublisher]!;
      this.#nextPublisher = (this.#nextPublisher + 1) % length;
      if (this.#mayPublish(publisher)) return publisher;
    }
    return null;
  }

  #mayPublish({ client, isReady, underWay }: Publisher): boolean {
    const { qos, maximumInflightMessages } = this.#args;
    return isReady && client.hasRoom && (qos === 0 || underWay < WINDOWS * maximumInflightMessages);
  }

  #publish(publisher: Publisher, stampMs: number): boolean {
    const { payloadBytes, qos, retain, given, version } = this.#args;
    const payload = Buffer.allocUnsafe(payloadBytes);
    this.#clock[0] = stampMs;
    payload.set(this.#clockBytes, 0);
    payload.fill(0x2e, 8);
    const properties = version === 5 ? given.PUBLISH : NO_PROPERTIES;
    try {
      publisher.client.publish(publisher.topicName, payload, { qos, retain, properties });
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      this.#refused++;
      return false;
    }
    publisher.underWay++;
    this.#published++;
    if (this.#due !== null) this.#due = publisher.receivers === null ? null : this.#due + publisher.receivers;
    return true;
  }

  #settled(publisher: Publisher, { reasonCode, refusal }: Outcome): void {
    publisher.underWay--;
    if (refusal !== null || reasonCode >= 0x80) this.#refused++;
    else this.#acknowledged++;
    if (this.#args.qos !== 0) this.#wake();
  }

  #message({ payload, retain }: IncomingMessage): void {
    // What somebody had retained before is none of ours.
    if (retain || payload.length < 8) return;
    this.#received++;
    this.#clockBytes.set(payload.subarray(0, 8));
    const stampMs = this.#clock[0]!;
    if (stampMs >= this.#measuredFromMs) this.latency.record(performance.now() - stampMs);
  }
}

/** The arguments of one of many clients. */
function memberOf(args: BenchArguments, number: number): BenchArguments {
  return args.clientId === "" ? args : { ...args, clientId: `${args.clientId}-${number}` };
}

/** How many deliveries a message is for: a group that shares a subscription gets one. */
function receiversOf(topicName: string, filters: readonly string[]): number {
  let count = 0;
  const groups = new Set<string>();
  for (const filter of filters) {
    const shared = parseShared(filter);
    if (!topicMatches(shared?.topicFilter ?? filter, topicName)) continue;
    if (shared === null) count++;
    else groups.add(filter);
  }
  return count + groups.size;
}
