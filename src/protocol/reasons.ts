/**
 * Why something was refused, dropped or ended, as typed values: the one catalogue that every decision of the program takes its
 * reason from. A row gives the reason code that tells a 5.0 peer and the words of mosquitto's log; longer texts are in `explain`.
 */
import type { Fault } from "./errors.ts";
import { ReasonCode } from "./reason-codes.ts";

interface ReasonRow {
  /** What a 5.0 peer is told. */
  readonly code: ReasonCode;
  /** mosquitto 2.1's words for it in the log, or ours where it has none. */
  readonly log: string;
}

/** Reasons for which a connection ends or is refused. Of those with the same code the first is what that code means. */
export const END_REASONS = {
  "client-disconnected": { code: 0x00, log: "disconnected by client" },
  "disconnected-with-will": { code: 0x04, log: "disconnected by client with will" },
  "server-disconnected": { code: 0x00, log: "disconnected by server" },
  "unspecified-error": { code: 0x80, log: "unspecified error" },
  "connection-closed": { code: 0x80, log: "connection closed by client" },
  "network-error": { code: 0x80, log: "network error" },
  "malformed-packet": { code: 0x81, log: "malformed packet" },
  "protocol-error": { code: 0x82, log: "protocol error" },
  "implementation-specific-error": { code: 0x83, log: "implementation specific error" },
  "unsupported-protocol-version": { code: 0x84, log: "unsupported protocol version" },
  "client-identifier-not-valid": { code: 0x85, log: "client identifier not valid" },
  "not-authorized": { code: 0x87, log: "not authorised" },
  // As mosquitto: who guesses passwords is not told which half was wrong.
  "bad-user-name-or-password": { code: 0x87, log: "bad username or password" },
  // As mosquitto: a client certificate is asked for a name and has none.
  "identity-missing": { code: 0x86, log: "not authorised" },
  "server-unavailable": { code: 0x88, log: "server unavailable" },
  "server-busy": { code: 0x89, log: "server busy" },
  banned: { code: 0x8a, log: "client banned" },
  "server-shutting-down": { code: 0x8b, log: "server shutting down" },
  "bad-authentication-method": { code: 0x8c, log: "bad authentication method" },
  "keep-alive-timeout": { code: 0x8d, log: "exceeded timeout" },
  "connect-timeout": { code: 0x8d, log: "no complete CONNECT within the connect timeout" },
  "session-taken-over": { code: 0x8e, log: "session taken over" },
  "topic-filter-invalid": { code: 0x8f, log: "topic filter invalid" },
  "topic-name-invalid": { code: 0x90, log: "topic name invalid" },
  "receive-maximum-exceeded": { code: 0x93, log: "receive maximum exceeded" },
  "topic-alias-invalid": { code: 0x94, log: "topic alias invalid" },
  "packet-too-large": { code: 0x95, log: "oversize packet" },
  "quota-exceeded": { code: 0x97, log: "quota exceeded" },
  "too-many-connections": { code: 0x97, log: "max_connections exceeded" },
  "administrative-action": { code: 0x98, log: "administrative action" },
  "retain-not-supported": { code: 0x9a, log: "retain not supported" },
  "qos-not-supported": { code: 0x9b, log: "QoS not supported" },
  "shared-subscriptions-not-supported": { code: 0x9e, log: "shared subscriptions not supported" },
  "connection-rate-exceeded": { code: 0x9f, log: "connection rate exceeded" },
  "too-many-login-failures": { code: 0x9f, log: "too many failed log-ins from its address" },
  "tls-failed": { code: 0x80, log: "bad socket read/write: A TLS error occurred" },
  "client-certificate-refused": { code: 0x87, log: "its certificate was refused" },
  "websocket-refused": { code: 0x80, log: "it asked for no WebSocket that is allowed here" },
  "bad-http-origin": { code: 0x87, log: "non-matching http origin" },
  "websocket-protocol-error": { code: 0x82, log: "WebSocket protocol error" },
  "proxy-header-corrupt": { code: 0x80, log: "corrupt PROXY header" },
  "proxy-without-tls": { code: 0x87, log: "client did not connect using TLS" },
  "proxy-without-certificate": { code: 0x87, log: "client did not provide a certificate" },
  "write-stalled": { code: 0x80, log: "nothing could be written to the client for too long" },
} as const;

/** Why a connection ended or was refused. */
export type EndReason = keyof typeof END_REASONS;

/** Reasons for which one message did not reach one Session, or was not taken from a publisher. */
export const DROP_REASONS = {
  "no-subscription-matches": { code: 0x10, log: "no subscription matches" },
  "publish-denied": { code: 0x87, log: "denied: the publisher may not write this topic" },
  "receive-denied": { code: 0x87, log: "denied: the receiver may not read this topic" },
  "source-denied": { code: 0x87, log: "denied: who published the retained message may not write its topic any more" },
  "no-local": { code: 0x00, log: "the receiver published it and subscribed with no local" },
  "session-offline": { code: 0x00, log: "QoS 0 is not queued for a client that is offline" },
  "receiver-slow": { code: 0x00, log: "QoS 0 was dropped for a client that reads too slowly" },
  "queue-full": { code: 0x97, log: "the session's queue holds max_queued_messages" },
  "queue-bytes-full": { code: 0x97, log: "the session's queue holds max_queued_bytes" },
  "message-expired": { code: 0x00, log: "the message expired before it could be sent" },
  "too-large-for-receiver": { code: 0x95, log: "larger than the receiver's maximum packet size" },
  "outside-mount-point": { code: 0x00, log: "its topic is not below the mount point of the receiver's listener" },
  "payload-too-large": { code: 0x95, log: "its payload is larger than message_size_limit" },
  "memory-limit": { code: 0x97, log: "the broker holds as much as memory_limit allows" },
  "store-damaged": { code: 0x00, log: "its record in the store is damaged" },
  "session-ended": { code: 0x00, log: "the session ended before the message could be delivered" },
  "bridge-loop": { code: 0x00, log: "a bridge brought it that had been here before, or has crossed 16 bridges" },
} as const;

/** Why a message was not delivered to a Session, or not taken. */
export type DropReason = keyof typeof DROP_REASONS;

// Checked here and not at the tables, whose exported types must be readable without inference.
END_REASONS satisfies Record<string, ReasonRow>;
DROP_REASONS satisfies Record<string, ReasonRow>;

const BY_CODE: ReadonlyMap<number, EndReason> = new Map(
  (Object.entries(END_REASONS) as [EndReason, ReasonRow][]).reverse().map(([reason, row]) => [row.code, reason]),
);

/** The reason of a connection that ends by `fault`. */
export function endReasonOf(fault: Fault): EndReason {
  return BY_CODE.get(fault.reasonCode) ?? "protocol-error";
}

/** The reason of a client's connection that the server refused or ended with `reasonCode`. */
export function endReasonOfServer(reasonCode: number): EndReason {
  if (reasonCode === ReasonCode.BadUserNameOrPassword) return "bad-user-name-or-password";
  return reasonCode < 0x80 ? "server-disconnected" : (BY_CODE.get(reasonCode) ?? "server-disconnected");
}
