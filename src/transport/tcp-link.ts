/**
 * A TCP socket as a Link, at either end: bytes read go in, one write for each turn comes out. It knows no packets. Its
 * listeners are shared functions and not closures, as an idle connection should cost little more than its socket.
 */
import type { Socket } from "node:net";
import { type Link, type PeerIdentity, UNKNOWN_PEER } from "../core/index.ts";
import type { Taken } from "../protocol/index.ts";
import type { LinkOwner } from "./link-owner.ts";
import { formatAddress } from "./listener.ts";

/** How long a connection that we have closed waits for the peer to read our last bytes and to close its half, in milliseconds. */
const LAST_WORDS_MS = 2000;
/** How many bytes of it are read in that time and not listened to: who floods us does not read. */
const MOST_UNHEARD_BYTES = 1024 * 1024;

const LINK = Symbol("link");
const NOTHING = new Uint8Array(0);

type LinkedSocket = Socket & { [LINK]?: TcpLink };

/** What is known of a socket's ends, when it is not what the socket itself says. */
export interface LinkFacts {
  readonly remoteAddress: string;
  /** 0: a unix socket. */
  readonly localPort: number;
  readonly peer: PeerIdentity;
}

/** The network side of one connection. */
export class TcpLink implements Link {
  readonly remoteAddress: string;
  readonly localPort: number;
  readonly peer: PeerIdentity;
  readonly #socket: LinkedSocket;
  #owner: LinkOwner | null = null;
  /** Buffers whose bytes have not left yet. */
  #unsent: Uint8Array[] | null = null;
  #isAwaitingDrain = false;
  #patience: NodeJS.Timeout | null = null;
  /** Read since we have closed. */
  #unheardBytes = 0;
  /** Called when a write has left, where writes never leave at once: with TLS. */
  readonly #onWritten: (() => void) | null;

  constructor(socket: Socket, facts: LinkFacts | null = null) {
    this.#socket = socket;
    this.localPort = facts?.localPort ?? socket.localPort ?? 0;
    this.remoteAddress =
      facts?.remoteAddress ?? formatAddress(socket.remoteAddress ?? "unknown", socket.remotePort ?? 0);
    this.peer = facts?.peer ?? UNKNOWN_PEER;
    this.#onWritten = "encrypted" in socket ? () => this.#written() : null;
  }

  /** Hands what the socket reads to `owner` from now on. */
  attach(owner: LinkOwner): void {
    this.#owner = owner;
    const socket = this.#socket;
    socket[LINK] = this;
    socket.on("data", onData).on("end", onEnd).on("error", onError).on("close", onClose);
  }

  write({ segments, spent }: Taken): number {
    const socket = this.#socket;
    if (socket.destroyed) return 0;
    this.send(segments);
    const waiting = socket.writableLength;
    if (waiting === 0) {
      if (spent !== null) this.#owner!.recycle(spent);
      return 0;
    }
    if (spent !== null) {
      this.#unsent ??= [];
      this.#unsent.push(...spent);
    }
    this.#awaitDrain();
    return waiting;
  }

  /** Bytes that have not left yet. */
  protected get waitingBytes(): number {
    return this.#socket.writableLength;
  }

  /** Hands bytes to the socket, in one write. */
  protected send(segments: readonly Uint8Array[]): void {
    const socket = this.#socket;
    if (socket.destroyed) return;
    const onWritten = this.#onWritten ?? undefined;
    const last = segments.length - 1;
    if (last === 0) {
      socket.write(segments[0]!, onWritten);
      return;
    }
    socket.cork();
    for (let i = 0; i < last; i++) socket.write(segments[i]!);
    socket.write(segments[last]!, onWritten);
    socket.uncork();
  }

  /** The kernel has not taken everything: an empty write behind it tells when it has. */
  #awaitDrain(): void {
    if (this.#isAwaitingDrain) return;
    this.#isAwaitingDrain = true;
    if (this.#onWritten === null) this.#socket.write(NOTHING, () => this.#written());
  }

  #written(): void {
    const socket = this.#socket;
    if (socket.destroyed || !this.#isAwaitingDrain) return;
    this.#isAwaitingDrain = false;
    if (socket.writableLength > 0) {
      this.#awaitDrain();
      return;
    }
    if (this.#unsent !== null) {
      this.#owner?.recycle(this.#unsent);
      this.#unsent = null;
    }
    this.drained();
  }

  /** Everything written has left. */
  protected drained(): void {
    this.#owner?.drained();
  }

  close(): void {
    const socket = this.#socket;
    if (socket.destroyed) return;
    const isHeard = socket.readableEnded ? socket.writableLength === 0 : socket.bytesWritten === 0;
    if (isHeard && this.#onWritten === null) {
      // The peer can send no more, and what it was sent is the kernel's to deliver; or it was sent nothing. A half of its own is not
      // worth a system call. With TLS the end of ours must be told [RFC 8446 §6.1].
      socket.destroy();
      return;
    }
    // Only our half is closed: a socket that is gone answers what the peer still sends with a reset, and a peer that is reset may
    // never read our last words. What it says is read and not listened to, until it closes its half.
    socket.end();
    socket.off("data", onData).on("data", onUnheard).resume();
    this.#patience ??= setTimeout(destroy, LAST_WORDS_MS, socket).unref();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  received(chunk: Uint8Array): void {
    this.#owner?.receive(chunk);
  }

  /** Bytes have come after we have closed. */
  ignored(chunk: Uint8Array): void {
    this.#unheardBytes += chunk.length;
    if (this.#unheardBytes > MOST_UNHEARD_BYTES) this.#socket.destroy();
  }

  /** The peer has closed, or the network is gone. */
  ended(isError: boolean, error?: Error): void {
    this.#owner?.closed(isError, error);
  }

  /** The socket is gone. */
  closed(isError: boolean): void {
    this.ended(isError);
    // The timer would keep the socket in memory.
    if (this.#patience !== null) clearTimeout(this.#patience);
    this.#owner = this.#unsent = this.#patience = null;
  }
}

function destroy(socket: Socket): void {
  socket.destroy();
}

function onData(this: LinkedSocket, chunk: Uint8Array): void {
  this[LINK]!.received(chunk);
}

function onUnheard(this: LinkedSocket, chunk: Uint8Array): void {
  this[LINK]!.ignored(chunk);
}

function onEnd(this: LinkedSocket): void {
  this[LINK]!.ended(false);
}

function onError(this: LinkedSocket, error: Error): void {
  this[LINK]!.ended(true, error);
}

function onClose(this: LinkedSocket, hadError: boolean): void {
  this[LINK]!.closed(hadError);
}
