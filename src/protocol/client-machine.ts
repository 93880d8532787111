/**
 * The client's end of a connection: CONNECT and its answer, keep-alive by PINGREQ, limits that the server set, DISCONNECT.
 * What is delivered and retried is the ClientSession's; when to connect again is decided above.
 */
import type { Fault } from "./errors.ts";
import { MqttError } from "./errors.ts";
import { type Ended, Endpoint, type Machine } from "./machine.ts";
import type { OutputPool } from "./output.ts";
import { type Auth, type Connack, type Connect, type Packet, PacketType } from "./packet.ts";
import { NO_TRAIL, type PacketTrail } from "./packet-trail.ts";
import { disconnectFault } from "./packets/disconnect.ts";
import { NO_PROPERTIES, type Properties } from "./properties.ts";
import { ReasonCode, reasonCodeOfReturnCode } from "./reason-codes.ts";
import { type EndReason, endReasonOfServer } from "./reasons.ts";
import { OutboundAliases } from "./topic-aliases.ts";

/** What a client's connection runs under. */
export interface ClientMachineOptions {
  /** Largest packet taken, in bytes; announce the same in the CONNECT of 5.0. */
  readonly maximumPacketSize: number;
  /** From the CONNECT to its answer, in milliseconds. */
  readonly connackTimeoutMs: number;
  /** Most topic aliases to use for what is sent; the server's limit holds too. 0 uses none. */
  readonly topicAliases: number;
  readonly pool: OutputPool;
  /** Where what passes is noted; nowhere when it is absent. */
  readonly trail?: PacketTrail;
  /**
   * Whether this is a broker's bridge, which is what mosquitto's is to the other broker: it answers PINGREQ, and goes without a word
   * when it is sent a topic name that is none.
   */
  readonly isBridge?: boolean;
}

/** What `next` of a ClientMachine returns: a packet of the server, or the end. */
export type ClientEvent = Packet | Ended;

type State = "unopened" | "awaiting CONNACK" | "connected";

/** Receive Maximum when a peer names none [5.0 §3.1.2.11.3]. */
const NO_RECEIVE_MAXIMUM = 65_535;

/** Packets that a server may send with flags 0. */
const PACKETS_OF_SERVERS: ReadonlySet<number> = new Set([
  PacketType.CONNACK,
  PacketType.PUBACK,
  PacketType.PUBREC,
  PacketType.PUBCOMP,
  PacketType.SUBACK,
  PacketType.UNSUBACK,
  PacketType.PINGRESP,
  PacketType.DISCONNECT,
  PacketType.AUTH,
]);

/** The client's end of one connection. */
export class ClientMachine extends Endpoint implements Machine<ClientEvent> {
  readonly #options: ClientMachineOptions;
  #state: State = "unopened";
  #deadlineMs = Number.POSITIVE_INFINITY;
  #keepAliveMs = 0;
  #lastSentMs: number;
  #pingSentMs = -1;
  #isReading = true;
  #aliases: OutboundAliases | null = null;
  #authenticationMethod: string | undefined;
  /** Messages at QoS 1 and 2 that the server takes unacknowledged, 1..65,535 [5.0 §3.2.2.3.3]. */
  receiveMaximum: number = NO_RECEIVE_MAXIMUM;
  /** Keep-alive in force: the server's when it named one [5.0 MQTT-3.2.2-21]. */
  keepAliveSeconds = 0;

  constructor(options: ClientMachineOptions, nowMs: number) {
    super("server", 5, options.maximumPacketSize, options.pool, options.trail ?? NO_TRAIL, nowMs);
    this.#options = options;
    this.#lastSentMs = nowMs;
  }

