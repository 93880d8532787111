// One TCP connection of a peer: cuts what comes into packets in place, joins what goes out into one write for each chunk read.
// Knows lengths and nothing else of MQTT; when the network goes, its owner hears it once.
import { connect, type Socket } from "node:net";
import { packetBytes } from "./wire.ts";

/** Who owns a link. Called for each packet: must be quick. */
export interface LinkOwner {
  /** A packet: its first byte, and its body as bytes[body..end), gone when the call returns. */
  onPacket(head: number, bytes: Buffer, body: number, end: number): void;
  /** All packets of a chunk were handled, or the socket has taken what was written. */
  onTurn(): void;
  /** The connection is gone, by whatever end; not after `cut`. */
  onGone(reason: string): void;
}

const READ_BYTES = 131_072;
/** Every link reads into this one buffer, as nothing of it is kept. */
const readBuffer = Buffer.allocUnsafe(READ_BYTES);
const FIRST_OUTPUT_BYTES = 4096;
/** What a socket may hold before its owner should not pile up more. */
const CONGESTED_BYTES = 1 << 20;

/** Where a broker listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

export class Link {
  readonly #owner: LinkOwner;
  readonly #socket: Socket;
  #out: Buffer = Buffer.allocUnsafe(FIRST_OUTPUT_BYTES);
  #outBytes = 0;
  /** The beginning of a packet whose rest has not come yet. */
  #rest: Buffer | undefined;
  #isGone = false;

  constructor({ host, port }: Address, owner: LinkOwner) {
    this.#owner = owner;
    const callback = (bytes: number): boolean => {
      this.#receive(readBuffer.subarray(0, bytes));
      return true;
    };
    this.#socket = connect({ host, port, noDelay: true, onread: { buffer: readBuffer, callback } });
    let reason = "closed by the broker";
    this.#socket.on("error", (error) => {
      reason = error.message;
    });
    this.#socket.on("close", () => this.#gone(reason));
    this.#socket.on("drain", () => this.#owner.onTurn());
  }

  #gone(reason: string): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#owner.onGone(reason);
  }

  get isCongested(): boolean {
    return this.#socket.writableLength > CONGESTED_BYTES;
  }

  /** Ends the connection as a process that is killed does: what was not handed to the network is lost. */
  cut(): void {
    this.#isGone = true;
    this.#socket.resetAndDestroy();
  }

  /** Ends it in peace; `onGone` follows. */
  end(): void {
    this.flush();
    this.#socket.end();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Appends `bytes` to the output; nothing leaves before `flush`. */
  write(bytes: Buffer): void {
    const at = this.reserve(bytes.length);
    bytes.copy(this.#out, at);
  }

  /** Makes room for `count` bytes of output and returns where in `output` they begin. */
  reserve(count: number): number {
    const at = this.#outBytes;
    if (at + count > this.#out.length) {
      const larger = Buffer.allocUnsafe((at + count) * 2);
      this.#out.copy(larger, 0, 0, at);
      this.#out = larger;
    }
    this.#outBytes = at + count;
    return at;
  }

  /** What waits for `flush`; another buffer after each `reserve`. */
  get output(): Buffer {
    return this.#out;
  }

  flush(): void {
    if (this.#outBytes === 0 || this.#isGone) return;
    this.#socket.write(this.#out.subarray(0, this.#outBytes));
    // The kernel took it all: the buffer is ours again. Otherwise the socket owns it until it is written.
    if (this.#socket.writableLength > 0) this.#out = Buffer.allocUnsafe(FIRST_OUTPUT_BYTES);
    this.#outBytes = 0;
  }

  #receive(chunk: Buffer): void {
    if (this.#isGone) return;
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = undefined;
    let offset = 0;
    while (offset < bytes.length && !this.#isGone) {
      const length = packetBytes(bytes, offset, bytes.length);
      if (length < 0) {
        this.#socket.destroy();
        this.#gone("the broker sent a malformed Remaining Length");
        return;
      }
      if (length === 0 || offset + length > bytes.length) break;
      let body = offset + 1;
      while ((bytes[body++] as number) >= 128); // past the Remaining Length
      this.#owner.onPacket(bytes[offset] as number, bytes, body, offset + length);
      offset += length;
    }
    // A copy: the chunk is a shared buffer.
    if (offset < bytes.length) this.#rest = Buffer.from(bytes.subarray(offset));
    if (this.#isGone) return;
    this.#owner.onTurn();
    this.flush();
  }
}
