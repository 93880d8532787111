/** Writes the fields of one packet into a buffer that grows. For packets off the hot path; PUBLISH has its own encoder. */
import { MqttError } from "./errors.ts";
import { ReasonCode } from "./reason-codes.ts";
import { encodeUtf8, isEncodable } from "./utf8.ts";

/** Largest Remaining Length [5.0 §2.1.4]. */
export const MAXIMUM_REMAINING_LENGTH = 268_435_455;

/** Number of bytes of `value` as a Variable Byte Integer [5.0 §1.5.5]. */
export function varintBytes(value: number): 1 | 2 | 3 | 4 {
  return value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : 4;
}

/** Writes `value` at `offset` and returns the offset behind it. The caller has made sure of the room and the range. */
export function putVarint(bytes: Uint8Array, offset: number, value: number): number {
  let rest = value;
  let at = offset;
  while (rest > 127) {
    bytes[at++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  bytes[at++] = rest;
  return at;
}

/** Fields in order, then `packet` puts the fixed header before them. */
export class Writer {
  #bytes: Uint8Array = new Uint8Array(64);
  // Room for the fixed header, so that a packet is made without moving its body.
  #length = 5;

  #room(count: number): number {
    const at = this.#length;
    const needed = at + count;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
    }
    this.#length = needed;
    return at;
  }

  u8(value: number): void {
    const at = this.#room(1);
    this.#bytes[at] = value;
  }

  u16(value: number): void {
    const at = this.#room(2);
    this.#bytes[at] = value >>> 8;
    this.#bytes[at + 1] = value;
  }

  u32(value: number): void {
    this.u16(Math.floor(value / 65_536));
    this.u16(value % 65_536);
  }

  varint(value: number): void {
    const at = this.#room(varintBytes(value));
    putVarint(this.#bytes, at, value);
  }

  raw(value: Uint8Array): void {
    const at = this.#room(value.length);
    this.#bytes.set(value, at);
  }

  /** @throws MqttError when `value` is longer than 65,535 bytes */
  binary(value: Uint8Array): void {
    if (value.length > 65_535) {
      throw new MqttError(
        ReasonCode.MalformedPacket,
        `a field of ${value.length} bytes; at most 65,535 are allowed [5.0 §1.5.6]`,
      );
    }
    this.u16(value.length);
    this.raw(value);
  }

  /** @throws MqttError when `text` holds U+0000 or a lone surrogate, or is longer than 65,535 bytes */
  utf8(text: string): void {
    if (!isEncodable(text)) {
      throw new MqttError(ReasonCode.MalformedPacket, "a string holds U+0000 or a lone surrogate [5.0 §1.5.4]");
    }
    this.binary(encodeUtf8(text));
  }

  /** Opens a part whose length stands before it; `endLength` with what this returns closes it. */
  beginLength(): number {
    this.#room(1);
    return this.#length;
  }

  endLength(mark: number): void {
    const length = this.#length - mark;
    const extra = varintBytes(length) - 1;
    if (extra > 0) {
      this.#room(extra);
      this.#bytes.copyWithin(mark + extra, mark, mark + length);
    }
    putVarint(this.#bytes, mark - 1, length);
  }

  /** The fields written so far, without a fixed header. */
  fields(): Uint8Array {
    return this.#bytes.subarray(5, this.#length);
  }

  /**
   * The whole packet, with `firstByte` (type and flags) and the Remaining Length before the fields written so far.
   * @throws MqttError when it is longer than the protocol allows
   */
  packet(firstByte: number): Uint8Array {
    const remaining = this.#length - 5;
    if (remaining > MAXIMUM_REMAINING_LENGTH) {
      throw new MqttError(
        ReasonCode.PacketTooLarge,
        `a packet of ${remaining} bytes; at most 268,435,455 are allowed [5.0 §2.1.4]`,
      );
    }
    const start = 4 - varintBytes(remaining);
    this.#bytes[start] = firstByte;
    putVarint(this.#bytes, start + 1, remaining);
    return this.#bytes.subarray(start, this.#length);
  }
}
