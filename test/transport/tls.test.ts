// TLS at our listeners: every certificate that must be refused, by both versions, what the authenticator is told, renewal, SNI, PSK.
import assert from "node:assert/strict";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { after, type TestContext, test } from "node:test";
import { type ConnectionOptions, connect as connectTls, TLSSocket } from "node:tls";
import { type ClientError, connect, MqttClient, type NodeTransportOptions } from "../../src/client/index.ts";
import type { ServerTlsOptions } from "../../src/transport/index.ts";
import { findPeer } from "../support/peers.ts";
import { Certificates } from "./certificates.ts";
import { ListenerRig, untilClosed } from "./listener-rig.ts";

/** A record of TLS that nobody can decipher. */
const NONSENSE = Buffer.concat([Buffer.of(23, 3, 3, 0, 32), Buffer.alloc(32)]);

const VERSIONS = ["TLSv1.2", "TLSv1.3"] as const;
const SKIP = findPeer("openssl") === undefined ? "openssl is not installed" : false;

const folder = mkdtempSync(join(tmpdir(), "lacewing certificates-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const made = SKIP === false ? new Certificates(folder) : null;

function certificates(): Certificates {
  if (made === null) throw new Error("openssl is not installed");
  return made;
}

if (made !== null) {
  made.make("server", { usage: "serverAuth", names: "DNS:localhost,IP:127.0.0.1" });
  made.make("other", { usage: "serverAuth", names: "DNS:other.example,DNS:*.wild.example" });
  made.make("device-7", { subject: "/C=GB/O=Ä, Ltd/OU=Production/CN=gerät-7" });
  made.make("revoked");
  made.make("expired", { from: "20200101000000Z", until: "20210101000000Z" });
  made.make("future", { from: "20900101000000Z", until: "20910101000000Z" });
  made.make("expired-and-revoked", { from: "20200101000000Z", until: "20210101000000Z" });
  made.make("stranger-client", { ca: "stranger" });
  made.make("expired-stranger", { ca: "stranger", from: "20200101000000Z", until: "20210101000000Z" });
  made.make("server-only", { usage: "serverAuth" });
  made.make("nul", { subject: "/O=Tests" });
  made.makeSelfSigned("self-signed");
  made.revoke("crl.pem", ["revoked", "expired-and-revoked"]);
  made.revoke("old-crl.pem", [], "signing", 0);
  made.revoke("stranger-crl.pem", [], "stranger");
}

function serverTls(more: Partial<ServerTlsOptions> = {}): ServerTlsOptions {
  const at = (name: string): string => certificates().path(name);
  return { certificates: [{ certFile: at("server-chain.pem"), keyFile: at("server.key") }], ...more };
}

function mutualTls(more: Partial<ServerTlsOptions> = {}): ServerTlsOptions {
  return serverTls({ caFile: certificates().path("cas.pem"), requireCertificate: true, ...more });
}

function trust(more: NodeTransportOptions["tls"] = {}): NodeTransportOptions {
  return { tls: { caFile: certificates().path("root.pem"), ...more } };
}

function withCertificate(name: string, file: string = `${name}.pem`): NonNullable<NodeTransportOptions["tls"]> {
  return { certFile: certificates().path(file), keyFile: certificates().path(`${name}.key`) };
}

async function works(port: number, options: NodeTransportOptions): Promise<void> {
  await using client = await connect<string>(`mqtts://127.0.0.1:${port}`, { version: 5, ...options });
  const subscription = client.subscribe("t", { qos: 1 });
  await subscription.granted;
  const payload = Buffer.alloc(100_000, 7);
  await client.publish("t", payload, { qos: 1 });
  for await (const message of subscription) {
    assert.deepEqual(Buffer.from(message.payload), payload);
    break;
  }
}

async function failure(port: number, options: NodeTransportOptions): Promise<ClientError> {
  const client = new MqttClient(`mqtts://127.0.0.1:${port}`, { reconnect: false, ...options });
  const error = await client.closed;
  assert.ok(error !== null);
  return error;
}

function tlsTest(name: string, body: (context: TestContext) => Promise<void>): void {
  test(name, { skip: SKIP }, body);
}

/** A TLS connection that says no MQTT. */
async function secured(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false, ...options });
  socket.on("error", () => {});
  await once(socket, "secureConnect");
  return socket;
}

