// What brokers really log when clients go wrong, mosquitto and ours with one configuration, read by `lacewing explain`: each finds its
// meaning, with a cause and a fix.
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, type TestContext } from "node:test";
import { LogReader, type MeaningKey } from "../../src/explain/index.ts";
import { libfaketimePath, type PeerName, startPeer, testWithPeers } from "../support/peers.ts";
import {
  BROKER_PEERS,
  type BrokerName,
  connectHex,
  type FailingBroker,
  hexOf,
  place,
  say,
  startFailingBroker,
} from "./failing-brokers.ts";

interface Row {
  readonly what: string;
  act(broker: FailingBroker): Promise<unknown>;
  /** The lines that are written then. */
  readonly line: RegExp;
  /** Ours, where we say more or otherwise. */
  readonly ours?: RegExp;
  readonly meaning: MeaningKey;
  /** Where our line tells more, so that a nearer meaning is found. */
  readonly ourMeaning?: MeaningKey;
  readonly peers?: readonly PeerName[];
}

const MESSAGE = ["-t", "t", "-m", "x"];
const pub = (...args: readonly string[]) => startPeer("mosquitto_pub", args).end();
const caFile = (broker: FailingBroker, name: string): string[] => ["--cafile", broker.certificates.path(name)];

const PLAIN_ROWS: readonly Row[] = [
  {
    what: "one client identifier twice",
    act: async (broker) => {
      const first = await say(broker, "plain", connectHex("a"));
      await once(first, "data");
      await say(broker, "plain", connectHex("a"));
    },
    line: /already connected/,
    meaning: "session-taken-over",
  },
  {
    what: "one client identifier twice, by 5.0",
    act: async (broker) => {
      const first = await say(broker, "plain", connectHex("n", { level: 5 }));
      await once(first, "data");
      await say(broker, "plain", connectHex("n", { level: 5 }));
    },
    line: /already connected/,
    meaning: "session-taken-over",
  },
  {
    what: "HTTP on the plain port",
    act: (broker) => say(broker, "plain", hexOf("GET / HTTP/1.1\r\n\r\n")),
    line: /<unknown> (?:\S+ )?(?:disconnected|closed)/,
    meaning: "not-mqtt",
  },
  {
    what: "a TLS hello on the plain port",
    act: (broker) => say(broker, "plain", "1603010005010000010303"),
    line: /<unknown> (?:\S+ )?(?:disconnected|closed)/,
    meaning: "not-mqtt",
  },
  {
    what: "a version that there is not",
    act: (broker) => say(broker, "plain", connectHex("b", { level: 6 })),
    line: /Invalid protocol version/,
    meaning: "protocol-version-refused",
  },
  {
    what: "a protocol that is none",
    act: (broker) => say(broker, "plain", connectHex("c", { name: "MQTX" })),
    line: /Invalid protocol "/,
    meaning: "not-mqtt",
  },
  {
    what: "a second CONNECT",
    act: (broker) => say(broker, "plain", connectHex("d"), connectHex("d")),
    line: /sending multiple CONNECT/,
    meaning: "protocol-error",
  },
  {
    what: "no DISCONNECT",
    act: async (broker) => {
      const socket = await say(broker, "plain", connectHex("e"));
      await once(socket, "data");
      socket.destroy();
    },
    line: /closed its connection/,
    ours: /connection closed by client/,
    meaning: "closed-without-disconnect",
  },
  {
    what: "no identifier and no clean session",
    act: (broker) => say(broker, "plain", "100c00044d5154540400003c0000"),
    line: /\(0, 2\)/,
    meaning: "identifier-refused",
  },
  {
    what: "a packet of 3,000 bytes",
    act: (broker) => say(broker, "plain", connectHex("f"), `30b817000174${"00".repeat(2997)}`),
    line: /oversize packet/,
    meaning: "packet-too-large",
  },
  {
    what: "a packet of 3,000 bytes, by 5.0",
    act: (broker) => say(broker, "plain", connectHex("o", { level: 5 }), `30b81700017400${"00".repeat(2996)}`),
    line: /oversize packet/,
    meaning: "packet-too-large",
  },
  {
    what: "a topic that is no UTF-8",
    act: (broker) => say(broker, "plain", connectHex("g"), "3005000280ff78"),
    line: /[Mm]alformed packet/,
    meaning: "malformed-packet",
  },
  {
    what: "silence beyond the keep-alive",
    act: (broker) => say(broker, "plain", connectHex("h", { keepAlive: 1 })),
    line: /exceeded timeout/,
    meaning: "client-silent",
  },
  {
    what: "a listener that takes one client",
    act: async (broker) => {
      const first = await say(broker, "few", connectHex("i"));
      await once(first, "data");
      await say(broker, "few", connectHex("j"));
    },
    line: /max_connections exceeded/,
    meaning: "too-many-connections",
  },
  {
    what: "a client that is not there, and its queue",
    act: async (broker) => {
      const socket = await say(broker, "plain", connectHex("k", { clean: false }), "8206000100017101");
      await once(socket, "data");
      socket.destroy();
      const publish = (id: number): string => `320600017100${id.toString(16).padStart(2, "0")}78`;
      await say(broker, "plain", connectHex("l"), ...[1, 2, 3, 4].map(publish));
    },
    line: /being dropped for client k/,
    meaning: "messages-dropped",
  },
];

