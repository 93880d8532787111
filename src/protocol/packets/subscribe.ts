/** SUBSCRIBE and SUBACK [5.0 §3.8, §3.9] [3.1.1 §3.8, §3.9]. */
import { MqttError } from "../errors.ts";
import type { Qos, Suback, Subscribe, SubscriptionRequest, Version } from "../packet.ts";
import { decodeProperties, encodeProperties, NO_PROPERTIES } from "../properties.ts";
import type { Reader } from "../reader.ts";
import { isReasonCodeOn, ReasonCode } from "../reason-codes.ts";
import { isShared, topicFilterFault } from "../topics.ts";
import { Writer } from "../writer.ts";
import { refuse, requireNoProperties, requirePacketId, requireQos } from "./requirements.ts";

/**
 * Decodes the body of a SUBSCRIBE; how deep a filter may be is for the receiver to judge. As mosquitto 2.1 it is malformed where
 * the specification has a Protocol Error; only what is wrong with a shared subscription, or given twice, is one.
 */
export function decodeSubscribe(reader: Reader, version: Version): Subscribe {
  const packetId = reader.u16();
  if (packetId === 0)
    reader.fail(ReasonCode.MalformedPacket, "SUBSCRIBE: packet identifier 0 [5.0 MQTT-2.2.1-3] [3.1.1 MQTT-2.3.1-1]");
  const properties = version === 5 ? decodeProperties(reader, "SUBSCRIBE") : NO_PROPERTIES;
  const subscriptions: SubscriptionRequest[] = [];
  while (reader.left > 0 && reader.hasRoomFor("SUBSCRIBE", subscriptions.length))
    subscriptions.push(decodeRequest(reader, version));
  if (subscriptions.length === 0) {
    reader.fail(ReasonCode.MalformedPacket, "SUBSCRIBE: no topic filter [5.0 MQTT-3.8.3-2] [3.1.1 MQTT-3.8.3-3]");
  }
  return { type: "SUBSCRIBE", packetId, subscriptions, properties };
}

function decodeRequest(reader: Reader, version: Version): SubscriptionRequest {
  const topicFilter = reader.name();
  const options = reader.u8();
  const qos = options & 3;
  const retainHandling = (options >> 4) & 3;
  if (qos === 3) {
    reader.fail(ReasonCode.MalformedPacket, "SUBSCRIBE: QoS 3 [5.0 §3.8.3.1] [3.1.1 MQTT-3.8.3-4]");
  } else if (options > (version === 5 ? 0x3f : 3)) {
    reader.fail(
      ReasonCode.MalformedPacket,
      "SUBSCRIBE: reserved option bits are set [5.0 MQTT-3.8.3-5] [3.1.1 MQTT-3.8.3-4]",
    );
  } else if (retainHandling === 3) {
    reader.fail(ReasonCode.MalformedPacket, "SUBSCRIBE: retain handling 3 [5.0 §3.8.3.1]");
  } else if ((options & 4) !== 0 && isShared(topicFilter)) {
    reader.fail(ReasonCode.ProtocolError, "SUBSCRIBE: no local on a shared subscription [5.0 MQTT-3.8.3-4]");
  }
  checkFilter(reader, "SUBSCRIBE", topicFilter);
  return {
    topicFilter,
    qos: qos as Qos,
    noLocal: (options & 4) !== 0,
    retainAsPublished: (options & 8) !== 0,
    retainHandling: retainHandling as 0 | 1 | 2,
  };
}

/**
 * Leaves a fault in `reader` when `topicFilter` is not well-formed: a Protocol Error when only its form as a shared subscription is
 * not, as mosquitto 2.1 has it.
 */
export function checkFilter(reader: Reader, packet: "SUBSCRIBE" | "UNSUBSCRIBE", topicFilter: string): void {
  if (reader.fault !== null) return;
  const fault = topicFilterFault(topicFilter, Number.POSITIVE_INFINITY);
  if (fault === null) return;
  const isShareAtFault =
    isShared(topicFilter) && topicFilterFault(topicFilter.slice(1), Number.POSITIVE_INFINITY) === null;
  reader.fail(isShareAtFault ? ReasonCode.ProtocolError : ReasonCode.TopicFilterInvalid, `${packet}: ${fault}`);
}

/**
 * Encodes a SUBSCRIBE.
 * @throws MqttError when a field is not allowed, or cannot be told before 5.0
 */
