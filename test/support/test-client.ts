/**
 * A scripted client at the other end of an in-memory Link: it sends what it is told, keeps what it gets, acknowledges by itself
 * unless told not to, and can stop reading as a slow network does.
 */
import assert from "node:assert/strict";
import type { Connection, Link } from "../../src/core/index.ts";
import {
  type Acknowledgement,
  type Connack,
  type Connect,
  decodePacket,
  encodePacket,
  Framer,
  InboundAliases,
  isFault,
  NO_PROPERTIES,
  type Packet,
  type Properties,
  type Publish,
  publishOf,
  type Qos,
  type SubscriptionRequest,
  type Taken,
  type Version,
  type Will,
} from "../../src/protocol/index.ts";
import type { BrokerHarness } from "./broker-harness.ts";

/** What of a CONNECT is not at its default: clean start, no keep-alive, no will. */
export interface ConnectOptions {
  readonly version?: Version;
  readonly cleanStart?: boolean;
  readonly keepAliveSeconds?: number;
  readonly will?: Partial<Omit<Will, "payload">> & { readonly payload?: string };
  readonly username?: string;
  readonly password?: string;
  readonly properties?: Properties;
  /** Whether it answers by itself what QoS 1 and 2 ask for; true. */
  readonly acknowledges?: boolean;
}

/** What of a PUBLISH is not at its default: QoS 0, not retained. */
export interface PublishOptions {
  readonly qos?: Qos;
  readonly retain?: boolean;
  readonly dup?: boolean;
  /** Given by the client when it is absent. */
  readonly packetId?: number;
  readonly properties?: Properties;
}

/** What of a Subscription is not at its default: QoS 2, no option set. */
export interface SubscribeOptions extends Partial<Omit<SubscriptionRequest, "topicFilter">> {
  readonly id?: number;
}

/** Bytes of a text. */
export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** A payload as text. */
export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** One client on one connection. */
export class TestClient {
  readonly version: Version;
  readonly link: Link;
  /** Packets that came and have not been looked at. */
  readonly received: Packet[] = [];
  /** The CONNACK, once it is there. */
  connack: Connack | null = null;
  /** Whether the broker has closed the connection, or the network has. */
  isClosed = false;
  /** Whether what QoS 1 and 2 ask for is answered at once. */
  acknowledges = true;
  #connection: Connection | null = null;
  readonly #harness: BrokerHarness;
  readonly #framer: Framer = new Framer(Number.POSITIVE_INFINITY);
  #aliases: InboundAliases = new InboundAliases(0);
  #outbox: Uint8Array[] = [];
  #inbox: Uint8Array[] = [];
  #inboxBytes = 0;
  #isPaused = false;
  #isClosing = false;
  #isReading = true;
  #hex: string[] = [];
  #wirePublishes: Publish[] = [];
  #lastPacketId = 0;

  constructor(harness: BrokerHarness, version: Version) {
    this.#harness = harness;
    this.version = version;
    this.link = {
      remoteAddress: "127.0.0.1:50000",
      write: (taken) => this.#write(taken),
      close: () => {
        this.#isClosing = true;
      },
      pause: () => {
        this.#isPaused = true;
      },
      resume: () => {
        this.#isPaused = false;
      },
    };
  }

  attach(connection: Connection): void {
    this.#connection = connection;
  }

  get connection(): Connection {
    return this.#connection!;
  }

  /** Whether the broker has asked not to be sent anything now. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  #write({ segments, spent }: Taken): number {
    for (const segment of segments) {
      this.#inbox.push(segment.slice());
      this.#inboxBytes += segment.length;
    }
    if (spent !== null) this.#harness.recycle(this, spent);
    return this.#isReading ? 0 : this.#inboxBytes;
  }

  /** Hands over what waits in both directions; false when there was nothing to do. */
  turn(): boolean {
    const isBusy = this.#takeInbox() || this.#sendOutbox();
    if (isBusy || !this.#isClosing || this.isClosed) return isBusy;
    this.isClosed = true;
    this.connection.closed(false);
    return true;
  }

  #sendOutbox(): boolean {
    if (this.#outbox.length === 0 || this.#isPaused || this.#isClosing) return false;
    const outbox = this.#outbox;
    this.#outbox = [];
    for (const chunk of outbox) this.connection.receive(chunk);
    return true;
  }

  #takeInbox(): boolean {
    if (this.#inbox.length === 0 || !this.#isReading) return false;
    const inbox = this.#inbox;
    this.#inbox = [];
    this.#inboxBytes = 0;
    for (const chunk of inbox) {
      this.#hex.push(Buffer.from(chunk).toString("hex"));
      this.#framer.push(chunk);
      while (this.#framer.next() === "packet") this.#take(this.#framer.bytes, this.#framer.start, this.#framer.end);
    }
    return true;
  }

  #take(bytes: Uint8Array, start: number, end: number): void {
    const packet = decodePacket(bytes, start, end, this.version, "server");
    if (isFault(packet)) throw new Error(`the broker sent a packet that is not legal: ${packet.message}`);
    if (packet.type === "CONNACK") this.connack = packet;
    if (packet.type === "PUBLISH") this.#resolveAlias(packet);
    this.received.push(packet);
    if (this.acknowledges) this.#answer(packet);
  }

  #resolveAlias(packet: Publish): void {
    this.#wirePublishes.push(publishOf(packet));
    const { topicAlias } = packet.properties;
    if (topicAlias === undefined) return;
    const topicName = this.#aliases.resolve(topicAlias, packet.topicName);
    assert.ok(topicName, `the broker used the alias ${topicAlias}, which stands for nothing`);
    packet.topicName = topicName;
  }

