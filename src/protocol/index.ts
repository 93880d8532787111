/** The protocol library: packets, rules and the machines of both ends, for Node and browsers; it does no I/O. */

export { type ClientEvent, ClientMachine, type ClientMachineOptions } from "./client-machine.ts";
export { decodePacket, encodePacket, isFault, PacketDecoder, type Side } from "./codec.ts";
export { type Fault, MqttError } from "./errors.ts";
export { Framer, packetLength } from "./framer.ts";
export {
  type Ack,
  Inflight,
  type InflightEntry,
  lowerQos,
  MAXIMUM_PACKET_ID,
  type Receipt,
  Received,
  type Step,
} from "./inflight.ts";
export type { Ended, Machine } from "./machine.ts";
export { nearest } from "./nearest.ts";
export { copyBytes, Output, OutputPool, type Taken } from "./output.ts";
export {
  type Acknowledgement,
  type Auth,
  type Connack,
  type Connect,
  type Disconnect,
  type Packet,
  type PacketName,
  PacketType,
  type Ping,
  type Qos,
  type Suback,
  type Subscribe,
  type SubscriptionRequest,
  type Unsuback,
  type Unsubscribe,
  type Version,
  type Will,
} from "./packet.ts";
export { NO_TRAIL, PacketTrail, packetName, type TrailEntry, type Turn } from "./packet-trail.ts";
export { disconnectFault } from "./packets/disconnect.ts";
export {
  encodePublish,
  encodePublishProperties,
  Publish,
  type PublishFields,
  publishBytes,
  publishOf,
  publishRemainingLength,
} from "./packets/publish.ts";
export { inOrder, NO_PROPERTIES, PROPERTIES, type Properties, type PropertyPacket } from "./properties.ts";
export {
  connackReturnCode,
  isReasonCodeOn,
  REASON_CODES,
  ReasonCode,
  type ReasonPacket,
  reasonCodeName,
} from "./reason-codes.ts";
export { DROP_REASONS, type DropReason, END_REASONS, type EndReason, endReasonOf } from "./reasons.ts";
export { type Acceptance, type ServerEvent, ServerMachine, type ServerMachineOptions } from "./server-machine.ts";
export { InboundAliases, type OutboundAlias, OutboundAliases } from "./topic-aliases.ts";
export {
  DEFAULT_MAXIMUM_TOPIC_LEVELS,
  isShared,
  parseShared,
  type SharedFilter,
  type TopicFault,
  topicFilterFault,
  topicLevels,
  topicMatches,
  topicNameFault,
} from "./topics.ts";
export { decodeUtf8, encodeUtf8, isDiscouraged, isEncodable } from "./utf8.ts";
export { MAXIMUM_REMAINING_LENGTH, putVarint, varintBytes } from "./writer.ts";
