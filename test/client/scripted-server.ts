// A server that says exactly what a test tells it to, on a socket of the loopback, and shows each byte that a client sent.
import type { AddressInfo, Server, Socket } from "node:net";
import {
  type Connack,
  decodePacket,
  encodePacket,
  Framer,
  isFault,
  NO_PROPERTIES,
  type Packet,
  type Version,
} from "../../src/protocol/index.ts";
import type { Ending } from "../support/ending.ts";
import { startListening } from "../support/listening.ts";

/** How long a packet may take to come. */
const LIMIT_MS = 20_000;

/** One connection of a client. */
export class ScriptedPeer {
  readonly #socket: Socket;
  readonly #version: Version;
  readonly #framer: Framer = new Framer(Number.POSITIVE_INFINITY);
  readonly #packets: { readonly packet: Packet; readonly hex: string }[] = [];
  #wake: () => void = () => {};

  constructor(socket: Socket, version: Version) {
    this.#socket = socket;
    this.#version = version;
    socket.on("error", () => {});
    socket.on("close", () => this.#wake());
    socket.on("data", (chunk: Uint8Array) => this.#take(chunk));
  }

  #take(chunk: Uint8Array): void {
    this.#framer.push(chunk);
    while (this.#framer.next() === "packet") {
      const bytes = this.#framer.bytes.slice(this.#framer.start, this.#framer.end);
      const packet = decodePacket(new Uint8Array(bytes), 0, bytes.length, this.#version, "client");
      // Not MQTT, as when TLS comes here: nothing to wait for.
      if (isFault(packet)) return;
      this.#packets.push({ packet, hex: Buffer.from(bytes).toString("hex") });
    }
    this.#wake();
  }

  get isClosed(): boolean {
    return this.#socket.destroyed || this.#socket.readableEnded;
  }

  async #until(isReady: () => boolean, what: string): Promise<void> {
    const limit = AbortSignal.timeout(LIMIT_MS);
    while (!isReady()) {
      if (limit.aborted || (this.isClosed && what !== "end")) throw new Error(`no ${what} came`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        limit.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  }

  /** The next packet of the client in hexadecimal. */
  async hex(): Promise<string> {
    await this.#until(() => this.#packets.length > 0, "packet");
    return this.#packets.shift()!.hex;
  }

  /** The next packet, which must be of `type`. */
  async expect<Type extends Packet["type"]>(type: Type): Promise<Packet & { type: Type }> {
    await this.#until(() => this.#packets.length > 0, type);
    const { packet } = this.#packets.shift()!;
    if (packet.type !== type) throw new Error(`${packet.type} came, not ${type}`);
    return packet as Packet & { type: Type };
  }

  /** Packets that have come and were not asked for. */
  get waiting(): readonly Packet["type"][] {
    return this.#packets.map(({ packet }) => packet.type);
  }

  send(...packets: Packet[]): void {
    this.sendBytes(Buffer.concat(packets.map((packet) => encodePacket(packet, this.#version))));
  }

  sendBytes(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  sendHex(hex: string): void {
    this.sendBytes(Buffer.from(hex.replaceAll(" ", ""), "hex"));
  }

  /** Takes the CONNECT and lets the client in. */
  async accept(connack: Partial<Connack> = {}): Promise<Extract<Packet, { type: "CONNECT" }>> {
    const connect = await this.expect("CONNECT");
    this.send({ type: "CONNACK", sessionPresent: false, reasonCode: 0, properties: NO_PROPERTIES, ...connack });
    return connect;
  }

  acknowledge(type: "PUBACK" | "PUBREC" | "PUBREL" | "PUBCOMP", packetId: number, reasonCode: number = 0): void {
    this.send({ type, packetId, reasonCode, properties: NO_PROPERTIES });
  }

  /** Closes without a word. */
  drop(): void {
    this.#socket.destroy();
  }

  /** Waits until the client has closed. */
  async closed(): Promise<void> {
    await this.#until(() => this.isClosed, "end");
  }
}

/** A server whose every word is scripted. */
export class ScriptedServer {
  readonly version: Version;
  readonly #server: Server;
  readonly #peers: ScriptedPeer[] = [];
  #wake: () => void = () => {};

  constructor(server: Server, version: Version) {
    this.#server = server;
    this.version = version;
    server.on("connection", (socket) => {
      this.#peers.push(new ScriptedPeer(socket, version));
      this.#wake();
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  /** The next connection. */
  async next(): Promise<ScriptedPeer> {
    while (this.#peers.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#peers.shift()!;
  }
}

/** A scripted server for one test. */
export async function startScripted(context: Ending, version: Version = 4): Promise<ScriptedServer> {
  return new ScriptedServer(await startListening(context), version);
}
