// lacewing doctor before mosquitto and before our broker, with one configuration in which each listener goes wrong in its own way: the
// layer that it names, the cause, the fix, and that it finds nothing wrong where nothing is.
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, type TestContext } from "node:test";
import tls from "node:tls";
import {
  BROKER_PEERS,
  type BrokerName,
  connectHex,
  type FailingBroker,
  say,
  startFailingBroker,
} from "../end-to-end/failing-brokers.ts";
import { MAIN } from "../peers/broker-process.ts";
import { libfaketimePath, testWithPeers } from "../support/peers.ts";
import { runProgram } from "../support/program.ts";
import { startTimeServer } from "./other-servers.ts";
import { type Expected, expectVerdict, reportOf } from "./report.ts";

const DAY_MS = 86_400_000;

type Listener = keyof FailingBroker["ports"];
type Args = (broker: FailingBroker) => readonly string[];

const plain = (listener: Listener, ...options: readonly string[]): Args => {
  return ({ ports }) => [`mqtt://127.0.0.1:${ports[listener]}`, ...options];
};

/** By TLS, trusting what is in a file. */
const secure = (listener: Listener, caFile: string = "cas.pem", ...options: readonly string[]): Args => {
  return ({ ports, certificates }) => [
    `mqtts://localhost:${ports[listener]}`,
    ...["--cafile", certificates.path(caFile)],
    ...options,
  ];
};

const withCertificate = (name: string): Args => {
  return (broker) => [
    ...secure("mutual")(broker),
    ...["--cert", broker.certificates.path(`${name}-chain.pem`), "--key", broker.certificates.path(`${name}.key`)],
  ];
};

interface Row extends Expected {
  readonly what: string;
  readonly args: Args;
  /** What has happened there before. */
  readonly before?: (broker: FailingBroker) => Promise<unknown>;
  /** The highest version of TLS that is offered. */
  readonly maximumVersion?: "TLSv1.2";
  /** What our broker says otherwise. */
  readonly ours?: Partial<Expected>;
}

const PORTS: readonly Row[] = [
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
    args: plain("good"),
    layer: "protocol",
    code: 13,
    meaning: "plain-on-tls-port",
    evidence: /TLS answers, and MQTT/,
    fix: /mqtts:\/\/127/,
  },
  {
    what: "plain MQTT to a WebSocket port",
    args: plain("websockets"),
    layer: "protocol",
    code: 13,
    meaning: "port-not-mqtt",
    evidence: /WebSocket answers, and MQTT/,
    fix: /ws:\/\/127/,
  },
  {
    what: "WebSocket to a plain port",
    args: ({ ports }) => [`ws://127.0.0.1:${ports.plain}/mqtt`],
    layer: "protocol",
    code: 13,
    meaning: "websocket-failed",
    evidence: /MQTT answers, and WebSocket/,
    fix: /mqtt:\/\/127/,
  },
  {
    what: "a listener that is full",
    before: async (broker) => {
      const first = await say(broker, "few", connectHex("i"));
      await once(first, "data");
    },
    args: plain("few"),
    layer: "protocol",
    code: 13,
    meaning: "port-closes",
    evidence: /takes connections and closes them/,
    cause: /max_connections/,
    fix: /raise the limit/,
  },
];

