// V18: client certificates that must not open anything, over TCP and over WebSocket, with both versions of TLS; names in them that are no
// names; and renegotiation. None is ever accepted, and no CONNECT of theirs is read.
import assert from "node:assert/strict";
import { createPrivateKey, sign, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { connect, type NodeTransportOptions } from "../../src/client/index.ts";
import { derValueAt, derValues } from "../../src/transport/der.ts";
import { findPeer } from "../support/peers.ts";
import { Certificates } from "../transport/certificates.ts";
import { type ConfiguredBroker, startConfigured } from "./configured-broker.ts";

const SKIP = findPeer("openssl") === undefined ? "openssl is not installed" : false;
const folder = mkdtempSync(join(tmpdir(), "lacewing certificates-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const PLACEHOLDER = "PLACEHOLDER";
/**
 * Names of certificates that are none, by what is in place of the placeholder; as long as that. What is not UTF-8 cannot come: OpenSSL
 * takes no such certificate, on either side.
 */
const NO_NAMES: Readonly<Record<string, Buffer>> = {
  "with-nul": Buffer.from("admin\0xxxxx"),
  "nul-first": Buffer.from("\0admin\0\0\0\0\0"),
};
const NOT_UTF8 = Buffer.from("admin\xff\xfe\xff\xff\xff\xff", "latin1");
const REFUSED = ["expired", "future", "revoked", "stranger-client", "self-signed", "server-only"] as const;

if (SKIP === false) {
  const made = new Certificates(folder);
  made.make("server", { usage: "serverAuth", names: "DNS:localhost,IP:127.0.0.1" });
  made.make("good");
  made.make("revoked");
  made.make("expired", { from: "20200101000000Z", until: "20210101000000Z" });
  made.make("future", { from: "20900101000000Z", until: "20910101000000Z" });
  made.make("stranger-client", { ca: "stranger" });
  made.make("server-only", { usage: "serverAuth" });
  made.makeSelfSigned("self-signed");
  made.make("nameless", { subject: `/O=Tests/CN=${PLACEHOLDER}` });
  made.revoke("crl.pem", ["revoked"]);
  for (const [name, bytes] of Object.entries({ ...NO_NAMES, "not-utf-8": NOT_UTF8 }))
    writeFileSync(made.path(`${name}.pem`), renamed(made, bytes));
}

/** The nameless certificate with another name in it, signed anew by its CA: openssl itself would refuse to write such a one. */
function renamed(made: Certificates, name: Buffer): string {
  const { raw } = new X509Certificate(made.read("nameless.pem"));
  const [body, algorithm] = derValues(derValueAt(raw).content);
  assert.ok(body !== undefined && algorithm !== undefined);
  const patched = Buffer.from(body.whole);
  const at = patched.indexOf(PLACEHOLDER);
  assert.ok(at > 0 && name.length === PLACEHOLDER.length);
  name.copy(patched, at);
  const signature = sign("sha256", patched, createPrivateKey(made.read("signing.key")));
  const bits = Buffer.concat([Buffer.from([0x03, signature.length + 1, 0]), signature]);
  const content = Buffer.concat([patched, algorithm.whole, bits]);
  const der = Buffer.concat([Buffer.from([0x30, 0x82, content.length >> 8, content.length & 255]), content]);
  return `-----BEGIN CERTIFICATE-----\n${der.toString("base64")}\n-----END CERTIFICATE-----\n`;
}

const WAYS = ["mqtts", "wss"] as const;
const VERSIONS = ["TLSv1.2", "TLSv1.3"] as const;

function start(
  context: TestContext,
  way: (typeof WAYS)[number],
  more: readonly string[] = [],
): Promise<ConfiguredBroker> {
  const at = (name: string): string => join(folder, name);
  const files = [`certfile ${at("server-chain.pem")}`, `keyfile ${at("server.key")}`, `cafile ${at("cas.pem")}`];
  const protocol = way === "wss" ? ["protocol websockets"] : [];
  return startConfigured(context, [...protocol, ...files, "require_certificate true", "allow_anonymous true", ...more]);
}

function withCertificate(name: string | null, version: (typeof VERSIONS)[number]): NodeTransportOptions {
  const own =
    name === null
      ? {}
      : { certFile: join(folder, `${name}.pem`), keyFile: join(folder, `${name in NO_NAMES ? "nameless" : name}.key`) };
  return { tls: { caFile: join(folder, "root.pem"), minimumVersion: version, maximumVersion: version, ...own } };
}

function urlOf(way: string, { address }: ConfiguredBroker): string {
  return `${way}://127.0.0.1:${address.port}`;
}

for (const way of WAYS) {
  for (const version of VERSIONS) {
    test(`${way}, ${version}: 0 of ${REFUSED.length + 1} that must not come in do`, { skip: SKIP }, async (context) => {
      const broker = await start(context, way, [`crlfile ${join(folder, "crl.pem")}`]);
      for (const name of [null, ...REFUSED])
        await assert.rejects(connect(urlOf(way, broker), withCertificate(name, version)), Error, name ?? "none");
      const { counters } = broker.server.broker;
      assert.deepEqual([counters.connectionsOpened, counters.connectsReceived], [0, 0]);
      await using client = await connect(urlOf(way, broker), withCertificate("good", version));
      await client.publish("t", "x", { qos: 1 });
    });
  }

  test(`${way}: a name with a NUL in it, or that is not UTF-8, is nobody's`, { skip: SKIP }, async (context) => {
    const broker = await start(context, way, ["use_identity_as_username true", `crlfile ${join(folder, "crl.pem")}`]);
    for (const name of Object.keys(NO_NAMES)) {
      await assert.rejects(connect(urlOf(way, broker), withCertificate(name, "TLSv1.3")), Error, name);
      assert.match(broker.log, /its certificate has no usable name/);
    }
    const own = withCertificate("with-nul", "TLSv1.3").tls;
    const notUtf8 = { tls: { ...own, certFile: join(folder, "not-utf-8.pem") } };
    await assert.rejects(connect(urlOf(way, broker), notUtf8), /invalid utf8string/);
    const { counters } = broker.server.broker;
    // They came as far as their CONNECT: the certificates themselves are good.
    assert.deepEqual(
      [counters.connectsReceived, broker.server.broker.connectedClients],
      [Object.keys(NO_NAMES).length, 0],
    );
    assert.doesNotMatch(broker.log, /u'admin/);
    await using client = await connect(urlOf(way, broker), withCertificate("good", "TLSv1.3"));
    await client.publish("t", "x", { qos: 1 });
    assert.match(broker.log, /u'good'/);
  });

  test(`${way}: renegotiation is refused`, { skip: SKIP }, async (context) => {
    const broker = await start(context, way);
    const { certFile, keyFile } = withCertificate("good", "TLSv1.2").tls ?? {};
    const socket = connectTls({
      ...broker.address,
      rejectUnauthorized: false,
      maxVersion: "TLSv1.2",
      cert: readFileSync(certFile ?? ""),
      key: readFileSync(keyFile ?? ""),
    });
    socket.on("error", () => {});
    await once(socket, "secureConnect");
    const isRefused = await new Promise((resolve) => {
      socket.renegotiate({}, (error) => resolve(error !== null));
      socket.once("close", () => resolve(true));
    });
    assert.equal(isRefused, true);
    socket.destroy();
  });
}
