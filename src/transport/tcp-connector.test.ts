/** Connections by TCP over loopback. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { test } from "node:test";
import type { Link } from "../core/index.ts";
import type { LinkSeeker } from "./connector.ts";
import { TcpConnector } from "./tcp-connector.ts";

/** Notes what it is told and lets tests wait for it. */
class Seeker implements LinkSeeker {
  readonly opening: Promise<Link>;
  readonly closing: Promise<Error | undefined>;
  received = "";
  opened!: (link: Link) => void;
  #closed!: (error: Error | undefined) => void;

  constructor() {
    this.opening = new Promise((resolve) => {
      this.opened = resolve;
    });
    this.closing = new Promise((resolve) => {
      this.#closed = resolve;
    });
  }

  receive(chunk: Uint8Array): void {
    this.received += new TextDecoder().decode(chunk);
  }

  drained(): void {}

  recycle(): void {}

  closed(_isError: boolean, error?: Error): void {
    this.#closed(error);
  }
}

async function listen(): Promise<{ server: Server; port: number }> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

test("bytes go both ways, and the end of the peer is told", async () => {
  const { server, port } = await listen();
  const connector = new TcpConnector({ host: "127.0.0.1", port, timeoutMs: 10_000 });
  assert.equal(connector.address, `127.0.0.1:${port}`);
  const seeker = new Seeker();
  connector.connect(seeker);
  const [[socket], link] = (await Promise.all([once(server, "connection"), seeker.opening])) as [[Socket], Link];
  link.write({ segments: [new TextEncoder().encode("ping")], spent: null });
  const [heard] = (await once(socket, "data")) as [Buffer];
  assert.equal(heard.toString(), "ping");
  socket.end("pong");
  assert.equal(await seeker.closing, undefined);
  assert.equal(seeker.received, "pong");
  server.close();
});

test("a port where nobody listens: the system's error", async () => {
  const { server, port } = await listen();
  await new Promise((resolve) => server.close(resolve));
  const seeker = new Seeker();
  new TcpConnector({ host: "127.0.0.1", port, timeoutMs: 10_000 }).connect(seeker);
  assert.equal(((await seeker.closing) as NodeJS.ErrnoException).code, "ECONNREFUSED");
});

test("all addresses of a name refuse: the error still has its code", async () => {
  const { server, port } = await listen();
  await new Promise((resolve) => server.close(resolve));
  const seeker = new Seeker();
  new TcpConnector({ host: "localhost", port, timeoutMs: 10_000 }).connect(seeker);
  assert.equal(((await seeker.closing) as NodeJS.ErrnoException).code, "ECONNREFUSED");
});

test("giving up while connecting leaves nothing behind", async () => {
  const { server, port } = await listen();
  const seeker = new Seeker();
  let wasTold = false;
  void seeker.closing.then(() => {
    wasTold = true;
  });
  new TcpConnector({ host: "127.0.0.1", port, timeoutMs: 10_000 }).connect(seeker)();
  await new Promise((resolve) => server.close(resolve));
  assert.equal(wasTold, false);
});
