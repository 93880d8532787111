/** Bytes to packets and back: picks the packet's own decoder or encoder and checks what all packets share. */
import type { Fault } from "./errors.ts";
import { type Acknowledgement, type Packet, type PacketName, PacketType, type Version } from "./packet.ts";
import { decodeAcknowledgement, encodeAcknowledgement } from "./packets/acknowledgement.ts";
import { decodeConnack, encodeConnack } from "./packets/connack.ts";
import { decodeConnect, encodeConnect } from "./packets/connect.ts";
import { decodeAuth, decodeDisconnect, encodeAuth, encodeDisconnect } from "./packets/disconnect.ts";
import { decodePublish, encodePublish, LastTopic } from "./packets/publish.ts";
import { decodeSuback, decodeSubscribe, encodeSuback, encodeSubscribe } from "./packets/subscribe.ts";
import { decodeUnsuback, decodeUnsubscribe, encodeUnsuback, encodeUnsubscribe } from "./packets/unsubscribe.ts";
import { Reader } from "./reader.ts";
import { ReasonCode } from "./reason-codes.ts";

/** Which end of a connection. */
export type Side = "client" | "server";

interface Form {
  readonly name: PacketName;
  /** The lower half of the first byte; PUBLISH uses it for its own flags. */
  readonly flags: number;
  readonly from: "client" | "server" | "both";
}

/** Packet types by number [5.0 §2.1.2] [5.0 §2.1.3]. */
const FORMS: readonly (Form | undefined)[] = [
  undefined,
  { name: "CONNECT", flags: 0, from: "client" },
  { name: "CONNACK", flags: 0, from: "server" },
  { name: "PUBLISH", flags: 0, from: "both" },
  { name: "PUBACK", flags: 0, from: "both" },
  { name: "PUBREC", flags: 0, from: "both" },
  { name: "PUBREL", flags: 2, from: "both" },
  { name: "PUBCOMP", flags: 0, from: "both" },
  { name: "SUBSCRIBE", flags: 2, from: "client" },
  { name: "SUBACK", flags: 0, from: "server" },
  { name: "UNSUBSCRIBE", flags: 2, from: "client" },
  { name: "UNSUBACK", flags: 0, from: "server" },
  // A broker may ask a bridge, which is a broker too: ClientMachine decides.
  { name: "PINGREQ", flags: 0, from: "both" },
  { name: "PINGRESP", flags: 0, from: "server" },
  { name: "DISCONNECT", flags: 0, from: "both" },
  { name: "AUTH", flags: 0, from: "both" },
];

const TYPE_PUBLISH = PacketType.PUBLISH;

/**
 * Decodes the packet that fills `bytes[start..end)`, which `sender` sent on a connection of `version` (a CONNECT tells its own).
 * `reader` and `last` are the connection's, so that nothing is made anew for each packet. Never throws.
 */
export function decodeInto(
  reader: Reader,
  bytes: Uint8Array,
  start: number,
  end: number,
  version: Version,
  sender: Side,
  last: LastTopic,
): Packet | Fault {
  let body = start + 2;
  while (bytes[body - 1]! > 127) body++;
  reader.reset(bytes, body, end);
  const packet =
    bytes[start]! >> 4 === TYPE_PUBLISH
      ? decodePublish(reader, start, version, sender, last)
      : decodeOther(reader, bytes[start]!, version, sender);
  if (body > start + 2 && bytes[body - 1] === 0) checkLongForm(reader, packet, version);
  return reader.fault ?? packet;
}

/** Judges a Remaining Length with more bytes than it needs: only 5.0 demands the shortest form, and some devices of 3.1.1 pad it. */
function checkLongForm(reader: Reader, packet: Packet, version: Version): void {
  if ((packet.type === "CONNECT" ? packet.version : version) !== 5) return;
  reader.fail(ReasonCode.MalformedPacket, "Remaining Length is not in its shortest form [5.0 MQTT-1.5.5-1]");
}

function decodeOther(reader: Reader, firstByte: number, version: Version, sender: Side): Packet {
  const form = FORMS[firstByte >> 4];
  if (form === undefined || (form.name === "AUTH" && version !== 5)) {
    reader.fail(ReasonCode.ProtocolError, `packet type ${firstByte >> 4} is reserved [5.0 §2.1.2] [3.1.1 §2.2.1]`);
    return { type: "PINGREQ" };
  }
  const flags = firstByte & 15;
  if (form.name === "PINGREQ" || form.name === "PINGRESP") checkPing(reader, form, flags, version);
  else if (flags !== form.flags && !areFlagsLast(form)) checkFlags(reader, form, flags, version);
  checkSender(reader, form, version, sender);
  const packet = decodeBody(reader, form.name, version, sender);
  if (flags !== form.flags) checkFlags(reader, form, flags, packet.type === "CONNECT" ? packet.version : version);
  if (reader.left > 0) reader.fail(ReasonCode.MalformedPacket, `${form.name}: ${reader.left} bytes too many`);
  return packet;
}

