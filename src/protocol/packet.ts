/**
 * The control packets of MQTT 3.1, 3.1.1 and 5.0 as values. The version is not part of a packet but of the connection that it
 * travels on; fields that a version lacks hold their neutral value (no properties, reason code 0, options off).
 */

import type { Publish } from "./packets/publish.ts";
import type { Properties } from "./properties.ts";

/** Protocol level in CONNECT: 3 is MQTT 3.1, 4 is 3.1.1, 5 is 5.0. */
export type Version = 3 | 4 | 5;

/** Quality of service: at most once, at least once, exactly once. */
export type Qos = 0 | 1 | 2;

/** Packet type numbers, the upper half of a packet's first byte [5.0 §2.1.2]. */
export const PacketType = {
  CONNECT: 1,
  CONNACK: 2,
  PUBLISH: 3,
  PUBACK: 4,
  PUBREC: 5,
  PUBREL: 6,
  PUBCOMP: 7,
  SUBSCRIBE: 8,
  SUBACK: 9,
  UNSUBSCRIBE: 10,
  UNSUBACK: 11,
  PINGREQ: 12,
  PINGRESP: 13,
  DISCONNECT: 14,
  AUTH: 15,
} as const;

/** The name of a packet type. */
export type PacketName = keyof typeof PacketType;

/** The message that the server publishes when the connection ends without DISCONNECT [5.0 §3.1.2.5]. */
export interface Will {
  readonly topicName: string;
  readonly payload: Uint8Array;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly properties: Properties;
}

/** CONNECT [5.0 §3.1]. */
export interface Connect {
  readonly type: "CONNECT";
  readonly version: Version;
  /** The highest bit of the protocol level: mosquitto's mark of a bridge. */
  readonly bridge: boolean;
  /** Clean Start of 5.0, Clean Session before. */
  readonly cleanStart: boolean;
  /** 0 switches keep-alive off. */
  readonly keepAliveSeconds: number;
  readonly clientId: string;
  readonly will: Will | null;
  readonly username: string | null;
  readonly password: Uint8Array | null;
  readonly properties: Properties;
}

/** CONNACK [5.0 §3.2]; before 5.0 `reasonCode` is the return code 0..5. */
export interface Connack {
  readonly type: "CONNACK";
  readonly sessionPresent: boolean;
  readonly reasonCode: number;
  readonly properties: Properties;
}

/** PUBACK, PUBREC, PUBREL and PUBCOMP [5.0 §3.4-3.7]. */
export interface Acknowledgement {
  readonly type: "PUBACK" | "PUBREC" | "PUBREL" | "PUBCOMP";
  readonly packetId: number;
  readonly reasonCode: number;
  readonly properties: Properties;
}

/** One Topic Filter of a SUBSCRIBE with its options [5.0 §3.8.3.1]. */
export interface SubscriptionRequest {
  readonly topicFilter: string;
  /** Maximum QoS of the Subscription. */
  readonly qos: Qos;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  /** 0: send retained messages, 1: only for a new Subscription, 2: never. */
  readonly retainHandling: 0 | 1 | 2;
}

/** SUBSCRIBE [5.0 §3.8]. */
export interface Subscribe {
  readonly type: "SUBSCRIBE";
  readonly packetId: number;
  readonly subscriptions: readonly SubscriptionRequest[];
  readonly properties: Properties;
}

/** SUBACK [5.0 §3.9]: a code for each Subscription, in order; 0x80 is the only failure before 5.0. */
export interface Suback {
  readonly type: "SUBACK";
  readonly packetId: number;
  readonly reasonCodes: readonly number[];
  readonly properties: Properties;
}

/** UNSUBSCRIBE [5.0 §3.10]. */
export interface Unsubscribe {
  readonly type: "UNSUBSCRIBE";
  readonly packetId: number;
  readonly topicFilters: readonly string[];
  readonly properties: Properties;
}

/** UNSUBACK [5.0 §3.11]; before 5.0 it carries no codes. */
export interface Unsuback {
  readonly type: "UNSUBACK";
  readonly packetId: number;
  readonly reasonCodes: readonly number[];
  readonly properties: Properties;
}

/** PINGREQ and PINGRESP [5.0 §3.12, §3.13]. */
export interface Ping {
  readonly type: "PINGREQ" | "PINGRESP";
}

/** DISCONNECT [5.0 §3.14]; before 5.0 only a client sends it, without a code. */
export interface Disconnect {
  readonly type: "DISCONNECT";
  readonly reasonCode: number;
  readonly properties: Properties;
}

/** AUTH [5.0 §3.15]; 5.0 only. */
export interface Auth {
  readonly type: "AUTH";
  readonly reasonCode: number;
  readonly properties: Properties;
}

/** Any control packet. */
export type Packet =
  | Connect
  | Connack
  | Publish
  | Acknowledgement
  | Subscribe
  | Suback
  | Unsubscribe
  | Unsuback
  | Ping
  | Disconnect
  | Auth;
