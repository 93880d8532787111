/** SUBSCRIBE and UNSUBSCRIBE: what is granted, what is stored before the answer leaves, and the retained messages that follow. */
import {
  isShared,
  lowerQos,
  NO_PROPERTIES,
  parseShared,
  ReasonCode,
  type Subscribe,
  type SubscriptionRequest,
  topicFilterFault,
  topicLevels,
  type Unsubscribe,
} from "../protocol/index.ts";
import type { Connection } from "./connection.ts";
import { mountedFilter } from "./mount-point.ts";
import { Pause } from "./pause.ts";
import type { RetainedSearch } from "./retained-messages.ts";
import type { Session } from "./session.ts";
import { Subscription } from "./subscription.ts";
import { MOST_PIECE_WORK, WORK } from "./turn-work.ts";

/** Takes a SUBSCRIBE. */
export function receiveSubscribe(connection: Connection, session: Session, packet: Subscribe): void {
  const { observer } = connection.broker;
  if (isTooDeep(connection, packet)) return;
  const { subscriptions, packetId } = packet;
  const subscriptionId = packet.properties.subscriptionIdentifiers?.[0] ?? 0;
  const reasonCodes: number[] = [];
  const wanting: [Subscription, RetainedSearch][] = [];
  const { mountPoint } = connection.entrance;
  const take = (asked: SubscriptionRequest): string => {
    const request = mountPoint === "" ? asked : { ...asked, topicFilter: mountedFilter(mountPoint, asked.topicFilter) };
    const refusal = refusalOf(connection, session, request);
    const reasonCode = refusal ?? subscribe(session, request, subscriptionId, connection, wanting);
    reasonCodes.push(connection.isVersion5 ? reasonCode : Math.min(reasonCode, 0x80));
    observer.subscribed?.(connection, request, reasonCode);
    return request.topicFilter;
  };
  inPieces(connection, session, subscriptions, take, () => {
    connection.send({ type: "SUBACK", packetId, reasonCodes, properties: NO_PROPERTIES });
    session.sendRetained(wanting);
  });
}

/**
 * Takes each of `all` with `take`, which returns its Topic Filter, and then calls `respond`, when what they owe the store is met. With
 * thousands of filters that is done in pieces, between which the others have their turn; the client's next packets wait.
 */
function inPieces<Asked>(
  connection: Connection,
  session: Session,
  all: readonly Asked[],
  take: (asked: Asked) => string,
  respond: () => void,
): void {
  const { broker } = connection;
  let next = 0;
  const takePiece = (): boolean => {
    broker.ledger.beginObligation();
    for (let work = 0; next < all.length && work < MOST_PIECE_WORK; next++)
      work += WORK.topicFilter + WORK.topicLevel * topicLevels(take(all[next]!));
    const isDone = next === all.length;
    const obligation = broker.ledger.endObligation();
    if (isDone && obligation === null && !connection.isHolding) respond();
    else if (isDone || obligation !== null) connection.hold(obligation, isDone ? respond : nothing);
    return isDone;
  };
  const goOn = (): void => {
    // The client may be gone meanwhile, or on another connection.
    if (session.connection !== connection) return;
    if (takePiece()) connection.resumeReading(Pause.turn);
    else broker.later(goOn);
  };
  if (takePiece()) return;
  connection.pauseReading(Pause.turn);
  broker.later(goOn);
}

function nothing(): void {}

/** Ends the connection, as mosquitto does, when a filter has too many levels. */
function isTooDeep(connection: Connection, { subscriptions }: Subscribe): boolean {
  const { broker, entrance } = connection;
  for (const { topicFilter } of subscriptions) {
    const fault = topicFilterFault(mountedFilter(entrance.mountPoint, topicFilter), broker.options.maximumTopicLevels);
    if (fault === null) continue;
    connection.fail(ReasonCode.TopicFilterInvalid, `SUBSCRIBE: ${fault}`);
    return true;
  }
  return false;
}

