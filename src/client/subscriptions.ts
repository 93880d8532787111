/**
 * What the application has subscribed to: requests until they are answered, Subscriptions that are made again on a server that has
 * forgotten them, and who gets which message.
 */
import { encodePacket, NO_PROPERTIES, type Properties, parseShared, topicMatches } from "../protocol/index.ts";
import { type ClientError, refusalError } from "./errors.ts";
import type { IncomingMessage } from "./message.ts";
import type { MessageStream, StreamSource } from "./message-stream.ts";
import type { ReceivedMessage } from "./received-message.ts";
import type { ClientSession } from "./session.ts";
import { Settled } from "./settled.ts";
import {
  ActiveSubscription,
  type Subscribed,
  type SubscribeOptions,
  type Unsubscribed,
  type Unsubscription,
} from "./subscription.ts";
import { refusedSubscription, refusedUnsubscription, unsubscribedError } from "./subscription-errors.ts";
import { UnclaimedMessages } from "./unclaimed-messages.ts";
import { NOTHING_TO_DO, PendingUnsubscription } from "./unsubscription.ts";

/** What the registry needs of its client. */
export interface SubscriptionsHost {
  readonly session: ClientSession;
  /** Whether somebody gets every message, whatever is subscribed to. */
  hasListener(): boolean;
  /** Whether options that came with 5.0 are to be left out, as the server turned out to be older. */
  isFallenBack(): boolean;
  /** Something was asked of the session. */
  requested(): void;
  /** Whether messages have to wait has changed, or what is outstanding. */
  flowChanged(): void;
  subscribed(subscribed: Subscribed): void;
  unsubscribed(unsubscribed: Unsubscribed): void;
  /** A message was lost, or nobody takes it. */
  warn(text: string): void;
}

/** A Topic Filter that the application wants. */
interface Wish {
  readonly topicFilter: string;
  /** What a message's topic is compared with: the filter of a shared Subscription is behind its name. */
  readonly pattern: string;
  /** Whose options hold: the last that asked for it. */
  owner: ActiveSubscription;
  readonly users: Set<ActiveSubscription>;
  /** Whether the server has granted it, on whatever connection. */
  isGranted: boolean;
}

type Pending =
  | { readonly kind: "subscribe"; readonly subscription: ActiveSubscription; isSent: boolean }
  | {
      readonly kind: "unsubscribe";
      readonly topicFilters: readonly string[];
      readonly settled: Settled<Unsubscribed>;
      isSent: boolean;
    }
  /** Made again on a new connection. */
  | { readonly kind: "again"; readonly wishes: readonly Wish[]; isSent: boolean };

interface Held {
  readonly source: IncomingMessage;
  /** Consumers that are not done with it. */
  left: number;
}

/** Topics whose receivers are remembered. */
const REMEMBERED_TOPICS = 1000;
/** Filters in one SUBSCRIBE that makes Subscriptions again. */
const MOST_FILTERS_AGAIN = 100;

/** All Subscriptions of a client. */
export class Subscriptions implements StreamSource {
  readonly #host: SubscriptionsHost;
  readonly #wishes: Map<string, Wish> = new Map();
  readonly #active: Set<ActiveSubscription> = new Set();
  readonly #pending: Map<number, Pending> = new Map();
  readonly #receivers: Map<string, readonly ActiveSubscription[]> = new Map();
  readonly #held: Map<ReceivedMessage, Held> = new Map();
  readonly #unclaimed: UnclaimedMessages;
  #fullStreams = 0;
  /** Messages at QoS 0 for which a consumer was too slow. */
  droppedMessages = 0;

