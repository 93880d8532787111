// MQTT over WebSocket at our listeners: clients of others, frames of every kind, what is refused and how, and files by HTTP.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, readdirSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect as connectTcp, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as later } from "node:timers/promises";
import { connect } from "../../src/client/index.ts";
import { encodePacket, NO_PROPERTIES, publishOf } from "../../src/protocol/index.ts";
import { connectMqttJs } from "../peers/mqtt-js.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startPeer, testWithPeers } from "../support/peers.ts";
import { ROOT } from "../support/repository.ts";
import { ListenerRig, untilClosed } from "./listener-rig.ts";
import { ask, CONNECT, open, socketTo, textOf, UPGRADE } from "./raw-web-socket.ts";

const FIXTURES = join(ROOT, "test/fixtures/tls");
const TLS = { certificates: [{ certFile: join(FIXTURES, "server.pem"), keyFile: join(FIXTURES, "leaf.key") }] };
const CA = join(FIXTURES, "ca.pem");

test("our client, plain and over TLS, with packets larger than any frame", async (context) => {
  const rig = new ListenerRig(context);
  const plain = await rig.listen({ webSocket: {} });
  const safe = await rig.listen({ webSocket: {}, tls: TLS });
  for (const [url, isEncrypted] of [
    [`ws://127.0.0.1:${plain.port}/any/path`, false],
    [`wss://localhost:${safe.port}/`, true],
  ] as const) {
    await using client = await connect<string>(url, { version: 5, tls: { caFile: CA } });
    const subscription = client.subscribe("t", { qos: 2 });
    await subscription.granted;
    const payload = Buffer.alloc(300_000, 9);
    await client.publish("t", payload, { qos: 2 });
    for await (const message of subscription) {
      assert.deepEqual(Buffer.from(message.payload), payload);
      break;
    }
    assert.equal(rig.applicants.at(-1)?.peer.isEncrypted, isEncrypted);
  }
});

testWithPeers("MQTT.js over ws and wss", ["mqtt"], async (context) => {
  const rig = new ListenerRig(context);
  const plain = await rig.listen({ webSocket: {} });
  const safe = await rig.listen({ webSocket: {}, tls: TLS });
  for (const [port, protocol] of [
    [plain.port, "ws"],
    [safe.port, "wss"],
  ] as const) {
    for (const version of ["3.1", "3.1.1", "5.0"] as const) {
      const options = { protocol, rejectUnauthorized: false, clientId: `${protocol}-${version}` } as const;
      const { client, heard } = await connectMqttJs(port, version, options);
      await client.subscribeAsync(`${protocol}/${version}/#`, { qos: 2 });
      for (let i = 0; i < 20; i++)
        void client.publishAsync(`${protocol}/${version}/t`, `m${i}`, { qos: (i % 3) as 0 | 1 | 2 });
      assert.equal((await heard(20, `${protocol}/${version}/`)).length, 20);
      await client.endAsync();
    }
  }
});

testWithPeers("paho over ws and wss", ["paho"], async (context) => {
  const rig = new ListenerRig(context);
  const plain = await rig.listen({ webSocket: {} });
  const safe = await rig.listen({ webSocket: {}, tls: TLS });
  const script = join(ROOT, "test/peers/paho-client.py");
  for (const [port, ca] of [
    [plain.port, undefined],
    [safe.port, CA],
  ] as const) {
    const env = { PAHO_TRANSPORT: "websockets", PAHO_CA: ca };
    const subscriber = startPeer("paho", [script, "sub", "localhost", `${port}`, "5.0", "paho/#"], { env });
    await subscriber.printed(/^subscribed$/m);
    const publisher = startPeer("paho", [script, "pub", "localhost", `${port}`, "3.1.1", "paho/t", "1", "0"], {
      env,
      input: "one\ntwo\n",
    });
    const { code, errors } = await publisher.end();
    assert.equal(code, 0, errors);
    await subscriber.printed(/"payload": "two"/);
    await subscriber.stop("SIGKILL");
  }
});

test("the sub-protocol that is answered is the client's first that is spoken", async (context) => {
  const { port } = await open(context);
  for (const [offered, chosen] of [
    [["mqtt"], "mqtt"],
    [["mqttv3.1"], "mqttv3.1"],
    [["chat", "mqttv3.1", "mqtt"], "mqttv3.1"],
  ] as const) {
    const socket = socketTo(context, port, [...offered]);
    await once(socket, "open");
    assert.equal(socket.protocol, chosen);
    socket.terminate();
  }
});