function refusalOf(connection: Connection, session: Session, request: SubscriptionRequest): ReasonCode | null {
  const { policy, broker, entrance } = connection;
  const { topicFilter } = request;
  const matched = isShared(topicFilter) ? parseShared(topicFilter)!.topicFilter : topicFilter;
  if (!policy.allowsAll && !policy.canSubscribe(matched)) return ReasonCode.NotAuthorized;
  const { maximumSubscriptions: most } = entrance;
  if (most === 0 || session.subscriptions.size < most || session.subscriptions.has(topicFilter)) return null;
  broker.counters.subscriptionsRefused++;
  return ReasonCode.QuotaExceeded;
}

function subscribe(
  session: Session,
  request: SubscriptionRequest,
  subscriptionId: number,
  connection: Connection,
  wanting: [Subscription, RetainedSearch][],
): ReasonCode {
  const { router, records, retained } = connection.broker;
  const { topicFilter, retainHandling } = request;
  // A bridge that says so by mosquitto's bit gets nothing back that it brought, and RETAIN as the publisher set it.
  const isBridge = connection.connect?.bridge === true;
  const noLocal = request.noLocal || isBridge;
  const retainAsPublished = request.retainAsPublished || isBridge;
  const qos = lowerQos(request.qos, connection.entrance.maximumQos);
  let subscription = session.subscriptions.get(topicFilter);
  const isNew = subscription === undefined;
  if (subscription === undefined) {
    subscription = new Subscription(session, topicFilter, qos, noLocal, retainAsPublished, subscriptionId);
    session.subscriptions.set(topicFilter, subscription);
    router.add(subscription);
  } else {
    // An identical filter replaces the Subscription without losing a message [5.0 MQTT-3.8.4-3] [3.1.1 MQTT-3.8.4-3].
    subscription.qos = qos;
    subscription.noLocal = noLocal;
    subscription.retainAsPublished = retainAsPublished;
    subscription.subscriptionId = subscriptionId;
    router.changed(subscription);
  }
  records.subscriptionSet(subscription);
  // Never for a shared one [5.0 §4.8.2].
  const wantsRetained = subscription.group === null && (retainHandling === 0 || (retainHandling === 1 && isNew));
  if (wantsRetained) wanting.push([subscription, retained.search(topicFilter)]);
  return qos;
}

/** Takes an UNSUBSCRIBE. */
export function receiveUnsubscribe(connection: Connection, session: Session, packet: Unsubscribe): void {
  const { observer } = connection.broker;
  const { topicFilters, packetId } = packet;
  const reasonCodes: number[] = [];
  const { mountPoint } = connection.entrance;
  const take = (asked: string): string => {
    const topicFilter = mountedFilter(mountPoint, asked);
    const isAllowed = connection.policy.canUnsubscribe?.(topicFilter) ?? true;
    const existed = isAllowed && unsubscribe(connection, session, topicFilter);
    const otherwise = isAllowed ? ReasonCode.NoSubscriptionExisted : ReasonCode.NotAuthorized;
    // Before 5.0 an UNSUBACK has no codes.
    if (connection.isVersion5) reasonCodes.push(existed ? ReasonCode.Success : otherwise);
    observer.unsubscribed?.(connection, topicFilter, existed);
    return topicFilter;
  };
  inPieces(connection, session, topicFilters, take, () =>
    connection.send({ type: "UNSUBACK", packetId, reasonCodes, properties: NO_PROPERTIES }),
  );
}

function unsubscribe(connection: Connection, session: Session, topicFilter: string): boolean {
  const subscription = session.subscriptions.get(topicFilter);
  if (subscription === undefined) return false;
  session.subscriptions.delete(topicFilter);
  session.forgetRetained(topicFilter);
  connection.broker.router.remove(subscription);
  connection.broker.records.subscriptionDeleted(subscription);
  return true;
}
