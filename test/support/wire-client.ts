// A client on a real socket that says exactly what it is told, packet by packet, and acknowledges nothing by itself.
import { once } from "node:events";
import { createConnection, type NetConnectOpts, type Socket } from "node:net";
import {
  type Acknowledgement,
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
import { bytesOf, type ConnectOptions, connectOf } from "./test-client.ts";

/** How long a packet may take to come. */
const LIMIT_MS = 20_000;

/** What of a PUBLISH is not at its default: QoS 0, not retained. */
export interface WirePublish {
  readonly qos?: Qos;
  readonly retain?: boolean;
  readonly packetId?: number;
  readonly properties?: Properties;
}

/** What of a Subscription is not at its default: QoS 2, no option set. */
export type WireSubscribe = Partial<Omit<SubscriptionRequest, "topicFilter">> & { readonly id?: number };

/** One connection. */
export class WireClient {
  readonly version: Version;
  readonly #socket: Socket;
  readonly #framer: Framer = new Framer(Number.POSITIVE_INFINITY);
  readonly #received: Packet[] = [];
  #wake: () => void = () => {};
  #lastPacketId = 0;
  /** That of the last PUBACK or PUBREC that `publish` waited for. */
  lastReasonCode = 0;

  private constructor(socket: Socket, version: Version) {
    this.#socket = socket;
    this.version = version;
    socket.on("error", () => {});
    socket.on("close", () => this.#wake());
    socket.on("data", (chunk: Uint8Array) => {
      this.#framer.push(chunk);
      while (this.#framer.next() === "packet") {
        const packet = decodePacket(
          this.#framer.bytes.slice(),
          this.#framer.start,
          this.#framer.end,
          version,
          "server",
        );
        if (isFault(packet)) throw new Error(packet.message);
        this.#received.push(packet);
      }
      this.#wake();
    });
  }

  /** Connects, sends CONNECT and waits for a CONNACK that lets it in. */
  static async connect(to: NetConnectOpts, clientId: string, options: ConnectOptions = {}): Promise<WireClient> {
    const client = await WireClient.#open(to, clientId, options);
    const { reasonCode } = await client.expect("CONNACK");
    if (reasonCode !== 0) throw new Error(`${clientId} was not let in: ${reasonCode}`);
    return client;
  }

  /** Connects and leaves again; returns the reason code, or return code, of the CONNACK. */
  static async reasonCode(to: NetConnectOpts, clientId: string, options: ConnectOptions = {}): Promise<number> {
    const client = await WireClient.#open(to, clientId, options);
    const { reasonCode } = await client.expect("CONNACK");
    await client.drop();
    return reasonCode;
  }

  /** Connects and sends CONNECT; whoever calls looks at the CONNACK. */
  static opened(to: NetConnectOpts, clientId: string, options: ConnectOptions = {}): Promise<WireClient> {
    return WireClient.#open(to, clientId, options);
  }

  static async #open(to: NetConnectOpts, clientId: string, options: ConnectOptions): Promise<WireClient> {
    const socket = createConnection(to);
    await once(socket, "connect");
    const client = new WireClient(socket, options.version ?? 5);
    client.send(connectOf(client.version, clientId, options));
    return client;
  }

  send(...packets: Packet[]): void {
    for (const packet of packets) this.#socket.write(encodePacket(packet, this.version));
  }

  /** Waits for the next packet of `type`; others before it are left for later. */
  async expect<Type extends Packet["type"]>(type: Type): Promise<Extract<Packet, { type: Type }>> {
    const deadline = AbortSignal.timeout(LIMIT_MS);
    for (;;) {
      const at = this.#received.findIndex((packet) => packet.type === type);
      if (at >= 0) return this.#received.splice(at, 1)[0] as Extract<Packet, { type: Type }>;
      if (this.#socket.destroyed || deadline.aborted) throw new Error(`no ${type} came`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        deadline.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  }

  /** Packets of `type` that have come and not been waited for, which they are no more. */
  taken<Type extends Packet["type"]>(type: Type): Extract<Packet, { type: Type }>[] {
    const found = this.#received.filter((packet) => packet.type === type) as Extract<Packet, { type: Type }>[];
    for (const packet of found) this.#received.splice(this.#received.indexOf(packet), 1);
    return found;
  }

  #nextPacketId(): number {
    return ++this.#lastPacketId;
  }

  /** Subscribes and waits for the SUBACK, which must grant it. */
  async subscribe(topicFilter: string, options: WireSubscribe = {}): Promise<void> {
    const reasonCode = await this.trySubscribe(topicFilter, options);
    if (reasonCode > 2) throw new Error(`${topicFilter} was refused: ${reasonCode}`);
  }

  /** Unsubscribes and returns the reason code of the UNSUBACK. */
  async unsubscribe(topicFilter: string): Promise<number> {
    const packetId = this.#nextPacketId();
    this.send({ type: "UNSUBSCRIBE", packetId, topicFilters: [topicFilter], properties: NO_PROPERTIES });
    return (await this.expect("UNSUBACK")).reasonCodes[0] ?? 0;
  }

  /** Subscribes and returns the reason code of the SUBACK. */
  async trySubscribe(topicFilter: string, options: WireSubscribe = {}): Promise<number> {
    const { id, qos = 2, noLocal = false, retainAsPublished = false, retainHandling = 0 } = options;
    this.send({
      type: "SUBSCRIBE",
      packetId: this.#nextPacketId(),
      subscriptions: [{ topicFilter, qos, noLocal, retainAsPublished, retainHandling }],
      properties: id === undefined ? NO_PROPERTIES : { subscriptionIdentifiers: [id] },
    });
    return (await this.expect("SUBACK")).reasonCodes[0]!;
  }

  /** Sends PUBLISH; at QoS 1 waits for PUBACK, at QoS 2 for PUBREC, and leaves it there. Returns the packet identifier. */
  async publish(topicName: string, payload: string | Uint8Array, options: WirePublish = {}): Promise<number> {
    const { qos = 0, retain = false, properties = NO_PROPERTIES } = options;
    const packetId = qos === 0 ? 0 : (options.packetId ?? this.#nextPacketId());
    const bytes = typeof payload === "string" ? bytesOf(payload) : payload;
    this.send(publishOf({ topicName, payload: bytes, qos, retain, dup: false, packetId, properties }));
    if (qos > 0) {
      const answer = (await this.expect(qos === 1 ? "PUBACK" : "PUBREC")) as Acknowledgement;
      this.lastReasonCode = answer.reasonCode;
    }
    return packetId;
  }

  /** Sends PUBREL and waits for PUBCOMP. */
  async release(packetId: number): Promise<void> {
    this.acknowledge("PUBREL", packetId);
    await this.expect("PUBCOMP");
  }

  acknowledge(type: "PUBACK" | "PUBREC" | "PUBREL" | "PUBCOMP", packetId: number): void {
    this.send({ type, packetId, reasonCode: 0, properties: NO_PROPERTIES });
  }

  /** Stops (false) or goes on (true) reading from the network, as a slow receiver does. */
  setReading(isReading: boolean): void {
    if (isReading) this.#socket.resume();
    else this.#socket.pause();
  }

  /** Waits until the other end has taken everything that was sent before. */
  async settled(): Promise<void> {
    this.send({ type: "PINGREQ" });
    await this.expect("PINGRESP");
  }

  /** Says goodbye and waits for the end. */
  async disconnect(): Promise<void> {
    if (this.#socket.destroyed) return;
    this.send({ type: "DISCONNECT", reasonCode: 0, properties: NO_PROPERTIES });
    await this.#closed();
  }

  /** Goes without a word. */
  async drop(): Promise<void> {
    this.#socket.destroy();
    await this.#closed();
  }

  async #closed(): Promise<void> {
    if (!this.#socket.closed) await once(this.#socket, "close");
  }
}
