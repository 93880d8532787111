/** CONNECT [5.0 §3.1] [3.1.1 §3.1]: the only packet that tells its own version. */
import { MqttError } from "../errors.ts";
import type { Connect, Qos, Version, Will } from "../packet.ts";
import { decodeProperties, encodeProperties, NO_PROPERTIES, type Properties } from "../properties.ts";
import type { Reader } from "../reader.ts";
import { ReasonCode } from "../reason-codes.ts";
import { topicNameFault } from "../topics.ts";
import { Writer } from "../writer.ts";
import { refuse, requireNoProperties, requireQos } from "./requirements.ts";

const FLAG_CLEAN_START = 0x02;
const FLAG_WILL = 0x04;
const FLAG_WILL_RETAIN = 0x20;
const FLAG_PASSWORD = 0x40;
const FLAG_USERNAME = 0x80;
/** mosquitto sets the highest bit of the protocol level when a bridge connects. */
const BRIDGE_BIT = 0x80;

/** Of a protocol name that is not known, so much is repeated in the answer. */
const SHOWN_NAME_CHARACTERS = 16;

/** Decodes the body of a CONNECT. */
export function decodeConnect(reader: Reader): Connect {
  const name = reader.utf8();
  const level = reader.u8();
  const version = versionOf(reader, name, level & ~BRIDGE_BIT);
  const flags = reader.u8();
  checkFlags(reader, flags, version);
  const keepAliveSeconds = reader.u16();
  const properties = version === 5 ? decodeProperties(reader, "CONNECT") : NO_PROPERTIES;
  const clientId = reader.name(ReasonCode.ClientIdentifierNotValid);
  const will = (flags & FLAG_WILL) !== 0 ? decodeWill(reader, flags, version) : null;
  // As mosquitto: what is wrong with the credentials is not told.
  reader.isAnswered = false;
  const username = hasField(reader, flags & FLAG_USERNAME, version) ? reader.name() : null;
  const password = hasField(reader, flags & FLAG_PASSWORD, version) ? reader.binary() : null;
  reader.isAnswered = true;
  if (isDataWithoutMethod(properties)) reader.fail(ReasonCode.ProtocolError, `CONNECT: ${DATA_WITHOUT_METHOD}`);
  return {
    type: "CONNECT",
    version,
    bridge: (level & BRIDGE_BIT) !== 0,
    cleanStart: (flags & FLAG_CLEAN_START) !== 0,
    keepAliveSeconds,
    clientId,
    will,
    username,
    password,
    properties,
  };
}

/** In MQTT 3.1 the length of the packet prevails: a flag may be set and its field be missing. */
function hasField(reader: Reader, flag: number, version: Version): boolean {
  return flag !== 0 && (version !== 3 || reader.left > 0);
}

const DATA_WITHOUT_METHOD = "Authentication Data without Authentication Method [5.0 §3.1.2.11.10]";

function isDataWithoutMethod(properties: Properties): boolean {
  return properties.authenticationData !== undefined && properties.authenticationMethod === undefined;
}

function versionOf(reader: Reader, name: string, level: number): Version {
  if (name === "MQTT" && (level === 4 || level === 5)) return level;
  if (name === "MQIsdp" && level === 3) return 3;
  const isNamed = name === "MQTT" || name === "MQIsdp";
  const what = isNamed ? `version ${level}` : JSON.stringify(name.slice(0, SHOWN_NAME_CHARACTERS));
  reader.fail(
    ReasonCode.UnsupportedProtocolVersion,
    `Invalid protocol ${what} in CONNECT; MQIsdp 3, MQTT 4 and MQTT 5 are spoken here [5.0 MQTT-3.1.2-2] [3.1.1 MQTT-3.1.2-2]`,
  );
  return 5;
}

function checkFlags(reader: Reader, flags: number, version: Version): void {
  const willQos = (flags >> 3) & 3;
  if ((flags & 1) !== 0 && version !== 3) {
    reader.fail(
      ReasonCode.MalformedPacket,
      "CONNECT: the reserved flag is set [5.0 MQTT-3.1.2-3] [3.1.1 MQTT-3.1.2-3]",
    );
  } else if (willQos === 3 && (version !== 3 || (flags & FLAG_WILL) !== 0)) {
    reader.fail(ReasonCode.MalformedPacket, "CONNECT: will QoS 3 [5.0 MQTT-3.1.2-12] [3.1.1 MQTT-3.1.2-14]");
  } else if (version !== 3 && (flags & FLAG_WILL) === 0 && (willQos !== 0 || (flags & FLAG_WILL_RETAIN) !== 0)) {
    reader.fail(
      ReasonCode.MalformedPacket,
      "CONNECT: will QoS or will retain without a will [5.0 MQTT-3.1.2-11] [3.1.1 MQTT-3.1.2-13]",
    );
  } else if (version !== 5 && (flags & FLAG_PASSWORD) !== 0 && (flags & FLAG_USERNAME) === 0) {
    reader.fail(ReasonCode.MalformedPacket, "CONNECT: a password without a user name [3.1.1 MQTT-3.1.2-22]");
  }
}

