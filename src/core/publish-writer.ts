/**
 * Writes a PUBLISH for one receiver. Most receivers get the very bytes that the publisher sent, their parts, or bytes encoded once
 * for all of them; only what 5.0 lets differ between receivers (aliases, identifiers, remaining expiry) is written for each.
 */
import {
  copyBytes,
  type OutboundAliases,
  type Output,
  publishBytes,
  publishRemainingLength,
  putVarint,
  varintBytes,
} from "../protocol/index.ts";
import type { Encoding, Message } from "./message.ts";

/** How one connection gets its messages. */
export interface Outlet {
  readonly output: Output;
  readonly isVersion5: boolean;
  /** Topic aliases that the client allows; null: none. */
  readonly aliases: OutboundAliases | null;
  /** Largest packet that the client takes, in bytes. */
  readonly maximumPacketSize: number;
}

/** What the property Topic Alias takes. */
const ALIAS_BYTES = 3;

const NO_TOPIC = new Uint8Array(0);

/** Writes `message` with `firstByte` and `packetId` (0 at QoS 0) to `outlet`. It must fit the client's maximum packet size. */
export function writePublish(
  outlet: Outlet,
  message: Message,
  firstByte: number,
  packetId: number,
  subscriptionIds: readonly number[] | null,
  nowMs: number,
): void {
  if (
    outlet.isVersion5 &&
    (outlet.aliases !== null || subscriptionIds !== null || message.expiresAtMs !== Number.POSITIVE_INFINITY)
  ) {
    writeOwn(outlet, message, firstByte, packetId, subscriptionIds, nowMs);
    return;
  }
  const { output } = outlet;
  if (packetId > 0 && message.hasParts(outlet.isVersion5)) {
    message.writeParts(output, outlet.isVersion5, firstByte, packetId);
    return;
  }
  const { bytes, start, end, packetIdAt } = message.encoding(outlet.isVersion5, packetId > 0);
  if (packetId === 0 && bytes[start] === firstByte) {
    output.appendRange(bytes, start, end);
    return;
  }
  const at = output.reserve(end - start);
  const target = output.buffer!;
  copyBytes(bytes, start, end, target, at);
  target[at] = firstByte;
  if (packetId > 0) {
    const idAt = at + packetIdAt - start;
    target[idAt] = packetId >>> 8;
    target[idAt + 1] = packetId;
  }
}

/** Writes a PUBLISH of 5.0 with what is the receiver's own: alias, identifiers and the expiry that is left. */
function writeOwn(
  outlet: Outlet,
  message: Message,
  firstByte: number,
  packetId: number,
  subscriptionIds: readonly number[] | null,
  nowMs: number,
): void {
  const { output, aliases } = outlet;
  const expirySeconds = message.remainingExpirySeconds(nowMs);
  const known = aliases === null ? null : aliases.for(message.topicName);
  const hasTopic = known === null || known.isNew;
  const plainBytes = ownPropertyBytes(message, subscriptionIds, expirySeconds);
  let alias = known === null ? 0 : known.alias;
  // A topic gets its alias with its first message, as long as there are any and that one has room for it [5.0 §3.3.2.3.4].
  if (known?.isNew) {
    if (packetBytes(message, packetId, plainBytes + ALIAS_BYTES) <= outlet.maximumPacketSize) known.isNew = false;
    else alias = 0;
  }
  const topic = hasTopic ? message.topicUtf8 : NO_TOPIC;
  const propertyBytes = plainBytes + (alias > 0 ? ALIAS_BYTES : 0);
  const qos = packetId > 0 ? 1 : 0;
  const remaining = publishRemainingLength(topic.length, qos, propertyBytes, message.payloadBytes);
  let at = output.reserve(publishBytes(remaining));
  const target = output.buffer!;
  target[at] = firstByte;
  at = putTopic(target, putVarint(target, at + 1, remaining), topic);
  if (packetId > 0) {
    target[at++] = packetId >>> 8;
    target[at++] = packetId;
  }
  at = putVarint(target, at, propertyBytes);
  target.set(message.propertyBytes, at);
  at = putOwnProperties(target, at + message.propertyBytes.length, alias, expirySeconds, subscriptionIds);
  message.copyPayload(target, at);
}

function putTopic(target: Uint8Array, at: number, topic: Uint8Array): number {
  target[at] = topic.length >>> 8;
  target[at + 1] = topic.length;
  copyBytes(topic, 0, topic.length, target, at + 2);
  return at + 2 + topic.length;
}

/** In mosquitto's order, behind what came with the message. */
function putOwnProperties(
  target: Uint8Array,
  from: number,
  alias: number,
  expirySeconds: number,
  subscriptionIds: readonly number[] | null,
): number {
  let at = from;
  if (expirySeconds >= 0) {
    target[at++] = 0x02;
    target[at++] = expirySeconds >>> 24;
    target[at++] = expirySeconds >>> 16;
    target[at++] = expirySeconds >>> 8;
    target[at++] = expirySeconds;
  }
  if (alias > 0) {
    target[at++] = 0x23;
    target[at++] = alias >>> 8;
    target[at++] = alias;
  }
  if (subscriptionIds === null) return at;
  for (let i = 0; i < subscriptionIds.length; i++) {
    target[at++] = 0x0b;
    at = putVarint(target, at, subscriptionIds[i]!);
  }
  return at;
}

/** Bytes of the properties of `message` for one receiver, without an alias; `expirySeconds` is -1 when it does not expire. */
function ownPropertyBytes(message: Message, subscriptionIds: readonly number[] | null, expirySeconds: number): number {
  let bytes = message.propertyBytes.length + (expirySeconds >= 0 ? 5 : 0);
  if (subscriptionIds === null) return bytes;
  for (let i = 0; i < subscriptionIds.length; i++) bytes += 1 + varintBytes(subscriptionIds[i]!);
  return bytes;
}

function packetBytes(message: Message, packetId: number, propertyBytes: number): number {
  const qos = packetId > 0 ? 1 : 0;
  return publishBytes(publishRemainingLength(message.topicUtf8.length, qos, propertyBytes, message.payloadBytes));
}

/** Bytes of the PUBLISH that carries `message` without an alias; `packetId` is 0 at QoS 0 and anything else above. */
export function publishPacketBytes(
  isVersion5: boolean,
  message: Message,
  packetId: number,
  subscriptionIds: readonly number[] | null,
  nowMs: number,
): number {
  if (isVersion5) {
    const expirySeconds = message.remainingExpirySeconds(nowMs);
    return packetBytes(message, packetId, ownPropertyBytes(message, subscriptionIds, expirySeconds));
  }
  const { start, end }: Encoding = message.encoding(false, packetId > 0);
  return end - start;
}
