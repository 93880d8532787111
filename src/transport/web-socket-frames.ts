/**
 * The frames that a client sends over a WebSocket, taken apart in place [RFC 6455 §5]: the payloads in one chunk of bytes are
 * unmasked and moved together, so that MQTT sees them as one chunk, however many frames they came in. Nothing waits here but the head
 * of a frame and a control frame, both bounded.
 */

/** Kinds of frames. */
export const Opcode = {
  continuation: 0x0,
  text: 0x1,
  binary: 0x2,
  close: 0x8,
  ping: 0x9,
  pong: 0xa,
} as const;

/** Codes of an end [RFC 6455 §7.4.1]. */
export const CloseCode = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  unsupportedData: 1003,
  tooBig: 1009,
} as const;

/** Who gets what is in the frames. */
export interface FrameSink {
  /** Payload of data frames; may refer to the chunk that came in. */
  onData(payload: Uint8Array): void;
  onPing(payload: Uint8Array): void;
  /** The client closes; `code` null: it gave none. */
  onClose(code: number | null): void;
  /** The client's mistake: nothing is read any more. */
  onFault(code: number, message: string): void;
}

const FIN = 0x80;
const RESERVED = 0x70;
const MASKED = 0x80;
const LONGEST_CONTROL_BYTES = 125;
/** Bytes of the longest head: two, the length's eight, the mask's four. */
const LONGEST_HEAD_BYTES = 14;
/** Longest frame that is taken, in bytes: far more than any packet of MQTT. */
const LONGEST_FRAME_BYTES = 0xffff_ffff;

