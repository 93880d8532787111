// TLS, pre-shared keys, plugins and rules.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { encodePacket } from "../../../src/protocol/index.ts";
import { ROOT } from "../../support/repository.ts";
import { connectOf } from "../../support/test-client.ts";
import { Certificates } from "../../transport/certificates.ts";
import type { OptionBroker, OptionRun } from "../option-run.ts";

const FIXTURES = join(ROOT, "test/fixtures/tls");

function fixture(name: string): Buffer {
  return readFileSync(join(FIXTURES, name));
}

function identity(name: string): ConnectionOptions {
  return { cert: fixture(name), key: fixture("leaf.key") };
}

/** The CONNACK of a client over TLS, or how it failed; `look` sees the connection. */
async function overTls(
  { ports }: OptionBroker,
  at: string,
  options: ConnectionOptions = {},
  look: (socket: TLSSocket) => void = () => {},
): Promise<string> {
  const ca = fixture("ca.pem");
  const socket = connect({ host: "127.0.0.1", port: ports[at] ?? 0, servername: "localhost", ca, ...options });
  socket.on("error", () => {});
  socket.on("secureConnect", () => look(socket));
  socket.write(encodePacket(connectOf(4, `by ${at}`), 4));
  const answer = await Promise.race([
    once(socket, "data").then(([bytes]) => (bytes as Buffer).toString("hex")),
    once(socket, "close").then(() => "closed"),
  ]).catch((error: Error) => error.message);
  socket.destroy();
  return answer;
}

const WELCOME = "20020000";
const SERVER = [`certfile ${FIXTURES}/server.pem`, `keyfile ${FIXTURES}/leaf.key`];
const KEY = Buffer.from("0123456789abcdef", "hex");

export const TLS: OptionRun = {
  title: "TLS",
  lines: [
    "allow_anonymous true",
    "psk_file FOLDER/psk",
    "listener @modern 127.0.0.1",
    ...SERVER,
    "tls_version tlsv1.3",
    "ciphers_tls1.3 TLS_AES_128_GCM_SHA256",
    "dhparamfile FOLDER/psk",
    "tls_keyform pem",
    "lacewing_alpn mqtt",
    `lacewing_sni_certificate elsewhere.example "${FIXTURES}/misnamed.pem" "${FIXTURES}/leaf.key"`,
    "listener @older 127.0.0.1",
    ...SERVER,
    "ciphers ECDHE-ECDSA-AES256-GCM-SHA384",
    "listener @named 127.0.0.1",
    ...SERVER,
    `cafile ${FIXTURES}/ca.pem`,
    "require_certificate true",
    "use_identity_as_username true",
    "listener @subject 127.0.0.1",
    ...SERVER,
    "capath FOLDER/cas",
    "require_certificate true",
    "use_subject_as_username true",
    "listener @undated 127.0.0.1",
    ...SERVER,
    `cafile ${FIXTURES}/ca.pem`,
    "require_certificate true",
    "disable_client_cert_date_checks true",
    "listener @revoked 127.0.0.1",
    ...SERVER,
    "cafile FOLDER/made/cas.pem",
    "crlfile FOLDER/made/revoked.crl",
    "require_certificate true",
    "listener @shared 127.0.0.1",
    "psk_hint which key",
  ],
  files: { psk: `device:${KEY.toString("hex")}\n`, "cas/ca.pem": fixture("ca.pem").toString() },
  checks: {
    certfile: async (broker) => {
      assert.equal(await overTls(broker, "older"), WELCOME);
      assert.match(await overTls(broker, "older", { ca: fixture("stranger.pem") }), /closed|certificate/);
    },
    keyfile: async (broker) => {
      let common = "";
      await overTls(broker, "older", {}, (socket) => {
        common = String(socket.getPeerCertificate().subject.CN);
      });
      assert.equal(common, "localhost");
    },
    tls_version: async (broker) => {
      assert.equal(await overTls(broker, "modern", { ALPNProtocols: ["mqtt"] }), WELCOME);
      assert.notEqual(await overTls(broker, "modern", { ALPNProtocols: ["mqtt"], maxVersion: "TLSv1.2" }), WELCOME);
    },
    "ciphers_tls1.3": async (broker) => {
      let name = "";
      await overTls(broker, "modern", { ALPNProtocols: ["mqtt"] }, (socket) => {
        name = socket.getCipher().name;
      });
      assert.equal(name, "TLS_AES_128_GCM_SHA256");
    },
    ciphers: async (broker) => {
      let name = "";
      await overTls(broker, "older", { maxVersion: "TLSv1.2" }, (socket) => {
        name = socket.getCipher().name;
      });
      assert.equal(name, "ECDHE-ECDSA-AES256-GCM-SHA384");
    },
    dhparamfile: async (broker) => assert.equal(await overTls(broker, "modern", { ALPNProtocols: ["mqtt"] }), WELCOME),
    tls_keyform: async (broker) => assert.equal(await overTls(broker, "modern", { ALPNProtocols: ["mqtt"] }), WELCOME),
    lacewing_alpn: async (broker) =>
      assert.notEqual(await overTls(broker, "modern", { ALPNProtocols: ["h2"] }), WELCOME),
    lacewing_sni_certificate: async (broker) => {
      const servername = "elsewhere.example";
      assert.equal(await overTls(broker, "modern", { servername, ALPNProtocols: ["mqtt"] }), WELCOME);
    },
    cafile: async (broker) => {
      assert.equal(await overTls(broker, "named", identity("client.pem")), WELCOME);
      assert.notEqual(await overTls(broker, "named", identity("stranger.pem")), WELCOME);
    },
    require_certificate: async (broker) => assert.notEqual(await overTls(broker, "named"), WELCOME),
    use_identity_as_username: async (broker) => {
      await overTls(broker, "named", identity("client.pem"));
      await broker.program().printed(/as by named \(.*u'device-7'\)/);
    },
    capath: async (broker) => {
      assert.equal(await overTls(broker, "subject", identity("client.pem")), WELCOME);
      assert.notEqual(await overTls(broker, "subject", identity("stranger.pem")), WELCOME);
    },
    use_subject_as_username: async (broker) => {
      await overTls(broker, "subject", identity("client.pem"));
      await broker.program().printed(/as by subject \(.*u'CN=device-7'\)/);
    },
    disable_client_cert_date_checks: async (broker) => {
      assert.equal(await overTls(broker, "undated", identity("expired.pem")), WELCOME);
      assert.notEqual(await overTls(broker, "named", identity("expired.pem")), WELCOME);
    },
    crlfile: async (broker) => {
      const made = (name: string): ConnectionOptions => ({
        cert: readFileSync(join(broker.folder, `made/${name}-chain.pem`)),
        key: readFileSync(join(broker.folder, `made/${name}.key`)),
      });
      assert.equal(await overTls(broker, "revoked", made("good")), WELCOME);
      assert.notEqual(await overTls(broker, "revoked", made("taken-back")), WELCOME);
    },
    psk_file: async (broker) => {
      const psk = (identityName: string): ConnectionOptions => ({
        ciphers: "PSK",
        maxVersion: "TLSv1.2",
        checkServerIdentity: () => undefined,
        pskCallback: () => ({ psk: KEY, identity: identityName }),
      });
      assert.equal(await overTls(broker, "shared", psk("device")), WELCOME);
      assert.notEqual(await overTls(broker, "shared", psk("stranger")), WELCOME);
    },
    psk_hint: async (broker) => {
      let hint: string | null = null;
      await overTls(broker, "shared", {
        ciphers: "PSK",
        maxVersion: "TLSv1.2",
        checkServerIdentity: () => undefined,
        pskCallback: (said: string | null) => {
          hint = said;
          return { psk: KEY, identity: "device" };
        },
      });
      assert.equal(hint, "which key");
    },
  },
  prepare: (folder) => {
    mkdirSync(join(folder, "made"));
    const certificates = new Certificates(join(folder, "made"));
    certificates.make("good");
    certificates.make("taken-back");
    certificates.revoke("revoked.crl", ["taken-back"]);
  },
};

