/**
 * The server's end of a connection: CONNECT first and once, its answer, the AUTH exchange, keep-alive, and DISCONNECT with the
 * reason. What a PUBLISH or SUBSCRIBE means is decided above; who may connect too.
 */
import type { Fault } from "./errors.ts";
import { type Ended, Endpoint, type Machine } from "./machine.ts";
import type { OutputPool } from "./output.ts";
import { type Connack, type Connect, type Disconnect, type Packet, PacketType } from "./packet.ts";
import { NO_TRAIL, type PacketTrail } from "./packet-trail.ts";
import { NO_PROPERTIES, type Properties } from "./properties.ts";
import { connackReturnCode, nearestReasonCode, ReasonCode } from "./reason-codes.ts";
import { END_REASONS, type EndReason } from "./reasons.ts";

/** What a connection runs under before its CONNECT is accepted. */
export interface ServerMachineOptions {
  /** Largest CONNECT taken, in bytes. */
  readonly maximumConnectBytes: number;
  /** From the opening of the connection to a whole CONNECT, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** Whether refusals and ends are explained to 5.0 clients in a Reason String; true when it is absent. */
  readonly reasonStrings?: boolean;
  readonly pool: OutputPool;
  /** Where what passes is noted; nowhere when it is absent. */
  readonly trail?: PacketTrail;
}

/** What the server grants with its CONNACK. */
export interface Acceptance {
  readonly sessionPresent: boolean;
  /** Properties of the CONNACK; ignored before 5.0. */
  readonly properties: Properties;
  /** In force; 0 switches it off. */
  readonly keepAliveSeconds: number;
  /** Largest packet taken from now on, in bytes with fixed header. */
  readonly maximumPacketSize: number;
  /** Topic aliases that the client may use. */
  readonly topicAliasMaximum: number;
}

/** What `next` of a ServerMachine returns: a packet of the client, or the end. */
export type ServerEvent = Packet | Ended;

/** How the variable header of a CONNECT begins: a protocol name, which the level follows. */
const MQTT_NAMES: readonly (readonly number[])[] = [
  [0, 4, 0x4d, 0x51, 0x54, 0x54],
  [0, 6, 0x4d, 0x51, 0x49, 0x73, 0x64, 0x70],
];
/** The first byte of a TLS handshake, which looks like a CONNECT with flags. */
const TLS_HANDSHAKE = 0x16;

type State = "awaiting CONNECT" | "deciding" | "awaiting AUTH" | "connected" | "refused";

/** The server's end of one connection. */
export class ServerMachine extends Endpoint implements Machine<ServerEvent> {
  #state: State = "awaiting CONNECT";
  #deadlineMs: number;
  #keepAliveMs = 0;
  #authenticationMethod: string | null = null;
  #isReauthenticating = false;
  #problemInformation = true;
  readonly #reasonStrings: boolean;
  #farewell: Connack | Disconnect | null = null;

  constructor(options: ServerMachineOptions, nowMs: number) {
    super("client", 5, options.maximumConnectBytes, options.pool, options.trail ?? NO_TRAIL, nowMs);
    this.#deadlineMs = nowMs + options.connectTimeoutMs;
    this.#reasonStrings = options.reasonStrings ?? true;
  }

  /** Whether the client's reason strings and user properties are wanted beyond PUBLISH, CONNACK and DISCONNECT [5.0 §3.1.2.11.7]. */
  get problemInformation(): boolean {
    return this.#problemInformation;
  }

  /** With what the client was sent away; null when it was told nothing. */
  get farewell(): Connack | Disconnect | null {
    return this.#farewell;
  }

  /** Whether the client can be asked for more: its CONNECT named an Authentication Method [5.0 MQTT-4.12.0-6]. */
  get canChallenge(): boolean {
    return this.#authenticationMethod !== null;
  }

  get isConnected(): boolean {
    return this.#state === "connected";
  }

  next(): ServerEvent | null {
    if (this.ended === null) {
      if (this.#state === "connected") {
        const packet = this.nextPacket();
        if (packet !== null && this.#isLegalNow(packet)) return packet;
      } else if (this.#state === "awaiting CONNECT") {
        const connect = this.#nextConnect();
        if (connect !== null) return connect;
      } else if (this.#state === "awaiting AUTH") {
        const auth = this.#nextAuth();
        if (auth !== null) return auth;
      }
    }
    return this.takeEnded();
  }

  #isLegalNow(packet: Packet): boolean {
    if (packet.type === "CONNECT") {
      this.#protocolError("sending multiple CONNECT messages [5.0 MQTT-3.1.0-2] [3.1.1 MQTT-3.1.0-2]");
      return false;
    }
    if (packet.type === "AUTH") {
      const expected = this.#isReauthenticating ? ReasonCode.ContinueAuthentication : ReasonCode.ReAuthenticate;
      if (packet.reasonCode === expected && packet.properties.authenticationMethod === this.#authenticationMethod) {
        this.#isReauthenticating = true;
        return true;
      }
      this.#protocolError("AUTH that is no re-authentication with the method of CONNECT [5.0 §4.12.1]");
      return false;
    }
    return true;
  }

