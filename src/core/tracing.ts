/**
 * What would become of a message for one client: the decisions of a real publish, asked without doing anything. It calls what
 * `publishing.ts` and `session.ts` call.
 */
import {
  type DropReason,
  type Fault,
  NO_PROPERTIES,
  type Qos,
  ReasonCode,
  topicMatches,
  topicNameFault,
  type Version,
} from "../protocol/index.ts";
import type { Broker } from "./broker.ts";
import { Message } from "./message.ts";
import { type NearMiss, nearMisses } from "./near-misses.ts";
import { publishRefusal, receiverOf } from "./publishing.ts";
import type { Route } from "./router.ts";
import type { Session } from "./session.ts";

/** Remaining lengths from which on their encoding takes a byte more [5.0 §1.5.5]. */
const LENGTH_BOUNDS = [128, 16_384, 2_097_152, 268_435_456];

/** The message in question. */
export interface TraceQuestion {
  readonly topicName: string;
  /** Who should get it. */
  readonly to: string;
  /** Who publishes it; null: anybody, whose right to publish is not asked. */
  readonly from: string | null;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly payloadBytes: number;
}

/** What happens to it, as far as the client in question goes. */
export type Outcome =
  | { readonly kind: "sent" | "queued" }
  /** No topic name at all, or one that ends the publisher's connection. */
  | { readonly kind: "publish-invalid"; readonly fault: Fault }
  | { readonly kind: "publish-denied" }
  /** A request to the broker, which no subscriber gets. */
  | { readonly kind: "control-topic" }
  /** Nobody of that client identifier is connected or remembered. */
  | { readonly kind: "session-unknown" }
  | { readonly kind: "no-subscription-matches"; readonly nearMisses: readonly NearMiss[] }
  /** Another member of the shared subscription gets it; null: none of them can. */
  | { readonly kind: "shared-with"; readonly group: string; readonly clientId: string | null }
  | { readonly kind: "dropped"; readonly reason: DropReason };

/** The Session as it is now. */
export interface SessionState {
  readonly isConnected: boolean;
  readonly expirySeconds: number;
  readonly queuedMessages: number;
  readonly inflightMessages: number;
  readonly subscriptions: readonly { readonly topicFilter: string; readonly qos: Qos; readonly matches: boolean }[];
}

/** The answer. */
export interface Trace {
  readonly outcome: Outcome;
  /** The QoS that it is delivered at, where it is. */
  readonly qos: Qos | null;
  /** Whether the publisher's right was asked: only that of one who is connected is known. */
  readonly isPublisherKnown: boolean;
  readonly session: SessionState | null;
}

/** Asks what would become of a message. */
export function trace(broker: Broker, question: TraceQuestion): Trace {
  const { topicName, from, to } = question;
  broker.beginTurn();
  const publisher = from === null ? null : (broker.sessions.get(from)?.connection ?? null);
  const session = broker.sessions.get(to);
  const answer = (outcome: Outcome, qos: Qos | null = null): Trace => ({
    outcome,
    qos,
    isPublisherKnown: publisher !== null,
    session: session === undefined ? null : stateOf(session, topicName),
  });
  const fault = topicNameFault(topicName);
  if (fault !== null)
    return answer({ kind: "publish-invalid", fault: { reasonCode: ReasonCode.TopicNameInvalid, message: fault } });
  const size = sizeFault(broker, question, publisher?.connect?.version ?? 4);
  if (size !== null) return answer({ kind: "publish-invalid", fault: size });
  const { maximumPayloadBytes } = broker.options;
  if (maximumPayloadBytes > 0 && question.payloadBytes > maximumPayloadBytes)
    return answer({ kind: "dropped", reason: "payload-too-large" });
  const route = broker.router.route(topicName);
  const refusal = publishRefusal(
    broker.options,
    publisher?.entrance.maximumQos ?? 2,
    publisher?.policy ?? null,
    question,
    route,
  );
  if (refusal === "publish-denied") return answer({ kind: "publish-denied" });
  if (refusal !== null) return answer({ kind: "publish-invalid", fault: refusal });
  if (route.isControl) return answer({ kind: "control-topic" });
  if (session === undefined) return answer({ kind: "session-unknown" });
  const { outcome, qos } = delivered(route, session, messageOf(question, broker.turnMs));
  return answer(outcome, qos);
}

/** Why its PUBLISH, without properties, is more than the broker takes; null when it is not. */
function sizeFault(broker: Broker, { topicName, qos, payloadBytes }: TraceQuestion, version: Version): Fault | null {
  const { maximumPacketSize } = broker.options;
  const bytes = packetBytes(new TextEncoder().encode(topicName).length, qos, payloadBytes, version);
  if (maximumPacketSize === 0 || bytes <= maximumPacketSize) return null;
  const message = `a packet of ${bytes} bytes is larger than the ${maximumPacketSize} bytes taken here (max_packet_size)`;
  return { reasonCode: ReasonCode.PacketTooLarge, message };
}

function packetBytes(topicBytes: number, qos: Qos, payloadBytes: number, version: Version): number {
  const remaining = 2 + topicBytes + (qos > 0 ? 2 : 0) + (version === 5 ? 1 : 0) + payloadBytes;
  const lengthBytes = LENGTH_BOUNDS.findIndex((bound) => remaining < bound) + 1;
  return 1 + (lengthBytes === 0 ? LENGTH_BOUNDS.length : lengthBytes) + remaining;
}

function messageOf({ topicName, qos, retain, payloadBytes, from }: TraceQuestion, nowMs: number): Message {
  const payload = new Uint8Array(payloadBytes);
  return Message.made(
    { topicName, payload, qos, retain, dup: false, packetId: 0, properties: NO_PROPERTIES },
    from,
    nowMs,
  );
}

function delivered(route: Route, session: Session, message: Message): { outcome: Outcome; qos: Qos | null } {
  let outcome: Outcome | null = null;
  for (const all of route.receivers) {
    if (all.session !== session) continue;
    const receiver = receiverOf(all, message);
    if (receiver === null) {
      outcome ??= { kind: "dropped", reason: "no-local" };
      continue;
    }
    return judged(session, message, receiver.qos, receiver.subscriptionIds);
  }
  for (const group of route.groups) {
    if (!group.members.some((member) => member.session === session)) continue;
    const member = group.preview(message);
    if (member?.session === session) return judged(session, message, member.qos, null);
    outcome ??= { kind: "shared-with", group: group.name, clientId: member?.session.clientId ?? null };
  }
  outcome ??= {
    kind: "no-subscription-matches",
    nearMisses: nearMisses(route.topicName, session.subscriptions.keys()),
  };
  return { outcome, qos: null };
}

function judged(
  session: Session,
  message: Message,
  qos: Qos,
  subscriptionIds: readonly number[] | null,
): { outcome: Outcome; qos: Qos | null } {
  const decision = session.judge(message, qos, subscriptionIds);
  if (decision !== "send" && decision !== "queue") return { outcome: { kind: "dropped", reason: decision }, qos: null };
  const granted = message.qos < qos ? message.qos : qos;
  return { outcome: { kind: decision === "send" ? "sent" : "queued" }, qos: granted };
}

function stateOf(session: Session, topicName: string): SessionState {
  return {
    isConnected: session.connection !== null,
    expirySeconds: session.expirySeconds,
    queuedMessages: session.queuedMessages,
    inflightMessages: session.inflightMessages,
    subscriptions: [...session.subscriptions.values()].map(({ topicFilter, qos, group }) => ({
      topicFilter,
      qos,
      matches: topicMatches(group?.topicFilter ?? topicFilter, topicName),
    })),
  };
}
