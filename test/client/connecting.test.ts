// The client library connects, loses its connection and comes again: at a server whose every byte is scripted.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  type ClientError,
  type ConnectInfo,
  ConnectionError,
  connect,
  type DisconnectInfo,
  type DisconnectOptions,
  MqttClient,
  type MqttClientOptions,
} from "../../src/client/index.ts";
import { NO_PROPERTIES, publishOf } from "../../src/protocol/index.ts";
import { closedPort } from "../support/ports.ts";
import { type ScriptedServer, startScripted } from "./scripted-server.ts";

const AT_ONCE = { minimumDelayMs: 0, maximumDelayMs: 0 };

/** What a client tells, in a form that can be compared. */
function told(client: MqttClient): string[] {
  const lines: string[] = [];
  client.onConnect = (rc) => lines.push(`connect ${rc}`);
  client.onDisconnect = (rc, { willReconnect }) => lines.push(`disconnect ${rc}${willReconnect ? " again" : ""}`);
  client.onPublish = (mid) => lines.push(`publish ${mid}`);
  client.onSubscribe = (mid, granted) => lines.push(`subscribe ${mid} ${granted}`);
  client.onUnsubscribe = (mid) => lines.push(`unsubscribe ${mid}`);
  client.onMessage = ({ topicName, text }) => lines.push(`message ${topicName} ${text}`);
  return lines;
}

function start(context: TestContext, servers: string | readonly string[], options: MqttClientOptions = {}) {
  const client = new MqttClient(servers, { clientId: "c", reconnect: AT_ONCE, ...options });
  context.after(() => client.disconnect({ drainMs: 0 }));
  return { client, lines: told(client) };
}

test("the defaults on the wire are libmosquitto's, byte for byte", async (context) => {
  for (const [version, hex] of [
    [3, "100f00064d51497364700302003c000163"],
    [4, "100d00044d5154540402003c000163"],
    [5, "101000044d5154540502003c0321001400" + "0163"],
  ] as const) {
    const server = await startScripted(context, version);
    start(context, server.url, { version });
    assert.equal((await (await server.next()).hex()).replace(/^10../, ""), hex.replace(/^10../, ""));
  }
});

test("a wanted disconnect is 0, and what was asked for before leaves first", async (context) => {
  const server = await startScripted(context);
  const { client, lines } = start(context, server.url);
  const peer = await server.next();
  await peer.accept();
  await client.connected;
  client.publish("t", "a");
  await client.disconnect();
  assert.equal(await peer.hex(), "300400017461");
  assert.equal(await peer.hex(), "e000");
  assert.deepEqual(lines, ["connect 0", "publish 1", "disconnect 0"]);
  assert.equal(client.isClosed, true);
});

test("a goodbye that a client may not say is an error, and the client goes on", async (context) => {
  const server = await startScripted(context, 5);
  const { client } = start(context, server.url, { version: 5 });
  const peer = await server.next();
  await peer.accept();
  await client.connected;
  for (const wrong of [{ reasonCode: 0x8e }, { reasonCode: 0x05 }, { properties: { reasonString: "a\0" } }] as const) {
    await assert.rejects(client.disconnect(wrong as DisconnectOptions), { code: "invalid-argument", rc: 3 });
  }
  await client.publish("t", "a");
  await client.disconnect({ reasonCode: 4 });
  await peer.expect("PUBLISH");
  assert.equal(await peer.hex(), "e00104");
});

test("a goodbye waits for what is under way", async (context) => {
  const server = await startScripted(context);
  const { client, lines } = start(context, server.url);
  const peer = await server.next();
  await peer.accept();
  await client.connected;
  const publication = client.publish("t", "a", { qos: 1 });
  const over = client.disconnect();
  await assert.rejects(client.publish("t", "late"), { code: "closed" });
  await peer.expect("PUBLISH");
  assert.deepEqual(peer.waiting, []);
  peer.acknowledge("PUBACK", 1);
  await over;
  assert.equal((await publication).mid, 1);
  await peer.expect("DISCONNECT");
  assert.deepEqual(lines, ["connect 0", "publish 1", "disconnect 0"]);
});

