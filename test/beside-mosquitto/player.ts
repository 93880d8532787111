// One connection of a situation: it sends what it is told, and keeps a transcript of everything that the broker does.
import { once } from "node:events";
import { createConnection, type NetConnectOpts, type Socket } from "node:net";
import {
  decodePacket,
  encodePacket,
  Framer,
  isFault,
  NO_PROPERTIES,
  type Packet,
  type Properties,
  publishOf,
  type Qos,
  type SubscriptionRequest,
  type Version,
} from "../../src/protocol/index.ts";
import { bytesOfHex, hexOf } from "../support/hex.ts";
import { bytesOf, type ConnectOptions, connectOf } from "../support/test-client.ts";
import { packetText } from "./packet-text.ts";

/** How long a packet, or the end of the connection, may take to come. */
const LIMIT_MS = 10_000;

/** What of a PUBLISH is not at its default: QoS 0, not retained, not a duplicate. */
export interface PlayedPublish {
  readonly qos?: Qos;
  readonly retain?: boolean;
  readonly dup?: boolean;
  readonly packetId?: number;
  readonly properties?: Properties;
}

/** What of a Subscription is not at its default: QoS 2, no option set. */
export type PlayedSubscribe = Partial<Omit<SubscriptionRequest, "topicFilter">> & { readonly id?: number };

/** One connection. What it waits for is over as well when the broker closes the connection. */
export class Player {
  /** Each packet that came, and "closed". */
  readonly transcript: string[] = [];
  /** Whether QoS 1 and 2 are answered by themselves. */
  answers: boolean;
  readonly version: Version;
  readonly #socket: Socket;
  readonly #framer: Framer = new Framer(Number.POSITIVE_INFINITY);
  readonly #wakes: Set<() => void> = new Set();
  #packets = 0;
  #looked = 0;
  #ownPings = 0;
  #lastPacketId = 0;
  #isClosed = false;