test("a packet split at each byte over frames, in one write and in many", async (context) => {
  const { port } = await open(context);
  for (const isTogether of [true, false]) {
    const socket = socketTo(context, port, "mqtt", { skipUTF8Validation: true });
    await once(socket, "open");
    const raw = (socket as unknown as { _socket: Socket })._socket;
    if (isTogether) raw.cork();
    for (const byte of CONNECT) socket.send(Buffer.of(byte));
    socket.send(Buffer.alloc(0));
    if (isTogether) raw.uncork();
    const [answer] = (await once(socket, "message")) as [Buffer];
    assert.equal(answer[0], 0x20);
    socket.terminate();
  }
});

test("fragments, and answers to pings between them", async (context) => {
  const { port } = await open(context);
  const socket = socketTo(context, port);
  await once(socket, "open");
  const pong = once(socket, "pong");
  socket.send(CONNECT.subarray(0, 5), { fin: false });
  socket.ping("are you there");
  socket.send(CONNECT.subarray(5, 9), { fin: false });
  socket.send(CONNECT.subarray(9), { fin: true });
  const [[answer], [payload]] = (await Promise.all([once(socket, "message"), pong])) as [[Buffer], [Buffer]];
  assert.deepEqual([answer[0], payload.toString()], [0x20, "are you there"]);
});

test("what one turn writes is one frame", async (context) => {
  const { port } = await open(context);
  const socket = socketTo(context, port);
  await once(socket, "open");
  socket.send(CONNECT);
  await once(socket, "message");
  const subscribe = {
    type: "SUBSCRIBE",
    packetId: 1,
    subscriptions: [{ topicFilter: "t", qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 }],
    properties: NO_PROPERTIES,
  } as const;
  socket.send(encodePacket(subscribe, 5));
  await once(socket, "message");
  const publish = encodePacket(
    publishOf({
      topicName: "t",
      payload: Buffer.from("hello"),
      qos: 0,
      retain: false,
      dup: false,
      packetId: 0,
      properties: NO_PROPERTIES,
    }),
    5,
  );
  socket.send(Buffer.concat(Array.from({ length: 100 }, () => publish)));
  const [frame] = (await once(socket, "message")) as [Buffer];
  assert.equal(frame.length, 100 * publish.length);
});

test("an end by either side is said in a close frame", async (context) => {
  const { rig, port } = await open(context);
  const ours = socketTo(context, port);
  await once(ours, "open");
  ours.close(1000);
  assert.deepEqual((await once(ours, "close"))[0], 1000);
  await rig.logged(/disconnected: connection closed by client/);

  const theirs = socketTo(context, port);
  await once(theirs, "open");
  theirs.send(Buffer.from("c000", "hex")); // PINGREQ before CONNECT
  assert.deepEqual((await once(theirs, "close"))[0], 1000);
  await rig.logged(/protocol error/);
});

test("requests that open no WebSocket are told why", async (context) => {
  const { rig, port } = await open(context, { origins: ["https://good.example"], maximumHeaderBytes: 2048 });
  const without = (name: string): string[] => UPGRADE.filter((line) => !line.startsWith(name));
  for (const [lines, status, words] of [
    [["GET / HTTP/1.1", "Host: test"], 426, /asks for no WebSocket, and http_dir is not set/],
    [without("Sec-WebSocket-Protocol"), 400, /no sub-protocol mqtt was offered/],
    [[...without("Sec-WebSocket-Protocol"), "Sec-WebSocket-Protocol: chat"], 400, /no sub-protocol mqtt/],
    [[...without("Sec-WebSocket-Version"), "Sec-WebSocket-Version: 8"], 426, /another version of WebSocket/],
    [[...without("Sec-WebSocket-Key"), "Sec-WebSocket-Key: short"], 400, /no Sec-WebSocket-Key/],
    [[...without("Upgrade"), "Upgrade: h2c"], 400, /an upgrade to h2c/],
    [[...UPGRADE, `X: ${"x".repeat(3000)}`], 431, /larger than websockets_headers_size/],
    [["not HTTP at all"], 400, /that is not HTTP/],
    [["POST /mqtt HTTP/1.1", ...UPGRADE.slice(1)], 405, /POST opens no WebSocket/],
  ] as const) {
    rig.clearLog();
    const answer = await ask(port, lines);
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), lines.join("|"));
    assert.match(answer, words);
    await rig.logged(words);
  }
  assert.match(
    rig.log,
    /Client <unknown> \[127\.0\.0\.1:\d+\] disconnected: it asked for no WebSocket that is allowed here\./,
  );
  // A page of another site is told nothing.
  assert.equal(await ask(port, [...UPGRADE, "Origin: https://evil.example"]), "");
  await rig.logged(/origin https:\/\/evil\.example is not in websockets_origin/);
  // A program that is no page sends no Origin; a good page does.
  for (const headers of [{}, { origin: "https://good.example" }]) {
    const socket = socketTo(context, port, "mqtt", { headers });
    await once(socket, "open");
    socket.terminate();
  }
  assert.equal(rig.loop.broker.counters.connectionsOpened, 2);
});