/** What one connection, which the server ends as it likes, is told to have ended by. */
async function endOf(context: TestContext, options: MqttClientOptions, end: (server: ScriptedServer) => Promise<void>) {
  const server = await startScripted(context, options.version ?? 4);
  const { client } = start(context, server.url, { reconnect: false, ...options });
  const info = new Promise<DisconnectInfo>((resolve) => client.on("disconnect", resolve));
  await end(server);
  const { error } = await info;
  assert.equal(await client.closed, error);
  return error!;
}

const ENDS: readonly (readonly [string, MqttClientOptions, (server: ScriptedServer) => Promise<void>, object])[] = [
  ["the peer closes", {}, async (s) => (await accepted(s)).drop(), { code: "connection-lost", rc: 7 }],
  [
    "a missed PINGRESP",
    { keepAliveSeconds: 1 },
    async (s) => void (await accepted(s)),
    { code: "keep-alive-timeout", rc: 19 },
  ],
  ["no CONNACK", { connackTimeoutMs: 50 }, async (s) => void (await s.next()), { code: "keep-alive-timeout", rc: 19 }],
  ["refused before 5.0", {}, refuse(5), { code: "connection-refused", rc: 5, reasonCode: 5 }],
  ["refused in 5.0", { version: 5 }, refuse(0x87), { code: "connection-refused", rc: 2, reasonCode: 0x87 }],
  ["a goodbye", { version: 5 }, goodbye(0x8b), { code: "disconnected-by-server", rc: 0x8b, reasonCode: 0x8b }],
  [
    "not MQTT",
    {},
    async (s) => (await s.next()).sendBytes(Buffer.from("HTTP/1.1 400 Bad")),
    { code: "protocol-error", rc: 2 },
  ],
];

async function accepted(server: ScriptedServer) {
  const peer = await server.next();
  await peer.accept();
  return peer;
}

function refuse(reasonCode: number) {
  return async (server: ScriptedServer): Promise<void> => void (await (await server.next()).accept({ reasonCode }));
}

function goodbye(reasonCode: number) {
  return async (server: ScriptedServer): Promise<void> =>
    (await accepted(server)).send({ type: "DISCONNECT", reasonCode, properties: NO_PROPERTIES });
}

for (const [what, options, end, expected] of ENDS) {
  test(`${what} ends with its code and number`, async (context) => {
    const error = await endOf(context, options, end);
    assert.ok(error instanceof ConnectionError);
    for (const [name, value] of Object.entries(expected)) assert.equal(error[name as keyof ClientError], value, name);
  });
}

test("nobody listens: 14 with errno, from connect and from onDisconnect", async (context) => {
  const url = `mqtt://127.0.0.1:${await closedPort()}`;
  await assert.rejects(connect<string>(url), { code: "network-error", rc: 14, errno: "ECONNREFUSED" });
  const { client, lines } = start(context, url, { reconnect: false });
  assert.equal((await client.closed)?.rc, 14);
  assert.deepEqual(lines, ["disconnect 14"]);
});

test("a refusal is told by onConnect and onDisconnect, as libmosquitto does", async (context) => {
  const server = await startScripted(context);
  const { client, lines } = start(context, server.url);
  await refuse(4)(server);
  assert.equal((await client.closed)?.code, "connection-refused");
  assert.deepEqual(lines, ["connect 4", "disconnect 5"]);
});

