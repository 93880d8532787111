// The PROXY protocol at our listeners: the client's address in the log, headers byte by byte, TLS and WebSocket behind, refusals.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectTcp, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { connect } from "../../src/client/index.ts";
import { encodePacket } from "../../src/protocol/index.ts";
import type { ListenerOptions } from "../../src/transport/index.ts";
import { ROOT } from "../support/repository.ts";
import { connectOf } from "../support/test-client.ts";
import { ListenerRig, untilClosed } from "./listener-rig.ts";

const V1 = Buffer.from("PROXY TCP4 192.0.2.1 192.0.2.2 50000 1883\r\n");
const SIGNATURE = "0d0a0d0a000d0a515549540a";
const V2 = Buffer.from(`${SIGNATURE}2111000cc0000201c0000202c350075b`, "hex");
/** By TLS, with a certificate of device-7. */
const V2_TLS = Buffer.from(
  `${SIGNATURE}21110022c0000201c0000202c350075b200013050000000022000864657669636537${"2d"}040000`,
  "hex",
);
const LOCAL = Buffer.from(`${SIGNATURE}20000000`, "hex");
const CONNECT = encodePacket(connectOf(5, "c"), 5);
const FIXTURES = join(ROOT, "test/fixtures/tls");

async function open(context: TestContext, options: Partial<ListenerOptions>, connectTimeoutMs: number = 15_000) {
  const rig = new ListenerRig(context, { connectTimeoutMs });
  const { port } = await rig.listen(options);
  return { rig, port };
}

/** Sends `chunks`, each by itself, and waits for the first byte that comes back; null: the end came first. */
async function answer(port: number, chunks: readonly Uint8Array[]): Promise<number | null> {
  const socket = connectTcp({ port, host: "127.0.0.1", noDelay: true });
  const first = new Promise<number | null>((resolve) => {
    socket.once("data", (chunk) => resolve(chunk[0]!));
    void untilClosed(socket).then(() => resolve(null));
  });
  for (const chunk of chunks) await new Promise((resolve) => socket.write(chunk, resolve));
  const byte = await first;
  socket.destroy();
  return byte;
}

for (const [version, header] of [
  [1, V1],
  [2, V2],
] as const) {
  test(`version ${version}: the client is who the header says, wherever it is cut`, async (context) => {
    const { rig, port } = await open(context, { proxy: { version } });
    for (let cut = 0; cut <= header.length + 3; cut += 5) {
      const bytes = Buffer.concat([header, CONNECT]);
      assert.equal(await answer(port, [bytes.subarray(0, cut), bytes.subarray(cut)]), 0x20, `cut at ${cut}`);
    }
    const bytes = Buffer.concat([header, CONNECT]);
    assert.equal(
      await answer(
        port,
        Array.from(bytes, (byte) => Uint8Array.of(byte)),
      ),
      0x20,
    );
    assert.ok(rig.applicants.every(({ remoteAddress }) => remoteAddress === "192.0.2.1:50000"));
    assert.equal(rig.applicants[0]?.localPort, port);
    assert.match(rig.log, new RegExp(`New connection from 192\\.0\\.2\\.1:50000 on port ${port}\\.`));
  });

  test(`version ${version}: what is no header is closed at once, what is none in time later`, async (context) => {
    const { rig, port } = await open(context, { proxy: { version } }, 200);
    const other = version === 1 ? V2 : V1;
    for (const bytes of [CONNECT, other, Buffer.from("PROXY TCP4 1.2.3.4 1.2.3.4 0 0\r\n")]) {
      rig.clearLog();
      assert.equal(await answer(port, [bytes]), null);
      await rig.logged(/^Connection rejected, corrupt PROXY header\. From 127\.0\.0\.1:\d+: .+\.$/m);
    }
    rig.clearLog();
    assert.equal(await answer(port, [header.subarray(0, 7)]), null);
    await rig.logged(/rejected, corrupt PROXY header\. From .+: no whole header within the connect timeout\./);
    assert.equal(rig.applicants.length, 0);
  });
}

