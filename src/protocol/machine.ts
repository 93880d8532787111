/**
 * One end of an MQTT connection as a machine: bytes and time go in, events and bytes come out. It owns no socket, timer or
 * promise. What both ends share is here: framing, decoding, aliases, size limits, the output, and the end.
 */
import { decodeInto, encodePacket, type Side } from "./codec.ts";
import type { Fault } from "./errors.ts";
import { Framer } from "./framer.ts";
import { Output, type OutputPool, type Taken } from "./output.ts";
import type { Acknowledgement, Packet, Version } from "./packet.ts";
import type { PacketTrail } from "./packet-trail.ts";
import { acknowledgementFirstByte } from "./packets/acknowledgement.ts";
import { LastTopic, type Publish } from "./packets/publish.ts";
import { Reader } from "./reader.ts";
import { ReasonCode } from "./reason-codes.ts";
import { type EndReason, endReasonOf } from "./reasons.ts";
import { InboundAliases } from "./topic-aliases.ts";

/** The last event of a connection. */
export interface Ended {
  readonly type: "ENDED";
  readonly reason: EndReason;
  /** The peer's mistake, when it was one. */
  readonly fault: Fault | null;
}

/** One end of an MQTT connection. Times: milliseconds of any clock that never goes back. */
export interface Machine<Event> {
  /** Takes bytes as read; they must not change afterwards. A peer's mistake becomes an event, never an exception. */
  receive(chunk: Uint8Array, nowMs: number): void;
  /** The next event in order, or null when there is none now. */
  next(): Event | null;
  /** All bytes to write, in order, or null. Taking them empties the output. */
  takeOutput(): Taken | null;
  /** When `tick` is due at the latest; Infinity when nothing is pending. */
  deadlineMs(): number;
  tick(nowMs: number): void;
}

const NOTHING = new Uint8Array(0);
/** A PUBACK, PUBREC, PUBREL or PUBCOMP without reason code. */
const SHORT_ACKNOWLEDGEMENT_BYTES = 4;
/** A packet of which this much is still being received counts as a sign of life, so that a slow link can carry a large one. */
const SIGN_OF_LIFE_BYTES = 1024;

/** What the machines of both ends have in common. */
export abstract class Endpoint {
  readonly output: Output;
  /** Of the connection; a server learns it from CONNECT. */
  version: Version;
  /** Largest packet that the peer takes, in bytes with fixed header [5.0 §3.1.2.11.4]. */
  peerMaximumPacketSize: number = Number.POSITIVE_INFINITY;
  /** When the last whole packet came. */
  lastReceivedMs: number;
  /** What passed lately. Whoever writes a PUBLISH into the output notes it there; all else is noted here. */
  readonly trail: PacketTrail;
  /** Bytes taken in so far. */
  receivedBytes = 0;
  protected readonly framer: Framer;
  readonly #sender: Side;
  readonly #reader: Reader;
  readonly #lastTopic: LastTopic = new LastTopic();
  #aliases: InboundAliases | null = null;
  #ended: Ended | null = null;
  #endedSeen = false;

  /**
   * @param sender the side that the peer is
   * @param maximumPacketSize largest packet taken, in bytes with fixed header
   */
  protected constructor(
    sender: Side,
    version: Version,
    maximumPacketSize: number,
    pool: OutputPool,
    trail: PacketTrail,
    nowMs: number,
  ) {
    this.#sender = sender;
    // As mosquitto's broker. A client takes what its server let pass, and a store what it was given.
    this.#reader = new Reader(NOTHING, 0, 0, sender === "client");
    this.version = version;
    this.framer = new Framer(maximumPacketSize);
    this.output = new Output(pool);
    this.trail = trail;
    this.lastReceivedMs = nowMs;
  }

  /** The packet of which only a part has come, as long as its header says; null: there is none. */
  get unfinished(): { readonly firstByte: number; readonly bytes: number; readonly cameBytes: number } | null {
    const { awaitedLength: bytes, heldBytes: cameBytes, firstByte } = this.framer;
    return bytes === 0 ? null : { firstByte, bytes, cameBytes };
  }

  /** Why the connection ended, or null while it has not. */
  get ended(): Ended | null {
    return this.#ended;
  }

