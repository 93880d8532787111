/// <reference lib="esnext.disposable" preserve="true" />
/** One `subscribe` of the application: its `mid` at once, what the server granted later, and the messages. */
import type { Properties, Qos, SubscriptionRequest } from "../protocol/index.ts";
import { MessageStream, type StreamLimits, type StreamSource } from "./message-stream.ts";
import type { ReceivedMessage } from "./received-message.ts";
import { Settled } from "./settled.ts";

/** Options of a Subscription. */
export interface SubscribeOptions {
  /** Maximum QoS of the Subscription; 0. */
  readonly qos?: Qos;
  /** Whether messages of this client itself are left out; 5.0 only. */
  readonly noLocal?: boolean;
  /** Whether the retain flag is as it was published; 5.0 only. */
  readonly retainAsPublished?: boolean;
  /** Which retained messages are wanted: 0 all, 1 only with a new Subscription, 2 none; 5.0 only. */
  readonly retainHandling?: 0 | 1 | 2;
  /**
   * A Subscription Identifier, 1..268,435,455: with it, a message of overlapping Subscriptions comes to those that the server names
   * and not to each that matches; 5.0 only.
   */
  readonly identifier?: number;
  /** 5.0 only. */
  readonly userProperties?: readonly (readonly [string, string])[];
  /**
   * Takes the messages instead of an iterator. When it returns a promise, the next message comes when that has resolved, and a
   * message at QoS 1 or 2 is acknowledged then.
   */
  readonly onMessage?: (message: ReceivedMessage) => unknown;
  /** Most messages that wait for the consumer before reading from the network stops; 1000. */
  readonly maximumMessages?: number;
  /** Most bytes of payload that wait for the consumer; 8 MiB. */
  readonly maximumBytes?: number;
  /** Unsubscribes. */
  readonly signal?: AbortSignal;
}

/** What the server answered to a SUBSCRIBE. */
export interface Subscribed {
  readonly mid: number;
  /** For each Topic Filter the QoS granted, or 0x80 and above when it was refused. */
  readonly reasonCodes: readonly number[];
  readonly properties: Properties;
}

/** What the server answered to an UNSUBSCRIBE. */
export interface Unsubscribed {
  readonly mid: number;
  /** For each Topic Filter 0, or 0x11 when there was no such Subscription; none before 5.0. */
  readonly reasonCodes: readonly number[];
  readonly properties: Properties;
}

/** What `unsubscribe` returns; it can be awaited. */
export interface Unsubscription extends Promise<Unsubscribed> {
  /** Its number in this client; 0 when there was nothing to send. */
  readonly mid: number;
}

/** Messages that match some Topic Filters: `for await (const message of subscription)`. */
export interface Subscription extends AsyncIterable<ReceivedMessage, undefined>, AsyncDisposable {
  /** The number of its SUBSCRIBE in this client, 1..65,535. */
  readonly mid: number;
  readonly topicFilters: readonly string[];
  /** What the server granted; rejects when it refused all of them. */
  readonly granted: Promise<Subscribed>;
  /** Messages that wait for the consumer. */
  readonly waitingMessages: number;
  /** Ends it. Topic Filters that no other Subscription of this client uses are unsubscribed from. */
  unsubscribe(): Unsubscription;
}

/** Bounds unless asked otherwise. */
const DEFAULT_STREAM_LIMITS: StreamLimits = { maximumMessages: 1000, maximumBytes: 8 * 1024 * 1024 };

/** A Subscription as the client sees it. */
export class ActiveSubscription implements Subscription {
  readonly mid: number;
  readonly topicFilters: readonly string[];
  readonly options: SubscribeOptions;
  readonly stream: MessageStream;
  readonly granting: Settled<Subscribed> = new Settled();
  readonly #close: (subscription: ActiveSubscription) => Unsubscription;

  constructor(
    mid: number,
    topicFilters: readonly string[],
    options: SubscribeOptions,
    source: StreamSource,
    close: (subscription: ActiveSubscription) => Unsubscription,
  ) {
    const { onMessage = null } = options;
    const {
      maximumMessages = DEFAULT_STREAM_LIMITS.maximumMessages,
      maximumBytes = DEFAULT_STREAM_LIMITS.maximumBytes,
    } = options;
    this.mid = mid;
    this.topicFilters = topicFilters;
    this.options = options;
    this.stream = new MessageStream({ maximumMessages, maximumBytes }, onMessage, source);
    this.#close = close;
  }

  get granted(): Promise<Subscribed> {
    return this.granting.promise;
  }

  get waitingMessages(): number {
    return this.stream.size;
  }

  /** What is asked of the server. `isOld`: it knows no options but the QoS. */
  requests(isOld: boolean): readonly SubscriptionRequest[] {
    const { qos = 0, noLocal = false, retainAsPublished = false, retainHandling = 0 } = this.options;
    const options = isOld
      ? ({ noLocal: false, retainAsPublished: false, retainHandling: 0 } as const)
      : { noLocal, retainAsPublished, retainHandling };
    return this.topicFilters.map((topicFilter) => ({ topicFilter, qos, ...options }));
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<ReceivedMessage, undefined> {
    return this.stream.iterate();
  }

  unsubscribe(): Unsubscription {
    return this.#close(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.unsubscribe();
  }
}
