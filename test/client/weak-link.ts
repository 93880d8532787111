// A network in front of a broker that does what bad networks do, when a test says so.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import type { Ending } from "../support/ending.ts";

/** Carries bytes between clients and the broker at a port, as long as it may. */
export class WeakLink {
  readonly #brokerPort: number;
  readonly #pairs: Set<readonly [client: Socket, broker: Socket]> = new Set();
  #server: Server | null = null;
  #port = 0;
  #isSilent = false;
  #losesAnswers = false;
  #lostBytes = 0;
  #wake: () => void = () => {};
  /** Connections that were made so far. */
  connections = 0;

  constructor(brokerPort: number) {
    this.#brokerPort = brokerPort;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.#port}`;
  }

  /** Takes connections, at the same port each time. */
  async open(): Promise<void> {
    const server = createServer({ noDelay: true }, (client) => this.#carry(client)).listen(this.#port, "127.0.0.1");
    await once(server, "listening");
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  #carry(client: Socket): void {
    this.connections++;
    const broker = connect({ port: this.#brokerPort, host: "127.0.0.1", noDelay: true });
    const pair = [client, broker] as const;
    this.#pairs.add(pair);
    const end = (): void => {
      // Not even an end gets through.
      if (this.#isSilent) return;
      this.#pairs.delete(pair);
      client.destroy();
      broker.destroy();
    };
    for (const socket of pair) socket.on("error", end).on("close", end);
    client.on("data", (chunk: Uint8Array) => this.#isSilent || broker.write(chunk));
    broker.on("data", (chunk: Uint8Array) => {
      if (this.#losesAnswers) this.#lose(chunk.length);
      else if (!this.#isSilent) client.write(chunk);
    });
  }

  /** Nothing arrives any more, and nobody is told: a cable that was pulled. */
  silence(): void {
    this.#isSilent = true;
  }

  /** The client reaches the broker, whose answers are lost. */
  loseAnswers(): void {
    this.#losesAnswers = true;
    this.#lostBytes = 0;
  }

  #lose(bytes: number): void {
    this.#lostBytes += bytes;
    this.#wake();
  }

  /** Waits until so many bytes of answers were lost. */
  async lost(bytes: number): Promise<void> {
    while (this.#lostBytes < bytes) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Breaks all connections; the next ones are good again. */
  cut(): void {
    this.#isSilent = this.#losesAnswers = false;
    for (const sockets of this.#pairs) for (const socket of sockets) socket.destroy();
  }

  /** Breaks all connections and takes none until it is opened again. */
  async close(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    const closed = once(server, "close");
    server.close();
    this.cut();
    await closed;
  }
}

/** An open one for one test. */
export async function weakLink(context: Ending, brokerPort: number): Promise<WeakLink> {
  const link = new WeakLink(brokerPort);
  await link.open();
  context.after(() => link.close());
  return link;
}
