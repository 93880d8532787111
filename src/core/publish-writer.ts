/**
 * Writes a PUBLISH for one receiver. Most receivers get the very bytes that the publisher sent, or bytes encoded once for all
 * of them; only what 5.0 lets differ between receivers (aliases, identifiers, remaining expiry) is written for each.
 */
import { copyBytes, encodeUtf8, type OutboundAliases, type Output } from "../protocol/index.ts";
import {
  type Encoding,
  type Envelope,
  envelopeBytes,
  envelopePropertyBytes,
  type Message,
  putInEnvelope,
} from "./message.ts";

/** How one connection gets its messages. */
export interface Outlet {
  readonly output: Output;
  readonly isVersion5: boolean;
  /** Topic aliases that the client allows; null: none. */
  readonly aliases: OutboundAliases | null;
  /** Largest packet that the client takes, in bytes. */
  readonly maximumPacketSize: number;
}

/** An alias takes this many bytes more when it is new. */
const NEW_ALIAS_BYTES = 3;

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
    writeInEnvelope(outlet, message, firstByte, packetId, subscriptionIds, nowMs);
    return;
  }
  const { output } = outlet;
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

function writeInEnvelope(
  outlet: Outlet,
  message: Message,
  firstByte: number,
  packetId: number,
  subscriptionIds: readonly number[] | null,
  nowMs: number,
): void {
  const plain: Envelope = {
    firstByte,
    packetId,
    topic: encodeUtf8(message.topicName),
    topicAlias: 0,
    subscriptionIds,
    expirySeconds: message.remainingExpirySeconds(nowMs),
  };
  const envelope = outlet.aliases === null ? plain : withAlias(outlet, outlet.aliases, message, plain);
  const propertyBytes = envelopePropertyBytes(message, envelope);
  const count = envelopeBytes(message, envelope, propertyBytes);
  const at = outlet.output.reserve(count);
  putInEnvelope(outlet.output.buffer!, at, message, envelope, propertyBytes);
}

/** The envelope with the topic's alias, given out on the first message of a topic as long as there are any [5.0 §3.3.2.3.4]. */
function withAlias(outlet: Outlet, aliases: OutboundAliases, message: Message, plain: Envelope): Envelope {
  const alias = aliases.for(message.topicName);
  if (alias === null) return plain;
  if (!alias.isNew) return { ...plain, topic: NO_TOPIC, topicAlias: alias.alias };
  if (packetBytes(message, plain) + NEW_ALIAS_BYTES + 2 > outlet.maximumPacketSize) return plain;
  alias.isNew = false;
  return { ...plain, topicAlias: alias.alias };
}

function packetBytes(message: Message, envelope: Envelope): number {
  return envelopeBytes(message, envelope, envelopePropertyBytes(message, envelope));
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
    const topic = encodeUtf8(message.topicName);
    const expirySeconds = message.remainingExpirySeconds(nowMs);
    return packetBytes(message, { firstByte: 0, packetId, topic, topicAlias: 0, subscriptionIds, expirySeconds });
  }
  const { start, end }: Encoding = message.encoding(false, packetId > 0);
  return end - start;
}