  receive(chunk: Uint8Array, nowMs: number): void {
    if (this.#ended !== null) return;
    this.receivedBytes += chunk.length;
    this.trail.endReceived();
    this.framer.push(chunk);
    this.lastReceivedAt(nowMs);
  }

  /** Notes the time for the packets that `next` will find in what has been received. */
  protected lastReceivedAt(nowMs: number): void {
    this.#pendingMs = nowMs;
    if (this.framer.heldBytes >= SIGN_OF_LIFE_BYTES) this.lastReceivedMs = nowMs;
  }
  #pendingMs = 0;

  takeOutput(): Taken | null {
    this.trail.endSent();
    return this.output.take();
  }

  /** Allows the peer to use topic aliases up to `maximum`. */
  protected allowAliases(maximum: number): void {
    if (maximum > 0) this.#aliases = new InboundAliases(maximum);
  }

  /** The end as an event, once. */
  protected takeEnded(): Ended | null {
    if (this.#endedSeen) return null;
    this.#endedSeen = this.#ended !== null;
    return this.#ended;
  }

  /** The next packet, decoded and legal by itself; null when there is none or the connection has ended. */
  protected nextPacket(): Packet | null {
    if (this.#ended !== null) return null;
    const framer = this.framer;
    const framed = framer.next();
    if (framed === "more" && !this.#isReservedType()) {
      // An idle connection keeps no chunk alive.
      framer.release();
      this.#reader.reset(NOTHING, 0, 0);
      return null;
    }
    if (framed !== "packet") {
      this.#framingFault(framed);
      return null;
    }
    this.lastReceivedMs = this.#pendingMs;
    const decoded = decodeInto(
      this.#reader,
      framer.bytes,
      framer.start,
      framer.end,
      this.version,
      this.#sender,
      this.#lastTopic,
    );
    if ((decoded as Packet).type === undefined) {
      this.#noteReceived(0);
      this.fail(decoded as Fault);
      return null;
    }
    const packet = decoded as Packet;
    this.#noteReceived(packetIdOf(packet));
    if (packet.type === "PUBLISH" && packet.properties.topicAlias !== undefined) return this.#resolveAlias(packet);
    return packet;
  }

  #noteReceived(packetId: number): void {
    const { bytes, start, end } = this.framer;
    this.trail.received(bytes[start]!, packetId, end - start);
  }

  /** Whether what has come begins a packet of type 0: nobody needs to wait for its end. */
  #isReservedType(): boolean {
    return this.framer.firstByte >> 4 === 0;
  }

  #framingFault(framed: "more" | "malformed length" | "too large"): void {
    if (this.#isReservedType()) {
      this.fail({
        reasonCode: ReasonCode.ProtocolError,
        message: "packet type 0 is reserved [5.0 §2.1.2] [3.1.1 §2.2.1]",
      });
    } else if (framed === "too large") {
      const { bytes, start, refusedLength, maximumPacketSize } = this.framer;
      this.trail.received(bytes[start]!, 0, refusedLength);
      this.fail({
        reasonCode: ReasonCode.PacketTooLarge,
        message: `a packet of ${refusedLength} bytes is larger than ${maximumPacketSize} bytes, the most allowed [5.0 §3.1.2.11.4]`,
      });
    } else {
      this.fail({
        reasonCode: ReasonCode.MalformedPacket,
        message: "Remaining Length has more than four bytes [5.0 §1.5.5] [3.1.1 §2.2.3]",
        isUnanswered: true,
      });
    }
  }

  #resolveAlias(packet: Publish): Publish | null {
    const alias = packet.properties.topicAlias!;
    const topicName = this.#aliases === null ? null : this.#aliases.resolve(alias, packet.topicName);
    if (topicName === null) {
      this.fail({
        reasonCode: ReasonCode.TopicAliasInvalid,
        message: `PUBLISH: topic alias ${alias} is larger than the Topic Alias Maximum [5.0 MQTT-3.3.2-9]`,
      });
      return null;
    }
    if (topicName === "") {
      this.fail({
        reasonCode: ReasonCode.ProtocolError,
        message: `PUBLISH: topic alias ${alias} stands for nothing yet [5.0 §3.3.4]`,
      });
      return null;
    }
    packet.topicName = topicName;
    return packet;
  }

  /**
   * Writes `packet`. One larger than the peer takes is not sent, and false is returned [5.0 MQTT-3.1.2-24]; the caller then does
   * without it or without what made it large.
   * @throws MqttError when a field is not allowed
   */
  send(packet: Packet): boolean {
    if (this.#ended !== null) return false;
    const bytes = encodePacket(packet, this.version);
    if (bytes.length > this.peerMaximumPacketSize) return false;
    this.output.append(bytes);
    this.trail.sent(bytes[0]!, packetIdOf(packet), bytes.length);
    return true;
  }

  /** Writes an acknowledgement without reason code, the form it has nearly always. */
  sendShortAcknowledgement(type: Acknowledgement["type"], packetId: number): void {
    const at = this.output.reserve(SHORT_ACKNOWLEDGEMENT_BYTES);
    const buffer = this.output.buffer!;
    const firstByte = acknowledgementFirstByte(type);
    this.trail.sent(firstByte, packetId, SHORT_ACKNOWLEDGEMENT_BYTES);
    buffer[at] = firstByte;
    buffer[at + 1] = 2;
    buffer[at + 2] = packetId >>> 8;
    buffer[at + 3] = packetId;
  }

  /** Ends the connection by the peer's mistake. */
  fail(fault: Fault): void {
    this.end(endReasonOf(fault), fault);
  }

  /** Ends the connection: no packet is received or sent any more; what is in the output is still to be written. */
  end(reason: EndReason, fault: Fault | null = null): void {
    if (this.#ended !== null) return;
    this.beforeEnd(reason, fault);
    this.#ended = { type: "ENDED", reason, fault };
  }

  /** Writes what this end says before it closes. */
  protected abstract beforeEnd(reason: EndReason, fault: Fault | null): void;
}

/** The packet identifier of a packet; 0 when it has none. */
function packetIdOf(packet: Packet): number {
  if (packet.type === "PUBLISH") return packet.packetId;
  return "packetId" in packet ? packet.packetId : 0;
}
