/**
 * The chunks of a mosquitto.db [format 6: mosquitto 1.6.x to 2.x; 5: the first 1.6]. Lengths and most numbers are big-endian, but
 * identifiers and times as the machine had them: little-endian here, as nearly all machines are. Each chunk is checked by itself;
 * how chunks belong together is for `contents.ts`.
 */
import {
  decodePacket,
  decodeUtf8,
  encodeUtf8,
  isFault,
  MAXIMUM_REMAINING_LENGTH,
  type Properties,
  putVarint,
  type Qos,
  topicFilterFault,
  varintBytes,
} from "../../protocol/index.ts";
import type { FileBytes } from "../file-bytes.ts";
import { ImportError } from "../import-source.ts";
import { Fields } from "./fields.ts";

/** What a chunk has besides its own: where it begins, for messages. Moments are in seconds since 1970; 0: none. */
interface ChunkBase {
  readonly at: number;
}

/** A message, kept once, whoever is owed it. */
export interface MessageChunk extends ChunkBase {
  readonly kind: "message";
  readonly id: bigint;
  readonly expiresAtSeconds: number;
  /** Client identifier of the publisher; null: the broker itself. */
  readonly publisher: string | null;
  /** The publisher's user name; null: none. */
  readonly username: string | null;
  readonly topicName: string;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly properties: Properties;
  /** Where its payload is. */
  readonly payloadAt: number;
  readonly payloadBytes: number;
}

/** A Session. */
export interface ClientChunk extends ChunkBase {
  readonly kind: "client";
  readonly clientId: string;
  readonly username: string | null;
  readonly expirySeconds: number;
  readonly expiresAtSeconds: number;
}

/** How far a message for or from a client has come. */
export type MessageState = "queued" | "sent" | "received" | "held" | "released";

/** A message for or from a client. */
export interface ClientMessageChunk extends ChunkBase {
  readonly kind: "client message";
  readonly clientId: string;
  readonly message: bigint;
  readonly packetId: number;
  readonly qos: Qos;
  readonly retain: boolean;
  /** Of a message for a client: queued, sent, or received by it at QoS 2. Of one from it: held until its PUBREL, or released. */
  readonly state: MessageState;
  readonly isFromClient: boolean;
  readonly subscriptionIds: readonly number[] | null;
}

/** A Subscription. */
export interface SubscriptionChunk extends ChunkBase {
  readonly kind: "subscription";
  readonly clientId: string;
  readonly topicFilter: string;
  readonly qos: Qos;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly subscriptionId: number | null;
}

/** That a message is the retained one of its topic. */
export interface RetainedChunk extends ChunkBase {
  readonly kind: "retained";
  readonly message: bigint;
}

/** Any of them. */
export type Chunk = MessageChunk | ClientChunk | ClientMessageChunk | SubscriptionChunk | RetainedChunk;

/** "mosquitto db" between its odd bytes. */
const MAGIC = new Uint8Array([0x00, 0xb5, 0x00, ...encodeUtf8("mosquitto db")]);
/** Magic, a checksum that is never computed, and the number of the format. */
const HEADER_BYTES = MAGIC.length + 8;
const CHUNK_HEADER_BYTES = 8;
/** More than any chunk but a message can have: two strings, and what mosquitto 2.0.11 adds by mistake. */
const MOST_CHUNK_BYTES = 262_144;
const MESSAGE_BYTES = 32;
/** Times from 2001 to 5138: anything else was written by a machine of another kind, or altered. */
const LEAST_SECONDS = 1_000_000_000;
const MOST_SECONDS = 100_000_000_000;

/** Whether the file begins as a mosquitto.db does. */
export async function isMosquittoDb(bytes: FileBytes): Promise<boolean> {
  if (bytes.size < MAGIC.length) return false;
  const head = await bytes.read(0, MAGIC.length);
  return MAGIC.every((byte, i) => byte === head[i]);
}

/**
 * The number of the format.
 * @throws ImportError when it is none that can be read
 */
