// Servers that play a script: which bytes a client must send, which it gets. Whether the client is right is judged by the script alone:
// nothing here knows packets, and the bytes were written down from the specification (see ../support/packet-notation.ts).
import type { AddressInfo, Server, Socket } from "node:net";
import type { Version } from "../../src/protocol/index.ts";
import type { Ending } from "../support/ending.ts";
import { startListening } from "../support/listening.ts";
import { bytesOfNotation } from "../support/packet-notation.ts";

/**
 * One line of a script. Its first word is the connection that it is of: "1", "2", ... in the order in which their first bytes came, at
 * another door than the plain one with its name before, as "tls1".
 *
 *     1 > BYTES      the client sends exactly these bytes next; ~ at the end stands for whatever else it may send
 *     1 < BYTES      the server sends them
 *     1 silent       nothing has come that no line asked for
 *     1 drop         the server ends the connection
 *     1 closed       the client has ended it, and sent nothing more
 *
 * Lines are played one after the other. At the end every connection must be over, and no byte may have come that no line asked for.
 */
export type Line = string;
export type Script = readonly Line[];

/** How long a line may take. */
const LIMIT_MS = 15_000;
/** How many bytes around the first wrong one are shown. */
const SHOWN_BYTES = 40;

/** The server's end of one connection. */
class Conversation {
  readonly #socket: Socket;
  #came: Buffer = Buffer.alloc(0);
  #wake: () => void = () => {};

