/**
 * PUBLISH [5.0 §3.3] [3.1.1 §3.3], the hot path of everything. It is decoded in place: a `Publish` refers to the bytes it came
 * in, so that a broker can pass them on unchanged. The topic of a publisher rarely changes, so its bytes are compared with
 * those of the last one before they are decoded and checked again.
 */
import type { Side } from "../codec.ts";
import { MqttError } from "../errors.ts";
import type { Qos, Version } from "../packet.ts";
import { decodeProperties, encodePropertyList, NO_PROPERTIES, type Properties } from "../properties.ts";
import type { Reader } from "../reader.ts";
import { ReasonCode } from "../reason-codes.ts";
import { topicNameFault } from "../topics.ts";
import { decodeUtf8, encodeUtf8 } from "../utf8.ts";
import { MAXIMUM_REMAINING_LENGTH, putVarint, varintBytes, Writer } from "../writer.ts";
import { refuse, requireNoProperties, requirePacketId, requireQos } from "./requirements.ts";

/** The fields of a PUBLISH as a sender gives them. */
export interface PublishFields {
  readonly topicName: string;
  readonly payload: Uint8Array;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly dup: boolean;
  /** 1..65,535 at QoS 1 and 2, 0 at QoS 0. */
  readonly packetId: number;
  readonly properties: Properties;
}

/** A PUBLISH as received or built. */
export class Publish implements PublishFields {
  readonly type: "PUBLISH" = "PUBLISH";
  readonly dup: boolean;
  readonly qos: Qos;
  readonly retain: boolean;
  /** Empty only when a topic alias stands for it and has not been resolved yet. */
  topicName: string;
  readonly packetId: number;
  readonly properties: Properties;
  /** The bytes it lies in; never written to. */
  readonly bytes: Uint8Array;
  /** Where its fixed header begins; equal to `bodyStart` when it was built from fields and has no wire form. */
  readonly start: number;
  /** Where its variable header begins. */
  readonly bodyStart: number;
  readonly payloadStart: number;
  readonly end: number;

  constructor(
    dup: boolean,
    qos: Qos,
    retain: boolean,
    topicName: string,
    packetId: number,
    properties: Properties,
    bytes: Uint8Array,
    start: number,
    bodyStart: number,
    payloadStart: number,
    end: number,
  ) {
    this.dup = dup;
    this.qos = qos;
    this.retain = retain;
    this.topicName = topicName;
    this.packetId = packetId;
    this.properties = properties;
    this.bytes = bytes;
    this.start = start;
    this.bodyStart = bodyStart;
    this.payloadStart = payloadStart;
    this.end = end;
  }

  /** A view of the payload. */
  get payload(): Uint8Array {
    return this.bytes.subarray(this.payloadStart, this.end);
  }
}

/** A Publish from fields, without wire form. */
export function publishOf(fields: PublishFields): Publish {
  const { payload } = fields;
  return new Publish(
    fields.dup,
    fields.qos,
    fields.retain,
    fields.topicName,
    fields.packetId,
    fields.properties,
    payload,
    0,
    0,
    0,
    payload.length,
  );
}

/** Longest topic, in bytes, that is remembered for comparison. */
const REMEMBERED_TOPIC_BYTES = 256;

/** The Topic Name of a sender's last PUBLISH, as bytes and as text. */
export class LastTopic {
  #bytes: Uint8Array | null = null;
  #length = -1;
  name: string = "";