export async function readFormat(bytes: FileBytes): Promise<5 | 6> {
  if (bytes.size < HEADER_BYTES) throw new ImportError(`the file ends after ${bytes.size} bytes, within its head`);
  if (!(await isMosquittoDb(bytes))) throw new ImportError("it does not begin as a mosquitto.db does");
  const format = new Fields(await bytes.read(MAGIC.length, 8), 4).u32();
  if (format === 5 || format === 6) return format;
  throw new ImportError(
    format < 5
      ? `it has the format ${format} of an old mosquitto; 5 and 6 can be read. Let mosquitto 2.0 start with it and stop again: that writes it anew`
      : `it has the format ${format}, which is newer than this program; 5 and 6 can be read`,
  );
}

/**
 * All chunks in their order, without the one that describes the file.
 * @throws ImportError when one is cut off or cannot be
 */
export async function* readChunks(bytes: FileBytes, format: 5 | 6): AsyncGenerator<Chunk> {
  for (let at = HEADER_BYTES; at < bytes.size; ) {
    if (bytes.size - at < CHUNK_HEADER_BYTES) throw cutOff(bytes, at, CHUNK_HEADER_BYTES);
    const header = new Fields(await bytes.read(at, CHUNK_HEADER_BYTES), 0);
    const type = header.u32();
    const length = header.u32();
    const bodyAt = at + CHUNK_HEADER_BYTES;
    if (length > bytes.size - bodyAt) throw cutOff(bytes, at, CHUNK_HEADER_BYTES + length);
    const chunk = await new ChunkReader(bytes, format, at, length).read(type);
    if (chunk !== null) yield chunk;
    at = bodyAt + length;
  }
}

function cutOff(bytes: FileBytes, at: number, length: number): ImportError {
  const missing = at + length - bytes.size;
  return new ImportError(
    `the chunk at byte ${at} goes ${missing} ${missing === 1 ? "byte" : "bytes"} beyond the end of the file, which was cut off or altered`,
  );
}

/** Chunk types by their numbers. */
const CONFIGURATION = 1;
const MESSAGE = 2;
const CLIENT_MESSAGE = 3;
const RETAINED = 4;
const SUBSCRIPTION = 5;
const CLIENT = 6;

/** Of messages for a client, by mosquitto's numbers: what was last done about it at each QoS. */
const STATES_OUT: Readonly<Record<Qos, Readonly<Record<number, MessageState>>>> = {
  0: { 1: "queued", 11: "queued" },
  1: { 2: "sent", 3: "sent", 11: "queued" },
  2: { 4: "sent", 5: "sent", 6: "received", 9: "received", 11: "queued" },
};

/** Of messages from a client, which are only kept at QoS 2. */
const STATES_IN: Readonly<Record<number, MessageState>> = { 7: "held", 8: "released", 10: "held", 11: "held" };

/** Reads one chunk. */
class ChunkReader {
  readonly #bytes: FileBytes;
  readonly #format: 5 | 6;
  readonly #at: number;
  readonly #length: number;

  constructor(bytes: FileBytes, format: 5 | 6, at: number, length: number) {
    this.#bytes = bytes;
    this.#format = format;
    this.#at = at;
    this.#length = length;
  }

  async read(type: number): Promise<Chunk | null> {
    if (type === MESSAGE) return this.#message();
    if (type < CONFIGURATION || type > CLIENT)
      throw this.#fault(`is of the unknown kind ${type}: the file was altered, or a newer mosquitto wrote it`);
    if (this.#length > MOST_CHUNK_BYTES) throw this.#fault(`has ${this.#length} bytes, more than its kind can have`);
    const fields = new Fields(await this.#bytes.read(this.#bodyAt, this.#length), 0);
    switch (type) {
      case CONFIGURATION:
        return this.#configuration(fields);
      case CLIENT_MESSAGE:
        return this.#clientMessage(fields);
      case RETAINED:
        return this.#retained(fields);
      case SUBSCRIPTION:
        return this.#subscription(fields);
      default:
        return this.#client(fields);
    }
  }

  get #bodyAt(): number {
    return this.#at + CHUNK_HEADER_BYTES;
  }

  #fault(what: string): ImportError {
    return new ImportError(`the chunk at byte ${this.#at} ${what}`);
  }

