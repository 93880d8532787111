// What mosquitto_pub and mosquitto_sub print when they fail at mosquitto and at our broker: it finds its meaning, and there the cause that it
// was and the fix.
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { after, before, type TestContext } from "node:test";
import { explain, type MeaningKey } from "../../src/explain/index.ts";
import { startPeer, testWithPeers } from "../support/peers.ts";
import { BROKER_PEERS, connectHex, type FailingBroker, place, say, startFailingBroker } from "./failing-brokers.ts";

type ToolName = "mosquitto_pub" | "mosquitto_sub";

interface Row {
  readonly what: string;
  args(broker: FailingBroker): readonly string[];
  readonly meaning: MeaningKey | readonly MeaningKey[];
  /** Of the meaning's causes, the one that it was. */
  readonly cause: RegExp;
  /** Of that cause. */
  readonly fix: RegExp;
  /** Both, if it is not said. */
  readonly tools?: readonly ToolName[];
  /** Whether TLS ends with version 1.2. */
  readonly isOldTls?: boolean;
}

const trusting = (broker: FailingBroker, name: string): string[] => ["--cafile", broker.certificates.path(name)];
const secure = (listener: keyof FailingBroker["ports"], caFile: string = "cas.pem"): Row["args"] => {
  return (broker) => [...place(broker, listener), ...trusting(broker, caFile)];
};
const withCertificate = (name: string): Row["args"] => {
  return (broker) => {
    const { certificates } = broker;
    const own = ["--cert", certificates.path(`${name}-chain.pem`), "--key", certificates.path(`${name}.key`)];
    return [...secure("mutual")(broker), ...own];
  };
};
const at = (listener: keyof FailingBroker["ports"], ...options: readonly string[]): Row["args"] => {
  return (broker) => [...place(broker, listener), ...options];
};
const PUB = ["mosquitto_pub"] as const;
const SUB = ["mosquitto_sub"] as const;

const PORTS: readonly Row[] = [
  {
    what: "a port that nothing listens on",
    args: at("unused"),
    meaning: "nothing-listens",
    cause: /the broker does not run/,
    fix: /start it/,
  },
  {
    what: "a name that there is not",
    args: () => ["-h", "no-such-host.invalid"],
    meaning: "name-unknown",
    cause: /a typing mistake/,
    fix: /give the bare name/,
  },
  {
    what: "TLS to the plain port",
    args: secure("plain"),
    meaning: "tls-closed",
    cause: /a plain MQTT port/,
    fix: /use the TLS port, or no TLS/,
  },
  {
    what: "no TLS to the TLS port",
    args: at("good"),
    meaning: "port-closes",
    cause: /plain MQTT to a TLS port/,
    fix: /switch TLS on/,
    tools: PUB,
  },
  {
    what: "plain MQTT to the WebSocket port",
    args: at("websockets"),
    meaning: "port-not-mqtt",
    cause: /protocol websockets/,
    fix: /ws:\/\//,
  },
  {
    what: "a listener that is full",
    args: at("few"),
    meaning: "port-closes",
    cause: /max_connections/,
    fix: /raise the limit/,
    tools: PUB,
  },
];

const UNTRUSTED = { meaning: "certificate-verify-failed" } as const;

const CERTIFICATES: readonly Row[] = [
  {
    what: "a certificate that has expired",
    args: secure("expired"),
    ...UNTRUSTED,
    cause: /^the certificate has expired/,
    fix: /renew it/,
  },
  {
    what: "a certificate of the future",
    args: secure("future"),
    ...UNTRUSTED,
    cause: /clock is wrong, so that the certificate is not valid yet/,
    fix: /set the clock/,
  },
  {
    what: "a self-signed certificate",
    args: secure("selfsigned"),
    ...UNTRUSTED,
    cause: /self-signed and is not in it/,
    fix: /give the CA/,
  },
  {
    what: "a certificate without its intermediate",
    args: secure("leaf", "root.pem"),
    ...UNTRUSTED,
    cause: /without the intermediate/,
    fix: /fullchain/,
  },
  {
    what: "an unknown CA",
    args: secure("good", "stranger.pem"),
    ...UNTRUSTED,
    cause: /CA file is wrong/,
    fix: /give the CA/,
  },
  {
    what: "a certificate for another name",
    args: secure("elsewhere"),
    meaning: "certificate-name",
    cause: /name/,
    fix: /connect by a listed name/,
  },
];

/** With TLS 1.3 it depends on who is faster whether OpenSSL still reads the alert. */
const CLIENT_CERTIFICATES: readonly Row[] = [
  {
    what: "no client certificate",
    args: secure("mutual"),
    meaning: ["tls-ended-late", "client-certificate-missing"],
    cause: /got none|no certificate was given/,
    fix: /--cert/,
  },
  {
    what: "no client certificate, by TLS 1.2",
    args: secure("mutual"),
    isOldTls: true,
    meaning: "no-shared-cipher",
    cause: /TLS 1\.2 and a client certificate is required/,
    fix: /--cert/,
  },
  {
    what: "a client certificate that has expired",
    args: withCertificate("expired-client"),
    meaning: ["tls-ended-late", "peer-refused-certificate", "tls-closed"],
    cause: /expired/,
    fix: /new client certificate|give a certificate/,
  },
  {
    what: "a client certificate that has expired, by TLS 1.2",
    args: withCertificate("expired-client"),
    isOldTls: true,
    meaning: ["peer-refused-certificate", "tls-closed"],
    cause: /expired/,
    fix: /new client certificate|give a certificate/,
  },
  {
    what: "a client certificate of an unknown CA",
    args: withCertificate("stranger-client"),
    meaning: ["tls-ended-late", "client-certificate-unknown", "tls-closed"],
    cause: /broker's cafile/,
    fix: /cafile/,
  },
];

