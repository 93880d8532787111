/**
 * The properties of MQTT 5.0 [5.0 §2.2.2] as one table: identifier, type, the packets that may carry each, and the field
 * that holds it. Decoding and encoding read the table; nothing else in the program knows an identifier or a type.
 */
import { MqttError } from "./errors.ts";
import type { Reader } from "./reader.ts";
import { ReasonCode } from "./reason-codes.ts";
import { topicNameFault } from "./topics.ts";
import type { Writer } from "./writer.ts";

/** Properties of one packet or of a will; an absent property is an absent field. Intervals are in seconds. */
export interface Properties {
  /** 0: bytes, 1: the payload is UTF-8 [5.0 §3.3.2.3.2] */
  payloadFormatIndicator?: 0 | 1;
  /** lifetime of the message, 0..4,294,967,295 [5.0 §3.3.2.3.3] */
  messageExpirySeconds?: number;
  contentType?: string;
  responseTopic?: string;
  correlationData?: Uint8Array;
  /** 1..268,435,455; one in SUBSCRIBE, any number in PUBLISH [5.0 §3.3.2.3.8] */
  subscriptionIdentifiers?: readonly number[];
  /** 0 ends the Session with the connection, 4,294,967,295 never [5.0 §3.1.2.11.2] */
  sessionExpirySeconds?: number;
  assignedClientId?: string;
  serverKeepAliveSeconds?: number;
  authenticationMethod?: string;
  authenticationData?: Uint8Array;
  requestProblemInformation?: boolean;
  willDelaySeconds?: number;
  requestResponseInformation?: boolean;
  responseInformation?: string;
  serverReference?: string;
  reasonString?: string;
  /** 1..65,535 [5.0 §3.1.2.11.3] */
  receiveMaximum?: number;
  topicAliasMaximum?: number;
  /** 1..65,535 [5.0 §3.3.2.3.4] */
  topicAlias?: number;
  maximumQos?: 0 | 1;
  retainAvailable?: boolean;
  userProperties?: readonly (readonly [string, string])[];
  /** whole packet in bytes, 1..4,294,967,295 [5.0 §3.1.2.11.4] */
  maximumPacketSize?: number;
  wildcardSubscriptionAvailable?: boolean;
  subscriptionIdentifierAvailable?: boolean;
  sharedSubscriptionAvailable?: boolean;
}

/** The absent properties of every packet that has none; shared and frozen. */
export const NO_PROPERTIES: Properties = Object.freeze({});

/** What carries properties: a packet type, or the will inside CONNECT. */
export type PropertyPacket =
  | "CONNECT"
  | "WILL"
  | "CONNACK"
  | "PUBLISH"
  | "PUBACK"
  | "PUBREC"
  | "PUBREL"
  | "PUBCOMP"
  | "SUBSCRIBE"
  | "SUBACK"
  | "UNSUBSCRIBE"
  | "UNSUBACK"
  | "DISCONNECT"
  | "AUTH";

/** "topic" is a string that must be a Topic Name. */
type Kind = "byte" | "bool" | "u16" | "u32" | "varint" | "utf8" | "topic" | "binary" | "pair";

interface Property {
  readonly id: number;
  readonly name: string;
  readonly field: keyof Properties;
  readonly kind: Kind;
  readonly on: readonly PropertyPacket[];
  /** Smallest and largest legal number. */
  readonly min?: number;
  readonly max?: number;
  /** What answers a value outside; Protocol Error unless the specification names another. */
  readonly fault?: ReasonCode;
}

const ANSWERS = [
  "CONNACK",
  "PUBACK",
  "PUBREC",
  "PUBREL",
  "PUBCOMP",
  "SUBACK",
  "UNSUBACK",
  "DISCONNECT",
  "AUTH",
] as const;
const EVERYWHERE = ["CONNECT", "WILL", "PUBLISH", "SUBSCRIBE", "UNSUBSCRIBE", ...ANSWERS] as const;