/** Lets in who gives the password of its option, and nobody to write below "locked". */
const PLUGIN = `export default ({ options }) => ({
  authenticate: ({ password }) => (new TextDecoder().decode(password ?? new Uint8Array()) === options.get("password") ? true : null),
  mayPublish: (_, topicName) => (topicName.startsWith("locked") ? false : null),
});
`;

export const RULES: OptionRun = {
  title: "plugins and rules",
  lines: [
    "per_listener_settings true",
    "global_plugin FOLDER/plugin.mjs",
    "plugin_opt_password everywhere",
    "plugin_load second FOLDER/plugin.mjs",
    "plugin_opt_password second",
    "listener @main 127.0.0.1",
    "plugin FOLDER/plugin.mjs",
    "plugin_opt_password first",
    "auth_plugin_deny_special_chars true",
    "listener @two 127.0.0.1",
    "plugin_use second",
    "listener @ruled 127.0.0.1",
    "allow_anonymous true",
    "acl_file FOLDER/rules",
    "lacewing_acl_refuse_subscriptions true",
  ],
  files: { "plugin.mjs": PLUGIN, rules: "topic read open/#\n" },
  checks: {
    plugin: async ({ stage }) => {
      const good = await stage.connect("plugin", { username: "a", password: "first" });
      const bad = await stage.connect("no plugin", { username: "a", password: "second" });
      assert.deepEqual([good.transcript[0], bad.transcript[0]], ["CONNACK 0x00", "CONNACK 0x05"]);
    },
    global_plugin: async ({ stage }) => {
      for (const at of ["main", "two"]) {
        const client = await stage.connect(`global at ${at}`, { at, username: "a", password: "everywhere" });
        assert.equal(client.transcript[0], "CONNACK 0x00", at);
      }
    },
    plugin_load: async ({ stage }) => {
      const client = await stage.connect("loaded", { at: "two", username: "a", password: "second" });
      assert.equal(client.transcript[0], "CONNACK 0x00");
    },
    plugin_use: async ({ stage }) => {
      const client = await stage.connect("not used", { at: "two", username: "a", password: "first" });
      assert.equal(client.transcript[0], "CONNACK 0x05");
    },
    auth_plugin_deny_special_chars: async ({ stage }) => {
      const client = await stage.connect("special", { version: 5, username: "a+b", password: "first" });
      await client.publish("open/a", "x", { qos: 1 });
      assert.match(client.transcript.at(-1) ?? "", /0x87|closed/);
    },
    lacewing_acl_refuse_subscriptions: async ({ stage }) => {
      const client = await stage.connect("refused", { version: 5, at: "ruled" });
      await client.subscribe(["open/a", "shut/a"], { qos: 0 });
      assert.match(client.transcript[1] ?? "", /^SUBACK m1 0x00 0x87/);
    },
  },
};