export function encodeSubscribe(packet: Subscribe, version: Version): Uint8Array {
  requirePacketId("SUBSCRIBE", packet.packetId);
  if (packet.subscriptions.length === 0) refuse("SUBSCRIBE", "no topic filter [5.0 MQTT-3.8.3-2] [3.1.1 MQTT-3.8.3-3]");
  const writer = new Writer();
  writer.u16(packet.packetId);
  if (version === 5) encodeProperties(writer, "SUBSCRIBE", packet.properties);
  else requireNoProperties("SUBSCRIBE", packet.properties);
  for (const request of packet.subscriptions) {
    requireFilter("SUBSCRIBE", request.topicFilter);
    writer.utf8(request.topicFilter);
    writer.u8(optionsOf(request, version));
  }
  return writer.packet(0x82);
}

function optionsOf(request: SubscriptionRequest, version: Version): number {
  const { topicFilter, qos, noLocal, retainAsPublished, retainHandling } = request;
  requireQos("SUBSCRIBE", qos);
  if (retainHandling !== 0 && retainHandling !== 1 && retainHandling !== 2)
    refuse("SUBSCRIBE", `retain handling ${retainHandling}; allowed are 0, 1 and 2 [5.0 §3.8.3.1]`);
  const options = (noLocal ? 4 : 0) | (retainAsPublished ? 8 : 0) | (retainHandling << 4);
  if (options !== 0 && version !== 5)
    refuse("SUBSCRIBE", "no local, retain as published and retain handling cannot be told before 5.0 [5.0 §3.8.3.1]");
  if (noLocal && isShared(topicFilter)) refuse("SUBSCRIBE", "no local on a shared subscription [5.0 MQTT-3.8.3-4]");
  return qos | options;
}

/** Refuses a filter that is not well-formed. */
export function requireFilter(packet: "SUBSCRIBE" | "UNSUBSCRIBE", topicFilter: string): void {
  const fault = topicFilterFault(topicFilter, Number.POSITIVE_INFINITY);
  if (fault !== null) throw new MqttError(ReasonCode.TopicFilterInvalid, `${packet}: ${fault}`);
}

/** Decodes the body of a SUBACK. */
export function decodeSuback(reader: Reader, version: Version): Suback {
  const packetId = reader.u16();
  if (packetId === 0) reader.fail(ReasonCode.ProtocolError, "SUBACK: packet identifier 0 [5.0 §2.2.1] [3.1.1 §2.3.1]");
  const properties = version === 5 ? decodeProperties(reader, "SUBACK") : NO_PROPERTIES;
  const reasonCodes: number[] = [];
  while (reader.left > 0 && reader.hasRoomFor("SUBACK", reasonCodes.length)) {
    const code = reader.u8();
    if (!isSubackCode(code, version))
      reader.fail(
        ReasonCode.ProtocolError,
        `SUBACK: unknown code 0x${code.toString(16)} [5.0 MQTT-3.9.3-2] [3.1.1 MQTT-3.9.3-2]`,
      );
    reasonCodes.push(code);
  }
  if (reasonCodes.length === 0)
    reader.fail(ReasonCode.ProtocolError, "SUBACK: no code [5.0 MQTT-3.8.4-6] [3.1.1 MQTT-3.8.4-5]");
  return { type: "SUBACK", packetId, reasonCodes, properties };
}

function isSubackCode(code: number, version: Version): boolean {
  return version === 5 ? isReasonCodeOn("SUBACK", code) : code === 0 || code === 1 || code === 2 || code === 0x80;
}

/**
 * Encodes a SUBACK.
 * @throws MqttError when a field is not allowed, or cannot be told before 5.0
 */
export function encodeSuback(packet: Suback, version: Version): Uint8Array {
  requirePacketId("SUBACK", packet.packetId);
  if (packet.reasonCodes.length === 0) refuse("SUBACK", "no code [5.0 MQTT-3.8.4-6] [3.1.1 MQTT-3.8.4-5]");
  const writer = new Writer();
  writer.u16(packet.packetId);
  if (version === 5) encodeProperties(writer, "SUBACK", packet.properties);
  else requireNoProperties("SUBACK", packet.properties);
  for (const code of packet.reasonCodes) {
    if (!isSubackCode(code, version))
      refuse("SUBACK", `code 0x${code.toString(16)} does not belong here [5.0 MQTT-3.9.3-2] [3.1.1 MQTT-3.9.3-2]`);
    writer.u8(code);
  }
  return writer.packet(0x90);
}
