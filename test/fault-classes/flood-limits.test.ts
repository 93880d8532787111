// Limits against floods, each by its line in a mosquitto.conf and with real connections: what is refused is said, logged and counted,
// nobody else notices, and when the flood is over everything is as before.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createConnection } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { connect as connectTls } from "node:tls";
import { encodePacket, NO_PROPERTIES, type Packet, publishOf } from "../../src/protocol/index.ts";
import { formatPasswordHash, hashPassword } from "../../src/security/index.ts";
import { ROOT } from "../support/repository.ts";
import { bytesOf } from "../support/test-client.ts";
import { WireClient } from "../support/wire-client.ts";
import { type ConfiguredBroker, startConfigured, until } from "./configured-broker.ts";

const RATE_EXCEEDED = 0x9f;
const QUOTA_EXCEEDED = 0x97;
const TLS_FILES = join(ROOT, "test/fixtures/tls");

function messageOf(topicName: string, payload: Uint8Array): Packet {
  return publishOf({ topicName, payload, qos: 0, retain: false, dup: false, packetId: 0, properties: NO_PROPERTIES });
}

/** How often each answer came. */
function tally(codes: readonly number[]): Readonly<Record<number, number>> {
  const counts: Record<number, number> = {};
  for (const code of codes) counts[code] = (counts[code] ?? 0) + 1;
  return counts;
}

/** Many log-ins at once. */
function storm(
  { address }: ConfiguredBroker,
  count: number,
  options: Parameters<typeof WireClient.reasonCode>[2] = {},
): Promise<number[]> {
  const each = Array.from({ length: count }, (_, i) => WireClient.reasonCode(address, `storm-${i}`, options));
  return Promise.all(each);
}

test("lacewing_max_connect_rate_per_address: who comes too fast is told 0x9F, or 3; others come in; it ends with the flood", async (context) => {
  const broker = await startConfigured(context, ["allow_anonymous true", "lacewing_max_connect_rate_per_address 2"]);
  const codes = tally(await storm(broker, 30));
  assert.ok((codes[0] ?? 0) >= 2, JSON.stringify(codes));
  const refused = codes[RATE_EXCEEDED] ?? 0;
  assert.ok(refused > 0, JSON.stringify(codes));
  assert.equal((codes[0] ?? 0) + refused, 30);
  assert.ok((await storm(broker, 20, { version: 4 })).includes(3), "3.1.1 is told that the server is unavailable");
  assert.equal(await WireClient.reasonCode({ ...broker.address, localAddress: "127.0.0.2" }, "other"), 0);
  assert.match(broker.log, /Connection rate exceeded: at most 2 connections a second are taken from one address here/);
  assert.match(broker.log, /disconnected: connection rate exceeded/);
  assert.ok(broker.server.broker.counters.ended["connection-rate-exceeded"] > refused);
  while ((await WireClient.reasonCode(broker.address, "later")) !== 0);
});

test("lacewing_max_connect_rate: of all addresses together; with TLS before the handshake", async (context) => {
  const limit = "lacewing_max_connect_rate 2";
  const tls = [`certfile ${TLS_FILES}/server.pem`, `keyfile ${TLS_FILES}/leaf.key`];
  const broker = await startConfigured(context, ["allow_anonymous true", limit, ...tls]);
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, async (_, i) => {
      const from = { localAddress: `127.0.0.${2 + i}`, rejectUnauthorized: false };
      const socket = connectTls({ ...broker.address, ...from });
      socket.on("error", () => {});
      const isSecure = await Promise.race([
        once(socket, "secureConnect").then(
          () => true,
          () => false,
        ),
        once(socket, "close").then(
          () => false,
          () => false,
        ),
      ]);
      socket.destroy();
      return isSecure;
    }),
  );
  const secured = outcomes.filter((isSecure) => isSecure).length;
  assert.ok(secured >= 2 && secured < 20, `${secured} of 20`);
  assert.match(
    broker.log,
    /Client connection from 127\.0\.0\.\d+:\d+ denied: connection rate exceeded \(at most 2 connections a second are taken here\)/,
  );
  assert.equal(broker.server.broker.counters.ended["connection-rate-exceeded"], 20 - secured);
});

