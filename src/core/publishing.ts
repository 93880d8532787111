/** What a PUBLISH does: whether it is taken, who gets it, what is retained, and how it is answered. The hot path of the broker. */
import type { ReasonCode as Code, DropReason, Fault, Publish, Qos } from "../protocol/index.ts";
import { DROP_REASONS, ReasonCode } from "../protocol/index.ts";
import type { Policy } from "./authenticator.ts";
import { markOf, withoutMark } from "./bridge-marks.ts";
import type { Broker } from "./broker.ts";
import type { Connection } from "./connection.ts";
import { answerTaken, isNew } from "./exactly-once.ts";
import { Message } from "./message.ts";
import { mountedMessage } from "./mount-point.ts";
import type { BrokerOptions } from "./options.ts";
import type { Receiver, Route } from "./router.ts";
import type { Session } from "./session.ts";

/** What became of a message: nobody subscribes to it; nobody took it because of a full queue; or neither. */
export type Distribution = "unmatched" | "taken" | "full";

/** A message at QoS 2 that goes back to its publisher: after its PUBREC, as by mosquitto, whose clients may wait for that first. */
interface Returning {
  readonly session: Session;
  message: Message | null;
  /** One, or one for each of its subscriptions. */
  readonly receivers: Receiver[];
}

/** Takes a PUBLISH from a client. */
export function receivePublish(connection: Connection, session: Session, packet: Publish): void {
  const { broker } = connection;
  const { counters } = broker;
  counters.publishReceived++;
  counters.publishBytesReceived += packet.end - packet.payloadStart;
  const { mountPoint } = connection.entrance;
  const route = broker.router.route(mountPoint === "" ? packet.topicName : mountPoint + packet.topicName);
  if (packet.qos === 0) {
    if (isAllowed(connection, packet, route)) {
      const limit = limitOf(broker, packet, route);
      if (route.isControl) control(connection, packet);
      else if (limit !== null) notTaken(connection, packet, limit);
      else if (!(connection.exchangesMarks && isLoop(connection, packet)))
        distribute(broker, messageOf(connection, packet, session), route);
    }
    // Retained, it may owe the store something that no acknowledgement waits for.
    if (isRetained(packet, route) && broker.ledger.isFull) connection.awaitRoom();
    return;
  }
  if (packet.qos === 2 && !isNew(connection, session, packet)) return;
  const { ledger, records } = broker;
  ledger.beginObligation();
  const returning = mayReturn(session, packet) ? { session, message: null, receivers: [] } : null;
  const reasonCode = take(connection, session, packet, route, returning);
  if (packet.qos === 2 && reasonCode !== null && reasonCode < 0x80) {
    session.received.publish(packet.packetId);
    records.receivedSet(session, packet.packetId);
  }
  const obligation = ledger.endObligation();
  if (reasonCode === null) return;
  if (packet.qos === 1) connection.answer("PUBACK", packet.packetId, reasonCode, obligation);
  else if (reasonCode >= 0x80) connection.answer("PUBREC", packet.packetId, reasonCode, obligation);
  else answerTaken(connection, packet.packetId, obligation);
  if (returning !== null) giveBack(broker, returning);
}

/** Whether the answer may go before the publisher's own copy; not so where it has to wait until that is kept. */
function mayReturn(session: Session, packet: Publish): boolean {
  return packet.qos === 2 && session.subscriptions.size > 0 && !session.isDurable;
}

function giveBack(broker: Broker, { message, receivers }: Returning): void {
  if (message !== null) for (const receiver of receivers) deliverTo(broker, receiver, message);
}

/** Takes a message at QoS 1 or 2 and returns its reason code; null: the connection is ended for it. */
function take(
  connection: Connection,
  session: Session,
  packet: Publish,
  route: Route,
  returning: Returning | null,
): Code | null {
  const { broker } = connection;
  if (!isAllowed(connection, packet, route)) return connection.machine.ended === null ? ReasonCode.NotAuthorized : null;
  if (route.isControl) return control(connection, packet);
  const limit = limitOf(broker, packet, route);
  if (limit !== null) return notTaken(connection, packet, limit);
  if (connection.exchangesMarks && isLoop(connection, packet)) return ReasonCode.Success;
  if (broker.ledger.state === "failing" && connection.isVersion5 && owesStore(session, packet, route))
    return ReasonCode.QuotaExceeded;
  const distribution = distribute(broker, messageOf(connection, packet, session), route, true, returning);
  if (distribution === "taken") return ReasonCode.Success;
  if (distribution === "full") return ReasonCode.QuotaExceeded;
  // As mosquitto, whose clients may not expect it in a PUBREC.
  return packet.qos === 1 ? ReasonCode.NoMatchingSubscribers : ReasonCode.Success;
}

/** Whether a bridge that knows marks brings what has been here already, or goes in circles. */
function isLoop(connection: Connection, packet: Publish): boolean {
  const mark = markOf(packet);
  const { bridgeMarks, counters } = connection.broker;
  if (mark === null || !bridgeMarks.isLoop(packet.topicName, mark, packet.dup)) return false;
  counters.dropped["bridge-loop"]++;
  return true;
}