  /**
   * Sends the CONNECT, once.
   * @throws MqttError when a field of it is not allowed, and when it has been sent already
   */
  open(connect: Connect, nowMs: number): void {
    if (this.#state !== "unopened")
      throw new MqttError(ReasonCode.ProtocolError, "a second CONNECT [5.0 MQTT-3.1.0-2] [3.1.1 MQTT-3.1.0-2]");
    this.send(connect);
    this.version = connect.version;
    this.allowAliases(connect.properties.topicAliasMaximum ?? 0);
    this.keepAliveSeconds = connect.keepAliveSeconds;
    this.#authenticationMethod = connect.properties.authenticationMethod;
    this.#state = "awaiting CONNACK";
    this.#deadlineMs = nowMs + this.#options.connackTimeoutMs;
  }

  get isConnected(): boolean {
    return this.#state === "connected" && this.ended === null;
  }

  /** The aliases for what is sent, when the server allows any. */
  get aliases(): OutboundAliases | null {
    return this.#aliases;
  }

  override receive(chunk: Uint8Array, nowMs: number): void {
    if (this.receivedBytes === 0 && chunk.length > 0 && this.#state === "awaiting CONNACK" && this.ended === null) {
      const fault = firstByteFault(chunk);
      if (fault !== null) return this.fail({ reasonCode: ReasonCode.ProtocolError, message: fault });
    }
    super.receive(chunk, nowMs);
  }

  next(): ClientEvent | null {
    if (this.ended === null && this.#state !== "unopened") {
      const packet = this.nextPacket();
      if (packet !== null && this.#take(packet)) return packet;
    }
    return this.takeEnded();
  }

  #take(packet: Packet): boolean {
    if (this.#state === "awaiting CONNACK") return this.#takeBeforeConnack(packet);
    switch (packet.type) {
      case "CONNACK":
        return this.#protocolError("a second CONNACK [5.0 MQTT-3.2.0-2] [3.1.1 §3.2]");
      case "AUTH":
        return this.#takeAuth(packet);
      case "DISCONNECT":
        this.end(endReasonOfServer(packet.reasonCode));
        return true;
      case "PINGRESP":
        this.#pingSentMs = -1;
        return true;
      case "PINGREQ":
        return this.#takePing();
      default:
        return true;
    }
  }

  #takePing(): boolean {
    if (!this.#options.isBridge)
      return this.#protocolError("PINGREQ: only a client sends it [5.0 §2.1.2] [3.1.1 §2.2.1]");
    this.send({ type: "PINGRESP" });
    return true;
  }

  #takeBeforeConnack(packet: Packet): boolean {
    if (packet.type === "AUTH") return this.#takeAuth(packet);
    if (packet.type !== "CONNACK")
      return this.#protocolError(`${packet.type} before CONNACK [5.0 MQTT-3.2.0-1] [3.1.1 MQTT-3.2.0-1]`);
    if (packet.reasonCode === 0) this.#connected(packet);
    else
      this.end(endReasonOfServer(this.version === 5 ? packet.reasonCode : reasonCodeOfReturnCode(packet.reasonCode)));
    return true;
  }

  /** Success ends a re-authentication; before the CONNACK the server can only ask for more. */
  #takeAuth(packet: Auth): boolean {
    if (packet.properties.authenticationMethod !== this.#authenticationMethod)
      return this.#protocolError(
        "AUTH with a method that CONNECT did not name [5.0 MQTT-4.12.0-5] [5.0 MQTT-4.12.0-6]",
      );
    if (packet.reasonCode === ReasonCode.Success && this.#state !== "connected")
      return this.#protocolError("AUTH with Success before CONNACK [5.0 §4.12]");
    return true;
  }

  #protocolError(message: string): false {
    this.fail({ reasonCode: ReasonCode.ProtocolError, message });
    return false;
  }

  #connected(connack: Connack): void {
    const { properties } = connack;
    this.#state = "connected";
    this.receiveMaximum = properties.receiveMaximum ?? NO_RECEIVE_MAXIMUM;
    this.peerMaximumPacketSize = properties.maximumPacketSize ?? Number.POSITIVE_INFINITY;
    this.keepAliveSeconds = properties.serverKeepAliveSeconds ?? this.keepAliveSeconds;
    this.#keepAliveMs = this.keepAliveSeconds * 1000;
    const aliases = Math.min(properties.topicAliasMaximum ?? 0, this.#options.topicAliases);
    if (aliases > 0) this.#aliases = new OutboundAliases(aliases);
  }

