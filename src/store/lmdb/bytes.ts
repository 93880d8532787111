/** Reading and writing numbers and texts in records, and their checksum. */
import { crc32 as zlibCrc32 } from "node:zlib";

const encoder = new TextEncoder();
// A text may begin with U+FEFF.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const FIRST_BYTES = 65_536;
/** UTF-8 takes at most so many bytes for one unit of a JavaScript string. */
const MOST_UTF8 = 3;

/** Six bytes, big-endian. */
export function uint48At(bytes: Uint8Array, at: number): number {
  const high = (bytes[at]! << 8) | bytes[at + 1]!;
  return high * 0x1_0000_0000 + uint32At(bytes, at + 2);
}

/** Four bytes, big-endian. */
export function uint32At(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

/** Two bytes, big-endian. */
export function uint16At(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

/** Writes four bytes, big-endian. */
export function putUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** Writes six bytes, big-endian. */
export function putUint48(bytes: Uint8Array, at: number, value: number): void {
  const high = Math.floor(value / 0x1_0000_0000);
  bytes[at] = high >>> 8;
  bytes[at + 1] = high;
  putUint32(bytes, at + 2, value);
}

/** A key of one number. */
export function uint48Key(value: number): Uint8Array {
  const key = new Uint8Array(6);
  putUint48(key, 0, value);
  return key;
}

/** Texts up to this length are mostly ASCII, and then made faster than by a decoder. */
const SHORT_TEXT = 48;

export function textOf(bytes: Uint8Array): string {
  if (bytes.length > SHORT_TEXT) return decoder.decode(bytes);
  for (let i = 0; i < bytes.length; i++) if (bytes[i]! > 127) return decoder.decode(bytes);
  return String.fromCharCode.apply(null, bytes as unknown as number[]);
}

export function utf8Of(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Writes one after another into a buffer that grows. */
export class ByteWriter {
  bytes: Uint8Array<ArrayBuffer>;
  at = 0;

  constructor(buffer: ArrayBuffer = new ArrayBuffer(FIRST_BYTES)) {
    this.bytes = new Uint8Array(buffer);
  }

  /** Makes room for `count` bytes. */
  reserve(count: number): void {
    if (this.at + count <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.at + count));
    grown.set(this.bytes.subarray(0, this.at));
    this.bytes = grown;
  }

  uint8(value: number): void {
    this.reserve(1);
    this.bytes[this.at++] = value;
  }

  uint16(value: number): void {
    this.reserve(2);
    this.bytes[this.at++] = value >>> 8;
    this.bytes[this.at++] = value;
  }

  uint32(value: number): void {
    this.reserve(4);
    putUint32(this.bytes, this.at, value);
    this.at += 4;
  }

  uint48(value: number): void {
    this.reserve(6);
    putUint48(this.bytes, this.at, value);
    this.at += 6;
  }

  float64(value: number): void {
    this.reserve(8);
    new DataView(this.bytes.buffer).setFloat64(this.at, value);
    this.at += 8;
  }

  put(source: Uint8Array): void {
    this.reserve(source.length);
    this.bytes.set(source, this.at);
    this.at += source.length;
  }

  /** Writes `text` in UTF-8 and returns how many bytes that took. */
  text(text: string): number {
    this.reserve(text.length * MOST_UTF8);
    const { written } = encoder.encodeInto(text, this.bytes.subarray(this.at));
    this.at += written;
    return written;
  }

  /** Writes `text` behind its length in two bytes. */
  sizedText(text: string): void {
    this.uint16(0);
    const start = this.at;
    const length = this.text(text);
    this.bytes[start - 2] = length >>> 8;
    this.bytes[start - 1] = length;
  }
}

/** Reads one after another. What is missing at the end reads as 0 or as less; the checksum was right, so nothing is. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at: number;
  readonly #end: number;

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
  }

  uint8(): number {
    return this.#bytes[this.#at++]!;
  }

  uint16(): number {
    this.#at += 2;
    return uint16At(this.#bytes, this.#at - 2);
  }

  uint32(): number {
    this.#at += 4;
    return uint32At(this.#bytes, this.#at - 4);
  }

  uint48(): number {
    this.#at += 6;
    return uint48At(this.#bytes, this.#at - 6);
  }

  float64(): number {
    this.#at += 8;
    const { buffer, byteOffset } = this.#bytes;
    return new DataView(buffer, byteOffset).getFloat64(this.#at - 8);
  }

  sizedText(): string {
    const length = this.uint16();
    this.#at += length;
    return textOf(this.#bytes.subarray(this.#at - length, this.#at));
  }

  /** A view of what is left. */
  rest(): Uint8Array {
    return this.#bytes.subarray(this.#at, this.#end);
  }
}

/** Up to this many bytes, our own loop takes less time than the call of zlib. */
const LONGEST_IN_LOOP = 192;

const CRC_TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb8_8320 : crc >>> 1;
  return crc;
});

/** What a byte comes to when one, two and three more have followed it: four bytes are taken at once so, in half the time. */
const CRC_TABLE_1 = CRC_TABLE.map(followed);
const CRC_TABLE_2 = CRC_TABLE_1.map(followed);
const CRC_TABLE_3 = CRC_TABLE_2.map(followed);

function followed(crc: number): number {
  return (crc >>> 8) ^ CRC_TABLE[crc & 255]!;
}

/** CRC-32 of `bytes[from..to)`, going on from `crc`. */
export function crc32(bytes: Uint8Array, from: number, to: number, crc: number = 0): number {
  if (to - from > LONGEST_IN_LOOP) return zlibCrc32(bytes.subarray(from, to), crc);
  let c = ~crc;
  let i = from;
  for (; i + 4 <= to; i += 4) {
    c ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    c = CRC_TABLE_3[c & 255]! ^ CRC_TABLE_2[(c >>> 8) & 255]! ^ CRC_TABLE_1[(c >>> 16) & 255]! ^ CRC_TABLE[c >>> 24]!;
  }
  for (; i < to; i++) c = CRC_TABLE[(c ^ bytes[i]!) & 255]! ^ (c >>> 8);
  return ~c >>> 0;
}
