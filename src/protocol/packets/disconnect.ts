/** DISCONNECT [5.0 §3.14] [3.1.1 §3.14] and AUTH [5.0 §3.15]: both end in a reason code that may be left out when it is 0. */
import type { Side } from "../codec.ts";
import type { Auth, Disconnect, Version } from "../packet.ts";
import { decodeProperties, encodeProperties, NO_PROPERTIES, type Properties } from "../properties.ts";
import type { Reader } from "../reader.ts";
import { isReasonCodeOn, ReasonCode } from "../reason-codes.ts";
import { Writer } from "../writer.ts";

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
  if (sender === "client" && FROM_SERVER_ONLY.has(reasonCode)) {
    reader.fail(
      ReasonCode.ProtocolError,
      `DISCONNECT: reason code 0x${reasonCode.toString(16)} is for servers [5.0 §3.14.2.1]`,
    );
  } else if (sender === "server" && reasonCode === ReasonCode.DisconnectWithWill) {
    reader.fail(ReasonCode.ProtocolError, "DISCONNECT: reason code 0x4 is for clients [5.0 §3.14.2.1]");
  } else if (sender === "server" && properties.sessionExpirySeconds !== undefined) {
    reader.fail(
      ReasonCode.ProtocolError,
      "DISCONNECT: a server must not send Session Expiry Interval [5.0 MQTT-3.14.2-2]",
    );
  }
  return { type: "DISCONNECT", reasonCode, properties };
}

/** Decodes the body of an AUTH. */
export function decodeAuth(reader: Reader): Auth {
  const { reasonCode, properties } = decodeReason(reader, "AUTH");
  if (reader.fault === null && properties.authenticationMethod === undefined) {
    reader.fail(ReasonCode.ProtocolError, "AUTH: no Authentication Method [5.0 §3.15.2.2.2]");
  }
  return { type: "AUTH", reasonCode, properties };
}

function decodeReason(reader: Reader, packet: "DISCONNECT" | "AUTH"): { reasonCode: number; properties: Properties } {
  if (reader.left === 0) return { reasonCode: 0, properties: NO_PROPERTIES };
  const reasonCode = reader.u8();
  if (!isReasonCodeOn(packet, reasonCode)) {
    reader.fail(
      ReasonCode.MalformedPacket,
      `${packet}: reason code 0x${reasonCode.toString(16)} does not belong here [5.0 §2.4]`,
    );
  }
  return { reasonCode, properties: reader.left === 0 ? NO_PROPERTIES : decodeProperties(reader, packet) };
}

/** Encodes a DISCONNECT in its shortest form. */
export function encodeDisconnect(packet: Disconnect, version: Version): Uint8Array {
  const writer = new Writer();
  if (version === 5) encodeReason(writer, packet);
  return writer.packet(0xe0);
}

/** Encodes an AUTH in its shortest form. */
export function encodeAuth(packet: Auth): Uint8Array {
  const writer = new Writer();
  encodeReason(writer, packet);
  return writer.packet(0xf0);
}

function encodeReason(writer: Writer, packet: Disconnect | Auth): void {
  if (packet.reasonCode === 0 && packet.properties === NO_PROPERTIES) return;
  writer.u8(packet.reasonCode);
  if (packet.properties !== NO_PROPERTIES) encodeProperties(writer, packet.type, packet.properties);
}