test("a lost connection is made again: what was in flight and what waited goes out in order, with DUP", async (context) => {
  const server = await startScripted(context);
  const { client, lines } = start(context, server.url, { cleanStart: false });
  const first = await server.next();
  await first.accept();
  await client.connected;
  client.publish("t", "1", { qos: 1 });
  client.publish("t", "2", { qos: 2 });
  await first.expect("PUBLISH");
  await first.expect("PUBLISH");
  first.acknowledge("PUBREC", 2);
  await first.expect("PUBREL");
  const lost = new Promise((resolve) => client.on("disconnect", resolve, { once: true }));
  first.drop();
  await lost;
  client.publish("t", "3", { qos: 1 });
  client.publish("t", "4");
  const second = await server.next();
  await second.accept({ sessionPresent: true });
  assert.equal(await second.hex(), "3a06000174000131");
  assert.equal(await second.hex(), "62020002");
  assert.equal(await second.hex(), "3206000174000333");
  assert.equal(await second.hex(), "300400017434");
  second.acknowledge("PUBACK", 1);
  second.acknowledge("PUBCOMP", 2);
  second.acknowledge("PUBACK", 3);
  await client.disconnect();
  assert.deepEqual(lines, [
    ...["connect 0", "disconnect 7 again", "connect 0"],
    ...["publish 4", "publish 1", "publish 2", "publish 3", "disconnect 0"],
  ]);
});

test("a server that has forgotten the Session hears the subscriptions again, one that has not does not", async (context) => {
  const server = await startScripted(context, 5);
  const { client } = start(context, server.url, { version: 5, cleanStart: false });
  const first = await server.next();
  await first.accept();
  await client.connected;
  const a = client.subscribe(["a", "b"], { qos: 1 });
  client.subscribe("c", { qos: 2, identifier: 7 });
  await first.expect("SUBSCRIBE");
  first.send({ type: "SUBACK", packetId: a.mid, reasonCodes: [1, 0x87], properties: NO_PROPERTIES });
  await a.granted;
  first.drop();
  // The second was never answered: it is asked for again, under its number, also when the Session is there.
  const second = await server.next();
  await second.accept({ sessionPresent: true });
  const again = await second.expect("SUBSCRIBE");
  assert.deepEqual([again.packetId, again.subscriptions[0]?.topicFilter], [2, "c"]);
  assert.deepEqual(again.properties, { subscriptionIdentifiers: [7] });
  second.send({ type: "SUBACK", packetId: 2, reasonCodes: [2], properties: NO_PROPERTIES });
  second.drop();
  const third = await server.next();
  await third.accept();
  const all = [await third.expect("SUBSCRIBE"), await third.expect("SUBSCRIBE")];
  assert.deepEqual(
    all.map(({ subscriptions, properties }) => [subscriptions.map((s) => s.topicFilter), properties]),
    [
      [["a"], NO_PROPERTIES],
      [["c"], { subscriptionIdentifiers: [7] }],
    ],
  );
});

test("what waited for a connection goes out behind the subscriptions that are made again, in flight or not", async (context) => {
  const server = await startScripted(context, 5);
  const { client } = start(context, server.url, { version: 5 });
  client.subscribe("t");
  const first = await server.next();
  await first.accept();
  const { packetId } = await first.expect("SUBSCRIBE");
  first.send({ type: "SUBACK", packetId, reasonCodes: [0], properties: NO_PROPERTIES });
  client.publish("t", "in flight", { qos: 1 });
  await first.expect("PUBLISH");
  first.drop();
  const lost = new Promise<DisconnectInfo>((resolve) => client.on("disconnect", resolve));
  await lost;
  client.publish("t", "waits", { qos: 0 });
  const response = client.request("command", "?");
  response.catch(() => {});
  const second = await server.next();
  await second.accept();
  await second.expect("SUBSCRIBE");
  const own = await second.expect("SUBSCRIBE");
  assert.equal((await second.expect("PUBLISH")).dup, true);
  assert.equal((await second.expect("PUBLISH")).topicName, "t");
  second.send({ type: "SUBACK", packetId: own.packetId, reasonCodes: [0], properties: NO_PROPERTIES });
  assert.equal((await second.expect("PUBLISH")).topicName, "command");
});

