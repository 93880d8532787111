/** What the broker counts from its start on. Every permitted loss has a counter, by its reason. */
import { DROP_REASONS, type DropReason } from "../protocol/index.ts";

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
  /** Messages that did not reach one Session, by reason. */
  readonly dropped: Record<DropReason, number> = Object.fromEntries(
    Object.keys(DROP_REASONS).map((reason) => [reason, 0]),
  ) as Record<DropReason, number>;
}
