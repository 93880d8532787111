/** What speaks on a port, by its first bytes after a CONNECT, a TLS hello, a request of HTTP, or a PROXY header. */
import type { Socket } from "node:net";
import { encodePacket, NO_PROPERTIES } from "../protocol/index.ts";
import { type Dialer, TlsDialer } from "../transport/index.ts";
import { codeOf } from "./network.ts";

/** A protocol that a port can speak, or nothing of the kind. */
export type Speaker = "mqtt" | "tls" | "http" | "websocket" | "proxy" | "other" | "silent" | "closed";

/** Most bytes of an answer that are kept. */
const MOST_BYTES = 2048;

const CONNACK = 0x20;
const DISCONNECT = Uint8Array.of(0xe0, 0);

/** A CONNECT that says nothing of anybody, and bytes for other protocols. */
export function anonymousConnect(clientId: string): Uint8Array {
  return encodePacket(
    {
      type: "CONNECT",
      version: 4,
      bridge: false,
      cleanStart: true,
      keepAliveSeconds: 10,
      clientId,
      will: null,
      username: null,
      password: null,
      properties: NO_PROPERTIES,
    },
    4,
  );
}

/** The first bytes of an answer, and how it ended when there are none. */
export interface Reply {
  readonly bytes: Uint8Array;
  readonly end: "data" | "silent" | "closed";
  /** The system's name of the error that ended it. */
  readonly error: string | null;
}

/** Opens a connection, says `bytes` and waits for the first answer. */
export async function ask(dialer: Dialer, bytes: Uint8Array, timeoutMs: number): Promise<Reply> {
  const signal = AbortSignal.timeout(timeoutMs);
  let socket: Socket;
  try {
    socket = await dialer.dial(signal);
  } catch (error) {
    return { bytes: new Uint8Array(0), end: signal.aborted ? "silent" : "closed", error: codeOf(causeOf(error)) };
  }
  return replyOn(socket, bytes, timeoutMs);
}

/** Says `bytes` on an open connection, waits for the first answer and closes. */
export function replyOn(socket: Socket, bytes: Uint8Array, timeoutMs: number): Promise<Reply> {
  return new Promise((resolve) => {
    const finish = (reply: Reply): void => {
      clearTimeout(timer);
      socket.removeAllListeners().on("error", () => {});
      // Who has been let in takes its leave.
      if (reply.bytes[0] === CONNACK) socket.end(DISCONNECT);
      else socket.destroy();
      resolve(reply);
    };
    const none = new Uint8Array(0);
    const timer = setTimeout(() => finish({ bytes: none, end: "silent", error: null }), timeoutMs);
    socket.on("data", (chunk: Uint8Array) =>
      finish({ bytes: chunk.subarray(0, MOST_BYTES), end: "data", error: null }),
    );
    socket.on("error", (error) => finish({ bytes: none, end: "closed", error: codeOf(error) }));
    socket.on("close", () => finish({ bytes: none, end: "closed", error: null }));
    socket.write(bytes);
  });
}

function causeOf(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error ? error.cause : error;
}

/** What the first bytes of an answer are. */
export function speakerOf({ bytes, end }: Reply): Speaker {
  if (bytes.length === 0) return end === "silent" ? "silent" : "closed";
  const [first = 0, second = 0] = bytes;
  if (first === CONNACK && second >= 2 && second <= 0x7f) return "mqtt";
  if ((first === 0x15 || first === 0x16) && second === 3) return "tls";
  const text = Buffer.from(bytes).toString("latin1");
  if (/^HTTP\/1\.1 101/.test(text)) return "websocket";
  return text.startsWith("HTTP/") ? "http" : "other";
}

/** When an answer of HTTP was given, by the server's clock, in milliseconds since 1970. */
export function httpDateOf({ bytes }: Reply): number | null {
  const date = /^date: (.{1,60})\r$/im.exec(Buffer.from(bytes).toString("latin1"))?.[1];
  const timeMs = Date.parse(date ?? "");
  return Number.isNaN(timeMs) ? null : timeMs;
}

/** A request for a WebSocket of MQTT. */
export function upgradeRequest(host: string, path: string): Uint8Array {
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: ${host}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: bGFjZXdpbmcgZG9jdG9yLg==",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Protocol: mqtt",
  ];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`);
}

const PROXY_HEADER = Buffer.from("PROXY TCP4 127.0.0.1 127.0.0.1 50000 1883\r\n");

/** What speaks at the end of `dialer`, tried one after the other; what the user expects first. */
export async function findSpeaker(
  dialer: Dialer,
  host: string,
  clientId: string,
  path: string,
  timeoutMs: number,
): Promise<Speaker> {
  const connect = anonymousConnect(clientId);
  const first = speakerOf(await ask(dialer, connect, timeoutMs));
  if (first === "mqtt" || first === "tls" || first === "other") return first;
  if (await speaksTls(dialer, host, timeoutMs)) return "tls";
  const web = speakerOf(await ask(dialer, upgradeRequest(host, path), timeoutMs));
  if (web === "websocket" || web === "http") return web;
  const behind = speakerOf(await ask(dialer, Buffer.concat([PROXY_HEADER, connect]), timeoutMs));
  return behind === "mqtt" ? "proxy" : first;
}

async function speaksTls(dialer: Dialer, host: string, timeoutMs: number): Promise<boolean> {
  try {
    const socket = await new TlsDialer(dialer, host, { insecure: true }).dial(AbortSignal.timeout(timeoutMs));
    socket.on("error", () => {}).destroy();
    return true;
  } catch (error) {
    return isSaidInTls(codeOf(causeOf(error)));
  }
}

/** Whether an error was told by TLS itself: an alert, or versions and ciphers that do not meet. */
export function isSaidInTls(code: string): boolean {
  return /_ALERT_|ERR_SSL_TLSV1|ERR_SSL_NO_SHARED|ERR_SSL_UNSUPPORTED_PROTOCOL/.test(code);
}
