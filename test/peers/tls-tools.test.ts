// mosquitto's own tools over TLS and with pre-shared keys at our broker, by its settings, and what its log says of refusals.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { type Config, DEFAULT_CONFIG, type ListenerConfig, listenerOf } from "../../src/config/index.ts";
import { NO_SECURITY } from "../../src/security/index.ts";
import { ListenError, SecurityError, startServer } from "../../src/server/index.ts";
import { findPeer, startPeer, testWithPeers } from "../support/peers.ts";
import { Certificates } from "../transport/certificates.ts";

const folder = mkdtempSync(join(tmpdir(), "lacewing tools-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const made = findPeer("openssl") === undefined ? null : new Certificates(folder);
if (made !== null) {
  made.make("server", { usage: "serverAuth", names: "DNS:localhost,IP:127.0.0.1" });
  made.make("device-7");
  made.make("expired", { from: "20200101000000Z", until: "20210101000000Z" });
  made.make("foreign", { ca: "stranger" });
}
const PSK_FILE = join(folder, "keys.psk");
writeFileSync(PSK_FILE, "# keys\ndevice:00112233445566778899aabbccddeeff\n");

const TOOLS = ["mosquitto_pub", "mosquitto_sub", "openssl"] as const;

async function start(context: TestContext, ...listeners: readonly Partial<ListenerConfig>[]) {
  let log = "";
  const fixed = { host: "127.0.0.1", port: 0, allowAnonymous: true };
  const config: Config = { ...DEFAULT_CONFIG, listeners: listeners.map((one) => listenerOf({ ...fixed, ...one })) };
  const server = await startServer(config, (text) => {
    log += text;
  });
  context.after(() => server.close());
  const port = `${server.listeners[0]!.port}`;
  const logOf = (): string => {
    server.log.flush();
    return log;
  };
  return { port, logOf };
}

function tls(change: Partial<NonNullable<ListenerConfig["tls"]>> = {}): Partial<ListenerConfig> {
  return {
    tls: {
      certFile: join(folder, "server-chain.pem"),
      keyFile: join(folder, "server.key"),
      caFile: join(folder, "cas.pem"),
      caPath: null,
      crlFile: null,
      minimumVersion: "TLSv1.2",
      ciphers: null,
      ciphersTls13: null,
      requireCertificate: false,
      ignoreClientCertificateDates: false,
      sniCertificates: [],
      alpn: [],
      ...change,
    },
  };
}

const TRUST = ["-h", "127.0.0.1", "--cafile", join(folder, "root.pem")];

function own(name: string): readonly string[] {
  return ["--cert", join(folder, `${name}.pem`), "--key", join(folder, `${name}.key`)];
}

async function publish(port: string, args: readonly string[]): Promise<{ code: number | null; errors: string }> {
  const { code, errors } = await startPeer("mosquitto_pub", [
    "-p",
    port,
    ...args,
    "-t",
    "t",
    "-m",
    "hello",
    "-r",
    "-q",
    "1",
  ]).end();
  return { code, errors };
}

for (const version of ["tlsv1.2", "tlsv1.3"]) {
  testWithPeers(`mosquitto_pub and mosquitto_sub by ${version}`, TOOLS, async (context) => {
    const { port, logOf } = await start(context, tls({ requireCertificate: true }));
    const args = [...TRUST, "--tls-version", version, ...own("device-7")];
    assert.deepEqual(await publish(port, args), { code: 0, errors: "" });
    const subscriber = startPeer("mosquitto_sub", ["-p", port, ...args, "-t", "t", "-C", "1"]);
    assert.equal((await subscriber.end()).out, "hello\n");
    for (const [name, words] of [
      ["expired", "certificate has expired"],
      ["foreign", "unable to"],
      [null, "peer did not return a certificate"],
    ] as const) {
      const { code } = await publish(port, [...TRUST, "--tls-version", version, ...(name === null ? [] : own(name))]);
      assert.notEqual(code, 0, `${name}`);
      assert.ok(logOf().includes(words), logOf());
    }
    // A client that does not trust us says so.
    await publish(port, ["-h", "127.0.0.1", "--cafile", join(folder, "stranger.pem"), ...own("device-7")]);
    assert.match(
      logOf(),
      /OpenSSL Error\[0\]: error:[0-9A-F]{8}:SSL routines::tlsv1 alert unknown ca \[127\.0\.0\.1:\d+\]/,
    );
  });
}

testWithPeers("mosquitto_pub and mosquitto_sub with a pre-shared key", TOOLS, async (context) => {
  const psk = { hint: "lacewing", ciphers: null, minimumVersion: "TLSv1.2" } as const;
  const { port } = await start(context, { psk, security: { ...NO_SECURITY, pskFile: PSK_FILE } });
  const args = ["-h", "127.0.0.1", "--psk-identity", "device", "--psk", "00112233445566778899aabbccddeeff"];
  assert.deepEqual(await publish(port, args), { code: 0, errors: "" });
  const subscriber = startPeer("mosquitto_sub", ["-p", port, ...args, "-t", "t", "-C", "1"]);
  assert.equal((await subscriber.end()).out, "hello\n");
  for (const wrong of [
    ["--psk-identity", "device", "--psk", "ff"],
    ["--psk-identity", "nobody", "--psk", "00112233445566778899aabbccddeeff"],
  ])
    assert.notEqual((await publish(port, ["-h", "127.0.0.1", ...wrong])).code, 0);
});

test("a listener that cannot be had says what is wrong", async (context) => {
  const psk = { hint: "x", ciphers: null, minimumVersion: "TLSv1.2" } as const;
  for (const [text, words] of [
    ["device", /keys:1: is not IDENTITY:KEY/],
    ["device:xyz", /keys:1: is not IDENTITY:KEY/],
    ["# one\na:00\na:11", /keys:3: names a a second time/],
    [`a:${"00".repeat(257)}`, /more than 256 bytes/],
  ] as const) {
    const pskFile = join(folder, "keys");
    writeFileSync(pskFile, text);
    const failure = start(context, { psk, security: { ...NO_SECURITY, pskFile } });
    await assert.rejects(failure, (error) => error instanceof SecurityError && words.test(error.message));
  }
  const none = start(context, tls({ certFile: join(folder, "none.pem") }));
  const words =
    /^Cannot listen on 127\.0\.0\.1:0: Unable to load server certificate ".*none\.pem"\. Check certfile: ENOENT/;
  await assert.rejects(none, (error) => error instanceof ListenError && words.test(error.message));
  const path = { unixPath: join(folder, "none", "x.sock"), port: 0 };
  await assert.rejects(start(context, path), /Cannot listen on .*x\.sock: its folder is not there/);
});

test("each kind of listener is told of in mosquitto's words", async (context) => {
  const unixPath = join(folder, "here.sock");
  const { port, logOf } = await start(context, {}, { unixPath }, { protocol: "websockets" });
  for (const line of [`Opening ipv4 listen socket on port ${port}.`, `Opening unix listen socket on path ${unixPath}.`])
    assert.ok(logOf().includes(line), logOf());
});