/** The message that a PUBLISH carries. */
function messageOf(connection: Connection, packet: Publish, session: Session): Message {
  const message = receivedMessage(connection, packet, session.clientId);
  if (packet.retain) message.source = session.source;
  return message;
}

function receivedMessage(connection: Connection, packet: Publish, publisher: string): Message {
  const { mountPoint } = connection.entrance;
  const { turnMs, bridgeMarks } = connection.broker;
  const mark = connection.exchangesMarks ? markOf(packet) : null;
  if (mark !== null) {
    const message = mountedMessage(mountPoint, packet, publisher, turnMs);
    const clean = message.withProperties(withoutMark(message.properties));
    bridgeMarks.note(clean, mark);
    return clean;
  }
  if (mountPoint !== "") return mountedMessage(mountPoint, packet, publisher, turnMs);
  return Message.received(packet, connection.version, publisher, turnMs);
}

/** A limit of the broker that a message may exceed. */
type Limit = "payload-too-large" | "memory-limit";

/** The limit that a message exceeds; null: none. */
function limitOf(broker: Broker, packet: Publish, route: Route): Limit | null {
  const { maximumPayloadBytes } = broker.options;
  if (maximumPayloadBytes > 0 && packet.end - packet.payloadStart > maximumPayloadBytes) return "payload-too-large";
  return broker.isOverMemory && addsToMemory(broker, packet, route) ? "memory-limit" : null;
}

/** Whether a message may have to be held; not so one that has a retained message forgotten, which makes room. */
function addsToMemory(broker: Broker, packet: Publish, { topicName }: Route): boolean {
  if (packet.retain && packet.end === packet.payloadStart && broker.retained.has(topicName)) return false;
  return packet.qos > 0 || packet.retain;
}

/**
 * Does not take a message that exceeds a limit. Who speaks 5.0 is told with the acknowledgement; before, an oversize one is
 * acknowledged and forgotten, as mosquitto does, and who meets the memory limit is let go so as to try again later.
 */
function notTaken(connection: Connection, packet: Publish, reason: Limit): Code | null {
  const { broker } = connection;
  broker.counters.dropped[reason]++;
  broker.observer.notTaken?.(connection, reason, Message.received(packet, connection.version, "", 0));
  if (packet.qos === 0) return null;
  if (connection.isVersion5) return DROP_REASONS[reason].code;
  if (reason === "payload-too-large") return ReasonCode.Success;
  connection.close("quota-exceeded");
  return null;
}

/** Hands a request to the broker over; returns the reason code for it. */
function control(connection: Connection, packet: Publish): Code {
  const { topicName, payload, properties } = packet;
  return connection.broker.controls.receive({ connection, topicName, payload, properties });
}

/** Whether something of it is retained, under its own topic or that of a certificate. */
function isRetained(packet: Publish, route: Route): boolean {
  return packet.retain || route.certificateTopic !== null;
}

/** Whether the acknowledgement would have to wait for the store. */
function owesStore(session: Session, packet: Publish, route: Route): boolean {
  if (isRetained(packet, route) || (packet.qos === 2 && session.isDurable)) return true;
  return (
    route.receivers.some((receiver) => receiver.qos > 0 && receiver.session.isDurable) ||
    route.groups.some((group) => group.hasDurableMember)
  );
}

function isAllowed(connection: Connection, packet: Publish, route: Route): boolean {
  const { policy, broker } = connection;
  const { qos, retain } = packet;
  const { topicName } = route;
  const publish = { topicName, qos, retain };
  const refusal = publishRefusal(broker.options, connection.entrance.maximumQos, policy, publish, route);
  if (refusal === null) return true;
  if (refusal === "publish-denied") {
    broker.counters.dropped[refusal]++;
    broker.observer.publishDenied?.(connection, Message.received(packet, connection.version, "", 0));
  } else connection.fail(refusal.reasonCode, refusal.message);
  return false;
}

/**
 * What speaks against a PUBLISH: the policy, or a rule that is told with the end of the connection.
 * @param maximumQos where the publisher came in
 * @param policy of the publisher; null: not known, and not asked
 */
export function publishRefusal(
  options: BrokerOptions,
  maximumQos: Qos,
  policy: Policy | null,
  { topicName, qos, retain }: Pick<Publish, "topicName" | "qos" | "retain">,
  route: Route,
): Fault | "publish-denied" | null {
  if (route.isTooDeep) {
    return {
      reasonCode: ReasonCode.TopicNameInvalid,
      message: `PUBLISH: the topic name has more than ${options.maximumTopicLevels} levels, the most allowed here`,
    };
  }
  if (qos > maximumQos) {
    return {
      reasonCode: ReasonCode.QosNotSupported,
      message: `PUBLISH: QoS ${qos}; at most ${maximumQos} is allowed here [5.0 MQTT-3.2.2-11]`,
    };
  }
  if (retain && !options.retainAvailable) {
    return {
      reasonCode: ReasonCode.RetainNotSupported,
      message: "PUBLISH: retained messages are switched off here [5.0 MQTT-3.2.2-14]",
    };
  }
  if (!route.isReserved && (policy === null || policy.allowsAll || policy.canPublish(topicName))) return null;
  return "publish-denied";
}

