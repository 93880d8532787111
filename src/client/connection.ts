/**
 * One network connection of a client, without the network: joins the machine that knows packets with the Session that knows
 * messages. Bytes and time go in, bytes come out; a Pump or a test moves them.
 */
import {
  type Acknowledgement,
  type Auth,
  ClientMachine,
  type Connack,
  type Connect,
  type Disconnect,
  type EndReason,
  encodeUtf8,
  endReasonOf,
  type Fault,
  NO_PROPERTIES,
  NO_TRAIL,
  type OutboundAlias,
  type OutputPool,
  type Packet,
  type PacketTrail,
  type Properties,
  Publish,
  publishBytes,
  publishRemainingLength,
  ReasonCode,
  type Subscribe,
  type Taken,
  type Unsubscribe,
} from "../protocol/index.ts";
import type { Pumped } from "../transport/browser.ts";
import type { ConnectionFacts } from "./ending.ts";
import { DELIVERED, type Outcome, type OutgoingMessage, type Refusal, refused } from "./message.ts";
import { PlainPublishWriter, publishFirstByte } from "./plain-publish.ts";
import type { ClientSession } from "./session.ts";

/** How a connection ended. */
export interface ConnectionEnd {
  readonly reason: EndReason;
  /** The server's mistake, when it was one. */
  readonly fault: Fault | null;
  /** The refusal, when the server did not let us in. */
  readonly connack: Connack | null;
  /** What the server said when it ended the connection. */
  readonly disconnect: Disconnect | null;
  /** What the network or the system said. */
  readonly error: Error | null;
  /** Whether the network connection had come to be. */
  readonly wasOpened: boolean;
  /** Whether the server had let us in. */
  readonly wasAccepted: boolean;
}

/** What a connection tells the client. */
export interface ConnectionListener {
  /** The network connection is there, and the CONNECT on its way. */
  opened?(): void;
  /** The server has let us in; requests may be made. */
  accepted(connack: Connack): void;
  /** What became of a message at QoS 0: it was handed to the network. */
  published(mid: number, outcome: Outcome, message: OutgoingMessage): void;
  /** The server sent AUTH: `authenticate` or `fail` answers it. false: nobody does, and it is taken for the server's mistake. */
  authenticating(auth: Auth): boolean;
  /** Everything written has left the process. */
  drained(): void;
  /** It is over. Told once. */
  ended(end: ConnectionEnd): void;
}

/** Sees every packet, for logs. `mid` is 0 where a packet has none. */
export interface ClientPacketObserver {
  sent(packet: Packet, mid: number): void;
  received(packet: Packet): void;
  /** An answer came for something that we do not know, as may be after a lost Session. */
  unknownPacketId(type: Packet["type"], packetId: number): void;
}

/** What a connection runs under. */
export interface ClientConnectionOptions {
  readonly connect: Connect;
  /** From the CONNECT to its answer, in milliseconds. */
  readonly connackTimeoutMs: number;
  /** Most topic aliases to use for what is sent; the server's limit holds too. 0 uses none. */
  readonly topicAliases: number;
  readonly pool: OutputPool;
  /** Where what passes is noted; nowhere when it is absent. */
  readonly trail?: PacketTrail;
  /** Asked for each packet, as whoever wants to see them may come later. */
  readonly observer: () => ClientPacketObserver | null;
  /** Whether it is a broker's bridge; false. */
  readonly isBridge?: boolean;
}

/** A message at QoS 0 on its way out of the process. */
interface Leaving {
  readonly mid: number;
  readonly message: OutgoingMessage;
}

/** Bytes waiting for the network from which on messages at QoS 1 and 2 wait in the Session. */
const BACKLOG_BYTES = 1_048_576;

/** Largest Remaining Length plus its fixed header [5.0 §2.1.4]: what is taken when the CONNECT announces no limit. */
const LARGEST_PACKET_BYTES = 268_435_460;

/** The return codes of CONNACK before 5.0 [3.1.1 §3.2.2.3]. */
const REFUSALS: readonly EndReason[] = [
  "server-disconnected",
  "unsupported-protocol-version",
  "client-identifier-not-valid",
  "server-unavailable",
  "bad-user-name-or-password",
  "not-authorized",
];

