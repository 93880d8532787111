// The client library over every transport, and how each of them fails.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import {
  type ClientError,
  connect,
  type DisconnectInfo,
  MqttClient,
  type MqttClientOptions,
  type NodeTransportOptions,
} from "../../src/client/index.ts";
import { temporaryFolder } from "../support/folder.ts";
import { closedPort } from "../support/ports.ts";
import { certified, fixture, pem, portOf, socksFront, tlsFront, unixFront, webSocketFront } from "./fronts.ts";
import { startScripted } from "./scripted-server.ts";
import { startBroker } from "./test-broker.ts";

const TRUST = { tls: { ca: pem("ca.pem") } };

/** Sends 200 kB there and back, which no transport carries in one piece. */
async function works(url: string, options: NodeTransportOptions = {}): Promise<void> {
  await using client = await connect<string>(url, { version: 5, ...options });
  const subscription = client.subscribe("t", { qos: 2 });
  await subscription.granted;
  const payload = randomBytes(200_000);
  await client.publish("t", payload, { qos: 2 });
  for await (const message of subscription) {
    assert.deepEqual(Buffer.from(message.payload), payload);
    break;
  }
}

/** The error of a connection that does not come to be. */
async function failure(url: string, options: MqttClientOptions = {}): Promise<ClientError> {
  const client = new MqttClient(url, { reconnect: false, ...options });
  const error = await client.closed;
  assert.ok(error !== null);
  return error;
}

function causeOf({ code, rc, errno }: ClientError): readonly unknown[] {
  return [code, rc, errno];
}

test("TLS: a CA that is trusted, by address and by name", async (context) => {
  const { port } = await startBroker(context);
  const server = portOf(await tlsFront(context, port, certified("server.pem")));
  await works(`mqtts://127.0.0.1:${server}`, TRUST);
  await works(`mqtts://localhost:${server}`, { tls: { caFile: fixture("ca.pem") } });
  await works(`mqtts://127.0.0.1:${server}`, { tls: { ca: pem("ca.pem"), serverName: "localhost" } });
});

test("TLS: each certificate that does not prove the server is 8, with the reason as cause", async (context) => {
  const { port } = await startBroker(context);
  for (const [certificate, options, errno] of [
    ["server.pem", {}, "SELF_SIGNED_CERT_IN_CHAIN"],
    ["future.pem", TRUST, "CERT_NOT_YET_VALID"],
    ["expired.pem", TRUST, "CERT_HAS_EXPIRED"],
    ["misnamed.pem", TRUST, "ERR_TLS_CERT_ALTNAME_INVALID"],
    ["server.pem", { tls: { ca: pem("ca.pem"), serverName: "elsewhere.example" } }, "ERR_TLS_CERT_ALTNAME_INVALID"],
  ] as const) {
    const server = portOf(await tlsFront(context, port, certified(certificate)));
    const error = await failure(`mqtts://127.0.0.1:${server}`, options);
    assert.deepEqual(causeOf(error), ["tls-failed", 8, errno]);
    await works(`mqtts://127.0.0.1:${server}`, { tls: { insecure: true } });
  }
});

test("TLS: what is not there, or not TLS, is 8 too; a port that is closed is 14", async (context) => {
  const plain = await startScripted(context);
  const toPlain = failure(`mqtts://127.0.0.1:${plain.port}`, TRUST);
  (await plain.next().catch(() => null))?.sendBytes(Buffer.from("not TLS at all"));
  assert.equal((await toPlain).rc, 8);
  assert.deepEqual(causeOf(await failure(`mqtts://127.0.0.1:${await closedPort()}`, TRUST)), [
    "network-error",
    14,
    "ECONNREFUSED",
  ]);
  const missing = await failure("mqtts://127.0.0.1:1", { tls: { caFile: "no-such-file.pem" } });
  assert.deepEqual(causeOf(missing), ["tls-failed", 8, "ENOENT"]);
  const broken = await failure(`mqtts://127.0.0.1:${plain.port}`, {
    tls: { ca: pem("ca.pem"), cert: "nothing", key: "nothing" },
  });
  assert.equal(broken.rc, 8);
});

test("TLS: a client's certificate, a stranger's, none at all", async (context) => {
  const { port } = await startBroker(context);
  const options = { ...certified("server.pem"), requestCert: true, rejectUnauthorized: true };
  const url = `mqtts://127.0.0.1:${portOf(await tlsFront(context, port, options))}`;
  const { tls } = TRUST;
  await works(url, { tls: { ...tls, cert: pem("client.pem"), key: pem("leaf.key") } });
  await works(url, {
    tls: { ...tls, certFile: fixture("client.pem"), keyFile: fixture("leaf.key") },
  });
  // TLS 1.3 refuses only after the handshake; the reason may be lost on the way, and then it is 7.
  for (const refused of [{}, { cert: pem("stranger.pem"), key: pem("leaf.key") }]) {
    assert.ok([7, 8].includes((await failure(url, { tls: { ...tls, ...refused } })).rc));
  }
});

