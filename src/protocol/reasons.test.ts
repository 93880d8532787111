// Every reason for an end or a drop has a code of the specification and words for the log.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isReasonCodeOn, REASON_CODES, ReasonCode, reasonCodeName } from "./reason-codes.ts";
import { DROP_REASONS, END_REASONS, type EndReason, endReasonOf, endReasonOfServer } from "./reasons.ts";

test("reasons have codes that exist and words of their own", () => {
  for (const [reason, { code, log }] of [...Object.entries(END_REASONS), ...Object.entries(DROP_REASONS)]) {
    assert.doesNotMatch(reasonCodeName(code), /^0x/, reason);
    assert.match(reason, /^[a-z0-9]+(-[a-z0-9]+)*$/);
    assert.ok(log.length > 0);
  }
  // A certificate without a name is a wrong user name in mosquitto's log, too.
  const ends = Object.entries(END_REASONS).filter(([reason]) => reason !== "identity-missing");
  const words = ends.map(([, { log }]) => log);
  assert.equal(new Set(words).size, words.length, "two ends do not read the same in a log");
});

test("mosquitto 2.1's words in the log", () => {
  for (const [reason, words] of [
    ["malformed-packet", "malformed packet"],
    ["protocol-error", "protocol error"],
    ["connection-closed", "connection closed by client"],
    ["not-authorized", "not authorised"],
    ["identity-missing", "not authorised"],
    ["keep-alive-timeout", "exceeded timeout"],
    ["packet-too-large", "oversize packet"],
    ["administrative-action", "administrative action"],
    ["receive-maximum-exceeded", "receive maximum exceeded"],
    ["implementation-specific-error", "implementation specific error"],
    ["client-identifier-not-valid", "client identifier not valid"],
    ["bad-user-name-or-password", "bad username or password"],
    ["server-unavailable", "server unavailable"],
    ["server-busy", "server busy"],
    ["banned", "client banned"],
    ["bad-authentication-method", "bad authentication method"],
    ["quota-exceeded", "quota exceeded"],
    ["tls-failed", "bad socket read/write: A TLS error occurred"],
    ["bad-http-origin", "non-matching http origin"],
    ["proxy-header-corrupt", "corrupt PROXY header"],
    ["proxy-without-tls", "client did not connect using TLS"],
    ["proxy-without-certificate", "client did not provide a certificate"],
  ] as const satisfies readonly (readonly [EndReason, string])[])
    assert.equal(END_REASONS[reason].log, words);
});

test("every code that answers a peer's mistake has its reason", () => {
  for (const [reasonCode, reason] of [
    [ReasonCode.MalformedPacket, "malformed-packet"],
    [ReasonCode.ProtocolError, "protocol-error"],
    [ReasonCode.UnsupportedProtocolVersion, "unsupported-protocol-version"],
    [ReasonCode.TopicFilterInvalid, "topic-filter-invalid"],
    [ReasonCode.TopicNameInvalid, "topic-name-invalid"],
    [ReasonCode.ReceiveMaximumExceeded, "receive-maximum-exceeded"],
    [ReasonCode.TopicAliasInvalid, "topic-alias-invalid"],
    [ReasonCode.PacketTooLarge, "packet-too-large"],
    [ReasonCode.RetainNotSupported, "retain-not-supported"],
    [ReasonCode.QosNotSupported, "qos-not-supported"],
  ] as const)
    assert.equal(endReasonOf({ reasonCode, message: "" }), reason);
});

test("what a server refuses or ends a connection with has its reason at the client", () => {
  for (const [reasonCode, reason] of [
    [0x00, "server-disconnected"],
    [0x80, "unspecified-error"],
    [0x81, "malformed-packet"],
    [0x82, "protocol-error"],
    [0x84, "unsupported-protocol-version"],
    [0x85, "client-identifier-not-valid"],
    [0x86, "bad-user-name-or-password"],
    [0x87, "not-authorized"],
    [0x88, "server-unavailable"],
    [0x8b, "server-shutting-down"],
    [0x8d, "keep-alive-timeout"],
    [0x8e, "session-taken-over"],
    [0x94, "topic-alias-invalid"],
    [0x98, "administrative-action"],
    [0xa0, "server-disconnected"],
  ] as const)
    assert.equal(endReasonOfServer(reasonCode), reason, `0x${reasonCode.toString(16)}`);
  for (const { code } of REASON_CODES)
    if (isReasonCodeOn("CONNACK", code) || isReasonCodeOn("DISCONNECT", code))
      assert.ok(endReasonOfServer(code) in END_REASONS);
});
