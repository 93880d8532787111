// lacewing doctor before brokers that go wrong in every way: the layer that it names, the cause, and what it does not print.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { DEFAULT_CONFIG, listenerOf } from "../../src/config/index.ts";
import type { Layer } from "../../src/doctor/index.ts";
import type { MeaningKey } from "../../src/explain/index.ts";
import { startServer } from "../../src/server/index.ts";
import { runTool } from "../cli/tool-run.ts";
import { findPeer, libfaketimePath, testWithPeers } from "../support/peers.ts";
import { runProgram } from "../support/program.ts";
import { ROOT } from "../support/repository.ts";
import { type FailingBroker, type OtherServers, startFailingBroker, startOtherServers } from "./failing-ways.ts";

const DAY_MS = 86_400_000;
const HAS_PEERS = findPeer("mosquitto") !== undefined && findPeer("openssl") !== undefined;

let broker: FailingBroker;
let others: OtherServers;

before(async () => {
  others = await startOtherServers(Date.now() + 600 * DAY_MS);
  if (HAS_PEERS) broker = await startFailingBroker();
});

after(async () => {
  await others.stop();
  if (HAS_PEERS) await broker.stop();
});

interface Report {
  readonly layers: readonly {
    readonly layer: Layer;
    readonly state: string;
    readonly summary: string;
    readonly details?: string[];
  }[];
  readonly verdict: null | {
    readonly layer: Layer;
    readonly evidence: string;
    readonly fix: string | null;
    readonly next: string | null;
    readonly explanation?: { readonly key: MeaningKey };
  };
}

async function reportOf(args: readonly string[]): Promise<Report & { readonly code: number | null }> {
  const { code, out, errors } = await runTool("doctor", [...args, "--json", "--timeout", "2"]);
  assert.equal(errors, "");
  return { ...(JSON.parse(out) as Report), code };
}

interface Row {
  readonly what: string;
  readonly args: () => readonly string[];
  readonly layer: Layer;
  readonly code: number;
  readonly meaning: MeaningKey;
  readonly evidence: RegExp;
  readonly fix?: RegExp;
}

const ca = (): string[] => ["--cafile", broker.path("cas.pem")];
const secure = (name: keyof FailingBroker["ports"]) => (): string[] => [
  `mqtts://localhost:${broker.ports[name]}`,
  ...ca(),
];
const plain = (port: () => number) => (): string[] => [`mqtt://127.0.0.1:${port()}`];

const WITHOUT_BROKER: readonly Row[] = [
  {
    what: "an unknown name",
    args: () => ["no-such-host.invalid"],
    layer: "name",
    code: 10,
    meaning: "name-unknown",
    evidence: /no-such-host\.invalid/,
  },
  {
    what: "a refused port",
    args: plain(() => others.refused),
    layer: "port",
    code: 12,
    meaning: "nothing-listens",
    evidence: /ECONNREFUSED/,
    fix: /start it/,
  },
  {
    what: "a silent port",
    args: plain(() => others.silent),
    layer: "protocol",
    code: 13,
    meaning: "connack-timeout",
    evidence: /silent/,
  },
  {
    what: "a port that closes",
    args: plain(() => others.closing),
    layer: "protocol",
    code: 13,
    meaning: "connection-lost",
    evidence: /takes connections and closes them/,
  },
  {
    what: "a web server",
    args: plain(() => others.http),
    layer: "protocol",
    code: 13,
    meaning: "protocol-error",
    evidence: /^HTTP answers, and MQTT was expected/,
  },
  {
    what: "a mail server",
    args: plain(() => others.greeting),
    layer: "protocol",
    code: 13,
    meaning: "protocol-error",
    evidence: /not known here/,
  },
  {
    what: "TLS to a web server",
    args: () => [`mqtts://127.0.0.1:${others.http}`],
    layer: "protocol",
    code: 13,
    meaning: "not-tls",
    evidence: /HTTP answers, and TLS/,
  },
];

