import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { unlinkSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer, Server as NetServer, type Socket } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { temporaryFolder } from "../../test/support/folder.ts";
import { type Config, DEFAULT_CONFIG, listenerOf } from "../config/index.ts";
import {
  type Connect,
  decodePacket,
  encodePacket,
  Framer,
  isFault,
  NO_PROPERTIES,
  type Packet,
  publishOf,
  type Version,
} from "../protocol/index.ts";
import { NO_SECURITY, type Plugin } from "../security/index.ts";
import { reserveSockets } from "../transport/index.ts";
import { ListenError } from "./listen-error.ts";
import { type Server, startServer } from "./server.ts";

const NO_FIFO = process.platform === "win32" ? "Windows has no such files" : false;

const running: Server[] = [];
after(() => Promise.all(running.map((server) => server.close())));

async function start(change: Partial<Config> = {}): Promise<{ server: Server; port: number; log: string[] }> {
  const log: string[] = [];
  const config: Config = { ...DEFAULT_CONFIG, listeners: [listener()], ...change };
  const server = await startServer(config, (text) => log.push(text));
  running.push(server);
  return { server, port: server.listeners[0]!.port, log };
}

function listener(allowAnonymous: boolean = true): Config["listeners"][number] {
  return listenerOf({ host: "127.0.0.1", port: 0, allowAnonymous });
}

/** A client that speaks packets, for as long as a test needs one. */
class Peer {
  readonly socket: Socket;
  readonly received: Packet[] = [];
  readonly #framer = new Framer(10_000_000);
  readonly #version: Version;
  isClosed = false;

