/** What every encoder asks of its caller before the first byte is written; each function throws an MqttError. */
import { MqttError } from "../errors.ts";
import type { Version } from "../packet.ts";
import { hasProperties, type Properties, type PropertyPacket } from "../properties.ts";
import { isReasonCodeOn, ReasonCode, type ReasonPacket } from "../reason-codes.ts";

/** Refuses what the protocol does not allow in `packet`. */
export function refuse(packet: string, what: string): never {
  throw new MqttError(ReasonCode.ProtocolError, `${packet}: ${what}`);
}

/** A packet identifier is 1 to 65,535 [5.0 §2.2.1] [3.1.1 §2.3.1]. */
export function requirePacketId(packet: string, packetId: number): void {
  if (!Number.isInteger(packetId) || packetId < 1 || packetId > 65_535)
    refuse(packet, `packet identifier ${packetId}; allowed are 1 to 65,535 [5.0 §2.2.1] [3.1.1 §2.3.1]`);
}

/** A quality of service is 0, 1 or 2 [5.0 §4.3] [3.1.1 §4.3]. */
export function requireQos(packet: string, qos: number): void {
  if (qos !== 0 && qos !== 1 && qos !== 2) refuse(packet, `QoS ${qos}; allowed are 0, 1 and 2 [5.0 §4.3] [3.1.1 §4.3]`);
}

/** A reason code belongs to the packet [5.0 §2.4]; before 5.0 only 0 can be told. */
export function requireReasonCode(packet: ReasonPacket, reasonCode: number, version: Version): void {
  if (version === 5 ? isReasonCodeOn(packet, reasonCode) : reasonCode === 0) return;
  const where = version === 5 ? "does not belong here [5.0 §2.4]" : "cannot be told before 5.0";
  refuse(packet, `reason code 0x${reasonCode.toString(16)} ${where}`);
}

/** Properties need 5.0 [5.0 §2.2.2]. */
export function requireNoProperties(packet: PropertyPacket, properties: Properties): void {
  if (hasProperties(properties)) refuse(packet, "there are no properties before 5.0 [5.0 §2.2.2]");
}
