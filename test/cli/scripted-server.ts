// A server that answers each packet as it is told to, and keeps what it read: for what a real broker does not do.
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { Framer, type PacketName, PacketType } from "../../src/protocol/index.ts";

/** For each type of packet its answers, in hexadecimal, one after another; the last one goes on. "close" closes. */
export type Script = Readonly<Partial<Record<PacketName, string | readonly string[]>>>;

const NAMES = Object.fromEntries(Object.entries(PacketType).map(([name, type]) => [type, name])) as Record<
  number,
  PacketName
>;

/** One server, from `start` to the end of the test. */
export class ScriptedServer {
  /** What came on each connection, in hexadecimal. */
  readonly connections: string[] = [];
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket> = new Set();
  readonly #script: Script;
  readonly #answered: Map<PacketName, number> = new Map();
  #waiting: (() => void)[] = [];

  private constructor(server: Server, script: Script) {
    this.#server = server;
    this.#script = script;
    this.port = (server.address() as AddressInfo).port;
    server.on("connection", (socket) => this.#serve(socket));
  }

  static async start(context: TestContext, script: Script): Promise<ScriptedServer> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const scripted = new ScriptedServer(server, script);
    context.after(() => scripted.stop());
    return scripted;
  }

  #serve(socket: Socket): void {
    const index = this.connections.push("") - 1;
    const framer = new Framer(Number.POSITIVE_INFINITY);
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => {}).on("close", () => this.#sockets.delete(socket));
    socket.on("data", (chunk: Buffer) => {
      this.connections[index] += chunk.toString("hex");
      framer.push(chunk);
      while (framer.next() === "packet") this.#answer(socket, NAMES[framer.bytes[framer.start]! >> 4]!);
      for (const look of this.#waiting.splice(0)) look();
    });
  }

  #answer(socket: Socket, name: PacketName): void {
    const answers = this.#script[name];
    if (answers === undefined) return;
    const list = typeof answers === "string" ? [answers] : answers;
    const count = this.#answered.get(name) ?? 0;
    this.#answered.set(name, count + 1);
    const answer = list[Math.min(count, list.length - 1)]!;
    if (answer === "close") socket.end();
    else socket.write(Buffer.from(answer.replaceAll(" ", ""), "hex"));
  }

  /** Resolves once `isReached` says so; asked after each chunk that comes. */
  async until(isReached: () => boolean): Promise<void> {
    while (!isReached()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Resolves once all connections are closed, and all that came is in `connections`. */
  async allClosed(): Promise<void> {
    for (const socket of this.#sockets) if (!socket.closed) await once(socket, "close");
  }

  /** Cuts all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
