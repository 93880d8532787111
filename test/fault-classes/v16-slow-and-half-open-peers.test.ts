// V16: peers that are slow on purpose: a CONNECT a byte at a time, silence behind a keep-alive of 18 hours, and those who were refused and
// do not go. Each is closed in its time, the whole packet counting and not each byte, and others come in meanwhile.
import assert from "node:assert/strict";
import { connect as connectTcp, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { connect } from "../../src/client/index.ts";
import { encodePacket } from "../../src/protocol/index.ts";
import { BrokerHarness } from "../support/broker-harness.ts";
import { ROOT } from "../support/repository.ts";
import { connectOf } from "../support/test-client.ts";
import { WireClient } from "../support/wire-client.ts";
import { ListenerRig, untilClosed } from "../transport/listener-rig.ts";
import { startConfigured, until } from "./configured-broker.ts";
import { RawSocket } from "./raw-socket.ts";

const SLOW_ONES = 400;

/** A client that does what it came for. */
async function works(url: string): Promise<void> {
  await using client = await connect(url);
  await client.publish("t", "x", { qos: 1 });
}

test("many who are slow at each stage are closed in time, and others are served meanwhile", async (context) => {
  const rig = new ListenerRig(context, { connectTimeoutMs: 1000 });
  const fixtures = join(ROOT, "test/fixtures/tls");
  const tls = { certificates: [{ certFile: join(fixtures, "server.pem"), keyFile: join(fixtures, "leaf.key") }] };
  const listeners = [
    { options: {}, begin: Buffer.from("10ff", "hex") },
    { options: { tls }, begin: Buffer.from("160301", "hex") },
    { options: { webSocket: {} }, begin: Buffer.from("GET /mqtt HT") },
    { options: { proxy: { version: 1 } as const }, begin: Buffer.from("PROXY TCP4 ") },
  ];
  const slow: Socket[] = [];
  for (const { options, begin } of listeners) {
    const { port } = await rig.listen(options);
    for (let i = 0; i < 50; i++) {
      const socket = connectTcp(port, "127.0.0.1");
      socket.on("error", () => {}).write(begin);
      slow.push(socket);
    }
  }
  const ended = slow.map(untilClosed);
  // They go on, a byte at a time.
  const drip = setInterval(() => {
    for (const socket of slow) if (socket.writable) socket.write("1");
  }, 100);
  context.after(() => clearInterval(drip));
  const { port } = await rig.listen({});
  await works(`mqtt://127.0.0.1:${port}`);
  await Promise.all(ended);
  assert.equal(rig.loop.broker.connections.size, 0);
});

test(`${SLOW_ONES} that send a CONNECT a byte at a time are closed in time; others come in, ${SLOW_ONES} at a time too`, async (context) => {
  const broker = await startConfigured(context, [
    "allow_anonymous true",
    "lacewing_connect_timeout 2",
    "sys_interval 0",
  ]);
  const hello = encodePacket(connectOf(5, "x".repeat(1000)), 5);
  const slow = await Promise.all(
    Array.from({ length: SLOW_ONES }, () => RawSocket.open(broker.address, hello.subarray(0, 1))),
  );
  let at = 1;
  const drip = setInterval(() => {
    for (const { socket } of slow) if (socket.writable) socket.write(hello.subarray(at, at + 1));
    at++;
  }, 50);
  context.after(() => clearInterval(drip));
  const codes = await Promise.all(
    Array.from({ length: SLOW_ONES }, (_, i) => WireClient.reasonCode(broker.address, `prompt-${i}`)),
  );
  assert.ok(codes.every((code) => code === 0));
  await Promise.all(slow.map((socket) => socket.closed()));
  assert.ok(at < hello.length, "none has ever sent all of it");
  assert.equal(broker.server.broker.counters.ended["connect-timeout"], SLOW_ONES);
  await until(() => broker.server.broker.connections.size === 0, "nobody is left");
});

test("a keep-alive of 65,535 seconds is held to max_keepalive: 5.0 is told, older clients are refused", async (context) => {
  const broker = await startConfigured(context, ["allow_anonymous true", "max_keepalive 60"]);
  for (const keepAliveSeconds of [61, 65_535, 0]) {
    const hello = encodePacket(connectOf(5, "c", { keepAliveSeconds }), 5);
    const socket = await RawSocket.open(broker.address, hello);
    await socket.answered(10);
    assert.match(socket.received.toString("hex"), /13003c/, "Server Keep Alive 60");
    await socket.drop();
    assert.equal(await WireClient.reasonCode(broker.address, "old", { version: 4, keepAliveSeconds }), 2);
  }
  assert.equal(await WireClient.reasonCode(broker.address, "old", { version: 4, keepAliveSeconds: 60 }), 0);
});

test("who is silent for one and a half keep-alives is closed, also when it was the broker who set it, and others are not", () => {
  const harness = new BrokerHarness({ options: { maximumKeepAliveSeconds: 60 } });
  const silent = harness.connect("silent", { keepAliveSeconds: 65_535 });
  const lively = harness.connect("lively", { keepAliveSeconds: 60 });
  // Half a PINGREQ is no packet.
  for (let seconds = 0; seconds < 95; seconds += 5) {
    silent.sendHex(seconds === 50 ? "c0" : "");
    if (seconds % 30 === 0) lively.sendHex("c000");
    harness.advance(5000);
  }
  assert.deepEqual([silent.isClosed, lively.isClosed], [true, false]);
  assert.equal(silent.trace().at(-1), "DISCONNECT 0x8d");
});

test("a refused CONNECT is the end of the connection, whatever the client does then: nothing, or more", async (context) => {
  const broker = await startConfigured(context, ["allow_anonymous false"]);
  const hello = encodePacket(connectOf(4, "c"), 4);
  const { connections, counters } = broker.server.broker;
  const refused = await Promise.all(Array.from({ length: 50 }, () => RawSocket.open(broker.address, hello)));
  // Half of them never close their side, and go on sending until they are cut off.
  for (const { socket } of refused.slice(0, 25)) socket.allowHalfOpen = true;
  const chatter = setInterval(() => {
    for (const { socket } of refused.slice(0, 25)) if (socket.writable) socket.write(Buffer.from("c000", "hex"));
  }, 100);
  context.after(() => clearInterval(chatter));
  for (const socket of refused.slice(25)) socket.write(Buffer.from("c000c000c000", "hex"));
  await Promise.all(refused.map((socket) => socket.closed()));
  for (const { received } of refused) assert.equal(received.toString("hex"), "20020005");
  assert.equal(connections.size, 0);
  assert.equal(counters.ended["not-authorized"], 50);
});

test("a client that goes without a word leaves nothing but what it may come back to", () => {
  const harness = new BrokerHarness();
  const kept = { cleanStart: false, properties: { sessionExpirySeconds: 100 } };
  for (let i = 0; i < 100; i++) harness.connect(`c${i}`, { keepAliveSeconds: 10, ...(i % 2 === 0 ? kept : {}) });
  harness.advance(14_000);
  assert.equal(harness.broker.connections.size, 100);
  harness.advance(2000);
  assert.deepEqual([harness.broker.connections.size, harness.broker.sessions.count], [0, 50]);
  harness.advance(100_000);
  assert.equal(harness.broker.sessions.count, 0);
});
