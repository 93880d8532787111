// A bad network between clients and broker: a TCP proxy that cuts, goes silent, delays, throttles, and cuts after a given byte.
// Must not know MQTT.
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Address } from "./link.ts";

/** What the network does to the bytes of one direction. */
export interface Weather {
  /** Each piece arrives so much later, and up to `jitterMs` more; the order stays. */
  readonly delayMs?: number;
  readonly jitterMs?: number;
  /** Most bytes a second of one connection. */
  readonly bytesPerSecond?: number;
  /** Longest piece: a packet may come in many. */
  readonly pieceBytes?: number;
}

/** After so many bytes of a direction the connection is cut. */
export interface CutAfter {
  readonly up?: number;
  readonly down?: number;
}

export class BadLine {
  readonly #target: Address;
  readonly #server: Server;
  readonly #pairs: Set<Pair> = new Set();
  /** Of connections that are open and that come. */
  weather: Weather = {};
  /** For the next connection only. */
  cutAfter: CutAfter | undefined;
  /** While true new connections are closed at once. */
  isDown = false;
  #chance: () => number;

  private constructor(target: Address, chance: () => number) {
    this.#target = target;
    this.#chance = chance;
    this.#server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => this.#accept(socket));
  }

  /** @param chance gives numbers of [0, 1) for jitter */
  static async before(target: Address, chance: () => number = () => 0): Promise<BadLine> {
    const proxy = new BadLine(target, chance);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get address(): Address {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the proxy does not listen");
    return { host: "127.0.0.1", port: address.port };
  }

  get connections(): number {
    return this.#pairs.size;
  }

  #accept(client: Socket): void {
    if (this.isDown) {
      client.resetAndDestroy();
      return;
    }
    const cutAfter = this.cutAfter;
    this.cutAfter = undefined;
    const server = connect({ ...this.#target, noDelay: true });
    const pair: Pair = { client, server, isSilent: false };
    this.#pairs.add(pair);
    const forget = (): void => {
      this.#pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) socket.on("error", () => {}).on("close", forget);
    const cut = (): void => {
      client.resetAndDestroy();
      server.resetAndDestroy();
    };
    new Way(this, pair, client, server, this.#chance, cutAfter?.up, cut);
    new Way(this, pair, server, client, this.#chance, cutAfter?.down, cut);
  }

  /** Every connection is lost at once. */
  cut(): void {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
  }

  /** Nothing passes any more on the connections that are open, and neither side is told. */
  silence(): void {
    for (const pair of this.#pairs) pair.isSilent = true;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  isSilent: boolean;
}

/** Bytes on their way from which on no more are taken. */
const LINE_BYTES = 1 << 20;

/** One direction of one connection. */
class Way {
  readonly #proxy: BadLine;
  readonly #pair: Pair;
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #chance: () => number;
  readonly #cut: () => void;
  #left: number;
  /** Pieces on their way, in order; null is the end. */
  readonly #line: { readonly atMs: number; readonly piece: Buffer | null }[] = [];
  #lineBytes = 0;
  #lastAtMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    proxy: BadLine,
    pair: Pair,
    from: Socket,
    to: Socket,
    chance: () => number,
    left: number | undefined,
    cut: () => void,
  ) {
    this.#proxy = proxy;
    this.#pair = pair;
    this.#from = from;
    this.#to = to;
    this.#chance = chance;
    this.#left = left ?? Number.POSITIVE_INFINITY;
    this.#cut = cut;
    if (this.#left === 0) cut();
    from.on("data", (chunk: Buffer) => this.#take(chunk));
    from.on("end", () => this.#send(null));
    from.on("close", () => clearTimeout(this.#timer));
    from.resume();
  }

  #take(chunk: Buffer): void {
    if (this.#pair.isSilent || this.#left === 0) return;
    const allowed = chunk.subarray(0, Math.min(chunk.length, this.#left));
    this.#left -= allowed.length;
    const { pieceBytes = allowed.length } = this.#proxy.weather;
    for (let at = 0; at < allowed.length; at += pieceBytes) this.#send(allowed.subarray(at, at + pieceBytes));
    // What may pass leaves before the cut: a reset would take it away.
    if (this.#left === 0) this.#to.write(Buffer.alloc(0), () => setImmediate(this.#cut));
  }

  #send(piece: Buffer | null): void {
    const { delayMs = 0, jitterMs = 0, bytesPerSecond = Number.POSITIVE_INFINITY } = this.#proxy.weather;
    const nowMs = performance.now();
    const takesMs = ((piece?.length ?? 0) / bytesPerSecond) * 1000;
    const atMs = Math.max(nowMs + delayMs + this.#chance() * jitterMs, Math.max(nowMs, this.#lastAtMs) + takesMs);
    this.#lastAtMs = atMs;
    this.#line.push({ atMs, piece });
    this.#lineBytes += piece?.length ?? 0;
    if (this.#lineBytes > LINE_BYTES) this.#from.pause();
    if (this.#line.length === 1) this.#arrive();
  }

  /** Hands on what has arrived, in order, and waits for the rest. */
  #arrive(): void {
    for (let head = this.#line[0]; head !== undefined; head = this.#line[0]) {
      const waitMs = head.atMs - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#arrive(), waitMs);
        return;
      }
      this.#line.shift();
      if (this.#to.destroyed || this.#pair.isSilent) continue;
      if (head.piece === null) this.#to.end();
      else this.#to.write(head.piece);
      this.#lineBytes -= head.piece?.length ?? 0;
    }
    if (this.#lineBytes <= LINE_BYTES) this.#from.resume();
  }
}