test("a proxy that only looks whether we are there leaves no line", async (context) => {
  const { rig, port } = await open(context, { proxy: { version: 2 } });
  const socket = connectTcp(port, "127.0.0.1");
  await once(socket, "connect");
  socket.end();
  await untilClosed(socket);
  assert.equal(rig.log, "");
  // One that stays, and has nothing to say, is closed.
  assert.equal(await answer(port, [LOCAL]), null);
  assert.equal(rig.log, "");
  // Its own MQTT is its own.
  assert.equal(await answer(port, [LOCAL, CONNECT]), 0x20);
  assert.match(rig.applicants[0]?.remoteAddress ?? "", /^127\.0\.0\.1:\d+$/);
});

test("an address of IPv6 is told as mosquitto tells it, and a unix path needs no zeros behind it", async (context) => {
  const { rig, port } = await open(context, { proxy: { version: 1 } });
  assert.equal(await answer(port, [Buffer.from("PROXY TCP6 2001:db8::1 ::1 50000 1883\r\n"), CONNECT]), 0x20);
  await rig.logged(/New client connected from 2001:db8::1:50000 as c /);
  const { port: second } = await rig.listen({ proxy: { version: 2 } });
  assert.equal(await answer(second, [Buffer.from(`${SIGNATURE}213100062f72756e2f78`, "hex"), CONNECT]), 0x20);
  await rig.logged(/New client connected from \/run\/x:0 as c /);
});

test("what the proxy and its client agreed on is a line of the log", async (context) => {
  const { rig, port } = await open(context, { proxy: { version: 2 } });
  const told = "210007544c5376312e3323000341455a";
  const header = Buffer.from(`${SIGNATURE}21110024c0000201c0000202c350075b2000150100000000${told}`, "hex");
  const behind = header.length - SIGNATURE.length / 2 - 4;
  assert.equal(header.readUInt16BE(14), behind);
  assert.equal(await answer(port, [header, CONNECT]), 0x20);
  await rig.logged(/^Connection from 192\.0\.2\.1:50000 negotiated TLSv1\.3 cipher AEZ$/m);
});

test("what the proxy knows by TLS becomes the identity, and may be required", async (context) => {
  const { rig, port } = await open(context, { proxy: { version: 2, requireTls: true, requireCertificate: true } });
  assert.equal(await answer(port, [V2_TLS, CONNECT]), 0x20);
  const { peer } = rig.applicants[0]!;
  assert.deepEqual(
    [peer.isEncrypted, peer.certificate?.commonName, peer.certificate?.subject],
    [true, "device7-", "CN=device7-"],
  );
  assert.equal(await answer(port, [V2, CONNECT]), null);
  await rig.logged(/Connection from 192\.0\.2\.1:50000 rejected, client did not connect using TLS\./);
  const { port: second } = await rig.listen({ proxy: { version: 2, requireCertificate: true } });
  assert.equal(await answer(second, [V2, CONNECT]), null);
  await rig.logged(/rejected, client did not provide a certificate\./);
});

/** A proxy that puts `header` before what its clients say. */
async function proxy(context: TestContext, port: number, header: Uint8Array): Promise<number> {
  const server = createServer((client: Socket) => {
    const up = connectTcp(port, "127.0.0.1");
    up.write(header);
    client.on("error", () => up.destroy()).pipe(up);
    up.on("error", () => client.destroy()).pipe(client);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => server.close());
  return (server.address() as { port: number }).port;
}

test("TLS and WebSocket behind a header that comes first", async (context) => {
  const rig = new ListenerRig(context);
  const tls = { certificates: [{ certFile: join(FIXTURES, "server.pem"), keyFile: join(FIXTURES, "leaf.key") }] };
  for (const [scheme, options] of [
    ["mqtts", { tls }],
    ["ws", { webSocket: {} }],
    ["wss", { tls, webSocket: {} }],
  ] as const) {
    const { port } = await rig.listen({ ...options, proxy: { version: 1 } });
    const front = await proxy(context, port, V1);
    await using client = await connect(`${scheme}://localhost:${front}`, { tls: { caFile: join(FIXTURES, "ca.pem") } });
    await client.publish("t", "x", { qos: 1 });
    const { remoteAddress, peer } = rig.applicants.at(-1)!;
    assert.deepEqual([remoteAddress, peer.isEncrypted], ["192.0.2.1:50000", scheme !== "ws"]);
  }
});
