// V15: what a WebSocket allows to be sent that no client would: frames, headers, floods, compression. It is closed, and holds little until
// then; and who may come in is judged as over TCP.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";
import type { WebSocket } from "ws";
import { connect } from "../../src/client/index.ts";
import { ROOT } from "../support/repository.ts";
import { ListenerRig, untilClosed } from "../transport/listener-rig.ts";
import { ask, CONNECT, open, rawOf, socketTo, textOf, UPGRADE } from "../transport/raw-web-socket.ts";

const FIXTURES = join(ROOT, "test/fixtures/tls");

for (const [what, code, send] of [
  ["a text frame", 1003, (socket: WebSocket) => socket.send("not binary")],
  ["a frame that is not masked", 1002, (socket: WebSocket) => socket.send(CONNECT, { mask: false })],
  [
    "a frame of 2^63-1 bytes",
    1009,
    (socket: WebSocket) =>
      rawOf(socket).write(Buffer.from("82ff7fffffffffffffff", "hex")) && rawOf(socket).write("mask"),
  ],
  [
    "a compressed frame that was not agreed upon",
    1002,
    (socket: WebSocket) => rawOf(socket).write(Buffer.from("c28100000000ff", "hex")),
  ],
] as const) {
  test(`${what} ends it with ${code}, and the log says why`, async (context) => {
    const { rig, port } = await open(context);
    const socket = socketTo(context, port);
    await once(socket, "open");
    send(socket);
    assert.equal((await once(socket, "close"))[0], code);
    await rig.logged(/Client <unknown> \[127\.0\.0\.1:\d+\]: Protocol Error: .*(frame|reserved bit)/);
    await rig.logged(/disconnected: WebSocket protocol error\./);
  });
}

test("a flood of pings and of empty fragments holds no memory, and others are served meanwhile", async (context) => {
  const { rig, port } = await open(context);
  const flood = socketTo(context, port);
  await once(flood, "open");
  const raw = rawOf(flood);
  raw.pause(); // it reads none of the answers
  const ping = Buffer.from("8980deadbeef", "hex");
  const empty = Buffer.from("0080deadbeef", "hex");
  raw.write(Buffer.from("0280deadbeef", "hex"));
  const before = process.memoryUsage().rss;
  for (let i = 0; i < 8; i++) {
    await new Promise((resolve) =>
      raw.write(Buffer.concat(Array.from({ length: 5000 }, (_, at) => (at % 2 === 0 ? ping : empty))), resolve),
    );
  }
  await using client = await connect(`ws://127.0.0.1:${port}`);
  await client.publish("t", "x", { qos: 1 });
  assert.ok(process.memoryUsage().rss - before < 64 * 1024 * 1024);
  assert.ok([...rig.loop.broker.connections].every(({ backlogBytes }) => backlogBytes < 100_000));
});

test("10,000 headers, or one that never ends, hold nothing", async (context) => {
  const { rig, port } = await open(context, {}, 300);
  const many = [...UPGRADE, ...Array.from({ length: 10_000 }, (_, at) => `X-${at}: ${at}`)];
  assert.match(await ask(port, many), /^HTTP\/1\.1 431 /);
  const slow = connectTcp(port, "127.0.0.1");
  slow.write(`${UPGRADE.slice(0, 4).join("\r\n")}\r\n`);
  await textOf(slow);
  await rig.logged(/no whole HTTP request within the connect timeout/);
  // The time for the CONNECT runs from the opening.
  const mute = socketTo(context, port);
  await untilClosed(mute);
  await rig.logged(/no complete CONNECT within the connect timeout/);
});

test("a sub-protocol header of 64 KB, and one with 10,000 names, are refused by their size", async (context) => {
  const { port } = await open(context);
  const without = UPGRADE.filter((line) => !line.startsWith("Sec-WebSocket-Protocol"));
  for (const value of ["x".repeat(65_536), Array.from({ length: 10_000 }, (_, i) => `p${i}`).join(", ")])
    assert.match(await ask(port, [...without, `Sec-WebSocket-Protocol: ${value}`]), /^HTTP\/1\.1 431 /);
});

test("compression is not agreed to, so that no bomb is ever unpacked", async (context) => {
  const { rig, port } = await open(context);
  const socket = socketTo(context, port, "mqtt", { perMessageDeflate: true });
  await once(socket, "open");
  assert.equal(socket.extensions, "");
  const bomb = deflateRawSync(Buffer.alloc(50_000_000));
  const head = Buffer.of(
    0xc2,
    0xff,
    0,
    0,
    0,
    0,
    bomb.length >>> 24,
    (bomb.length >> 16) & 255,
    (bomb.length >> 8) & 255,
    bomb.length & 255,
  );
  const before = process.memoryUsage().rss;
  rawOf(socket).write(Buffer.concat([head, Buffer.alloc(4), bomb]));
  assert.equal((await once(socket, "close"))[0], 1002);
  await rig.logged(/disconnected: WebSocket protocol error\./);
  assert.ok(process.memoryUsage().rss - before < 40_000_000);
});

test("a client certificate is asked for over WebSocket as over TCP", async (context) => {
  const rig = new ListenerRig(context);
  const pair = { certFile: join(FIXTURES, "server.pem"), keyFile: join(FIXTURES, "leaf.key") };
  const tls = { certificates: [pair], caFile: join(FIXTURES, "ca.pem"), requireCertificate: true };
  for (const webSocket of [null, {}]) {
    const { port } = await rig.listen({ tls, webSocket });
    const url = `${webSocket === null ? "mqtts" : "wss"}://127.0.0.1:${port}`;
    const options = { reconnect: false as const, tls: { insecure: true } };
    await assert.rejects(connect(url, options));
    assert.equal(rig.applicants.length, 0);
  }
  await rig.logged(/peer did not return a certificate/);
});

test("a thousand connections that each announce a frame of 100,000 bytes and send little hold nothing for it", async (context) => {
  const { rig, port } = await open(context);
  const before = process.memoryUsage().rss;
  const sockets = await Promise.all(
    Array.from({ length: 1000 }, async () => {
      const socket = connectTcp(port, "127.0.0.1");
      socket.on("error", () => {});
      socket.write(`${UPGRADE.join("\r\n")}\r\n\r\n`);
      await once(socket, "data");
      // A binary frame of 100,000 bytes, in it a CONNECT of 99,000, of which a few come.
      socket.write(Buffer.from("82ff00000000000186a00000000010b8850600044d515454", "hex"));
      return socket;
    }),
  );
  assert.equal(rig.loop.broker.connections.size, 1000);
  assert.ok(process.memoryUsage().rss - before < 90_000_000, "97 MB were announced");
  for (const socket of sockets) socket.destroy();
  await Promise.all(sockets.map((socket: Socket) => untilClosed(socket)));
});
