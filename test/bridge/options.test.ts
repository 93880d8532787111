// Options of bridges that only the other broker sees: what is in the packets, where the connection comes from, and what TLS agrees on.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { encodePacket } from "../../src/protocol/index.ts";
import { temporaryFolder } from "../support/folder.ts";
import { ROOT } from "../support/repository.ts";
import { WireClient } from "../support/wire-client.ts";
import { isUp, Listening, listenAt, type OwnBroker, startOwn, until } from "./brokers.ts";
import { ScriptedBroker } from "./scripted-broker.ts";

const FIXTURES = join(ROOT, "test/fixtures/tls");
const ON_LINUX = { skip: process.platform === "linux" ? false : "only Linux has what this looks at" };

/** The lines of a bridge to `port`. */
function bridge(name: string, port: number, ...lines: readonly string[]): readonly string[] {
  return [`connection ${name}`, `address localhost:${port}`, "restart_timeout 1", ...lines];
}

/** Publishes `payload` to `topicName` at a broker, and waits until that has it. */
async function publish(context: TestContext, { port }: OwnBroker, topicName: string, payload = "x"): Promise<void> {
  await new Listening(context, port).client.publish(topicName, payload, { qos: 1, retain: true });
}

test("what a bridge says of itself: the bit of bridges, names, passwords, keep-alive, properties of 5.0", async (context) => {
  const [usual, other, five] = await Promise.all([1, 2, 3].map(() => ScriptedBroker.start(context)));
  assert.ok(usual && other && five);
  const here = await startOwn(context, [
    ...bridge("usual", usual.port, "topic out/# out 1", "topic in/# in 1"),
    ...bridge("other", other.port, "topic out/# out 1", "try_private false", "bridge_attempt_unsubscribe false"),
    ...["remote_username site", "remote_password let me in", "keepalive_interval 7", "cleansession true"],
    ...["bridge_outgoing_retain false", "local_clientid chosen", "remote_clientid there"],
    ...bridge("five", five.port, "topic out/# out 1", "bridge_protocol_version mqttv50"),
    ...["bridge_max_topic_alias 3", "bridge_receive_maximum 4", "bridge_session_expiry_interval 5"],
  ]);
  const [asUsual, asOther, asFive] = await Promise.all([usual, other, five].map((broker) => broker.connect()));
  assert.ok(asUsual && asOther && asFive);
  const told = ({ bridge, keepAliveSeconds, username, cleanStart }: typeof asUsual) => ({
    ...{ bridge, keepAliveSeconds, username, cleanStart },
  });
  assert.deepEqual(told(asUsual), { bridge: true, keepAliveSeconds: 60, username: null, cleanStart: false });
  assert.deepEqual(told(asOther), { bridge: false, keepAliveSeconds: 7, username: "site", cleanStart: true });
  assert.deepEqual([asUsual.password, Buffer.from(asOther.password ?? []).toString()], [null, "let me in"]);
  assert.equal(asOther.clientId, "there");
  const { topicAliasMaximum, receiveMaximum, sessionExpirySeconds } = asFive.properties;
  assert.deepEqual([topicAliasMaximum, receiveMaximum, sessionExpirySeconds], [3, 4, 5]);

  await publish(context, here, "out/kept");
  assert.equal((await usual.published("out/kept")).retain, true);
  assert.equal((await other.published("out/kept")).retain, false);
  // What is only sent may be left from another configuration.
  assert.deepEqual(
    usual.all("UNSUBSCRIBE").flatMap(({ topicFilters }) => topicFilters),
    ["out/#"],
  );
  assert.deepEqual(other.all("UNSUBSCRIBE"), []);
  assert.ok(here.server.broker.sessions.get("chosen"), "local_clientid");
});