/** Judges a packet that is all header by its length, which is not answered, and its flags; in mosquitto's order, before its sender. */
function checkPing(reader: Reader, form: Form, flags: number, version: Version): void {
  if (reader.left > 0) reader.failUnanswered(ReasonCode.MalformedPacket, `${form.name}: ${reader.left} bytes too many`);
  if (flags !== form.flags) checkFlags(reader, form, flags, version);
}

/** A CONNECT tells only in its body by which version to judge; CONNACK and AUTH are refused first for coming at all, as by mosquitto. */
function areFlagsLast({ name }: Form): boolean {
  return name === "CONNECT" || name === "CONNACK" || name === "AUTH";
}

/** Judges flags that are not `form.flags`. MQTT 3.1 reserves none: old clients set DUP, or leave out the QoS of a SUBSCRIBE. */
function checkFlags(reader: Reader, form: Form, flags: number, version: Version): void {
  if (version === 3) return;
  reader.fail(
    ReasonCode.MalformedPacket,
    `${form.name}: reserved flags are ${flags}, not ${form.flags} [5.0 MQTT-2.1.3-1] [3.1.1 MQTT-2.2.2-2]`,
  );
}

function checkSender(reader: Reader, form: Form, version: Version, sender: Side): void {
  if (form.from !== "both" && form.from !== sender) {
    reader.fail(ReasonCode.ProtocolError, `${form.name}: only a ${form.from} sends it [5.0 §2.1.2] [3.1.1 §2.2.1]`);
  } else if (form.name === "DISCONNECT" && sender === "server" && version !== 5) {
    reader.fail(ReasonCode.ProtocolError, "DISCONNECT: a server sends it only in 5.0 [3.1.1 §3.14]");
  }
}

function decodeBody(reader: Reader, name: PacketName, version: Version, sender: Side): Packet {
  switch (name) {
    case "PUBACK":
    case "PUBREC":
    case "PUBREL":
    case "PUBCOMP":
      return decodeAcknowledgement(reader, name, version);
    case "CONNECT":
      return decodeConnect(reader);
    case "CONNACK":
      return decodeConnack(reader, version);
    case "SUBSCRIBE":
      return decodeSubscribe(reader, version);
    case "SUBACK":
      return decodeSuback(reader, version);
    case "UNSUBSCRIBE":
      return decodeUnsubscribe(reader, version);
    case "UNSUBACK":
      return decodeUnsuback(reader, version);
    case "DISCONNECT":
      return decodeDisconnect(reader, version, sender);
    case "AUTH":
      return decodeAuth(reader, sender);
    default:
      return { type: name as "PINGREQ" | "PINGRESP" };
  }
}

/** As `decodeInto`, for one packet by itself. */
export function decodePacket(
  bytes: Uint8Array,
  start: number,
  end: number,
  version: Version,
  sender: Side,
): Packet | Fault {
  return decodeInto(new Reader(bytes, start, end), bytes, start, end, version, sender, new LastTopic());
}

/** Decodes packets of one origin, one after another: nothing is made anew for each, and a topic that repeats is judged once. */
export class PacketDecoder {
  readonly #reader: Reader = new Reader(new Uint8Array(0), 0, 0);
  readonly #last: LastTopic = new LastTopic();

  /** As `decodePacket`. */
  decode(bytes: Uint8Array, start: number, end: number, version: Version, sender: Side): Packet | Fault {
    return decodeInto(this.#reader, bytes, start, end, version, sender, this.#last);
  }
}

/** Tells a packet from a fault. */
export function isFault(decoded: Packet | Fault): decoded is Fault {
  return !("type" in decoded);
}

const PINGREQ = new Uint8Array([0xc0, 0]);
const PINGRESP = new Uint8Array([0xd0, 0]);

/**
 * Encodes `packet` for a connection of `version`.
 * @throws MqttError when a field is not allowed, or cannot be told in `version`
 */
export function encodePacket(packet: Packet, version: Version): Uint8Array {
  switch (packet.type) {
    case "PUBLISH":
      return encodePublish(packet, version);
    case "CONNECT":
      return encodeConnect(packet);
    case "CONNACK":
      return encodeConnack(packet, version);
    case "SUBSCRIBE":
      return encodeSubscribe(packet, version);
    case "SUBACK":
      return encodeSuback(packet, version);
    case "UNSUBSCRIBE":
      return encodeUnsubscribe(packet, version);
    case "UNSUBACK":
      return encodeUnsuback(packet, version);
    case "PINGREQ":
      return PINGREQ;
    case "PINGRESP":
      return PINGRESP;
    case "DISCONNECT":
      return encodeDisconnect(packet, version);
    case "AUTH":
      return encodeAuth(packet, version);
    default:
      return encodeAcknowledgement(packet satisfies Acknowledgement, version);
  }
}
