// `protocol http_api` of mosquitto 2.1, by a configuration file and a real connection: what mosquitto's own tests of it want, and what
// protects it.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, symlinkSync } from "node:fs";
import { type IncomingHttpHeaders, request as plainRequest, type RequestOptions } from "node:http";
import { type RequestOptions as SafeOptions, request as safeRequest } from "node:https";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { version } from "../../src/config/version.ts";
import { formatPasswordHash, hashPassword } from "../../src/security/index.ts";
import { type ConfiguredBroker, startConfigured } from "../fault-classes/configured-broker.ts";
import { ROOT } from "../support/repository.ts";
import { WireClient } from "../support/wire-client.ts";

const FIXTURES = join(ROOT, "test/fixtures/tls");

interface Page {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Starts a broker whose second listener, with `lines` below it, is the API. */
function startApi(
  context: TestContext,
  lines: readonly string[],
  files: Readonly<Record<string, string>> = {},
  general: readonly string[] = ["allow_anonymous true"],
): Promise<ConfiguredBroker> {
  return startConfigured(context, [...general, "listener 2 127.0.0.1", "protocol http_api", ...lines], files);
}

/** Asks for `path`, on a connection of its own. */
async function ask(broker: ConfiguredBroker, path: string, options: SafeOptions = {}, body = ""): Promise<Page> {
  const port = broker.server.listeners[1]?.port ?? 0;
  const start = options.protocol === "https:" ? safeRequest : plainRequest;
  const request = start({ host: "127.0.0.1", port, path, agent: false, ...options });
  request.end(body);
  const [response] = await once(request, "response");
  let text = "";
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode ?? 0, headers: response.headers, body: text };
}

/** Sends bytes as they are and returns everything that comes until the end. */
async function sendRaw(broker: ConfiguredBroker, bytes: string): Promise<string> {
  const socket = connectTcp(broker.server.listeners[1]?.port ?? 0, "127.0.0.1");
  socket.on("error", () => {}).write(bytes, "latin1");
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
  });
  await new Promise((resolve) => socket.once("close", resolve));
  return text;
}

function basic(username: string, password: string): RequestOptions {
  return { auth: `${username}:${password}` };
}

test("listeners, systree and version: as mosquitto's, in order", async (context) => {
  const lines = ["listener 3 127.0.0.1", "protocol websockets", "listener 4 127.0.0.1"];
  const tls = [`certfile ${FIXTURES}/server.pem`, `keyfile ${FIXTURES}/leaf.key`, `cafile ${FIXTURES}/ca.pem`];
  const broker = await startApi(context, [...lines, ...tls, "require_certificate true"]);
  const [mqtt, http, web, safe] = broker.server.listeners.map(({ port }) => port);
  const listeners = await ask(broker, "/api/v1/listeners");
  const open = { tls: false, mtls: false, allow_anonymous: true };
  assert.equal(listeners.status, 200);
  assert.equal(listeners.headers["content-type"], "application/json");
  assert.deepEqual(JSON.parse(listeners.body), {
    listeners: [
      { port: mqtt, protocol: "mqtt", ...open },
      { port: http, protocol: "httpapi", ...open },
      { port: web, protocol: "websockets", ...open },
      { port: safe, protocol: "mqtt", tls: true, mtls: true, allow_anonymous: true },
    ],
  });
  const told = await ask(broker, "/api/v1/version");
  assert.deepEqual([told.status, told.body], [200, version()]);
  assert.match(told.body, /^\d+\.\d+\.\d+.*$/);
  assert.match(broker.log, /Opening http api listen socket on port \d+\./);
});

test("systree: the numbers that mosquitto has, and they are true", async (context) => {
  const broker = await startApi(context, []);
  // Another number that is not mosquitto's, and has its own place.
  const gone = connectTcp(broker.server.listeners[0]?.port ?? 0, "127.0.0.1").resume();
  gone.end();
  await once(gone, "close");
  const client = await WireClient.connect(broker.address, "client");
  await client.subscribe("a");
  await client.publish("kept", "12345", { qos: 1, retain: true });
  const { body } = await ask(broker, "/api/v1/systree");
  const numbers = JSON.parse(body) as Record<string, number>;
  // Those of mosquitto's test, and its heap.
  const names =
    "clients/total clients/maximum clients/disconnected clients/connected clients/expired messages/stored " +
    "store/messages/bytes subscriptions/count shared_subscriptions/count messages/received messages/sent bytes/received " +
    "bytes/sent publish/bytes/received publish/bytes/sent packet/out/count packet/out/bytes connections/socket/count " +
    "publish/messages/dropped publish/messages/received publish/messages/sent uptime heap/current heap/maximum";
  const expected = [...names.split(" "), "retained messages/count"].map((name) => `$SYS/broker/${name}`);
  assert.deepEqual(Object.keys(numbers).sort(), expected.sort());
  assert.equal(numbers["$SYS/broker/clients/connected"], 1);
  assert.equal(numbers["$SYS/broker/subscriptions/count"], 1);
  assert.equal(numbers["$SYS/broker/publish/bytes/received"], 5);
  assert.equal(numbers["$SYS/broker/packet/out/count"], 0);
  const ours = JSON.parse((await ask(broker, "/api/v1/lacewing")).body);
  assert.deepEqual(ours, { "$SYS/broker/lacewing/connections/ended/connection-closed": 1 });
});

