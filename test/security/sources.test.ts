// Tokens, SCRAM, a web service and plugins at a running broker: who comes in, with which rights, and that faults let nobody in.
import assert from "node:assert/strict";
import { createHash, createHmac, generateKeyPairSync, pbkdf2Sync, sign } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { MqttClient } from "../../src/client/index.ts";
import { DEFAULT_CONFIG } from "../../src/config/index.ts";
import {
  formatScramVerifier,
  NO_SECURITY,
  SecurityError,
  type SecurityPlugin,
  scramVerifier,
} from "../../src/security/index.ts";
import { startServer } from "../../src/server/index.ts";
import { temporaryFolder } from "../support/folder.ts";
import { WireClient } from "../support/wire-client.ts";

async function guardedBy(context: TestContext, ...plugins: readonly SecurityPlugin[]) {
  const listener = { ...DEFAULT_CONFIG.listeners[0]!, port: 0, allowAnonymous: false };
  const guarded = { ...listener, security: { ...NO_SECURITY, plugins } };
  const server = await startServer({ ...DEFAULT_CONFIG, listeners: [guarded] }, () => {});
  context.after(() => server.close());
  const to = { port: server.listeners[0]!.port, host: "127.0.0.1" };
  const code = (username: string | undefined, password: string): Promise<number> =>
    WireClient.reasonCode(to, "c", { ...(username !== undefined && { username }), password });
  return { to, code };
}

const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;
const SECRET = "a secret of more than sixteen bytes";

