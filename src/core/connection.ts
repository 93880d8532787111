/**
 * One network connection of a client: its machine, its way out, and the acknowledgements that wait for the store. It hands
 * packets to those who know what they mean and knows nothing of sockets but the Link.
 */
import {
  type Acknowledgement,
  type Auth,
  type Connect,
  type Disconnect,
  type DropReason,
  END_REASONS,
  type EndReason,
  type Fault,
  NO_PROPERTIES,
  type OutboundAliases,
  type Packet,
  PacketTrail,
  type Qos,
  ReasonCode,
  ServerMachine,
  type Version,
} from "../protocol/index.ts";
import { connectTimeoutOf } from "./admission.ts";
import { ALLOW_ALL, type Authenticator, type Policy, type Verdict } from "./authenticator.ts";
import type { Broker } from "./broker.ts";
import { Connecting } from "./connecting.ts";
import type { Entrance } from "./entrance.ts";
import { receivePubrel, type Unreleased } from "./exactly-once.ts";
import { HeldAnswer } from "./held-answer.ts";
import { HeldAnswers } from "./held-answers.ts";
import type { Link, Tap } from "./link.ts";
import type { Message } from "./message.ts";
import type { Obligation, ObligationWaiter } from "./obligation.ts";
import { Pause } from "./pause.ts";
import { type Outlet, publishPacketBytes, writePublish } from "./publish-writer.ts";
import { receivePublish } from "./publishing.ts";
import { ReceiveRates } from "./receive-rates.ts";
import type { Session } from "./session.ts";
import { receiveSubscribe, receiveUnsubscribe } from "./subscribing.ts";

/** Bytes waiting for the network from which on messages at QoS 1 and 2 wait in their Session. */
const BACKLOG_BYTES = 1_048_576;
/** Output of one turn from which on it is handed to the network before the turn ends, so that it does not gather without bound. */
const EARLY_FLUSH_BYTES = 1_048_576;

const PROLONGED = "DISCONNECT: a Session Expiry Interval of 0 in CONNECT cannot be prolonged [5.0 §3.14.2.2.2]";

/** A connection, from its opening to its end. */
export class Connection implements Outlet, ObligationWaiter {
  readonly broker: Broker;
  readonly link: Link;
  readonly machine: ServerMachine;
  readonly authenticator: Authenticator;
  /** The way that it came in by. */
  readonly entrance: Entrance;
  /** Set with the acceptance of the CONNECT. */
  session: Session | null = null;
  policy: Policy = ALLOW_ALL;
  /** Begins a re-authentication, when the Authenticator offers it. */
  reauthenticate: ((auth: Auth) => Verdict | Promise<Verdict>) | null = null;
  aliases: OutboundAliases | null = null;
  /** Messages at QoS 1 and 2 that the client takes unacknowledged, 1..65,535. */
  receiveMaximum = 65_535;
  /** Whether the CONNACK is out: nothing goes to the client before it. */
  isReady = false;
  /** Whether a bridge is at the other end that knows marks. */
  exchangesMarks = false;
  /** The CONNECT, for logs; without will and password. */
  connect: Connect | null = null;
  /** When it was opened, on the monotonic clock. */
  readonly openedAtMs: number;
  /** Given all bytes as they come and leave, while somebody records them. */
  tap: Tap | null = null;
  /** The Reason String of the client's DISCONNECT [5.0 §3.14.2.2.3]. */
  lastWords: string | null = null;
  /** The client's messages at QoS 2 that came on this connection and are not released. */
  unreleasedMessages = 0;
  /** What is out of the ordinary with them; null: nothing. */
  unreleased: Unreleased | null = null;
  /** Waits in the broker's list for the end of the turn. */
  isDirty = false;
  #connecting: Connecting | null;
  #pendingBytes = 0;
  #held: HeldAnswers | null = null;
  /** The bits of `Pause` that hold now. */
  #pauses = 0;
  #isDone = false;
  /** Whether messages may wait in the Session because the output was full, and not the network. */
  #wasFull = false;
  /** Set with the acceptance of the CONNECT, where there are bounds. */
  #rates: ReceiveRates | null = null;

  /** @param rateRefusal why its CONNECT is refused whatever it says; null: it is not */
  constructor(
    broker: Broker,
    link: Link,
    authenticator: Authenticator,
    entrance: Entrance,
    openedAtMs: number,
    rateRefusal: string | null,
  ) {
    const { maximumConnectBytes, trailEntries, reasonStrings } = broker.options;
    const connectTimeoutMs = connectTimeoutOf(broker.options, rateRefusal !== null);
    const trail = new PacketTrail(trailEntries, broker);
    this.broker = broker;
    this.link = link;
    this.authenticator = authenticator;
    this.entrance = entrance;
    this.openedAtMs = openedAtMs;
    this.machine = new ServerMachine(
      { maximumConnectBytes, connectTimeoutMs, reasonStrings, pool: broker.pool, trail },
      this.openedAtMs,
    );
    this.#connecting = new Connecting(this, rateRefusal);
  }