test("what cannot be asked for is refused in mosquitto's words, and each refusal is in the log", async (context) => {
  const broker = await startApi(context, []);
  for (const [path, options, body, status, text, why] of [
    ["/api/badrequest", { method: "POST" }, "", 405, "Invalid HTTP Method\n", "nothing can be changed here"],
    ["/put", { method: "PUT" }, "content", 405, "Invalid HTTP Method\n", "nothing can be changed here"],
    ["/api/v1/version", { method: "DELETE" }, "", 405, "Invalid HTTP Method\n", "nothing can be changed here"],
    ["/api/v1/version", { method: "OPTIONS" }, "", 405, "Invalid HTTP Method\n", "nothing can be changed here"],
    ["/api/missing", {}, "", 404, "Not found.\n", "there is no such request"],
    ["/API/v1/version", {}, "", 404, "Not found.\n", "there is no such request"],
    ["/index.html", {}, "", 404, "Not found.\n", "http_dir is not set"],
    ["/%zz", {}, "", 404, "Not found.\n", "that is no path"],
    ["/api/v1/version", { method: "GET" }, "content", 413, "No content is taken here.\n", "it has content"],
  ] as const) {
    const headers = body === "" ? {} : { "Content-Length": String(body.length) };
    const page = await ask(broker, path, { ...options, headers }, body);
    assert.deepEqual([page.status, page.body, page.headers.connection], [status, text, "close"], path);
    if (status === 405) assert.equal(page.headers.allow, "GET, HEAD");
    const method = "method" in options ? options.method : "GET";
    const line = new RegExp(
      `HTTP request from 127\\.0\\.0\\.1:\\d+ is refused: ${method} ${path}: ${status}, ${why}\\.`,
    );
    assert.match(broker.log, line);
  }
  const head = await ask(broker, "/api/v1/version", { method: "HEAD" });
  assert.deepEqual([head.status, head.body, head.headers["content-length"]], [200, "", String(version().length)]);
  assert.deepEqual((await ask(broker, "/api/v1/version?a=b")).status, 200);
});

test("what is no HTTP, too large or no path has its answer, and others go on", async (context) => {
  const broker = await startApi(context, [], {}, ["allow_anonymous true", "packet_buffer_size 1000"]);
  for (const [bytes, first, why] of [
    ["\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a", /^HTTP\/1\.1 400 /, /400, that is not HTTP/],
    ["GET ../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", /^HTTP\/1\.1 404 /, /404, it asked for what is no path/],
    [`GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(1200)}\r\n\r\n`, /^HTTP\/1\.1 431 /, /431, its header is larger/],
    [
      "CONNECT example.org:80 HTTP/1.1\r\nHost: a\r\n\r\n",
      /^HTTP\/1\.1 405 .*\r\nAllow: GET, HEAD/,
      /405, CONNECT leads/,
    ],
  ] as const) {
    assert.match(await sendRaw(broker, bytes), first);
    assert.match(broker.log, why);
  }
  assert.equal((await ask(broker, "/api/v1/version")).status, 200);
});

test("one connection may ask again and again, but not for much at once", async (context) => {
  const broker = await startApi(context, []);
  const get = "GET /api/v1/version HTTP/1.1\r\nHost: a\r\n\r\n";
  const text = await sendRaw(broker, `${get.repeat(3)}GET /x HTTP/1.1\r\nHost: a\r\n\r\n`);
  assert.deepEqual(text.match(/HTTP\/1\.1 \d+/g), ["HTTP/1.1 200", "HTTP/1.1 200", "HTTP/1.1 200", "HTTP/1.1 404"]);
  await sendRaw(broker, get.repeat(500));
  assert.equal(broker.log.match(/it asked for more than 16 things at once/g)?.length, 1);
});