for (const version of [4, 5] as const) {
  test(`bridge_max_packet_size bounds what goes out by bytes of the whole packet (version ${version})`, async (context) => {
    const remote = await ScriptedBroker.start(context);
    const largest = 100;
    const word = version === 5 ? "mqttv50" : "mqttv311";
    const lines = [`bridge_protocol_version ${word}`, `bridge_max_packet_size ${largest}`, "topic # out 1"];
    const here = await startOwn(context, bridge("test", remote.port, ...lines));
    await remote.connect();
    // Beside a topic of four bytes, those of the header, the identifier and in 5.0 the length of no properties.
    const room = largest - (2 + 2 + 4 + 2 + (version === 5 ? 1 : 0));
    await publish(context, here, "over", "x".repeat(room + 1));
    await publish(context, here, "full", "x".repeat(room));
    assert.equal(encodePacket(await remote.published("full"), version).length, largest);
    assert.deepEqual(
      remote.all("PUBLISH").filter(({ topicName }) => topicName === "over"),
      [],
    );
    assert.match(here.log, /a message of over did not cross it: its 101 bytes are more than bridge_max_packet_size/);
  });
}

test("restart_timeout BASE CAP waits at random between them, and bridge_reload_type lazy for the end of a connection", async (context) => {
  const remote = await ScriptedBroker.start(context);
  const lines = ["restart_timeout 1 2", "bridge_reload_type lazy", "topic # out 1"];
  const withKeepAlive = (seconds: number): readonly string[] => [
    ...["connection test", `address localhost:${remote.port}`, ...lines, `keepalive_interval ${seconds}`],
  ];
  const here = await startOwn(context, withKeepAlive(10));
  assert.equal((await remote.connect(0)).keepAliveSeconds, 10);
  // Then it knows that it is connected.
  await publish(context, here, "before");
  await remote.published("before");
  await here.reload(withKeepAlive(20));
  await publish(context, here, "mark");
  await remote.published("mark");
  assert.equal(remote.connections.length, 1, "the reload has not ended it");
  remote.connections[0]?.socket.destroy();
  assert.equal((await remote.connect(1)).keepAliveSeconds, 20);
  remote.connections[1]?.socket.destroy();
  await here.logged(/the next attempt is in [\d.]+ s[\s\S]*the next attempt is in/);
  for (const [, seconds] of here.log.matchAll(/the next attempt is in ([\d.]+) s/g))
    assert.ok(Number(seconds) >= 1 && Number(seconds) <= 2, `${seconds} s`);
});

test("local_password is not asked for: whoever writes the configuration says which user the bridge is", async (context) => {
  const remote = await startOwn(context, []);
  const hash =
    "$7$101$8M5+QRRpvx3cFTaL$uCo+oxtzlb+ORHeXDafyG6P8DN4x8Fv1MKn1gq6AsR6700KUrOkgGikbMC0V+ZuooNk90fHC0UUTE8bVyQLZ6Q==";
  const folder = temporaryFolder(context, { passwords: `site:${hash}\n` });
  const here = await startOwn(context, [
    `password_file ${folder}/passwords`,
    ...bridge("test", remote.port, "remote_clientid bridge", "topic # in 1"),
    ...["local_username site", "local_password wrong"],
  ]);
  const site = { version: 4, username: "site", password: "wrong" } as const;
  assert.equal(await WireClient.reasonCode({ port: here.port, host: "127.0.0.1" }, "client", site), 5);
  await isUp(context, remote, "bridge");
  const near = await listenAt(context, here, "t");
  await publish(context, remote, "t");
  await near.got("t x q1");
});

test("bridge_bind_address is where the connection comes from", ON_LINUX, async (context) => {
  const remote = await ScriptedBroker.start(context);
  await startOwn(context, bridge("test", remote.port, "bridge_bind_address 127.0.0.2", "topic # out"));
  await remote.connect();
  assert.equal(remote.connections[0]?.socket.remoteAddress, "127.0.0.2");
});