  constructor(socket: Socket, firstByteCame: (conversation: Conversation) => void) {
    this.#socket = socket;
    let isFirst = true;
    socket.on("error", () => {});
    socket.on("close", () => this.#wake());
    socket.on("data", (chunk: Buffer) => {
      this.#came = Buffer.concat([this.#came, chunk]);
      if (isFirst) firstByteCame(this);
      isFirst = false;
      this.#wake();
    });
  }

  /** What has come and was not asked for. */
  get rest(): Buffer {
    return this.#came;
  }

  get isOver(): boolean {
    return this.#socket.destroyed;
  }

  async #change(limit: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      limit.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  /** @throws {Error} when other bytes come, when they do not come, and when the connection ends before they have */
  async expect(bytes: Buffer, mayGoOn: boolean): Promise<void> {
    const limit = AbortSignal.timeout(LIMIT_MS);
    for (;;) {
      const length = Math.min(bytes.length, this.#came.length);
      const isAsExpected = this.#came.subarray(0, length).equals(bytes.subarray(0, length));
      if (isAsExpected && length === bytes.length) break;
      if (!isAsExpected) throw new Error(difference(bytes, this.#came, "the client sent other bytes"));
      if (this.isOver) throw new Error(difference(bytes, this.#came, "the client went before it had sent them"));
      if (limit.aborted) throw new Error(difference(bytes, this.#came, `they did not come in ${LIMIT_MS / 1000} s`));
      await this.#change(limit);
    }
    this.#came = mayGoOn ? Buffer.alloc(0) : this.#came.subarray(bytes.length);
    if (mayGoOn) this.#socket.removeAllListeners("data").resume();
  }

  /** @throws {Error} when bytes have come that nobody asked for */
  expectNothing(): void {
    if (this.#came.length > 0) throw new Error(difference(Buffer.alloc(0), this.#came, "the client sent too much"));
  }

  /** @throws {Error} when it does not end, or bytes come before */
  async expectEnd(): Promise<void> {
    const limit = AbortSignal.timeout(LIMIT_MS);
    while (!this.isOver && this.#came.length === 0) {
      if (limit.aborted) throw new Error(`the client did not end the connection in ${LIMIT_MS / 1000} s`);
      await this.#change(limit);
    }
    this.expectNothing();
  }

  send(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  drop(): void {
    this.#socket.destroy();
  }
}

/** Both, from shortly before the first byte that differs. */
function difference(expected: Buffer, came: Buffer, what: string): string {
  const length = Math.min(expected.length, came.length);
  let at = 0;
  while (at < length && expected[at] === came[at]) at++;
  const from = Math.max(0, at - SHOWN_BYTES / 2);
  return [
    `${what}: ${expected.length} bytes expected, ${came.length} came, byte ${at} is the first that differs`,
    `  expected  ${shown(expected, from)}`,
    `  came      ${shown(came, from)}`,
    `            ${" ".repeat(3 * (at - from) + (from > 0 ? 4 : 0))}^^`,
  ].join("\n");
}

/** Some bytes in hexadecimal and as text. */
function shown(bytes: Buffer, from: number): string {
  const part = bytes.subarray(from, from + SHOWN_BYTES);
  const hex = [...part].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  const text = part.toString("latin1").replace(/[^ -~]/g, ".");
  return `${from > 0 ? "... " : ""}${hex}${from + SHOWN_BYTES < bytes.length ? " ..." : ""}   ${text}`;
}

/** Plays a script at one or several ports of the loopback. */
export class ScriptedDoors {
  readonly #version: Version;
  readonly #servers: ReadonlyMap<string, Server>;
  readonly #conversations: Map<string, Conversation> = new Map();
  #current = 1;
  #wake: () => void = () => {};

  constructor(servers: ReadonlyMap<string, Server>, version: Version) {
    this.#version = version;
    this.#servers = servers;
    for (const [door, server] of servers) {
      let count = 0;
      server.on("connection", (socket) => {
        new Conversation(socket, (conversation) => {
          this.#conversations.set(`${door}${++count}`, conversation);
          this.#wake();
        });
      });
    }
  }

  /** @param door "": the plain one */
  port(door: string = ""): number {
    return (this.#servers.get(door)!.address() as AddressInfo).port;
  }

  /** Of the plain one. */
  get url(): string {
    return `mqtt://127.0.0.1:${this.port()}`;
  }

  /**
   * Plays `steps`: lines, and functions that have the client do something. A line without a connection is of the first, after a "drop" of
   * the second, and so on.
   * @throws {Error} that shows the line, and what came instead
   */
  async play(steps: readonly (Line | (() => unknown))[]): Promise<void> {
    for (const [i, step] of steps.entries()) {
      try {
        if (typeof step === "string") await this.#playLine(step);
        else await step();
      } catch (error) {
        const others = [...this.#conversations].filter(([, { rest }]) => rest.length > 0);
        const waiting = others.map(([name, { rest }]) => `\n  not asked for yet, at ${name}: ${shown(rest, 0)}`);
        const line = typeof step === "string" ? step.slice(0, 300) : "the client's turn";
        throw new Error(`${i + 1}. ${line}\n${(error as Error).message}${waiting.join("")}`, { cause: error });
      }
    }
  }

  async #playLine(line: Line): Promise<void> {
    const [, named, verb, notation = ""] =
      /^(?:([a-zA-Z]*\d+) +)?([<>]|silent|drop|closed)(?: +(.*))?$/s.exec(line) ?? [];
    if (verb === undefined) throw new Error("no line of a script");
    const mayGoOn = /~\s*$/.test(notation);
    const bytes = Buffer.from(bytesOfNotation(notation.replace(/~\s*$/, ""), this.#version));
    if (/[<>]/.test(verb) && bytes.length === 0) return; // in another version only
    const conversation = await this.#conversation(named ?? `${this.#current}`);
    if (verb === ">") await conversation.expect(bytes, mayGoOn);
    else if (verb === "<") conversation.send(bytes);
    else if (verb === "closed") await conversation.expectEnd();
    else conversation.expectNothing();
    if (verb !== "drop") return;
    conversation.drop();
    this.#current++;
  }

  async #conversation(name: string): Promise<Conversation> {
    const limit = AbortSignal.timeout(LIMIT_MS);
    for (;;) {
      const conversation = this.#conversations.get(name);
      if (conversation !== undefined) return conversation;
      if (limit.aborted) throw new Error(`no bytes came at a connection ${name} in ${LIMIT_MS / 1000} s`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        limit.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  }

  /** @throws {Error} when bytes came, or come until the clients have gone, that no line asked for */
  async end(): Promise<void> {
    for (const [name, conversation] of this.#conversations) {
      await conversation.expectEnd().catch((error: Error) => {
        throw new Error(`after the last line, at ${name}: ${error.message}`, { cause: error });
      });
    }
  }
}

/**
 * Ports that a script can be played at, for one test.
 * @param doors names of ports beside the plain one
 */
export async function scriptedDoors(
  context: Ending,
  version: Version,
  doors: readonly string[] = [],
): Promise<ScriptedDoors> {
  const servers = new Map<string, Server>();
  for (const door of ["", ...doors]) {
    servers.set(door, await startListening(context));
  }
  return new ScriptedDoors(servers, version);
}