  #protocolError(message: string): void {
    this.fail({ reasonCode: ReasonCode.ProtocolError, message });
  }

  #nextConnect(): Connect | null {
    const firstByte = this.framer.firstByte;
    if (firstByte >= 0 && (firstByte >> 4 !== PacketType.CONNECT || firstByte === TLS_HANDSHAKE)) {
      this.#notConnect(firstByte);
      return null;
    }
    const packet = this.nextPacket();
    if (packet === null || packet.type !== "CONNECT") return null;
    this.version = packet.version;
    this.#authenticationMethod = packet.properties.authenticationMethod ?? null;
    this.#problemInformation = packet.properties.requestProblemInformation ?? true;
    this.peerMaximumPacketSize = packet.properties.maximumPacketSize ?? Number.POSITIVE_INFINITY;
    this.#state = "deciding";
    this.#deadlineMs = Number.POSITIVE_INFINITY;
    return packet;
  }

  /** Judged by the first byte, so that a peer that speaks something else cannot make us gather its packet. */
  #notConnect(firstByte: number): void {
    if (firstByte === TLS_HANDSHAKE) {
      const message = "the first byte is that of a TLS handshake, but this listener speaks plain MQTT";
      this.fail({ reasonCode: ReasonCode.MalformedPacket, message });
    } else this.#protocolError("the first packet is not CONNECT [5.0 MQTT-3.1.0-1] [3.1.1 MQTT-3.1.0-1]");
  }

  #nextAuth(): Packet | null {
    const packet = this.nextPacket();
    if (packet === null) return null;
    const isAnswer = packet.type === "AUTH" && packet.reasonCode === ReasonCode.ContinueAuthentication;
    if (
      packet.type === "DISCONNECT" ||
      (isAnswer && packet.properties.authenticationMethod === this.#authenticationMethod)
    ) {
      this.#state = "deciding";
      this.#deadlineMs = Number.POSITIVE_INFINITY;
      return packet;
    }
    this.#protocolError(
      `${packet.type} while an authentication is under way; only AUTH or DISCONNECT may come [5.0 MQTT-3.1.2-30]`,
    );
    return null;
  }

  /**
   * Asks the client to go on with its authentication; before the CONNACK, its AUTH is awaited until `deadlineMs`.
   * @throws MqttError unless `canChallenge`
   */
  challenge(authenticationData: Uint8Array | undefined, deadlineMs: number): void {
    this.#sendAuth(ReasonCode.ContinueAuthentication, authenticationData);
    if (this.#state === "connected") return;
    this.#state = "awaiting AUTH";
    this.#deadlineMs = deadlineMs;
  }

  #sendAuth(reasonCode: ReasonCode, authenticationData: Uint8Array | undefined): void {
    const properties: Properties = {
      ...(this.#authenticationMethod !== null && { authenticationMethod: this.#authenticationMethod }),
      ...(authenticationData !== undefined && { authenticationData }),
    };
    this.send({ type: "AUTH", reasonCode, properties });
  }

  /** Tells the client that its re-authentication has succeeded [5.0 §4.12.1]. */
  reauthenticated(authenticationData: Uint8Array | undefined): void {
    this.#isReauthenticating = false;
    this.#sendAuth(ReasonCode.Success, authenticationData);
  }

  /**
   * Accepts the CONNECT; ends instead when the client takes no packet as large as its CONNACK.
   * @throws MqttError when a property is not allowed
   */
  accept(acceptance: Acceptance, nowMs: number): void {
    if (this.ended !== null) return;
    const isSent = this.send({
      type: "CONNACK",
      // MQTT 3.1 has no way to say it.
      sessionPresent: acceptance.sessionPresent && this.version !== 3,
      reasonCode: 0,
      properties: this.version === 5 ? acceptance.properties : NO_PROPERTIES,
    });
    if (!isSent) {
      this.end("packet-too-large");
      return;
    }
    this.framer.maximumPacketSize = acceptance.maximumPacketSize;
    this.allowAliases(acceptance.topicAliasMaximum);
    this.#keepAliveMs = acceptance.keepAliveSeconds * 1500;
    this.lastReceivedMs = nowMs;
    this.#state = "connected";
  }

  /**
   * Answers the CONNECT with a refusal, unless that is to be silent, and ends. `why` tells a 5.0 client and whoever hears of the
   * end more.
   */
  refuse(reason: EndReason, why: string | null = null, isSilent: boolean = false): void {
    if (this.ended !== null) return;
    const { code } = END_REASONS[reason];
    if (!isSilent) this.#sendConnack(code, this.#explained(why));
    this.#state = "refused";
    this.end(reason, why === null ? null : { reasonCode: code, message: why });
  }

  #explained(why: string | null): Properties {
    return why === null || !this.#reasonStrings ? NO_PROPERTIES : { reasonString: why };
  }

  #sendConnack(code: ReasonCode, properties: Properties): void {
    const isVersion5 = this.version === 5;
    const reasonCode = isVersion5 ? nearestReasonCode("CONNACK", code) : connackReturnCode(code);
    // Codes without a return code before 5.0: the connection is only closed [3.1.1 §3.2.2.3].
    if (reasonCode === null || reasonCode === 0) return;
    const told = isVersion5 ? properties : NO_PROPERTIES;
    this.#sendFarewell({ type: "CONNACK", sessionPresent: false, reasonCode, properties: told });
  }

  protected override beforeEnd(reason: EndReason, fault: Fault | null): void {
    if (isPeersOwnEnd(reason) || fault?.isUnanswered) return;
    const code = toldCode(fault?.reasonCode ?? END_REASONS[reason].code);
    const explained = this.#problemInformation ? this.#explained(fault?.message ?? null) : NO_PROPERTIES;
    if (this.#state === "refused") return;
    if (this.#state === "connected") this.#sendDisconnect(code, explained);
    else if (fault === null) return;
    else if (this.#state !== "awaiting CONNECT") this.#sendConnack(code, explained);
    else this.#refuseUndecoded(code, explained);
  }

  /**
   * Answers a CONNECT that could not be decoded, if its sender can be told. A level that is none is told in the form of 5.0, which
   * has a code for it; 3, 4 or 5 with the wrong name in that of 3.1.1 [5.0 MQTT-3.1.2-2] [3.1.1 MQTT-3.1.2-2].
   */
  #refuseUndecoded(code: ReasonCode, properties: Properties): void {
    const level = this.#undecodedLevel();
    if (level < 0) return;
    if (code === ReasonCode.UnsupportedProtocolVersion) {
      if (level >= 3 && level <= 5) this.version = 4;
      this.#sendConnack(code, properties);
    } else if (level >= 5) this.#sendConnack(code, properties);
  }

  /** The protocol level of the CONNECT that could not be decoded, without the mark of a bridge; -1 when its name is not MQTT's. */
  #undecodedLevel(): number {
    const { bytes, start, end } = this.framer;
    let body = start + 2;
    while (body < end && bytes[body - 1]! > 127) body++;
    if (bytes[start]! >> 4 !== PacketType.CONNECT) return -1;
    const name = MQTT_NAMES.find((bytesOfName) => bytesOfName.every((byte, i) => bytes[body + i] === byte));
    const at = name === undefined ? end : body + name.length;
    return at < end ? bytes[at]! & 0x7f : -1;
  }

  #sendDisconnect(code: ReasonCode, properties: Properties): void {
    if (this.version !== 5) return;
    const reasonCode = nearestReasonCode("DISCONNECT", code);
    this.#sendFarewell({ type: "DISCONNECT", reasonCode, properties });
  }

  /** Sends it without properties when the client does not take so much. */
  #sendFarewell(packet: Connack | Disconnect): void {
    const isSent = this.send(packet) || this.send({ ...packet, properties: NO_PROPERTIES });
    if (isSent) this.#farewell = packet;
  }

  deadlineMs(): number {
    if (this.ended !== null) return Number.POSITIVE_INFINITY;
    if (this.#state !== "connected") return this.#deadlineMs;
    return this.#keepAliveMs === 0 ? Number.POSITIVE_INFINITY : this.lastReceivedMs + this.#keepAliveMs;
  }

  /** Ends a connection that has been silent for one and a half keep-alives, or has not sent its CONNECT [5.0 MQTT-3.1.2-22] [3.1.1 MQTT-3.1.2-24]. */
  tick(nowMs: number): void {
    if (nowMs < this.deadlineMs()) return;
    this.end(this.#state === "connected" ? "keep-alive-timeout" : "connect-timeout");
  }

  /** The connection was not read for a while through no fault of the client: its silence counts from now. */
  excuseSilence(nowMs: number): void {
    this.lastReceivedMs = nowMs;
  }
}

/** As mosquitto 2.1: whatever is wrong with a topic, the packet is malformed. Who hears of the end here learns what it was. */
function toldCode(code: ReasonCode): ReasonCode {
  return code === ReasonCode.TopicNameInvalid || code === ReasonCode.TopicFilterInvalid
    ? ReasonCode.MalformedPacket
    : code;
}

function isPeersOwnEnd(reason: EndReason): boolean {
  return (
    reason === "client-disconnected" ||
    reason === "disconnected-with-will" ||
    reason === "connection-closed" ||
    reason === "network-error" ||
    reason === "write-stalled"
  );
}