function hs256(claims: object, secret: string = SECRET, head: object = { alg: "HS256" }): string {
  const signed = `${base64url(head)}.${base64url(claims)}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

const JWT = {
  kind: "jwt",
  jwksFile: null,
  secretFile: null,
  publicKeyFile: null,
  issuer: null,
  audience: null,
  usernameClaim: "sub",
} as const;

test("a token lets in whom it names, and no token that is forged, late, early or another's", async (context) => {
  const folder = temporaryFolder(context, { secret: `${SECRET}\n` });
  const { code, to } = await guardedBy(context, {
    ...JWT,
    secretFile: join(folder, "secret"),
    issuer: "us",
    audience: "mqtt",
  });
  const claims = { sub: "alice", iss: "us", aud: ["x", "mqtt"], exp: inSeconds(600) };
  for (const username of [undefined, "", "alice"]) assert.equal(await code(username, hs256(claims)), 0);
  assert.equal(await code("alice", hs256({ ...claims, exp: inSeconds(-10) })), 0, "within the leeway");
  for (const [username, token] of [
    ["bob", hs256(claims)],
    ["alice", hs256({ ...claims, exp: inSeconds(-60) })],
    ["alice", hs256({ ...claims, exp: "never" })],
    ["alice", hs256({ ...claims, nbf: inSeconds(60) })],
    ["alice", hs256({ ...claims, iss: "them" })],
    ["alice", hs256({ ...claims, aud: "http" })],
    ["alice", hs256({ ...claims, sub: undefined })],
    ["alice", hs256({ ...claims, acl: { raed: ["#"] } })],
    ["alice", hs256(claims, "another secret of that length")],
    ["alice", hs256(claims, SECRET, { alg: "HS512" })],
    ["alice", hs256(claims, SECRET, { alg: "HS256", crit: ["x"] })],
    ["alice", `${base64url({ alg: "none" })}.${base64url(claims)}.`],
    ["alice", "password"],
    [undefined, ""],
  ] as const)
    assert.equal(await code(username, token), 0x87, token);
  const token = hs256({ ...claims, acl: { readwrite: ["own/%u/#"], deny: ["own/alice/x"] } });
  const client = await WireClient.connect(to, "c", { username: "alice", password: token });
  for (const [topic, denied] of [
    ["own/alice/y", false],
    ["own/alice/x", true],
    ["own/bob/y", true],
  ] as const) {
    await client.publish(topic, "x", { qos: 1 });
    assert.equal(client.lastReasonCode === 0x87, denied, topic);
  }
  await client.disconnect();
});

test("keys of a JWKS verify their own algorithms and no others", async (context) => {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const keys = [
    { ...rsa.publicKey.export({ format: "jwk" }), kid: "r" },
    { ...ec.publicKey.export({ format: "jwk" }), kid: "e" },
  ];
  const folder = temporaryFolder(context, { jwks: JSON.stringify({ keys }), bad: "{}" });
  const { code } = await guardedBy(context, { ...JWT, jwksFile: join(folder, "jwks") });
  const token = (alg: string, kid: string, key: Parameters<typeof sign>[2]): string => {
    const signed = `${base64url({ alg, kid })}.${base64url({ sub: "alice" })}`;
    return `${signed}.${sign("sha256", Buffer.from(signed), key).toString("base64url")}`;
  };
  const es = { key: ec.privateKey, dsaEncoding: "ieee-p1363" } as const;
  assert.equal(await code("alice", token("RS256", "r", rsa.privateKey)), 0);
  assert.equal(await code("alice", token("ES256", "e", es)), 0);
  assert.equal(await code("alice", token("ES256", "r", es)), 0x87);
  assert.equal(await code("alice", token("RS256", "e", rsa.privateKey)), 0x87);
  // The public key as a secret: the oldest trick against tokens.
  const pem = rsa.publicKey.export({ format: "pem", type: "spki" }).toString();
  assert.equal(await code("alice", hs256({ sub: "alice" }, pem, { alg: "HS256", kid: "r" })), 0x87);
  await assert.rejects(guardedBy(context, { ...JWT, jwksFile: join(folder, "bad") }), SecurityError);
});

test("SCRAM-SHA-256 with our own client: the right password, a wrong one, nobody's", async (context) => {
  const line = `alice:${formatScramVerifier(await scramVerifier("right", 4096))}\n`;
  const folder = temporaryFolder(context, { scram: line, broken: "alice:right\n" });
  const { to } = await guardedBy(context, { kind: "scram", file: join(folder, "scram") });
  const connect = async (username: string, password: string): Promise<boolean> => {
    let proof: Buffer = Buffer.alloc(0);
    const bare = `n=${username},r=clientnonce`;
    const client = new MqttClient(`mqtt://127.0.0.1:${to.port}`, {
      version: 5,
      clientId: "s",
      authentication: {
        method: "SCRAM-SHA-256",
        start: () => Buffer.from(`n,,${bare}`),
        answer: (challenge) => {
          const first = Buffer.from(challenge).toString();
          const [, nonce, salt, rounds] = /^r=(.*),s=(.*),i=(\d+)$/.exec(first)!;
          const salted = pbkdf2Sync(password, Buffer.from(salt!, "base64"), Number(rounds), 32, "sha256");
          const hmac = (key: Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
          const clientKey = hmac(salted, "Client Key");
          const storedKey = createHash("sha256").update(clientKey).digest();
          const withoutProof = `c=biws,r=${nonce}`;
          const signed = `${bare},${first},${withoutProof}`;
          const signature = hmac(storedKey, signed);
          proof = hmac(hmac(salted, "Server Key"), signed);
          const answer = Buffer.from(clientKey.map((byte, at) => byte ^ signature[at]!)).toString("base64");
          return Buffer.from(`${withoutProof},p=${answer}`);
        },
        finish: (data) => assert.equal(Buffer.from(data).toString(), `v=${proof.toString("base64")}`),
      },
    });
    const isIn = await client.connected.then(
      () => true,
      () => false,
    );
    await client.disconnect({ drainMs: 0 });
    return isIn;
  };
  assert.equal(await connect("alice", "right"), true);
  assert.equal(await connect("alice", "wrong"), false);
  assert.equal(await connect("nobody", "right"), false);
  await assert.rejects(
    guardedBy(context, { kind: "scram", file: join(folder, "broken") }),
    /broken:1: is not of the form/,
  );
});