const MORE_WITHOUT_BROKER: readonly Row[] = [
  {
    what: "a broker that waits for a PROXY header",
    args: plain(() => others.proxied),
    layer: "protocol",
    code: 13,
    meaning: "proxy-header",
    evidence: /MQTT behind a PROXY header answers/,
  },
  {
    what: "what ends idle connections",
    args: () => [...plain(() => others.impatient)(), "-V", "311", "--idle", "2s"],
    layer: "keep-alive",
    code: 18,
    meaning: "idle-limit",
    evidence: /the connection was gone after 0\.[5-9] s of silence|after 1\.\d s of silence/,
    fix: /keep-alive of half that time/,
  },
];

const OTHER_WAYS: readonly Row[] = [
  {
    what: "a unix socket that is not there",
    args: () => ["--unix", "/nowhere/socket"],
    layer: "port",
    code: 12,
    meaning: "file-missing",
    evidence: /\/nowhere\/socket cannot be reached/,
  },
  {
    what: "a proxy that is not there",
    args: () => ["broker.example", "--proxy", `socks5h://127.0.0.1:${others.refused}`],
    layer: "port",
    code: 12,
    meaning: "nothing-listens",
    evidence: /ECONNREFUSED/,
    fix: /start the proxy 127\.0\.0\.1:\d+, or correct --proxy/,
  },
  {
    what: "a proxy that is a mail server",
    args: () => ["broker.example", "--proxy", `socks5h://127.0.0.1:${others.greeting}`],
    layer: "port",
    code: 12,
    meaning: "proxy-refused",
    evidence: /broker\.example/,
  },
];

const WITH_BROKER: readonly Row[] = [
  {
    what: "TLS to a plain port",
    args: secure("plain"),
    layer: "protocol",
    code: 13,
    meaning: "not-tls",
    evidence: /MQTT answers, and TLS was expected/,
    fix: /mqtt:\/\/localhost/,
  },
  {
    what: "plain MQTT to a TLS port",
    args: plain(() => broker.ports.good),
    layer: "protocol",
    code: 13,
    meaning: "connection-lost",
    evidence: /TLS answers, and MQTT/,
    fix: /mqtts:\/\/127/,
  },
  {
    what: "plain MQTT to a WebSocket port",
    args: plain(() => broker.ports.websockets),
    layer: "protocol",
    code: 13,
    meaning: "protocol-error",
    evidence: /(?:HTTP|WebSocket) answers, and MQTT/,
  },
  {
    what: "WebSocket to a plain port",
    args: () => [`ws://127.0.0.1:${broker.ports.plain}/mqtt`],
    layer: "protocol",
    code: 13,
    meaning: "websocket-failed",
    evidence: /MQTT answers, and WebSocket/,
  },
  {
    what: "an expired certificate",
    args: secure("expired"),
    layer: "tls",
    code: 14,
    meaning: "certificate-expired",
    evidence: /CERT_HAS_EXPIRED/,
  },
  {
    what: "a certificate of the future",
    args: secure("future"),
    layer: "tls",
    code: 14,
    meaning: "certificate-not-yet-valid",
    evidence: /CERT_NOT_YET_VALID/,
  },
  {
    what: "a certificate for another name",
    args: secure("elsewhere"),
    layer: "tls",
    code: 14,
    meaning: "certificate-name",
    evidence: /for 'localhost'/,
  },
  {
    what: "a self-signed certificate",
    args: secure("selfSigned"),
    layer: "tls",
    code: 14,
    meaning: "self-signed",
    evidence: /DEPTH_ZERO_SELF_SIGNED_CERT/,
  },
  {
    what: "an unknown CA",
    args: () => [`mqtts://localhost:${broker.ports.good}`, "--cafile", broker.path("stranger.pem")],
    layer: "tls",
    code: 14,
    meaning: "root-untrusted",
    evidence: /UNABLE_TO_GET_ISSUER_CERT_LOCALLY/,
  },
  {
    what: "a missing intermediate",
    args: () => [`mqtts://localhost:${broker.ports.leafOnly}`, "--cafile", broker.path("root.pem")],
    layer: "tls",
    code: 14,
    meaning: "chain-incomplete",
    evidence: /UNABLE_TO_VERIFY_LEAF_SIGNATURE/,
  },
  {
    what: "a client certificate wanted by TLS 1.2",
    args: secure("wantsCertificateOld"),
    layer: "tls",
    code: 14,
    meaning: "no-shared-cipher",
    evidence: /HANDSHAKE_FAILURE/,
  },
  {
    what: "a client certificate wanted by TLS 1.3",
    args: secure("wantsCertificate"),
    layer: "tls",
    code: 14,
    meaning: "client-certificate-missing",
    evidence: /CERTIFICATE_REQUIRED/,
    fix: /--cert/,
  },
  {
    what: "no user name",
    args: plain(() => broker.ports.users),
    layer: "credentials",
    code: 17,
    meaning: "not-authorised",
    evidence: /without a user name/,
    fix: /-u and -P/,
  },
  {
    what: "a wrong password",
    args: () => [...plain(() => broker.ports.users)(), "-u", "somebody", "-P", "s3cret-wrong"],
    layer: "credentials",
    code: 17,
    meaning: "not-authorised",
    evidence: /as 'somebody'/,
  },
  {
    what: "rules that deny",
    args: plain(() => broker.ports.rules),
    layer: "round-trip",
    code: 19,
    meaning: "acl-denied",
    evidence: /PUBLISH lacewing\/doctor.* refused with 135/,
  },
  {
    what: "rules that deny, without a reason in 3.1.1",
    args: () => [...plain(() => broker.ports.rules)(), "-V", "311"],
    layer: "round-trip",
    code: 19,
    meaning: "nothing-arrives",
    evidence: /no message came back/,
  },
];