const CERTIFICATES: readonly Row[] = [
  {
    what: "an expired certificate",
    args: secure("expired"),
    layer: "tls",
    code: 14,
    meaning: "certificate-expired",
    evidence: /CERT_HAS_EXPIRED/,
    cause: /it has expired/,
    fix: /renew it/,
  },
  {
    what: "a certificate of the future",
    args: secure("future"),
    layer: "tls",
    code: 14,
    meaning: "certificate-not-yet-valid",
    evidence: /CERT_NOT_YET_VALID/,
    cause: /the clock is behind/,
    fix: /set the clock/,
  },
  {
    what: "a certificate for another name",
    args: secure("elsewhere"),
    layer: "tls",
    code: 14,
    meaning: "certificate-name",
    evidence: /for 'localhost'.* it is for elsewhere\.example/,
    fix: /connect to elsewhere\.example, or issue it again with DNS:localhost/,
  },
  {
    what: "a self-signed certificate",
    args: secure("selfsigned"),
    layer: "tls",
    code: 14,
    meaning: "self-signed",
    evidence: /DEPTH_ZERO_SELF_SIGNED_CERT/,
    cause: /was not given as CA/,
    fix: /--cafile/,
  },
  {
    what: "an unknown CA",
    args: secure("good", "stranger.pem"),
    layer: "tls",
    code: 14,
    meaning: "root-untrusted",
    evidence: /UNABLE_TO_GET_ISSUER_CERT_LOCALLY/,
    cause: /another CA file/,
    fix: /--cafile/,
  },
  {
    what: "a missing intermediate",
    args: secure("leaf", "root.pem"),
    layer: "tls",
    code: 14,
    meaning: "chain-incomplete",
    evidence: /sends only its own certificate, signed by 'signing CA'.*UNABLE_TO_VERIFY_LEAF_SIGNATURE/,
    fix: /fullchain/,
  },
  {
    what: "a client certificate wanted by TLS 1.2",
    args: secure("mutual"),
    maximumVersion: "TLSv1.2",
    layer: "tls",
    code: 14,
    meaning: "no-shared-cipher",
    evidence: /HANDSHAKE_FAILURE/,
    cause: /TLS 1\.2 and a client certificate is required/,
    fix: /--cert/,
  },
  {
    what: "a client certificate wanted by TLS 1.3",
    args: secure("mutual"),
    layer: "tls",
    code: 14,
    meaning: "client-certificate-missing",
    evidence: /CERTIFICATE_REQUIRED/,
    cause: /no certificate was given/,
    fix: /--cert/,
  },
  {
    what: "a client certificate that has ended",
    args: withCertificate("expired-client"),
    layer: "tls",
    code: 14,
    meaning: "peer-refused-certificate",
    evidence: /CERTIFICATE_EXPIRED/,
    fix: /issue a new client certificate/,
  },
  {
    what: "a client certificate that has ended, by TLS 1.2",
    args: withCertificate("expired-client"),
    maximumVersion: "TLSv1.2",
    layer: "tls",
    code: 14,
    meaning: "peer-refused-certificate",
    evidence: /CERTIFICATE_EXPIRED/,
    ours: {
      meaning: "client-certificate-refused",
      evidence: /closes when it gets this one, which has expired/,
      fix: /renew it/,
    },
  },
  {
    what: "a client certificate of an unknown CA",
    args: withCertificate("stranger-client"),
    layer: "tls",
    code: 14,
    meaning: "client-certificate-unknown",
    evidence: /UNKNOWN_CA/,
    fix: /add that CA to the broker's cafile/,
  },
  {
    what: "a client certificate of an unknown CA, by TLS 1.2",
    args: withCertificate("stranger-client"),
    maximumVersion: "TLSv1.2",
    layer: "tls",
    code: 14,
    meaning: "client-certificate-unknown",
    evidence: /UNKNOWN_CA/,
    ours: {
      meaning: "client-certificate-refused",
      evidence: /wants a client certificate, and closes when it gets this one$/,
    },
  },
];

const RIGHTS: readonly Row[] = [
  {
    what: "no user name",
    args: plain("users"),
    layer: "credentials",
    code: 17,
    meaning: "not-authorised",
    evidence: /without a user name/,
    fix: /-u and -P/,
  },
  {
    what: "a wrong password by 5.0",
    args: plain("users", "-u", "somebody", "-P", "s3cret-wrong"),
    layer: "credentials",
    code: 17,
    meaning: "not-authorised",
    evidence: /as 'somebody': 135/,
    cause: /a wrong user name or password/,
    fix: /lacewing passwd/,
  },
  {
    what: "a wrong password by 3.1.1",
    args: plain("users", "-u", "somebody", "-P", "s3cret-wrong", "-V", "311"),
    layer: "credentials",
    code: 17,
    meaning: "not-authorised",
    evidence: /as 'somebody': 5/,
    cause: /a wrong user name or password/,
    fix: /lacewing passwd/,
  },
  {
    what: "rules that deny messages",
    args: plain("reading"),
    layer: "round-trip",
    code: 19,
    meaning: "acl-denied",
    evidence: /PUBLISH lacewing\/doctor.* refused with 135/,
    fix: /topic readwrite lacewing\/doctor\/#/,
  },
  {
    what: "rules that deny messages, without a reason in 3.1.1",
    args: plain("reading", "-V", "311"),
    layer: "round-trip",
    code: 19,
    meaning: "nothing-arrives",
    evidence: /no message came back/,
    fix: /topic readwrite lacewing\/doctor\/#/,
    isSilent: true,
  },
  {
    what: "rules that withhold messages",
    args: plain("writing"),
    layer: "round-trip",
    code: 19,
    meaning: "nothing-arrives",
    evidence: /no message came back/,
    fix: /topic readwrite lacewing\/doctor\/#/,
    isSilent: true,
  },
  {
    what: "dynamic security that denies subscriptions by 5.0",
    args: plain("dynamic"),
    layer: "round-trip",
    code: 19,
    meaning: "subscription-refused",
    evidence: /SUBSCRIBE lacewing\/doctor.* refused with 135/,
    fix: /dynsec addRoleACL ROLE subscribePattern lacewing\/doctor\/# allow/,
  },
  {
    what: "dynamic security that denies subscriptions by 3.1.1",
    args: plain("dynamic", "-V", "311"),
    layer: "round-trip",
    code: 19,
    meaning: "subscription-refused",
    evidence: /SUBSCRIBE lacewing\/doctor.* refused with 128/,
    fix: /dynsec addRoleACL ROLE subscribePattern lacewing\/doctor\/# allow/,
  },
];