test("lacewing_max_message_rate: who publishes too fast is slowed and loses nothing, others go on", async (context) => {
  const broker = await startConfigured(context, ["allow_anonymous true", "lacewing_max_message_rate 200"]);
  const subscriber = await WireClient.connect(broker.address, "subscriber");
  await subscriber.subscribe("t/#", { qos: 0 });
  const fast = await WireClient.connect(broker.address, "fast");
  const other = await WireClient.connect(broker.address, "other");
  const count = 500;
  const beganMs = performance.now();
  fast.send(...Array.from({ length: count }, (_, i) => messageOf("t/fast", bytesOf(`${i}`))));
  await other.publish("t/other", "x", { qos: 1 });
  await broker.logged(/Client fast \[127\.0\.0\.1:\d+\] is slowed: it sends more than lacewing_max_message_rate/);
  const seen: string[] = [];
  const take = (): boolean => {
    for (const { topicName, payload } of subscriber.taken("PUBLISH"))
      seen.push(topicName === "t/other" ? "other" : Buffer.from(payload).toString());
    return seen.length > count;
  };
  await until(take, "everything has arrived");
  const tookMs = performance.now() - beganMs;
  assert.notEqual(seen.at(-1), "other", "the other client did not wait for the slow one");
  assert.deepEqual(
    seen.filter((each) => each !== "other"),
    Array.from({ length: count }, (_, i) => `${i}`),
  );
  // One second's worth came at once, the others at 200 a second: no haste of this machine makes that shorter.
  assert.ok(tookMs >= 1400, `${tookMs} ms`);
  assert.equal(broker.log.match(/is slowed/g)?.length, 1);
  assert.ok(broker.server.broker.counters.timesSlowed >= 1);
  await fast.settled();
});

