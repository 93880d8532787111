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
  type Unsubscribe,
} from "../protocol/index.ts";
import type { Connection } from "./connection.ts";
import { mountedFilter } from "./mount-point.ts";
import type { RetainedSearch } from "./retained-messages.ts";
import type { Session } from "./session.ts";
import { Subscription } from "./subscription.ts";

/** Takes a SUBSCRIBE. */
export function receiveSubscribe(connection: Connection, session: Session, packet: Subscribe): void {
  const { ledger, observer } = connection.broker;
  if (isTooDeep(connection, packet)) return;
  const subscriptionId = packet.properties.subscriptionIdentifiers?.[0] ?? 0;
  const reasonCodes: number[] = [];
  const wanting: [Subscription, RetainedSearch][] = [];
  ledger.beginObligation();
  const { mountPoint } = connection.entrance;
  for (const asked of packet.subscriptions) {
    const request = mountPoint === "" ? asked : { ...asked, topicFilter: mountedFilter(mountPoint, asked.topicFilter) };
    const refusal = refusalOf(connection, session, request);
    const reasonCode = refusal ?? subscribe(session, request, subscriptionId, connection, wanting);
    reasonCodes.push(reasonCode);
    observer.subscribed?.(connection, request, reasonCode);
  }
  const codes = connection.isVersion5 ? reasonCodes : reasonCodes.map((code) => Math.min(code, 0x80));
  const respond = (): void => {
    connection.send({ type: "SUBACK", packetId: packet.packetId, reasonCodes: codes, properties: NO_PROPERTIES });
    for (const [subscription, search] of wanting) session.sendRetained(subscription, search);
  };
  const obligation = ledger.endObligation();
  if (obligation === null && !connection.isHolding) respond();
  else connection.hold(obligation, respond);
}

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
  const { ledger, observer } = connection.broker;
  const reasonCodes: number[] = [];
  ledger.beginObligation();
  const { mountPoint } = connection.entrance;
  for (const asked of packet.topicFilters) {
    const topicFilter = mountedFilter(mountPoint, asked);
    const isAllowed = connection.policy.canUnsubscribe?.(topicFilter) ?? true;
    const existed = isAllowed && unsubscribe(connection, session, topicFilter);
    const otherwise = isAllowed ? ReasonCode.NoSubscriptionExisted : ReasonCode.NotAuthorized;
    reasonCodes.push(existed ? ReasonCode.Success : otherwise);
    observer.unsubscribed?.(connection, topicFilter, existed);
  }
  // Before 5.0 an UNSUBACK has no codes.
  const codes = connection.isVersion5 ? reasonCodes : [];
  const respond = (): void =>
    connection.send({ type: "UNSUBACK", packetId: packet.packetId, reasonCodes: codes, properties: NO_PROPERTIES });
  const obligation = ledger.endObligation();
  if (obligation === null && !connection.isHolding) respond();
  else connection.hold(obligation, respond);
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