test("a program that subscribes in onConnect, as ported ones do, is not subscribed twice", async (context) => {
  const server = await startScripted(context);
  const { client, lines } = start(context, server.url);
  client.onConnect = () => void client.subscribe("a");
  for (const _ of [1, 2, 3]) {
    const peer = await server.next();
    await peer.accept();
    const { packetId } = await peer.expect("SUBSCRIBE");
    peer.send({ type: "SUBACK", packetId, reasonCodes: [0], properties: NO_PROPERTIES });
    const fields = {
      topicName: "a",
      qos: 0,
      retain: false,
      dup: false,
      packetId: 0,
      properties: NO_PROPERTIES,
    } as const;
    peer.send(publishOf({ ...fields, payload: Buffer.from("x") }));
    peer.send({ type: "PINGRESP" });
    await new Promise<void>((resolve) => client.on("message", () => resolve(), { once: true }));
    assert.deepEqual(peer.waiting, []);
    peer.drop();
  }
  assert.deepEqual(
    lines.filter((line) => line.startsWith("message")),
    Array(3).fill("message a x"),
  );
});

test("several servers: the next one at once, and back to the first after all have failed", async (context) => {
  const dead = `mqtt://127.0.0.1:${await closedPort()}`;
  const server = await startScripted(context);
  const { client, lines } = start(context, [dead, server.url]);
  await (await server.next()).accept();
  assert.equal((await client.connected).server, server.url);
  assert.deepEqual(lines, ["disconnect 14 again", "connect 0"]);
  await assert.rejects(connect([dead, dead]), { rc: 14 });
});

test("what does not heal ends the client, and may be told otherwise", async (context) => {
  const server = await startScripted(context, 5);
  const { client } = start(context, server.url, { version: 5 });
  const waiting = client.publish("t", "x", { qos: 1 });
  await goodbye(0x8e)(server);
  const error = await client.closed;
  assert.deepEqual([error?.code, error?.rc], ["disconnected-by-server", 0x8e]);
  await assert.rejects(
    waiting,
    (reason) => (reason as ClientError).code === "closed" && (reason as Error).cause === error,
  );
  await assert.rejects(client.connected, error!);

  const stubborn = start(context, server.url, { version: 5, reconnect: { ...AT_ONCE, stopsOn: () => false } });
  await goodbye(0x8e)(server);
  await accepted(server);
  assert.equal((await stubborn.client.connected).reasonCode, 0);
});

test("a redirection is followed when it is allowed, and only then", async (context) => {
  const [from, to] = [await startScripted(context, 5), await startScripted(context, 5)];
  const properties = { serverReference: `127.0.0.1:${to.port}` };
  const infos: ConnectInfo[] = [];
  const { client } = start(context, from.url, { version: 5, followRedirects: ({ port }) => port === to.port });
  client.on("connect", (info) => infos.push(info));
  await (await from.next()).accept({ reasonCode: 0x9c, properties });
  const peer = await to.next();
  await peer.accept();
  await client.connected;
  // Used elsewhere for that connection only.
  peer.drop();
  await (await from.next()).accept();
  await client.connected;
  assert.deepEqual(
    infos.map(({ server }) => server),
    [to.url, from.url],
  );

  const other = start(context, from.url, { version: 5 });
  await (await from.next()).accept({ reasonCode: 0x9d, properties });
  assert.equal((await other.client.closed)?.reasonCode, 0x9d);
});

