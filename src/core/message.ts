/**
 * A message on its way through the broker, made once for each PUBLISH and shared by all who receive it. It keeps the bytes it
 * came in, so that receivers who would get the same bytes do; other wire forms are made at most once each.
 */
import {
  copyBytes,
  encodePublish,
  encodePublishProperties,
  encodeUtf8,
  isFault,
  NO_PROPERTIES,
  type Output,
  PacketDecoder,
  type Properties,
  type Publish,
  type PublishFields,
  publishBytes,
  putVarint,
  type Qos,
  type Version,
} from "../protocol/index.ts";
import type { Batch, Entry } from "./obligation.ts";
import type { Source } from "./source.ts";
import type { Change } from "./store.ts";
import type { Timeline } from "./timeline.ts";

/** A PUBLISH as it goes out, but for its flags and packet identifier, which each receiver has its own of. */
export interface Encoding {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** Where the packet identifier is, or -1 at QoS 0. */
  readonly packetIdAt: number;
}

/** Wire forms by version and QoS: before 5.0 without and with packet identifier, 5.0 without and with. */
type Encodings = [Encoding | null, Encoding | null, Encoding | null, Encoding | null];

/** Bytes of messages that outlive their chunk are gathered in blocks of this size: a message keeps at most one block alive. */
const BLOCK_BYTES = 16_384;
/** Longer packets get a buffer of their own. */
const LONGEST_IN_BLOCK = 2048;

/** Where kept messages lie; one for each broker. */
export class Keep {
  #block: Uint8Array = new Uint8Array(0);
  #used = 0;
  /** Where the last `copy` is. */
  bytes: Uint8Array = this.#block;
  start = 0;

  /** Copies `source[from..to)` to a place of its own: `bytes` at `start`. */
  copy(source: Uint8Array, from: number, to: number): void {
    const count = to - from;
    if (count > LONGEST_IN_BLOCK) {
      this.bytes = source.slice(from, to);
      this.start = 0;
      return;
    }
    if (this.#used + count > this.#block.length) {
      this.#block = new Uint8Array(BLOCK_BYTES);
      this.#used = 0;
    }
    this.bytes = this.#block;
    this.start = this.#used;
    this.#used += count;
    copyBytes(source, from, to, this.#block, this.start);
  }
}

/** One message. */
export class Message {
  readonly topicName: string;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly properties: Properties;
  /** Client Identifier of the Session that published it, for no local; null when no client did. */
  readonly publisher: string | null;
  /** Of a retained one, when its publisher can be judged again later. */
  source: Source | null = null;
  /** On the monotonic clock; Infinity when it does not expire. */
  readonly expiresAtMs: number;
  /** Its key in the store, and how many facts there refer to it that somebody here knows of: without one it is not to be relied on. */
  storeKey = 0;
  storedUses = 0;
  /** The batch that it went to the store with. */
  #storedWith = 0;
  /** When it expires, on the time line of the store; null: never. */
  storedExpiresAtMs: number | null = null;
  /** Facts that refer to it and wait to be given to the store. */
  #waitingUses = 0;
  /** The fact that it is retained, while it is, and whether the store has been given it. */
  retainedEntry: Entry | null = null;
  isRetainedStored = false;
  #bytes: Uint8Array;
  #start: number;
  #bodyStart: number;
  #payloadStart: number;
  #end: number;
  /** 0: there is no wire form that can be passed on; 4: one of 3.1 or 3.1.1; 5: one of 5.0. */
  readonly #wire: 0 | 4 | 5;
  #isKept: boolean;
  #encodings: Encodings | null = null;
  #propertyBytes: Uint8Array | null = null;
  #topicUtf8: Uint8Array | null = null;

  private constructor(
    publish: Publish | PublishFields,
    wire: 0 | 4 | 5,
    publisher: string | null,
    expiresAtMs: number,
  ) {
    this.topicName = publish.topicName;
    this.qos = publish.qos;
    this.retain = publish.retain;
    this.properties = publish.properties;
    this.publisher = publisher;
    this.expiresAtMs = expiresAtMs;
    this.#wire = wire;
    if ("bytes" in publish) {
      this.#bytes = publish.bytes;
      this.#start = publish.start;
      this.#bodyStart = publish.bodyStart;
      this.#payloadStart = publish.payloadStart;
      this.#end = publish.end;
      this.#isKept = false;
    } else {
      this.#bytes = publish.payload;
      this.#start = this.#bodyStart = this.#payloadStart = 0;
      this.#end = publish.payload.length;
      this.#isKept = true;
    }
  }