test("TLS: ALPN, and a key that both sides know", async (context) => {
  const { port } = await startBroker(context);
  const alpn = await tlsFront(context, port, { ...certified("server.pem"), ALPNProtocols: ["mqtt"] });
  const offered: unknown[] = [];
  alpn.on("secureConnection", ({ alpnProtocol }) => offered.push(alpnProtocol));
  await works(`mqtts://127.0.0.1:${portOf(alpn)}`, { tls: { ca: pem("ca.pem"), alpnProtocols: ["mqtt"] } });
  assert.deepEqual(offered, ["mqtt"]);

  const key = Buffer.from("00112233445566778899aabbccddeeff", "hex");
  const pskCallback = (_: unknown, identity: string) => (identity === "device" ? key : null);
  const server = await tlsFront(context, port, { ciphers: "PSK", pskCallback });
  const url = `mqtts://127.0.0.1:${portOf(server)}`;
  await works(url, { tls: { psk: { identity: "device", key } } });
  assert.equal((await failure(url, { tls: { psk: { identity: "device", key: randomBytes(16) } } })).rc, 8);
});

test("TLS: a certificate that is not valid yet heals by itself when the clock, or the certificate, is put right", async (context) => {
  const { port } = await startBroker(context);
  const server = await tlsFront(context, port, certified("future.pem"));
  const client = new MqttClient(`mqtts://127.0.0.1:${portOf(server)}`, {
    ...TRUST,
    reconnect: { minimumDelayMs: 0, maximumDelayMs: 1 },
  });
  context.after(() => client.disconnect());
  const failures: DisconnectInfo[] = [];
  client.on("disconnect", (info) => {
    failures.push(info);
    if (failures.length === 3) server.setSecureContext(certified("server.pem"));
  });
  await client.connected;
  assert.ok(failures.length >= 3);
  assert.ok(
    failures.every(
      ({ error, willReconnect }) => error?.rc === 8 && error.errno === "CERT_NOT_YET_VALID" && willReconnect,
    ),
  );
});

test("WebSocket, with and without TLS, with its path and headers", async (context) => {
  const { port } = await startBroker(context);
  const plain = await webSocketFront(context, port);
  await works(`ws://127.0.0.1:${plain.port}/mqtt?a=b`, { headers: { "x-token": "secret" } });
  assert.deepEqual(plain.requests, [{ url: "/mqtt?a=b", token: "secret" }]);
  const safe = await webSocketFront(context, port, certified("server.pem"));
  await works(`wss://localhost:${safe.port}/mqtt`, TRUST);
  assert.equal((await failure(`wss://localhost:${safe.port}/mqtt`)).rc, 8);
  const elsewhere = await failure(`ws://127.0.0.1:${plain.port}/elsewhere`);
  assert.deepEqual([elsewhere.code, elsewhere.rc], ["network-error", 14]);
  assert.match(elsewhere.message, /400|404/);
  assert.equal((await failure(`ws://127.0.0.1:${await closedPort()}/mqtt`)).errno, "ECONNREFUSED");
});

test("a unix socket", async (context) => {
  const { port } = await startBroker(context);
  const path = join(temporaryFolder(context), "mqtt.sock");
  await unixFront(context, port, path);
  await works(`unix://${path}`);
  assert.deepEqual(causeOf(await failure(`unix://${path}.not`)), ["network-error", 14, "ENOENT"]);
});

test("a SOCKS5 proxy, which gets names to look up, and wants a password", async (context) => {
  const { port } = await startBroker(context);
  const open = await socksFront(context, port, null);
  await works("mqtt://broker.example:1883", { proxy: `socks5h://127.0.0.1:${open.port}` });
  await works("mqtt://127.0.0.2:1883", { proxy: `socks5h://127.0.0.1:${open.port}` });
  await works("mqtt://[2001:db8::7]:1883", { proxy: `socks5h://127.0.0.1:${open.port}` });
  assert.deepEqual(open.requests, [
    { login: null, host: "broker.example" },
    { login: null, host: "7f000002" },
    { login: null, host: "20010db8000000000000000000000007" },
  ]);
  const locked = await socksFront(context, port, "se cret");
  await works("mqtt://broker.example", { proxy: `socks5h://me:se%20cret@127.0.0.1:${locked.port}` });
  assert.equal(locked.requests[0]?.login, "me:se cret");
  for (const [proxy, why] of [
    [`me:wrong@127.0.0.1:${locked.port}`, /refuses user name and password/],
    [`127.0.0.1:${locked.port}`, /wants another authentication/],
    [`127.0.0.1:${(await socksFront(context, port, null, 4)).port}`, /no way to the server/],
    [`127.0.0.1:${await closedPort()}`, /cannot be reached/],
  ] as const) {
    const error = await failure("mqtt://broker.example", { proxy: `socks5h://${proxy}` });
    assert.deepEqual([error.code, error.rc], ["proxy-failed", 16]);
    assert.match(error.message, why);
  }
});

test("TLS and WebSocket through a proxy", async (context) => {
  const { port } = await startBroker(context);
  const { port: server } = await webSocketFront(context, port, certified("server.pem"));
  const { port: proxy } = await socksFront(context, server, null);
  await works("wss://localhost/mqtt", { ...TRUST, proxy: `socks5h://127.0.0.1:${proxy}` });
});

test("an attempt ends when its time is over, and when the client is ended", async (context: TestContext) => {
  const silent = await startScripted(context);
  for (const scheme of ["mqtts", "ws", "wss"]) {
    const error = await failure(`${scheme}://127.0.0.1:${silent.port}`, { connectTimeoutMs: 20 });
    assert.deepEqual(causeOf(error), ["network-error", 14, "ETIMEDOUT"], scheme);
    const client = new MqttClient(`${scheme}://127.0.0.1:${silent.port}`);
    await silent.next();
    await client.disconnect();
    assert.equal(await client.closed, null);
  }
});