function decodeWill(reader: Reader, flags: number, version: Version): Will {
  const properties = version === 5 ? decodeProperties(reader, "WILL", true) : NO_PROPERTIES;
  // As mosquitto: of one that is not well-formed nothing is told, and of none at all that it is missing.
  const topicName = reader.name(null);
  const payload = reader.binary();
  // The depth of the topic is the broker's limit to judge, not the decoder's.
  const fault = reader.fault === null ? topicNameFault(topicName, Number.POSITIVE_INFINITY) : null;
  if (fault !== null)
    reader.fail(topicName === "" ? ReasonCode.ProtocolError : ReasonCode.TopicNameInvalid, `CONNECT: will ${fault}`);
  return { topicName, payload, qos: ((flags >> 3) & 3) as Qos, retain: (flags & FLAG_WILL_RETAIN) !== 0, properties };
}

/**
 * Encodes a CONNECT; `packet.version` decides its form.
 * @throws MqttError when a field is not allowed, or cannot be told in that version
 */
export function encodeConnect(packet: Connect): Uint8Array {
  const { version, will } = packet;
  checkConnect(packet);
  if (will !== null) checkWill(will, version);
  const writer = new Writer();
  writer.utf8(version === 3 ? "MQIsdp" : "MQTT");
  writer.u8(version | (packet.bridge ? BRIDGE_BIT : 0));
  writer.u8(
    (packet.cleanStart ? FLAG_CLEAN_START : 0) |
      (will === null ? 0 : FLAG_WILL | (will.qos << 3) | (will.retain ? FLAG_WILL_RETAIN : 0)) |
      (packet.password === null ? 0 : FLAG_PASSWORD) |
      (packet.username === null ? 0 : FLAG_USERNAME),
  );
  writer.u16(packet.keepAliveSeconds);
  if (version === 5) encodeProperties(writer, "CONNECT", packet.properties);
  writer.utf8(packet.clientId);
  if (will !== null) {
    if (version === 5) encodeProperties(writer, "WILL", will.properties);
    writer.utf8(will.topicName);
    writer.binary(will.payload);
  }
  if (packet.username !== null) writer.utf8(packet.username);
  if (packet.password !== null) writer.binary(packet.password);
  return writer.packet(0x10);
}

function checkConnect(packet: Connect): void {
  const { version, clientId, keepAliveSeconds, cleanStart, username, password, properties } = packet;
  if (version !== 3 && version !== 4 && version !== 5)
    throw new MqttError(
      ReasonCode.UnsupportedProtocolVersion,
      `CONNECT: protocol level ${version}; 3, 4 and 5 are spoken here`,
    );
  if (!Number.isInteger(keepAliveSeconds) || keepAliveSeconds < 0 || keepAliveSeconds > 65_535)
    refuse(
      "CONNECT",
      `keep-alive ${keepAliveSeconds}; allowed are 0 to 65,535 seconds [5.0 §3.1.2.10] [3.1.1 §3.1.2.10]`,
    );
  if (clientId === "" && (version === 3 || (version === 4 && !cleanStart))) {
    throw new MqttError(
      ReasonCode.ClientIdentifierNotValid,
      "CONNECT: an empty client identifier needs a clean session, and MQTT 3.1.1 or 5.0 [3.1.1 MQTT-3.1.3-7]",
    );
  }
  if (version === 5) {
    if (isDataWithoutMethod(properties)) refuse("CONNECT", DATA_WITHOUT_METHOD);
    return;
  }
  if (password !== null && username === null)
    refuse("CONNECT", "a password without a user name needs 5.0 [3.1.1 MQTT-3.1.2-22]");
  requireNoProperties("CONNECT", properties);
}

function checkWill(will: Will, version: Version): void {
  const fault = topicNameFault(will.topicName, Number.POSITIVE_INFINITY);
  if (fault !== null) throw new MqttError(ReasonCode.TopicNameInvalid, `CONNECT: will ${fault}`);
  requireQos("CONNECT: will", will.qos);
  if (version !== 5) requireNoProperties("WILL", will.properties);
}