/** The error that a TLS connection ends with. */
async function alertOf(
  port: number,
  options: ConnectionOptions = {},
  onSecure: (socket: TLSSocket) => void = () => {},
): Promise<string | undefined> {
  const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false, ...options }).resume();
  socket.once("secureConnect", () => onSecure(socket));
  return new Promise((resolve) => {
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code));
    socket.on("close", () => resolve(undefined));
  });
}

function ownPair(name: string): ConnectionOptions {
  return { cert: certificates().read(`${name}.pem`), key: certificates().read(`${name}.key`) };
}

/** Has Node do as before 20.20: it listens to no error of a server's TLSSocket once the handshake is over. */
function forgetErrorsOf(context: TestContext): void {
  const inner = TLSSocket.prototype as unknown as { _releaseControl(this: TLSSocket): boolean };
  const release = inner._releaseControl;
  context.mock.method(inner, "_releaseControl", function (this: TLSSocket) {
    this.removeAllListeners("error");
    return release.call(this);
  });
}

for (const version of VERSIONS) {
  tlsTest(`${version}: messages go both ways, and nothing is known of the client`, async (context) => {
    const rig = new ListenerRig(context);
    const { port } = await rig.listen({ tls: serverTls() });
    await works(port, trust({ minimumVersion: version, maximumVersion: version }));
    const { cipher, ...peer } = rig.applicants[0]!.peer;
    assert.deepEqual(peer, { isEncrypted: true, certificate: null, pskIdentity: null });
    assert.equal(cipher?.version, version);
    await rig.logged(new RegExp(`^Client \\S+ negotiated ${version} cipher ${cipher.name}$`, "m"));
    assert.equal(rig.applicants[0]?.localPort, port);
    assert.match(rig.log, new RegExp(`New connection from 127\\.0\\.0\\.1:\\d+ on port ${port}\\.`));
  });

  tlsTest(`${version}: a client's certificate becomes its identity`, async (context) => {
    const rig = new ListenerRig(context);
    const { port } = await rig.listen({ tls: mutualTls() });
    await works(port, trust({ ...withCertificate("device-7"), minimumVersion: version, maximumVersion: version }));
    const certificate = rig.applicants[0]?.peer.certificate;
    assert.equal(certificate?.subject, "CN=ger\\C3\\A4t-7,OU=Production,O=\\C3\\84\\, Ltd,C=GB");
    assert.equal(certificate?.commonName, "gerät-7");
    assert.equal(certificate?.issuer, "CN=signing CA,O=Tests");
    assert.match(certificate?.serialNumber ?? "", /^[0-9A-F]+$/);
    assert.match(certificate?.fingerprint ?? "", /^[0-9A-F]{64}$/);
    assert.ok((certificate?.endsAtMs ?? 0) > Date.now());
  });

  tlsTest(`${version}: client certificates that are refused, and why`, async (context) => {
    const rig = new ListenerRig(context);
    const { port } = await rig.listen({ tls: mutualTls({ crlFile: certificates().path("crl.pem") }) });
    for (const [name, words] of [
      [null, "peer did not return a certificate"],
      ["expired", "certificate verify failed: certificate has expired"],
      ["future", "certificate verify failed: certificate is not yet valid"],
      ["revoked", "certificate verify failed: certificate revoked"],
      ["stranger-client", "certificate verify failed: unable to"],
      ["self-signed", "certificate verify failed: self-signed certificate"],
      ["server-only", "certificate verify failed: unsupported certificate purpose"],
    ] as const) {
      rig.clearLog();
      const own = name === null ? {} : withCertificate(name);
      const error = await failure(port, trust({ ...own, minimumVersion: version, maximumVersion: version }));
      // In 1.3 a client is done before the server has looked at its certificate.
      assert.ok([7, 8].includes(error.rc), `${name}: ${error.rc}`);
      const [line] = await rig.logged(/OpenSSL Error.*/);
      assert.ok(line.includes(words), line);
      await rig.logged(/Client <unknown> \[127\.0\.0\.1:\d+\] disconnected: \S.*\./);
    }
    assert.equal(rig.applicants.length, 0);
    await works(port, trust({ ...withCertificate("device-7"), minimumVersion: version, maximumVersion: version }));
  });
}