test("who is slow, or keeps a connection for nothing, is closed in time", async (context) => {
  const broker = await startApi(context, [], {}, ["allow_anonymous true", "lacewing_connect_timeout 1"]);
  assert.equal(await sendRaw(broker, "GET / HTTP/1.1\r\nHo"), "");
  assert.match(broker.log, /is refused: it sent no whole request within the connect timeout/);
  const before = broker.log.match(/is refused/g)?.length;
  assert.match(await sendRaw(broker, "GET /api/v1/version HTTP/1.1\r\nHost: a\r\n\r\n"), /^HTTP\/1\.1 200 /);
  assert.equal(broker.log.match(/is refused/g)?.length, before, "a browser that keeps a connection does nothing wrong");
});

test("max_connections holds for connections that are kept", async (context) => {
  const broker = await startApi(context, ["max_connections 1"]);
  const { port = 0 } = broker.server.listeners[1] ?? {};
  const first = connectTcp(port, "127.0.0.1");
  first.write("GET /api/v1/version HTTP/1.1\r\nHost: a\r\n\r\n");
  await once(first, "data");
  assert.equal(await sendRaw(broker, "GET /api/v1/version HTTP/1.1\r\nHost: a\r\n\r\n"), "");
  await broker.logged(/denied: .*max_connections|max_connections/);
  first.destroy();
  await once(first, "close");
});

test("users come in by their passwords, and nobody else does", async (context) => {
  const hash = formatPasswordHash(await hashPassword("secret", "sha512-pbkdf2", 1000));
  const broker = await startApi(context, [], { users: `ann:${hash}\n` }, ["password_file FOLDER/users"]);
  for (const options of [
    {},
    basic("ann", "wrong"),
    basic("bob", "secret"),
    { headers: { authorization: "Basic ***" } },
  ]) {
    const page = await ask(broker, "/api/v1/version", options);
    assert.deepEqual([page.status, page.body], [401, "Not authorised\n"]);
    assert.match(page.headers["www-authenticate"] ?? "", /^Basic realm=/);
  }
  const page = await ask(broker, "/api/v1/version", basic("ann", "secret"));
  assert.deepEqual([page.status, page.body], [200, version()]);
  assert.match(broker.log, /Client http-api \[127\.0\.0\.1:\d+\] is refused: the password of user ann is wrong\./);
  assert.match(broker.log, /GET \/api\/v1\/version: 401, no user is named\./);
  assert.match(broker.log, /GET \/api\/v1\/version: 401, the log-in has failed\./);
});

test("who guesses passwords is not listened to for a while; who names nobody does not guess", async (context) => {
  const general = ["password_file FOLDER/users"];
  const limits = ["lacewing_max_login_failures 2", "lacewing_login_backoff 60"];
  const hash = formatPasswordHash(await hashPassword("secret", "sha512"));
  const broker = await startApi(context, limits, { users: `ann:${hash}\n` }, general);
  for (let i = 0; i < 5; i++) assert.equal((await ask(broker, "/")).status, 401);
  for (let i = 0; i < 2; i++) assert.equal((await ask(broker, "/", basic("ann", `guess ${i}`))).status, 401);
  const page = await ask(broker, "/", basic("ann", "guess"));
  assert.deepEqual([page.status, page.headers["retry-after"]], [429, "60"]);
});

test("rules say what may be read, by its path", async (context) => {
  const rules = "topic read /api/v1/version\nuser ann\ntopic read /api/#\n";
  const broker = await startApi(
    context,
    ["http_dir FOLDER/www"],
    { rules, "www/index.html": "page", "www/a+b.html": "x" },
    ["allow_anonymous true", "acl_file FOLDER/rules"],
  );
  for (const [path, options, status] of [
    ["/api/v1/version", {}, 200],
    ["/api/v1/systree", {}, 401],
    ["/api/v1/%73ystree", {}, 401],
    ["/index.html", {}, 401],
    ["/a+b.html", {}, 401],
    ["/%2b", {}, 401],
    ["/api/v1/systree", basic("ann", ""), 200],
    ["/index.html", basic("ann", ""), 401],
    // What is allowed is no way to what is not.
    ["/api/../index.html", basic("ann", ""), 401],
    ["/api/%2e%2e/index.html", basic("ann", ""), 401],
    ["/api/..%2findex.html", basic("ann", ""), 401],
    ["//api/v1/systree", {}, 401],
  ] as const)
    assert.equal((await ask(broker, path, options)).status, status, path);
  assert.match(broker.log, /GET \/api\/v1\/systree: 401, the rules do not let it read that path\./);
});

