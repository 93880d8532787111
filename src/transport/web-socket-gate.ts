/** From an HTTP request to an open WebSocket [RFC 6455 §4.2], or to a file, or to a refusal that says what is missing. */
import { createHash } from "node:crypto";
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Clock } from "../core/index.ts";
import type { EndReason } from "../protocol/index.ts";
import { HttpPatience, MOST_ANSWERS } from "./http-patience.ts";
import { httpReader } from "./http-reader.ts";
import type { WebSocketOptions } from "./listener-options.ts";
import type { StaticFiles } from "./static-files.ts";

/** Who waits for a WebSocket. */
export interface WebSocketOwner {
  /**
   * The WebSocket is open.
   * @param head what came behind the request
   * @param askedAtMs when the client could first have asked for it, on the monotonic clock
   */
  upgraded(head: Uint8Array, askedAtMs: number): void;
  /** The client asked for something else; it has its answer. */
  refused(reason: EndReason, message: string): void;
  /** The client has gone without asking for a WebSocket, as browsers do that only read files. */
  left(): void;
}

/** Sub-protocols that are spoken: that of the specification, and what clients of 3.1 called it. */
const SUBPROTOCOLS = ["mqtt", "mqttv3.1"];

/** What is put behind the client's key [RFC 6455 §1.3]. */
const ACCEPT_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const KEY = /^[+/0-9A-Za-z]{22}==$/;
const VERSION = "13";

/** What is known of a connection whose client has not asked for a WebSocket yet. */
interface Waiting {
  readonly owner: WebSocketOwner;
  readonly onClose: () => void;
  readonly patience: HttpPatience;
  askedAtMs: number;
}

interface Refusal {
  /** null: nothing is said. */
  readonly status: number | null;
  readonly reason: EndReason;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The HTTP of one listener. It listens nowhere: sockets are given to it. */
export class WebSocketGate {
  readonly #server: Server;
  readonly #origins: readonly string[];
  readonly #files: StaticFiles | null;
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  readonly #waiting: Map<Duplex, Waiting> = new Map();

  /** @param timeoutMs for a whole request, in milliseconds; between two of them as well */
  constructor(options: WebSocketOptions, files: StaticFiles | null, timeoutMs: number, clock: Clock) {
    const { origins = [], maximumHeaderBytes } = options;
    this.#origins = origins;
    this.#files = files;
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
    this.#server = httpReader(maximumHeaderBytes);
    this.#server.on("request", (request, response) => this.#answer(request, response));
    this.#server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
    this.#server.on("clientError", (error, socket) => this.#malformed(error, socket));
  }

  /** Reads a request from `socket`, which was opened at `openedAtMs` on the monotonic clock. */
  begin(socket: Socket, openedAtMs: number, owner: WebSocketOwner): void {
    const onClose = (): void => this.#take(socket)?.owner.left();
    const patience = new HttpPatience(socket, this.#timeoutMs, () => {
      this.#take(socket);
      socket.destroy();
      owner.refused("websocket-refused", "no whole HTTP request within the connect timeout");
    });
    this.#waiting.set(socket, { owner, onClose, patience, askedAtMs: openedAtMs });
    socket.on("close", onClose);
    this.#server.emit("connection", socket);
  }

