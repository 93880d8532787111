/** PUBACK, PUBREC, PUBREL and PUBCOMP [5.0 §3.4-3.7] [3.1.1 §3.4-3.7]: one form, four types. */
import type { Acknowledgement, Version } from "../packet.ts";
import { PacketType } from "../packet.ts";
import { decodeProperties, encodeProperties, hasProperties, NO_PROPERTIES } from "../properties.ts";
import type { Reader } from "../reader.ts";
import { isReasonCodeOn, ReasonCode } from "../reason-codes.ts";
import { Writer } from "../writer.ts";
import { requireNoProperties, requirePacketId, requireReasonCode } from "./requirements.ts";

/** Decodes the body of an acknowledgement; 5.0 leaves out the reason code when it is 0 and the properties when there are none. */
export function decodeAcknowledgement(
  reader: Reader,
  type: Acknowledgement["type"],
  version: Version,
): Acknowledgement {
  const packetId = reader.u16();
  if (packetId === 0) reader.fail(ReasonCode.ProtocolError, `${type}: packet identifier 0 [5.0 §2.2.1] [3.1.1 §2.3.1]`);
  if (version !== 5 || reader.left === 0) return { type, packetId, reasonCode: 0, properties: NO_PROPERTIES };
  const reasonCode = reader.u8();
  if (!isReasonCodeOn(type, reasonCode)) {
    reader.fail(
      ReasonCode.ProtocolError,
      `${type}: reason code 0x${reasonCode.toString(16)} does not belong here [5.0 §2.4]`,
    );
  }
  const properties = reader.left === 0 ? NO_PROPERTIES : decodeProperties(reader, type);
  return { type, packetId, reasonCode, properties };
}

/**
 * Encodes an acknowledgement in its shortest form.
 * @throws MqttError when a field is not allowed, or cannot be told before 5.0
 */
export function encodeAcknowledgement(packet: Acknowledgement, version: Version): Uint8Array {
  const { type, packetId, reasonCode, properties } = packet;
  requirePacketId(type, packetId);
  requireReasonCode(type, reasonCode, version);
  const writer = new Writer();
  writer.u16(packetId);
  if (version !== 5) requireNoProperties(type, properties);
  else if (hasProperties(properties)) {
    writer.u8(reasonCode);
    encodeProperties(writer, type, properties);
  } else if (reasonCode !== 0) writer.u8(reasonCode);
  return writer.packet(acknowledgementFirstByte(type));
}

/** The first byte of an acknowledgement: PUBREL carries the flags 0010 [5.0 MQTT-3.6.1-1]. */
export function acknowledgementFirstByte(type: Acknowledgement["type"]): number {
  return (PacketType[type] << 4) | (type === "PUBREL" ? 2 : 0);
}