test("http_dir: a page with what it needs, and nothing outside of the folder", async (context) => {
  const files = {
    "www/index.html": "<html></html>",
    "www/app.js": "let a;",
    secret: "secret",
    "www2/secret": "secret",
  };
  const broker = await startApi(context, ["http_dir FOLDER/www"], files);
  symlinkSync(join(broker.folder, "secret"), join(broker.folder, "www/link"));
  for (const [path, status, body] of [
    ["/", 200, "<html></html>"],
    ["/index.html", 200, "<html></html>"],
    ["/app.js", 200, "let a;"],
    ["/missing", 404, ""],
    ["/../secret", 404, ""],
    ["/%2e%2e/secret", 404, ""],
    ["/..%2fsecret", 404, ""],
    ["/../www2/secret", 404, ""],
    ["/link", 404, ""],
    ["/%00", 404, "Not found.\n"],
  ] as const) {
    const page = await ask(broker, path);
    assert.deepEqual([page.status, page.body], [status, body], path);
  }
  // Who does not read an answer to its end can ask anew all the same.
  assert.match(await sendRaw(broker, "GET /app.js HTTP/1.1\r\nHost: test\r\n\r\n"), /^Connection: close\r$/m);
  assert.match(broker.log, /Using http_dir .*www/);
  assert.match(broker.log, /GET \/\.\.\/secret: 404, http_dir has no such file, or it cannot be read\./);
});

test("pages of other origins read nothing, unless websockets_origin names them", async (context) => {
  const closed = await startApi(context, []);
  const from = { headers: { origin: "https://page.example" } };
  assert.equal((await ask(closed, "/api/v1/version", from)).headers["access-control-allow-origin"], undefined);
  const open = await startApi(context, ["websockets_origin https://page.example"]);
  const page = await ask(open, "/api/v1/version", from);
  assert.deepEqual(
    [page.status, page.headers["access-control-allow-origin"], page.headers.vary],
    [200, "https://page.example", "Origin"],
  );
  const preflight = await ask(open, "/api/v1/version", { ...from, method: "OPTIONS" });
  assert.deepEqual([preflight.status, preflight.headers["access-control-allow-headers"]], [204, "Authorization"]);
  const other = { headers: { origin: "https://evil.example" } };
  assert.equal((await ask(open, "/api/v1/version", other)).headers["access-control-allow-origin"], undefined);
  assert.equal((await ask(open, "/api/v1/version", { ...other, method: "OPTIONS" })).status, 405);
});

const SERVER_TLS = [`certfile ${FIXTURES}/server.pem`, `keyfile ${FIXTURES}/leaf.key`];
const SAFE = { protocol: "https:", rejectUnauthorized: false } as const;

test("TLS: HTTPS, and no answer without it", async (context) => {
  const broker = await startApi(context, SERVER_TLS);
  assert.equal((await ask(broker, "/api/v1/version", SAFE)).body, version());
  await assert.rejects(ask(broker, "/api/v1/version"));
});

test("TLS: the name of a client's certificate is the user whom rules know", async (context) => {
  const lines = [
    ...SERVER_TLS,
    `cafile ${FIXTURES}/ca.pem`,
    "require_certificate true",
    "use_identity_as_username true",
  ];
  const rules = "user device-7\ntopic read /api/v1/version\n";
  const broker = await startApi(context, lines, { rules }, ["acl_file FOLDER/rules"]);
  const pem = (name: string): Buffer => readFileSync(join(FIXTURES, name));
  const known = { ...SAFE, cert: pem("client.pem"), key: pem("leaf.key") };
  assert.equal((await ask(broker, "/api/v1/version", known)).status, 200);
  assert.equal((await ask(broker, "/api/v1/systree", known)).status, 401);
  await assert.rejects(ask(broker, "/api/v1/version", SAFE));
  await assert.rejects(ask(broker, "/api/v1/version", { ...known, cert: pem("stranger.pem") }));
});

test("a reload changes who may come in, at once", async (context) => {
  const broker = await startApi(context, []);
  assert.equal((await ask(broker, "/api/v1/version")).status, 200);
  await broker.reload(["allow_anonymous false", "listener 2 127.0.0.1", "protocol http_api"]);
  assert.equal((await ask(broker, "/api/v1/version")).status, 401);
});

test("the end of the broker does not wait for connections that are kept", async (context) => {
  const broker = await startApi(context, []);
  const socket = connectTcp(broker.server.listeners[1]?.port ?? 0, "127.0.0.1");
  socket.write("GET /api/v1/version HTTP/1.1\r\nHost: a\r\n\r\n");
  await once(socket, "data");
  const closed = once(socket, "close");
  await broker.server.close();
  await closed;
});