/** In the order in which mosquitto 2.1 writes them where it matters: its CONNACK [0x13 0x22 0x12 0x15 0x16 0x25 0x27 0x21 0x24]. */
export const PROPERTIES: readonly Property[] = [
  {
    id: 0x01,
    name: "Payload Format Indicator",
    field: "payloadFormatIndicator",
    kind: "byte",
    on: ["PUBLISH", "WILL"],
    max: 1,
  },
  { id: 0x02, name: "Message Expiry Interval", field: "messageExpirySeconds", kind: "u32", on: ["PUBLISH", "WILL"] },
  { id: 0x03, name: "Content Type", field: "contentType", kind: "utf8", on: ["PUBLISH", "WILL"] },
  { id: 0x08, name: "Response Topic", field: "responseTopic", kind: "topic", on: ["PUBLISH", "WILL"] },
  { id: 0x09, name: "Correlation Data", field: "correlationData", kind: "binary", on: ["PUBLISH", "WILL"] },
  {
    id: 0x0b,
    name: "Subscription Identifier",
    field: "subscriptionIdentifiers",
    kind: "varint",
    on: ["PUBLISH", "SUBSCRIBE"],
    min: 1,
  },
  {
    id: 0x11,
    name: "Session Expiry Interval",
    field: "sessionExpirySeconds",
    kind: "u32",
    on: ["CONNECT", "CONNACK", "DISCONNECT"],
  },
  { id: 0x13, name: "Server Keep Alive", field: "serverKeepAliveSeconds", kind: "u16", on: ["CONNACK"] },
  { id: 0x22, name: "Topic Alias Maximum", field: "topicAliasMaximum", kind: "u16", on: ["CONNECT", "CONNACK"] },
  { id: 0x12, name: "Assigned Client Identifier", field: "assignedClientId", kind: "utf8", on: ["CONNACK"] },
  {
    id: 0x15,
    name: "Authentication Method",
    field: "authenticationMethod",
    kind: "utf8",
    on: ["CONNECT", "CONNACK", "AUTH"],
  },
  {
    id: 0x16,
    name: "Authentication Data",
    field: "authenticationData",
    kind: "binary",
    on: ["CONNECT", "CONNACK", "AUTH"],
  },
  { id: 0x17, name: "Request Problem Information", field: "requestProblemInformation", kind: "bool", on: ["CONNECT"] },
  { id: 0x18, name: "Will Delay Interval", field: "willDelaySeconds", kind: "u32", on: ["WILL"] },
  {
    id: 0x19,
    name: "Request Response Information",
    field: "requestResponseInformation",
    kind: "bool",
    on: ["CONNECT"],
  },
  { id: 0x1a, name: "Response Information", field: "responseInformation", kind: "utf8", on: ["CONNACK"] },
  { id: 0x1c, name: "Server Reference", field: "serverReference", kind: "utf8", on: ["CONNACK", "DISCONNECT"] },
  { id: 0x1f, name: "Reason String", field: "reasonString", kind: "utf8", on: ANSWERS },
  { id: 0x25, name: "Retain Available", field: "retainAvailable", kind: "bool", on: ["CONNACK"] },
  {
    id: 0x27,
    name: "Maximum Packet Size",
    field: "maximumPacketSize",
    kind: "u32",
    on: ["CONNECT", "CONNACK"],
    min: 1,
  },
  { id: 0x21, name: "Receive Maximum", field: "receiveMaximum", kind: "u16", on: ["CONNECT", "CONNACK"], min: 1 },
  {
    id: 0x23,
    name: "Topic Alias",
    field: "topicAlias",
    kind: "u16",
    on: ["PUBLISH"],
    min: 1,
    fault: ReasonCode.TopicAliasInvalid,
  },
  { id: 0x24, name: "Maximum QoS", field: "maximumQos", kind: "byte", on: ["CONNACK"], max: 1 },
  { id: 0x26, name: "User Property", field: "userProperties", kind: "pair", on: EVERYWHERE },
  {
    id: 0x28,
    name: "Wildcard Subscription Available",
    field: "wildcardSubscriptionAvailable",
    kind: "bool",
    on: ["CONNACK"],
  },
  {
    id: 0x29,
    name: "Subscription Identifier Available",
    field: "subscriptionIdentifierAvailable",
    kind: "bool",
    on: ["CONNACK"],
  },
  {
    id: 0x2a,
    name: "Shared Subscription Available",
    field: "sharedSubscriptionAvailable",
    kind: "bool",
    on: ["CONNACK"],
  },
];