test("a web service decides, is remembered, and lets nobody in when it fails", async (context) => {
  const answers: Record<string, readonly [status: number, body: string]> = {
    yes: [200, '{"allow":true,"acl":{"write":["a"]}}'],
    no: [200, '{"allow":false}'],
    forbidden: [403, ""],
    odd: [200, '{"allow":"yes"}'],
    badacl: [200, '{"allow":true,"acl":["#"]}'],
    nojson: [200, "yes"],
    broken: [500, '{"allow":true}'],
    large: [200, `{"allow":true}${" ".repeat(70_000)}`],
    pass: [200, '{"allow":null}'],
  };
  let asked = 0;
  const service = createServer(async (request, response) => {
    asked++;
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const answer = answers[(JSON.parse(text) as { username: string }).username];
    if (answer !== undefined) response.writeHead(answer[0]).end(answer[1]); // else it never answers
  }).listen(0, "127.0.0.1");
  context.after(() => service.close(() => {}).closeAllConnections());
  await once(service, "listening");
  const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}/`;
  const { code, to } = await guardedBy(context, { kind: "http", url, timeoutMs: 60_000, cacheSeconds: 60 });
  for (const [username, expected] of [
    ["yes", 0],
    ["no", 0x87],
    ["forbidden", 0x87],
    ["pass", 0x87],
    ["odd", 0x88],
    ["badacl", 0x88],
    ["nojson", 0x88],
    ["broken", 0x88],
    ["large", 0x88],
  ] as const)
    assert.equal(await code(username, "p"), expected, username);
  const impatient = await guardedBy(context, { kind: "http", url, timeoutMs: 50, cacheSeconds: 60 });
  assert.equal(await impatient.code("silent", "p"), 0x88, "no answer");
  const before = asked;
  const client = await WireClient.connect(to, "c", { username: "yes", password: "p" });
  assert.equal(asked, before, "it was remembered");
  await client.publish("b", "x", { qos: 1 });
  assert.equal(client.lastReasonCode, 0x87);
  await client.disconnect();
});

test("a plugin decides and has rules; what it throws lets nobody in and nothing through", async (context) => {
  const folder = temporaryFolder(context, { "no.mjs": "export const x = 1;", "bad.mjs": "throw new Error('broken')" });
  const path = join(folder, "plugin.mjs");
  writeFileSync(
    path,
    `export default ({ options }) => ({
      authenticate({ username, password }) {
        if (username === "throws") throw new Error("no");
        return username === "alice" && Buffer.from(password).toString() === options.get("word") ? true : null;
      },
      mayPublish: (names, topic) => { if (topic === "bad") throw new Error("no"); return topic === names.username; },
      mayReceive: () => false,
      maySubscribe: () => true,
    });`,
  );
  const { code, to } = await guardedBy(context, { kind: "module", path, options: new Map([["word", "sesame"]]) });
  assert.equal(await code("alice", "sesame"), 0);
  assert.equal(await code("alice", "wrong"), 0x87);
  assert.equal(await code("throws", "x"), 0x88);
  const client = await WireClient.connect(to, "c", { username: "alice", password: "sesame" });
  for (const [topic, denied] of [
    ["alice", false],
    ["other", true],
    ["bad", true],
  ] as const) {
    await client.publish(topic, "x", { qos: 1 });
    assert.equal(client.lastReasonCode === 0x87, denied, topic);
  }
  await client.disconnect();
  const load = (name: string) => guardedBy(context, { kind: "module", path: join(folder, name), options: new Map() });
  await assert.rejects(load("no.mjs"), /no function as its default export/);
  await assert.rejects(load("bad.mjs"), /cannot be loaded: broken/);
  await assert.rejects(load("absent.mjs"), SecurityError);
});
