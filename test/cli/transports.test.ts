// Our tools over every transport, and what they say when it fails, at our own broker behind doors of the test.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import dns from "node:dns/promises";
import { copyFileSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseCommandLine } from "../../src/cli/command-line.ts";
import { SERVER_OPTIONS, type ServerArguments, serverOf } from "../../src/cli/options/server-options.ts";
import { certified, fixture, portOf, socksFront, tlsFront, unixFront, webSocketFront } from "../client/fronts.ts";
import { startBroker } from "../client/test-broker.ts";
import { temporaryFolder } from "../support/folder.ts";
import { closedPort } from "../support/ports.ts";
import { startDns } from "./dns-server.ts";
import { runTool } from "./tool-run.ts";

const CA = ["--cafile", fixture("ca.pem")];
const CLIENT = ["--cert", fixture("client.pem"), "--key", fixture("leaf.key")];

/** A message goes to the broker and comes back, by the way that `args` describe. */
async function works(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<void> {
  const pub = await runTool("pub", [...args, "-t", "way", "-m", "there and back", "-r", "-q", "1"], "", env);
  assert.deepEqual([pub.code, pub.errors], [0, ""]);
  const sub = await runTool("sub", [...args, "-t", "way", "-C", "1"], "", env);
  assert.deepEqual([sub.code, sub.out, sub.errors], [0, "there and back\n", ""]);
}

/** Exit code and lines of standard error. */
async function fails(...args: string[]): Promise<readonly unknown[]> {
  const { code, errors } = await runTool("pub", [...args, "-t", "way", "-m", "x", "-q", "1"]);
  return [code, ...errors.trimEnd().split("\n")];
}

function to(port: number): string[] {
  return ["-h", "localhost", "-p", String(port)];
}

test("TLS with a file, a folder and the system's list of CAs", async (context) => {
  const { port } = await startBroker(context);
  const tls = to(portOf(await tlsFront(context, port, certified("server.pem"))));
  await works([...tls, ...CA]);
  await works(["-L", `mqtts://localhost:${tls[3]}/elsewhere`, ...CA]);
  // Without the links of `openssl rehash` too.
  const folder = temporaryFolder(context);
  copyFileSync(fixture("ca.pem"), join(folder, "ca.crt"));
  writeFileSync(join(folder, "notes.txt"), "not a certificate");
  await works([...tls, "--capath", folder]);
  await works([...tls, "--tls-use-os-certs"], { SSL_CERT_FILE: fixture("ca.pem") });
  await works([...tls, "--cafile", fixture("stranger.pem"), "--tls-use-os-certs"], {
    SSL_CERT_FILE: fixture("ca.pem"),
  });
  await works([...tls, "--cafile", fixture("stranger.pem"), "--insecure"]);
});

test("each way in which TLS fails is 8 with mosquitto's line, and one that says why", async (context) => {
  const { port } = await startBroker(context);
  const line = "Error: A TLS error occurred.";
  for (const [certificate, args, advice] of [
    ["server.pem", [], "The chain ends at a root that is not trusted here: see --cafile. More: .* root-untrusted"],
    [
      "future.pem",
      CA,
      "The certificate is not valid yet: this machine's clock is probably behind. More: .* certificate-not-yet-valid",
    ],
    ["expired.pem", CA, "A certificate has expired. More: .* certificate-expired"],
    ["misnamed.pem", CA, ".*: it is for elsewhere.example, and not for 'localhost': see -h. More: .* certificate-name"],
  ] as const) {
    const server = portOf(await tlsFront(context, port, certified(certificate)));
    const [code, first, second] = await fails(...to(server), ...args, "--tls-use-os-certs");
    assert.deepEqual([code, first], [8, line]);
    assert.match(String(second), new RegExp(`^${advice}$`));
  }
  const plain = await fails(...to(port), ...CA);
  assert.deepEqual(plain.slice(0, 2), [8, line]);
  assert.equal(
    plain[2],
    "The other side closed in the middle of the TLS handshake: see -p. More: lacewing explain tls-closed",
  );
});

test("client certificates: asked for and missing, refused, not used, not of the key", async (context) => {
  const { port } = await startBroker(context);
  const wanting = { ...certified("server.pem"), requestCert: true };
  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    const server = to(portOf(await tlsFront(context, port, { ...wanting, maxVersion })));
    await works([...server, ...CA, ...CLIENT]);
    // Node's server says nothing about why; mosquitto's does.
    const [code, first, second] = await fails(...server, ...CA);
    assert.match(`${code} ${first}`, /^(7 Error: The connection was lost\.|8 Error: A TLS error occurred\.)$/);
    assert.match(String(second), /certificate|closed/);
  }
  const plain = await fails(...to(await closedPort()), ...CLIENT);
  assert.deepEqual(plain.slice(0, 2), [1, "Error: Connection refused"]);
  const pair = ["--cert", fixture("client.pem"), "--key"];
  const other = join(temporaryFolder(context), "other.key");
  execFileSync("openssl", ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", other]);
  const server = to(portOf(await tlsFront(context, port, wanting)));
  assert.deepEqual(await fails(...server, ...CA, ...pair, other), [
    1,
    "Unable to connect (A TLS error occurred.).",
    "The key does not belong to the certificate: see --cert and --key. More: lacewing explain key-mismatch",
  ]);
});

test("words of TLS: versions, ciphers, ALPN, secrets for Wireshark, and none at all", async (context) => {
  const { port } = await startBroker(context);
  const folder = temporaryFolder(context);
  const front = await tlsFront(context, port, { ...certified("server.pem"), ALPNProtocols: ["mqtt"] });
  const seen: string[] = [];
  front.on("secureConnection", (socket) => seen.push(`${socket.getProtocol()} ${socket.alpnProtocol}`));
  const tls = [...to(portOf(front)), ...CA];
  const keyLog = join(folder, "secrets");
  await works([...tls, "--tls-version", "tlsv1.3", "--tls-alpn", "mqtt", "--tls-keylog", keyLog]);
  await works([...tls, "--ciphers", "ECDHE-ECDSA-AES256-GCM-SHA384"]);
  assert.deepEqual(seen, ["TLSv1.3 mqtt", "TLSv1.3 mqtt", "TLSv1.3 false", "TLSv1.3 false"]);
  assert.match(readFileSync(keyLog, "utf8"), /^CLIENT_HANDSHAKE_TRAFFIC_SECRET /m);
  assert.equal(statSync(keyLog).mode & 0o777, 0o600);
  await works([...to(port), ...CA, "--psk", "00", "--no-tls"]);
  const [code, first, second] = await fails(...tls, "--tls-keylog", folder);
  assert.deepEqual([code, first], [1, "Error: Problem setting TLS options, check the options are valid."]);
  assert.match(String(second), /^--tls-keylog: EISDIR/);
  assert.deepEqual(await fails(...to(port), "--psk", "00", "--psk-identity", "x", "--tls-version", "tlsv1.3"), [
    1,
    "Error: Problem setting TLS-PSK options.",
    "Node.js does PSK with TLS 1.2 only: leave out --tls-version.",
  ]);
});

test("WebSocket, with and without TLS, by options and by URL", async (context) => {
  const { port } = await startBroker(context);
  const plain = await webSocketFront(context, port);
  const safe = await webSocketFront(context, port, certified("server.pem"));
  await works([...to(plain.port), "--ws"]);
  await works([...to(plain.port), "--ws", "--ws-path", "/mqtt?token=1"]);
  await works(["-L", `ws://localhost:${plain.port}/elsewhere`, "--ws-path", "/mqtt?a"]);
  await works(["-L", `wss://localhost:${safe.port}/mqtt`, ...CA]);
  await works([...to(safe.port), "--ws", ...CA]);
  assert.deepEqual(
    plain.requests.map(({ url }) => url),
    ["/mqtt", "/mqtt", "/mqtt?token=1", "/mqtt?token=1", "/mqtt?a", "/mqtt?a"],
  );
  assert.deepEqual(await fails(...to(plain.port), "--ws", "--ws-path", "/elsewhere"), [
    1,
    "Error: Unexpected server response: 400",
    "The WebSocket did not come to be (localhost, port PORT): see -p and --ws-path. More: lacewing explain websocket-failed".replace(
      "PORT",
      String(plain.port),
    ),
  ]);
  const [code, , advice] = await fails(...to(plain.port));
  assert.equal(code, 2);
  assert.match(String(advice), /"HTTP\/1\.1 400.* if it is for WebSockets, --ws\. More: /);
});

test("a unix socket, which the later one of -h and --unix chooses", async (context) => {
  const { port } = await startBroker(context);
  const path = join(temporaryFolder(context), "socket");
  await unixFront(context, port, path);
  await works(["--unix", path]);
  await works(["-h", "nobody.invalid", "--unix", path]);
  await works(["--unix", "/no/such/socket", ...to(port)]);
  assert.deepEqual(await fails("--unix", `${path}2`), [
    1,
    "Error: No such file or directory",
    `A file or socket is not there (${path}2): see --unix. More: lacewing explain file-missing`,
  ]);
});

test("a proxy, with TLS and WebSocket behind it", async (context) => {
  const { port } = await startBroker(context);
  const safe = await webSocketFront(context, port, certified("server.pem"));
  const proxy = await socksFront(context, safe.port, "p@ss");
  await works([
    "-L",
    `wss://localhost:${safe.port}/t`,
    ...CA,
    "--proxy",
    `socks5h://u%3A:p%40ss@localhost:${proxy.port}`,
  ]);
  assert.deepEqual(proxy.requests[0], { login: "u::p@ss", host: "localhost" });
  const [code, first, second] = await fails(...to(port), "--proxy", `socks5h://localhost:${proxy.port}`);
  assert.deepEqual([code, first], [16, "Error: Proxy error."]);
  assert.match(String(second), /it wants another authentication than there is: see --proxy\. More: /);
});

test("-S: the broker that the domain names, the next one when that fails", async (context) => {
  const { port } = await startBroker(context);
  const safe = portOf(await tlsFront(context, port, certified("server.pem")));
  const record = { weight: 0, target: "localhost" };
  const server = await startDns(context, {
    "_mqtt._tcp.example.test": [
      { ...record, priority: 2, port },
      { ...record, priority: 1, port: await closedPort() },
    ],
    "_secure-mqtt._tcp.example.test": [{ ...record, priority: 1, port: safe }],
  });
  dns.setServers([server]);
  await works(["-S", "-h", "example.test"]);
  await works(["-S", "-h", "example.test", ...CA]);
  assert.deepEqual(await fails("-S", "-h", "elsewhere.test"), [
    1,
    "Unable to connect (Lookup error.).",
    "No SRV record was found: no SRV record for _mqtt._tcp.elsewhere.test: see -S. More: lacewing explain srv-lookup-failed",
  ]);
});

test("an address to connect from, by its name too", async (context) => {
  const { port } = await startBroker(context);
  await works([...to(port), "-A", "127.0.0.1"]);
  await works([...to(port), "-A", "localhost"]);
});

function server(...args: string[]): ServerArguments {
  return serverOf(parseCommandLine({ options: SERVER_OPTIONS }, args));
}

test("ports: 1883 and 8883; 8883 and a safe scheme switch TLS on, --no-tls off", () => {
  assert.deepEqual([server().port, server().tls], [1883, null]);
  assert.equal(server(...CA).port, 8883);
  assert.equal(server("--tls-use-os-certs").port, 8883);
  assert.equal(server("--ws").port, 1883);
  assert.equal(server("--ws", ...CA).port, 8883);
  assert.equal(server("-p", "8883").tls?.usesOsCertificates, true);
  assert.equal(server("-p", "8883", ...CA).tls?.usesOsCertificates, false);
  assert.equal(server("-p", "8883", "--no-tls").tls, null);
  assert.equal(server("-L", "mqtts://h/t", ...CA).tls?.usesOsCertificates, true);
  const url = server("-L", "wss://u:p@h/topic", "--ws-path", "/path");
  assert.deepEqual([url.host, url.port, url.webSocketPath, url.tls?.usesOsCertificates], ["h", 8883, "/path", true]);
  assert.throws(() => server("--unix", "/s", "--proxy", "socks5h://h"), /^CommandLineError: --unix is on this machine/);
  assert.throws(() => server("--proxy", "socks5h://%zz@h"), /has a % that begins no code/);
  assert.deepEqual(server("--proxy", "socks5h://[::1]").proxy?.host, "::1");
});

test("a locked key without a terminal", { skip: process.stdin.isTTY === true }, async (context) => {
  const locked = join(temporaryFolder(context), "locked.key");
  execFileSync("openssl", ["pkcs8", "-topk8", "-in", fixture("leaf.key"), "-passout", "pass:x", "-out", locked]);
  const [code, , advice] = await fails("-p", "1", ...CA, "--cert", fixture("client.pem"), "--key", locked);
  assert.equal(code, 1);
  assert.match(
    String(advice),
    /locked, and there is no terminal to ask for its pass phrase\. To unlock it: openssl pkey/,
  );
});