/** At our broker, as mosquitto 2.0 refuses no version. */
const VERSIONS: readonly Row[] = (
  [
    ["5.0", "mqttv5", "threes", /refused with 132.*, and takes MQTT 3\.1\.1$/, /^use MQTT 3\.1\.1: -V 311$/],
    ["3.1.1", "311", "fives", /refused with 1, and takes MQTT 5\.0$/, /^use MQTT 5\.0: -V 5$/],
    ["3.1", "31", "fives", /refused with 1, and takes MQTT 5\.0$/, /^use MQTT 5\.0: -V 5$/],
  ] as const
).map(([what, version, listener, evidence, fix]) => ({
  what: `MQTT ${what} where it is not taken`,
  args: plain(listener, "-V", version),
  layer: "connect",
  code: 16,
  meaning: "protocol-version-refused",
  evidence,
  fix,
}));

const GOOD: readonly (readonly [what: string, args: Args])[] = [
  ["plain MQTT", plain("plain")],
  ["TLS", secure("good")],
  ["a client certificate by TLS 1.3", withCertificate("client")],
  ["a password", plain("users", "-u", "somebody", "-P", "right")],
  ["WebSocket", ({ ports }) => [`ws://127.0.0.1:${ports.websockets}/mqtt`]],
  ["3.1.1 only", plain("plain", "-V", "311")],
  ["a broker with QoS 1", plain("less")],
];
const GOOD_LAYERS = ["connect", "credentials", "keep-alive", "round-trip", "session", "retained", "clean-up"];

for (const name of ["mosquitto", "lacewing"] as const satisfies readonly BrokerName[]) {
  let broker: FailingBroker | null = null;
  before(async (context) => {
    broker = await startFailingBroker(name, context as TestContext);
  });
  after(() => broker?.stop());
  const at = (what: string, body: (broker: FailingBroker) => Promise<void>): void =>
    testWithPeers(what, BROKER_PEERS[name], () => {
      assert.ok(broker !== null);
      return body(broker);
    });

  for (const row of [...PORTS, ...CERTIFICATES, ...RIGHTS, ...(name === "lacewing" ? VERSIONS : [])])
    at(`doctor at ${name} names ${row.what}`, async (there) => {
      await row.before?.(there);
      if (row.maximumVersion !== undefined) tls.DEFAULT_MAX_VERSION = row.maximumVersion;
      await expectVerdict(row.args(there), { ...row, ...(name === "lacewing" && row.ours) }).finally(() => {
        tls.DEFAULT_MAX_VERSION = "TLSv1.3";
      });
    });

  for (const [what, args] of GOOD)
    at(`doctor at ${name} finds nothing wrong with ${what}`, async (there) => {
      const { code, verdict, layers } = await reportOf(args(there));
      assert.deepEqual([code, verdict], [0, null], JSON.stringify(verdict));
      for (const layer of GOOD_LAYERS) assert.equal(layers.find((one) => one.layer === layer)?.state, "passed", layer);
    });

  at(`doctor at ${name} shows the chain of a certificate with names and dates`, async (there) => {
    const { layers } = await reportOf(secure("elsewhere")(there));
    const details = layers.find(({ layer }) => layer === "tls")?.details?.join("\n") ?? "";
    assert.match(
      details,
      /^TLSv1\.3, TLS_\S+ \(.*ms\)\n0: elsewhere, issued by signing CA, \d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d, key prime256v1/,
    );
    assert.match(details, /names: DNS:elsewhere\.example/);
  });

  at(`doctor at ${name} takes a bad certificate with --insecure and says so`, async (there) => {
    const { code, layers } = await reportOf([...secure("expired")(there), "--insecure"]);
    assert.equal(code, 0);
    assert.equal(layers.find(({ layer }) => layer === "tls")?.state, "warning");
  });

  at(`doctor at ${name} compares the clock with a time server`, async (there) => {
    const time = await startTimeServer(Date.now() + 600 * DAY_MS);
    const asked = await reportOf([...secure("future")(there), "--time-server", `127.0.0.1:${time.port}`]);
    time.stop();
    const { verdict, code } = asked;
    assert.deepEqual([verdict?.layer, code, verdict?.explanation?.key], ["clock", 15, "certificate-not-yet-valid"]);
    assert.match(
      verdict?.evidence ?? "",
      /the certificate is valid from 2045-01-01 .*the time server 127\.0\.0\.1:\d+ says .*the clock is 600 days behind/,
    );
  });

  testWithPeers(`doctor at ${name} finds a clock of 2019`, [...BROKER_PEERS[name], "libfaketime"], async () => {
    assert.ok(broker !== null);
    const env = {
      LD_PRELOAD: libfaketimePath(),
      FAKETIME: "@2019-12-06 08:59:02",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      NO_FAKE_STAT: "1",
      FAKETIME_NO_CACHE: "1",
    };
    const args = [MAIN, "doctor", ...secure("good")(broker), "--lang", "en"];
    const { code, out } = await runProgram(process.execPath, args, { env });
    assert.equal(code, 15, out);
    assert.match(out, /FAIL +clock +the clock says 2019-12-06/);
    assert.match(out, /days behind/);
    assert.match(out, /Fix: set the clock: timedatectl set-ntp true/);
  });
}
