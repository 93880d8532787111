/**
 * Cuts the byte stream into packets, in place: a packet that lies whole in a chunk is never copied. Only one that crosses chunks
 * is gathered in a buffer, which grows with the bytes that arrive and never from the length that a peer claims.
 */

/**
 * Bytes of the packet that starts at `offset`; 0 when its fixed header is not complete yet, -1 when its Remaining Length has a
 * fifth byte [5.0 §1.5.5] [3.1.1 §2.2.3].
 */
export function packetLength(bytes: Uint8Array, offset: number, end: number = bytes.length): number {
  let length = 0;
  for (let i = 1; i <= 4; i++) {
    if (offset + i >= end) return 0;
    const byte = bytes[offset + i]!;
    length |= (byte & 0x7f) << ((i - 1) * 7);
    if (byte < 128) return length + i + 1;
  }
  return -1;
}

/** What `Framer.next` found. */
export type Framed = "packet" | "more" | "malformed length" | "too large";

const NOTHING = new Uint8Array(0);
const FIRST_PARTIAL_BYTES = 256;

/**
 * Packets out of chunks. After `next` said "packet" it lies in `bytes[start..end)` until the next call; after a refusal what has
 * come of the refused packet does.
 */
export class Framer {
  bytes: Uint8Array = NOTHING;
  start = 0;
  end = 0;
  /** Largest packet taken, in bytes with its fixed header; checked as soon as the header is there. */
  maximumPacketSize: number;
  /** Length that the header of a packet refused as too large says, in bytes with the header itself. */
  refusedLength = 0;
  #chunk: Uint8Array = NOTHING;
  #offset = 0;
  #partial: Uint8Array | null = null;
  #partialLength = 0;

  constructor(maximumPacketSize: number) {
    this.maximumPacketSize = maximumPacketSize;
  }

  /** Adds bytes as read; they are referred to, not copied, and must not change afterwards. */
  push(chunk: Uint8Array): void {
    const rest = this.#chunk.length - this.#offset;
    if (rest === 0) {
      this.#chunk = chunk;
      this.#offset = 0;
      return;
    }
    // Only when the caller was held up in the middle of a chunk.
    const joined = new Uint8Array(rest + chunk.length);
    joined.set(this.#chunk.subarray(this.#offset));
    joined.set(chunk, rest);
    this.#chunk = joined;
    this.#offset = 0;
  }

  /** Bytes held and not yet given out as a packet. */
  get heldBytes(): number {
    return this.#partialLength + this.#chunk.length - this.#offset;
  }

  /** Length of the packet of which only a part has come, in bytes with its fixed header; 0: none, or not known yet. */
  get awaitedLength(): number {
    return this.#partial === null ? 0 : Math.max(0, packetLength(this.#partial, 0, this.#partialLength));
  }

  /** The first byte not yet given out, or -1: it tells the type of the packet to come. */
  get firstByte(): number {
    if (this.#partial !== null) return this.#partial[0]!;
    return this.#offset < this.#chunk.length ? this.#chunk[this.#offset]! : -1;
  }

  next(): Framed {
    if (this.#partial !== null) return this.#completePartial(this.#partial);
    const chunk = this.#chunk;
    const offset = this.#offset;
    const total = packetLength(chunk, offset);
    if (total < 0 || total > this.maximumPacketSize) return this.#refuse(chunk, offset, chunk.length, total);
    if (total === 0 || offset + total > chunk.length) {
      this.#keepRest();
      return "more";
    }
    this.bytes = chunk;
    this.start = offset;
    this.end = this.#offset = offset + total;
    if (this.end === chunk.length) this.#dropChunk();
    return "packet";
  }

  #refuse(bytes: Uint8Array, start: number, end: number, total: number): Framed {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.refusedLength = total;
    return total < 0 ? "malformed length" : "too large";
  }

  #dropChunk(): void {
    this.#chunk = NOTHING;
    this.#offset = 0;
  }

  /** Forgets the packet last given out, so that an idle connection keeps no chunk alive. */
  release(): void {
    this.bytes = NOTHING;
    this.start = this.end = 0;
  }

  #keepRest(): void {
    const rest = this.#chunk.length - this.#offset;
    if (rest > 0) this.#gather(rest);
    this.#dropChunk();
  }

  /** Moves `count` bytes from the chunk to the partial packet. */
  #gather(count: number): void {
    const length = this.#partialLength + count;
    let partial = this.#partial;
    if (partial === null || length > partial.length) {
      const larger = new Uint8Array(Math.max(length, (partial?.length ?? 0) * 2, FIRST_PARTIAL_BYTES));
      if (partial !== null) larger.set(partial.subarray(0, this.#partialLength));
      partial = this.#partial = larger;
    }
    partial.set(this.#chunk.subarray(this.#offset, this.#offset + count), this.#partialLength);
    this.#partialLength = length;
    this.#offset += count;
  }

  #completePartial(first: Uint8Array): Framed {
    let total = packetLength(first, 0, this.#partialLength);
    while (total === 0 && this.#offset < this.#chunk.length) {
      this.#gather(1);
      total = packetLength(this.#partial!, 0, this.#partialLength);
    }
    if (total < 0 || total > this.maximumPacketSize) return this.#refuse(this.#partial!, 0, this.#partialLength, total);
    const missing = total - this.#partialLength;
    const available = this.#chunk.length - this.#offset;
    if (total === 0 || available < missing) {
      if (available > 0) this.#gather(available);
      this.#dropChunk();
      return "more";
    }
    if (missing > 0) this.#gather(missing);
    this.bytes = this.#partial!;
    this.start = 0;
    this.end = total;
    this.#partial = null;
    this.#partialLength = 0;
    if (this.#offset === this.#chunk.length) this.#dropChunk();
    return "packet";
  }
}