  get output(): ServerMachine["output"] {
    return this.machine.output;
  }

  get isVersion5(): boolean {
    return this.machine.version === 5;
  }

  get version(): Version {
    return this.machine.version;
  }

  get maximumPacketSize(): number {
    return this.machine.peerMaximumPacketSize;
  }

  /** The client identifier, or null while there is none. */
  get clientId(): string | null {
    return this.session?.clientId ?? this.#connecting?.clientId ?? (this.connect?.clientId || null);
  }

  /** Bytes for the client that have not reached the network. */
  get backlogBytes(): number {
    return this.#pendingBytes + this.machine.output.length;
  }

  /** Whether messages that could wait in their Session go out. */
  get hasRoom(): boolean {
    return this.#pendingBytes + this.machine.output.length < BACKLOG_BYTES;
  }

  /** Whether messages that cannot wait go out. */
  get hasRoomForQos0(): boolean {
    const { options, pendingOutputBytes } = this.broker;
    const backlog = this.#pendingBytes + this.machine.output.length;
    if (backlog < BACKLOG_BYTES) return true;
    if (backlog >= options.maximumOutputBytes || this.broker.isOverMemory) return false;
    return pendingOutputBytes < options.maximumTotalOutputBytes;
  }

  /** Takes bytes as read from the network. */
  receive(chunk: Uint8Array): void {
    const { broker, isReady: wasReady } = this;
    const nowMs = broker.beginTurn();
    broker.counters.bytesReceived += chunk.length;
    this.tap?.("received", chunk);
    this.machine.receive(chunk, nowMs);
    this.#rates?.tookBytes(chunk.length, nowMs);
    if (!this.isPaused) this.process();
    if (!this.isPaused) this.#rates?.keepPace(this);
    // A CONNACK that does not wait for the end of the turn leaves in one write with what TLS says at the end of its handshake.
    if (this.isReady !== wasReady) this.flush();
  }

  /** Handles what has been received, as far as it may now. */
  process(): void {
    const { machine } = this;
    while (!this.isPaused) {
      const event = machine.next();
      if (event === null) break;
      if (event.type === "ENDED") {
        this.#finish(event.reason, event.fault);
        return;
      }
      this.broker.counters.messagesReceived++;
      this.broker.packetObserver?.received(this, event);
      this.#handle(event);
      if (this.#rates !== null && event.type === "PUBLISH") this.#rates.tookMessage(this);
      if (this.broker.isTurnFull) this.#letOthers();
    }
    if (machine.output.length > 0) this.markDirty();
  }

  /** Goes on in the next turn. */
  #letOthers(): void {
    if (this.isPaused || this.machine.ended !== null) return;
    this.pauseReading(Pause.turn);
    this.broker.later(() => this.resumeReading(Pause.turn));
  }