  /** `fields`, which have `count` bytes more. */
  #fixed(fields: Fields, count: number): Fields {
    if (fields.left < count) throw this.#fault(`has ${this.#length} bytes, fewer than its kind needs`);
    return fields;
  }

  #text(fields: Fields, count: number, what: string): string {
    const bytes = this.#fixed(fields, count).take(count);
    const text = decodeUtf8(bytes, 0, count);
    if (text === null) throw this.#fault(`has a ${what} that is no well-formed UTF-8`);
    return text;
  }

  #qos(value: number): Qos {
    if (value > 2) throw this.#fault(`has the QoS ${value}`);
    return value as Qos;
  }

  #seconds(value: bigint): number {
    if (value === 0n) return 0;
    if (value < LEAST_SECONDS || value > MOST_SECONDS)
      throw this.#fault(
        "has a time that cannot be: it was altered, or written by a machine with another order of bytes",
      );
    return Number(value);
  }

  #retained(fields: Fields): RetainedChunk {
    const message = this.#fixed(fields, 8).id();
    if (fields.left > 0) throw this.#fault(`has ${this.#length} bytes, more than its kind can have`);
    return { kind: "retained", at: this.#at, message };
  }

  #configuration(fields: Fields): null {
    this.#fixed(fields, 10).take(9);
    const idBytes = fields.u8();
    if (idBytes !== 8) throw this.#fault(`says that identifiers of messages have ${idBytes} bytes; 8 can be read`);
    return null;
  }

  async #message(): Promise<MessageChunk> {
    const headBytes = Math.min(this.#length, MESSAGE_BYTES);
    const head = this.#fixed(new Fields(await this.#bytes.read(this.#bodyAt, headBytes), 0), MESSAGE_BYTES);
    const id = head.id();
    const expiresAtSeconds = this.#seconds(head.time());
    const payloadBytes = head.u32();
    head.u16(); // the publisher's packet identifier
    const publisherBytes = head.u16();
    const usernameBytes = head.u16();
    const topicBytes = head.u16();
    head.u16(); // the listener's port
    const qos = this.#qos(head.u8());
    const retain = head.u8() !== 0;
    const namesBytes = publisherBytes + usernameBytes + topicBytes;
    const propertiesBytes = this.#length - MESSAGE_BYTES - namesBytes - payloadBytes;
    if (propertiesBytes < 0) throw this.#fault(`has ${this.#length} bytes, fewer than its parts together`);
    const names = new Fields(await this.#bytes.read(this.#bodyAt + MESSAGE_BYTES, namesBytes), 0);
    const publisher = this.#text(names, publisherBytes, "client identifier");
    const username = decodeUtf8(names.take(usernameBytes), 0, usernameBytes);
    const payloadAt = this.#bodyAt + MESSAGE_BYTES + namesBytes;
    const head5 = await this.#decodePublish(
      names.take(topicBytes),
      await this.#bytes.read(payloadAt + payloadBytes, propertiesBytes),
    );
    // Everything but the payload may be at most as long as the longest packet without one.
    if (payloadBytes > MAXIMUM_REMAINING_LENGTH - topicBytes - propertiesBytes - 8)
      throw this.#fault(`has a payload of ${payloadBytes} bytes, more than a packet can carry`);
    return {
      kind: "message",
      at: this.#at,
      id,
      expiresAtSeconds,
      publisher: publisher === "" ? null : publisher,
      username: username || null,
      ...head5,
      qos,
      retain,
      payloadAt,
      payloadBytes,
    };
  }

  /** Topic and properties, as the decoder of PUBLISH sees them. */
  #decodePublish(topic: Uint8Array, properties: Uint8Array): { topicName: string; properties: Properties } {
    // Without properties there still is the byte that says so.
    const remaining = 2 + topic.length + Math.max(1, properties.length);
    const packet = new Uint8Array(1 + varintBytes(remaining) + remaining);
    packet[0] = 0x30;
    const at = putVarint(packet, 1, remaining);
    packet[at] = topic.length >>> 8;
    packet[at + 1] = topic.length;
    packet.set(topic, at + 2);
    packet.set(properties, at + 2 + topic.length);
    const decoded = decodePacket(packet, 0, packet.length, 5, "server");
    if (isFault(decoded)) throw this.#fault(`has a message that cannot be: ${decoded.message}`);
    if (decoded.type !== "PUBLISH" || decoded.payload.length > 0) throw this.#fault("has bytes after its properties");
    return { topicName: decoded.topicName, properties: decoded.properties };
  }

  #client(fields: Fields): ClientChunk {
    this.#fixed(fields, this.#format === 5 ? 16 : 20);
    const expiresAtSeconds = this.#seconds(fields.time());
    const expirySeconds = fields.u32();
    fields.u16(); // the last packet identifier
    const idBytes = fields.u16();
    if (this.#format === 6) fields.u16(); // the listener's port
    const usernameBytes = this.#format === 6 ? fields.u16() : 0;
    // What pads the numbers to a multiple of 8 bytes, where the machine does that.
    const padding = fields.left - idBytes - usernameBytes;
    if (padding !== 0 && (padding !== 4 || this.#format === 5))
      throw this.#fault(`has ${this.#length} bytes, which is not what its parts have together`);
    fields.take(padding);
    const clientId = this.#text(fields, idBytes, "client identifier");
    if (clientId === "") throw this.#fault("has an empty client identifier");
    // Up to 2.0.11 mosquitto wrote for a client without user name that of the client before it, every other time with
    // its length's bytes exchanged and so with whatever lay behind it in memory: no user name is taken from that.
    const username = decodeUtf8(fields.take(usernameBytes), 0, usernameBytes);
    return { kind: "client", at: this.#at, clientId, username: username || null, expirySeconds, expiresAtSeconds };
  }

  #clientMessage(fields: Fields): ClientMessageChunk {
    const message = this.#fixed(fields, 16).id();
    const packetId = fields.u16();
    const idBytes = fields.u16();
    const qos = this.#qos(fields.u8());
    const state = fields.u8();
    const retain = fields.u8() >>> 4 !== 0;
    const direction = fields.u8();
    const clientId = this.#text(fields, idBytes, "client identifier");
    const { properties } = this.#decodePublish(encodeUtf8("t"), fields.take(fields.left));
    const known =
      direction === 1 ? STATES_OUT[qos][state] : direction === 0 && qos === 2 ? STATES_IN[state] : undefined;
    if (known === undefined)
      throw this.#fault(`has the state ${state} in the direction ${direction} at QoS ${qos}, which cannot be`);
    if (packetId === 0 && known !== "queued") throw this.#fault("has the packet identifier 0");
    return {
      kind: "client message",
      at: this.#at,
      clientId,
      message,
      packetId,
      qos,
      retain,
      state: known,
      isFromClient: direction === 0,
      subscriptionIds: properties.subscriptionIdentifiers ?? null,
    };
  }

  #subscription(fields: Fields): SubscriptionChunk {
    const subscriptionId = this.#fixed(fields, 12).u32();
    const idBytes = fields.u16();
    const filterBytes = fields.u16();
    const qos = this.#qos(fields.u8());
    const options = fields.u8();
    fields.u16(); // padding
    const clientId = this.#text(fields, idBytes, "client identifier");
    const topicFilter = this.#text(fields, filterBytes, "topic filter");
    const fault = topicFilterFault(topicFilter, Number.POSITIVE_INFINITY);
    if (fault !== null) throw this.#fault(`has a topic filter that cannot be: ${fault}`);
    if (subscriptionId > MAXIMUM_REMAINING_LENGTH)
      throw this.#fault(
        `has the subscription identifier ${subscriptionId}; at most ${MAXIMUM_REMAINING_LENGTH} can be`,
      );
    if (fields.left > 0 || options > 0x3f) throw this.#fault("has more than a subscription can have");
    return {
      kind: "subscription",
      at: this.#at,
      clientId,
      topicFilter,
      qos,
      noLocal: (options & 4) !== 0,
      retainAsPublished: (options & 8) !== 0,
      subscriptionId: subscriptionId === 0 ? null : subscriptionId,
    };
  }
}
