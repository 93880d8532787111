/** CONNACK [5.0 §3.2] [3.1.1 §3.2]. */
import type { Connack, Version } from "../packet.ts";
import { decodeProperties, encodeProperties, NO_PROPERTIES } from "../properties.ts";
import type { Reader } from "../reader.ts";
import { isReasonCodeOn, ReasonCode } from "../reason-codes.ts";
import { Writer } from "../writer.ts";

/** Decodes the body of a CONNACK. */
export function decodeConnack(reader: Reader, version: Version): Connack {
  const flags = reader.u8();
  const reasonCode = reader.u8();
  const legal = version === 5 ? isReasonCodeOn("CONNACK", reasonCode) : reasonCode <= 5;
  if (flags > 1 && version !== 3)
    reader.fail(ReasonCode.MalformedPacket, "CONNACK: reserved flags are set [5.0 MQTT-3.2.2-1] [3.1.1 §3.2.2.1]");
  if (!legal)
    reader.fail(ReasonCode.MalformedPacket, `CONNACK: unknown code ${reasonCode} [5.0 §3.2.2.2] [3.1.1 §3.2.2.3]`);
  if (reasonCode !== 0 && (flags & 1) !== 0) {
    reader.fail(
      ReasonCode.ProtocolError,
      "CONNACK: session present with a refusal [5.0 MQTT-3.2.2-6] [3.1.1 MQTT-3.2.2-4]",
    );
  }
  const properties = version === 5 ? decodeProperties(reader, "CONNACK") : NO_PROPERTIES;
  return { type: "CONNACK", sessionPresent: (flags & 1) !== 0, reasonCode, properties };
}

/** Encodes a CONNACK; before 5.0 `reasonCode` must already be a return code. */
export function encodeConnack(packet: Connack, version: Version): Uint8Array {
  const writer = new Writer();
  // MQTT 3.1 has no session present flag: the byte is reserved there.
  writer.u8(packet.sessionPresent && version !== 3 ? 1 : 0);
  writer.u8(packet.reasonCode);
  if (version === 5) encodeProperties(writer, "CONNACK", packet.properties);
  return writer.packet(0x20);
}