  #handle(packet: Packet): void {
    switch (packet.type) {
      case "PUBLISH":
        return receivePublish(this, this.session!, packet);
      case "PUBACK":
      case "PUBREC":
      case "PUBCOMP":
        return this.#acknowledge(packet);
      case "PUBREL":
        return receivePubrel(this, this.session!, packet.packetId);
      case "SUBSCRIBE":
        return receiveSubscribe(this, this.session!, packet);
      case "UNSUBSCRIBE":
        return receiveUnsubscribe(this, this.session!, packet);
      case "PINGREQ":
        return this.send({ type: "PINGRESP" });
      case "DISCONNECT":
        return this.#disconnect(packet);
      case "CONNECT":
        return this.#connecting!.begin(packet);
      case "AUTH":
        return this.#authenticate(packet);
      default:
        throw new Error(`the machine let a ${packet.type} of a client pass`);
    }
  }

  #authenticate(packet: Auth): void {
    this.#connecting ??= new Connecting(this);
    this.#connecting.continue(packet);
  }

  /** The CONNECT has been decided, or a re-authentication. */
  decided(): void {
    this.#connecting = null;
    this.#rates ??= ReceiveRates.of(this.entrance);
  }

  #acknowledge(packet: Acknowledgement): void {
    const { type, packetId, reasonCode } = packet;
    const result = this.session!.acknowledge(packetId, type as "PUBACK" | "PUBREC" | "PUBCOMP", reasonCode >= 0x80);
    if (result === "send PUBREL") {
      this.broker.records.covers(this.session!)
        ? this.broker.ledger.whenKept(() => this.sendPubrel(packetId))
        : this.sendPubrel(packetId);
    } else if (result === "protocol error") {
      this.fail(ReasonCode.ProtocolError, `${type} ${packetId} is not what that message waits for [5.0 §4.3]`);
    } else if (result === "unknown" && type === "PUBREC" && reasonCode < 0x80) {
      // Not with 0x92 in 5.0, as mosquitto: after a lost Session it is nobody's mistake [5.0 §3.6.2.1].
      this.sendPubrel(packetId);
    }
  }

  sendPubrel(packetId: number): void {
    this.sendAcknowledgement("PUBREL", packetId, ReasonCode.Success);
  }

  /** Answers a PUBLISH or PUBREL once `obligation` is met and all earlier answers are out. */
  answer(type: Acknowledgement["type"], packetId: number, reasonCode: number, obligation: Obligation | null): void {
    if (obligation === null && this.#held === null) this.sendAcknowledgement(type, packetId, reasonCode);
    else this.#hold(new HeldAnswer(obligation, type, packetId, reasonCode, null));
  }

  /** Sends one at once. */
  sendAcknowledgement(type: Acknowledgement["type"], packetId: number, reasonCode: number): void {
    const { machine } = this;
    if (reasonCode !== 0 && machine.version === 5) {
      this.send({ type, packetId, reasonCode, properties: NO_PROPERTIES });
      return;
    }
    this.broker.packetObserver?.sent(this, { type, packetId, reasonCode, properties: NO_PROPERTIES });
    this.broker.counters.messagesSent++;
    if (machine.ended === null) machine.sendShortAcknowledgement(type, packetId);
    this.markDirty();
  }

  /** Whether an answer waits: later ones wait behind it. */
  get isHolding(): boolean {
    return this.#held !== null;
  }

  /** Calls `send` once `obligation` is met and everything held before is out. Reading stops while too much is held. */
  hold(obligation: Obligation | null, send: () => void): void {
    this.#hold(new HeldAnswer(obligation, "PUBACK", 0, 0, send));
  }

  #hold(answer: HeldAnswer): void {
    this.#held ??= new HeldAnswers(this);
    this.#held.add(answer);
  }

  /** Sends what is held and need not be any more. */
  obligationMet(): void {
    this.#held?.sendMet();
  }

  /** Nothing is held any more. */
  heldAreSent(): void {
    this.#held = null;
  }

  /** Stops reading until the store has taken some of what waits for it. */
  awaitRoom(): void {
    if ((this.#pauses & Pause.storeFull) !== 0) return;
    this.pauseReading(Pause.storeFull);
    this.broker.ledger.whenRoom(() => this.resumeReading(Pause.storeFull));
  }

  /** Whether packets are not taken now. */
  get isPaused(): boolean {
    return this.#pauses !== 0;
  }

  /** Stops taking packets, for a reason that is not the client's. */
  pauseReading(pause: Pause): void {
    const wasPaused = this.isPaused;
    this.#pauses |= pause;
    if (!wasPaused) this.link.pause();
  }

  /** Takes packets again unless something else speaks against it. The client's silence meanwhile was none of its own. */
  resumeReading(pause: Pause): void {
    const wasPaused = this.isPaused;
    this.#pauses &= ~pause;
    if (!wasPaused || this.isPaused) return;
    this.machine.excuseSilence(this.broker.clock.nowMs());
    if (this.#isDone) return;
    this.link.resume();
    this.broker.later(() => this.process());
  }

  /**
   * Sends a packet other than PUBLISH; one that is too large for the client is sent without properties. A client that cannot take an
   * answer even so is let go, as it would wait for it for ever.
   */
  send(packet: Exclude<Packet, { type: "PUBLISH" }>): void {
    const { machine } = this;
    if (machine.ended !== null) return;
    const isSent =
      machine.send(packet) ||
      ("properties" in packet && machine.send({ ...packet, properties: NO_PROPERTIES } as Packet));
    if (!isSent) {
      this.close("packet-too-large");
      return;
    }
    this.broker.counters.messagesSent++;
    this.broker.packetObserver?.sent(this, packet);
    this.markDirty();
  }

  /** Why the client cannot have `message` at `qos` now; null when it can. */
  refusal(message: Message, qos: Qos, subscriptionIds: readonly number[] | null): DropReason | null {
    const { maximumPacketSize, policy } = this;
    if (!policy.allowsAll && !policy.canReceive(message.topicName)) return "receive-denied";
    const { mountPoint } = this.entrance;
    if (mountPoint !== "" && this.broker.unmounted.below(mountPoint, message) === null) return "outside-mount-point";
    if (maximumPacketSize === Number.POSITIVE_INFINITY) return null;
    const size = publishPacketBytes(this.isVersion5, message, qos, subscriptionIds, this.broker.clock.nowMs());
    return size > maximumPacketSize ? "too-large-for-receiver" : null;
  }

  /** Sends a PUBLISH that `refusal` had nothing against. */
  sendPublish(
    message: Message,
    qos: number,
    retain: boolean,
    dup: boolean,
    packetId: number,
    subscriptionIds: readonly number[] | null,
  ): void {
    const { machine, broker } = this;
    if (machine.ended !== null) return;
    const { counters } = broker;
    const { output } = machine;
    const seen = broker.unmounted.seenBelow(this.entrance.mountPoint, message);
    const shown = this.exchangesMarks ? broker.bridgeMarks.marked(seen) : seen;
    const before = output.length;
    const firstByte = 0x30 | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0);
    writePublish(this, shown, firstByte, packetId, subscriptionIds, broker.turnMs);
    machine.trail.sent(firstByte, packetId, output.length - before);
    counters.messagesSent++;
    counters.publishSent++;
    counters.publishBytesSent += message.payloadBytes;
    if (broker.packetObserver !== null) {
      const { topicName, payloadBytes } = shown;
      broker.packetObserver.sentPublish(this, { topicName, payloadBytes, qos, retain, dup, packetId });
    }
    if (!this.isDirty) this.markDirty();
    else if (output.length > EARLY_FLUSH_BYTES) this.flush();
  }

  /** Has the output written at the end of the turn. */
  markDirty(): void {
    if (this.isDirty) return;
    this.isDirty = true;
    this.broker.needsFlush(this);
  }

  /** Ends the turn: writes the output, and sends what had no room in it. */
  endTurn(): void {
    this.flush();
    if (!this.#wasFull || !this.hasRoom) return;
    this.#wasFull = false;
    this.session?.pump();
  }

  /** Writes the output. */
  flush(): void {
    if (!this.hasRoom) this.#wasFull = true;
    const taken = this.machine.takeOutput();
    if (taken !== null && !this.#isDone) {
      for (const segment of taken.segments) {
        this.broker.counters.bytesSent += segment.length;
        this.tap?.("sent", segment);
      }
      this.#pending(this.link.write(taken));
    }
  }

  #pending(bytes: number): void {
    this.broker.pendingOutputBytes += bytes - this.#pendingBytes;
    this.#pendingBytes = bytes;
  }

  /** The network has taken everything that was written. */
  drained(): void {
    this.broker.beginTurn();
    this.#pending(0);
    this.session?.pump();
  }

  /** Gives back buffers that have left. */
  recycle(spent: readonly Uint8Array[]): void {
    this.machine.output.recycle(spent);
  }

  /** Ends the connection by the client's mistake. */
  fail(reasonCode: ReasonCode, message: string): void {
    this.machine.fail({ reasonCode, message });
  }

  /** Ends the connection from outside the handling of its packets. */
  close(reason: EndReason): void {
    if (this.machine.ended !== null) return;
    this.broker.beginTurn();
    this.machine.end(reason);
    this.#finish(reason, null);
  }

  /** The network is gone; `isError`: not by the peer's closing. */
  closed(isError: boolean): void {
    this.close(isError ? "network-error" : "connection-closed");
    this.#pending(0);
  }

  /** The link ended by a mistake that its transport knows more of. */
  failed(reason: EndReason, message: string): void {
    if (this.machine.ended !== null) return;
    this.broker.beginTurn();
    this.machine.end(reason);
    this.#finish(reason, { reasonCode: END_REASONS[reason].code, message });
    this.#pending(0);
  }

  /** Looks at the deadlines of the machine. */
  tick(nowMs: number): void {
    if (this.isPaused || nowMs < this.machine.deadlineMs()) return;
    this.machine.tick(nowMs);
    this.process();
  }

  #disconnect(packet: Disconnect): void {
    // A client that gives up in the middle of its authentication has no Session yet.
    const { session } = this;
    const { sessionExpirySeconds } = packet.properties;
    const prolongs = session?.expirySeconds === 0 && sessionExpirySeconds !== undefined && sessionExpirySeconds > 0;
    if (prolongs) return this.fail(ReasonCode.ProtocolError, PROLONGED);
    this.lastWords = packet.properties.reasonString ?? null;
    this.machine.end(packet.reasonCode === 0 ? "client-disconnected" : "disconnected-with-will");
    if (session !== null && sessionExpirySeconds !== undefined)
      this.broker.sessions.changeExpiry(session, sessionExpirySeconds);
  }

  #finish(reason: EndReason, fault: Fault | null): void {
    if (this.#isDone) return;
    this.flush();
    this.#isDone = true;
    this.#held = null;
    this.machine.next();
    this.link.close();
    const { session } = this;
    this.broker.removeConnection(this);
    this.broker.counters.ended[reason]++;
    const { farewell } = this.machine;
    if (farewell !== null) this.broker.packetObserver?.sent(this, farewell);
    this.broker.observer.ended?.(this, reason, fault);
    if (session !== null && session.connection === this) this.broker.sessions.disconnected(session, reason);
  }
}