const BY_ID: readonly (Property | undefined)[] = Array.from({ length: 0x2b }, (_, id) =>
  PROPERTIES.find((p) => p.id === id),
);

/** Properties of a message or a will that its receivers get as they came. In the table's order they ascend. */
const PASSED_ON: readonly boolean[] = BY_ID.map(
  (property) =>
    property?.on.includes("WILL") === true &&
    property.field !== "willDelaySeconds" &&
    property.field !== "messageExpirySeconds",
);

/** Where properties that are not in the table's order keep theirs; copies by spreading keep it too. */
const ORDER: unique symbol = Symbol("order of properties");

/** Properties that go out in the order in which they came or were given, by identifier, as from mosquitto. */
interface Ordered extends Properties {
  readonly [ORDER]?: readonly number[];
}

type Values = { -readonly [K in keyof Properties]: unknown } & { [ORDER]?: readonly number[] };

/**
 * Decodes the property length and the properties that follow [5.0 §2.2.2]. A property that is unknown or cut short is a Malformed
 * Packet; one that does not belong in `packet`, is given twice or out of range a Protocol Error, but see `wrongCode`. The fault is
 * left in `reader`.
 * @param isPassedOn whether those who get them are to get them in their order
 */
export function decodeProperties(reader: Reader, packet: PropertyPacket, isPassedOn: boolean = false): Properties {
  const length = reader.varint();
  if (length === 0 || reader.fault !== null) return NO_PROPERTIES;
  if (length > reader.left) {
    reader.fail(ReasonCode.MalformedPacket, "property length goes beyond the packet [5.0 §2.2.2.1]");
    return NO_PROPERTIES;
  }
  const start = reader.offset;
  const outer = reader.limit(start + length);
  const values: Values = {};
  let isAscending = true;
  for (let last = 0; reader.left > 0; ) {
    const id = decodeProperty(reader, packet, values);
    if (!PASSED_ON[id]) continue;
    isAscending &&= id >= last;
    last = id;
  }
  if (!isAscending && isPassedOn && reader.fault === null) values[ORDER] = orderFrom(reader, start);
  reader.limit(outer);
  return reader.fault === null ? (values as Properties) : NO_PROPERTIES;
}

/** The identifiers of what is passed on of the properties from `start` on, which have been decoded, in their order. */
function orderFrom(reader: Reader, start: number): readonly number[] {
  const order: number[] = [];
  reader.offset = start;
  while (reader.left > 0) {
    const id = reader.varint();
    skipValue(reader, BY_ID[id]!.kind);
    if (PASSED_ON[id]) order.push(id);
  }
  return order;
}

/** Bytes of the values that always have as many. */
const FIXED_BYTES: Readonly<Partial<Record<Property["kind"], number>>> = { byte: 1, bool: 1, u16: 2, u32: 4 };

function skipValue(reader: Reader, kind: Property["kind"]): void {
  const bytes = FIXED_BYTES[kind];
  if (bytes !== undefined) reader.offset += bytes;
  else if (kind === "varint") reader.varint();
  else for (let left = kind === "pair" ? 2 : 1; left > 0; left--) skipText(reader);
}

function skipText(reader: Reader): void {
  const length = reader.u16();
  reader.offset += length;
}

/** `properties` so that they are written in the order of the identifiers in `order`, and those that it does not name behind them. */
export function inOrder(properties: Properties, order: readonly number[]): Properties {
  const ordered: Ordered = { ...properties, [ORDER]: order };
  return ordered;
}