test("the upgrade and the first frames in one segment", async (context) => {
  const { port } = await open(context);
  const socket = connectTcp(port, "127.0.0.1");
  const frame = Buffer.concat([Buffer.of(0x82, 0x80 | CONNECT.length, 0, 0, 0, 0), CONNECT]);
  socket.write(Buffer.concat([Buffer.from(`${UPGRADE.join("\r\n")}\r\n\r\n`), frame]));
  let text = "";
  for await (const chunk of socket) if ((text += chunk.toString("latin1")).includes("\r\n\r\n\x82")) break;
  // To the letter as mosquitto, with the example of RFC 6455 §1.3.
  assert.equal(
    text.slice(0, text.indexOf("\x82")),
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n" +
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n",
  );
});

test("files of http_dir, and nothing outside of it", async (context) => {
  const folder = temporaryFolder(context, {
    "public/index.html": "<h1>hello</h1>",
    "public/app.js": "let a;",
    "public/sub/index.html": "below",
    "public/empty.txt": "",
    "public/raw.bin": "bytes",
    "secret.txt": "secret",
    "public-too/secret.txt": "secret",
  });
  symlinkSync(join(folder, "secret.txt"), join(folder, "public/link.txt"));
  symlinkSync(join(folder, "public/app.js"), join(folder, "public/alias.js"));
  mkdirSync(join(folder, "public/no-index"));
  const { rig, port } = await open(context, { httpFolder: join(folder, "public") });
  for (const [path, status, type, body] of [
    ["/", 200, "text/html; charset=utf-8", "<h1>hello</h1>"],
    ["/index.html?a=b", 200, "text/html; charset=utf-8", "<h1>hello</h1>"],
    ["/app.js", 200, "text/javascript; charset=utf-8", "let a;"],
    ["/alias.js", 200, "text/javascript; charset=utf-8", "let a;"],
    ["/sub/", 200, "text/html; charset=utf-8", "below"],
    ["/raw.bin", 200, "application/octet-stream", "bytes"],
    ["/empty.txt", 200, "text/plain; charset=utf-8", ""],
    ["/sub", 302, undefined, ""],
    ["/none", 404, undefined, ""],
    ["/no-index/", 404, undefined, ""],
    ["/app.js/x", 404, undefined, ""],
    ["/../secret.txt", 404, undefined, ""],
    ["/%2e%2e/secret.txt", 404, undefined, ""],
    ["/../public-too/secret.txt", 404, undefined, ""],
    ["/link.txt", 404, undefined, ""],
    ["/%00", 400, undefined, ""],
    ["/%zz", 400, undefined, ""],
  ] as const) {
    const answer = await get(port, path);
    assert.deepEqual([answer.status, answer.headers["content-type"], answer.body], [status, type, body], path);
  }
  assert.equal((await get(port, "/sub")).headers.location, "/sub/");
  // A location that begins with two slashes would be another host.
  for (const path of ["//sub", "//evil.example/..%2fsub", "//evil.example/x%2f..%2f..%2fsub"])
    assert.equal((await get(port, path)).headers.location, "/sub/", path);
  assert.equal((await get(port, "/app.js", "HEAD")).headers["content-length"], "6");
  assert.equal((await get(port, "/app.js", "POST")).status, 405);
  const { "last-modified": modified = "" } = (await get(port, "/app.js")).headers;
  assert.equal((await get(port, "/app.js", "GET", { "if-modified-since": modified })).status, 304);
  writeFileSync(join(folder, "public/big.bin"), Buffer.alloc(1_000_000, 3));
  assert.equal((await get(port, "/big.bin")).body.length, 1_000_000);
  await using client = await connect(`ws://127.0.0.1:${port}/`);
  await client.publish("t", "x", { qos: 1 });
  assert.equal(rig.loop.broker.counters.connectionsOpened, 1);
  for (const [name, code, message] of [
    ["none", "ENOENT", /^http_dir .*none: there is no such folder/],
    ["secret.txt", "ENOTDIR", /^http_dir .*secret\.txt: that is no folder/],
  ] as const)
    await assert.rejects(open(context, { httpFolder: join(folder, name) }), { code, message });
});

