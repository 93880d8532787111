/**
 * Who receives what is published to a topic. The answer for a topic is remembered until a Subscription changes that could alter
 * it: one without wildcards alters the answer for its own topic only, any other makes all answers stale at once.
 */
import { isShared, type Qos, topicLevels } from "../protocol/index.ts";
import { isControlTopic } from "./control.ts";
import type { Mesh } from "./mesh.ts";
import type { Session } from "./session.ts";
import { certificateTopicOf } from "./sparkplug.ts";
import { ShareGroup, type Subscription, type Target } from "./subscription.ts";
import { SubscriptionIndex } from "./subscription-index.ts";

/** Most receivers in all remembered routes together. */
const MAXIMUM_REMEMBERED_RECEIVERS = 1_000_000;

/** A Session that receives a message, with what its matching Subscriptions together ask for [5.0 MQTT-3.3.4-2]. */
export class Receiver {
  readonly session: Session;
  /** The highest QoS of them. */
  readonly qos: Qos;
  readonly retainAsPublished: boolean;
  /** All their identifiers; null: none [5.0 MQTT-3.3.4-4]. */
  readonly subscriptionIds: readonly number[] | null;
  /** The receiver of what this Session itself publishes: the Subscriptions without no local, or null [5.0 MQTT-3.8.3-3]. */
  readonly own: Receiver | null;

  constructor(session: Session, subscriptions: readonly Subscription[]) {
    let qos: Qos = 0;
    let retainAsPublished = false;
    const ids: number[] = [];
    for (const subscription of subscriptions) {
      if (subscription.qos > qos) qos = subscription.qos;
      if (subscription.retainAsPublished) retainAsPublished = true;
      if (subscription.subscriptionId > 0) ids.push(subscription.subscriptionId);
    }
    this.session = session;
    this.qos = qos;
    this.retainAsPublished = retainAsPublished;
    this.subscriptionIds = ids.length > 0 ? ids : null;
    const others = subscriptions.filter((subscription) => !subscription.noLocal);
    this.own =
      others.length === subscriptions.length ? this : others.length === 0 ? null : new Receiver(session, others);
  }
}

/** What happens to messages of one topic. */
export interface Route {
  readonly topicName: string;
  readonly version: number;
  readonly receivers: readonly Receiver[];
  readonly groups: readonly ShareGroup[];
  /** Deeper than the configured number of levels: nobody may publish to it. */
  readonly isTooDeep: boolean;
  /** Where no client may publish. */
  readonly isReserved: boolean;
  /** Below `$SYS`: not offered to other brokers. */
  readonly isSys: boolean;
  /** Below `$CONTROL/`: a request to the broker, not a message to others. */
  readonly isControl: boolean;
  /** Where what is published is retained too; null: nowhere else. */
  readonly certificateTopic: string | null;
}

/** Whether `topicName` is the broker's own and not kept by the store: it is below `$SYS`. */
export function isSysTopic(topicName: string): boolean {
  return topicName === "$SYS" || topicName.startsWith("$SYS/");
}

/** Where bridges of other brokers say whether they are connected, also by their wills. */
const BRIDGE_STATE = /^\$SYS\/broker\/connection\/[^/]+\/state$/;

/** Whether a bridge says at `topicName` whether it is connected. */
export function isBridgeState(topicName: string): boolean {
  return BRIDGE_STATE.test(topicName);
}

/** Whether no client may publish to `topicName`: it is below `$SYS`, or below `$share/`, where only filters are. */
export function isReservedTopic(topicName: string): boolean {
  return topicName.startsWith("$share/") || (isSysTopic(topicName) && !isBridgeState(topicName));
}

/** What the router runs under. */
export interface RouterOptions {
  readonly maximumTopicLevels: number;
  readonly routeCacheTopics: number;
  readonly allowDuplicateMessages: boolean;
  readonly keepsBirthCertificates: boolean;
}

const NOBODY: readonly never[] = [];

/** All Subscriptions, and the routes that follow from them. */
export class Router {
  #options: RouterOptions;
  readonly #mesh: Mesh;
  readonly #index: SubscriptionIndex<Target> = new SubscriptionIndex();
  readonly #groups: Map<string, ShareGroup> = new Map();
  readonly #routes: Map<string, Route> = new Map();
  #rememberedReceivers = 0;
  #version = 0;
  /** Subscriptions held, shared ones included. */
  subscriptions = 0;
  sharedSubscriptions = 0;

  constructor(options: RouterOptions, mesh: Mesh) {
    this.#options = options;
    this.#mesh = mesh;
  }

  /** Runs under other options from now on. */
  change(options: RouterOptions): void {
    this.#options = options;
    this.#version++;
  }

