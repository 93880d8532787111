// Every setting of a listener reaches the wire: from a Config to a connection.
import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import { WebSocket } from "ws";
import { connect } from "../../src/client/index.ts";
import {
  DEFAULT_CONFIG,
  DEFAULT_LISTENER,
  type ListenerConfig,
  listenerOf,
  type TlsConfig,
} from "../../src/config/index.ts";
import { startServer } from "../../src/server/index.ts";
import { temporaryFolder } from "../support/folder.ts";
import { ROOT } from "../support/repository.ts";
import { untilClosed } from "./listener-rig.ts";

const FIXTURES = join(ROOT, "test/fixtures/tls");

function pair(name: string): { readonly certFile: string; readonly keyFile: string } {
  return { certFile: join(FIXTURES, name), keyFile: join(FIXTURES, "leaf.key") };
}

const TLS: TlsConfig = {
  ...pair("server.pem"),
  ...{ caFile: null, caPath: null, crlFile: null, minimumVersion: "TLSv1.2", ciphers: null, ciphersTls13: null },
  ...{ requireCertificate: false, ignoreClientCertificateDates: false, sniCertificates: [], alpn: [] },
};

async function start(context: TestContext, settings: Partial<ListenerConfig>) {
  let log = "";
  const listener = listenerOf({ host: "127.0.0.1", port: 0, allowAnonymous: true, ...settings });
  const server = await startServer({ ...DEFAULT_CONFIG, listeners: [listener] }, (text) => {
    log += text;
  });
  context.after(() => server.close());
  const logOf = (): string => {
    server.log.flush();
    return log;
  };
  return { server, port: server.listeners[0]!.port, logOf };
}

async function secured(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false, ...options });
  await once(socket, "secureConnect");
  return socket;
}

test("TLS: certificates by name, version, ciphers, ALPN", async (context) => {
  const sniCertificates = [{ serverName: "*.second.example", ...pair("misnamed.pem") }];
  const tls: TlsConfig = {
    ...TLS,
    sniCertificates,
    minimumVersion: "TLSv1.3",
    ciphersTls13: "TLS_AES_128_GCM_SHA256",
    alpn: ["mqtt"],
  };
  const { port } = await start(context, { tls });
  const socket = await secured(port, { servername: "a.second.example", ALPNProtocols: ["mqtt"] });
  assert.equal(socket.getPeerCertificate().subject.CN, "elsewhere.example");
  assert.deepEqual(
    [socket.getProtocol(), socket.getCipher().name, socket.alpnProtocol],
    ["TLSv1.3", "TLS_AES_128_GCM_SHA256", "mqtt"],
  );
  socket.destroy();
  const first = await secured(port, { servername: "localhost" });
  assert.equal(first.getPeerCertificate().subject.CN, "localhost");
  first.destroy();
  await assert.rejects(secured(port, { maxVersion: "TLSv1.2" }), /alert protocol version/);
});

test("TLS: a client's certificate, by its dates or not", async (context) => {
  const mutual: TlsConfig = { ...TLS, caFile: join(FIXTURES, "ca.pem"), requireCertificate: true };
  const strict = await start(context, { tls: mutual });
  const own = (name: string) => ({ tls: { insecure: true, ...pair(name) } });
  await using client = await connect(`mqtts://127.0.0.1:${strict.port}`, own("client.pem"));
  await client.publish("t", "x", { qos: 1 });
  await assert.rejects(connect(`mqtts://127.0.0.1:${strict.port}`, { ...own("expired.pem"), reconnect: false }));
  assert.match(strict.logOf(), /certificate has expired/);
  await assert.rejects(connect(`mqtts://127.0.0.1:${strict.port}`, { ...own("stranger.pem"), reconnect: false }));
});

test("WebSocket: origins, files, and the size of a request", async (context) => {
  const httpDir = temporaryFolder(context, { "index.html": "hello" });
  const webSocket = { origins: ["https://good.example"], httpDir, maximumHeaderBytes: 1024 };
  const { port, logOf } = await start(context, { protocol: "websockets", webSocket });
  for (const [origin, isIn] of [
    ["https://good.example", true],
    ["https://good.example.evil.example", false],
    ["https://good.exampl", false],
  ] as const) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, "mqtt", { origin });
    const outcome = await new Promise((resolve) => {
      socket.on("open", () => resolve(true)).on("error", () => resolve(false));
    });
    assert.equal(outcome, isIn, origin);
    socket.terminate();
  }
  assert.match(logOf(), /non-matching http origin/);
  const statusOf = async (headers: Record<string, string>): Promise<number | undefined> => {
    const [response] = await once(request({ port, host: "127.0.0.1", agent: false, headers }).end(), "response");
    response.resume();
    return response.statusCode;
  };
  assert.equal(await statusOf({}), 200);
  assert.equal(await statusOf({ x: "x".repeat(2000) }), 431);
});

test("the PROXY protocol, and TLS that the proxy must have seen", async (context) => {
  const { port, logOf } = await start(context, { proxyProtocol: 2, proxyRequiresTls: true });
  const socket = connectTcp(port, "127.0.0.1");
  socket.write(Buffer.from("0d0a0d0a000d0a515549540a2111000cc0000201c0000202c350075b", "hex"));
  await untilClosed(socket);
  assert.match(logOf(), /Connection from 192\.0\.2\.1:50000 rejected, client did not connect using TLS\./);
});

test("where: a version of IP, an interface, a unix socket", async (context) => {
  const ipv4 = await start(context, { host: null, socketDomain: "ipv4" });
  assert.deepEqual(ipv4.server.listeners[0]?.addresses, [`0.0.0.0:${ipv4.port}`]);
  assert.match(ipv4.logOf(), new RegExp(`Opening ipv4 listen socket on port ${ipv4.port}\\.`));
  await assert.rejects(
    start(context, { host: null, bindInterface: "nonesuch0" }),
    /^ListenError: Cannot listen on \[::\]:0: bind_interface: there is no interface nonesuch0/,
  );
  const unixPath = join(temporaryFolder(context), "mqtt.sock");
  const unix = await start(context, { unixPath });
  assert.deepEqual(unix.server.listeners[0]?.addresses, [unixPath]);
  await using client = await connect(`unix://${unixPath}`);
  await client.publish("t", "x", { qos: 1 });
});

test("as many connections as allowed", async (context) => {
  const entrance = { ...DEFAULT_LISTENER.entrance, maximumConnections: 1 };
  const { port, logOf } = await start(context, { entrance, tls: TLS });
  const first = await secured(port);
  await untilClosed(connectTcp(port, "127.0.0.1"));
  assert.match(logOf(), /Client connection from 127\.0\.0\.1:\d+ denied: max_connections exceeded\./);
  first.destroy();
});