  #answer(packet: Packet): void {
    if (packet.type === "PUBLISH" && packet.qos === 1) this.#acknowledge("PUBACK", packet.packetId);
    else if (packet.type === "PUBLISH" && packet.qos === 2) this.#acknowledge("PUBREC", packet.packetId);
    else if (packet.type === "PUBREC" && packet.reasonCode < 0x80) this.#acknowledge("PUBREL", packet.packetId);
    else if (packet.type === "PUBREL") this.#acknowledge("PUBCOMP", packet.packetId);
  }

  #acknowledge(type: Acknowledgement["type"], packetId: number, reasonCode: number = 0): void {
    this.#outbox.push(encodePacket({ type, packetId, reasonCode, properties: NO_PROPERTIES }, this.version));
  }

  /** Stops (false) or goes on (true) taking bytes from the network, as a slow receiver does. */
  setReading(isReading: boolean): void {
    this.#isReading = isReading;
    if (isReading) {
      this.#takeInbox();
      this.connection.drained();
    }
    this.#harness.settleUnlessHeld();
  }

  /** Sends bytes as they are. */
  sendBytes(...chunks: Uint8Array[]): void {
    this.#outbox.push(...chunks);
    this.#harness.settleUnlessHeld();
  }

  /** Sends bytes given in hexadecimal; blanks are ignored. */
  sendHex(hex: string): void {
    this.sendBytes(new Uint8Array(Buffer.from(hex.replaceAll(" ", ""), "hex")));
  }

  /** Sends packets, all in one chunk. */
  send(...packets: Packet[]): void {
    this.sendBytes(new Uint8Array(Buffer.concat(packets.map((packet) => encodePacket(packet, this.version)))));
  }

  /** Sends CONNECT and returns the answer; null: there was none. */
  connect(clientId: string, options: ConnectOptions = {}): Connack | null {
    const { acknowledges = true, properties = NO_PROPERTIES } = options;
    this.acknowledges = acknowledges;
    this.#aliases = new InboundAliases(properties.topicAliasMaximum ?? 0);
    this.send(connectOf(this.version, clientId, options));
    if (this.received[0]?.type === "CONNACK") this.received.shift();
    return this.connack;
  }

  /** A packet identifier of its own that it has not used for long. */
  nextPacketId(): number {
    this.#lastPacketId = (this.#lastPacketId % 65_535) + 1;
    return this.#lastPacketId;
  }

  /** Publishes and returns the packet identifier, 0 at QoS 0. */
  publish(topicName: string, payload: string | Uint8Array = "", options: PublishOptions = {}): number {
    const { qos = 0, retain = false, dup = false, properties = NO_PROPERTIES } = options;
    const packetId = qos === 0 ? 0 : (options.packetId ?? this.nextPacketId());
    const bytes = typeof payload === "string" ? bytesOf(payload) : payload;
    this.send(publishOf({ topicName, payload: bytes, qos, retain, dup, packetId, properties }));
    return packetId;
  }

  /** Subscribes and returns the reason codes; what comes after the SUBACK is left in `received`. */
  subscribe(topicFilters: string | readonly string[], options: SubscribeOptions = {}): readonly number[] {
    this.sendSubscribe(topicFilters, options);
    return this.#extract("SUBACK").reasonCodes;
  }

  /** Sends a SUBSCRIBE and returns its packet identifier. */
  sendSubscribe(topicFilters: string | readonly string[], options: SubscribeOptions = {}): number {
    const { id, qos = 2, noLocal = false, retainAsPublished = false, retainHandling = 0 } = options;
    const filters = typeof topicFilters === "string" ? [topicFilters] : topicFilters;
    const packetId = this.nextPacketId();
    this.send({
      type: "SUBSCRIBE",
      packetId,
      subscriptions: filters.map((topicFilter) => ({ topicFilter, qos, noLocal, retainAsPublished, retainHandling })),
      properties: id === undefined ? NO_PROPERTIES : { subscriptionIdentifiers: [id] },
    });
    return packetId;
  }

  /** Unsubscribes and returns the reason codes. */
  unsubscribe(...topicFilters: string[]): readonly number[] {
    this.sendUnsubscribe(...topicFilters);
    return this.#extract("UNSUBACK").reasonCodes;
  }

  /** Sends an UNSUBSCRIBE and returns its packet identifier. */
  sendUnsubscribe(...topicFilters: string[]): number {
    const packetId = this.nextPacketId();
    this.send({ type: "UNSUBSCRIBE", packetId, topicFilters, properties: NO_PROPERTIES });
    return packetId;
  }

  /** Sends one acknowledgement. */
  acknowledge(type: Acknowledgement["type"], packetId: number, reasonCode: number = 0): void {
    this.#acknowledge(type, packetId, reasonCode);
    this.#harness.settleUnlessHeld();
  }

  /** Says goodbye. */
  disconnect(reasonCode: number = 0, properties: Properties = NO_PROPERTIES): void {
    this.send({ type: "DISCONNECT", reasonCode, properties });
  }

  /** Goes without a word: its network is gone. */
  drop(): void {
    if (this.isClosed) return;
    this.isClosed = this.#isClosing = true;
    this.connection.closed(false);
    this.#harness.settleUnlessHeld();
  }

  #extract<Type extends Packet["type"]>(type: Type): Extract<Packet, { type: Type }> {
    const at = this.received.findIndex((packet) => packet.type === type);
    assert.ok(at >= 0, `no ${type} came, but ${JSON.stringify(this.received.map(described))}`);
    return this.received.splice(at, 1)[0] as Extract<Packet, { type: Type }>;
  }

  /** Takes the next packet, which must be a `type`. */
  expect<Type extends Packet["type"]>(type: Type): Extract<Packet, { type: Type }> {
    const packet = this.received.shift();
    assert.equal(packet === undefined ? "nothing" : described(packet).split(" ")[0], type);
    return packet as Extract<Packet, { type: Type }>;
  }

  /** Takes everything that came, each packet in short: "PUBLISH a/b=text q1 m3", "PUBACK m1 0x10", "DISCONNECT 0x8e". */
  trace(): string[] {
    return this.received.splice(0).map(described);
  }

  /** Takes everything that came and returns the PUBLISH packets among it. */
  publishes(): Publish[] {
    return this.received.splice(0).filter((packet) => packet.type === "PUBLISH");
  }

  /** Takes the PUBLISH packets that came since the last call, with the topic as it was sent: empty where an alias stood for it. */
  wirePublishes(): Publish[] {
    return this.#wirePublishes.splice(0);
  }

  /** Takes everything that came and returns the payloads of the PUBLISH packets among it, as text. */
  payloads(): string[] {
    return this.publishes().map(({ payload }) => textOf(payload));
  }

  /** Takes the bytes that came since the last call, in hexadecimal. */
  hex(): string {
    return this.#hex.splice(0).join("");
  }
}