  /** A message as it came from a client of `version`. */
  static received(publish: Publish, version: Version, publisher: string, nowMs: number): Message {
    const { properties } = publish;
    if (properties === NO_PROPERTIES)
      return new Message(publish, version === 5 ? 5 : 4, publisher, Number.POSITIVE_INFINITY);
    // An alias belongs to the publisher's connection: the others get the topic or an alias of their own [5.0 §3.3.2.3.4].
    return new Message(publish, properties.topicAlias === undefined ? 5 : 0, publisher, expiryOf(properties, nowMs));
  }

  /** A message that no client's PUBLISH carried: a will, one from another broker, or one of the broker itself. */
  static made(fields: PublishFields, publisher: string | null, nowMs: number): Message {
    return new Message(fields, 0, publisher, expiryOf(fields.properties, nowMs));
  }

  /** A message from the store, as `toStored` wrote it; `expiresAtMs` is on the monotonic clock. */
  static restored(publish: Publish, publisher: string | null, storeKey: number, expiresAtMs: number): Message {
    const message = new Message(publish, 5, publisher, expiresAtMs);
    message.storeKey = storeKey;
    // The bytes are no chunk, but the store's gift.
    message.#isKept = true;
    return message;
  }

  /** The same under another Topic Name, with the time that it has left; valid as long as this one. */
  renamed(topicName: string): Message {
    const { payload, qos, retain, properties } = this;
    const fields = { topicName, payload, qos, retain, dup: false, packetId: 0, properties };
    return new Message(fields, 0, this.publisher, this.expiresAtMs);
  }

  /** The same message with other properties. */
  withProperties(properties: Properties): Message {
    const { topicName, payload, qos, retain } = this;
    const fields = { topicName, payload, qos, retain, dup: false, packetId: 0, properties };
    return new Message(fields, 0, this.publisher, this.expiresAtMs);
  }

  get payloadBytes(): number {
    return this.#end - this.#payloadStart;
  }

