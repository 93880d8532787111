/**
 * Runs captured connections through the protocol machines and names the first broken rule of each side. Both ends are judged by the
 * machine that would have received their bytes.
 */
import { ClientMachine, type Fault, OutputPool, type Packet, ServerMachine } from "../protocol/index.ts";
import { type Segment, segmentsOf } from "./capture-reader.ts";

/** What one captured connection showed. */
export interface Replayed {
  /** "ADDRESS:PORT". */
  readonly client: string;
  readonly server: string;
  /** Milliseconds since 1970. */
  readonly fromMs: number;
  readonly packets: readonly ReplayedPacket[];
  /** null: every packet was as it must be. */
  readonly broken: BrokenRule | null;
  /** Bytes that the capture lacks. */
  readonly missingBytes: number;
  /** The packet within which the capture ends; null: none. */
  readonly unfinished: UnfinishedPacket | null;
}

/** A packet of which only a part was captured: as when the other side closes because it is too large. */
export interface UnfinishedPacket {
  readonly by: "client" | "server";
  readonly firstByte: number;
  /** As its header says, with the header. */
  readonly bytes: number;
  readonly cameBytes: number;
}

/** A packet that was sent. */
export interface ReplayedPacket {
  readonly by: "client" | "server";
  readonly atMs: number;
  readonly packet: Packet;
}

/** The first rule that was broken. */
export interface BrokenRule {
  readonly by: "client" | "server";
  readonly atMs: number;
  readonly fault: Fault;
}

const ALL_BYTES = 268_435_460;
const NEVER_MS = 2 ** 52;
/** MQTT 3.1.1, no matter: the server's machine learns it from the CONNECT. */
const FIRST_BYTE_OF_CONNECT = 0x10;

/** Judges all MQTT connections of a capture. Throws CaptureError for a file that is none. */
export function replay(file: Uint8Array): readonly Replayed[] {
  const conversations = new Map<string, Conversation>();
  for (const segment of segmentsOf(file)) {
    const key = [segment.from, segment.to].sort().join(" ");
    let conversation = conversations.get(key);
    if (conversation === undefined) conversations.set(key, (conversation = new Conversation()));
    conversation.take(segment);
  }
  return [...conversations.values()].flatMap((conversation) => conversation.result() ?? []);
}

/** The bytes of one side in their order. */
class Side {
  #next: number | null = null;
  readonly #early: Map<number, Segment> = new Map();

  /** Takes a segment and returns what is next, in order: those that came before their time wait. */
  take(segment: Segment): Segment[] {
    if (segment.isFirst || this.#next === null) this.#next = segment.sequence;
    if (segment.bytes.length > 0) this.#early.set(segment.sequence, segment);
    const ready: Segment[] = [];
    for (let next = this.#early.get(this.#next); next !== undefined; next = this.#early.get(this.#next)) {
      this.#early.delete(this.#next);
      this.#next = (this.#next + next.bytes.length) >>> 0;
      ready.push(next);
    }
    return ready;
  }

  /** Bytes that came behind a hole. */
  get waitingBytes(): number {
    let bytes = 0;
    for (const segment of this.#early.values())
      if ((segment.sequence - (this.#next ?? 0)) >>> 0 < 2 ** 31) bytes += segment.bytes.length;
    return bytes;
  }
}

/** One TCP connection. */
class Conversation {
  readonly #sides: Map<string, Side> = new Map();
  readonly #pool = new OutputPool((bytes) => new Uint8Array(bytes));
  readonly #atServer = new ServerMachine(
    { maximumConnectBytes: ALL_BYTES, connectTimeoutMs: NEVER_MS, pool: this.#pool },
    0,
  );
  /** Made when CONNECT has said what the client takes. */
  #atClient: ClientMachine | null = null;
  readonly #packets: ReplayedPacket[] = [];
  #client: string | null = null;
  #server = "";
  #fromMs = 0;
  #broken: BrokenRule | null = null;

  take(segment: Segment): void {
    let side = this.#sides.get(segment.from);
    if (side === undefined) this.#sides.set(segment.from, (side = new Side()));
    for (const next of side.take(segment)) this.#read(next);
  }

  #read({ from, to, bytes, atMs }: Segment): void {
    if (this.#client === null) {
      // Whoever says CONNECT is the client; what begins otherwise is not MQTT, or was captured from its middle.
      if (bytes[0] !== FIRST_BYTE_OF_CONNECT) return;
      this.#client = from;
      this.#server = to;
      this.#fromMs = atMs;
    }
    if (this.#broken !== null) return;
    if (from === this.#client) this.#readClient(bytes, atMs);
    else this.#readServer(bytes, atMs);
  }

  #readClient(bytes: Uint8Array, atMs: number): void {
    const machine = this.#atServer;
    machine.receive(bytes, atMs);
    for (let event = machine.next(); event !== null; event = machine.next()) {
      if (event.type === "ENDED") {
        if (event.fault !== null) this.#broken ??= { by: "client", atMs, fault: event.fault };
        return;
      }
      this.#packets.push({ by: "client", atMs, packet: event });
      if (event.type === "CONNECT") {
        const maximumPacketSize = event.properties.maximumPacketSize ?? ALL_BYTES;
        const options = { maximumPacketSize, connackTimeoutMs: NEVER_MS, topicAliases: 0, pool: this.#pool };
        this.#atClient = new ClientMachine(options, atMs);
        this.#atClient.open(event, atMs);
        this.#atClient.takeOutput();
      }
      // What is not answered yet is decided by the CONNACK that follows.
      if (machine.canChallenge && event.type === "AUTH") machine.challenge(undefined, NEVER_MS);
    }
  }

  #readServer(bytes: Uint8Array, atMs: number): void {
    const machine = this.#atClient;
    if (machine === null) return;
    machine.receive(bytes, atMs);
    for (let event = machine.next(); event !== null; event = machine.next()) {
      if (event.type === "ENDED") {
        if (event.fault !== null && event.reason !== "server-disconnected")
          this.#broken ??= { by: "server", atMs, fault: event.fault };
        return;
      }
      this.#packets.push({ by: "server", atMs, packet: event });
      if (event.type === "CONNACK" && event.reasonCode === 0) this.#accepted(event, atMs);
    }
  }

  /** From here on the client is held to what the server granted. */
  #accepted({ sessionPresent, properties }: Extract<Packet, { type: "CONNACK" }>, atMs: number): void {
    this.#atServer.accept(
      {
        sessionPresent,
        properties,
        keepAliveSeconds: 0,
        maximumPacketSize: properties.maximumPacketSize ?? ALL_BYTES,
        topicAliasMaximum: properties.topicAliasMaximum ?? 0,
      },
      atMs,
    );
    this.#atServer.takeOutput();
    this.#readClient(new Uint8Array(0), atMs);
  }

  #unfinished(): UnfinishedPacket | null {
    const [client, server] = [this.#atServer.unfinished, this.#atClient?.unfinished ?? null];
    if (client !== null) return { by: "client", ...client };
    return server === null ? null : { by: "server", ...server };
  }

  result(): Replayed | null {
    if (this.#client === null) return null;
    let missingBytes = 0;
    for (const side of this.#sides.values()) missingBytes += side.waitingBytes;
    return {
      client: this.#client,
      server: this.#server,
      fromMs: this.#fromMs,
      packets: this.#packets,
      broken: this.#broken,
      missingBytes,
      unfinished: this.#broken === null ? this.#unfinished() : null,
    };
  }
}