  /** Notes that output was handed to the network: keep-alive counts from there. */
  sentAt(nowMs: number): void {
    this.#lastSentMs = nowMs;
  }

  /** Notes that nobody reads from the network for a while: an answer to PINGREQ that is not read is not missing. */
  setReading(isReading: boolean, nowMs: number): void {
    if (isReading && !this.#isReading && this.#pingSentMs >= 0) this.#pingSentMs = nowMs;
    this.#isReading = isReading;
  }

  /**
   * Says goodbye and ends. The server then publishes no will, unless `reasonCode` asks for it.
   * @throws MqttError when a client may not say that, or cannot before 5.0
   */
  disconnect(reasonCode: ReasonCode = ReasonCode.NormalDisconnection, properties: Properties = NO_PROPERTIES): void {
    if (this.ended !== null) return;
    const fault = disconnectFault(reasonCode, properties, "client");
    if (fault !== null) throw new MqttError(ReasonCode.ProtocolError, `DISCONNECT: ${fault}`);
    if (this.#state !== "unopened") this.send({ type: "DISCONNECT", reasonCode, properties });
    this.end(reasonCode === ReasonCode.DisconnectWithWill ? "disconnected-with-will" : "client-disconnected");
  }

  protected override beforeEnd(_reason: EndReason, fault: Fault | null): void {
    if (fault === null || this.version !== 5 || this.#state !== "connected") return;
    if (this.#options.isBridge && fault.reasonCode === ReasonCode.TopicNameInvalid) return;
    this.send({ type: "DISCONNECT", reasonCode: fault.reasonCode, properties: NO_PROPERTIES });
  }

  deadlineMs(): number {
    if (this.ended !== null || this.#state === "unopened") return Number.POSITIVE_INFINITY;
    if (this.#state === "awaiting CONNACK") return this.#deadlineMs;
    if (this.#keepAliveMs === 0) return Number.POSITIVE_INFINITY;
    const since = this.#pingSentMs >= 0 ? this.#pingSentMs : Math.min(this.#lastSentMs, this.lastReceivedMs);
    return since + this.#keepAliveMs;
  }

  /**
   * Sends PINGREQ when nothing went or came for the keep-alive, as libmosquitto does; ends when its answer has been missing for
   * as long [5.0 MQTT-3.1.2-20] [3.1.1 MQTT-3.1.2-23].
   */
  tick(nowMs: number): void {
    if (nowMs < this.deadlineMs()) return;
    if (this.#state === "awaiting CONNACK") {
      this.end("connect-timeout");
    } else if (this.#pingSentMs >= 0 && this.#isReading) {
      this.end("keep-alive-timeout");
    } else {
      this.send({ type: "PINGREQ" });
      this.#pingSentMs = nowMs;
      this.#lastSentMs = nowMs;
    }
  }
}

/** The Remaining Length of every CONNACK before 5.0; the greetings of POP3 and IMAP begin like one but go on with letters. */
const SHORT_CONNACK_LENGTH = 2;
/** How much of an answer that is not MQTT is shown. */
const SHOWN_BYTES = 16;

/**
 * What is wrong when the first byte of a server begins neither CONNACK nor AUTH: somebody who speaks another protocol may well send
 * less than the length that its second byte seems to say, and would be waited for.
 */
function firstByteFault(chunk: Uint8Array): string | null {
  const first = chunk[0]!;
  if (PACKETS_OF_SERVERS.has(first >> 4) && (first & 0x0f) === 0) return null;
  // A packet of MQTT that is not due yet, or a CONNACK with flags, is judged when it is whole.
  if (first >> 4 === PacketType.PUBLISH) return null;
  if (first >> 4 === PacketType.CONNACK && (chunk.length === 1 || chunk[1] === SHORT_CONNACK_LENGTH)) return null;
  const shown = String.fromCharCode(...chunk.subarray(0, SHOWN_BYTES)).replace(/[^ -~]/g, ".");
  return `the server's first byte is 0x${first.toString(16).padStart(2, "0")}, as no answer to CONNECT begins: "${shown}"`;
}