/** One connection, from the attempt to its end. */
export class ClientConnection implements Pumped {
  readonly #session: ClientSession;
  readonly #listener: ConnectionListener;
  readonly #options: ClientConnectionOptions;
  readonly #machine: ClientMachine;
  readonly #startedMs: number;
  #openedMs: number | null = null;
  #isOver = false;
  /** Of the CONNACK: what the server can do. */
  #limits: Properties = NO_PROPERTIES;
  #connack: Connack | null = null;
  #disconnect: Disconnect | null = null;
  #waitingBytes = 0;
  readonly #plain: PlainPublishWriter = new PlainPublishWriter();
  /** Messages at QoS 0 in the output, and those handed to the network that have not left. */
  #unwritten: Leaving[] = [];
  #leaving: Leaving[] = [];

  constructor(session: ClientSession, options: ClientConnectionOptions, listener: ConnectionListener, nowMs: number) {
    const { connect, connackTimeoutMs, topicAliases, pool, trail = NO_TRAIL, isBridge = false } = options;
    const maximumPacketSize = connect.properties.maximumPacketSize ?? LARGEST_PACKET_BYTES;
    this.#session = session;
    this.#options = options;
    this.#listener = listener;
    const machineOptions = { maximumPacketSize, connackTimeoutMs, topicAliases, pool, trail, isBridge };
    this.#machine = new ClientMachine(machineOptions, nowMs);
    this.#startedMs = nowMs;
  }

  /** What is known of it, for those who look at what happened. */
  facts(address: string, clientId: string): ConnectionFacts {
    const { version, keepAliveSeconds, lastReceivedMs, trail } = this.#machine;
    const [startedMs, openedMs] = [this.#startedMs, this.#openedMs];
    return { address, clientId, version, keepAliveSeconds, startedMs, openedMs, lastReceivedMs, trail };
  }

  /** What passed lately. */
  get trail(): PacketTrail {
    return this.#machine.trail;
  }

  /** Whether the server has let us in and the connection has not ended. */
  get isAccepted(): boolean {
    return this.#machine.isConnected;
  }

  get isEnded(): boolean {
    return this.#machine.ended !== null;
  }

  /** Most messages at QoS 1 and 2 that the server takes unacknowledged. */
  get receiveMaximum(): number {
    return this.#machine.receiveMaximum;
  }

  /** Bytes that have not been handed to the network. */
  get outputBytes(): number {
    return this.#machine.output.length;
  }

  /** Bytes that have not left the process. */
  get backlogBytes(): number {
    return this.#waitingBytes + this.#machine.output.length;
  }

  /** Whether messages that could wait in the Session go out. */
  get hasRoom(): boolean {
    return this.backlogBytes < BACKLOG_BYTES;
  }

  /** Sends the CONNECT. */
  opened(nowMs: number): void {
    const { connect, observer } = this.#options;
    this.#openedMs = nowMs;
    this.#machine.open(connect, nowMs);
    observer()?.sent(connect, 0);
    this.#listener.opened?.();
  }

  receive(chunk: Uint8Array, nowMs: number): void {
    this.#machine.receive(chunk, nowMs);
    for (;;) {
      const event = this.#machine.next();
      if (event === null) return;
      if (event.type === "ENDED") return this.#finish(event.reason, event.fault);
      this.#options.observer()?.received(event);
      this.#handle(event);
    }
  }

  #handle(packet: Packet): void {
    switch (packet.type) {
      case "CONNACK":
        return this.#receiveConnack(packet);
      case "DISCONNECT":
        this.#disconnect = packet;
        return this.#machine.end(reasonOf(packet.reasonCode));
      case "PINGRESP":
        return;
      case "PINGREQ":
        return this.#options.observer()?.sent({ type: "PINGRESP" }, 0);
      case "AUTH":
        return this.#receiveAuth(packet);
      default:
        return this.#session.receive(this, packet);
    }
  }

  #receiveAuth(auth: Auth): void {
    if (this.#listener.authenticating(auth)) return;
    const message = "AUTH, but the CONNECT had no Authentication Method [5.0 MQTT-4.12.0-6]";
    this.fail({ reasonCode: ReasonCode.ProtocolError, message });
  }

