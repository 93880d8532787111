/** The layout of each record of `schema.ts`: facts to keys and values, and back. */
import { createHash } from "node:crypto";
import type { Change, Source } from "../../core/index.ts";
import type { Ack, Qos } from "../../protocol/index.ts";
import { type ByteReader, type ByteWriter, textOf, utf8Of } from "./bytes.ts";
import { NO_MESSAGE } from "./schema.ts";

export type Of<Kind extends Change["kind"]> = Extract<Change, { kind: Kind }>;

const LONGEST_TEXT_IN_KEY = 255;
const IN_KEY = 0;
const HASHED = 1;

/** Writes a text as part of a key. Returns whether the text is all there; if not, the value must have it. */
export function putTextKey(to: ByteWriter, text: string): boolean {
  const start = to.at;
  to.uint8(IN_KEY);
  const length = to.text(text);
  if (length <= LONGEST_TEXT_IN_KEY) return true;
  to.at = start;
  to.uint8(HASHED);
  to.put(createHash("sha256").update(utf8Of(text)).digest());
  return false;
}

/** The text of a key, or of the value that ends with it. */
function textOfKey(key: Uint8Array, from: number, to: number, value: ByteReader): string {
  return textOf(key[from] === IN_KEY ? key.subarray(from + 1, to) : value.rest());
}

const HAS_PRINCIPAL = 1;
const IS_DISCONNECTED = 2;
const HAS_LAST_PACKET_ID = 4;

export function putSession(to: ByteWriter, fact: Of<"session-set">): void {
  const { clientId, principal, expirySeconds, disconnectedAtMs, lastPacketId } = fact;
  to.uint8(
    (principal === null ? 0 : HAS_PRINCIPAL) |
      (disconnectedAtMs === null ? 0 : IS_DISCONNECTED) |
      (lastPacketId === undefined ? 0 : HAS_LAST_PACKET_ID),
  );
  to.uint32(expirySeconds);
  to.float64(disconnectedAtMs ?? 0);
  to.sizedText(clientId);
  to.sizedText(principal ?? "");
  if (lastPacketId !== undefined) to.uint16(lastPacketId);
}

export function sessionFrom(value: ByteReader): Of<"session-set"> {
  const flags = value.uint8();
  const expirySeconds = value.uint32();
  const disconnectedAtMs = value.float64();
  const clientId = value.sizedText();
  const principal = value.sizedText();
  return {
    kind: "session-set",
    clientId,
    principal: flags & HAS_PRINCIPAL ? principal : null,
    expirySeconds,
    disconnectedAtMs: flags & IS_DISCONNECTED ? disconnectedAtMs : null,
    ...(flags & HAS_LAST_PACKET_ID && { lastPacketId: value.uint16() }),
  };
}

const QOS = 3;
const NO_LOCAL = 4;
const RETAIN_AS_PUBLISHED = 8;

/** `isInKey`: whether the key has the Topic Filter. */
export function putSubscription(to: ByteWriter, fact: Of<"subscription-set">, isInKey: boolean): void {
  const { topicFilter, qos, noLocal, retainAsPublished, subscriptionId } = fact;
  to.uint8(qos | (noLocal ? NO_LOCAL : 0) | (retainAsPublished ? RETAIN_AS_PUBLISHED : 0));
  to.uint32(subscriptionId ?? 0);
  if (!isInKey) to.text(topicFilter);
}

export function subscriptionFrom(clientId: string, key: Uint8Array, value: ByteReader): Of<"subscription-set"> {
  const flags = value.uint8();
  const subscriptionId = value.uint32();
  return {
    kind: "subscription-set",
    clientId,
    topicFilter: textOfKey(key, 6, key.length, value),
    qos: (flags & QOS) as Qos,
    noLocal: (flags & NO_LOCAL) !== 0,
    retainAsPublished: (flags & RETAIN_AS_PUBLISHED) !== 0,
    subscriptionId: subscriptionId === 0 ? null : subscriptionId,
  };
}

const WAITS: readonly Ack[] = ["PUBACK", "PUBREC", "PUBCOMP"];
const IS_QOS_2 = 1;
const RETAIN = 2;
const WAIT_SHIFT = 2;
const WAIT = 3;
const HAS_IDS = 16;
const HAS_SHARE = 32;