test("a server that speaks only an older version is spoken to in that", async (context) => {
  const server = await startScripted(context);
  const { client } = start(context, server.url, {
    version: 5,
    fallBack: true,
    properties: { sessionExpirySeconds: 9 },
  });
  client.publish("t", "x", { qos: 1, properties: { contentType: "text/plain" } });
  client.subscribe("a", { noLocal: true, identifier: 1 });
  const first = await server.next();
  assert.match(await first.hex(), /^10..00044d51545405/);
  first.sendHex("20020001");
  const second = await server.next();
  assert.equal(await second.hex(), "100d00044d5154540402003c000163");
  second.sendHex("20020000");
  assert.equal(await second.hex(), "82060002000161" + "00");
  assert.equal(await second.hex(), "3206000174000178");
  assert.equal(client.version, 4);
});

test("a signal ends the client, also while it connects", async (context) => {
  const server = await startScripted(context);
  const controller = new AbortController();
  const connecting = connect<string>(server.url, { signal: controller.signal });
  await server.next();
  controller.abort(new Error("enough"));
  await assert.rejects(connecting, (error) => (error as ClientError).code === "aborted");
  await assert.rejects(connect<string>(server.url, { signal: controller.signal }), { code: "aborted" });
});

test("credentials are asked for before each connection", async (context) => {
  const server = await startScripted(context);
  let calls = 0;
  const credentials = async () => ({ username: `user${++calls}`, password: "secret" });
  const { client } = start(context, server.url.replace("mqtt://", "mqtt://nobody:nothing@"), { credentials });
  const first = await server.next();
  const { username, password } = await first.accept();
  assert.deepEqual([username, Buffer.from(password!).toString()], ["user1", "secret"]);
  await client.connected;
  first.drop();
  assert.equal((await (await server.next()).accept()).username, "user2");
});

test("onLog has libmosquitto's lines for each packet, and what happens to connections", async (context) => {
  const server = await startScripted(context);
  const { client } = start(context, server.url);
  const lines: string[] = [];
  client.onLog = (level, text) => lines.push(`${level} ${text}`);
  const peer = await server.next();
  await peer.accept();
  await client.connected;
  const { mid } = client.publish("a/b", "hello", { qos: 1, retain: true });
  await peer.expect("PUBLISH");
  peer.acknowledge("PUBACK", mid);
  await client.disconnect();
  assert.deepEqual(lines, [
    `1 Connecting to ${server.url}.`,
    "16 Client c sending CONNECT",
    "16 Client c received CONNACK (0)",
    "16 Client c sending PUBLISH (d0, q1, r1, m1, 'a/b', ... (5 bytes))",
    "16 Client c received PUBACK (Mid: 1, RC:0)",
    "16 Client c sending DISCONNECT",
  ]);
});

test("what the server does not take is refused here, with its number", async (context) => {
  const server = await startScripted(context, 5);
  const { client } = start(context, server.url, { version: 5, clientId: "c" });
  const peer = await server.next();
  await peer.accept({ properties: { maximumPacketSize: 20, maximumQos: 1, retainAvailable: false } });
  await client.connected;
  for (const [options, payload, code, rc] of [
    [{ qos: 2 }, "x", "qos-not-supported", 24],
    [{ retain: true }, "x", "retain-not-supported", 154],
    [{ qos: 1 }, "x".repeat(20), "packet-too-large", 25],
    [{ qos: 0 }, "x".repeat(20), "packet-too-large", 25],
  ] as const) {
    await assert.rejects(client.publish("t", payload, options), { code, rc });
  }
  await assert.rejects(client.subscribe("x".repeat(20)).granted, { code: "packet-too-large" });
  assert.deepEqual(peer.waiting, []);
});

test("connectNow ends a wait", async (context) => {
  const server = await startScripted(context);
  const { client } = start(context, server.url, { reconnect: { minimumDelayMs: 1e8, maximumDelayMs: 1e8 } });
  const first = await server.next();
  await first.accept();
  await client.connected;
  const lost = new Promise<DisconnectInfo>((resolve) => client.on("disconnect", resolve));
  first.drop();
  assert.equal((await lost).delayMs, 1e8);
  client.connectNow();
  await (await server.next()).accept();
  await client.connected;
});