  private constructor(socket: Socket, version: Version, answers: boolean) {
    this.#socket = socket;
    this.version = version;
    this.answers = answers;
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#isClosed = true;
      this.transcript.push("closed");
      this.#wake();
    });
    socket.on("data", (chunk: Uint8Array) => this.#take(chunk));
  }

  /** Opens a connection and says nothing. */
  static async open(to: NetConnectOpts, version: Version = 4, answers: boolean = true): Promise<Player> {
    const socket = createConnection(to).setNoDelay();
    const player = new Player(socket, version, answers);
    await Promise.race([once(socket, "connect"), once(socket, "close")]);
    return player;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  #wake(): void {
    for (const wake of [...this.#wakes]) wake();
  }

  #take(chunk: Uint8Array): void {
    this.#framer.push(chunk);
    while (this.#framer.next() === "packet") {
      const bytes = this.#framer.bytes.slice(this.#framer.start, this.#framer.end);
      const packet = decodePacket(bytes, 0, bytes.length, this.version, "server");
      this.#packets++;
      if (isFault(packet)) this.transcript.push(`broken ${hexOf(bytes)}`);
      else this.#heard(packet);
    }
    this.#wake();
  }

  #heard(packet: Packet): void {
    if (packet.type === "PINGRESP" && this.#ownPings > 0) {
      this.#ownPings--;
      return;
    }
    this.transcript.push(packetText(packet));
    if (this.answers) this.#answer(packet);
  }

  #answer(packet: Packet): void {
    if (packet.type === "PUBLISH" && packet.qos > 0)
      this.acknowledge(packet.qos === 1 ? "PUBACK" : "PUBREC", packet.packetId);
    else if (packet.type === "PUBREL") this.acknowledge("PUBCOMP", packet.packetId);
    else if (packet.type === "PUBREC" && packet.reasonCode < 0x80) this.acknowledge("PUBREL", packet.packetId);
  }

  async #until(isDone: () => boolean): Promise<void> {
    const deadline = Date.now() + LIMIT_MS;
    while (!isDone()) {
      const left = deadline - Date.now();
      if (left <= 0)
        throw new Error(`Nothing more came within ${LIMIT_MS / 1000} s. So far:\n${this.transcript.join("\n")}`);
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          this.#wakes.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, left);
        this.#wakes.add(wake);
      });
    }
  }

  /** Waits for `count` more packets than have been waited for. */
  async packets(count: number = 1): Promise<void> {
    this.#looked += count;
    await this.#until(() => this.#packets >= this.#looked || this.#isClosed);
  }

  /** Waits until the transcript has `count` lines: an answer that waits for a disk comes after one that does not. */
  async lines(count: number): Promise<void> {
    await this.#until(() => this.transcript.length >= count);
  }

  /** Waits until the transcript has a line that `isIt`. */
  async line(isIt: (line: string) => boolean): Promise<void> {
    await this.#until(() => this.transcript.some(isIt) || this.#isClosed);
  }

  /** Waits for the broker to close the connection. */
  async closed(): Promise<void> {
    await this.#until(() => this.#isClosed);
  }

  /** Waits until the broker has answered all that was sent before. */
  async settle(): Promise<void> {
    if (this.#isClosed) return;
    this.#ownPings++;
    this.send({ type: "PINGREQ" });
    await this.#until(() => this.#ownPings === 0 || this.#isClosed);
    this.#looked = this.#packets;
  }

  send(...packets: readonly Packet[]): void {
    for (const packet of packets) this.#write(encodePacket(packet, this.version));
  }

  /** Sends these bytes, given in hexadecimal. */
  bytes(hex: string): void {
    this.#write(bytesOfHex(hex));
  }

  #write(bytes: Uint8Array): void {
    if (this.#socket.destroyed || this.#socket.writableEnded) return;
    // All of a turn at once: a later write to a connection that the broker ends would lose what it said before.
    this.#socket.cork();
    this.#socket.write(bytes);
    process.nextTick(() => this.#socket.uncork());
  }

  /** Sends CONNECT and waits for its answer. */
  async connect(clientId: string, options: ConnectOptions = {}): Promise<void> {
    this.send(connectOf(this.version, clientId, options));
    await this.packets();
  }

  /** Subscribes and waits for the answer to it, and for retained messages that come before it. */
  async subscribe(topicFilters: string | readonly string[], options: PlayedSubscribe = {}): Promise<void> {
    const { id, qos = 2, noLocal = false, retainAsPublished = false, retainHandling = 0 } = options;
    const filters = typeof topicFilters === "string" ? [topicFilters] : topicFilters;
    this.send({
      type: "SUBSCRIBE",
      packetId: ++this.#lastPacketId,
      subscriptions: filters.map((topicFilter) => ({ topicFilter, qos, noLocal, retainAsPublished, retainHandling })),
      properties: id === undefined ? NO_PROPERTIES : { subscriptionIdentifiers: [id] },
    });
    await this.settle();
  }

  async unsubscribe(...topicFilters: readonly string[]): Promise<void> {
    this.send({ type: "UNSUBSCRIBE", packetId: ++this.#lastPacketId, topicFilters, properties: NO_PROPERTIES });
    await this.settle();
  }

  /** Publishes and waits until the broker has answered; at QoS 2 until PUBREC. */
  async publish(topicName: string, payload: string, options: PlayedPublish = {}): Promise<void> {
    const { qos = 0, retain = false, dup = false, properties = NO_PROPERTIES } = options;
    const packetId = qos === 0 ? 0 : (options.packetId ?? ++this.#lastPacketId);
    this.send(publishOf({ topicName, payload: bytesOf(payload), qos, retain, dup, packetId, properties }));
    await this.settle();
  }

  acknowledge(type: "PUBACK" | "PUBREC" | "PUBREL" | "PUBCOMP", packetId: number, reasonCode: number = 0): void {
    this.send({ type, packetId, reasonCode, properties: NO_PROPERTIES });
  }

  /** Says goodbye and waits for the end. */
  async disconnect(reasonCode: number = 0, properties: Properties = NO_PROPERTIES): Promise<void> {
    this.send({ type: "DISCONNECT", reasonCode, properties });
    await this.closed();
  }

  /** Ends the connection without a word, and waits until the broker has seen it. */
  async drop(): Promise<void> {
    this.#socket.end();
    await this.closed();
  }
}