  constructor(host: SubscriptionsHost) {
    this.#host = host;
    this.#unclaimed = new UnclaimedMessages((early) => {
      for (const { message, source } of early) {
        this.#nobodyTakes(message);
        this.#acknowledge(source);
      }
      host.requested();
    });
  }

  /** Requests without an answer. */
  get pendingRequests(): number {
    return this.#pending.size;
  }

  /** Whether a consumer is so far behind that nothing more should be read. */
  get isFull(): boolean {
    return this.#fullStreams > 0;
  }

  /**
   * Subscribes now, or on the next connection.
   * @throws MqttError or RangeError for a field that is not allowed, RequestError when no request can be made
   */
  subscribe(topicFilters: readonly string[], options: SubscribeOptions): ActiveSubscription {
    const { session } = this.#host;
    const mid = session.reserve();
    if (mid === 0) throw refusalError("no-packet-identifier");
    const subscription = new ActiveSubscription(mid, topicFilters, options, this, (closed) => this.#close(closed));
    try {
      const packet = { type: "SUBSCRIBE", packetId: mid, ...this.#requestOf(subscription) } as const;
      encodePacket(packet, session.version);
    } catch (error) {
      session.release(mid);
      throw error;
    }
    this.#active.add(subscription);
    this.#receivers.clear();
    for (const topicFilter of topicFilters) this.#wish(topicFilter, subscription);
    this.#pending.set(mid, { kind: "subscribe", subscription, isSent: false });
    this.#send(mid);
    this.#host.flowChanged();
    this.#claim();
    return subscription;
  }

  #wish(topicFilter: string, subscription: ActiveSubscription): void {
    const wish = this.#wishes.get(topicFilter);
    if (wish === undefined) {
      const pattern = parseShared(topicFilter)?.topicFilter ?? topicFilter;
      const users = new Set([subscription]);
      this.#wishes.set(topicFilter, { topicFilter, pattern, owner: subscription, users, isGranted: false });
      return;
    }
    // Asked for again, as in every `onConnect` of a program that was ported: the messages of the former one go to the listener.
    if (this.#host.hasListener()) for (const user of wish.users) if (!user.stream.isClaimed) user.stream.abandon();
    wish.users.add(subscription);
    wish.owner = subscription;
    wish.isGranted = false;
  }

  #requestOf(subscription: ActiveSubscription) {
    const isFallenBack = this.#host.isFallenBack();
    const { identifier, userProperties } = subscription.options;
    const hasProperties = !isFallenBack && (identifier !== undefined || userProperties !== undefined);
    const properties: Properties = hasProperties
      ? {
          ...(identifier !== undefined && { subscriptionIdentifiers: [identifier] }),
          ...(userProperties !== undefined && { userProperties }),
        }
      : NO_PROPERTIES;
    return { subscriptions: subscription.requests(isFallenBack), properties };
  }

  /** Sends a request that waits, when there is a connection. */
  #send(mid: number): void {
    const pending = this.#pending.get(mid);
    if (pending === undefined || pending.isSent || pending.kind === "again") return;
    const { session } = this.#host;
    let sent: ReturnType<ClientSession["subscribe"]>;
    if (pending.kind === "subscribe") {
      const { subscriptions, properties } = this.#requestOf(pending.subscription);
      sent = session.subscribe(subscriptions, properties, mid);
    } else {
      sent = session.unsubscribe(pending.topicFilters, NO_PROPERTIES, mid);
    }
    if (sent === "not-connected") return;
    if (typeof sent === "number") {
      pending.isSent = true;
      return this.#host.requested();
    }
    session.release(mid);
    this.#pending.delete(mid);
    this.#failed(pending, refusalError(sent));
  }

  #failed(pending: Pending, error: ClientError): void {
    if (pending.kind === "unsubscribe") pending.settled.reject(error);
    else if (pending.kind === "subscribe") this.#refused(pending.subscription, error);
    else for (const wish of pending.wishes) this.#wishFailed(wish, error);
  }

  #wishFailed(wish: Wish, error: ClientError): void {
    for (const user of [...wish.users]) this.#refused(user, error);
  }

  /** A Subscription will never get anything. */
  #refused(subscription: ActiveSubscription, error: ClientError): void {
    this.#forget(subscription);
    subscription.granting.reject(error);
    subscription.stream.end(error);
  }

  /** Takes a Subscription out; returns the filters that nobody uses any more. */
  #forget(subscription: ActiveSubscription): string[] {
    this.#active.delete(subscription);
    this.#receivers.clear();
    const unused: string[] = [];
    for (const topicFilter of subscription.topicFilters) {
      const wish = this.#wishes.get(topicFilter);
      if (!wish?.users.delete(subscription)) continue;
      if (wish.users.size > 0) continue;
      this.#wishes.delete(topicFilter);
      unused.push(topicFilter);
    }
    return unused;
  }

  #close(subscription: ActiveSubscription): Unsubscription {
    const isKnown = this.#active.has(subscription);
    const unused = this.#forget(subscription);
    subscription.stream.discard();
    subscription.granting.reject(unsubscribedError());
    return isKnown && unused.length > 0 ? this.#unsubscribe(unused) : NOTHING_TO_DO;
  }

  /**
   * Unsubscribes now, or on the next connection. Subscriptions without any filter left end.
   * @throws MqttError for a filter that is not allowed, RequestError when no request can be made
   */
  unsubscribe(topicFilters: readonly string[]): Unsubscription {
    const packet = { type: "UNSUBSCRIBE", packetId: 1, topicFilters, properties: NO_PROPERTIES } as const;
    encodePacket(packet, this.#host.session.version);
    const unsubscription = this.#unsubscribe(topicFilters);
    for (const topicFilter of topicFilters) this.#wishes.delete(topicFilter);
    this.#receivers.clear();
    for (const subscription of this.#active) {
      if (subscription.topicFilters.some((topicFilter) => this.#wishes.get(topicFilter)?.users.has(subscription)))
        continue;
      this.#active.delete(subscription);
      subscription.stream.end(null);
      subscription.granting.reject(unsubscribedError());
    }
    return unsubscription;
  }

  #unsubscribe(topicFilters: readonly string[]): Unsubscription {
    const mid = this.#host.session.reserve();
    if (mid === 0) throw refusalError("no-packet-identifier");
    const settled = new Settled<Unsubscribed>();
    this.#pending.set(mid, { kind: "unsubscribe", topicFilters, settled, isSent: false });
    this.#send(mid);
    this.#host.flowChanged();
    return new PendingUnsubscription(mid, settled);
  }

  /** The server has let us in; what the application asked for in that moment is under way already. */
  connected(isSessionPresent: boolean): void {
    if (!isSessionPresent) this.#again();
    for (const mid of [...this.#pending.keys()]) this.#send(mid);
  }

  #again(): void {
    const byOptions = new Map<string, Wish[]>();
    for (const wish of this.#wishes.values()) {
      if (!wish.isGranted) continue;
      const { identifier, userProperties } = wish.owner.options;
      const key = JSON.stringify([identifier, userProperties]);
      const group = byOptions.get(key);
      if (group === undefined) byOptions.set(key, [wish]);
      else group.push(wish);
    }
    for (const group of byOptions.values()) {
      for (let from = 0; from < group.length; from += MOST_FILTERS_AGAIN) {
        this.#sendAgain(group.slice(from, from + MOST_FILTERS_AGAIN));
      }
    }
  }

  #sendAgain(wishes: readonly Wish[]): void {
    const { session } = this.#host;
    const isFallenBack = this.#host.isFallenBack();
    const requests = wishes.map(
      ({ owner, topicFilter }) => owner.requests(isFallenBack).find((request) => request.topicFilter === topicFilter)!,
    );
    const sent = session.subscribe(requests, this.#requestOf(wishes[0]!.owner).properties);
    if (typeof sent === "number") this.#pending.set(sent, { kind: "again", wishes, isSent: true });
    else if (sent !== "not-connected") for (const wish of wishes) this.#wishFailed(wish, refusalError(sent));
    this.#host.requested();
  }

  /** The connection went before the answer came: asked again on the next one. */
  requestLost(mid: number): void {
    const pending = this.#pending.get(mid);
    if (pending === undefined) return;
    if (pending.kind === "again") {
      this.#pending.delete(mid);
      return;
    }
    this.#host.session.keep(mid);
    pending.isSent = false;
  }

  /** A SUBACK came. */
  subscribed(mid: number, reasonCodes: readonly number[], properties: Properties): void {
    const pending = this.#pending.get(mid);
    this.#pending.delete(mid);
    if (pending?.kind === "again") {
      pending.wishes.forEach((wish, i) => {
        if ((reasonCodes[i] ?? 0x80) >= 0x80) this.#wishFailed(wish, refusedSubscription(reasonCodes[i]!, properties));
      });
    } else if (pending?.kind === "subscribe") {
      this.#granted(pending.subscription, { mid, reasonCodes, properties });
    }
    this.#host.flowChanged();
  }

  #granted(subscription: ActiveSubscription, subscribed: Subscribed): void {
    const { reasonCodes, properties } = subscribed;
    subscription.topicFilters.forEach((topicFilter, i) => {
      const wish = this.#wishes.get(topicFilter);
      if (wish === undefined || !wish.users.has(subscription)) return;
      if ((reasonCodes[i] ?? 0x80) < 0x80) {
        wish.isGranted = true;
      } else {
        wish.users.delete(subscription);
        if (wish.users.size === 0) this.#wishes.delete(topicFilter);
        this.#receivers.clear();
      }
    });
    if (reasonCodes.some((code) => code < 0x80)) subscription.granting.resolve(subscribed);
    else this.#refused(subscription, refusedSubscription(reasonCodes[0] ?? 0x80, properties));
    this.#host.subscribed(subscribed);
  }

  /** An UNSUBACK came. */
  unsubscribed(mid: number, reasonCodes: readonly number[], properties: Properties): void {
    const pending = this.#pending.get(mid);
    this.#pending.delete(mid);
    if (pending?.kind === "unsubscribe") {
      const unsubscribed = { mid, reasonCodes, properties };
      const refusal = reasonCodes.find((code) => code >= 0x80);
      if (refusal === undefined) pending.settled.resolve(unsubscribed);
      else pending.settled.reject(refusedUnsubscription(refusal, properties));
      this.#host.unsubscribed(unsubscribed);
    }
    this.#host.flowChanged();
  }

  /**
   * Hands a message to those who want it.
   * @param mayDrop whether QoS 0 may be lost for a consumer that is far behind
   * @returns false when somebody is not done with it yet
   */
  deliver(message: ReceivedMessage, source: IncomingMessage, mayDrop: boolean): boolean {
    const receivers = this.#receiversOf(message);
    if (receivers.length === 0) return this.#host.hasListener() || this.#keepUnclaimed(message, source);
    return this.#handOut(receivers, message, source, mayDrop);
  }

  #handOut(
    receivers: readonly ActiveSubscription[],
    message: ReceivedMessage,
    source: IncomingMessage,
    mayDrop: boolean,
  ): boolean {
    let held = 0;
    for (const { stream, topicFilters } of receivers) {
      const pushed = stream.push(message, mayDrop && source.qos === 0);
      // What nobody has begun to iterate and a listener has got is nobody's duty any more.
      if (pushed === "held" && (stream.isClaimed || !this.#host.hasListener())) held++;
      else if (pushed === "dropped") this.#dropped(topicFilters);
    }
    if (held === 0 || source.qos === 0) return true;
    this.#held.set(message, { source, left: held });
    return false;
  }

  #dropped(topicFilters: readonly string[]): void {
    this.droppedMessages++;
    this.#host.warn(`A message at QoS 0 was dropped: who takes those of ${topicFilters.join(", ")} is too slow.`);
  }

  #receiversOf({ topicName, properties }: ReceivedMessage): readonly ActiveSubscription[] {
    let receivers = this.#receivers.get(topicName);
    if (receivers === undefined) {
      receivers = this.#matching(topicName);
      if (this.#receivers.size >= REMEMBERED_TOPICS) this.#receivers.clear();
      this.#receivers.set(topicName, receivers);
    }
    const { subscriptionIdentifiers } = properties;
    if (subscriptionIdentifiers === undefined || receivers.length < 2) return receivers;
    return receivers.filter(
      ({ options: { identifier } }) => identifier === undefined || subscriptionIdentifiers.includes(identifier),
    );
  }

  #matching(topicName: string): readonly ActiveSubscription[] {
    const found = new Set<ActiveSubscription>();
    for (const { pattern, users } of this.#wishes.values()) {
      if (topicMatches(pattern, topicName)) for (const user of users) found.add(user);
    }
    return [...found];
  }

  #keepUnclaimed(message: ReceivedMessage, source: IncomingMessage): boolean {
    if (this.#unclaimed.add({ message, source })) return source.qos === 0;
    this.#nobodyTakes(message);
    return true;
  }

  #nobodyTakes({ topicName, qos }: ReceivedMessage): void {
    this.#host.warn(`Nobody takes messages of the topic ${topicName}: one at QoS ${qos} is lost.`);
  }

  #acknowledge(source: IncomingMessage): void {
    if (source.qos !== 0) this.#host.session.taken(source);
  }

  /** Messages that came too early may have somebody now. */
  #claim(): void {
    for (const early of this.#unclaimed.takeAll()) {
      const { message, source } = early;
      const receivers = this.#receiversOf(message);
      if (receivers.length === 0) this.#unclaimed.add(early);
      else if (this.#handOut(receivers, message, source, false)) this.#acknowledge(source);
    }
    this.#host.requested();
  }

  /** Somebody gets every message from now on: returns those that came too early, which count as taken. */
  takeUnclaimed(): readonly ReceivedMessage[] {
    const early = this.#unclaimed.takeAll();
    for (const { source } of early) this.#acknowledge(source);
    if (early.length > 0) this.#host.requested();
    return early.map(({ message }) => message);
  }

  taken(message: ReceivedMessage): void {
    const held = this.#held.get(message);
    if (held === undefined || --held.left > 0) return;
    this.#held.delete(message);
    this.#host.session.taken(held.source);
    this.#host.requested();
  }

  full(stream: MessageStream, isFull: boolean): void {
    if (isFull && !stream.isClaimed && this.#host.hasListener()) {
      this.#fullStreams++;
      return stream.abandon();
    }
    this.#fullStreams += isFull ? 1 : -1;
    if (isFull && !stream.isClaimed)
      this.#host.warn("Reading has stopped: a subscription is full that nobody iterates.");
    this.#host.flowChanged();
  }

  left(stream: MessageStream): void {
    for (const subscription of this.#active) if (subscription.stream === stream) void this.#close(subscription);
  }

  /** Nothing more comes: the client was ended. */
  end(error: ClientError | null, closed: ClientError): void {
    this.#unclaimed.end();
    for (const subscription of this.#active) {
      subscription.granting.reject(closed);
      subscription.stream.end(error);
    }
    for (const pending of this.#pending.values()) if (pending.kind === "unsubscribe") pending.settled.reject(closed);
    this.#active.clear();
    this.#pending.clear();
    this.#wishes.clear();
    this.#receivers.clear();
    this.#held.clear();
  }
}
