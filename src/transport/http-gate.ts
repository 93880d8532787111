/**
 * The HTTP of one listener that is there to be read by: requests come in whole, in time and within bounds, and answers go out. What is
 * answered is decided elsewhere (`http-service.ts`). It listens nowhere: sockets are given to it.
 */
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { HttpPatience, MOST_ANSWERS } from "./http-patience.ts";
import { httpReader } from "./http-reader.ts";
import type { HttpAnswer, HttpService } from "./http-service.ts";
import type { HttpOptions } from "./listener-options.ts";
import { pathOf, type StaticFiles } from "./static-files.ts";
import type { LinkFacts } from "./tcp-link.ts";

/** Of what was asked for, so much is repeated in the log. */
const MOST_SHOWN_CHARACTERS = 200;

/** One connection. */
interface Talk {
  readonly facts: LinkFacts;
  readonly patience: HttpPatience;
  /** What had been read when nothing was left to be answered, in bytes. */
  readBytes: number;
}

type Refusal = Extract<HttpAnswer, { kind: "refused" }>;

/** Answers to what is no request to read something, in mosquitto's words where it has any. */
const NOT_FOUND = { status: 404, text: "Not found.\n" } as const;
const FAILED = { status: 500, text: "Internal server error.\n" } as const;
const ALLOWED_METHODS = "GET, HEAD";

/** Reads requests and writes answers. */
export class HttpGate {
  readonly #server: Server;
  readonly #service: HttpService;
  readonly #origins: readonly string[];
  readonly #files: StaticFiles | null;
  readonly #timeoutMs: number;
  readonly #talks: Map<Duplex, Talk> = new Map();

  /** @param timeoutMs for a whole request, in milliseconds; between two of them as well */
  constructor(options: HttpOptions, files: StaticFiles | null, timeoutMs: number) {
    const { service, origins = [], maximumHeaderBytes } = options;
    this.#service = service;
    this.#origins = origins;
    this.#files = files;
    this.#timeoutMs = timeoutMs;
    this.#server = httpReader(maximumHeaderBytes);
    this.#server.on("request", (request, response) => void this.#answer(request, response));
    this.#server.on("connect", (_request, socket) => this.#refuseRaw(socket, 405, "CONNECT leads nowhere from here"));
    this.#server.on("clientError", (error, socket) => this.#malformed(error, socket));
  }

  /** Reads requests from `socket` until it ends. */
  begin(socket: Socket, facts: LinkFacts): void {
    const patience = new HttpPatience(socket, this.#timeoutMs, () => this.#late(socket, talk));
    const talk: Talk = { facts, patience, readBytes: 0 };
    this.#talks.set(socket, talk);
    socket.on("close", () => {
      patience.stop();
      this.#talks.delete(socket);
    });
    this.#server.emit("connection", socket);
  }

  #late(socket: Socket, { facts, readBytes }: Talk): void {
    // Browsers keep connections without use.
    const isIdle = socket.bytesRead === readBytes;
    socket.destroy();
    if (!isIdle) this.#service.refused(facts.remoteAddress, "it sent no whole request within the connect timeout");
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    const talk = this.#talks.get(socket);
    // What follows a refusal in the same chunk is read all the same.
    if (talk === undefined || socket.destroyed) return;
    if (talk.patience.isFull) {
      socket.destroy();
      this.#service.refused(talk.facts.remoteAddress, `it asked for more than ${MOST_ANSWERS} things at once`);
      return;
    }
    talk.patience.answering(response, () => {
      talk.readBytes = socket.bytesRead;
    });
    request.resume();
    this.#allowOrigin(request, response);
    try {
      await this.#fulfil(request, response, talk.facts);
    } catch (error) {
      this.#refuse(request, response, talk.facts, { kind: "refused", ...FAILED, why: String(error) });
    }
  }