for (const suite of ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]) {
  tlsTest(`${suite}: the client hears why its certificate is refused`, async (context) => {
    const rig = new ListenerRig(context);
    const { port } = await rig.listen({ tls: mutualTls({ crlFile: certificates().path("crl.pem") }) });
    for (const [name, alert] of [
      ["expired", "SSLV3_ALERT_CERTIFICATE_EXPIRED"],
      ["future", "SSLV3_ALERT_BAD_CERTIFICATE"],
      ["revoked", "SSLV3_ALERT_CERTIFICATE_REVOKED"],
      ["stranger-client", "TLSV1_ALERT_UNKNOWN_CA"],
      ["server-only", "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE"],
      [null, "TLSV13_ALERT_CERTIFICATE_REQUIRED"],
    ] as const)
      assert.equal(
        await alertOf(port, { ciphers: suite, ...(name !== null && ownPair(name)) }),
        `ERR_SSL_${alert}`,
        name ?? "none",
      );
  });
}

tlsTest("a client without a certificate hears so where dates do not count, too", async (context) => {
  const rig = new ListenerRig(context);
  const { port } = await rig.listen({ tls: mutualTls({ ignoreCertificateDates: true }) });
  assert.equal(await alertOf(port), "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED");
});

tlsTest("who resumes a session hears as well that the certificate has ended meanwhile", async (context) => {
  const rig = new ListenerRig(context);
  const { port } = await rig.listen({ tls: mutualTls() });
  const first = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false, ...ownPair("device-7") });
  const [session] = (await once(first, "session")) as [Buffer];
  first.destroy();
  context.mock.timers.enable({ apis: ["Date"], now: Date.now() + 1000 * 86_400_000 });
  let isResumed = false;
  const alert = await alertOf(port, { ...ownPair("device-7"), session }, (socket) => {
    isResumed = socket.isSessionReused();
  });
  assert.deepEqual([isResumed, alert], [true, "ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED"]);
});

tlsTest("who was refused is refused again with the session that was begun then", async (context) => {
  const rig = new ListenerRig(context);
  const { port } = await rig.listen({ tls: mutualTls({ crlFile: certificates().path("crl.pem") }) });
  for (const [name, alert] of [
    ["expired", "SSLV3_ALERT_CERTIFICATE_EXPIRED"],
    ["revoked", "SSLV3_ALERT_CERTIFICATE_REVOKED"],
    ["stranger-client", "TLSV1_ALERT_UNKNOWN_CA"],
  ] as const) {
    const sessions: Buffer[] = [];
    const keep = (socket: TLSSocket): void => void socket.on("session", (session: Buffer) => sessions.push(session));
    assert.equal(await alertOf(port, ownPair(name), keep), `ERR_SSL_${alert}`);
    assert.equal(sessions.length, 2, name);
    let isResumed = false;
    const again = await alertOf(port, { ...ownPair(name), session: sessions[0] }, (socket) => {
      isResumed = socket.isSessionReused();
    });
    assert.deepEqual([isResumed, again], [true, `ERR_SSL_${alert}`], name);
  }
  assert.equal(rig.applicants.length, 0);
});

tlsTest("a client whose CA is sent along, or is missing", async (context) => {
  const rig = new ListenerRig(context);
  const { port } = await rig.listen({ tls: mutualTls({ caFile: certificates().path("root.pem") }) });
  await works(port, trust(withCertificate("device-7", "device-7-chain.pem")));
  await failure(port, trust(withCertificate("device-7")));
  await rig.logged(/OpenSSL Error.*unable to (get local issuer|verify the first) certificate/);
});

tlsTest("without a CA no certificate is trusted, not even one that the system trusts", async (context) => {
  const rig = new ListenerRig(context);
  const { port } = await rig.listen({ tls: serverTls({ requireCertificate: true }) });
  await failure(port, trust(withCertificate("device-7")));
  await rig.logged(/OpenSSL Error.*certificate/);
  assert.equal(rig.applicants.length, 0);
});

