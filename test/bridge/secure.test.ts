// Bridges over TLS with certificates, and over TLS with a key that both sides know; the other broker is ours or mosquitto.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { temporaryFolder } from "../support/folder.ts";
import { testWithPeers } from "../support/peers.ts";
import { freePorts } from "../support/ports.ts";
import { ROOT } from "../support/repository.ts";
import { isAttached, isUp, listenAt, type OwnBroker, startMosquitto, startOwn } from "./brokers.ts";

const FIXTURES = join(ROOT, "test/fixtures/tls");

/** A broker that is reached in the clear for the test, and by TLS for the bridge. */
async function startSecure(
  context: TestContext,
  start: typeof startOwn | typeof startMosquitto,
  lines: readonly string[],
): Promise<{ readonly remote: Awaited<ReturnType<typeof start>>; readonly tlsPort: number }> {
  const [tlsPort = 0] = await freePorts(1);
  const remote = await start(context, [`listener ${tlsPort} 127.0.0.1`, ...lines]);
  return { remote, tlsPort };
}

function certificate(name: string): readonly string[] {
  return [`certfile ${FIXTURES}/${name}.pem`, `keyfile ${FIXTURES}/leaf.key`];
}

function startBridge(context: TestContext, port: number, ...lines: readonly string[]): Promise<OwnBroker> {
  const bridge = ["connection test", `address localhost:${port}`, "remote_clientid bridge", "restart_timeout 1"];
  return startOwn(context, [...bridge, "topic # both 1", ...lines]);
}

/** A way to `port` on which nothing goes before it is released. */
async function heldWay(context: TestContext, port: number): Promise<{ readonly port: number; release(): void }> {
  let isReleased = false;
  const held: Socket[] = [];
  const join = (socket: Socket): void => {
    const onward = connect(port, "127.0.0.1");
    onward
      .on("error", () => socket.destroy())
      .pipe(socket.on("error", () => onward.destroy()))
      .pipe(onward);
  };
  const server = createServer((socket) => (isReleased ? join(socket) : held.push(socket))).listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => server.close());
  return {
    port: (server.address() as AddressInfo).port,
    release() {
      isReleased = true;
      held.forEach(join);
    },
  };
}

test("what is published while the first handshake goes on crosses the bridge, at QoS 0 too", async (context) => {
  const { remote, tlsPort } = await startSecure(context, startOwn, certificate("server"));
  const way = await heldWay(context, tlsPort);
  const here = await startBridge(context, way.port, `bridge_cafile ${FIXTURES}/ca.pem`);
  await isAttached(here);
  const near = await listenAt(context, here, "u");
  await near.client.publish("t", "early", { qos: 0 });
  await near.client.publish("over", "", { qos: 1 });
  const there = await listenAt(context, remote, "t");
  way.release();
  await there.got("t early q0");
});

for (const [kind, start] of [
  ["ours", startOwn],
  ["mosquitto", startMosquitto],
] as const) {
  const declare = (name: string, body: (context: TestContext) => Promise<void>): void =>
    kind === "ours" ? void test(`${kind}: ${name}`, body) : testWithPeers(`${kind}: ${name}`, ["mosquitto"], body);

  declare("a certificate of its own lets the bridge in, and only that", async (context) => {
    const lines = [...certificate("server"), `cafile ${FIXTURES}/ca.pem`, "require_certificate true"];
    const { remote, tlsPort } = await startSecure(context, start, lines);
    const ca = `bridge_cafile ${FIXTURES}/ca.pem`;
    const nobody = await startBridge(context, tlsPort, ca);
    await nobody.logged(/Bridge test is not connected: /);
    await nobody.stop();
    const own = [`bridge_certfile ${FIXTURES}/client.pem`, `bridge_keyfile ${FIXTURES}/leaf.key`];
    const here = await startBridge(context, tlsPort, ca, ...own, "bridge_tls_version tlsv1.3");
    await isUp(context, remote, "bridge");
    const there = await listenAt(context, remote, "t");
    await (await listenAt(context, here, "u")).client.publish("t", "x", { qos: 1 });
    await there.got("t x q1");
  });

  declare("a key that both sides know lets it in, and another does not", async (context) => {
    const folder = temporaryFolder(context, { keys: "site:0123456789abcdef\n" });
    const lines = ["psk_hint hint", `psk_file ${folder}/keys`];
    const { remote, tlsPort } = await startSecure(context, start, lines);
    const wrong = await startBridge(context, tlsPort, "bridge_identity site", "bridge_psk ffff");
    await wrong.logged(/Bridge test is not connected: TLS with localhost:\d+ failed/);
    await wrong.stop();
    const here = await startBridge(context, tlsPort, "bridge_identity site", "bridge_psk 0123456789abcdef");
    await isUp(context, remote, "bridge");
    const near = await listenAt(context, here, "t");
    await near.client.publish("out", "x", { qos: 1 });
    await (await listenAt(context, remote, "v")).client.publish("t", "y", { qos: 1 });
    await near.got("t y q1");
  });
}

test("who signed the other broker's certificate, and for which name, is looked at; bridge_insecure leaves out the name", async (context) => {
  const misnamed = await startSecure(context, startOwn, certificate("misnamed"));
  const ca = `bridge_cafile ${FIXTURES}/ca.pem`;
  const strict = await startBridge(context, misnamed.tlsPort, ca);
  await strict.logged(/Bridge test is not connected: .*(altnames|ERR_TLS_CERT_ALTNAME_INVALID|localhost)/);
  await strict.stop();
  const lax = await startBridge(context, misnamed.tlsPort, ca, "bridge_insecure true");
  await isUp(context, misnamed.remote, "bridge");
  await lax.stop();
  const stranger = await startSecure(context, startOwn, certificate("server"));
  const unknown = await startBridge(
    context,
    stranger.tlsPort,
    `bridge_cafile ${FIXTURES}/stranger.pem`,
    "bridge_insecure true",
  );
  await unknown.logged(/Bridge test is not connected: TLS with/);
  assert.doesNotMatch(unknown.log, /is connected/);
});

test("bridge_require_ocsp fails closed, as no answer of OCSP can be verified", async (context) => {
  const { remote, tlsPort } = await startSecure(context, startOwn, certificate("server"));
  const here = await startBridge(context, tlsPort, `bridge_cafile ${FIXTURES}/ca.pem`, "bridge_require_ocsp true");
  await here.logged(/Bridge test is not connected: .*bridge_require_ocsp/);
  assert.equal((remote as OwnBroker).server.broker.sessions.get("bridge"), undefined);
});

test("bridge_capath takes every certificate of a folder", async (context) => {
  const { remote, tlsPort } = await startSecure(context, startOwn, certificate("server"));
  const folder = temporaryFolder(context, { "ca.crt": readFileSync(`${FIXTURES}/ca.pem`, "utf8") });
  await startBridge(context, tlsPort, `bridge_capath ${folder}`, "bridge_alpn mqtt");
  await isUp(context, remote, "bridge");
});