  constructor(port: number, version: Version) {
    this.#version = version;
    this.socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.socket.on("data", (chunk) => this.#take(chunk));
    this.socket.on("error", () => {});
    this.socket.on("close", () => {
      this.isClosed = true;
    });
  }

  #take(chunk: Uint8Array): void {
    this.#framer.push(chunk);
    while (this.#framer.next() === "packet") {
      const { bytes, start, end } = this.#framer;
      const packet = decodePacket(bytes, start, end, this.#version, "server");
      assert.ok(!isFault(packet));
      this.received.push(packet);
    }
    this.socket.emit("taken");
  }

  send(packet: Packet): void {
    this.socket.write(encodePacket(packet, this.#version));
  }

  async next(): Promise<Packet> {
    while (this.received.length === 0) await once(this.socket, "taken");
    return this.received.shift()!;
  }

  async until(count: number): Promise<readonly Packet[]> {
    while (this.received.length < count) await once(this.socket, "taken");
    return this.received;
  }

  async closed(): Promise<void> {
    if (!this.isClosed) await once(this.socket, "close");
  }
}

function connectPacket(version: Version, clientId: string): Connect {
  return {
    type: "CONNECT",
    version,
    bridge: false,
    cleanStart: true,
    keepAliveSeconds: 60,
    clientId,
    will: null,
    username: null,
    password: null,
    properties: NO_PROPERTIES,
  };
}

async function connected(port: number, version: Version, clientId: string): Promise<Peer> {
  const peer = new Peer(port, version);
  peer.send(connectPacket(version, clientId));
  const connack = await peer.next();
  assert.ok(connack.type === "CONNACK" && connack.reasonCode === 0);
  return peer;
}

async function subscribed(port: number, clientId: string, topicFilter: string, qos: 0 | 1): Promise<Peer> {
  const peer = await connected(port, 4, clientId);
  const request = { topicFilter, qos, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
  peer.send({ type: "SUBSCRIBE", packetId: 1, subscriptions: [request], properties: NO_PROPERTIES });
  assert.equal((await peer.next()).type, "SUBACK");
  return peer;
}

test("close says 0x8B to a 5.0 client, closes the others, and frees the port", async () => {
  const { server, port } = await start();
  const [five, four] = [await connected(port, 5, "five"), await connected(port, 4, "four")];
  const closing = server.close();
  const goodbye = await five.next();
  assert.ok(goodbye.type === "DISCONNECT");
  assert.equal(goodbye.reasonCode, 0x8b);
  await Promise.all([five.closed(), four.closed(), closing]);
  const again = createServer().listen(port, "127.0.0.1");
  await once(again, "listening");
  again.close();
});

test("whoever reaches the first listener finds the others: all begin to listen in one turn", async (context) => {
  let turn = 0;
  const turns: number[] = [];
  const { listen } = NetServer.prototype;
  context.mock.method(NetServer.prototype, "listen", function (this: NetServer, ...given: Parameters<typeof listen>) {
    turns.push(turn);
    setImmediate(() => turn++);
    return listen.apply(this, given);
  });
  // Whether a file is in the way of a unix socket takes a look at the disk.
  const unix = { ...listener(), unixPath: join(temporaryFolder(context), "broker.sock") };
  const { server } = await start({ listeners: [listener(), unix, listener()] });
  assert.equal(server.listeners.length, 3);
  assert.deepEqual(turns, [0, 0, 0]);
});

test("a port in use ends the start with one sentence that says what to do", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  const busy = { ...listener(), port };
  await assert.rejects(
    startServer({ ...DEFAULT_CONFIG, listeners: [busy] }, () => {}),
    (error) => error instanceof ListenError && error.code === "EADDRINUSE" && / -p\./.test(error.message),
  );
  other.close();
});

test("of two listeners at a place where a socket was handed over one gets that, and the other opens its own", async () => {
  const sockets = await reserveSockets({ kind: "network", host: "127.0.0.1", port: 0, family: undefined });
  const server = await startServer({ ...DEFAULT_CONFIG, listeners: [listener(), listener()] }, () => {}, { sockets });
  running.push(server);
  const [first, second] = server.listeners;
  assert.equal(first?.address, sockets[0]?.address);
  assert.match(second?.address ?? "", /^127\.0\.0\.1:\d+$/);
});

test("a listener that is optional and cannot be had is only warned of", async () => {
  const absent = listenerOf({ host: "192.0.2.55", port: 0, allowAnonymous: true, isOptional: true });
  const { server, log } = await start({ listeners: [listener(), absent] });
  server.log.flush();
  assert.equal(server.listeners.length, 1);
  assert.match(log.join(""), /Cannot listen on 192\.0\.2\.55:\d+: .*Going on without it\./);
});

test("a listener without anonymous clients answers 5 or 0x87 and says why in the log", async () => {
  const { server, port, log } = await start({ listeners: [listener(false)] });
  for (const [version, code] of [
    [4, 5],
    [5, 0x87],
  ] as const) {
    const peer = new Peer(port, version);
    peer.send(connectPacket(version, `client-${version}`));
    const connack = await peer.next();
    assert.ok(connack.type === "CONNACK");
    assert.equal(connack.reasonCode, code);
    await peer.closed();
  }
  server.log.flush();
  assert.match(log.join(""), /Client client-5 \[127\.0\.0\.1:\d+\] disconnected: not authorised\./);
});

test("a reload that fails leaves no plugin open that it has made, and closes none that was given", async (context) => {
  const folder = temporaryFolder(context, { acl: "topic readwrite #\n" });
  let made = 0;
  let given = 1;
  const maker = (): Plugin => {
    made++;
    return { close: () => void made-- };
  };
  const plugins = [maker, { close: () => void given-- }].map(
    (plugin) => ({ kind: "given", name: "p", plugin }) as const,
  );
  const { entrance } = listener();
  const plugged = { ...listener(), security: { ...NO_SECURITY, plugins } };
  const guarded = {
    ...listener(),
    entrance: { ...entrance, name: "guarded" },
    security: { ...NO_SECURITY, aclFile: join(folder, "acl") },
  };
  const config = { ...DEFAULT_CONFIG, listeners: [plugged, guarded] };
  const { server } = await start(config);
  await writeFile(join(folder, "acl"), "no rule\n");
  await assert.rejects(server.reload(config), /Invalid line in acl_file/);
  assert.deepEqual([made, given], [1, 1]);
});

test("what clients send during a reload is judged by what comes out of it", { skip: NO_FIFO }, async (context) => {
  const folder = temporaryFolder(context, { acl: "topic readwrite #\n" });
  const aclFile = join(folder, "acl");
  const guarded = { ...listener(), security: { ...NO_SECURITY, aclFile } };
  const { server, port } = await start({ listeners: [guarded] });
  const earlier = await connected(port, 5, "earlier");
  unlinkSync(aclFile);
  // It is read as soon as somebody writes it.
  execFileSync("mkfifo", [aclFile]);
  const reloaded = server.reload({ ...DEFAULT_CONFIG, listeners: [guarded] });
  const fields = { topicName: "t", payload: Buffer.from("x"), qos: 1, retain: false, dup: false, packetId: 1 } as const;
  earlier.send(publishOf({ ...fields, properties: NO_PROPERTIES }));
  const peer = new Peer(port, 5);
  peer.send(connectPacket(5, "meanwhile"));
  const isHere = (): boolean =>
    [...server.broker.connections].some(({ clientId, isReady }) => clientId === "meanwhile" && !isReady);
  while (!isHere()) await new Promise(setImmediate);
  assert.equal(server.broker.counters.publishReceived, 0);
  await writeFile(aclFile, "topic read #\n");
  await reloaded;
  const connack = await peer.next();
  assert.ok(connack.type === "CONNACK" && connack.reasonCode === 0);
  peer.send(publishOf({ ...fields, properties: NO_PROPERTIES }));
  for (const client of [earlier, peer]) {
    const answer = await client.next();
    assert.ok(answer.type === "PUBACK");
    assert.equal(answer.reasonCode, 0x87);
  }
});

test("every byte arrives at a subscriber that did not read for a while", async () => {
  const { port } = await start();
  const slow = await subscribed(port, "slow", "t", 0);
  const publisher = await connected(port, 4, "publisher");
  slow.socket.pause();
  const count = 200;
  for (let i = 0; i < count; i++) {
    const payload = Buffer.alloc(16_000, i);
    publisher.send(
      publishOf({
        topicName: "t",
        payload,
        qos: 1,
        retain: false,
        dup: false,
        packetId: i + 1,
        properties: NO_PROPERTIES,
      }),
    );
  }
  await publisher.until(count);
  slow.socket.resume();
  const messages = await slow.until(count);
  for (const [i, message] of messages.entries()) {
    assert.ok(message.type === "PUBLISH");
    assert.ok(
      message.payload.every((byte) => byte === (i & 255)),
      `message ${i} is not what was sent`,
    );
  }
});

test("a peer that ends its half is answered by the end of the other", async () => {
  const { port } = await start();
  const peer = await connected(port, 5, "leaver");
  peer.socket.end();
  await peer.closed();
});

test("a client that goes on sending after its fault is not reset: it can read why it was told to go", async () => {
  const { port } = await start();
  const socket = connect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
  const errors: Error[] = [];
  socket.on("error", (error) => errors.push(error));
  socket.write(encodePacket(connectPacket(5, "stubborn"), 5));
  await once(socket, "data");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  for (let packetId = 1; packetId <= 21; packetId++) {
    const fields = { topicName: "t", payload: new Uint8Array(1), retain: false, dup: false, properties: NO_PROPERTIES };
    socket.write(encodePacket(publishOf({ ...fields, qos: 2, packetId }), 5));
  }
  await once(socket, "end");
  for (let packetId = 1; packetId <= 20; packetId++) {
    const pubrel = { type: "PUBREL", packetId, reasonCode: 0, properties: NO_PROPERTIES } as const;
    await new Promise((resolve) => socket.write(encodePacket(pubrel, 5), resolve));
  }
  socket.end();
  await once(socket, "close");
  assert.deepEqual(errors, []);
  const last = Buffer.concat(chunks).toString("hex");
  assert.match(last, /e0..93/);
});