  /** Sends AUTH: the next step, or the first of a re-authentication [5.0 §4.12]. */
  authenticate(reasonCode: ReasonCode, properties: Properties): void {
    const auth: Auth = { type: "AUTH", reasonCode, properties };
    if (this.#machine.send(auth)) this.#options.observer()?.sent(auth, 0);
  }

  #receiveConnack(connack: Connack): void {
    const { version, cleanStart } = this.#options.connect;
    this.#connack = connack;
    if (connack.reasonCode !== 0) {
      const reason = version === 5 ? reasonOf(connack.reasonCode) : REFUSALS[connack.reasonCode];
      return this.#machine.end(reason ?? "server-disconnected");
    }
    if (connack.sessionPresent && cleanStart) {
      const message = "CONNACK: session present after clean start [5.0 MQTT-3.2.2-4] [3.1.1 MQTT-3.2.2-1]";
      return this.fail({ reasonCode: ReasonCode.ProtocolError, message });
    }
    this.#limits = connack.properties;
    // MQTT 3.1 does not say whether it is present.
    this.#session.attach(this, version === 3 ? !cleanStart : connack.sessionPresent);
    this.#listener.accepted(connack);
    // Behind the Subscriptions that are made again: what waited may be for them, or be a request whose response is.
    this.#session.begin();
  }