function run({ what, args, layer, code, meaning, evidence, fix = /./ }: Row): () => Promise<void> {
  return async () => {
    const report = await reportOf(args());
    const { verdict } = report;
    assert.deepEqual(
      [verdict?.layer, report.code, verdict?.explanation?.key],
      [layer, code, meaning],
      `${what}: ${verdict?.evidence}`,
    );
    assert.match(verdict?.evidence ?? "", evidence);
    assert.match(verdict?.fix ?? "", fix);
    assert.ok((verdict?.next ?? "").length > 0 || verdict?.fix !== null, "there is something to do next");
    assert.ok(!JSON.stringify(report).includes("s3cret"), "no password is printed");
    const states = report.layers.map(({ state }) => state);
    assert.ok(states.includes("failed") && report.layers.length === 13);
  };
}

for (const row of [...WITHOUT_BROKER, ...MORE_WITHOUT_BROKER, ...OTHER_WAYS])
  test(`doctor names ${row.what}`, { timeout: 60_000 }, run(row));
for (const row of WITH_BROKER) testWithPeers(`doctor names ${row.what}`, ["mosquitto", "openssl"], run(row));

const GOOD: readonly (readonly [what: string, args: () => readonly string[]])[] = [
  ["plain", plain(() => (HAS_PEERS ? broker.ports.plain : 0))],
  ["TLS", () => secure("good")()],
  [
    "a client certificate by TLS 1.3",
    () => [
      ...secure("wantsCertificate")(),
      "--cert",
      broker.path("client-chain.pem"),
      "--key",
      broker.path("client.key"),
    ],
  ],
  ["a password", () => [...plain(() => broker.ports.users)(), "-u", "somebody", "-P", "right"]],
  ["WebSocket", () => [`ws://127.0.0.1:${broker.ports.websockets}/mqtt`]],
  ["3.1.1 only", () => [...plain(() => broker.ports.plain)(), "-V", "311"]],
  ["a broker with QoS 1", plain(() => (HAS_PEERS ? broker.ports.noRetain : 0))],
];

for (const [what, args] of GOOD)
  testWithPeers(`doctor finds nothing wrong with ${what}`, ["mosquitto", "openssl"], async () => {
    const { code, verdict, layers } = await reportOf(args());
    assert.deepEqual([code, verdict], [0, null], JSON.stringify(verdict));
    for (const layer of ["connect", "credentials", "keep-alive", "round-trip", "session", "retained", "clean-up"])
      assert.equal(layers.find((one) => one.layer === layer)?.state, "passed", layer);
  });