  #take(socket: Duplex): Waiting | null {
    const waiting = this.#waiting.get(socket);
    if (waiting === undefined) return null;
    this.#waiting.delete(socket);
    socket.off("close", waiting.onClose);
    waiting.patience.stop();
    return waiting;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const waiting = this.#waiting.get(socket);
    if (waiting === undefined) {
      socket.destroy();
      return;
    }
    if (this.#files === null) {
      const refusal = {
        status: 426,
        reason: "websocket-refused",
        message: `${request.method} ${request.url} asks for no WebSocket, and http_dir is not set`,
        headers: { Upgrade: "websocket" },
      } as const;
      this.#refuse(socket, refusal);
      return;
    }
    if (waiting.patience.isFull) {
      this.#take(socket);
      socket.destroy();
      waiting.owner.refused("websocket-refused", `it asks for more than ${MOST_ANSWERS} things at once`);
      return;
    }
    waiting.patience.answering(response, () => {
      waiting.askedAtMs = this.#clock.nowMs();
    });
    request.resume();
    void this.#files.answer(request, response);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array): void {
    const refusal = this.#refusal(request);
    if (refusal !== null) {
      this.#refuse(socket, refusal);
      return;
    }
    const waiting = this.#take(socket);
    if (waiting === null) {
      socket.destroy();
      return;
    }
    const key = request.headers["sec-websocket-key"] ?? "";
    const accept = createHash("sha1")
      .update(key + ACCEPT_SUFFIX)
      .digest("base64");
    socket.write(
      `HTTP/1.1 101 ${STATUS_CODES[101]}\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: ${subprotocolOf(request)}\r\n\r\n`,
    );
    waiting.owner.upgraded(head, waiting.askedAtMs);
  }

  #refusal(request: IncomingMessage): Refusal | null {
    const { method, headers } = request;
    const refused = (status: number, message: string, more: Readonly<Record<string, string>> = {}): Refusal => ({
      status,
      reason: "websocket-refused",
      message,
      headers: more,
    });
    if (method !== "GET") return refused(405, `${method} opens no WebSocket`, { Allow: "GET" });
    if (headers.upgrade?.toLowerCase() !== "websocket") return refused(400, `an upgrade to ${headers.upgrade}`);
    if (headers["sec-websocket-version"] !== VERSION)
      return refused(426, "another version of WebSocket than 13", { "Sec-WebSocket-Version": VERSION });
    if (!KEY.test(headers["sec-websocket-key"] ?? "")) return refused(400, "no Sec-WebSocket-Key, or a broken one");
    const { origin } = headers;
    // As in mosquitto: a page of another site, which could not read an answer anyhow, learns nothing. The log has it.
    if (origin !== undefined && this.#origins.length > 0 && !this.#origins.includes(origin))
      return { status: null, reason: "bad-http-origin", message: `origin ${origin} is not in websockets_origin` };
    if (subprotocolOf(request) === undefined)
      return refused(400, "no sub-protocol mqtt was offered; clients send it in Sec-WebSocket-Protocol");
    return null;
  }

  #refuse(socket: Duplex, refusal: Refusal): void {
    const waiting = this.#take(socket);
    socket.on("error", ignore);
    socket.end(answerOf(refusal), () => socket.destroy());
    waiting?.owner.refused(refusal.reason, refusal.message);
  }

  #malformed(error: Error & { readonly code?: unknown }, socket: Duplex): void {
    if (error.code === "HPE_HEADER_OVERFLOW") {
      this.#refuse(socket, {
        status: 431,
        reason: "websocket-refused",
        message: "the header of the request is larger than websockets_headers_size allows",
      });
    } else if (typeof error.code === "string" && error.code.startsWith("HPE_")) {
      this.#refuse(socket, { status: 400, reason: "websocket-refused", message: "that is not HTTP" });
    } else {
      socket.destroy();
    }
  }
}

/** What is sent in place of a WebSocket. */
function answerOf({ status, message, headers = {} }: Refusal): string {
  if (status === null) return "";
  const lines = Object.entries({ ...headers, Connection: "close", "Content-Type": "text/plain; charset=utf-8" });
  const text = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const body = `MQTT over WebSocket is spoken here: ${message}.\n`;
  const length = Buffer.byteLength(body);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${text}Content-Length: ${length}\r\n\r\n${body}`;
}

/** The first sub-protocol of the client's that is spoken. */
function subprotocolOf({ headers }: IncomingMessage): string | undefined {
  const offered = (headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
  return offered.find((name) => SUBPROTOCOLS.includes(name));
}

function ignore(): void {}