  async #fulfil(request: IncomingMessage, response: ServerResponse, facts: LinkFacts): Promise<void> {
    const refusal = this.#refusalOf(request, response);
    if (refusal !== null) return this.#refuse(request, response, facts, refusal);
    if (request.method === "OPTIONS") {
      response.writeHead(204, { "Access-Control-Allow-Methods": ALLOWED_METHODS }).end();
      return;
    }
    const path = pathOf(request.url ?? "");
    if (path === null)
      return this.#refuse(request, response, facts, { kind: "refused", ...NOT_FOUND, why: "that is no path" });
    const answer = await this.#service.answer({ path, authorization: request.headers.authorization ?? null, facts });
    if (response.destroyed) return;
    if (answer.kind === "refused") this.#refuse(request, response, facts, answer);
    else if (answer.kind === "content") send(response, answer.mediaType, answer.text);
    else await this.#sendFile(request, response, facts);
  }

  /** What speaks against a request whatever it asks for; null: nothing. */
  #refusalOf({ method, headers }: IncomingMessage, response: ServerResponse): Refusal | null {
    const { "content-length": length = "0", "transfer-encoding": encoding } = headers;
    const isPreflight = method === "OPTIONS" && response.hasHeader("Access-Control-Allow-Origin");
    if (method !== "GET" && method !== "HEAD" && !isPreflight) {
      const headers = { Allow: ALLOWED_METHODS };
      return {
        kind: "refused",
        status: 405,
        text: "Invalid HTTP Method\n",
        headers,
        why: "nothing can be changed here",
      };
    }
    if (length === "0" && encoding === undefined) return null;
    return { kind: "refused", status: 413, text: "No content is taken here.\n", why: "it has content" };
  }

  /** Pages of other origins may read what is here only when the configuration names them. */
  #allowOrigin({ headers: { origin } }: IncomingMessage, response: ServerResponse): void {
    if (this.#origins.length === 0) return;
    response.setHeader("Vary", "Origin");
    if (origin === undefined || !this.#origins.includes(origin)) return;
    response.setHeader("Access-Control-Allow-Origin", origin);
    response.setHeader("Access-Control-Allow-Headers", "Authorization");
  }

  async #sendFile(request: IncomingMessage, response: ServerResponse, facts: LinkFacts): Promise<void> {
    if (this.#files === null) {
      this.#refuse(request, response, facts, { kind: "refused", ...NOT_FOUND, why: "http_dir is not set" });
      return;
    }
    // As mosquitto, on which those rely who do not read an answer to its end.
    response.setHeader("Connection", "close");
    const status = await this.#files.answer(request, response);
    if (status >= 400) this.#tell(request, facts, status, `http_dir has no such file, or it cannot be read`);
  }

  /** Whoever is refused begins anew, so that the bounds on connections hold for those who try. */
  #refuse(request: IncomingMessage, response: ServerResponse, facts: LinkFacts, refusal: Refusal): void {
    const { status, text, headers = {}, why } = refusal;
    this.#tell(request, facts, status, why);
    if (response.headersSent) response.destroy();
    else send(response.setHeader("Connection", "close"), "text/plain; charset=utf-8", text, status, headers);
  }

  #tell({ method, url }: IncomingMessage, { remoteAddress }: LinkFacts, status: number, why: string): void {
    const asked = `${method} ${url}`.slice(0, MOST_SHOWN_CHARACTERS);
    this.#service.refused(remoteAddress, `${asked}: ${status}, ${why}`);
  }

  #malformed(error: Error & { readonly code?: unknown }, socket: Duplex): void {
    if (error.code === "HPE_HEADER_OVERFLOW")
      this.#refuseRaw(socket, 431, "its header is larger than packet_buffer_size allows");
    else if (error.code === "HPE_INVALID_URL") this.#refuseRaw(socket, 404, "it asked for what is no path");
    else if (typeof error.code === "string" && error.code.startsWith("HPE_"))
      this.#refuseRaw(socket, 400, "that is not HTTP");
    else socket.destroy();
  }

  #refuseRaw(socket: Duplex, status: number, why: string): void {
    const talk = this.#talks.get(socket);
    if (talk === undefined || !socket.writable) {
      socket.destroy();
      return;
    }
    talk.patience.stop();
    this.#service.refused(talk.facts.remoteAddress, `${status}, ${why}`);
    const headers = status === 405 ? `Allow: ${ALLOWED_METHODS}\r\n` : "";
    socket.on("error", () => {});
    socket.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${headers}Connection: close\r\nContent-Length: 0\r\n\r\n`,
      () => socket.destroy(),
    );
  }
}

function send(
  response: ServerResponse,
  mediaType: string,
  text: string,
  status: number = 200,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, {
    ...headers,
    "Content-Type": mediaType,
    "Content-Length": Buffer.byteLength(text),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
  });
  response.end(text);
}
