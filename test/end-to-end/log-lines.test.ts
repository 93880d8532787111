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
  /** Of the causes of the meaning, the one that it was. */
  readonly cause: RegExp;
  /** Of that cause. */
  readonly fix: RegExp;
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
    cause: /two programs with one identifier/,
    fix: /make identifiers unique/,
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
    cause: /two programs with one identifier/,
    fix: /make identifiers unique/,
  },
  {
    what: "HTTP on the plain port",
    act: (broker) => say(broker, "plain", hexOf("GET / HTTP/1.1\r\n\r\n")),
    line: /<unknown> (?:\S+ )?(?:disconnected|closed)/,
    meaning: "not-mqtt",
    cause: /a web browser/,
    fix: /protocol websockets/,
  },
  {
    what: "a TLS hello on the plain port",
    act: (broker) => say(broker, "plain", "1603010005010000010303"),
    line: /<unknown> (?:\S+ )?(?:disconnected|closed)/,
    meaning: "not-mqtt",
    cause: /16 03/,
    fix: /TLS listener/,
  },
  {
    what: "a version that there is not",
    act: (broker) => say(broker, "plain", connectHex("b", { level: 6 })),
    line: /Invalid protocol version/,
    meaning: "protocol-version-refused",
    cause: /knows 3\.1\.1 only/,
    fix: /-V 311/,
  },
  {
    what: "a protocol that is none",
    act: (broker) => say(broker, "plain", connectHex("c", { name: "MQTX" })),
    line: /Invalid protocol "/,
    meaning: "not-mqtt",
    cause: /PROXY|TLS|web/,
    fix: /listener/,
  },
  {
    what: "a second CONNECT",
    act: (broker) => say(broker, "plain", connectHex("d"), connectHex("d")),
    line: /sending multiple CONNECT/,
    meaning: "protocol-error",
    cause: /a second CONNECT/,
    fix: /mend the client/,
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
    cause: /or was killed/,
    fix: /call disconnect/,
  },
  {
    what: "no identifier and no clean session",
    act: (broker) => say(broker, "plain", "100c00044d5154540400003c0000"),
    line: /\(0, 2\)/,
    meaning: "identifier-refused",
    cause: /an empty identifier together with clean session off/,
    fix: /give an identifier/,
  },
  {
    what: "a packet of 3,000 bytes",
    act: (broker) => say(broker, "plain", connectHex("f"), `30b817000174${"00".repeat(2997)}`),
    line: /oversize packet/,
    meaning: "packet-too-large",
    cause: /too long for the broker/,
    fix: /max_packet_size/,
  },
  {
    what: "a packet of 3,000 bytes, by 5.0",
    act: (broker) => say(broker, "plain", connectHex("o", { level: 5 }), `30b81700017400${"00".repeat(2996)}`),
    line: /oversize packet/,
    meaning: "packet-too-large",
    cause: /too long for the broker/,
    fix: /max_packet_size/,
  },
  {
    what: "a topic that is no UTF-8",
    act: (broker) => say(broker, "plain", connectHex("g"), "3005000280ff78"),
    line: /[Mm]alformed packet/,
    meaning: "malformed-packet",
    cause: /not MQTT at all/,
    fix: /match scheme/,
  },
  {
    what: "silence beyond the keep-alive",
    act: (broker) => say(broker, "plain", connectHex("h", { keepAlive: 1 })),
    line: /exceeded timeout/,
    meaning: "client-silent",
    cause: /the client vanished/,
    fix: /mend its network/,
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
    cause: /max_connections/,
    fix: /raise it/,
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
    cause: /the client is offline/,
    fix: /max_queued_messages/,
  },
];

const REFUSED_ROWS: readonly Row[] = [
  {
    what: "rules that deny a message",
    act: (broker) => pub(...place(broker, "reading"), ...MESSAGE),
    line: /Denied PUBLISH/,
    meaning: "acl-denied",
    cause: /no line of the ACL file/,
    fix: /topic readwrite TOPIC|topic readwrite t/,
    peers: ["mosquitto_pub"],
  },
  {
    what: "a wrong password",
    act: (broker) => pub(...place(broker, "users"), ...MESSAGE, "-u", "somebody", "-P", "wrong"),
    line: /CONNACK to \S+ \(0, 5\)/,
    meaning: "not-authorised",
    cause: /a wrong user name or password/,
    fix: /lacewing passwd/,
    peers: ["mosquitto_pub"],
  },
  {
    what: "no password",
    act: (broker) => pub(...place(broker, "users"), ...MESSAGE, "-V", "5"),
    line: /CONNACK to \S+ \(0, 135\)/,
    meaning: "not-authorised",
    cause: /no user name given, and allow_anonymous is false/,
    fix: /-u and -P/,
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
    cause: /no line of the ACL file/,
    fix: /topic readwrite/,
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
    cause: /no line of the ACL file/,
    fix: /topic readwrite/,
  },
];

const TLS_ROWS: readonly Row[] = [
  {
    what: "a plain client on the TLS port",
    act: (broker) => say(broker, "good", connectHex("m")),
    line: /wrong version number/,
    meaning: "plain-on-tls-port",
    cause: /no TLS option/,
    fix: /switch TLS on/,
  },
  {
    what: "a client that does not know the CA",
    act: (broker) => pub(...place(broker, "good"), ...MESSAGE, ...caFile(broker, "stranger.pem")),
    line: /OpenSSL Error[\s\S]*<unknown>/,
    meaning: "client-certificate-unknown",
    cause: /the client has no, or the wrong, CA file/,
    fix: /the CA of the broker/,
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
    cause: /the client's clock is wrong/,
    fix: /set the client's clock/,
    peers: ["mosquitto_pub", "libfaketime"],
  },
  {
    what: "a client without a certificate",
    act: (broker) => pub(...place(broker, "mutual"), ...MESSAGE, ...caFile(broker, "cas.pem")),
    line: /OpenSSL Error[\s\S]*<unknown>/,
    meaning: "client-certificate-missing",
    cause: /no certificate was given/,
    fix: /--cert/,
    peers: ["mosquitto_pub"],
  },
  {
    what: "a client with a certificate that has ended",
    act: (broker) => withCertificate(broker, "expired-client"),
    line: /OpenSSL Error[\s\S]*<unknown>/,
    meaning: "client-certificate-refused",
    cause: /has expired/,
    fix: /renew it on the device/,
    peers: ["mosquitto_pub"],
  },
  {
    what: "a client with a certificate of an unknown CA",
    act: (broker) => withCertificate(broker, "stranger-client"),
    line: /OpenSSL Error[\s\S]*<unknown>/,
    meaning: "client-certificate-refused",
    cause: /cafile lacks the CA/,
    fix: /add that CA/,
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
  const { meaning } = row;
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
  const { causes } = problem.explanation;
  const cause = causes.find(({ why }) => row.cause.test(why));
  assert.ok(cause !== undefined, causes.map(({ why }) => why).join("\n"));
  assert.match(cause.fix, row.fix);
  assert.match(problem.first?.text ?? "", /^20\d\d-/, "the stamp is read");
}
