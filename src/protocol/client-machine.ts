/**
 * The client's end of a connection: CONNECT and its answer, keep-alive by PINGREQ, limits that the server set, DISCONNECT.
 * What is delivered and retried is the ClientSession's; when to connect again is decided above.
 */
import type { Fault } from "./errors.ts";
import { type Ended, Endpoint, type Machine } from "./machine.ts";
import type { OutputPool } from "./output.ts";
import type { Connack, Connect, Packet } from "./packet.ts";
import { NO_PROPERTIES, type Properties } from "./properties.ts";
import { ReasonCode } from "./reason-codes.ts";
import { END_REASONS, type EndReason } from "./reasons.ts";
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
}

/** What `next` of a ClientMachine returns: a packet of the server, or the end. */
export type ClientEvent = Packet | Ended;

type State = "unopened" | "awaiting CONNACK" | "connected";

/** Receive Maximum when a peer names none [5.0 §3.1.2.11.3]. */
const NO_RECEIVE_MAXIMUM = 65_535;

/** The client's end of one connection. */
export class ClientMachine extends Endpoint implements Machine<ClientEvent> {
  readonly #options: ClientMachineOptions;
  #state: State = "unopened";
  #deadlineMs = Number.POSITIVE_INFINITY;
  #keepAliveMs = 0;
  #lastSentMs: number;
  #pingSentMs = -1;
  #aliases: OutboundAliases | null = null;
  /** Messages at QoS 1 and 2 that the server takes unacknowledged, 1..65,535 [5.0 §3.2.2.3.3]. */
  receiveMaximum: number = NO_RECEIVE_MAXIMUM;
  /** Keep-alive in force: the server's when it named one [5.0 MQTT-3.2.2-21]. */
  keepAliveSeconds = 0;

  constructor(options: ClientMachineOptions, nowMs: number) {
    super("server", 5, options.maximumPacketSize, options.pool, nowMs);
    this.#options = options;
    this.#lastSentMs = nowMs;
  }

  /** Sends the CONNECT. `allowedAliases` is the Topic Alias Maximum that it announces. */
  open(connect: Connect, nowMs: number): void {
    this.version = connect.version;
    this.allowAliases(connect.properties.topicAliasMaximum ?? 0);
    this.keepAliveSeconds = connect.keepAliveSeconds;
    this.#state = "awaiting CONNACK";
    this.#deadlineMs = nowMs + this.#options.connackTimeoutMs;
    this.send(connect);
  }

  get isConnected(): boolean {
    return this.#state === "connected" && this.ended === null;
  }

  /** The aliases for what is sent, when the server allows any. */
  get aliases(): OutboundAliases | null {
    return this.#aliases;
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
    if (packet.type === "CONNACK") {
      this.fail({ reasonCode: ReasonCode.ProtocolError, message: "a second CONNACK [5.0 §3.2]" });
      return false;
    }
    if (packet.type === "PINGRESP") this.#pingSentMs = -1;
    return true;
  }

  #takeBeforeConnack(packet: Packet): boolean {
    if (packet.type === "AUTH") return true;
    if (packet.type !== "CONNACK") {
      this.fail({
        reasonCode: ReasonCode.ProtocolError,
        message: `${packet.type} before CONNACK [5.0 MQTT-3.2.0-1] [3.1.1 MQTT-3.2.0-1]`,
      });
      return false;
    }
    if (packet.reasonCode === 0) this.#connected(packet);
    return true;
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

  /** Says goodbye and ends. The server then publishes no will, unless `reasonCode` asks for it. */
  disconnect(reasonCode: ReasonCode = ReasonCode.NormalDisconnection, properties: Properties = NO_PROPERTIES): void {
    if (this.ended !== null) return;
    this.send({ type: "DISCONNECT", reasonCode, properties });
    this.end(reasonCode === ReasonCode.DisconnectWithWill ? "disconnected-with-will" : "client-disconnected");
  }

  protected override beforeEnd(reason: EndReason, fault: Fault | null): void {
    if (fault === null || this.version !== 5 || this.#state !== "connected") return;
    this.send({
      type: "DISCONNECT",
      reasonCode: fault.reasonCode ?? END_REASONS[reason].code,
      properties: NO_PROPERTIES,
    });
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
    } else if (this.#pingSentMs >= 0) {
      this.end("keep-alive-timeout");
    } else {
      this.send({ type: "PINGREQ" });
      this.#pingSentMs = nowMs;
      this.#lastSentMs = nowMs;
    }
  }
}
