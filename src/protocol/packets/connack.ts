/** CONNACK [5.0 §3.2] [3.1.1 §3.2]. */
import type { Connack, Version } from "../packet.ts";
import { decodeProperties, encodeProperties, NO_PROPERTIES } from "../properties.ts";
import type { Reader } from "../reader.ts";
import { isReasonCodeOn, ReasonCode, reasonCodeOfReturnCode } from "../reason-codes.ts";
import { Writer } from "../writer.ts";
import { refuse, requireNoProperties } from "./requirements.ts";

/** Largest return code of MQTT 3.1 and 3.1.1 [3.1.1 §3.2.2.3]. */
const LARGEST_RETURN_CODE = 5;

/** Decodes the body of a CONNACK. */
export function decodeConnack(reader: Reader, version: Version): Connack {
  const firstByte = reader.u8();
  // MQTT 3.1 has no session present flag: the byte is reserved there.
  const flags = version === 3 ? 0 : firstByte;
  const code = reader.u8();
  if (flags > 1)
    reader.fail(ReasonCode.MalformedPacket, "CONNACK: reserved flags are set [5.0 MQTT-3.2.2-1] [3.1.1 §3.2.2.1]");
  // A server that knows no 5.0 refuses it in the form of its own version, which has no properties.
  const isReturnCode = version !== 5 || (code !== 0 && code <= LARGEST_RETURN_CODE && reader.left === 0);
  if (isReturnCode ? code > LARGEST_RETURN_CODE : !isReasonCodeOn("CONNACK", code))
    reader.fail(ReasonCode.ProtocolError, `CONNACK: unknown code ${code} [5.0 MQTT-3.2.2-8] [3.1.1 §3.2.2.3]`);
  if (code !== 0 && flags !== 0) {
    reader.fail(
      ReasonCode.ProtocolError,
      "CONNACK: session present with a refusal [5.0 MQTT-3.2.2-6] [3.1.1 MQTT-3.2.2-4]",
    );
  }
  const properties = isReturnCode ? NO_PROPERTIES : decodeProperties(reader, "CONNACK");
  const reasonCode = version === 5 && isReturnCode ? reasonCodeOfReturnCode(code) : code;
  return { type: "CONNACK", sessionPresent: flags !== 0, reasonCode, properties };
}

/**
 * Encodes a CONNACK; before 5.0 `reasonCode` must already be a return code.
 * @throws MqttError when a field is not allowed, or cannot be told in `version`
 */
export function encodeConnack(packet: Connack, version: Version): Uint8Array {
  const { sessionPresent, reasonCode, properties } = packet;
  const isLegal =
    version === 5 ? isReasonCodeOn("CONNACK", reasonCode) : reasonCode >= 0 && reasonCode <= LARGEST_RETURN_CODE;
  if (!isLegal || !Number.isInteger(reasonCode))
    refuse("CONNACK", `code ${reasonCode} does not belong here [5.0 MQTT-3.2.2-8] [3.1.1 §3.2.2.3]`);
  if (sessionPresent && reasonCode !== 0)
    refuse("CONNACK", "session present with a refusal [5.0 MQTT-3.2.2-6] [3.1.1 MQTT-3.2.2-4]");
  if (sessionPresent && version === 3) refuse("CONNACK", "session present cannot be told in MQTT 3.1");
  if (version !== 5) requireNoProperties("CONNACK", properties);
  const writer = new Writer();
  writer.u8(sessionPresent ? 1 : 0);
  writer.u8(reasonCode);
  if (version === 5) encodeProperties(writer, "CONNACK", properties);
  return writer.packet(0x20);
}
