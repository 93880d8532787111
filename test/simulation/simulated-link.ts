/**
 * One network connection between a client and a broker in memory: what is written arrives later, in pieces or joined, in order;
 * and the network can stall or be cut, which the two ends notice at different times or not at all.
 */
import type { ClientConnection } from "../../src/client/index.ts";
import type { Connection, Link } from "../../src/core/index.ts";
import type { Taken } from "../../src/protocol/index.ts";
import type { Random } from "../support/random.ts";
import type { Timeline } from "./timeline.ts";

/** Longest way of a piece, in milliseconds. */
const LONGEST_WAY_MS = 20;

/** What written buffers hold afterwards, so that whoever reads them without right is found out. */
const POISON = 0xee;

/** One direction. */
class Way {
  /** When what was written last arrives. */
  lastMs = 0;
  isOpen = true;
}

/** The network between `connection` and the broker's end. */
export class SimulatedLink implements Link {
  readonly remoteAddress = "192.0.2.1:50000";
  readonly #timeline: Timeline;
  readonly #random: Random;
  readonly #client: ClientConnection;
  readonly #clientEnded: () => void;
  readonly #toBroker: Way = new Way();
  readonly #toClient: Way = new Way();
  #broker: Connection | null = null;
  #isPaused = false;
  #held: (() => void)[] = [];

  /** @param clientTouched called whenever `client` has got something and may have output */
  constructor(timeline: Timeline, random: Random, client: ClientConnection, clientTouched: () => void) {
    this.#timeline = timeline;
    this.#random = random;
    this.#client = client;
    this.#clientEnded = clientTouched;
    this.#toBroker.lastMs = this.#toClient.lastMs = timeline.nowMs;
  }

  attach(broker: Connection): void {
    this.#broker = broker;
  }

  /** The broker writes. */
  write({ segments, spent }: Taken): number {
    const bytes = joined(segments);
    if (spent !== null) {
      poison(spent);
      this.#broker!.recycle(spent);
    }
    this.#carry(this.#toClient, bytes, (chunk) => {
      this.#client.receive(chunk, this.#timeline.nowMs);
      this.#clientEnded();
    });
    // Now and then the network is behind.
    if (!this.#toClient.isOpen || !this.#random.chance(0.1)) return 0;
    this.#timeline.at(this.#toClient.lastMs, () => this.#broker!.drained());
    return bytes.length;
  }

  /** The client writes. */
  writeFromClient({ segments, spent }: Taken): void {
    const bytes = joined(segments);
    if (spent !== null) {
      poison(spent);
      this.#client.recycle(spent);
    }
    this.#carry(this.#toBroker, bytes, (chunk) => this.#toBrokerNow(() => this.#broker!.receive(chunk)));
  }

  #carry(way: Way, bytes: Uint8Array, arrive: (chunk: Uint8Array) => void): void {
    for (const piece of this.#pieces(bytes)) {
      this.#later(way, () => {
        if (way.isOpen) arrive(piece);
      });
    }
  }

  #later(way: Way, run: () => void): void {
    way.lastMs = Math.max(way.lastMs, this.#timeline.nowMs + this.#random.below(LONGEST_WAY_MS));
    this.#timeline.at(way.lastMs, run);
  }

  #pieces(bytes: Uint8Array): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    let rest = bytes;
    while (rest.length > 1 && this.#random.chance(0.3)) {
      const length = 1 + this.#random.below(rest.length - 1);
      pieces.push(rest.subarray(0, length));
      rest = rest.subarray(length);
    }
    return [...pieces, rest];
  }

  #toBrokerNow(run: () => void): void {
    if (this.#isPaused) this.#held.push(run);
    else run();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    const held = this.#held;
    this.#held = [];
    for (const run of held) this.#toBrokerNow(run);
  }

  /** The broker closes, once everything written has arrived. */
  close(): void {
    this.#toBroker.isOpen = false;
    this.#later(this.#toBroker, () => this.#broker!.closed(false));
    this.#later(this.#toClient, () => this.#clientClosed(false));
  }

  /** The client closes, once everything written has arrived. */
  closeFromClient(): void {
    this.#toClient.isOpen = false;
    this.#later(this.#toBroker, () => this.#toBrokerNow(() => this.#broker!.closed(false)));
  }

  #clientClosed(isError: boolean): void {
    this.#client.closed(isError, null);
    this.#clientEnded();
  }

  /** Nothing arrives for `ms` longer. */
  stall(ms: number): void {
    this.#toBroker.lastMs += ms;
    this.#toClient.lastMs += ms;
  }

  /** The network is gone, with everything on its way. Each end may notice soon, late, or only by its keep-alive. */
  cut(): void {
    this.#toBroker.isOpen = this.#toClient.isOpen = false;
    if (this.#random.chance(0.8)) this.#timeline.after(this.#random.below(2000), () => this.#broker!.closed(true));
    if (this.#random.chance(0.8)) this.#timeline.after(this.#random.below(2000), () => this.#clientClosed(true));
  }
}

function joined(segments: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(segments));
}

function poison(buffers: readonly Uint8Array[]): void {
  for (const buffer of buffers) buffer.fill(POISON);
}
