/** A conversation with a broker, packet by packet: said and awaited in order, acknowledgements of what arrives included. */
import type { Link } from "../core/index.ts";
import {
  type Connack,
  type Connect,
  decodePacket,
  encodePacket,
  Framer,
  isFault,
  type Packet,
  type PacketName,
  type Publish,
  type Version,
} from "../protocol/index.ts";
import type { Connector, LinkSeeker } from "../transport/index.ts";

/** What kept an answer from coming. */
export class ConversationError extends Error {
  override readonly name: string = "ConversationError";
  /** The network's, when it has one. */
  override readonly cause: Error | undefined;
  readonly kind: "silence" | "closed" | "not MQTT" | "disconnected";
  /** Of the broker's DISCONNECT. */
  readonly reasonCode: number | null;

  constructor(kind: ConversationError["kind"], message: string, cause?: Error, reasonCode: number | null = null) {
    super(message);
    this.kind = kind;
    this.cause = cause;
    this.reasonCode = reasonCode;
  }
}

/** The packets that can have a type: four acknowledgements are one interface. */
type PacketOf<Name extends PacketName> = Packet extends infer Kind
  ? Kind extends { readonly type: infer Type }
    ? Name extends Type
      ? Kind
      : never
    : never
  : never;

/** Largest packet that is taken, in bytes: retained messages of others are not asked for. */
const MOST_BYTES = 1_048_576;

/** One connection. */
export class Conversation implements LinkSeeker {
  readonly version: Version;
  readonly #timeoutMs: number;
  readonly #framer: Framer = new Framer(MOST_BYTES);
  readonly #received: { readonly packet: Packet; readonly atMs: number }[] = [];
  #link: Link | null = null;
  #wake: () => void = () => {};
  #end: ConversationError | null = null;
  #giveUp: () => void = () => {};

  private constructor(version: Version, timeoutMs: number) {
    this.version = version;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Opens the network, sends `connect` and waits for CONNACK, whatever it says.
   * @throws ConversationError
   */
  static async open(
    connector: Connector,
    connect: Connect,
    timeoutMs: number,
  ): Promise<{ readonly conversation: Conversation; readonly connack: Connack }> {
    const conversation = new Conversation(connect.version, timeoutMs);
    conversation.#giveUp = connector.connect(conversation);
    try {
      await conversation.#until(() => conversation.#link, "a connection");
      conversation.send(connect);
      const { packet } = await conversation.expect("CONNACK");
      return { conversation, connack: packet };
    } catch (error) {
      conversation.drop();
      throw error;
    }
  }

  opened(link: Link): void {
    this.#link = link;
    this.#wake();
  }

  receive(chunk: Uint8Array): void {
    this.#framer.push(chunk);
    for (;;) {
      const framed = this.#framer.next();
      if (framed === "packet") this.#take();
      else {
        if (framed !== "more") this.#ended(new ConversationError("not MQTT", "what came is no packet of MQTT"));
        break;
      }
    }
    this.#wake();
  }

  #take(): void {
    const { start, end } = this.#framer;
    const packet = decodePacket(this.#framer.bytes.slice(), start, end, this.version, "server");
    if (isFault(packet)) return this.#ended(new ConversationError("not MQTT", packet.message));
    if (packet.type === "DISCONNECT") {
      const { reasonCode } = packet;
      this.#ended(new ConversationError("disconnected", "the broker ended the connection", undefined, reasonCode));
      return;
    }
    this.#acknowledge(packet);
    this.#received.push({ packet, atMs: performance.now() });
  }

  /** What a receiver of messages answers [5.0 §4.3]. */
  #acknowledge(packet: Packet): void {
    const answer = { reasonCode: 0, properties: {} };
    if (packet.type === "PUBLISH" && packet.qos > 0)
      this.send({ type: packet.qos === 1 ? "PUBACK" : "PUBREC", packetId: packet.packetId, ...answer });
    if (packet.type === "PUBREL") this.send({ type: "PUBCOMP", packetId: packet.packetId, ...answer });
  }

  drained(): void {}

  recycle(): void {}

  closed(_isError: boolean, error?: Error): void {
    this.#ended(new ConversationError("closed", error?.message ?? "the broker closed the connection", error));
  }

  #ended(error: ConversationError): void {
    this.#end ??= error;
    this.#wake();
  }

  /** Sends a packet. */
  send(packet: Packet): void {
    if (this.#end === null) this.#link?.write({ segments: [encodePacket(packet, this.version)], spent: null });
  }

  /**
   * The next packet of a type, and when it came; others that came before stay for who expects them.
   * @throws ConversationError when it does not come
   */
  expect<Name extends PacketName>(
    type: Name,
    fits: (packet: PacketOf<Name>) => boolean = () => true,
  ): Promise<{ readonly packet: PacketOf<Name>; readonly atMs: number }> {
    return this.#until(() => {
      const index = this.#received.findIndex(({ packet }) => packet.type === type && fits(packet as PacketOf<Name>));
      if (index < 0) return null;
      const [{ packet, atMs }] = this.#received.splice(index, 1) as [{ packet: Packet; atMs: number }];
      return { packet: packet as PacketOf<Name>, atMs };
    }, type);
  }

  /** The next message on a topic. */
  message(topicName: string): Promise<{ readonly packet: Publish; readonly atMs: number }> {
    return this.expect("PUBLISH", (packet) => packet.topicName === topicName);
  }

  /** Resolves after `ms`, or rejects when the connection ends before. */
  async idle(ms: number): Promise<void> {
    const endAtMs = performance.now() + ms;
    await this.#until(() => (performance.now() >= endAtMs ? true : null), "", ms);
  }

  #until<Found>(look: () => Found | null, what: string, idleMs?: number): Promise<Found> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        this.#wake = () => {};
        act();
      };
      const check = (): void => {
        const found = look();
        if (found !== null) settle(() => resolve(found));
        else if (this.#end !== null) settle(() => reject(this.#end));
      };
      const late = (): void => {
        check();
        settle(() =>
          reject(new ConversationError("silence", `${what} did not come within ${this.#timeoutMs / 1000} s`)),
        );
      };
      const timer = setTimeout(late, idleMs === undefined ? this.#timeoutMs : idleMs + 1);
      this.#wake = check;
      check();
    });
  }

  /** Says DISCONNECT and closes. */
  end(): void {
    this.send({ type: "DISCONNECT", reasonCode: 0, properties: {} });
    this.#close();
  }

  /** Closes without a word. */
  drop(): void {
    this.#close();
  }

  #close(): void {
    this.#giveUp();
    this.#link?.close();
    this.#end ??= new ConversationError("closed", "closed here");
  }
}
