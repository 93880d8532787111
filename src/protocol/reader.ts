/**
 * Reads the fields of one packet in place. The first fault sticks: later reads return neutral values and nothing remains to be
 * read, so a decoder needs to look at `fault` only once, at its end. It never throws and never reads past its limit.
 */
import type { Fault } from "./errors.ts";
import { ReasonCode } from "./reason-codes.ts";
import { decodeUtf8 } from "./utf8.ts";

/**
 * Most entries of one list in a packet: topic filters, reason codes, user properties, subscription identifiers. The protocol has
 * no bound, but a packet of 2 MB with half a million entries would keep everybody else waiting for a quarter of a second.
 */
export const MAXIMUM_LIST_ENTRIES = 8192;

/** A cursor over `bytes[offset..end)`. */
export class Reader {
  bytes: Uint8Array;
  offset: number;
  fault: Fault | null = null;
  /** Whether names with control characters or noncharacters are refused, as a receiver may [5.0 §1.5.4] [3.1.1 §1.5.3]. */
  readonly isStrict: boolean;
  /** Whether faults from now on are answered. */
  isAnswered = true;
  #end: number;

  constructor(bytes: Uint8Array, offset: number, end: number, isStrict: boolean = false) {
    this.bytes = bytes;
    this.offset = offset;
    this.#end = end;
    this.isStrict = isStrict;
  }

  /** Starts over on other bytes. */
  reset(bytes: Uint8Array, offset: number, end: number): void {
    this.bytes = bytes;
    this.offset = offset;
    this.#end = end;
    this.isAnswered = true;
    this.fault = null;
  }

  /** Bytes that remain; 0 after a fault. */
  get left(): number {
    return this.#end - this.offset;
  }

  /** Narrows what may be read to `end` and returns the limit before; after a fault nothing can be widened again. */
  limit(end: number): number {
    const before = this.#end;
    if (this.fault === null) this.#end = end;
    return before;
  }

  /** Records the first fault and leaves nothing to read. */
  fail(reasonCode: ReasonCode, message: string): void {
    if (this.fault === null)
      this.fault = this.isAnswered ? { reasonCode, message } : { reasonCode, message, isUnanswered: true };
    this.offset = this.#end;
  }

  /** As `fail`, for what the server does not answer. */
  failUnanswered(reasonCode: ReasonCode, message: string): void {
    this.isAnswered = false;
    this.fail(reasonCode, message);
  }

  /** Whether a list of `count` entries has room for one more; if not, that is the fault. */
  hasRoomFor(packet: string, count: number): boolean {
    if (count < MAXIMUM_LIST_ENTRIES) return true;
    this.fail(ReasonCode.QuotaExceeded, `${packet}: more than ${MAXIMUM_LIST_ENTRIES} entries in one list`);
    return false;
  }

  u8(): number {
    if (this.left < 1) return this.#short();
    return this.bytes[this.offset++]!;
  }

  u16(): number {
    if (this.left < 2) return this.#short();
    const value = (this.bytes[this.offset]! << 8) | this.bytes[this.offset + 1]!;
    this.offset += 2;
    return value;
  }

  u32(): number {
    const high = this.u16();
    return high * 65_536 + this.u16();
  }

  /** A Variable Byte Integer in the fewest bytes, at most four [5.0 §1.5.5] [5.0 MQTT-1.5.5-1]. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.u8();
      value |= (byte & 0x7f) << shift;
      if (byte > 0x7f) continue;
      if (byte === 0 && shift > 0)
        this.fail(ReasonCode.MalformedPacket, "a length is not in its shortest form [5.0 MQTT-1.5.5-1]");
      return value;
    }
    this.fail(ReasonCode.MalformedPacket, "a length has more than four bytes [5.0 §1.5.5]");
    return 0;
  }

  /** A UTF-8 Encoded String [5.0 §1.5.4] [3.1.1 §1.5.3]. */
  utf8(): string {
    return this.#text(ReasonCode.MalformedPacket, false);
  }

  /**
   * A string that names somebody or something: a client, a user, a topic. From a client it may hold no control character and no
   * noncharacter either. `refusal` answers one with bytes that may not be in it; null: nothing does.
   */
  name(refusal: ReasonCode | null = ReasonCode.MalformedPacket): string {
    return this.#text(refusal, this.isStrict);
  }

  #text(refusal: ReasonCode | null, isStrict: boolean): string {
    const length = this.u16();
    if (length > this.left) return this.#shortText();
    const end = this.offset + length;
    const text = decodeUtf8(this.bytes, this.offset, end, isStrict);
    if (text === null) {
      this.isAnswered &&= refusal !== null;
      this.fail(
        refusal ?? ReasonCode.MalformedPacket,
        decodeUtf8(this.bytes, this.offset, end) === null
          ? "a string is not well-formed UTF-8 or holds U+0000 [5.0 §1.5.4] [3.1.1 §1.5.3]"
          : "a name holds a control character or a noncharacter, which a server may refuse [5.0 §1.5.4] [3.1.1 §1.5.3]",
      );
      return "";
    }
    this.offset = end;
    return text;
  }

  /** Binary Data [5.0 §1.5.6]; a copy, as the chunk it came in is not kept. */
  binary(): Uint8Array {
    const length = this.u16();
    if (length > this.left) {
      this.#short();
      return EMPTY;
    }
    const value = this.bytes.slice(this.offset, this.offset + length);
    this.offset += length;
    return value;
  }

  #short(): number {
    this.fail(ReasonCode.MalformedPacket, "the packet ends within a field");
    return 0;
  }

  #shortText(): string {
    this.#short();
    return "";
  }
}

const EMPTY = new Uint8Array(0);