const RIGHTS: readonly Row[] = [
  {
    what: "a wrong password by 3.1.1",
    args: at("users", "-u", "somebody", "-P", "wrong"),
    meaning: "not-authorised",
    cause: /a wrong user name or password/,
    fix: /lacewing passwd/,
  },
  {
    what: "a wrong password by 5.0",
    args: at("users", "-V", "5", "-u", "somebody", "-P", "wrong"),
    meaning: "not-authorised",
    cause: /a wrong user name or password/,
    fix: /lacewing passwd/,
  },
  {
    what: "rules that deny a message by 5.0",
    args: at("reading", "-V", "5", "-q", "1"),
    meaning: "acl-denied",
    cause: /no line of the ACL file/,
    fix: /topic readwrite/,
    tools: PUB,
  },
  {
    what: "rules that let nothing through to a subscription",
    args: at("writing", "-W", "1"),
    meaning: "timed-out",
    cause: /rules|ACL/,
    fix: /grant read access/,
    tools: SUB,
  },
  ...["311", "5"].map(
    (version): Row => ({
      what: `dynamic security that denies a subscription, by ${version}`,
      args: at("dynamic", "-V", version),
      meaning: "subscription-refused",
      cause: /the rules of the broker/,
      fix: /grant the filter/,
      tools: SUB,
    }),
  ),
  {
    what: "QoS 2 where there is 1 at most, by 3.1.1",
    args: at("less", "-q", "2"),
    meaning: "publish-closes",
    cause: /max_qos/,
    fix: /lower QoS/,
    tools: PUB,
  },
  {
    what: "QoS 2 where there is 1 at most, by 5.0",
    args: at("less", "-V", "5", "-q", "2"),
    meaning: "qos-refused",
    cause: /max_qos/,
    fix: /lower QoS/,
    tools: PUB,
  },
  {
    what: "a message that is too large, by 3.1.1",
    args: (broker) => [...at("plain", "-q", "1")(broker), "-f", broker.certificates.path("large")],
    meaning: "publish-closes",
    cause: /max_packet_size/,
    fix: /split/,
    tools: PUB,
  },
];

/** At our broker, as mosquitto 2.0 refuses no version. */
const VERSIONS: readonly Row[] = (
  [
    ["5.0", "mqttv5", "threes"],
    ["3.1.1", "311", "fives"],
    ["3.1", "31", "fives"],
  ] as const
).map(([what, version, listener]) => ({
  what: `MQTT ${what} where it is not taken`,
  args: at(listener, "-V", version),
  meaning: "protocol-version-refused",
  cause: /accept_protocol_versions/,
  fix: /add the version/,
}));

/** What the tools do, when the row does not say otherwise. */
const WORK: Readonly<Record<ToolName, readonly string[]>> = {
  mosquitto_pub: ["-t", "t", "-d"],
  mosquitto_sub: ["-t", "t", "-d", "-W", "5"],
};

/** OpenSSL, for a program that does not choose: TLS 1.2 at most. */
const OLD_TLS = "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nMaxProtocol = TLSv1.2\n";

for (const name of ["mosquitto", "lacewing"] as const) {
  let broker: FailingBroker | null = null;
  before(async (context) => {
    broker = await startFailingBroker(name, context as TestContext);
    if (broker === null) return;
    writeFileSync(broker.certificates.path("old-tls.cnf"), OLD_TLS);
    writeFileSync(broker.certificates.path("large"), "x".repeat(3000));
    const first = await say(broker, "few", connectHex("i"));
    await once(first, "data");
  });
  after(() => broker?.stop());
  const versions = name === "lacewing" ? VERSIONS : [];
  for (const row of [...PORTS, ...CERTIFICATES, ...CLIENT_CERTIFICATES, ...RIGHTS, ...versions])
    for (const tool of row.tools ?? [...PUB, ...SUB])
      testWithPeers(`${tool} at ${name}: ${row.what}`, [...BROKER_PEERS[name], tool], async () => {
        assert.ok(broker !== null);
        await play(row, tool, broker);
      });
}

async function play(
  { args, meaning, cause, fix, isOldTls }: Row,
  tool: ToolName,
  broker: FailingBroker,
): Promise<void> {
  const env = isOldTls === true ? { OPENSSL_CONF: broker.certificates.path("old-tls.cnf") } : {};
  const given = args(broker);
  const message = tool === "mosquitto_pub" && !given.includes("-f") ? ["-m", "x"] : [];
  const { out, errors } = await startPeer(tool, [...WORK[tool], ...message, ...given], { env }).end();
  const [first] = explain(out + errors).explanations;
  assert.ok(first !== undefined && [meaning].flat().includes(first.key), `${first?.key} of ${out}${errors}`);
  const found = first.causes.find(({ why }) => cause.test(why));
  assert.ok(found !== undefined, first.causes.map(({ why }) => why).join("\n"));
  assert.match(found.fix, fix);
}
