/** What the broker counts from its start on. Every permitted loss has a counter, by its reason. */
import { DROP_REASONS, type DropReason, END_REASONS, type EndReason } from "../protocol/index.ts";

/** Totals since the start; sizes in bytes. */
export class Counters {
  bytesReceived = 0;
  bytesSent = 0;
  messagesReceived = 0;
  messagesSent = 0;
  publishReceived = 0;
  publishSent = 0;
  publishBytesReceived = 0;
  publishBytesSent = 0;
  connectionsOpened = 0;
  connectsReceived = 0;
  /** Sessions that have ended because their clients did not come back in time. */
  sessionsExpired = 0;
  /** Subscriptions refused because the Session had as many as it may have. */
  subscriptionsRefused = 0;
  /** Times that a client was not read from because it sent too fast. */
  timesSlowed = 0;
  /** Connections that ended or were refused, by reason. */
  readonly ended: Record<EndReason, number> = zeros(END_REASONS);
  /** Messages that did not reach one Session, by reason. */
  readonly dropped: Record<DropReason, number> = zeros(DROP_REASONS);
}

function zeros<Reason extends string>(reasons: Readonly<Record<Reason, unknown>>): Record<Reason, number> {
  return Object.fromEntries(Object.keys(reasons).map((reason) => [reason, 0])) as Record<Reason, number>;
}