export function putDelivery(to: ByteWriter, fact: Of<"delivery-set">): void {
  const { message, qos, retain, wait, subscriptionIds, share, packetId, payloadBytes } = fact;
  to.uint48(message ?? NO_MESSAGE);
  to.uint8(
    (qos === 2 ? IS_QOS_2 : 0) |
      (retain ? RETAIN : 0) |
      (WAITS.indexOf(wait) << WAIT_SHIFT) |
      (subscriptionIds === null ? 0 : HAS_IDS) |
      (share === null ? 0 : HAS_SHARE),
  );
  to.uint16(packetId);
  to.uint32(payloadBytes);
  if (subscriptionIds !== null) {
    to.uint32(subscriptionIds.length);
    for (const id of subscriptionIds) to.uint32(id);
  }
  if (share !== null) to.text(share);
}

export function deliveryFrom(clientId: string, order: number, value: ByteReader): Of<"delivery-set"> {
  const message = value.uint48();
  const flags = value.uint8();
  const packetId = value.uint16();
  const payloadBytes = value.uint32();
  const ids = flags & HAS_IDS ? Array.from({ length: value.uint32() }, () => value.uint32()) : null;
  return {
    kind: "delivery-set",
    clientId,
    order,
    message: message === NO_MESSAGE ? null : message,
    qos: flags & IS_QOS_2 ? 2 : 1,
    retain: (flags & RETAIN) !== 0,
    subscriptionIds: ids,
    packetId,
    wait: WAITS[(flags >>> WAIT_SHIFT) & WAIT]!,
    share: flags & HAS_SHARE ? textOf(value.rest()) : null,
    payloadBytes,
  };
}

/** Whether a delivery waits in its queue, not sent and not by a share, as a `QueueSummary` counts it; `value` is its record. */
export function isQueued(value: Uint8Array): boolean {
  return value[7] === 0 && value[8] === 0;
}

/** Whether the value of a delivery says that it came by a shared subscription. */
export function isShared(value: Uint8Array): boolean {
  return (value[6]! & HAS_SHARE) !== 0;
}

/** Where the payload's length is in the value of a delivery. */
export const PAYLOAD_BYTES_AT = 9;

const IS_DUE = 1;

export function putWill(to: ByteWriter, fact: Of<"will-set">): void {
  to.uint8(fact.dueAtMs === null ? 0 : IS_DUE);
  to.uint32(fact.delaySeconds);
  to.float64(fact.dueAtMs ?? 0);
  to.put(fact.publish);
}

export function willFrom(clientId: string, value: ByteReader): Of<"will-set"> {
  const flags = value.uint8();
  const delaySeconds = value.uint32();
  const dueAtMs = value.float64();
  return {
    kind: "will-set",
    clientId,
    publish: value.rest(),
    delaySeconds,
    dueAtMs: flags & IS_DUE ? dueAtMs : null,
  };
}

export function shareFrom(key: Uint8Array, order: number, value: ByteReader): Of<"share-set"> {
  const message = value.uint48();
  return { kind: "share-set", share: textOfKey(key, 0, key.length - 6, value), order, message };
}

export function retainedFrom(key: Uint8Array, value: ByteReader): Of<"retained-set"> {
  const message = value.uint48();
  return { kind: "retained-set", topicName: textOfKey(key, 0, key.length, value), message };
}

const HAS_PUBLISHER = 1;
const EXPIRES = 2;
/** Since layout 2. */
const HAS_SOURCE = 4;

export function putMessage(to: ByteWriter, fact: Of<"message-added">): void {
  const { publisher, expiresAtMs, publish, source } = fact;
  const flags = (publisher === null ? 0 : HAS_PUBLISHER) | (expiresAtMs === null ? 0 : EXPIRES);
  to.uint8(flags | (source === undefined ? 0 : HAS_SOURCE));
  if (expiresAtMs !== null) to.float64(expiresAtMs);
  if (publisher !== null) to.sizedText(publisher);
  if (source !== undefined) {
    to.sizedText(source.username ?? "");
    to.sizedText(source.listener ?? "");
  }
  to.put(publish);
}

export function messageFrom(message: number, value: ByteReader): Of<"message-added"> {
  const flags = value.uint8();
  const expiresAtMs = flags & EXPIRES ? value.float64() : null;
  const publisher = flags & HAS_PUBLISHER ? value.sizedText() : null;
  const source = flags & HAS_SOURCE ? sourceFrom(value) : undefined;
  return { kind: "message-added", message, publish: value.rest(), expiresAtMs, publisher, ...(source && { source }) };
}

function sourceFrom(value: ByteReader): Source {
  const username = value.sizedText();
  const listener = value.sizedText();
  return { username: username || null, listener: listener || null };
}
