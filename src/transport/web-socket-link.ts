/**
 * A WebSocket as a Link, at either end, in Node (`ws`) and in browsers: what a turn writes is one binary frame, and frames may end
 * anywhere in a packet [5.0 §6] [3.1.1 §6].
 */
import type { Link } from "../core/index.ts";
import type { Taken } from "../protocol/index.ts";
import type { LinkOwner } from "./link-owner.ts";
import { TransportError } from "./transport-error.ts";

/** What browsers' WebSocket and that of `ws` have in common. */
export interface AnyWebSocket {
  binaryType: string;
  readonly bufferedAmount: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  send(data: Uint8Array): void;
  close(code?: number): void;
  /** Only in `ws`. */
  pause?(): void;
  resume?(): void;
  terminate?(): void;
}

/** How often a WebSocket is asked whether its bytes have left, in milliseconds: it does not tell by itself. */
const ASK_MS = 10;

/** How long a connection that we have closed waits for the peer to do so too, in milliseconds. */
const LAST_WORDS_MS = 2000;

/** Bytes that are held for one who does not read, where the WebSocket cannot be stopped. */
const MOST_HELD_BYTES = 64 * 1024 * 1024;

/** The codes of an end that was wanted [RFC 6455 §7.4.1]. */
const WANTED_CODES = [1000, 1001, 1005];

/** The network side of one connection. */
export class WebSocketLink implements Link {
  readonly remoteAddress: string;
  readonly #socket: AnyWebSocket;
  #owner: LinkOwner | null = null;
  #drainTimer: ReturnType<typeof setTimeout> | null = null;
  #patience: ReturnType<typeof setTimeout> | null = null;
  #error: Error | null = null;
  /** What came while reading was stopped, where the WebSocket itself goes on. */
  #held: Uint8Array[] | null = null;
  #heldBytes = 0;
  #isClosing = false;

  constructor(socket: AnyWebSocket, remoteAddress: string) {
    this.#socket = socket;
    this.remoteAddress = remoteAddress;
    socket.binaryType = "arraybuffer";
  }

  /** Hands what is received to `owner` from now on. */
  attach(owner: LinkOwner): void {
    const socket = this.#socket;
    this.#owner = owner;
    socket.onmessage = ({ data }: { readonly data: unknown }) => this.#received(data);
    socket.onerror = (event: { readonly error?: unknown; readonly message?: unknown }) => {
      this.#error ??= errorOf(event);
    };
    socket.onclose = ({ code }: { readonly code: number }) => this.#closed(code);
  }

  #received(data: unknown): void {
    if (this.#isClosing) return;
    if (!(data instanceof ArrayBuffer)) {
      // MQTT is binary [5.0 MQTT-6.0.0-1] [3.1.1 MQTT-6.0.0-1].
      this.#error = new TransportError("websocket", "a text frame came, and MQTT is binary");
      this.#closeNow(1003);
      return;
    }
    const chunk = new Uint8Array(data);
    if (this.#held === null) this.#owner?.receive(chunk);
    else this.#hold(this.#held, chunk);
  }

  #hold(held: Uint8Array[], chunk: Uint8Array): void {
    held.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes <= MOST_HELD_BYTES) return;
    this.#error = new TransportError("websocket", `${MOST_HELD_BYTES} bytes came that nobody has taken`);
    this.#closeNow(1009);
  }

  write({ segments, spent }: Taken): number {
    const socket = this.#socket;
    socket.send(segments.length === 1 ? segments[0]! : joined(segments));
    // The bytes have been copied: masked, or handed to another process.
    if (spent !== null) this.#owner?.recycle(spent);
    const waiting = socket.bufferedAmount;
    if (waiting > 0) this.#drainTimer ??= setTimeout(() => this.#askDrained(), ASK_MS);
    return waiting;
  }

  #askDrained(): void {
    this.#drainTimer = null;
    if (this.#socket.bufferedAmount === 0) this.#owner?.drained();
    else this.#drainTimer = setTimeout(() => this.#askDrained(), ASK_MS);
  }

  close(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#held = null;
    this.#socket.resume?.();
    this.#socket.close(1000);
    this.#patience = setTimeout(() => {
      this.#socket.terminate?.();
      this.#closed(1000);
    }, LAST_WORDS_MS);
    (this.#patience as { unref?: () => void }).unref?.();
  }

  #closeNow(code: number): void {
    this.#isClosing = true;
    this.#held = null;
    try {
      this.#socket.close(code);
    } catch {
      // Browsers allow few codes to be said.
      this.#socket.close();
    }
    this.#closed(code);
  }

  pause(): void {
    if (this.#socket.pause !== undefined) this.#socket.pause();
    else this.#held ??= [];
  }

  resume(): void {
    if (this.#socket.resume !== undefined) return this.#socket.resume();
    const held = this.#held ?? [];
    this.#held = null;
    this.#heldBytes = 0;
    for (let i = 0; i < held.length; i++) {
      // Whoever gets it may stop again.
      if (this.#held === null) this.#owner?.receive(held[i]!);
      else this.#hold(this.#held, held[i]!);
    }
  }

  #closed(code: number): void {
    const owner = this.#owner;
    if (owner === null) return;
    this.#owner = null;
    if (this.#drainTimer !== null) clearTimeout(this.#drainTimer);
    if (this.#patience !== null) clearTimeout(this.#patience);
    const isError = this.#error !== null || !WANTED_CODES.includes(code);
    if (this.#error !== null) owner.closed(true, this.#error);
    else owner.closed(isError);
  }
}

function joined(segments: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(segments.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const segment of segments) {
    bytes.set(segment, at);
    at += segment.length;
  }
  return bytes;
}

/** The error of an `error` event; browsers tell nothing. */
export function errorOf({ error, message }: { readonly error?: unknown; readonly message?: unknown }): Error {
  const text = typeof message === "string" && message !== "" ? message : "the WebSocket failed";
  return error instanceof Error && "code" in error ? error : new TransportError("websocket", text, error);
}
