/** Opens TCP connections through a SOCKS5 proxy [RFC 1928], with user name and password where it asks for them [RFC 1929]. */
import { isIPv4, isIPv6, type Socket } from "node:net";
import type { Dialer } from "./dialer.ts";
import { formatAddress } from "./listener.ts";
import { TransportError } from "./transport-error.ts";

/** Where to connect to. The proxy looks the name up. */
export interface Socks5DialerOptions {
  readonly host: string;
  readonly port: number;
  readonly username?: string | null | undefined;
  readonly password?: string | null | undefined;
}

const VERSION = 5;
const NO_AUTHENTICATION = 0;
const USER_NAME_AND_PASSWORD = 2;
const IPV4 = 1;
const DOMAIN_NAME = 3;
const IPV6 = 4;

/** What a proxy says when it does not connect, by its number: a code for programs, and words. */
const REPLIES: Readonly<Record<number, readonly [code: string, text: string]>> = {
  1: ["SOCKS_FAILED", "it failed"],
  2: ["SOCKS_NOT_ALLOWED", "its rules do not allow it"],
  3: ["SOCKS_NETWORK_UNREACHABLE", "it has no way to the network"],
  4: ["SOCKS_HOST_UNREACHABLE", "it has no way to the server"],
  5: ["SOCKS_CONNECTION_REFUSED", "the server refuses the connection"],
  6: ["SOCKS_TIMED_OUT", "it took too long"],
  7: ["SOCKS_NO_COMMAND", "it does not know how to connect"],
  8: ["SOCKS_NO_ADDRESS_TYPE", "it does not know this kind of address"],
};

function codeOf(reply: number | undefined): string {
  return REPLIES[reply ?? 1]?.[0] ?? "SOCKS_FAILED";
}

/** The way to a server through a proxy. */
export class Socks5Dialer implements Dialer {
  readonly address: string;
  readonly #proxy: Dialer;
  readonly #options: Socks5DialerOptions;

  /** @param proxy the way to the proxy */
  constructor(proxy: Dialer, options: Socks5DialerOptions) {
    this.address = formatAddress(options.host, options.port);
    this.#proxy = proxy;
    this.#options = options;
  }

  async dial(signal: AbortSignal): Promise<Socket> {
    let socket: Socket;
    try {
      socket = await this.#proxy.dial(signal);
    } catch (error) {
      if (signal.aborted) throw error;
      throw this.#failure(`it cannot be reached: ${(error as Error).message}`, error);
    }
    const answers = new Answers(socket, signal);
    try {
      await this.#greet(socket, answers);
      await this.#connect(socket, answers);
      answers.end();
      return socket;
    } catch (error) {
      answers.end();
      socket.on("error", () => {}).destroy();
      if (signal.aborted) throw signal.reason;
      throw error instanceof TransportError ? error : this.#failure((error as Error).message, error);
    }
  }

  #failure(why: string, cause?: unknown): TransportError {
    return new TransportError("proxy", `no connection through the proxy ${this.#proxy.address}: ${why}`, cause);
  }

  async #greet(socket: Socket, answers: Answers): Promise<void> {
    const { username } = this.#options;
    const methods = username == null ? [NO_AUTHENTICATION] : [NO_AUTHENTICATION, USER_NAME_AND_PASSWORD];
    socket.write(Uint8Array.of(VERSION, methods.length, ...methods));
    const [version, method] = await answers.read(2);
    if (version !== VERSION) throw this.#failure("it does not speak SOCKS5");
    if (method === USER_NAME_AND_PASSWORD && username != null) return this.#authenticate(socket, answers, username);
    if (method !== NO_AUTHENTICATION) throw this.#failure("it wants another authentication than there is");
  }

  async #authenticate(socket: Socket, answers: Answers, username: string): Promise<void> {
    const [name, password] = [Buffer.from(username), Buffer.from(this.#options.password ?? "")];
    if (name.length > 255 || password.length > 255) throw this.#failure("user name or password is over 255 bytes");
    socket.write(Buffer.concat([Uint8Array.of(1, name.length), name, Uint8Array.of(password.length), password]));
    const [, status] = await answers.read(2);
    if (status === 0) return;
    // RFC 1929 has one number for success only; proxies take the others from their answers to requests.
    const text = "it refuses user name and password";
    throw this.#failure(text, Object.assign(new Error(text), { code: codeOf(status) }));
  }

  async #connect(socket: Socket, answers: Answers): Promise<void> {
    const { host, port } = this.#options;
    socket.write(Buffer.concat([Uint8Array.of(VERSION, 1, 0), target(host), Uint8Array.of(port >>> 8, port)]));
    const [version, reply, , kind] = await answers.read(4);
    if (version !== VERSION) throw this.#failure("it does not speak SOCKS5");
    if (reply !== 0) {
      const text = REPLIES[reply!]?.[1] ?? `it answers ${reply}`;
      throw this.#failure(text, Object.assign(new Error(text), { code: codeOf(reply) }));
    }
    // The address that the proxy connects from, which nobody needs.
    const bytes = kind === IPV4 ? 4 : kind === IPV6 ? 16 : (await answers.read(1))[0]!;
    await answers.read(bytes + 2);
  }
}

function target(host: string): Uint8Array {
  if (isIPv4(host)) return Uint8Array.of(IPV4, ...host.split(".").map(Number));
  if (isIPv6(host)) return Uint8Array.of(IPV6, ...ipv6Bytes(host));
  const name = Buffer.from(host);
  return Buffer.concat([Uint8Array.of(DOMAIN_NAME, name.length), name]);
}

function ipv6Bytes(address: string): number[] {
  // The URL parser writes an IPv4 tail as two groups and cuts a zone off nobody can send.
  const plain = new URL(`http://[${address.replace(/%.*/, "")}]`).hostname.slice(1, -1);
  const [head = "", tail] = plain.split("::");
  const groups = (text: string): string[] => (text === "" ? [] : text.split(":"));
  const [first, last] = [groups(head), groups(tail ?? "")];
  const zeros = tail === undefined ? [] : Array<string>(8 - first.length - last.length).fill("0");
  return [...first, ...zeros, ...last].flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >>> 8, value & 0xff];
  });
}

/** Reads exact numbers of bytes from a socket and leaves the rest in it. */
class Answers {
  readonly #socket: Socket;
  readonly #signal: AbortSignal;
  #error: Error | null = null;
  #wake: () => void = () => {};
  readonly #onReadable = (): void => this.#wake();
  readonly #onEnd = (): void =>
    this.#fail(Object.assign(new Error("it closed the connection"), { code: "ECONNRESET" }));
  readonly #onError = (error: Error): void => this.#fail(error);
  readonly #onAbort = (): void => this.#fail(this.#signal.reason as Error);

  constructor(socket: Socket, signal: AbortSignal) {
    this.#socket = socket;
    this.#signal = signal;
    socket.on("readable", this.#onReadable).on("end", this.#onEnd).on("error", this.#onError);
    signal.addEventListener("abort", this.#onAbort);
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.#wake();
  }

  async read(count: number): Promise<Uint8Array> {
    for (;;) {
      const bytes: Uint8Array | null = this.#socket.read(count);
      if (bytes?.length === count) return bytes;
      if (this.#error !== null) throw this.#error;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  end(): void {
    this.#socket.off("readable", this.#onReadable).off("end", this.#onEnd).off("error", this.#onError);
    this.#signal.removeEventListener("abort", this.#onAbort);
  }
}