  /** Copies the payload to `target` at `at`. */
  copyPayload(target: Uint8Array, at: number): void {
    copyBytes(this.#bytes, this.#payloadStart, this.#end, target, at);
  }

  /** The Topic Name in UTF-8. */
  get topicUtf8(): Uint8Array {
    this.#topicUtf8 ??= encodeUtf8(this.topicName);
    return this.#topicUtf8;
  }

  /** A view of the payload; valid as long as the message. */
  get payload(): Uint8Array {
    return this.#bytes.subarray(this.#payloadStart, this.#end);
  }

  /** Makes the message independent of the chunk it came in; call before it outlives the turn. */
  keep(keep: Keep): void {
    if (this.#isKept) return;
    this.#isKept = true;
    this.#encodings = null;
    keep.copy(this.#bytes, this.#start, this.#end);
    const moved = keep.start - this.#start;
    this.#bytes = keep.bytes;
    this.#start += moved;
    this.#bodyStart += moved;
    this.#payloadStart += moved;
    this.#end += moved;
  }

  /** Its wire form for receivers of 5.0 or of an earlier version, with or without packet identifier. */
  encoding(isVersion5: boolean, hasPacketId: boolean): Encoding {
    this.#encodings ??= [null, null, null, null];
    const index = (isVersion5 ? 2 : 0) + (hasPacketId ? 1 : 0);
    const known = this.#encodings[index];
    if (known) return known;
    const made = this.#isWireForm(isVersion5, hasPacketId)
      ? this.#asReceived(hasPacketId)
      : this.#encode(isVersion5, hasPacketId);
    this.#encodings[index] = made;
    return made;
  }

  #isWireForm(isVersion5: boolean, hasPacketId: boolean): boolean {
    return this.#wire === (isVersion5 ? 5 : 4) && this.qos > 0 === hasPacketId;
  }

  #asReceived(hasPacketId: boolean): Encoding {
    const bytes = this.#bytes;
    return { bytes, start: this.#start, end: this.#end, packetIdAt: hasPacketId ? this.#topicEnd : -1 };
  }

  /** Where the topic ends in the wire form. */
  get #topicEnd(): number {
    const bytes = this.#bytes;
    const body = this.#bodyStart;
    return body + 2 + ((bytes[body]! << 8) | bytes[body + 1]!);
  }

  /** Whether a receiver who needs a packet identifier can have parts of its wire form and not the whole: of another version, or without identifier. */
  hasParts(isVersion5: boolean): boolean {
    return this.#wire !== 0 && !this.#isWireForm(isVersion5, true);
  }

  /** Writes the parts with a packet identifier. */
  writeParts(output: Output, isVersion5: boolean, firstByte: number, packetId: number): void {
    const bytes = this.#bytes;
    const topicEnd = this.#topicEnd;
    const topicBytes = topicEnd - this.#bodyStart;
    const propertiesAt = this.#wire === 5 ? topicEnd + (this.qos > 0 ? 2 : 0) : this.#payloadStart;
    const propertyBytes = !isVersion5 ? 0 : Math.max(1, this.#payloadStart - propertiesAt);
    const remaining = topicBytes + 2 + propertyBytes + this.payloadBytes;
    let at = output.reserve(publishBytes(remaining));
    const target = output.buffer!;
    target[at] = firstByte;
    at = putVarint(target, at + 1, remaining);
    copyBytes(bytes, this.#bodyStart, topicEnd, target, at);
    at += topicBytes;
    target[at] = packetId >>> 8;
    target[at + 1] = packetId;
    // One that came without property length gets the byte that says that there are none.
    if (this.#wire === 4) target[at + 2] = 0;
    else copyBytes(bytes, propertiesAt, propertiesAt + propertyBytes, target, at + 2);
    copyBytes(bytes, this.#payloadStart, this.#end, target, at + 2 + propertyBytes);
  }

  #encode(isVersion5: boolean, hasPacketId: boolean): Encoding {
    const properties = isVersion5 ? this.properties : NO_PROPERTIES;
    const { topicAlias: _, ...forwarded } = properties;
    const bytes = encodePublish(
      {
        topicName: this.topicName,
        payload: this.payload,
        qos: hasPacketId ? 1 : 0,
        retain: false,
        dup: false,
        packetId: hasPacketId ? 1 : 0,
        properties: properties === NO_PROPERTIES ? NO_PROPERTIES : forwarded,
      },
      isVersion5 ? 5 : 4,
    );
    let body = 2;
    while (bytes[body - 1]! > 127) body++;
    return {
      bytes,
      start: 0,
      end: bytes.length,
      packetIdAt: hasPacketId ? body + 2 + ((bytes[body]! << 8) | bytes[body + 1]!) : -1,
    };
  }

  /** Its properties in wire form without what differs between receivers: alias, identifiers and the remaining expiry. */
  get propertyBytes(): Uint8Array {
    if (this.#propertyBytes === null) {
      const { topicAlias: _, subscriptionIdentifiers: __, messageExpirySeconds: ___, ...rest } = this.properties;
      this.#propertyBytes = encodePublishProperties(Object.keys(rest).length === 0 ? NO_PROPERTIES : rest);
    }
    return this.#propertyBytes;
  }

  /** Whether it has expired. */
  isExpired(nowMs: number): boolean {
    return nowMs >= this.expiresAtMs;
  }

  /** Seconds it has left, as the next receiver is told; -1 when it does not expire [5.0 MQTT-3.3.2-6]. */
  remainingExpirySeconds(nowMs: number): number {
    if (this.expiresAtMs === Number.POSITIVE_INFINITY) return -1;
    return Math.max(0, Math.ceil((this.expiresAtMs - nowMs - CLOCK_ROUNDING_MS) / 1000));
  }

  /** Puts it into `batch` unless the store has it, for a fact of the same batch that refers to it. Returns its key. */
  store(batch: Batch): number {
    if (this.storedUses > 0 || this.#storedWith === batch.number) return this.storeKey;
    const { publisher, source } = this;
    this.#storedWith = batch.number;
    this.storeKey = batch.nextMessage++;
    batch.changes.push({
      kind: "message-added",
      message: this.storeKey,
      publish: this.toStored(),
      expiresAtMs: this.storedExpiresAtMs,
      publisher,
      ...(source !== null && { source }),
    });
    return this.storeKey;
  }

  /** A fact that refers to it waits for its turn, or does so no longer. Returns the bytes that wait more, or less, for that. */
  wait(): number {
    return this.#waitingUses++ === 0 ? this.#end - this.#start : 0;
  }
  leave(): number {
    return --this.#waitingUses === 0 ? this.#end - this.#start : 0;
  }

  /** As a PUBLISH of 5.0, for the store; a copy. */
  toStored(): Uint8Array {
    if (this.#wire === 5) return this.#bytes.slice(this.#start, this.#end);
    if (this.#wire === 4) return this.#withPropertyLength();
    const { topicAlias: _, ...properties } = this.properties;
    return encodePublish(
      {
        topicName: this.topicName,
        payload: this.payload,
        qos: this.qos,
        retain: this.retain,
        dup: false,
        packetId: this.qos > 0 ? 1 : 0,
        properties: this.properties === NO_PROPERTIES ? NO_PROPERTIES : properties,
      },
      5,
    );
  }

  /** The wire form of 3.1 or 3.1.1 with the one byte more that says that there are no properties. */
  #withPropertyLength(): Uint8Array {
    const head = this.#payloadStart - this.#bodyStart;
    const remaining = this.#end - this.#bodyStart + 1;
    const stored = new Uint8Array(publishBytes(remaining));
    stored[0] = this.#bytes[this.#start]!;
    const body = putVarint(stored, 1, remaining);
    copyBytes(this.#bytes, this.#bodyStart, this.#payloadStart, stored, body);
    copyBytes(this.#bytes, this.#payloadStart, this.#end, stored, body + head + 1);
    return stored;
  }
}

/** Makes messages of what a store kept. */
export class StoredMessages {
  readonly #timeline: Timeline;
  readonly #decoder: PacketDecoder = new PacketDecoder();

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  /**
   * The message that a store kept as `fact`, which it refers to.
   * @param sinceMs when its time began at the latest, on the monotonic clock: a wall clock that was set back while nobody looked must
   * not give it more than it had
   * @throws Error when its bytes are no PUBLISH
   */
  messageOf(fact: Extract<Change, { kind: "message-added" }>, sinceMs: number): Message {
    const publish = storedPublish(fact.publish, this.#decoder);
    const latestMs = expiryOf(publish.properties, sinceMs);
    const expiresAtMs =
      fact.expiresAtMs === null ? latestMs : Math.min(this.#timeline.fromStored(fact.expiresAtMs), latestMs);
    const message = Message.restored(publish, fact.publisher, fact.message, expiresAtMs);
    message.source = fact.source ?? null;
    return message;
  }
}

/**
 * The fields of a PUBLISH of 5.0 that `toStored` wrote.
 * @throws Error when the bytes are none
 */
export function storedFields(bytes: Uint8Array): PublishFields {
  const { topicName, payload, qos, retain, properties } = storedPublish(bytes, new PacketDecoder());
  return { topicName, payload, qos, retain, dup: false, packetId: 0, properties };
}

function storedPublish(bytes: Uint8Array, decoder: PacketDecoder): Publish {
  const packet = decoder.decode(bytes, 0, bytes.length, 5, "client");
  if (isFault(packet) || packet.type !== "PUBLISH") {
    throw new Error(`the store holds a message that is no PUBLISH: ${isFault(packet) ? packet.message : packet.type}`);
  }
  return packet;
}

/** More than what adding to and taking from the clock, which has fractions, can be wrong by; 60 s would be told as 61. */
const CLOCK_ROUNDING_MS = 0.001;

function expiryOf(properties: Properties, nowMs: number): number {
  const seconds = properties.messageExpirySeconds;
  return seconds === undefined ? Number.POSITIVE_INFINITY : nowMs + seconds * 1000;
}