tlsTest("a folder of CAs does as a file of them", async (context) => {
  const rig = new ListenerRig(context);
  const caPath = mkdtempSync(join(folder, "capath"));
  for (const name of ["root.pem", "signing.pem"]) copyFileSync(certificates().path(name), join(caPath, name));
  copyFileSync(certificates().path("root.pem"), join(caPath, "0123abcd.0"));
  const { port } = await rig.listen({ tls: serverTls({ caPath, requireCertificate: true }) });
  await works(port, trust(withCertificate("device-7")));
});

tlsTest("dates do not count when asked, and everything else still does", async (context) => {
  const rig = new ListenerRig(context);
  const crlFile = certificates().path("crl.pem");
  const { port } = await rig.listen({ tls: mutualTls({ ignoreCertificateDates: true, crlFile }) });
  for (const name of ["device-7", "expired", "future"]) await works(port, trust(withCertificate(name)));
  const admitted = rig.applicants.length;
  // OpenSSL says only "expired" of the first two.
  for (const name of ["expired-and-revoked", "expired-stranger", "stranger-client", "revoked", "self-signed"])
    await failure(port, trust(withCertificate(name)));
  await failure(port, trust());
  assert.equal(rig.applicants.length, admitted);
});

tlsTest("a revocation list that is not in force, or of another CA, lets nobody in", async (context) => {
  const rig = new ListenerRig(context);
  const { port } = await rig.listen({ tls: mutualTls({ crlFile: certificates().path("old-crl.pem") }) });
  await failure(port, trust(withCertificate("device-7")));
  await rig.logged(/CRL has expired/);
  await assert.rejects(
    rig.listen({ tls: mutualTls({ crlFile: certificates().path("stranger-crl.pem") }) }),
    /Check crlfile: the CA that signed it is not in cafile/,
  );
});

tlsTest("a certificate without a CN has none", async (context) => {
  const rig = new ListenerRig(context);
  const { port } = await rig.listen({ tls: mutualTls() });
  await works(port, trust(withCertificate("nul")));
  assert.equal(rig.applicants[0]?.peer.certificate?.commonName, null);
  assert.equal(rig.applicants[0]?.peer.certificate?.subject, "O=Tests");
});

tlsTest("several certificates, by the name that is asked for", async (context) => {
  const rig = new ListenerRig(context);
  const at = (name: string): string => certificates().path(name);
  const other = { certFile: at("other-chain.pem"), keyFile: at("other.key") };
  const named = { certFile: at("device-7.pem"), keyFile: at("device-7.key"), serverName: "*.named.example" };
  const { port } = await rig.listen({ tls: serverTls({ certificates: [...serverTls().certificates, other, named] }) });
  for (const [servername, expected] of [
    ["localhost", "server"],
    ["other.example", "other"],
    ["a.wild.example", "other"],
    ["a.b.named.example", "server"],
    ["a.named.example", "device-7"],
    ["unknown.example", "server"],
    [undefined, "server"],
  ] as const) {
    const socket = await secured(port, { ...(servername !== undefined && { servername }) });
    assert.equal(String(socket.getPeerCertificate().subject.CN).replace("gerät", "device"), expected, servername);
    socket.destroy();
  }
});

tlsTest("versions, ciphers and ALPN as set", async (context) => {
  const rig = new ListenerRig(context);
  const { port } = await rig.listen({
    tls: serverTls({ minimumVersion: "TLSv1.3", ciphersTls13: "TLS_CHACHA20_POLY1305_SHA256" }),
  });
  const socket = await secured(port);
  assert.deepEqual([socket.getProtocol(), socket.getCipher().name], ["TLSv1.3", "TLS_CHACHA20_POLY1305_SHA256"]);
  socket.destroy();
  assert.equal((await failure(port, trust({ maximumVersion: "TLSv1.2" }))).rc, 8);
  await rig.logged(/OpenSSL Error\[0\]: error:0A000102:SSL routines::unsupported protocol/);

  const ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384";
  const old = await rig.listen({ tls: serverTls({ ciphers, alpnProtocols: ["mqtt"] }) });
  const second = await secured(old.port, { maxVersion: "TLSv1.2", ALPNProtocols: ["h2", "mqtt"] });
  assert.deepEqual([second.getCipher().name, second.alpnProtocol], [ciphers, "mqtt"]);
  second.destroy();
  assert.equal((await failure(old.port, trust({ alpnProtocols: ["h2"] }))).rc, 8);
  assert.equal((await failure(old.port, trust({ maximumVersion: "TLSv1.2", ciphers: "AES128-SHA" }))).rc, 8);
});

