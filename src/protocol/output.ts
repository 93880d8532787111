/**
 * What a connection has to write, joined until its owner takes it: system calls cost more than everything else, so there is one
 * write for all packets of a turn. Small packets are copied together. Bytes that lie next to each other in a chunk that was read
 * (messages that are passed on unchanged) are only referred to, as one range, and never copied.
 */

/** Ranges from here on are written by reference even between other packets; shorter ones are copied. */
const REFERENCE_BYTES = 8192;

const SIZES = [1024, 8192, 65_536, 262_144] as const;
/** Most bytes that the pool keeps of each size for the next turns. */
const POOLED_BYTES_PER_SIZE = 4_194_304;

/** Buffers for output that are used again; one for all connections of a broker, so that idle ones hold none. */
export class OutputPool {
  readonly #free: Uint8Array[][] = SIZES.map(() => []);
  readonly #allocate: (bytes: number) => Uint8Array;

  /** @param allocate makes a buffer of that many bytes; it need not be cleared */
  constructor(allocate: (bytes: number) => Uint8Array = (bytes) => new Uint8Array(bytes)) {
    this.#allocate = allocate;
  }

  /** A buffer of at least `bytes` bytes, with any content. */
  take(bytes: number): Uint8Array {
    for (let i = 0; i < SIZES.length; i++) {
      if (bytes <= SIZES[i]!) return this.#free[i]!.pop() ?? this.#allocate(SIZES[i]!);
    }
    return this.#allocate(bytes);
  }

  /** Takes a buffer back that nobody refers to any more. */
  give(buffer: Uint8Array): void {
    for (let i = 0; i < SIZES.length; i++) {
      if (buffer.length !== SIZES[i]) continue;
      const free = this.#free[i]!;
      if (free.length * buffer.length < POOLED_BYTES_PER_SIZE) free.push(buffer);
      return;
    }
  }
}

/** Bytes to write, in order. */
export class Output {
  readonly #pool: OutputPool;
  /** The buffer that packets are copied into, and how far it is filled and already part of `#segments`. */
  buffer: Uint8Array | null = null;
  #filled = 0;
  #sealed = 0;
  #segments: Uint8Array[] | null = null;
  /** Full buffers that the segments refer to, to be given back once written. */
  #spent: Uint8Array[] | null = null;
  // A range of somebody else's bytes that may still grow.
  #source: Uint8Array | null = null;
  #from = 0;
  #to = 0;
  /** Bytes not yet taken. */
  length = 0;

  constructor(pool: OutputPool) {
    this.#pool = pool;
  }

  /** Makes room for `count` bytes at the end and returns where in `buffer` they go; the caller fills them all at once. */
  reserve(count: number): number {
    if (this.#source !== null) this.#settle();
    const buffer = this.buffer;
    if (buffer === null || this.#filled + count > buffer.length) this.#moreRoom(count);
    const at = this.#filled;
    this.#filled = at + count;
    this.length += count;
    return at;
  }

  #moreRoom(count: number): void {
    const buffer = this.buffer;
    const filled = this.#filled;
    if (buffer !== null && filled - this.#sealed > REFERENCE_BYTES) {
      this.#seal();
      this.#spend(buffer);
      this.buffer = this.#pool.take(Math.max(count, buffer.length));
      this.#filled = this.#sealed = 0;
      return;
    }
    // Move what is not sealed yet into a larger buffer, so that it is written in one piece.
    const kept = filled - this.#sealed;
    const larger = this.#pool.take(Math.max(kept + count, (buffer?.length ?? 0) * 2));
    if (buffer !== null) {
      larger.set(buffer.subarray(this.#sealed, filled));
      if (this.#sealed > 0) this.#spend(buffer);
      else this.#pool.give(buffer);
    }
    this.buffer = larger;
    this.#filled = kept;
    this.#sealed = 0;
  }

  #spend(buffer: Uint8Array): void {
    this.#spent ??= [];
    this.#spent.push(buffer);
  }

  /** Appends a copy of `bytes`. */
  append(bytes: Uint8Array): void {
    const at = this.reserve(bytes.length);
    this.buffer!.set(bytes, at);
  }

  /** Appends `source[from..to)`, which must never change. Nothing is copied while one range continues the last. */
  appendRange(source: Uint8Array, from: number, to: number): void {
    if (source === this.#source && from === this.#to) {
      this.#to = to;
      this.length += to - from;
      return;
    }
    if (this.#source !== null) this.#settle();
    this.#source = source;
    this.#from = from;
    this.#to = to;
    this.length += to - from;
  }

  /** Ends the pending range: a long one becomes a segment of its own, a short one is copied. */
  #settle(): void {
    const source = this.#source!;
    const from = this.#from;
    const count = this.#to - from;
    this.#source = null;
    if (count >= REFERENCE_BYTES) {
      this.#seal();
      this.#push(source.subarray(from, from + count));
      return;
    }
    this.length -= count;
    const at = this.reserve(count);
    copyBytes(source, from, from + count, this.buffer!, at);
  }

  /** Makes what has been copied since the last segment a segment. */
  #seal(): void {
    if (this.#filled > this.#sealed) this.#push(this.buffer!.subarray(this.#sealed, this.#filled));
    this.#sealed = this.#filled;
  }

  #push(segment: Uint8Array): void {
    this.#segments ??= [];
    this.#segments.push(segment);
  }

  /**
   * All bytes in order and empties the output; null when there are none. The buffers go back to the pool when the caller
   * passes `spent` to `recycle` after the bytes have left.
   */
  take(): Taken | null {
    if (this.length === 0) return null;
    this.length = 0;
    const source = this.#source;
    if (source !== null && this.#segments === null && this.#filled === this.#sealed) {
      // Only one range: write it where it lies.
      this.#source = null;
      return { segments: [source.subarray(this.#from, this.#to)], spent: null };
    }
    if (source !== null) {
      this.#settle();
      this.length = 0;
    }
    this.#seal();
    const segments = this.#segments!;
    const spent = this.#spent ?? [];
    if (this.buffer !== null) spent.push(this.buffer);
    this.buffer = this.#segments = this.#spent = null;
    this.#filled = this.#sealed = 0;
    return { segments, spent };
  }

  /** Gives buffers of a `take` back whose bytes have left the process. */
  recycle(spent: readonly Uint8Array[]): void {
    for (const buffer of spent) this.#pool.give(buffer);
  }

  /** Drops everything. */
  clear(): void {
    const taken = this.take();
    if (taken?.spent) this.recycle(taken.spent);
  }
}

/** What `Output.take` hands over: bytes in order, and the buffers to `recycle` once they are written (null: none). */
export interface Taken {
  readonly segments: readonly Uint8Array[];
  readonly spent: readonly Uint8Array[] | null;
}

/** Up to here a loop beats the call of `TypedArray.set`, which needs a view for its source first (measured on Node 20). */
const LOOP_BYTES = 48;

/** Copies `source[from..to)` to `target` at `at`. */
export function copyBytes(source: Uint8Array, from: number, to: number, target: Uint8Array, at: number): void {
  if (to - from > LOOP_BYTES) {
    target.set(source.subarray(from, to), at);
    return;
  }
  for (let i = from, j = at; i < to; i++, j++) target[j] = source[i]!;
}