  /** Why the server would not take `message`, or null. */
  refusal(message: OutgoingMessage): Refusal | null {
    const { qos, retain, topicName, properties, payload } = message;
    if (qos > (this.#limits.maximumQos ?? 2)) return "qos-not-supported";
    if (retain && this.#limits.retainAvailable === false) return "retain-not-supported";
    const maximum = this.#machine.peerMaximumPacketSize;
    if (maximum === Number.POSITIVE_INFINITY || properties !== NO_PROPERTIES) return null;
    const bytes = publishBytes(publishRemainingLength(encodeUtf8(topicName).length, qos, 0, payload.length));
    return bytes > maximum ? "packet-too-large" : null;
  }

  /**
   * Sends a message, by an alias of its topic when the server allows that.
   * @param packetId 0 at QoS 0
   * @param own its properties, which may have changed while it waited
   * @returns false when it is larger than the server takes; nothing was sent then
   */
  sendPublish(
    message: OutgoingMessage,
    packetId: number,
    mid: number,
    dup: boolean,
    own: Properties = message.properties,
  ): boolean {
    const machine = this.#machine;
    const properties = machine.version === 5 ? own : NO_PROPERTIES;
    const observer = this.#options.observer();
    const { aliases } = machine;
    if (properties === NO_PROPERTIES && aliases === null && observer === null) {
      if (!this.#sendPlain(message, packetId, dup)) return false;
    } else {
      const packet = publishWith(message, packetId, dup, properties);
      const alias = aliases?.for(message.topicName) ?? null;
      if (alias !== null && machine.send(publishWith(message, packetId, dup, properties, alias))) alias.isNew = false;
      else if (!machine.send(packet)) return false;
      observer?.sent(packet, mid);
    }
    if (packetId === 0) this.#unwritten.push({ mid, message });
    return true;
  }

  #sendPlain(message: OutgoingMessage, packetId: number, dup: boolean): boolean {
    const { output, version, peerMaximumPacketSize, ended, trail } = this.#machine;
    if (ended !== null) return false;
    const before = output.length;
    if (!this.#plain.write(output, version, peerMaximumPacketSize, message, packetId, dup)) return false;
    trail.sent(publishFirstByte(message, dup), packetId, output.length - before);
    return true;
  }

  /** Sends a request; false when it is larger than the server takes. */
  send(packet: Subscribe | Unsubscribe): boolean {
    if (!this.#machine.send(packet)) return false;
    this.#options.observer()?.sent(packet, packet.packetId);
    return true;
  }

  /** Sends an acknowledgement; before 5.0 the reason code is left out, and by bridges, as mosquitto's send none. */
  acknowledge(type: Acknowledgement["type"], packetId: number, reasonCode: number): void {
    const machine = this.#machine;
    if (machine.ended !== null) return;
    if (reasonCode !== 0 && machine.version === 5 && !this.#options.isBridge) {
      machine.send({ type, packetId, reasonCode, properties: NO_PROPERTIES });
    } else {
      machine.sendShortAcknowledgement(type, packetId);
    }
    this.#options.observer()?.sent({ type, packetId, reasonCode, properties: NO_PROPERTIES }, packetId);
  }

  /** An answer came for something unknown. */
  unknownPacketId(type: Packet["type"], packetId: number): void {
    this.#options.observer()?.unknownPacketId(type, packetId);
  }

  /** Ends the connection by the server's mistake. */
  fail(fault: Fault): void {
    this.#machine.fail(fault);
  }

  /** Says goodbye and ends. */
  disconnect(reasonCode: ReasonCode, properties: Properties): void {
    const machine = this.#machine;
    if (this.#isOver) return;
    if (machine.isConnected) {
      machine.disconnect(reasonCode, properties);
      this.#options.observer()?.sent({ type: "DISCONNECT", reasonCode, properties }, 0);
    } else {
      machine.end("client-disconnected");
    }
    this.#finish("client-disconnected", null);
  }

  /** Says that reading from the network has stopped or goes on: what the server sends is not seen meanwhile. */
  setReading(isReading: boolean, nowMs: number): void {
    this.#machine.setReading(isReading, nowMs);
  }

  takeOutput(): Taken | null {
    const taken = this.#machine.takeOutput();
    this.#leave();
    return taken;
  }

  #leave(): void {
    if (this.#unwritten.length === 0) return;
    for (const leaving of this.#unwritten) this.#leaving.push(leaving);
    this.#unwritten = [];
  }

  written(waiting: number, nowMs: number): void {
    this.#machine.sentAt(nowMs);
    this.#waitingBytes = waiting;
    if (waiting === 0) this.#tellLeft(DELIVERED);
  }

  drained(): void {
    this.#waitingBytes = 0;
    this.#tellLeft(DELIVERED);
    this.#session.pump();
    this.#listener.drained();
  }

  #tellLeft(outcome: Outcome): void {
    if (this.#leaving.length === 0) return;
    const left = this.#leaving;
    this.#leaving = [];
    for (const { mid, message } of left) this.#listener.published(mid, outcome, message);
  }

  recycle(spent: readonly Uint8Array[]): void {
    this.#machine.output.recycle(spent);
  }

  closed(isError: boolean, error: Error | null): void {
    const reason = isError ? "network-error" : "connection-closed";
    this.#machine.end(reason);
    this.#finish(reason, null, error);
  }

  deadlineMs(): number {
    return this.#machine.deadlineMs();
  }

  tick(nowMs: number): void {
    const machine = this.#machine;
    const before = machine.output.length;
    machine.tick(nowMs);
    if (machine.ended !== null) this.#finish(machine.ended.reason, machine.ended.fault);
    else if (machine.output.length > before) this.#options.observer()?.sent({ type: "PINGREQ" }, 0);
  }

  #finish(reason: EndReason, fault: Fault | null, error: Error | null = null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const connack = this.#connack;
    const wasAccepted = connack !== null && connack.reasonCode === 0;
    this.#session.detach();
    // A wanted end writes what is left; after any other it is lost.
    this.#leave();
    this.#tellLeft(reason === "client-disconnected" ? DELIVERED : refused("connection-lost"));
    this.#listener.ended({
      reason,
      fault,
      connack: wasAccepted ? null : connack,
      disconnect: this.#disconnect,
      error,
      wasOpened: this.#openedMs !== null,
      wasAccepted,
    });
  }
}

function publishWith(
  { topicName, qos, retain, payload }: OutgoingMessage,
  packetId: number,
  dup: boolean,
  properties: Properties,
  alias: OutboundAlias | null = null,
): Publish {
  const name = alias === null || alias.isNew ? topicName : "";
  const all = alias === null ? properties : { ...properties, topicAlias: alias.alias };
  return new Publish(dup, qos, retain, name, packetId, all, payload, 0, 0, 0, payload.length);
}

function reasonOf(reasonCode: number): EndReason {
  return reasonCode === 0 ? "server-disconnected" : endReasonOf({ reasonCode: reasonCode as ReasonCode, message: "" });
}