tlsTest("a key that both sides know, by its name; a wrong one or name is refused", async (context) => {
  const rig = new ListenerRig(context);
  const key = Buffer.from("00112233445566778899aabbccddeeff", "hex");
  const psk = { hint: "lacewing", keyOf: (identity: string) => (identity === "device" ? key : null) };
  const { port } = await rig.listen({ tls: { certificates: [], psk } });
  await works(port, { tls: { psk: { identity: "device", key } } });
  assert.equal(rig.applicants[0]?.peer.pskIdentity, "device");
  for (const wrong of [
    { identity: "device", key: Buffer.alloc(16, 1) },
    { identity: "nobody", key },
  ]) {
    rig.clearLog();
    assert.equal((await failure(port, { tls: { psk: wrong } })).rc, 8);
    await rig.logged(/OpenSSL Error/);
  }
  assert.equal(rig.applicants.length, 1);
  // Beside certificates.
  const both = await rig.listen({ tls: serverTls({ psk }) });
  await works(both.port, { tls: { psk: { identity: "device", key } } });
  await works(both.port, trust());
  assert.deepEqual(
    rig.applicants.slice(1).map(({ peer }) => peer.pskIdentity),
    ["device", null],
  );
});

tlsTest("other files take effect for new connections, and broken ones change nothing", async (context) => {
  const rig = new ListenerRig(context);
  const at = (name: string): string => certificates().path(name);
  copyFileSync(at("server-chain.pem"), at("live.pem"));
  copyFileSync(at("server.key"), at("live.key"));
  copyFileSync(at("crl.pem"), at("live-crl.pem"));
  const live = [{ certFile: at("live.pem"), keyFile: at("live.key") }];
  const listener = await rig.listen({ tls: mutualTls({ certificates: live, crlFile: at("live-crl.pem") }) });
  const { port } = listener;
  await using before = await connect(`mqtts://127.0.0.1:${port}`, trust(withCertificate("device-7")));
  assert.equal(await listener.hasChanged(), false);

  copyFileSync(at("other-chain.pem"), at("live.pem"));
  assert.equal(await listener.hasChanged(), true);
  await assert.rejects(listener.prepareReload(), /"[^"]*live\.key" is not the key of "[^"]*live\.pem"/);
  await works(port, trust(withCertificate("device-7")));

  copyFileSync(at("other.key"), at("live.key"));
  certificates().make("short-lived");
  certificates().revoke("live-crl.pem", ["short-lived"]);
  await works(port, trust(withCertificate("short-lived")));
  (await listener.prepareReload())();
  const socket = await secured(port, {
    servername: "localhost",
    cert: readFileSync(at("device-7.pem")),
    key: readFileSync(at("device-7.key")),
  });
  assert.equal(socket.getPeerCertificate().subject.CN, "other");
  socket.destroy();
  const serverName = "other.example";
  assert.ok([7, 8].includes((await failure(port, trust({ ...withCertificate("short-lived"), serverName }))).rc));
  await rig.logged(/certificate revoked/);
  await before.publish("t", "still here", { qos: 1 });
  assert.equal(listener.certificates[0]?.subject.includes("CN=other"), true);
});