/** Returns the identifier. */
function decodeProperty(reader: Reader, packet: PropertyPacket, values: Values): number {
  const id = reader.varint();
  const property = BY_ID[id];
  if (property === undefined) {
    reader.fail(ReasonCode.MalformedPacket, `unknown property 0x${id.toString(16)} [5.0 §2.2.2.2]`);
    return id;
  }
  decodeKnown(reader, packet, property, values);
  // Its value comes first: a packet that ends within it is malformed.
  if (!property.on.includes(packet))
    reader.fail(wrongCode(packet), `${property.name} does not belong in ${packet} [5.0 §2.2.2.2]`);
  return id;
}

/** As mosquitto 2.1: §2.2.2.2 has 0x81 for what does not belong in a packet, of whatever type, and for an illegal value mostly 0x82. */
function wrongCode(packet: PropertyPacket): ReasonCode {
  return packet === "SUBSCRIBE" || packet === "UNSUBSCRIBE" ? ReasonCode.MalformedPacket : ReasonCode.ProtocolError;
}

function decodeKnown(reader: Reader, packet: PropertyPacket, property: Property, values: Values): void {
  if (property.kind === "pair") {
    const list = (values.userProperties ??= []) as [string, string][];
    if (reader.hasRoomFor(packet, list.length)) list.push([reader.utf8(), reader.utf8()]);
    return;
  }
  if (property.field === "subscriptionIdentifiers") {
    const list = (values.subscriptionIdentifiers ??= []) as number[];
    if (list.length > 0 && packet === "SUBSCRIBE") twice(reader, property);
    if (reader.hasRoomFor(packet, list.length)) list.push(inRange(reader, packet, property, reader.varint()));
    return;
  }
  if (values[property.field] !== undefined) twice(reader, property);
  values[property.field] = decodeValue(reader, packet, property);
}

function twice(reader: Reader, property: Property): void {
  reader.fail(ReasonCode.ProtocolError, `${property.name} is given twice [5.0 §2.2.2.2]`);
}

function decodeValue(reader: Reader, packet: PropertyPacket, property: Property): unknown {
  switch (property.kind) {
    case "byte":
      return inRange(reader, packet, property, reader.u8());
    case "bool": {
      const value = reader.u8();
      if (value > 1) outOfRange(reader, packet, property, value);
      return value === 1;
    }
    case "u16":
      return inRange(reader, packet, property, reader.u16());
    case "u32":
      return inRange(reader, packet, property, reader.u32());
    case "utf8":
      return reader.utf8();
    case "topic":
      return decodeTopic(reader, packet, property);
    default:
      return reader.binary();
  }
}

function decodeTopic(reader: Reader, packet: PropertyPacket, property: Property): string {
  const topicName = reader.utf8();
  const fault = reader.fault === null ? topicNameFault(topicName, Number.POSITIVE_INFINITY) : null;
  if (fault !== null) reader.fail(wrongCode(packet), `${property.name}: ${fault} [5.0 MQTT-3.3.2-14]`);
  return topicName;
}

function inRange(reader: Reader, packet: PropertyPacket, property: Property, value: number): number {
  if (value < (property.min ?? 0) || value > (property.max ?? Number.POSITIVE_INFINITY))
    outOfRange(reader, packet, property, value);
  return value;
}

function outOfRange(reader: Reader, packet: PropertyPacket, property: Property, value: number): void {
  reader.fail(property.fault ?? wrongCode(packet), `${property.name} must not be ${value} [5.0 §2.2.2.2]`);
}

/** Whether there is anything to encode in `properties`. */
export function hasProperties(properties: Properties): boolean {
  if (properties === NO_PROPERTIES) return false;
  return PROPERTIES.some(({ field }) => {
    const value = properties[field];
    return value !== undefined && !(Array.isArray(value) && value.length === 0);
  });
}

/**
 * Writes the property length and `properties`, in the order in which they came or were given, else in the table's.
 * @throws MqttError when one does not belong in `packet` or is out of range
 */
export function encodeProperties(writer: Writer, packet: PropertyPacket, properties: Properties): void {
  if (properties === NO_PROPERTIES) {
    writer.u8(0);
    return;
  }
  const mark = writer.beginLength();
  encodePropertyList(writer, packet, properties);
  writer.endLength(mark);
}

