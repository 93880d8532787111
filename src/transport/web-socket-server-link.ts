/** A client's WebSocket as a Link: what a turn writes is one frame, and what a chunk holds is handed on as one. */
import type { Connection } from "../core/index.ts";
import type { Taken } from "../protocol/index.ts";
import { TcpLink } from "./tcp-link.ts";
import { CloseCode, FrameReader, type FrameSink, frameHead, Opcode } from "./web-socket-frames.ts";

/** Output that waits for a client from which on its pings are not answered, in bytes. */
const MOST_WAITING_BYTES = 65_536;

/** The network side of one client's connection, once its WebSocket is open. */
export class WebSocketServerLink extends TcpLink implements FrameSink {
  readonly #reader: FrameReader = new FrameReader(this);
  #connection: Connection | null = null;
  /** The last ping that is not answered yet: earlier ones need no answer [RFC 6455 §5.5.3]. */
  #pingPayload: Uint8Array | null = null;
  #isClosing = false;

  /** Hands what is received to `connection` from now on. */
  override attach(connection: Connection): void {
    this.#connection = connection;
    super.attach(connection);
  }

  override write({ segments, spent }: Taken): number {
    if (this.#isClosing) return 0;
    let length = 0;
    for (let i = 0; i < segments.length; i++) length += segments[i]!.length;
    return super.write({ segments: [frameHead(Opcode.binary, length), ...segments], spent });
  }

  override close(): void {
    this.#sayClosed(CloseCode.normal);
    super.close();
  }

  /** Bytes of the client, frames and all. */
  override received(chunk: Uint8Array): void {
    if (this.#isClosing) return;
    this.#reader.push(chunk);
    this.#answerPing();
  }

  onData(payload: Uint8Array): void {
    super.received(payload);
  }

  onPing(payload: Uint8Array): void {
    this.#pingPayload = payload;
  }

  onClose(code: number | null): void {
    this.#sayClosed(code !== null && isSayable(code) ? code : CloseCode.normal);
    this.ended(false);
  }

  onFault(code: number, message: string): void {
    this.#sayClosed(code);
    this.#connection?.failed("websocket-protocol-error", message);
  }

  protected override drained(): void {
    this.#answerPing();
    super.drained();
  }

  /** One answer for each chunk, and none while the client does not read: pings alone must not fill our memory. */
  #answerPing(): void {
    const payload = this.#pingPayload;
    if (payload === null || this.#isClosing || this.waitingBytes > MOST_WAITING_BYTES) return;
    this.#pingPayload = null;
    this.send([frameHead(Opcode.pong, payload.length), payload]);
  }

  #sayClosed(code: number): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.send([frameHead(Opcode.close, 2), Uint8Array.of(code >> 8, code & 0xff)]);
  }
}

/** Whether a close frame may have `code` [RFC 6455 §7.4]. */
function isSayable(code: number): boolean {
  return code >= 1000 && code < 5000 && ![1004, 1005, 1006, 1015].includes(code);
}