/** Takes the frames of one client apart. */
export class FrameReader {
  readonly #sink: FrameSink;
  readonly #head: Uint8Array = new Uint8Array(LONGEST_HEAD_BYTES);
  #headBytes = 0;
  /** What of the frame under way is still to come, in bytes. */
  #left = 0;
  #opcode = 0;
  readonly #mask: Uint8Array = new Uint8Array(4);
  /** Which byte of the mask is next. */
  #maskAt = 0;
  #isInFrame = false;
  /** Whether a message goes on in the next data frame. */
  #isFragmented = false;
  #control: number[] | null = null;
  #isOver = false;
  /** To be told of once what came before it has been handed on. */
  #fault: { readonly code: number; readonly message: string } | null = null;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Takes bytes as read; they belong to the reader from now on. */
  push(chunk: Uint8Array): void {
    let at = 0;
    // The payloads found so far lie together, from `start` to `end`.
    let start = 0;
    let end = 0;
    while (at < chunk.length && !this.#isOver) {
      if (!this.#isInFrame) {
        at = this.#readHead(chunk, at);
        if (!this.#isInFrame) continue;
        if (this.#opcode >= Opcode.close && end > start) {
          // What came before a control frame is handed on before it.
          this.#sink.onData(chunk.subarray(start, end));
          start = end;
        }
      }
      const taken = Math.min(this.#left, chunk.length - at);
      if (this.#opcode >= Opcode.close) {
        this.#takeControl(chunk, at, taken);
      } else {
        if (end === start) start = end = at;
        this.#unmask(chunk, at, end, taken);
        end += taken;
      }
      at += taken;
      this.#left -= taken;
      if (this.#left === 0) this.#endFrame();
    }
    if (end > start) this.#sink.onData(chunk.subarray(start, end));
    const fault = this.#fault;
    this.#fault = null;
    if (fault !== null) this.#sink.onFault(fault.code, fault.message);
  }

  /** Gathers a head from `at` on; returns where it ends, or the end of the chunk. */
  #readHead(chunk: Uint8Array, at: number): number {
    const head = this.#head;
    let next = at;
    while (next < chunk.length) {
      head[this.#headBytes++] = chunk[next++]!;
      if (this.#headBytes < 2) continue;
      const short = head[1]! & 0x7f;
      const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
      if (this.#headBytes === 2 && !this.#isAllowed(head[0]!, head[1]!)) return chunk.length;
      if (this.#headBytes < 2 + lengthBytes + 4) continue;
      this.#beginFrame(short, lengthBytes);
      break;
    }
    return next;
  }

  #isAllowed(first: number, second: number): boolean {
    const opcode = first & 0x0f;
    const isControl = opcode >= Opcode.close;
    const isFinal = (first & FIN) !== 0;
    if ((first & RESERVED) !== 0) return this.#refuse("a reserved bit is set, and no extension was agreed upon");
    if ((second & MASKED) === 0) return this.#refuse("a frame of a client that is not masked");
    if (isControl && (!isFinal || (second & 0x7f) > LONGEST_CONTROL_BYTES))
      return this.#refuse("a control frame that is fragmented or longer than 125 bytes");
    switch (opcode) {
      case Opcode.binary:
        return this.#isFragmented ? this.#refuse("a new message within another one") : true;
      case Opcode.continuation:
        return this.#isFragmented ? true : this.#refuse("a continuation of no message");
      case Opcode.text:
        // MQTT is binary [5.0 MQTT-6.0.0-1] [3.1.1 MQTT-6.0.0-1].
        return this.#refuse("a text frame, and MQTT is binary", CloseCode.unsupportedData);
      case Opcode.close:
      case Opcode.ping:
      case Opcode.pong:
        return true;
      default:
        return this.#refuse(`a frame of the unknown kind ${opcode}`);
    }
  }

  #refuse(message: string, code: number = CloseCode.protocolError): false {
    this.#isOver = true;
    this.#fault = { code, message };
    return false;
  }

  #beginFrame(short: number, lengthBytes: number): void {
    const head = this.#head;
    let length = lengthBytes === 0 ? short : 0;
    for (let i = 0; i < lengthBytes; i++) length = length * 256 + head[2 + i]!;
    if (length > LONGEST_FRAME_BYTES) {
      this.#refuse(`a frame of ${length} bytes`, CloseCode.tooBig);
      return;
    }
    for (let i = 0; i < 4; i++) this.#mask[i] = head[2 + lengthBytes + i]!;
    this.#opcode = head[0]! & 0x0f;
    if (this.#opcode < Opcode.close) this.#isFragmented = (head[0]! & FIN) === 0;
    this.#headBytes = 0;
    this.#maskAt = 0;
    this.#left = length;
    this.#isInFrame = true;
  }

  /** Unmasks `count` bytes at `from` and puts them to `to`, which does not lie behind. */
  #unmask(chunk: Uint8Array, from: number, to: number, count: number): void {
    const mask = this.#mask;
    const at = this.#maskAt;
    const m0 = mask[at & 3]!;
    const m1 = mask[(at + 1) & 3]!;
    const m2 = mask[(at + 2) & 3]!;
    const m3 = mask[(at + 3) & 3]!;
    let read = from;
    let write = to;
    for (const fours = from + (count & ~3); read < fours; read += 4, write += 4) {
      chunk[write] = chunk[read]! ^ m0;
      chunk[write + 1] = chunk[read + 1]! ^ m1;
      chunk[write + 2] = chunk[read + 2]! ^ m2;
      chunk[write + 3] = chunk[read + 3]! ^ m3;
    }
    if (read < from + count) chunk[write++] = chunk[read++]! ^ m0;
    if (read < from + count) chunk[write++] = chunk[read++]! ^ m1;
    if (read < from + count) chunk[write] = chunk[read]! ^ m2;
    this.#maskAt = (at + count) & 3;
  }

  #takeControl(chunk: Uint8Array, at: number, count: number): void {
    this.#control ??= [];
    for (let i = 0; i < count; i++) this.#control.push(chunk[at + i]! ^ this.#mask[(this.#maskAt + i) & 3]!);
    this.#maskAt = (this.#maskAt + count) & 3;
  }

  #endFrame(): void {
    this.#isInFrame = false;
    if (this.#opcode < Opcode.close) return;
    const payload = Uint8Array.from(this.#control ?? []);
    this.#control = null;
    if (this.#opcode === Opcode.ping) this.#sink.onPing(payload);
    if (this.#opcode === Opcode.close) this.#endByClient(payload);
  }

  #endByClient(payload: Uint8Array): void {
    if (payload.length === 1) {
      this.#refuse("a close frame with half a code");
      return;
    }
    this.#isOver = true;
    this.#sink.onClose(payload.length === 0 ? null : payload[0]! * 256 + payload[1]!);
  }
}

/** The head of a frame of a server: whole and not masked [RFC 6455 §5.1]. */
export function frameHead(opcode: number, length: number): Uint8Array {
  if (length <= LONGEST_CONTROL_BYTES) return Uint8Array.of(FIN | opcode, length);
  if (length <= 0xffff) return Uint8Array.of(FIN | opcode, 126, length >> 8, length & 0xff);
  const head = new Uint8Array(10);
  head[0] = FIN | opcode;
  head[1] = 127;
  new DataView(head.buffer).setUint32(6, length);
  return head;
}
