// One MQTT connection of the generator: parses what comes in place, joins what goes out into one write for each chunk
// read, answers the QoS 1 and 2 handshakes. Does not know what is measured; whoever measures is its listener.
import { connect, type OnReadOpts, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import * as wire from "./wire.ts";

/** Where and how all connections of a run go. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly version: wire.Version;
  readonly tls: { readonly ca: Buffer | undefined; readonly insecure: boolean } | undefined;
}

/** Hears what a connection receives. Called for each packet: must be quick. */
export interface Listener {
  /** The payload is bytes[payloadAt..end) and gone when the call returns. */
  onMessage(connection: LoadConnection, bytes: Buffer, payloadAt: number, end: number): void;
  /** A message that `connection` published at QoS 1 or 2 is done: PUBACK or PUBCOMP; `sentAtMs` as `publish` was told. */
  onAcknowledged(connection: LoadConnection, sentAtMs: number): void;
  /** All packets of a chunk were handled. */
  onTurn(): void;
}

const IGNORE: Listener = { onMessage() {}, onAcknowledged() {}, onTurn() {} };
/** Topic filters in one SUBSCRIBE or UNSUBSCRIBE. */
const FILTERS_PER_PACKET = 100;
/** SUBSCRIBE and UNSUBSCRIBE under way on one connection. */
const REQUESTS_PER_CONNECTION = 10;
/** Messages under way on one connection whose times are known; a power of two. */
const TIMED_MESSAGES = 4096;
const SHARED_READ_BYTES = 65_536;
/** Every plain connection reads into this one buffer: idle ones then own none. */
const sharedReadBuffer = Buffer.allocUnsafe(SHARED_READ_BYTES);

type Waiter = { resolve: () => void; reject: (error: Error) => void };

export class LoadConnection {
  readonly index: number;
  listener: Listener = IGNORE;
  /** Messages published, and those of QoS 1 and 2 that are acknowledged. */
  sent = 0;
  acknowledged = 0;
  /** Unacknowledged messages that the broker allows. */
  receiveMaximum = 65_535;
  readonly #socket: Socket;
  readonly #version: wire.Version;
  readonly #onFault: (error: Error) => void;
  #out: Buffer = Buffer.allocUnsafe(512);
  #outBytes = 0;
  /** The beginning of a packet whose rest has not come yet. */
  #rest: Buffer | undefined;
  #packetId = 0;
  /** When a PUBLISH was due, by the low bits of its packet identifier. */
  #sentAtMs: Float64Array | undefined;
  #connack: Waiter | undefined;
  /** Requests not yet answered, and who waits for there to be fewer. */
  #requests = 0;
  #requestWaiter: Waiter | undefined;
  #closing: (() => void) | undefined;

  /** @param onFault called when the broker closes the connection or refuses something. */
  constructor(target: Target, index: number, onFault: (error: Error) => void) {
    this.index = index;
    this.#version = target.version;
    this.#onFault = onFault;
    this.#socket = this.#open(target);
    this.#socket.setNoDelay(true);
    this.#socket.on("error", (error) => this.#fail(error));
    this.#socket.on("close", () => {
      if (this.#closing !== undefined) this.#closing();
      else this.#fail(new Error("the broker closed the connection"));
    });
  }

  #open(target: Target): Socket {
    const { host, port, tls } = target;
    if (tls !== undefined) {
      const trust = tls.ca === undefined ? {} : { ca: tls.ca };
      const socket = connectTls({ host, port, rejectUnauthorized: !tls.insecure, ...trust });
      socket.on("data", (chunk: Buffer) => this.#receive(chunk));
      return socket;
    }
    const onread: OnReadOpts = {
      buffer: sharedReadBuffer,
      callback: (bytes) => {
        this.#receive(sharedReadBuffer.subarray(0, bytes));
        return true;
      },
    };
    return connect({ host, port, onread });
  }

  /** Sends CONNECT; resolves with the CONNACK. */
  connect(clientId: string, clean = true, durable = false): Promise<void> {
    this.write(wire.encodeConnect(this.#version, clientId, clean, durable));
    this.flush();
    return new Promise((resolve, reject) => {
      this.#connack = { resolve, reject };
    });
  }

  /** Resolves when all filters are granted. */
  subscribe(filters: readonly string[], qos: number): Promise<void> {
    return this.#request(filters, (id, some) => wire.encodeSubscribe(this.#version, id, some, qos));
  }

  unsubscribe(filters: readonly string[]): Promise<void> {
    return this.#request(filters, (id, some) => wire.encodeUnsubscribe(this.#version, id, some));
  }

  async #request(filters: readonly string[], encode: (id: number, some: readonly string[]) => Buffer): Promise<void> {
    for (let from = 0; from < filters.length; from += FILTERS_PER_PACKET) {
      await this.#requestsBelow(REQUESTS_PER_CONNECTION);
      this.#requests++;
      this.write(encode(this.#nextPacketId(), filters.slice(from, from + FILTERS_PER_PACKET)));
      this.flush();
    }
    await this.#requestsBelow(1);
  }

  async #requestsBelow(limit: number): Promise<void> {
    while (this.#requests >= limit) {
      await new Promise<void>((resolve, reject) => {
        this.#requestWaiter = { resolve, reject };
      });
    }
  }

  /** Sends DISCONNECT and resolves when the connection is closed. */
  async disconnect(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#closing = resolve;
    });
    this.write(wire.encodeDisconnect());
    this.flush();
    this.#socket.end();
    await closed;
  }

  /** Closes without a word. */
  destroy(): void {
    this.#closing = () => {};
    this.#socket.destroy();
  }

  /** True when the socket has not taken what was written before: do not pile up more. */
  get isCongested(): boolean {
    return this.#socket.writableLength > 1 << 20;
  }

  /** Appends one message to the output; nothing leaves before `flush`. */
  publish(template: wire.PublishTemplate, sentAtMs: number): void {
    const { bytes, packetIdAt, payloadAt } = template;
    const at = this.#reserve(bytes.length);
    const out = this.#out;
    bytes.copy(out, at);
    this.sent++;
    if (packetIdAt > 0) {
      const packetId = this.#nextPacketId();
      out.writeUInt16BE(packetId, at + packetIdAt);
      this.#sentAtMs ??= new Float64Array(TIMED_MESSAGES);
      this.#sentAtMs[packetId % TIMED_MESSAGES] = sentAtMs;
    }
    const payloadBytes = bytes.length - payloadAt;
    if (payloadBytes >= 8) out.writeDoubleLE(sentAtMs, at + payloadAt);
    if (payloadBytes >= 16) {
      out.writeUInt32LE(this.index, at + payloadAt + 8);
      out.writeUInt32LE(this.sent >>> 0, at + payloadAt + 12);
    }
  }

  write(bytes: Buffer): void {
    const at = this.#reserve(bytes.length);
    bytes.copy(this.#out, at);
  }

  /** Hands the joined output to the socket. */
  flush(): void {
    if (this.#outBytes === 0) return;
    this.#socket.write(this.#out.subarray(0, this.#outBytes));
    // The kernel took it all: the buffer is ours again. Otherwise the socket owns it until it is written.
    if (this.#socket.writableLength > 0) this.#out = Buffer.allocUnsafe(512);
    this.#outBytes = 0;
  }

  /** Makes room for `count` bytes and returns where they begin. */
  #reserve(count: number): number {
    const at = this.#outBytes;
    if (at + count > this.#out.length) {
      const larger = Buffer.allocUnsafe((at + count) * 2);
      this.#out.copy(larger, 0, 0, at);
      this.#out = larger;
    }
    this.#outBytes = at + count;
    return at;
  }

  #nextPacketId(): number {
    this.#packetId = this.#packetId === 65_535 ? 1 : this.#packetId + 1;
    return this.#packetId;
  }

  #receive(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = undefined;
    let offset = 0;
    while (offset < bytes.length) {
      const length = wire.packetBytes(bytes, offset, bytes.length);
      if (length < 0) {
        this.#fail(new Error("the broker sent a malformed Remaining Length"));
        return;
      }
      if (length === 0 || offset + length > bytes.length) break;
      this.#packet(bytes, offset, offset + length);
      offset += length;
    }
    // A copy: the chunk is a shared buffer.
    if (offset < bytes.length) this.#rest = Buffer.from(bytes.subarray(offset));
    this.flush();
    this.listener.onTurn();
  }

  #packet(bytes: Buffer, start: number, end: number): void {
    const head = bytes[start] as number;
    let body = start + 1;
    while ((bytes[body++] as number) >= 128); // past the Remaining Length
    switch (head >> 4) {
      case wire.PUBLISH:
        this.#receivePublish(head, bytes, body, end);
        return;
      case wire.PUBACK:
      case wire.PUBCOMP:
        if (this.#isRefused(bytes, body, end)) return;
        this.acknowledged++;
        this.listener.onAcknowledged(this, this.#sentAtMs?.[bytes.readUInt16BE(body) % TIMED_MESSAGES] ?? 0);
        return;
      case wire.PUBREC:
        if (this.#isRefused(bytes, body, end)) return;
        this.#acknowledge(0x62, bytes, body); // PUBREL
        return;
      case wire.PUBREL:
        this.#acknowledge(0x70, bytes, body); // PUBCOMP
        return;
      case wire.CONNACK:
        this.#receiveConnack(bytes, body, end);
        return;
      case wire.SUBACK:
      case wire.UNSUBACK:
        this.#receiveAnswer(bytes, body, end);
        return;
      case wire.DISCONNECT:
        this.#fail(new Error(`the broker sent DISCONNECT 0x${(end > body ? (bytes[body] ?? 0) : 0).toString(16)}`));
    }
  }

  #receivePublish(head: number, bytes: Buffer, body: number, end: number): void {
    const qos = (head >> 1) & 3;
    const identifierAt = body + 2 + bytes.readUInt16BE(body);
    let at = qos > 0 ? identifierAt + 2 : identifierAt;
    if (this.#version === 5) {
      at = wire.skipVarint(bytes, at);
      at += wire.varintValue;
    }
    if (qos > 0) this.#acknowledge(qos === 1 ? 0x40 : 0x50, bytes, identifierAt); // PUBACK or PUBREC
    this.listener.onMessage(this, bytes, at, end);
  }

  /** Answers with the packet identifier at `identifierAt`. */
  #acknowledge(head: number, bytes: Buffer, identifierAt: number): void {
    const at = this.#reserve(4);
    const out = this.#out;
    out[at] = head;
    out[at + 1] = 2;
    out[at + 2] = bytes[identifierAt] as number;
    out[at + 3] = bytes[identifierAt + 1] as number;
  }

  #isRefused(bytes: Buffer, body: number, end: number): boolean {
    const code = end > body + 2 ? (bytes[body + 2] as number) : 0;
    if (code < 0x80) return false;
    this.#fail(new Error(`a PUBLISH was refused with reason code 0x${code.toString(16)}`));
    return true;
  }

  #receiveConnack(bytes: Buffer, body: number, end: number): void {
    const code = bytes[body + 1] as number;
    if (code !== 0) {
      this.#fail(new Error(`CONNACK code ${code}`));
      return;
    }
    if (this.#version === 5 && end > body + 2) this.receiveMaximum = wire.receiveMaximum(bytes, body + 2);
    this.#connack?.resolve();
    this.#connack = undefined;
  }

  #receiveAnswer(bytes: Buffer, body: number, end: number): void {
    let at = body + 2;
    if (this.#version === 5) {
      at = wire.skipVarint(bytes, at);
      at += wire.varintValue;
    }
    for (; at < end; at++) {
      const code = bytes[at] as number;
      if (code < 0x80) continue;
      this.#fail(new Error(`SUBACK or UNSUBACK code 0x${code.toString(16)}`));
      return;
    }
    this.#requests--;
    this.#requestWaiter?.resolve();
    this.#requestWaiter = undefined;
  }

  #fail(error: Error): void {
    this.#closing = () => {};
    this.#socket.destroy();
    this.#connack?.reject(error);
    this.#requestWaiter?.reject(error);
    this.#onFault(error);
  }
}