tlsTest("files that cannot be used are named, with the option", async (context) => {
  const rig = new ListenerRig(context);
  const at = (name: string): string => certificates().path(name);
  const pair = { certFile: at("server.pem"), keyFile: at("server.key") };
  for (const [tls, words] of [
    [
      { certificates: [{ ...pair, certFile: at("none.pem") }] },
      /Unable to load server certificate ".*none\.pem"\. Check certfile: ENOENT/,
    ],
    [{ certificates: [{ ...pair, keyFile: at("server.pem") }] }, /Unable to load server key file ".*"\. Check keyfile/],
    [{ certificates: [{ ...pair, keyFile: at("other.key") }] }, /Server certificate\/key are inconsistent/],
    [{ certificates: [pair], caFile: at("server.key") }, /Check cafile ".*server\.key": there is no certificate/],
    [{ certificates: [pair], caPath: at("none") }, /Check capath ".*none": ENOENT/],
    [{ certificates: [pair], crlFile: at("server.pem") }, /Check crlfile: there is no revocation list/],
    [{ certificates: [pair], ciphers: "NO-SUCH" }, /ciphers "NO-SUCH"/],
    [
      { certificates: [pair], ciphersTls13: "TLS_AES_128_GCM_SHA256:NO-SUCH" },
      /Check ciphers_tls1\.3 ".*": there is no "NO-SUCH" among TLS_AES_256_GCM_SHA384/,
    ],
    [{ certificates: [pair], dhParameterFile: at("none.pem") }, /Check dhparamfile: ENOENT/],
    [{ certificates: [] }, /TLS needs certfile and keyfile, or psk_hint/],
    [{ certificates: [], minimumVersion: "TLSv1.3", psk: { hint: "", keyOf: () => null } }, /psk_hint needs TLS 1\.2/],
  ] as const) {
    await assert.rejects(rig.listen({ tls }), words);
  }
});

tlsTest("who is slow, silent, gone or says something else is told of with its address", async (context) => {
  const rig = new ListenerRig(context, { connectTimeoutMs: 300 });
  const { port } = await rig.listen({ tls: serverTls() });
  const plain = connectTcp(port, "127.0.0.1");
  plain.write(Buffer.from("100e00044d5154540402003c000161", "hex"));
  await once(plain, "connect");
  const address = `127.0.0.1:${plain.localPort}`;
  await untilClosed(plain);
  await rig.logged(new RegExp(`New connection from ${address} on port ${port}\\.`));
  await rig.logged(
    new RegExp(`OpenSSL Error\\[0\\]: error:0A00010B:SSL routines::wrong version number \\[${address}\\]`),
  );
  await rig.logged(
    new RegExp(`Client <unknown> \\[${address}\\] disconnected: bad socket read/write: A TLS error occurred\\.`),
  );

  const silent = connectTcp(port, "127.0.0.1");
  await untilClosed(silent);
  await rig.logged(/no complete TLS handshake within the connect timeout/);

  const gone = connectTcp(port, "127.0.0.1");
  await once(gone, "connect");
  gone.write("\x16\x03\x01");
  gone.end();
  await rig.logged(/the client closed the connection during the TLS handshake/);

  // The handshake is done, and then nothing comes.
  const mute = await secured(port);
  await untilClosed(mute);
  await rig.logged(/no complete CONNECT within the connect timeout/);
});

tlsTest("a handshake that comes byte by byte", async (context) => {
  const rig = new ListenerRig(context);
  const { port } = await rig.listen({ tls: serverTls() });
  const { createServer } = await import("node:net");
  const slow = createServer((client) => {
    const up = connectTcp({ port, host: "127.0.0.1", noDelay: true });
    client.on("data", (chunk) => {
      for (const byte of chunk) up.write(Buffer.of(byte));
    });
    client.on("error", () => up.destroy()).on("close", () => up.destroy());
    up.on("error", () => client.destroy()).pipe(client);
  });
  slow.listen(0, "127.0.0.1");
  await once(slow, "listening");
  context.after(() => slow.close());
  await works((slow.address() as { port: number }).port, trust());
});

tlsTest("whoever sends nonsense behind a certificate that is refused ends only its own connection", async (context) => {
  forgetErrorsOf(context);
  const rig = new ListenerRig(context);
  const { port } = await rig.listen({ tls: mutualTls() });
  const below = connectTcp(port, "127.0.0.1");
  let writes = 0;
  const spoiled = new Duplex({
    read: () => {},
    write(chunk: Buffer, _encoding, done) {
      // All but the first flight, which is in the clear.
      below.write(writes++ === 0 ? chunk : Buffer.concat([chunk, NONSENSE]));
      done();
    },
    destroy(_error, done) {
      below.destroy();
      done(null);
    },
  });
  below.on("data", (chunk) => spoiled.push(chunk)).on("close", () => spoiled.destroy());
  const client = connectTls({ socket: spoiled, rejectUnauthorized: false, ...ownPair("self-signed") });
  await new Promise((resolve) => client.on("error", resolve).on("close", resolve).resume());
  await rig.logged(/certificate verify failed: self-signed certificate/);
  await works(port, trust(withCertificate("device-7")));
});
