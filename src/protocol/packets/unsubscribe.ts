/** UNSUBSCRIBE and UNSUBACK [5.0 §3.10, §3.11] [3.1.1 §3.10, §3.11]. */
import type { Unsuback, Unsubscribe, Version } from "../packet.ts";
import { decodeProperties, encodeProperties, NO_PROPERTIES } from "../properties.ts";
import type { Reader } from "../reader.ts";
import { isReasonCodeOn, ReasonCode } from "../reason-codes.ts";
import { Writer } from "../writer.ts";
import { checkFilter } from "./subscribe.ts";

/** Decodes the body of an UNSUBSCRIBE. */
export function decodeUnsubscribe(reader: Reader, version: Version): Unsubscribe {
  const packetId = reader.u16();
  if (packetId === 0)
    reader.fail(ReasonCode.ProtocolError, "UNSUBSCRIBE: packet identifier 0 [5.0 MQTT-2.2.1-3] [3.1.1 MQTT-2.3.1-1]");
  const properties = version === 5 ? decodeProperties(reader, "UNSUBSCRIBE") : NO_PROPERTIES;
  const topicFilters: string[] = [];
  while (reader.left > 0) {
    const topicFilter = reader.utf8();
    checkFilter(reader, "UNSUBSCRIBE", topicFilter);
    topicFilters.push(topicFilter);
  }
  if (topicFilters.length === 0) {
    reader.fail(ReasonCode.ProtocolError, "UNSUBSCRIBE: no topic filter [5.0 MQTT-3.10.3-2] [3.1.1 MQTT-3.10.3-2]");
  }
  return { type: "UNSUBSCRIBE", packetId, topicFilters, properties };
}

/** Encodes an UNSUBSCRIBE. */
export function encodeUnsubscribe(packet: Unsubscribe, version: Version): Uint8Array {
  const writer = new Writer();
  writer.u16(packet.packetId);
  if (version === 5) encodeProperties(writer, "UNSUBSCRIBE", packet.properties);
  for (const topicFilter of packet.topicFilters) writer.utf8(topicFilter);
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
  while (reader.left > 0) {
    const code = reader.u8();
    if (!isReasonCodeOn("UNSUBACK", code)) {
      reader.fail(ReasonCode.MalformedPacket, `UNSUBACK: unknown code 0x${code.toString(16)} [5.0 §3.11.3]`);
    }
    reasonCodes.push(code);
  }
  return { type: "UNSUBACK", packetId, reasonCodes, properties };
}

/** Encodes an UNSUBACK; before 5.0 it carries no codes. */
export function encodeUnsuback(packet: Unsuback, version: Version): Uint8Array {
  const writer = new Writer();
  writer.u16(packet.packetId);
  if (version === 5) {
    encodeProperties(writer, "UNSUBACK", packet.properties);
    for (const code of packet.reasonCodes) writer.u8(code);
  }
  return writer.packet(0xb0);
}