test("doctor finds nothing wrong with our own broker", { timeout: 60_000 }, async (context) => {
  const listeners = [listenerOf({ host: "127.0.0.1", port: 0, allowAnonymous: true })];
  const server = await startServer({ ...DEFAULT_CONFIG, listeners }, () => {});
  context.after(() => server.close());
  const { code, verdict, layers } = await reportOf([`mqtt://127.0.0.1:${server.listeners[0]!.port}`]);
  assert.deepEqual([code, verdict], [0, null]);
  const connect = layers.find(({ layer }) => layer === "connect");
  assert.ok(connect?.details?.includes("maximum packet size: 2,000,000"), connect?.details?.join("\n"));
});

testWithPeers("doctor shows the chain of a certificate with names and dates", ["mosquitto", "openssl"], async () => {
  const { layers } = await reportOf(secure("elsewhere")());
  const details = layers.find(({ layer }) => layer === "tls")?.details?.join("\n") ?? "";
  assert.match(
    details,
    /^TLSv1\.3, TLS_\S+ \(.*ms\)\n0: elsewhere, issued by signing CA, \d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d, key prime256v1/,
  );
  assert.match(details, /names: DNS:elsewhere\.example/);
});

testWithPeers("doctor takes a bad certificate with --insecure and says so", ["mosquitto", "openssl"], async () => {
  const { code, layers } = await reportOf([...secure("expired")(), "--insecure"]);
  assert.equal(code, 0);
  assert.equal(layers.find(({ layer }) => layer === "tls")?.state, "warning");
});

testWithPeers("doctor compares the clock with a time server", ["mosquitto", "openssl"], async () => {
  const { verdict, code } = await reportOf([...secure("future")(), "--time-server", `127.0.0.1:${others.time}`]);
  assert.deepEqual([verdict?.layer, code, verdict?.explanation?.key], ["clock", 15, "certificate-not-yet-valid"]);
  assert.match(
    verdict?.evidence ?? "",
    /the certificate is valid from 2045-01-01 .*the time server 127\.0\.0\.1:\d+ says .*the clock is 600 days behind/,
  );
});

testWithPeers("doctor finds a clock of 2019 by itself", ["mosquitto", "openssl", "libfaketime"], async () => {
  const env = {
    LD_PRELOAD: libfaketimePath(),
    FAKETIME: "@2019-12-06 08:59:02",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
    NO_FAKE_STAT: "1",
    FAKETIME_NO_CACHE: "1",
  };
  const main = join(ROOT, "dist/cli/main.js");
  const { code, out } = await runProgram(process.execPath, [main, "doctor", ...secure("good")(), "--lang", "en"], {
    env,
  });
  assert.equal(code, 15, out);
  assert.match(out, /FAIL +clock +the clock says 2019-12-06/);
  assert.match(out, /days behind/);
  assert.match(out, /Fix: set the clock: timedatectl set-ntp true/);
});

test("doctor says what is wrong with its arguments", async () => {
  for (const [args, line] of [
    [["--idle", "soon", "localhost"], /^Error: Invalid idle time given: soon; allowed is/],
    [["ftp://x"], /^Error: Unsupported URL scheme in 'ftp:\/\/x\/'/],
    [["mqtt://x:99999"], /^Error: Invalid port given: 99999/],
  ] as const) {
    const { code, errors } = await runTool("doctor", args);
    assert.equal(code, 1);
    assert.match(errors, line);
  }
});

test("doctor speaks Chinese", async () => {
  const { out } = await runTool("doctor", [`127.0.0.1:${others.refused}`], "", { LANG: "zh_CN.UTF-8" });
  assert.match(out, /FAIL {2}端口 +端口 \d+ 连不上（ECONNREFUSED）/);
  assert.match(out, /结论：该端口没有程序在监听/);
  assert.match(out, /未执行：端口上的协议/);
});