  /** Whether the topic in `bytes[start..end)` is the one that `name` holds. */
  equals(bytes: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    if (length !== this.#length) return false;
    const last = this.#bytes!;
    for (let i = 0; i < length; i++) if (last[i] !== bytes[start + i]) return false;
    return true;
  }

  remember(bytes: Uint8Array, start: number, end: number, name: string): void {
    const length = end - start;
    if (length > REMEMBERED_TOPIC_BYTES) return;
    if (this.#bytes === null || this.#bytes.length < length) this.#bytes = new Uint8Array(length);
    this.#bytes.set(bytes.subarray(start, end));
    this.#length = length;
    this.name = name;
  }
}

/**
 * Decodes a PUBLISH of `sender` whose fixed header starts at `start` and whose body `reader` stands at. Wildcards in the topic
 * are refused here; how deep a topic may be is for the receiver to judge.
 */
export function decodePublish(reader: Reader, start: number, version: Version, sender: Side, last: LastTopic): Publish {
  const bytes = reader.bytes;
  const bodyStart = reader.offset;
  const flags = bytes[start]! & 15;
  const qos = (flags >> 1) & 3;
  if (qos === 3) reader.fail(ReasonCode.MalformedPacket, "PUBLISH: QoS 3 [5.0 MQTT-3.3.1-4] [3.1.1 MQTT-3.3.1-4]");
  // MQTT 3.1 says nothing on DUP at QoS 0, and old clients set it.
  if (qos === 0 && (flags & 8) !== 0 && version !== 3) {
    reader.fail(ReasonCode.MalformedPacket, "PUBLISH: DUP at QoS 0 [5.0 MQTT-3.3.1-2] [3.1.1 MQTT-3.3.1-2]");
  }
  const topicName = decodeTopic(reader, version, last);
  const packetId = qos === 0 ? 0 : reader.u16();
  if (qos !== 0 && packetId === 0) {
    reader.fail(ReasonCode.ProtocolError, "PUBLISH: packet identifier 0 [5.0 MQTT-2.2.1-3] [3.1.1 MQTT-2.3.1-1]");
  }
  let properties = NO_PROPERTIES;
  if (version === 5) {
    // The usual case first: one byte that says there are none.
    if (bytes[reader.offset] === 0 && reader.left > 0) reader.offset++;
    else properties = decodeProperties(reader, "PUBLISH", sender === "client");
    if (properties !== NO_PROPERTIES || topicName === "") checkProperties(reader, topicName, properties, sender);
  }
  const payloadStart = reader.offset;
  return new Publish(
    (flags & 8) !== 0,
    qos as Qos,
    (flags & 1) !== 0,
    topicName,
    packetId,
    properties,
    bytes,
    start,
    bodyStart,
    payloadStart,
    payloadStart + reader.left,
  );
}

function decodeTopic(reader: Reader, version: Version, last: LastTopic): string {
  const length = reader.u16();
  if (length > reader.left) {
    reader.fail(ReasonCode.MalformedPacket, "PUBLISH: the packet ends within the topic name");
    return "";
  }
  const from = reader.offset;
  const to = from + length;
  reader.offset = to;
  if (last.equals(reader.bytes, from, to)) return last.name;
  if (length === 0 && version === 5) return "";
  const topicName = decodeUtf8(reader.bytes, from, to, reader.isStrict);
  if (topicName === null) {
    reader.fail(
      ReasonCode.MalformedPacket,
      decodeUtf8(reader.bytes, from, to) === null
        ? "PUBLISH: the topic name is not well-formed UTF-8 or holds U+0000 [5.0 MQTT-3.3.2-1] [3.1.1 MQTT-3.3.2-1]"
        : "PUBLISH: the topic name holds a control character or a noncharacter, which a server may refuse [5.0 §1.5.4] [3.1.1 §1.5.3]",
    );
    return "";
  }
  const fault = topicNameFault(topicName, Number.POSITIVE_INFINITY);
  if (fault !== null) {
    reader.fail(ReasonCode.TopicNameInvalid, `PUBLISH: ${fault}`);
    return "";
  }
  last.remember(reader.bytes, from, to, topicName);
  return topicName;
}

function checkProperties(reader: Reader, topicName: string, properties: Properties, sender: Side): void {
  if (topicName === "" && properties.topicAlias === undefined) {
    reader.fail(ReasonCode.MalformedPacket, "PUBLISH: neither topic name nor topic alias [5.0 §3.3.2.1]");
  } else if (sender === "client" && properties.subscriptionIdentifiers !== undefined) {
    reader.fail(ReasonCode.ProtocolError, "PUBLISH: a client sends no Subscription Identifier [5.0 MQTT-3.3.4-6]");
  }
}

/** The properties of a PUBLISH in wire form, without the length before them; empty when there are none. */
export function encodePublishProperties(properties: Properties): Uint8Array {
  if (properties === NO_PROPERTIES) return NO_BYTES;
  const writer = new Writer();
  encodePropertyList(writer, "PUBLISH", properties);
  return writer.fields();
}

const NO_BYTES = new Uint8Array(0);

/** Bytes of a PUBLISH with its fixed header. */
export function publishBytes(remainingLength: number): number {
  return 1 + varintBytes(remainingLength) + remainingLength;
}

/** Remaining Length of a PUBLISH; `propertyBytes` is -1 before 5.0, which has no property length. */
export function publishRemainingLength(
  topicBytes: number,
  qos: Qos,
  propertyBytes: number,
  payloadBytes: number,
): number {
  const properties = propertyBytes < 0 ? 0 : varintBytes(propertyBytes) + propertyBytes;
  return 2 + topicBytes + (qos === 0 ? 0 : 2) + properties + payloadBytes;
}

/**
 * Encodes a PUBLISH.
 * @throws MqttError when a field is not allowed
 */
export function encodePublish(packet: PublishFields, version: Version): Uint8Array {
  checkFields(packet, version);
  const topic = encodeUtf8(packet.topicName);
  if (topic.length > 65_535) {
    throw new MqttError(
      ReasonCode.TopicNameInvalid,
      "PUBLISH: the topic name is longer than 65,535 bytes [5.0 §1.5.4]",
    );
  }
  const properties = version === 5 ? encodePublishProperties(packet.properties) : NO_BYTES;
  const remaining = publishRemainingLength(
    topic.length,
    packet.qos,
    version === 5 ? properties.length : -1,
    packet.payload.length,
  );
  if (remaining > MAXIMUM_REMAINING_LENGTH) {
    throw new MqttError(
      ReasonCode.PacketTooLarge,
      `PUBLISH: ${remaining} bytes; at most 268,435,455 are allowed [5.0 §2.1.4]`,
    );
  }
  const bytes = new Uint8Array(publishBytes(remaining));
  bytes[0] = 0x30 | (packet.dup ? 8 : 0) | (packet.qos << 1) | (packet.retain ? 1 : 0);
  let at = putVarint(bytes, 1, remaining);
  bytes[at++] = topic.length >>> 8;
  bytes[at++] = topic.length;
  bytes.set(topic, at);
  at += topic.length;
  if (packet.qos !== 0) {
    bytes[at++] = packet.packetId >>> 8;
    bytes[at++] = packet.packetId;
  }
  if (version === 5) {
    at = putVarint(bytes, at, properties.length);
    bytes.set(properties, at);
    at += properties.length;
  }
  bytes.set(packet.payload, at);
  return bytes;
}

function checkFields(packet: PublishFields, version: Version): void {
  const aliased = version === 5 && packet.topicName === "" && packet.properties.topicAlias !== undefined;
  const fault = aliased ? null : topicNameFault(packet.topicName, Number.POSITIVE_INFINITY);
  if (fault !== null) throw new MqttError(ReasonCode.TopicNameInvalid, `PUBLISH: ${fault}`);
  requireQos("PUBLISH", packet.qos);
  if (packet.qos !== 0) requirePacketId("PUBLISH", packet.packetId);
  else if (packet.packetId !== 0) refuse("PUBLISH", "a packet identifier at QoS 0 [5.0 MQTT-2.2.1-2]");
  else if (packet.dup) refuse("PUBLISH", "DUP at QoS 0 [5.0 MQTT-3.3.1-2] [3.1.1 MQTT-3.3.1-2]");
  if (version !== 5) requireNoProperties("PUBLISH", packet.properties);
}
