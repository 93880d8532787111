/**
 * The Control seam: requests that clients publish below `$CONTROL/`, as mosquitto's plugins take them. They go to whoever has asked
 * for their topic and to nobody else: no Subscription gets them, they are never retained, and no other broker sees them.
 */
import type { ReasonCode as Code, Properties, Qos } from "../protocol/index.ts";
import { NO_PROPERTIES, ReasonCode } from "../protocol/index.ts";
import type { Connection } from "./connection.ts";
import { Message } from "./message.ts";

/** One request of a client whose policy lets it publish to the topic. */
export interface ControlRequest {
  readonly connection: Connection;
  readonly topicName: string;
  /** Valid during the call only. */
  readonly payload: Uint8Array;
  readonly properties: Properties;
}

const NOT_AVAILABLE: Uint8Array = new TextEncoder().encode('{"error":"endpoint not available"}');

/** Takes requests. What it throws is a fault of ours: bad requests are answered. */
export type ControlHandler = (request: ControlRequest) => void;

/** Whether the answer to a request can reach its client. */
export type CanBeAnswered = (request: ControlRequest) => boolean;

/** Whether `topicName` is below `$CONTROL/`. */
export function isControlTopic(topicName: string): boolean {
  return topicName.startsWith("$CONTROL/");
}

/** Who takes requests, by topic. */
export class Controls {
  readonly #handlers: Map<string, { readonly handler: ControlHandler; readonly canBeAnswered: CanBeAnswered }> =
    new Map();

  /**
   * Has `handler` called for each request to `topicName`, as in `$CONTROL/dynamic-security/v1`.
   * @param canBeAnswered where it says no, the request is refused with its acknowledgement: no answer could say why
   */
  handle(topicName: string, handler: ControlHandler, canBeAnswered: CanBeAnswered = () => true): void {
    this.#handlers.set(topicName, { handler, canBeAnswered });
  }

  /** Nobody takes requests to `topicName` any more. */
  ignore(topicName: string): void {
    this.#handlers.delete(topicName);
  }

  /** Hands a request over and returns the reason code for it; when nobody takes those of its topic, its client is told as by mosquitto. */
  receive(request: ControlRequest): Code {
    const handling = this.#handlers.get(request.topicName);
    if (handling === undefined) respond(request, `${request.topicName}/response`, NOT_AVAILABLE);
    else if (!handling.canBeAnswered(request)) return ReasonCode.NotAuthorized;
    else handling.handler(request);
    return ReasonCode.Success;
  }
}

/**
 * Sends an answer to the client of a request and to nobody else, whether or not it has subscribed to `topicName`. One that has gone
 * meanwhile gets none: another connection may have its Session.
 */
export function respond(
  { connection }: ControlRequest,
  topicName: string,
  payload: Uint8Array,
  qos: Qos = 0,
  properties: Properties = NO_PROPERTIES,
): void {
  const { session, broker, machine } = connection;
  if (session === null || machine.ended !== null) return;
  const fields = { topicName, payload, qos, retain: false, dup: false, packetId: 0, properties };
  const message = Message.made(fields, null, broker.turnMs);
  broker.ledger.beginObligation();
  const reason = session.deliver(message, qos, false, null, null);
  broker.ledger.endObligation();
  if (reason !== null) broker.dropped(reason, session, message);
}
