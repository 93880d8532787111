// The MQTT packets that torture needs, as raw bytes. On purpose not the codec of src/: a mistake of ours must not hide by being
// made at both ends. Trusts the broker's packets except for their lengths. Must not know sockets.

/** Packet types, as in the high half of the first byte. */
export const CONNACK = 2;
export const PUBLISH = 3;
export const PUBACK = 4;
export const PUBREC = 5;
export const PUBREL = 6;
export const PUBCOMP = 7;
export const SUBACK = 9;
export const UNSUBACK = 11;
export const PINGRESP = 13;
export const DISCONNECT = 14;

/** Protocol levels: 4 is MQTT 3.1.1, 5 is 5.0. */
export type Version = 4 | 5;

/** A day: longer than any round. */
const SESSION_EXPIRY_SECONDS = 86_400;

export interface WillFields {
  readonly topicName: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1 | 2;
  /** 5.0 only. */
  readonly delaySeconds?: number;
}

export interface ConnectFields {
  readonly version: Version;
  readonly clientId: string;
  /** Clean Session; in 5.0 Clean Start with a Session that ends with its connection. */
  readonly isClean: boolean;
  readonly keepAliveSeconds?: number;
  /** 5.0 only; 0 leaves it out. */
  readonly receiveMaximum?: number;
  /** 5.0 only, for a Session that is not clean. */
  readonly sessionExpirySeconds?: number;
  readonly will?: WillFields;
}

export interface PublishFields {
  readonly version: Version;
  readonly topicName: string;
  readonly qos: 0 | 1 | 2;
  readonly packetId: number;
  readonly payload: Buffer;
  readonly isDup?: boolean;
  readonly isRetained?: boolean;
  /** 5.0 only. */
  readonly expirySeconds?: number;
}

function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 255]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([u16(bytes.length), bytes]);
}

function data(bytes: Buffer): Buffer {
  return Buffer.concat([u16(bytes.length), bytes]);
}

/** A number as a Variable Byte Integer. */
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

function packet(head: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([head]), varint(body.length), body]);
}

/** Properties with their length in 5.0, nothing before. */
function properties(version: Version, ...parts: readonly Buffer[]): Buffer {
  if (version === 4) return Buffer.alloc(0);
  const body = Buffer.concat(parts);
  return Buffer.concat([varint(body.length), body]);
}

export function encodeConnect(fields: ConnectFields): Buffer {
  const { version, clientId, isClean, will, keepAliveSeconds = 0, receiveMaximum = 0 } = fields;
  const expiry = isClean ? 0 : (fields.sessionExpirySeconds ?? SESSION_EXPIRY_SECONDS);
  const flags = (isClean ? 2 : 0) | (will === undefined ? 0 : 4 | (will.qos << 3));
  const own = properties(
    version,
    ...(expiry > 0 ? [Buffer.from([0x11]), u32(expiry)] : []),
    ...(receiveMaximum > 0 ? [Buffer.from([0x21]), u16(receiveMaximum)] : []),
  );
  return packet(
    0x10,
    text("MQTT"),
    Buffer.from([version, flags]),
    u16(keepAliveSeconds),
    own,
    text(clientId),
    ...(will === undefined ? [] : encodeWill(version, will)),
  );
}

function encodeWill(version: Version, will: WillFields): Buffer[] {
  const delay = will.delaySeconds === undefined ? [] : [Buffer.from([0x18]), u32(will.delaySeconds)];
  return [properties(version, ...delay), text(will.topicName), data(will.payload)];
}

export function encodePublish(fields: PublishFields): Buffer {
  const { version, topicName, qos, packetId, payload, isDup = false, isRetained = false } = fields;
  const head = 0x30 | (isDup ? 8 : 0) | (qos << 1) | (isRetained ? 1 : 0);
  const expiry = fields.expirySeconds === undefined ? [] : [Buffer.from([2]), u32(fields.expirySeconds)];
  const identifier = qos > 0 ? u16(packetId) : Buffer.alloc(0);
  return packet(head, text(topicName), identifier, properties(version, ...expiry), payload);
}

export function encodeSubscribe(version: Version, packetId: number, topicFilter: string, qos: number): Buffer {
  return packet(0x82, u16(packetId), properties(version), text(topicFilter), Buffer.from([qos]));
}

export function encodeUnsubscribe(version: Version, packetId: number, topicFilter: string): Buffer {
  return packet(0xa2, u16(packetId), properties(version), text(topicFilter));
}

/** PUBACK, PUBREC, PUBREL or PUBCOMP. */
export function encodeAck(type: number, packetId: number): Buffer {
  return Buffer.from([(type << 4) | (type === PUBREL ? 2 : 0), 2, packetId >> 8, packetId & 255]);
}

export function encodePingreq(): Buffer {
  return Buffer.from([0xc0, 0]);
}

export function encodeDisconnect(): Buffer {
  return Buffer.from([0xe0, 0]);
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

/** Where the Variable Byte Integer at `at` and as many bytes as it says end: behind the properties. */
export function afterProperties(bytes: Buffer, at: number): number {
  let length = 0;
  let offset = at;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[offset++] as number;
    length += (byte & 127) << shift;
    if (byte < 128) return offset + length;
  }
}

/** Receive Maximum of a CONNACK of 5.0 whose properties begin at `at`; 65,535 when it says nothing. */
export function receiveMaximumOf(bytes: Buffer, at: number): number {
  const end = afterProperties(bytes, at);
  let offset = at;
  while ((bytes[offset++] as number) >= 128);
  while (offset < end) {
    const identifier = bytes[offset++] as number;
    if (identifier === 0x21) return bytes.readUInt16BE(offset);
    offset += propertyBytes(identifier, bytes, offset);
  }
  return 65_535;
}

/** Bytes of the value of a property that a CONNACK can have [5.0 §3.2.2.3]. */
function propertyBytes(identifier: number, bytes: Buffer, offset: number): number {
  switch (identifier) {
    case 0x24:
    case 0x25:
    case 0x28:
    case 0x29:
    case 0x2a:
      return 1;
    case 0x13:
    case 0x22:
      return 2;
    case 0x11:
    case 0x27:
      return 4;
    case 0x26: {
      const name = 2 + bytes.readUInt16BE(offset);
      return name + 2 + bytes.readUInt16BE(offset + name);
    }
    default:
      return 2 + bytes.readUInt16BE(offset);
  }
}