/** As `encodeProperties`, without the length before them. */
export function encodePropertyList(writer: Writer, packet: PropertyPacket, properties: Properties): void {
  const order = (properties as Ordered)[ORDER];
  const rest = order === undefined ? properties : encodeInOrder(writer, packet, properties, order);
  for (const property of PROPERTIES) {
    const value = rest[property.field];
    if (value !== undefined) encodeProperty(writer, packet, property, value);
  }
}

/** Writes what `order` names, a User Property for each time that it names one, and returns what is left. */
function encodeInOrder(
  writer: Writer,
  packet: PropertyPacket,
  properties: Properties,
  order: readonly number[],
): Properties {
  const left: Values = { ...properties };
  const { userProperties = [] } = properties;
  let written = 0;
  for (const id of order) {
    const property = BY_ID[id]!;
    const { field } = property;
    const value = left[field];
    if (property.kind === "pair") {
      if (written < userProperties.length) encodeProperty(writer, packet, property, [userProperties[written++]]);
    } else if (value !== undefined) {
      encodeProperty(writer, packet, property, value);
      left[field] = undefined;
    }
  }
  if (written > 0) left.userProperties = userProperties.slice(written);
  return left as Properties;
}

function encodeProperty(writer: Writer, packet: PropertyPacket, property: Property, value: unknown): void {
  if (!property.on.includes(packet)) {
    throw new MqttError(ReasonCode.MalformedPacket, `${packet}: ${property.name} does not belong here [5.0 §2.2.2.2]`);
  }
  if (property.kind === "pair") {
    for (const [name, text] of value as [string, string][]) {
      writer.u8(property.id);
      writer.utf8(name);
      writer.utf8(text);
    }
    return;
  }
  if (property.field === "subscriptionIdentifiers") {
    if (packet === "SUBSCRIBE" && (value as number[]).length > 1) {
      throw new MqttError(ReasonCode.ProtocolError, `${packet}: ${property.name} more than once [5.0 §3.8.2.1.2]`);
    }
    for (const id of value as number[]) {
      checkNumber(packet, property, id);
      writer.u8(property.id);
      writer.varint(id);
    }
    return;
  }
  writer.u8(property.id);
  encodeValue(writer, packet, property, value);
}

function encodeValue(writer: Writer, packet: PropertyPacket, property: Property, value: unknown): void {
  switch (property.kind) {
    case "byte":
      writer.u8(checkNumber(packet, property, value as number));
      break;
    case "bool":
      writer.u8(value ? 1 : 0);
      break;
    case "u16":
      writer.u16(checkNumber(packet, property, value as number));
      break;
    case "u32":
      writer.u32(checkNumber(packet, property, value as number));
      break;
    case "utf8":
      writer.utf8(value as string);
      break;
    case "topic":
      writer.utf8(checkTopic(packet, property, value as string));
      break;
    default:
      writer.binary(value as Uint8Array);
  }
}

const LARGEST: Record<Kind, number> = {
  byte: 255,
  bool: 1,
  u16: 65_535,
  u32: 4_294_967_295,
  varint: 268_435_455,
  utf8: 0,
  topic: 0,
  binary: 0,
  pair: 0,
};

function checkNumber(packet: PropertyPacket, property: Property, value: number): number {
  const min = property.min ?? 0;
  const max = property.max ?? LARGEST[property.kind];
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new MqttError(
      property.fault ?? ReasonCode.ProtocolError,
      `${packet}: ${property.name} is ${value}; allowed are ${min} to ${max}`,
    );
  }
  return value;
}

function checkTopic(packet: PropertyPacket, property: Property, value: string): string {
  const fault = topicNameFault(value, Number.POSITIVE_INFINITY);
  if (fault === null) return value;
  throw new MqttError(ReasonCode.ProtocolError, `${packet}: ${property.name}: ${fault} [5.0 MQTT-3.3.2-14]`);
}
