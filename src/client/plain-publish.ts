/** Writes messages without properties straight into the output of a connection: the usual ones, without an object or a copy in between. */
import {
  copyBytes,
  encodeUtf8,
  MAXIMUM_REMAINING_LENGTH,
  type Output,
  publishBytes,
  publishRemainingLength,
  putVarint,
  type Version,
} from "../protocol/index.ts";
import type { OutgoingMessage } from "./message.ts";

/** The first byte of the PUBLISH of a message: type and flags [5.0 §3.3.1]. */
export function publishFirstByte({ qos, retain }: OutgoingMessage, dup: boolean): number {
  return 0x30 | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0);
}

/** Writes messages that have been checked. */
export class PlainPublishWriter {
  /** The last Topic Name and its bytes: that of a publisher rarely changes. */
  #topicName = "";
  #topic: Uint8Array = new Uint8Array(0);

  /**
   * Writes `message`; false when it is longer than `maximumPacketSize` or than any packet may be.
   * @param packetId 0 at QoS 0
   */
  write(
    output: Output,
    version: Version,
    maximumPacketSize: number,
    message: OutgoingMessage,
    packetId: number,
    dup: boolean,
  ): boolean {
    const { topicName, payload, qos } = message;
    if (topicName !== this.#topicName) {
      this.#topic = encodeUtf8(topicName);
      this.#topicName = topicName;
    }
    const topic = this.#topic;
    const remaining = publishRemainingLength(topic.length, qos, version === 5 ? 0 : -1, payload.length);
    const bytes = publishBytes(remaining);
    if (bytes > maximumPacketSize || remaining > MAXIMUM_REMAINING_LENGTH) return false;
    let at = output.reserve(bytes);
    const buffer = output.buffer!;
    buffer[at] = publishFirstByte(message, dup);
    at = putVarint(buffer, at + 1, remaining);
    buffer[at++] = topic.length >>> 8;
    buffer[at++] = topic.length;
    copyBytes(topic, 0, topic.length, buffer, at);
    at += topic.length;
    if (qos !== 0) {
      buffer[at++] = packetId >>> 8;
      buffer[at++] = packetId;
    }
    if (version === 5) buffer[at++] = 0;
    copyBytes(payload, 0, payload.length, buffer, at);
    return true;
  }
}
