// What a message carries, so that it can be told from every other and a changed byte is seen: publisher, sequence number, salt of
// the run, and a filling of pseudo-random bytes whose length and beginning follow from the sequence number.
import { Random } from "./random.ts";

const HEAD_BYTES = 12;
const NOISE_BYTES = 8192;

/** How long the filling of a message may be; each from `least` to `most` bytes, by its sequence number. */
export interface PayloadSize {
  readonly least: number;
  readonly most: number;
}

/** Makes and checks the payloads of one run. */
export class Payloads {
  readonly #salt: number;
  readonly #size: PayloadSize;
  readonly #noise: Buffer;

  constructor(salt: number, size: PayloadSize) {
    this.#salt = salt >>> 0;
    this.#size = size;
    const random = new Random(salt);
    this.#noise = Buffer.alloc(NOISE_BYTES + size.most);
    for (let at = 0; at < this.#noise.length; at++) this.#noise[at] = random.integer(0, 255);
  }

  bytes(sequence: number): number {
    const { least, most } = this.#size;
    return HEAD_BYTES + least + (sequence % (most - least + 1));
  }

  /** Writes a payload of `bytes(sequence)` bytes. */
  write(out: Buffer, at: number, publisher: number, sequence: number): void {
    out.writeUInt32LE(publisher, at);
    out.writeUInt32LE(sequence, at + 4);
    out.writeUInt32LE(this.#salt, at + 8);
    const from = (sequence * 31) % NOISE_BYTES;
    this.#noise.copy(out, at + HEAD_BYTES, from, from + this.bytes(sequence) - HEAD_BYTES);
  }

  make(publisher: number, sequence: number): Buffer {
    const payload = Buffer.alloc(this.bytes(sequence));
    this.write(payload, 0, publisher, sequence);
    return payload;
  }

  /** The sequence number of the payload bytes[at..end), or 0 when it is not as it was made. */
  sequenceOf(bytes: Buffer, at: number, end: number): number {
    if (end - at < HEAD_BYTES || bytes.readUInt32LE(at + 8) !== this.#salt) return 0;
    const sequence = bytes.readUInt32LE(at + 4);
    if (this.bytes(sequence) !== end - at) return 0;
    const from = (sequence * 31) % NOISE_BYTES;
    const length = end - at - HEAD_BYTES;
    return this.#noise.compare(bytes, at + HEAD_BYTES, end, from, from + length) === 0 ? sequence : 0;
  }

  publisherOf(bytes: Buffer, at: number): number {
    return bytes.readUInt32LE(at);
  }
}