/** Publishes what did not come as a client's PUBLISH: a will, or a message of the broker itself. */
export function publish(broker: Broker, message: Message): void {
  broker.ledger.beginObligation();
  distribute(broker, message, broker.router.route(message.topicName));
  broker.ledger.endObligation();
}

/**
 * Retains `message` if it asks for that and gives it to everybody who subscribes to its topic.
 * @param isOffered whether other brokers get it too
 * @param returning who gets it later, from the caller
 */
export function distribute(
  broker: Broker,
  message: Message,
  route: Route,
  isOffered: boolean = true,
  returning: Returning | null = null,
): Distribution {
  let isTaken = false;
  let isFull = false;
  const { receivers, groups } = route;
  broker.turnWork += receivers.length + groups.length;
  for (let i = 0; i < receivers.length; i++) {
    const receiver = receivers[i]!;
    const reason =
      returning !== null && receiver.session === returning.session
        ? putOff(returning, receiver, message)
        : deliverTo(broker, receiver, message);
    if (reason === null) isTaken = true;
    else if (isOfQueue(reason)) isFull = true;
  }
  for (let i = 0; i < groups.length; i++) {
    const group = groups[i]!;
    const member = group.choose(message, null);
    const reason = member === null ? "session-offline" : member.deliver(message);
    if (reason === null || (member !== null && group.deliverInstead(message, member))) isTaken = true;
    else {
      broker.dropped(reason, (member ?? group.members[0]!).session, message);
      if (isOfQueue(reason)) isFull = true;
    }
  }
  // After the delivery, so that bytes which need not be copied for the receivers are passed on as they came.
  if (message.retain) retain(broker, message);
  if (route.certificateTopic !== null) keepCertificate(broker, message, route.certificateTopic);
  if (isOffered && !broker.isAlone && !route.isSys) broker.offer(message);
  if (isTaken || (receivers.length + groups.length > 0 && !isFull)) return "taken";
  return isFull ? "full" : "unmatched";
}

/** Has a message given later; returns why it will not be. */
function putOff(returning: Returning, all: Receiver, message: Message): DropReason | null {
  returning.message = message;
  returning.receivers.push(all);
  const receiver = receiverOf(all, message);
  if (receiver === null) return "no-local";
  const decision = all.session.judge(message, receiver.qos, receiver.subscriptionIds);
  return decision === "send" || decision === "queue" ? null : decision;
}

/** Gives a message to one of those who subscribe to its topic; returns why not. */
function deliverTo(broker: Broker, all: Receiver, message: Message): DropReason | null {
  const { session } = all;
  const receiver = receiverOf(all, message);
  const reason =
    receiver === null
      ? "no-local"
      : session.deliver(
          message,
          receiver.qos,
          message.retain && receiver.retainAsPublished,
          receiver.subscriptionIds,
          null,
        );
  if (reason !== null) broker.dropped(reason, session, message);
  return reason;
}

/** What a Session gets a message by; null: it published it itself and subscribed with no local only. */
export function receiverOf(all: Receiver, message: Message): Receiver | null {
  return all.own === all || all.session.clientId !== message.publisher ? all : all.own;
}

function isOfQueue(reason: DropReason): boolean {
  return reason === "queue-full" || reason === "queue-bytes-full";
}

/** Has a birth certificate at hand for whoever comes later: edge nodes publish it once, and may not ask for that. */
function keepCertificate(broker: Broker, { payload, qos, properties }: Message, topicName: string): void {
  const { topicAlias: _, ...passedOn } = properties;
  const retain = broker.options.retainAvailable;
  // Its payload is a view of the chunk, which need not be kept for it.
  const fields = { topicName, payload: payload.slice(), qos, retain, dup: false, packetId: 0 } as const;
  const message = Message.made({ ...fields, properties: passedOn }, null, broker.turnMs);
  distribute(broker, message, broker.router.route(topicName));
}

/** Keeps a retained message, or forgets the one of its topic when the payload is empty [5.0 MQTT-3.3.1-6]. */
function retain(broker: Broker, message: Message): void {
  const { retained, records, keep } = broker;
  if (message.payloadBytes === 0) {
    const deleted = retained.delete(message.topicName);
    if (deleted !== null) records.retainedDeleted(deleted);
    else records.retainedAbsent();
    return;
  }
  message.keep(keep);
  const { retainExpirySeconds } = broker.options;
  const lastMs = retainExpirySeconds === 0 ? Number.POSITIVE_INFINITY : broker.turnMs + retainExpirySeconds * 1000;
  records.retainedSet(message, retained.set(message, lastMs));
}
