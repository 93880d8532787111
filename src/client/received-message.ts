/** A message as the application gets it. */
import type { Properties, Qos } from "../protocol/index.ts";
import type { IncomingMessage } from "./message.ts";

const TEXT = new TextDecoder();

/** A message that came. */
export class ReceivedMessage {
  readonly topicName: string;
  /** May be a view of a larger buffer, which lives as long as it does: `new Uint8Array(payload)` is a copy of its own. */
  payload: Uint8Array;
  readonly qos: Qos;
  readonly retain: boolean;
  /** Whether the server has sent it before. */
  readonly dup: boolean;
  /** The packet identifier; 0 at QoS 0. */
  readonly mid: number;
  /** Response topic, correlation data, user properties, ...; empty before 5.0. */
  readonly properties: Properties;
  /**
   * At QoS 2 the number of the message in this Session, from 1; 0 otherwise. With a durable store it is the same after a restart, so
   * that a program which notes the last one that it has dealt with deals with each exactly once, whenever it is killed.
   */
  readonly sequence: number;

  constructor(message: IncomingMessage, sequence: number) {
    this.topicName = message.topicName;
    this.payload = message.payload;
    this.qos = message.qos;
    this.retain = message.retain;
    this.dup = message.dup;
    this.mid = message.packetId;
    this.properties = message.properties;
    this.sequence = sequence;
  }

  /** The payload as UTF-8. */
  get text(): string {
    return TEXT.decode(this.payload);
  }

  /** The payload as JSON; throws SyntaxError when it is none. */
  json(): unknown {
    return JSON.parse(this.text);
  }
}
