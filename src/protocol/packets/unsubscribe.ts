/** UNSUBSCRIBE and UNSUBACK [5.0 §3.10, §3.11] [3.1.1 §3.10, §3.11]. */
import type { Unsuback, Unsubscribe, Version } from "../packet.ts";
import { decodeProperties, encodeProperties, NO_PROPERTIES } from "../properties.ts";
import type { Reader } from "../reader.ts";
import { isReasonCodeOn, ReasonCode } from "../reason-codes.ts";
import { Writer } from "../writer.ts";
import { refuse, requireNoProperties, requirePacketId, requireReasonCode } from "./requirements.ts";
import { checkFilter, requireFilter } from "./subscribe.ts";

/** Decodes the body of an UNSUBSCRIBE; malformed as a SUBSCRIBE would be. */
export function decodeUnsubscribe(reader: Reader, version: Version): Unsubscribe {
  const packetId = reader.u16();
  if (packetId === 0)
    reader.fail(ReasonCode.MalformedPacket, "UNSUBSCRIBE: packet identifier 0 [5.0 MQTT-2.2.1-3] [3.1.1 MQTT-2.3.1-1]");
  const properties = version === 5 ? decodeProperties(reader, "UNSUBSCRIBE") : NO_PROPERTIES;
  const topicFilters: string[] = [];
  while (reader.left > 0 && reader.hasRoomFor("UNSUBSCRIBE", topicFilters.length)) {
    const topicFilter = reader.name();
    checkFilter(reader, "UNSUBSCRIBE", topicFilter);
    topicFilters.push(topicFilter);
  }
  if (topicFilters.length === 0) {
    reader.fail(ReasonCode.MalformedPacket, "UNSUBSCRIBE: no topic filter [5.0 MQTT-3.10.3-2] [3.1.1 MQTT-3.10.3-2]");
  }
  return { type: "UNSUBSCRIBE", packetId, topicFilters, properties };
}

/**
 * Encodes an UNSUBSCRIBE.
 * @throws MqttError when a field is not allowed, or cannot be told before 5.0
 */
export function encodeUnsubscribe(packet: Unsubscribe, version: Version): Uint8Array {
  requirePacketId("UNSUBSCRIBE", packet.packetId);
  if (packet.topicFilters.length === 0)
    refuse("UNSUBSCRIBE", "no topic filter [5.0 MQTT-3.10.3-2] [3.1.1 MQTT-3.10.3-2]");
  const writer = new Writer();
  writer.u16(packet.packetId);
  if (version === 5) encodeProperties(writer, "UNSUBSCRIBE", packet.properties);
  else requireNoProperties("UNSUBSCRIBE", packet.properties);
  for (const topicFilter of packet.topicFilters) {
    requireFilter("UNSUBSCRIBE", topicFilter);
    writer.utf8(topicFilter);
  }
  return writer.packet(0xa2);
}

/** Decodes the body of an UNSUBACK. */
export function decodeUnsuback(reader: Reader, version: Version): Unsuback {
  const packetId = reader.u16();
  if (packetId === 0)
    reader.fail(ReasonCode.ProtocolError, "UNSUBACK: packet identifier 0 [5.0 §2.2.1] [3.1.1 §2.3.1]");
  if (version !== 5) return { type: "UNSUBACK", packetId, reasonCodes: [], properties: NO_PROPERTIES };
  const properties = decodeProperties(reader, "UNSUBACK");
  const reasonCodes: number[] = [];
  while (reader.left > 0 && reader.hasRoomFor("UNSUBACK", reasonCodes.length)) {
    const code = reader.u8();
    if (!isReasonCodeOn("UNSUBACK", code)) {
      reader.fail(ReasonCode.ProtocolError, `UNSUBACK: unknown code 0x${code.toString(16)} [5.0 MQTT-3.11.3-2]`);
    }
    reasonCodes.push(code);
  }
  if (reasonCodes.length === 0) reader.fail(ReasonCode.ProtocolError, "UNSUBACK: no code [5.0 MQTT-3.11.3-1]");
  return { type: "UNSUBACK", packetId, reasonCodes, properties };
}

/**
 * Encodes an UNSUBACK; before 5.0 it carries no codes.
 * @throws MqttError when a field is not allowed, or cannot be told before 5.0
 */
export function encodeUnsuback(packet: Unsuback, version: Version): Uint8Array {
  const { packetId, reasonCodes, properties } = packet;
  requirePacketId("UNSUBACK", packetId);
  if (reasonCodes.length > 0 !== (version === 5))
    refuse(
      "UNSUBACK",
      `${reasonCodes.length} codes; 5.0 has one for each topic filter, others none [5.0 MQTT-3.11.3-1]`,
    );
  const writer = new Writer();
  writer.u16(packetId);
  if (version === 5) encodeProperties(writer, "UNSUBACK", properties);
  else requireNoProperties("UNSUBACK", properties);
  for (const code of reasonCodes) {
    requireReasonCode("UNSUBACK", code, version);
    writer.u8(code);
  }
  return writer.packet(0xb0);
}