/** A whole CONNECT. */
export function connectOf(version: Version, clientId: string, options: ConnectOptions = {}): Connect {
  const { will, username, password } = options;
  return {
    type: "CONNECT",
    version,
    bridge: false,
    cleanStart: options.cleanStart ?? true,
    keepAliveSeconds: options.keepAliveSeconds ?? 0,
    clientId,
    will:
      will === undefined
        ? null
        : {
            topicName: "will",
            qos: 0,
            retain: false,
            properties: NO_PROPERTIES,
            ...will,
            payload: bytesOf(will.payload ?? "gone"),
          },
    username: username ?? null,
    password: password === undefined ? null : bytesOf(password),
    properties: options.properties ?? NO_PROPERTIES,
  };
}

/** A packet in short. */
export function described(packet: Packet): string {
  switch (packet.type) {
    case "PUBLISH": {
      const { topicName, payload, qos, retain, dup, packetId } = packet;
      const id = packetId === 0 ? "" : ` m${packetId}`;
      return `PUBLISH ${topicName}=${textOf(payload)} q${qos}${dup ? " dup" : ""}${retain ? " retain" : ""}${id}`;
    }
    case "SUBACK":
    case "UNSUBACK":
      return `${packet.type} m${packet.packetId} ${packet.reasonCodes.map(hexadecimal).join(" ")}`.trimEnd();
    case "PUBACK":
    case "PUBREC":
    case "PUBREL":
    case "PUBCOMP":
      return `${packet.type} m${packet.packetId}${packet.reasonCode === 0 ? "" : ` ${hexadecimal(packet.reasonCode)}`}`;
    case "CONNACK":
      return `CONNACK ${hexadecimal(packet.reasonCode)}${packet.sessionPresent ? " present" : ""}`;
    case "DISCONNECT":
    case "AUTH":
      return `${packet.type} ${hexadecimal(packet.reasonCode)}`;
    default:
      return packet.type;
  }
}

function hexadecimal(code: number): string {
  return `0x${code.toString(16).padStart(2, "0")}`;
}
