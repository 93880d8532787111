/** Messages as an application gives and gets them, and what becomes of them. */
import {
  encodePublishProperties,
  encodeUtf8,
  isDiscouraged,
  isEncodable,
  MqttError,
  NO_PROPERTIES,
  type Properties,
  type PublishFields,
  type Qos,
  ReasonCode,
  topicNameFault,
  type Version,
} from "../protocol/index.ts";

/** A message to publish. */
export interface OutgoingMessage {
  readonly topicName: string;
  readonly payload: Uint8Array;
  readonly qos: Qos;
  readonly retain: boolean;
  /** 5.0 only. */
  readonly properties: Properties;
}

/** A message that came. Its payload may be a view of what was read: copy it to keep it for long. */
export type IncomingMessage = PublishFields;

/** Why a request was not sent. */
export type Refusal =
  /** There is no connection, and the request does not wait for one. */
  | "not-connected"
  /** The connection went before the request had left. */
  | "connection-lost"
  /** As many messages or bytes wait as may. */
  | "queue-full"
  /** Newer messages needed its place in the queue. */
  | "dropped"
  /** Its Message Expiry Interval ended while it waited. */
  | "expired"
  /** 65,535 requests are under way. */
  | "no-packet-identifier"
  /** Larger than the server takes. */
  | "packet-too-large"
  /** The server's Maximum QoS is lower. */
  | "qos-not-supported"
  /** The server keeps no retained messages. */
  | "retain-not-supported";

/** What became of a message. */
export interface Outcome {
  /** The server's, 0x80 and above for a failure; what it would have been when `refusal` says that nothing was sent. */
  readonly reasonCode: number;
  readonly properties: Properties;
  readonly refusal: Refusal | null;
}

/** A message arrived, or left where nobody acknowledges. */
export const DELIVERED: Outcome = Object.freeze({ reasonCode: 0, properties: NO_PROPERTIES, refusal: null });

const REFUSAL_CODES: Readonly<Record<Refusal, ReasonCode>> = {
  "not-connected": ReasonCode.UnspecifiedError,
  "connection-lost": ReasonCode.UnspecifiedError,
  "queue-full": ReasonCode.QuotaExceeded,
  dropped: ReasonCode.QuotaExceeded,
  expired: ReasonCode.UnspecifiedError,
  "no-packet-identifier": ReasonCode.QuotaExceeded,
  "packet-too-large": ReasonCode.PacketTooLarge,
  "qos-not-supported": ReasonCode.QosNotSupported,
  "retain-not-supported": ReasonCode.RetainNotSupported,
};

/** The outcome of a message that was not sent. */
export function refused(refusal: Refusal): Outcome {
  return { reasonCode: REFUSAL_CODES[refusal], properties: NO_PROPERTIES, refusal };
}

/** Longest text in a packet, in bytes [5.0 §1.5.4]. */
const LONGEST_TEXT_BYTES = 65_535;

/**
 * Checks what can be checked without a server.
 * @throws MqttError or RangeError that says what is not allowed
 */
export function checkMessage({ topicName, qos, properties }: OutgoingMessage, version: Version): void {
  if (qos !== 0 && qos !== 1 && qos !== 2) {
    throw new MqttError(ReasonCode.ProtocolError, `PUBLISH: QoS ${qos}; 0, 1 and 2 are allowed [5.0 MQTT-3.3.1-4]`);
  }
  const fault = topicNameFault(topicName, Number.POSITIVE_INFINITY);
  if (fault !== null) throw new MqttError(ReasonCode.TopicNameInvalid, `PUBLISH: ${fault}`);
  checkText("PUBLISH: the topic name", topicName, ReasonCode.TopicNameInvalid);
  if (properties === NO_PROPERTIES || Object.keys(properties).length === 0) return;
  if (version !== 5)
    throw new MqttError(ReasonCode.ProtocolError, "PUBLISH: properties came with MQTT 5.0 [5.0 §2.2.2]");
  encodePublishProperties(properties);
}

/**
 * Checks that `text` can be sent.
 * @throws MqttError with `reasonCode` when it cannot
 */
export function checkText(what: string, text: string, reasonCode: ReasonCode): void {
  if (!isEncodable(text)) {
    throw new MqttError(
      reasonCode,
      `${what} holds U+0000 or half a surrogate pair [5.0 MQTT-1.5.4-1] [5.0 MQTT-1.5.4-2]`,
    );
  }
  // As libmosquitto: a broker that refuses it closes the connection, and a message at QoS 0 would be lost in silence.
  if (isDiscouraged(text)) {
    throw new MqttError(
      reasonCode,
      `${what} holds a control character or a noncharacter, which brokers refuse [5.0 §1.5.4]`,
    );
  }
  // Three bytes for each unit is the most that UTF-8 takes.
  if (text.length * 3 <= LONGEST_TEXT_BYTES) return;
  const bytes = encodeUtf8(text).length;
  if (bytes > LONGEST_TEXT_BYTES) {
    throw new MqttError(reasonCode, `${what} has ${bytes} bytes; at most 65,535 are allowed [5.0 §1.5.4]`);
  }
}
