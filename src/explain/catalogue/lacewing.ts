/** Our own names: why our broker ended a connection or dropped a message, and the codes of our client's errors. */
import { DROP_REASONS, type DropReason, END_REASONS, type EndReason } from "../../protocol/index.ts";
import type { Code } from "../code.ts";
import type { MeaningKey } from "./meanings.ts";

const ENDS: Readonly<Record<EndReason, MeaningKey>> = {
  "client-disconnected": "disconnected",
  "disconnected-with-will": "disconnected",
  "server-disconnected": "disconnected",
  "unspecified-error": "exact-reason-unknown",
  "connection-closed": "closed-without-disconnect",
  "network-error": "connection-reset",
  "malformed-packet": "malformed-packet",
  "protocol-error": "protocol-error",
  "implementation-specific-error": "implementation-specific",
  "unsupported-protocol-version": "protocol-version-refused",
  "client-identifier-not-valid": "identifier-refused",
  "not-authorized": "not-authorised",
  "bad-user-name-or-password": "not-authorised",
  "identity-missing": "certificate-without-name",
  "too-many-connections": "too-many-connections",
  "connection-rate-exceeded": "connection-rate",
  "too-many-login-failures": "login-back-off",
  "tls-failed": "tls-failed",
  "client-certificate-refused": "client-certificate-refused",
  "websocket-refused": "websocket-failed",
  "bad-http-origin": "origin-refused",
  "websocket-protocol-error": "websocket-failed",
  "proxy-header-corrupt": "proxy-header",
  "proxy-without-tls": "proxy-header",
  "proxy-without-certificate": "proxy-header",
  "server-unavailable": "server-unavailable",
  "server-busy": "server-busy",
  banned: "banned",
  "server-shutting-down": "server-shutting-down",
  "bad-authentication-method": "authentication-method-refused",
  "keep-alive-timeout": "client-silent",
  "connect-timeout": "connect-incomplete",
  "session-taken-over": "session-taken-over",
  "topic-filter-invalid": "topic-filter-invalid",
  "topic-name-invalid": "topic-name-invalid",
  "receive-maximum-exceeded": "receive-maximum",
  "topic-alias-invalid": "topic-alias",
  "packet-too-large": "packet-too-large",
  "quota-exceeded": "quota-exceeded",
  "administrative-action": "administrative-action",
  "retain-not-supported": "retain-refused",
  "qos-not-supported": "qos-refused",
  "shared-subscriptions-not-supported": "subscription-kind-refused",
  "write-stalled": "write-stalled",
};

const DROPS: Readonly<Record<DropReason, MeaningKey>> = {
  "no-subscription-matches": "no-subscribers",
  "publish-denied": "acl-denied",
  "receive-denied": "acl-denied",
  "source-denied": "acl-denied",
  "no-local": "no-local",
  "session-offline": "offline-qos-0",
  "receiver-slow": "messages-dropped",
  "queue-full": "messages-dropped",
  "queue-bytes-full": "messages-dropped",
  "message-expired": "message-expired",
  "too-large-for-receiver": "packet-too-large",
  "outside-mount-point": "no-subscribers",
  "payload-too-large": "packet-too-large",
  "memory-limit": "quota-exceeded",
  "store-damaged": "store-fails",
  "session-ended": "session-ended",
  "bridge-loop": "bridge-loop",
};

/** Why a connection ended or was refused. */
export const END_CODES: readonly Code[] = (Object.entries(END_REASONS) as [EndReason, { log: string }][]).map(
  ([name, { log }]) => ({ code: null, name, says: log, meaning: ENDS[name] }),
);

/** Why a message did not reach a Session. */
export const DROP_CODES: readonly Code[] = (Object.entries(DROP_REASONS) as [DropReason, { log: string }][]).map(
  ([name, { log }]) => ({ code: null, name, says: log, meaning: DROPS[name] }),
);

/** ClientError.code of our client library. */
export const CLIENT_CODES: readonly Code[] = [
  { code: null, name: "connection-refused", meaning: "connection-refused" },
  {
    code: null,
    name: "disconnected-by-server",
    meaning: "exact-reason-unknown",
    note: { en: "The error's reasonCode says why.", zh: "原因见错误对象的 reasonCode。" },
  },
  { code: null, name: "keep-alive-timeout", meaning: "keep-alive-timeout" },
  { code: null, name: "protocol-error", meaning: "protocol-error" },
  { code: null, name: "connection-lost", meaning: "connection-lost" },
  { code: null, name: "lookup-failed", meaning: "name-unknown" },
  { code: null, name: "tls-failed", meaning: "tls-failed" },
  { code: null, name: "proxy-failed", meaning: "proxy-refused" },
  { code: null, name: "authentication-failed", meaning: "authentication-failed" },
  { code: null, name: "network-error", meaning: "system-call-failed" },
  { code: null, name: "not-connected", meaning: "not-connected" },
  { code: null, name: "queue-full", meaning: "messages-dropped" },
  { code: null, name: "dropped", meaning: "messages-dropped" },
  { code: null, name: "expired", meaning: "message-expired" },
  { code: null, name: "no-packet-identifier", meaning: "packet-id-in-use" },
  { code: null, name: "packet-too-large", meaning: "packet-too-large" },
  { code: null, name: "qos-not-supported", meaning: "qos-refused" },
  { code: null, name: "retain-not-supported", meaning: "retain-refused" },
  { code: null, name: "publish-refused", meaning: "acl-denied" },
  { code: null, name: "subscribe-refused", meaning: "subscription-refused" },
  { code: null, name: "unsubscribe-refused", meaning: "unsubscribe-refused" },
  {
    code: null,
    name: "aborted",
    meaning: "timed-out",
    note: { en: "The program's own AbortSignal ended it.", zh: "由程序自己的 AbortSignal 中止。" },
  },
  { code: null, name: "timed-out", meaning: "timed-out" },
  { code: null, name: "not-supported", meaning: "not-supported" },
  { code: null, name: "closed", meaning: "not-connected" },
  { code: null, name: "store-failed", meaning: "store-fails" },
  {
    code: null,
    name: "store-locked",
    meaning: "permission-denied",
    note: { en: "Another process uses this store.", zh: "另一个进程正在使用该存储。" },
  },
  { code: null, name: "invalid-argument", meaning: "invalid-argument" },
];
