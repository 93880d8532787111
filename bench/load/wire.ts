// The few MQTT packets that a generator needs, as raw bytes. Deliberately not the codec of src/: a generator must not
// depend on the code it measures. Trusts the broker, except for lengths. Must not know sockets.

export const CONNACK = 2;
export const PUBLISH = 3;
export const PUBACK = 4;
export const PUBREC = 5;
export const PUBREL = 6;
export const PUBCOMP = 7;
export const SUBACK = 9;
export const UNSUBACK = 11;
export const DISCONNECT = 14;

/** Protocol levels of CONNECT: 3 is MQTT 3.1, 4 is 3.1.1, 5 is 5.0. */
export type Version = 3 | 4 | 5;

export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = (rest - low) / 128;
    bytes.push(rest > 0 ? low | 128 : low);
  } while (rest > 0);
  return Buffer.from(bytes);
}

function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 255]);
}

function string(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([u16(bytes.length), bytes]);
}

function packet(head: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([head]), varint(body.length), body]);
}

function noProperties(version: Version): Buffer {
  return version === 5 ? Buffer.from([0]) : Buffer.alloc(0);
}

const AN_HOUR = Buffer.from([5, 0x11, 0, 0, 0x0e, 0x10]); // Session Expiry Interval of 3600 s [5.0 §3.1.2.11.2]

/** CONNECT without keep-alive. A durable Session outlives its connection (in 5.0 for an hour). */
export function encodeConnect(version: Version, clientId: string, clean: boolean, durable: boolean): Buffer {
  const name = string(version === 3 ? "MQIsdp" : "MQTT");
  const flags = Buffer.from([version, clean ? 2 : 0]);
  const properties = version === 5 && durable ? AN_HOUR : noProperties(version);
  return packet(0x10, name, flags, u16(0), properties, string(clientId));
}

export function encodeSubscribe(version: Version, packetId: number, filters: readonly string[], qos: number): Buffer {
  const entries = filters.flatMap((filter) => [string(filter), Buffer.from([qos])]);
  return packet(0x82, u16(packetId), noProperties(version), ...entries);
}

export function encodeUnsubscribe(version: Version, packetId: number, filters: readonly string[]): Buffer {
  return packet(0xa2, u16(packetId), noProperties(version), ...filters.map(string));
}

export function encodeDisconnect(): Buffer {
  return Buffer.from([0xe0, 0]);
}

/** An encoded PUBLISH to be copied for each message, and where its changing parts lie. */
export interface PublishTemplate {
  readonly bytes: Buffer;
  /** Offset of the packet identifier; 0 at QoS 0. */
  readonly packetIdAt: number;
  readonly payloadAt: number;
}

export function publishTemplate(
  version: Version,
  topicName: string,
  qos: number,
  retain: boolean,
  payloadBytes: number,
): PublishTemplate {
  const identifier = qos > 0 ? u16(0) : Buffer.alloc(0);
  const payload = Buffer.alloc(payloadBytes, "x");
  const head = 0x30 | (qos << 1) | (retain ? 1 : 0);
  const bytes = packet(head, string(topicName), identifier, noProperties(version), payload);
  const payloadAt = bytes.length - payloadBytes;
  const packetIdAt = qos > 0 ? payloadAt - 2 - (version === 5 ? 1 : 0) : 0;
  return { bytes, packetIdAt, payloadAt };
}

/** Bytes of the whole packet at `offset`; 0 when its length is not complete; -1 when that is malformed. */
export function packetBytes(bytes: Buffer, offset: number, end: number): number {
  let length = 0;
  for (let index = 1; index <= 4; index++) {
    if (offset + index >= end) return 0;
    const byte = bytes[offset + index] as number;
    length += (byte & 127) * 128 ** (index - 1);
    if (byte < 128) return 1 + index + length;
  }
  return -1;
}

/** The offset after the variable byte integer at `offset`; its value is left in `varintValue`. */
export function skipVarint(bytes: Buffer, offset: number): number {
  let at = offset;
  let value = 0;
  let factor = 1;
  for (;;) {
    const byte = bytes[at++] as number;
    value += (byte & 127) * factor;
    if (byte < 128 || factor === 2_097_152) break;
    factor *= 128;
  }
  varintValue = value;
  return at;
}
/** The last value that skipVarint read: a second return value without an object for each packet. */
export let varintValue = 0;

/** Sizes of the properties that a CONNACK may carry and that are not strings or binary data [5.0 §3.2.2.3]. */
const FIXED_SIZES: Readonly<Record<number, number>> = {
  17: 4, // Session Expiry Interval
  19: 2, // Server Keep Alive
  33: 2, // Receive Maximum
  34: 2, // Topic Alias Maximum
  36: 1, // Maximum QoS
  37: 1, // Retain Available
  39: 4, // Maximum Packet Size
  40: 1, // Wildcard Subscription Available
  41: 1, // Subscription Identifiers Available
  42: 1, // Shared Subscription Available
};
const USER_PROPERTY = 0x26;

/** The Receive Maximum in the properties of a 5.0 CONNACK that begin at `offset`; 65535 when there is none. */
export function receiveMaximum(bytes: Buffer, offset: number): number {
  let at = skipVarint(bytes, offset);
  const end = at + varintValue;
  while (at < end) {
    const property = bytes[at++] as number;
    if (property === 0x21) return bytes.readUInt16BE(at);
    const size = FIXED_SIZES[property];
    if (size !== undefined) at += size;
    else at += 2 + bytes.readUInt16BE(at);
    if (property === USER_PROPERTY) at += 2 + bytes.readUInt16BE(at);
  }
  return 65_535;
}
