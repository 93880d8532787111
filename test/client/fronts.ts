// Doors in front of a broker's plain TCP port, for tests of the transports: TLS, WebSocket, a unix socket, a SOCKS5 proxy.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import { createWebSocketStream, WebSocketServer } from "ws";
import type { Ending } from "../support/ending.ts";
import { ROOT } from "../support/repository.ts";

/** The path of a file of test/fixtures/tls. */
export function fixture(name: string): string {
  return join(ROOT, "test/fixtures/tls", name);
}

/** What is in it. */
export function pem(name: string): string {
  return readFileSync(fixture(name), "utf8");
}

/** A server's certificate of test/fixtures/tls. */
export function certified(name: string): TlsOptions {
  return { cert: pem(name), key: pem("leaf.key"), ca: pem("ca.pem") };
}

function pipeThrough(client: Duplex, port: number): void {
  const server = connect(port, "127.0.0.1");
  client.on("error", () => server.destroy());
  server.on("error", () => client.destroy());
  client.pipe(server).pipe(client);
}

async function listening<S extends Server>(context: Ending, server: S, path?: string): Promise<S> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket));
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  if (path === undefined) server.listen(0, "127.0.0.1");
  else server.listen(path);
  await once(server, "listening");
  return server;
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

/** TLS; `setSecureContext` of what is returned changes the certificate. */
export async function tlsFront(context: Ending, port: number, options: TlsOptions) {
  const server = createTlsServer(options, (socket) => pipeThrough(socket, port));
  server.on("tlsClientError", () => {});
  return listening(context, server);
}

/** WebSocket, with TLS when there are options for it. */
export async function webSocketFront(context: Ending, port: number, tls?: TlsOptions) {
  const http = tls === undefined ? createHttpServer() : createHttpsServer(tls);
  const requests: { readonly url: string | undefined; readonly token: unknown }[] = [];
  const server = new WebSocketServer({
    server: http,
    path: "/mqtt",
    handleProtocols: (offered) => offered.has("mqtt") && "mqtt",
  });
  server.on("connection", (socket, { url, headers }) => {
    requests.push({ url, token: headers["x-token"] });
    pipeThrough(createWebSocketStream(socket), port);
  });
  await listening(context, http);
  return { port: portOf(http), requests };
}

export async function unixFront(context: Ending, port: number, path: string): Promise<void> {
  await listening(
    context,
    createServer((socket) => pipeThrough(socket, port)),
    path,
  );
}

/** What a SOCKS5 proxy was asked for. */
export interface ProxyRequest {
  readonly login: string | null;
  readonly host: string;
}

/**
 * A SOCKS5 proxy whose every way leads to `port`.
 * @param password what it wants to hear, or null
 * @param reply what it says to a request; 0 connects. What is not 0 it says to another password too, instead of 1
 */
export async function socksFront(context: Ending, port: number, password: string | null, reply: number = 0) {
  const requests: ProxyRequest[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => {});
    void serveSocks(socket, password, reply).then((request) => {
      if (request === null) return socket.end();
      requests.push(request);
      if (reply === 0) pipeThrough(socket, port);
      else socket.end();
    });
  });
  await listening(context, server);
  return { port: portOf(server), requests };
}

async function serveSocks(socket: Socket, password: string | null, reply: number): Promise<ProxyRequest | null> {
  const read = async (count: number): Promise<Buffer> => {
    for (;;) {
      const bytes = socket.read(count) as Buffer | null;
      if (bytes !== null) return bytes;
      await once(socket, "readable");
    }
  };
  const [, count] = await read(2);
  await read(count!);
  socket.write(Uint8Array.of(5, password === null ? 0 : 2));
  let login: string | null = null;
  if (password !== null) {
    const name = await read((await read(2))[1]!);
    const said = await read((await read(1))[0]!);
    login = `${name}:${said}`;
    socket.write(Uint8Array.of(1, said.toString() === password ? 0 : reply || 1));
    if (said.toString() !== password) return null;
  }
  const kind = (await read(4))[3]!;
  const host =
    kind === 3 ? (await read((await read(1))[0]!)).toString() : (await read(kind === 1 ? 4 : 16)).toString("hex");
  await read(2);
  socket.write(Uint8Array.of(5, reply, 0, 1, 0, 0, 0, 0, 0, 0));
  return { login, host };
}
