// A socket that sends bytes as they are and keeps what comes back.
import { once } from "node:events";
import { createConnection, type NetConnectOpts, type Socket } from "node:net";

/** How long an answer or an end may take. */
const LIMIT_MS = 20_000;

/** One of them. */
export class RawSocket {
  readonly socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #onChange: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#onChange();
    });
    socket.on("close", () => this.#onChange());
  }

  /** Connects; `first` is sent at once. */
  static async open(to: NetConnectOpts, first: Uint8Array = Buffer.alloc(0)): Promise<RawSocket> {
    const socket = createConnection(to);
    const raw = new RawSocket(socket);
    await once(socket, "connect");
    if (first.length > 0) socket.write(first);
    return raw;
  }

  /** Sends `bytes` on a new connection and returns all that comes until the other end closes. */
  static async lastWords(to: NetConnectOpts, bytes: Uint8Array): Promise<Buffer> {
    const raw = await RawSocket.open(to, bytes);
    await raw.closed();
    return raw.received;
  }

  get received(): Buffer {
    return this.#received;
  }

  get isClosed(): boolean {
    return this.socket.closed;
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Waits until at least `bytes` have come. */
  answered(bytes: number): Promise<void> {
    return this.#when(() => this.#received.length >= bytes, `${bytes} bytes`);
  }

  /** Waits until the other end has closed. */
  closed(): Promise<void> {
    return this.#when(() => this.isClosed, "the end");
  }

  async #when(isSo: () => boolean, what: string): Promise<void> {
    const deadline = AbortSignal.timeout(LIMIT_MS);
    while (!isSo()) {
      if (deadline.aborted) throw new Error(`${what} never came, only ${this.#received.toString("hex")}`);
      await new Promise<void>((resolve) => {
        this.#onChange = resolve;
        deadline.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  }

  /** Goes without a word. */
  async drop(): Promise<void> {
    this.socket.destroy();
    if (!this.socket.closed) await once(this.socket, "close");
  }
}