test("lacewing_max_byte_rate: the socket of who sends too much is not read, so that TCP holds it up", async (context) => {
  const broker = await startConfigured(context, ["allow_anonymous true", "lacewing_max_byte_rate 100000"]);
  const socket = createConnection(broker.address);
  socket.on("error", () => {});
  const connect = { type: "CONNECT", bridge: false, cleanStart: true, keepAliveSeconds: 1, clientId: "flood" } as const;
  const rest = { will: null, username: null, password: null, properties: NO_PROPERTIES };
  socket.write(encodePacket({ ...connect, ...rest, version: 5 }, 5));
  const payload = new Uint8Array(1000);
  const publish = messageOf("t", payload);
  const bytes = Buffer.concat(Array.from({ length: 30_000 }, () => encodePacket(publish, 5)));
  socket.write(bytes);
  await broker.logged(/Client flood \[127\.0\.0\.1:\d+\] is slowed: it sends more than lacewing_max_byte_rate/);
  const { counters } = broker.server.broker;
  const witness = await WireClient.connect(broker.address, "witness");
  // Longer than its keep-alive of a second and a half: silence that the broker itself brings about is not held against it.
  for (const endMs = performance.now() + 2500; performance.now() < endMs; ) {
    await witness.settled();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.equal(counters.ended["keep-alive-timeout"], 0);
  assert.ok(counters.bytesReceived < 2_000_000, `${counters.bytesReceived} of ${bytes.length} bytes`);
  assert.ok(counters.publishReceived > 100);
  socket.destroy();
  await once(socket, "close");
});

test("lacewing_max_subscriptions: one more is 0x97, or 0x80; an identical filter replaces, and room that is made is used", async (context) => {
  const broker = await startConfigured(context, ["allow_anonymous true", "lacewing_max_subscriptions 3"]);
  const client = await WireClient.connect(broker.address, "v5");
  for (const filter of ["a", "b/+", "$share/g/c"]) await client.subscribe(filter);
  assert.equal(await client.trySubscribe("d"), QUOTA_EXCEEDED);
  assert.equal(await client.trySubscribe("a", { qos: 1 }), 1);
  assert.equal(await client.unsubscribe("b/+"), 0);
  assert.equal(await client.trySubscribe("d"), 2);
  assert.equal(await client.trySubscribe("e"), QUOTA_EXCEEDED);
  assert.match(broker.log, /v5 may not subscribe to e: Quota exceeded/);
  assert.equal(broker.server.broker.counters.subscriptionsRefused, 2);
  const old = await WireClient.connect(broker.address, "v4", { version: 4 });
  for (const filter of ["a", "b", "c"]) await old.subscribe(filter);
  assert.equal(await old.trySubscribe("d"), 0x80);
});

test("lacewing_max_topic_levels, lacewing_max_connect_size and lacewing_connect_timeout", async (context) => {
  const limits = ["lacewing_max_topic_levels 3", "lacewing_max_connect_size 200", "lacewing_connect_timeout 1"];
  const broker = await startConfigured(context, ["allow_anonymous true", ...limits]);
  const client = await WireClient.connect(broker.address, "client");
  await client.publish("a/b/c", "x", { qos: 1 });
  client.send(messageOf("a/b/c/d", bytesOf("x")));
  assert.equal((await client.expect("DISCONNECT")).reasonCode, 0x81);
  const other = await WireClient.connect(broker.address, "other");
  await assert.rejects(other.trySubscribe("a/b/c/d"));
  assert.equal((await other.expect("DISCONNECT")).reasonCode, 0x81);
  await assert.rejects(WireClient.connect(broker.address, "x".repeat(300)));
  await broker.logged(/Packet too large/);
  const silent = createConnection(broker.address);
  silent.on("error", () => {}).resume();
  await once(silent, "close");
  assert.match(broker.log, /no complete CONNECT within the connect timeout/);
  assert.equal(broker.server.broker.counters.ended["connect-timeout"], 1);
});

test("lacewing_max_login_failures: an address that guesses is not listened to, the right password included, until its time is over", async (context) => {
  const users = `ann:${formatPasswordHash(await hashPassword("right"))}\n`;
  const limits = ["lacewing_max_login_failures 3", "lacewing_login_backoff 1"];
  const broker = await startConfigured(context, ["password_file FOLDER/users", ...limits], { users });
  const login = (password: string, localAddress: string = "127.0.0.1"): Promise<number> =>
    WireClient.reasonCode({ ...broker.address, localAddress }, "client", { username: "ann", password });
  assert.deepEqual([await login("right"), await login("wrong"), await login("wrong")], [0, 0x87, 0x87]);
  assert.equal(await login("right"), 0);
  assert.equal(await login("wrong"), 0x87);
  assert.equal(await login("right"), RATE_EXCEEDED);
  assert.equal(await login("right", "127.0.0.2"), 0);
  assert.match(broker.log, /log-ins from this address failed too often; it is listened to again in 1 s/);
  assert.match(broker.log, /disconnected: too many failed log-ins from its address/);
  assert.ok(broker.server.broker.counters.ended["too-many-login-failures"] >= 1);
  while ((await login("right")) !== 0);
});

test("lacewing_max_login_failures: who guesses many at once learns no more", async (context) => {
  const users = `ann:${formatPasswordHash(await hashPassword("right"))}\n`;
  const limits = ["lacewing_max_login_failures 3", "lacewing_login_backoff 60"];
  const broker = await startConfigured(context, ["password_file FOLDER/users", ...limits], { users });
  const guesses = Array.from({ length: 40 }, (_, i) => (i === 20 ? "right" : `wrong ${i}`));
  const codes = await Promise.all(
    guesses.map((password, i) => WireClient.reasonCode(broker.address, `guess-${i}`, { username: "ann", password })),
  );
  const counts = tally(codes);
  assert.equal(counts[0x87], 3, JSON.stringify(counts));
  assert.equal(counts[RATE_EXCEEDED], 37, JSON.stringify(counts));
});

test("$SYS tells what was refused, by its reason; a reload changes limits for those who come", async (context) => {
  const lines = ["allow_anonymous true", "sys_interval 1"];
  const broker = await startConfigured(context, [...lines, "lacewing_max_subscriptions 1"]);
  const client = await WireClient.connect(broker.address, "client");
  await client.subscribe("$SYS/broker/lacewing/#");
  assert.equal(await client.trySubscribe("a"), QUOTA_EXCEEDED);
  const { topicName, payload } = await client.expect("PUBLISH");
  assert.deepEqual([topicName, Buffer.from(payload).toString()], ["$SYS/broker/lacewing/subscriptions/refused", "1"]);
  await broker.reload([...lines, "lacewing_max_subscriptions 2"]);
  const other = await WireClient.connect(broker.address, "other");
  for (const filter of ["a", "b"]) await other.subscribe(filter);
  assert.equal(await other.trySubscribe("c"), QUOTA_EXCEEDED);
});