/** Whether the system is to look after IDLE seconds at most if the other end of that connection is there. */
function keepAliveSecondsOf({ remotePort = 0, localPort = 0 }: Socket): number {
  const hex = (port: number): string => port.toString(16).toUpperCase().padStart(4, "0");
  const row = readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .find(
      ([, local = "", remote = ""]) => local.endsWith(`:${hex(remotePort)}`) && remote.endsWith(`:${hex(localPort)}`),
    );
  // The timer that runs, 02 for this one, and when it ends, in hundredths of a second.
  const [timer, when = "0"] = (row?.[5] ?? "").split(":");
  return timer === "02" ? Number.parseInt(when, 16) / 100 : 0;
}

test("bridge_tcp_keepalive lets the system look whether the other broker is there", ON_LINUX, async (context) => {
  const [plain, alive] = [await ScriptedBroker.start(context), await ScriptedBroker.start(context)];
  await startOwn(context, [
    ...bridge("plain", plain.port, "topic # out"),
    ...bridge("alive", alive.port, "topic # out", "bridge_tcp_keepalive 50 10 3"),
  ]);
  await Promise.all([plain.connect(), alive.connect()]);
  const [silent, looking] = [plain.connections[0]?.socket, alive.connections[0]?.socket];
  assert.ok(silent && looking);
  await until(
    () => keepAliveSecondsOf(looking) > 0,
    () => "a timer",
  );
  assert.ok(keepAliveSecondsOf(looking) <= 50);
  assert.equal(keepAliveSecondsOf(silent), 0);
});

test("bridge_ciphers is for TLS 1.2 and bridge_ciphers_tls1.3 for 1.3; one leaves the other as it is", async (context) => {
  const own = { cert: readFileSync(`${FIXTURES}/server.pem`), key: readFileSync(`${FIXTURES}/leaf.key`) };
  const [old, fresh] = [
    await ScriptedBroker.start(context, { ...own, maxVersion: "TLSv1.2" }),
    await ScriptedBroker.start(context, { ...own, minVersion: "TLSv1.3" }),
  ];
  const of12 = "bridge_ciphers ECDHE-ECDSA-AES256-GCM-SHA384";
  const of13 = "bridge_ciphers_tls1.3 TLS_CHACHA20_POLY1305_SHA256";
  const rest = ["topic # out", `bridge_cafile ${FIXTURES}/ca.pem`];
  const seen: string[] = [];
  for (const [remote, chosen] of [
    [old, of12],
    [old, of13],
    [fresh, of13],
    [fresh, of12],
  ] as const) {
    const at = remote.connections.length;
    const here = await startOwn(context, bridge("test", remote.port, chosen, ...rest));
    await remote.connect(at);
    seen.push(remote.connections[at]?.cipher ?? "");
    await here.stop();
  }
  assert.equal(seen[0], "ECDHE-ECDSA-AES256-GCM-SHA384");
  assert.match(seen[1] ?? "", /^ECDHE-ECDSA-/);
  assert.equal(seen[2], "TLS_CHACHA20_POLY1305_SHA256");
  assert.match(seen[3] ?? "", /^TLS_AES_/);
});

test("bridge_tls_use_os_certs trusts whom the system trusts, and SSL_CERT_FILE says who that is", async (context) => {
  const own = { cert: readFileSync(`${FIXTURES}/server.pem`), key: readFileSync(`${FIXTURES}/leaf.key`) };
  const remote = await ScriptedBroker.start(context, own);
  const before = process.env.SSL_CERT_FILE;
  context.after(() => {
    if (before === undefined) delete process.env.SSL_CERT_FILE;
    else process.env.SSL_CERT_FILE = before;
  });
  process.env.SSL_CERT_FILE = `${FIXTURES}/stranger.pem`;
  const here = await startOwn(context, bridge("test", remote.port, "topic # out", "bridge_tls_use_os_certs true"));
  await here.logged(/Bridge test is not connected: TLS with/);
  assert.deepEqual(remote.all("CONNECT"), []);
  // Files are read for each connection.
  process.env.SSL_CERT_FILE = `${FIXTURES}/ca.pem`;
  await remote.connect();
});
