// A client over TLS that subscribes once, acknowledges what comes and checks that it comes in sequence. Knows nothing of certificates.
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import * as wire from "./wire.ts";

/** Where and as whom it connects. */
export interface TlsDeviceOptions {
  readonly port: number;
  readonly clientId: string;
  readonly version: wire.Version;
  readonly tls: ConnectionOptions;
}

const LIMIT_MS = 60_000;
const PAYLOAD_BYTES = 4;

export class TlsDevice {
  /** What the broker showed; by its common name. */
  readonly serverName: string;
  /** Sequence number of the last message; the first is 1, or any for one that subscribes while messages flow. */
  last = 0;
  /** Messages that came out of sequence. */
  wrong = 0;
  /** Why the connection has ended; null while it lasts. */
  end: string | null = null;
  readonly #socket: TLSSocket;
  readonly #version: wire.Version;
  #rest: Buffer = Buffer.alloc(0);
  #acknowledged = 0;
  #isLate = false;
  #waiting: { readonly type: number; resolve(): void; reject(error: Error): void } | null = null;

  private constructor(socket: TLSSocket, version: wire.Version) {
    this.#socket = socket;
    this.#version = version;
    this.serverName = String(socket.getPeerCertificate().subject?.CN);
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("error", (error) => this.#ended(error.message));
    socket.on("close", () => this.#ended("closed by the broker"));
  }

  /** Resolves when the broker has accepted it; rejects when the handshake or the CONNECT is refused. */
  static async connect({ port, clientId, version, tls }: TlsDeviceOptions): Promise<TlsDevice> {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...tls });
    await new Promise<void>((resolve, reject) => {
      socket.once("secureConnect", resolve);
      socket.once("error", reject);
      socket.once("close", () => reject(new Error("closed by the broker")));
    });
    const device = new TlsDevice(socket, version);
    const accepted = device.#answer(wire.CONNACK);
    socket.write(wire.encodeConnect({ version, clientId, isClean: true }));
    await accepted;
    return device;
  }

  /** @param isLate whether messages flow already */
  async subscribe(topicFilter: string, isLate: boolean = false): Promise<void> {
    this.#isLate = isLate;
    const granted = this.#answer(wire.SUBACK);
    this.#socket.write(wire.encodeSubscribe(this.#version, 1, topicFilter, 1));
    await granted;
  }

  /** PUBACKs received. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Publishes the message of that sequence number, at QoS 1. */
  publish(topicName: string, sequence: number): void {
    const payload = Buffer.alloc(PAYLOAD_BYTES);
    payload.writeUInt32BE(sequence);
    const packetId = ((sequence - 1) % 65_535) + 1;
    this.#socket.write(wire.encodePublish({ version: this.#version, topicName, qos: 1, packetId, payload }));
  }

  /** Goes, and nobody is told. */
  leave(): void {
    this.#socket.removeAllListeners("close");
    this.#socket.destroy();
  }

  #ended(reason: string): void {
    this.end ??= reason;
    this.#waiting?.reject(new Error(reason));
    this.#waiting = null;
  }

  #answer(type: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no packet of type ${type} came`)), LIMIT_MS);
      const done = (settle: () => void): void => {
        clearTimeout(timer);
        settle();
      };
      this.#waiting = { type, resolve: () => done(resolve), reject: (error) => done(() => reject(error)) };
    });
  }

  #receive(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (;;) {
      const length = wire.packetBytes(bytes, at, bytes.length);
      if (length <= 0 || at + length > bytes.length) break;
      let body = at + 1;
      while ((bytes[body++] as number) >= 128); // past the Remaining Length
      this.#take((bytes[at] as number) >> 4, bytes.subarray(body, at + length));
      at += length;
    }
    this.#rest = Buffer.from(bytes.subarray(at));
  }

  #take(type: number, body: Buffer): void {
    if (type === wire.PUBACK) this.#acknowledged++;
    else if (type === wire.PUBLISH) this.#deliver(body);
    if (this.#waiting?.type !== type) return;
    // The reason or return code of a CONNACK is its second byte.
    if (type === wire.CONNACK && body[1] !== 0) this.#waiting.reject(new Error(`CONNACK ${body[1]}`));
    else this.#waiting.resolve();
    this.#waiting = null;
  }

  #deliver(body: Buffer): void {
    const packetId = body.readUInt16BE(2 + body.readUInt16BE(0));
    const sequence = body.readUInt32BE(body.length - PAYLOAD_BYTES);
    if (sequence !== this.last + 1 && !(this.#isLate && this.last === 0)) this.wrong++;
    this.last = sequence;
    this.#socket.write(wire.encodeAck(wire.PUBACK, packetId));
  }
}
