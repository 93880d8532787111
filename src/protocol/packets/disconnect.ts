/** DISCONNECT [5.0 §3.14] [3.1.1 §3.14] and AUTH [5.0 §3.15]: both end in a reason code that may be left out when it is 0. */
import type { Side } from "../codec.ts";
import type { Auth, Disconnect, Version } from "../packet.ts";
import { decodeProperties, encodeProperties, hasProperties, NO_PROPERTIES, type Properties } from "../properties.ts";
import type { Reader } from "../reader.ts";
import { isReasonCodeOn, ReasonCode } from "../reason-codes.ts";
import { Writer } from "../writer.ts";
import { refuse, requireNoProperties, requireReasonCode } from "./requirements.ts";

/** Reason codes of DISCONNECT that only a server may send [5.0 §3.14.2.1]. */
const FROM_SERVER_ONLY: ReadonlySet<number> = new Set([
  0x87, 0x89, 0x8b, 0x8d, 0x8e, 0x8f, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2,
]);

/** Decodes the body of a DISCONNECT that `sender` sent. */
export function decodeDisconnect(reader: Reader, version: Version, sender: Side): Disconnect {
  if (version !== 5) {
    return { type: "DISCONNECT", reasonCode: 0, properties: NO_PROPERTIES };
  }
  const { reasonCode, properties } = decodeReason(reader, "DISCONNECT");
  const fault = disconnectFault(reasonCode, properties, sender);
  // Whoever says goodbye with a wrong code has gone: there is nobody to answer.
  if (fault !== null) reader.failUnanswered(ReasonCode.ProtocolError, `DISCONNECT: ${fault}`);
  return { type: "DISCONNECT", reasonCode, properties };
}

/** What in a DISCONNECT is not for `sender` to say, in words; null when everything is [5.0 §3.14.2.1]. */
export function disconnectFault(reasonCode: number, properties: Properties, sender: Side): string | null {
  if (sender === "client")
    return FROM_SERVER_ONLY.has(reasonCode)
      ? `reason code 0x${reasonCode.toString(16)} is for servers [5.0 §3.14.2.1]`
      : null;
  if (reasonCode === ReasonCode.DisconnectWithWill) return "reason code 0x4 is for clients [5.0 §3.14.2.1]";
  return properties.sessionExpirySeconds === undefined
    ? null
    : "a server must not send Session Expiry Interval [5.0 MQTT-3.14.2-2]";
}

const NO_METHOD = "no Authentication Method [5.0 §3.15.2.2.2]";

/** Decodes the body of an AUTH that `sender` sent. */
export function decodeAuth(reader: Reader, sender: Side): Auth {
  const { reasonCode, properties } = decodeReason(reader, "AUTH");
  if (properties.authenticationMethod === undefined) reader.fail(ReasonCode.ProtocolError, `AUTH: ${NO_METHOD}`);
  if (reasonCode === (sender === "client" ? ReasonCode.Success : ReasonCode.ReAuthenticate))
    reader.fail(ReasonCode.ProtocolError, `AUTH: a ${sender} does not send ${reasonCode} [5.0 MQTT-3.15.2-1]`);
  return { type: "AUTH", reasonCode, properties };
}

function decodeReason(reader: Reader, packet: "DISCONNECT" | "AUTH"): { reasonCode: number; properties: Properties } {
  if (reader.left === 0) return { reasonCode: 0, properties: NO_PROPERTIES };
  const reasonCode = reader.u8();
  if (!isReasonCodeOn(packet, reasonCode)) {
    reader.isAnswered = packet !== "DISCONNECT";
    reader.fail(
      ReasonCode.ProtocolError,
      `${packet}: reason code 0x${reasonCode.toString(16)} does not belong here [5.0 §2.4]`,
    );
  }
  return { reasonCode, properties: reader.left === 0 ? NO_PROPERTIES : decodeProperties(reader, packet) };
}

/**
 * Encodes a DISCONNECT in its shortest form.
 * @throws MqttError when a field is not allowed, or cannot be told before 5.0
 */
export function encodeDisconnect(packet: Disconnect, version: Version): Uint8Array {
  requireReasonCode("DISCONNECT", packet.reasonCode, version);
  const writer = new Writer();
  if (version === 5) encodeReason(writer, packet);
  else requireNoProperties("DISCONNECT", packet.properties);
  return writer.packet(0xe0);
}

/**
 * Encodes an AUTH.
 * @throws MqttError when a field is not allowed, and before 5.0
 */
export function encodeAuth(packet: Auth, version: Version): Uint8Array {
  if (version !== 5) refuse("AUTH", "there is none before 5.0 [3.1.1 §2.2.1]");
  requireReasonCode("AUTH", packet.reasonCode, version);
  if (packet.properties.authenticationMethod === undefined) refuse("AUTH", NO_METHOD);
  const writer = new Writer();
  encodeReason(writer, packet);
  return writer.packet(0xf0);
}

function encodeReason(writer: Writer, packet: Disconnect | Auth): void {
  const { type, reasonCode, properties } = packet;
  if (hasProperties(properties)) {
    writer.u8(reasonCode);
    encodeProperties(writer, type, properties);
  } else if (reasonCode !== 0) writer.u8(reasonCode);
}