const HAS_PROC = { skip: process.platform === "linux" ? false : "open files are looked up in /proc" };

test("files are closed when their clients go before they are sent", HAS_PROC, async (context) => {
  const folder = temporaryFolder(context, { "large.bin": "x".repeat(1_000_000) });
  const { port } = await open(context, { httpFolder: folder });
  for (let i = 0; i < 20; i++) {
    const socket = connectTcp(port, "127.0.0.1").on("error", () => {});
    await once(socket, "connect");
    socket.write("GET /large.bin HTTP/1.1\r\nHost: test\r\n\r\n".repeat(12));
    socket.resetAndDestroy();
  }
  assert.equal((await get(port, "/large.bin")).status, 200);
  for (let turns = 0; turns < 500 && openFiles("large.bin") > 0; turns++) await later(10);
  assert.equal(openFiles("large.bin"), 0);
});

/** How many descriptors of this process are files of that name. */
function openFiles(name: string): number {
  const files = readdirSync("/proc/self/fd").map((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`);
    } catch {
      return "";
    }
  });
  return files.filter((file) => file.endsWith(name)).length;
}

test("a client that asks for more files than it reads is closed", async (context) => {
  const folder = temporaryFolder(context, { "large.bin": "x".repeat(1_000_000) });
  const { rig, port } = await open(context, { httpFolder: folder });
  const deaf = connectTcp(port, "127.0.0.1").on("error", () => {});
  deaf.write("GET /large.bin HTTP/1.1\r\nHost: test\r\n\r\n".repeat(1000));
  await untilClosed(deaf.resume());
  assert.match(rig.log, /it asks for more than 16 things at once/);
});

test("a client that does not read a file is closed in time, one that reads slowly gets it whole", async (context) => {
  const folder = temporaryFolder(context);
  const size = 30_000_000;
  const TIMEOUT_MS = 400;
  writeFileSync(join(folder, "big.bin"), Buffer.alloc(size));
  const { port } = await open(context, { httpFolder: folder }, TIMEOUT_MS);
  const deaf = connectTcp(port, "127.0.0.1");
  deaf.pause();
  deaf.write("GET /big.bin HTTP/1.1\r\nHost: test\r\n\r\n");
  // It is closed only if it did not read for long, as when this whole process gets no time; then it comes again.
  for (let bytes = 0; bytes !== size; ) {
    const slow = await readSlowly(port, "/big.bin");
    bytes = slow.bytes;
    assert.ok(bytes === size || slow.longestPauseMs > TIMEOUT_MS / 2, `${bytes} bytes, ${slow.longestPauseMs} ms`);
  }
  // Of all sockets only its own end of the deaf one is left.
  const sockets = () => process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;
  while (sockets() > 1) await new Promise((resolve) => setImmediate(resolve));
  deaf.resume();
  await untilClosed(deaf);
  assert.ok(deaf.bytesRead < size);
});

/** Reads a file a piece at a time, with a rest after each, to its end or until it is cut off. */
async function readSlowly(port: number, path: string): Promise<{ bytes: number; longestPauseMs: number }> {
  const request = httpRequest({ port, host: "127.0.0.1", path, agent: false }).end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  let bytes = 0;
  let longestPauseMs = 0;
  let lastMs = performance.now();
  response.on("data", (chunk: Buffer) => {
    longestPauseMs = Math.max(longestPauseMs, performance.now() - lastMs);
    lastMs = performance.now();
    bytes += chunk.length;
    response.pause();
    setTimeout(() => response.resume(), 1);
  });
  await untilClosed(response);
  return { bytes, longestPauseMs: Math.max(longestPauseMs, performance.now() - lastMs) };
}

async function get(port: number, path: string, method: string = "GET", headers: Record<string, string> = {}) {
  const request = httpRequest({ port, host: "127.0.0.1", path, method, headers, agent: false }).end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  let body = "";
  for await (const chunk of response.setEncoding("latin1")) body += chunk;
  return { status: response.statusCode, headers: response.headers, body };
}

test("closing the listener ends who has not come to MQTT yet", async (context) => {
  const { listener, port } = await open(context);
  const socket = connectTcp(port, "127.0.0.1");
  await once(socket, "connect");
  const ended = textOf(socket);
  socket.write("GET / HTTP");
  await new Promise((resolve) => setImmediate(resolve));
  await Promise.all([listener.close(), ended]);
});