const REFUSED_ROWS: readonly Row[] = [
  {
    what: "rules that deny a message",
    act: (broker) => pub(...place(broker, "reading"), ...MESSAGE),
    line: /Denied PUBLISH/,
    meaning: "acl-denied",
    peers: ["mosquitto_pub"],
  },
  {
    what: "a wrong password",
    act: (broker) => pub(...place(broker, "users"), ...MESSAGE, "-u", "somebody", "-P", "wrong"),
    line: /CONNACK to \S+ \(0, 5\)/,
    meaning: "not-authorised",
    peers: ["mosquitto_pub"],
  },
  {
    what: "no password",
    act: (broker) => pub(...place(broker, "users"), ...MESSAGE, "-V", "5"),
    line: /CONNACK to \S+ \(0, 135\)/,
    meaning: "not-authorised",
    peers: ["mosquitto_pub"],
  },
];

/** What mosquitto says nothing of. */
const OUR_ROWS: readonly Row[] = [
  {
    what: "rules that let nothing through to a subscription",
    act: (broker) => say(broker, "writing", connectHex("u"), "8206000100017a00"),
    line: /subscribes to z, which its rules let nothing through for/,
    meaning: "acl-denied",
  },
  {
    what: "rules that deny a delivery",
    act: async (broker) => {
      const subscriber = await say(broker, "writing", connectHex("r"), "8206000100017100");
      await once(subscriber, "data");
      await say(broker, "plain", connectHex("s"), "30040001717a");
    },
    line: /Denied delivery to r .*'q'.*: the rules do not allow it/,
    meaning: "acl-denied",
  },
];

const TLS_ROWS: readonly Row[] = [
  {
    what: "a plain client on the TLS port",
    act: (broker) => say(broker, "good", connectHex("m")),
    line: /wrong version number/,
    meaning: "plain-on-tls-port",
  },
  {
    what: "a client that does not know the CA",
    act: (broker) => pub(...place(broker, "good"), ...MESSAGE, ...caFile(broker, "stranger.pem")),
    line: /OpenSSL Error[\s\S]*<unknown>/,
    meaning: "client-certificate-unknown",
    peers: ["mosquitto_pub"],
  },
  {
    what: "a client with a clock of 2019",
    act: (broker) =>
      startPeer("mosquitto_pub", [...place(broker, "good"), ...MESSAGE, ...caFile(broker, "cas.pem")], {
        env: { LD_PRELOAD: libfaketimePath(), FAKETIME: "@2019-12-06 08:59:02", FAKETIME_DONT_FAKE_MONOTONIC: "1" },
      }).end(),
    line: /OpenSSL Error[\s\S]*<unknown>/,
    meaning: "peer-refused-certificate",
    peers: ["mosquitto_pub", "libfaketime"],
  },
  {
    what: "a client without a certificate",
    act: (broker) => pub(...place(broker, "mutual"), ...MESSAGE, ...caFile(broker, "cas.pem")),
    line: /OpenSSL Error[\s\S]*<unknown>/,
    meaning: "client-certificate-missing",
    peers: ["mosquitto_pub"],
  },
  {
    what: "a client with a certificate that has ended",
    act: (broker) => withCertificate(broker, "expired-client"),
    line: /OpenSSL Error[\s\S]*<unknown>/,
    meaning: "certificate-verify-failed",
    ourMeaning: "client-certificate-refused",
    peers: ["mosquitto_pub"],
  },
  {
    what: "a client with a certificate of an unknown CA",
    act: (broker) => withCertificate(broker, "stranger-client"),
    line: /OpenSSL Error[\s\S]*<unknown>/,
    meaning: "certificate-verify-failed",
    ourMeaning: "client-certificate-refused",
    peers: ["mosquitto_pub"],
  },
];

function withCertificate(broker: FailingBroker, name: string) {
  const { certificates } = broker;
  const own = ["--cert", certificates.path(`${name}.pem`), "--key", certificates.path(`${name}.key`)];
  return pub(...place(broker, "mutual"), ...MESSAGE, ...caFile(broker, "cas.pem"), ...own);
}

for (const name of ["mosquitto", "lacewing"] as const satisfies readonly BrokerName[]) {
  let broker: FailingBroker | null = null;
  before(async (context) => {
    broker = await startFailingBroker(name, context as TestContext);
  });
  after(() => broker?.stop());
  const rows = [...PLAIN_ROWS, ...REFUSED_ROWS, ...TLS_ROWS, ...(name === "lacewing" ? OUR_ROWS : [])];
  for (const row of rows)
    testWithPeers(`${name} logs: ${row.what}`, [...BROKER_PEERS[name], ...(row.peers ?? [])], async () => {
      assert.ok(broker !== null);
      await play(row, name, broker);
    });
}

async function play(row: Row, name: BrokerName, broker: FailingBroker): Promise<void> {
  const isOurs = name === "lacewing";
  const line = (isOurs ? row.ours : undefined) ?? row.line;
  const meaning = (isOurs ? row.ourMeaning : undefined) ?? row.meaning;
  const { program } = broker;
  const before = program.errors.length;
  const since = (): string => program.errors.slice(before);
  await row.act(broker);
  await program.when(() => line.test(since()), String(line));
  const reader = new LogReader();
  for (const one of since().split("\n")) reader.add(one);
  const { problems } = reader.summary();
  const problem = problems.find(({ explanation }) => explanation.key === meaning);
  assert.ok(problem !== undefined, `${problems.map(({ explanation }) => explanation.key)} of\n${since()}`);
  assert.ok(problem.explanation.causes.length > 0 && problem.explanation.causes[0]!.fix.length > 0);
  assert.match(problem.first?.text ?? "", /^20\d\d-/, "the stamp is read");
}