  /** Puts a new Subscription in force. */
  add(subscription: Subscription): void {
    this.subscriptions++;
    if (isShared(subscription.topicFilter)) this.#addShared(subscription);
    else subscription.place = this.#hang(subscription.topicFilter, subscription);
  }

  #addShared(subscription: Subscription): void {
    this.sharedSubscriptions++;
    const name = subscription.topicFilter;
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = new ShareGroup(name);
      this.#groups.set(name, group);
      group.place = this.#hang(group.topicFilter, group);
    }
    group.add(subscription);
    subscription.group = group;
  }

  #hang(topicFilter: string, target: Target): NonNullable<Subscription["place"]> {
    const place = this.#index.add(topicFilter, target);
    if (place.first === target) this.#mesh.want(topicFilter);
    this.#forget(topicFilter);
    return place;
  }

  /** Takes a Subscription out of force. */
  remove(subscription: Subscription): void {
    this.subscriptions--;
    const { group } = subscription;
    if (group === null) {
      this.#unhang(subscription.topicFilter, subscription, subscription.place!);
      return;
    }
    this.sharedSubscriptions--;
    group.remove(subscription);
    if (group.members.length > 0) return;
    this.#groups.delete(group.name);
    this.#unhang(group.topicFilter, group, group.place!);
  }

  #unhang(topicFilter: string, target: Target, place: NonNullable<Subscription["place"]>): void {
    this.#index.remove(place, target);
    if (place.first === null) this.#mesh.unwant(topicFilter);
    this.#forget(topicFilter);
  }

  /** Tells that the options of a Subscription have changed. */
  changed(subscription: Subscription): void {
    if (subscription.group === null) this.#forget(subscription.topicFilter);
  }

  /** The group of a shared subscription, by `$share/NAME/FILTER`. */
  group(name: string): ShareGroup | undefined {
    return this.#groups.get(name);
  }

  #forget(topicFilter: string): void {
    if (topicFilter.includes("+") || topicFilter.includes("#")) this.#version++;
    else this.#drop(topicFilter);
  }

  #drop(topicName: string): void {
    const route = this.#routes.get(topicName);
    if (route === undefined) return;
    this.#routes.delete(topicName);
    this.#rememberedReceivers -= route.receivers.length;
  }

  /** Where messages published to a well-formed `topicName` go. */
  route(topicName: string): Route {
    const known = this.#routes.get(topicName);
    if (known !== undefined && known.version === this.#version) return known;
    this.#drop(topicName);
    const route = this.#find(topicName);
    this.#remember(route);
    return route;
  }

  #remember(route: Route): void {
    if (this.#options.routeCacheTopics === 0 || route.receivers.length > MAXIMUM_REMEMBERED_RECEIVERS) return;
    this.#rememberedReceivers += route.receivers.length;
    this.#routes.set(route.topicName, route);
    for (const oldest of this.#routes.keys()) {
      if (
        this.#routes.size <= this.#options.routeCacheTopics &&
        this.#rememberedReceivers <= MAXIMUM_REMEMBERED_RECEIVERS
      )
        break;
      this.#drop(oldest);
    }
  }

  /** Nodes of the tree of filters that searches have come to since the turn began. */
  get searchedNodes(): number {
    return this.#index.searchedNodes;
  }

  /** A turn has ended. */
  endTurn(): void {
    this.#index.searchedNodes = 0;
  }

  #find(topicName: string): Route {
    const isReserved = isReservedTopic(topicName);
    const isSys = isSysTopic(topicName);
    const isControl = isControlTopic(topicName);
    const version = this.#version;
    const certificateTopic = this.#options.keepsBirthCertificates ? certificateTopicOf(topicName) : null;
    const facts = { isReserved, isSys, isControl, certificateTopic };
    if (topicLevels(topicName) > this.#options.maximumTopicLevels)
      return { topicName, version, receivers: NOBODY, groups: NOBODY, isTooDeep: true, ...facts };
    const groups: ShareGroup[] = [];
    const bySession = new Map<Session, Subscription[]>();
    const receivers: Receiver[] = [];
    for (const target of this.#index.match(topicName)) {
      if (target instanceof ShareGroup) groups.push(target);
      else if (this.#options.allowDuplicateMessages) receivers.push(new Receiver(target.session, [target]));
      else {
        const others = bySession.get(target.session);
        if (others === undefined) bySession.set(target.session, [target]);
        else others.push(target);
      }
    }
    for (const [session, subscriptions] of bySession) receivers.push(new Receiver(session, subscriptions));
    return { topicName, version, receivers, groups, isTooDeep: false, ...facts };
  }
}
