// What mosquitto's broker and clients really print when something goes wrong, given to `lacewing explain`: each finds its meaning,
// with a cause and a fix.
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { after, before, type TestContext } from "node:test";
import { explain, LogReader, type MeaningKey } from "../../src/explain/index.ts";
import { runTool } from "../cli/tool-run.ts";
import { temporaryFolder } from "../support/folder.ts";
import { bytesOfHex } from "../support/hex.ts";
import { findPeer, libfaketimePath, type PeerName, startPeer, testWithPeers } from "../support/peers.ts";
import type { Program } from "../support/program.ts";
import { Certificates } from "../transport/certificates.ts";

type PortName = "plain" | "users" | "rules" | "few" | "tls" | "wantsCertificate" | "elsewhere" | "unused";

interface Broker {
  readonly program: Program;
  readonly ports: Readonly<Record<PortName, number>>;
  readonly certificates: Certificates;
}

let broker: Broker;
const HAS_PEERS = findPeer("mosquitto") !== undefined && findPeer("openssl") !== undefined;
const sockets: Socket[] = [];

before(async (context) => {
  if (HAS_PEERS) broker = await startBroker(temporaryFolder(context as TestContext));
});

after(async () => {
  for (const socket of sockets) socket.destroy();
  if (HAS_PEERS) await broker.program.stop();
});

async function startBroker(folder: string): Promise<Broker> {
  const certificates = new Certificates(folder);
  const path = (name: string): string => certificates.path(name);
  certificates.make("good", { names: "DNS:localhost,IP:127.0.0.1", usage: "serverAuth" });
  certificates.make("elsewhere", { names: "DNS:elsewhere.example", usage: "serverAuth" });
  writeFileSync(path("acl"), "topic read #\n");
  writeFileSync(path("users"), "");
  await runTool("passwd", ["-b", path("users"), "somebody", "right"]);
  const tls = (name: string): string[] => [
    `certfile ${path(`${name}-chain.pem`)}`,
    `keyfile ${path(`${name}.key`)}`,
    "allow_anonymous true",
  ];
  const settings: Readonly<Record<Exclude<PortName, "unused">, readonly string[]>> = {
    plain: ["allow_anonymous true"],
    users: ["allow_anonymous false", `password_file ${path("users")}`],
    rules: ["allow_anonymous true", `acl_file ${path("acl")}`],
    few: ["allow_anonymous true", "max_connections 1"],
    tls: tls("good"),
    wantsCertificate: [...tls("good"), `cafile ${path("cas.pem")}`, "require_certificate true"],
    elsewhere: tls("elsewhere"),
  };
  const names = Object.keys(settings) as (keyof typeof settings)[];
  const free = await freePorts(names.length + 1);
  const ports = { unused: free.at(-1)! } as Record<PortName, number>;
  const lines = [
    "user root",
    "per_listener_settings true",
    "log_dest stderr",
    "log_type all",
    "max_queued_messages 2",
    "max_packet_size 2000",
  ];
  for (const [index, name] of names.entries()) {
    ports[name] = free[index]!;
    lines.push(`listener ${ports[name]} 127.0.0.1`, ...settings[name]);
  }
  writeFileSync(path("mosquitto.conf"), `${lines.join("\n")}\n`);
  const program = startPeer("mosquitto", ["-c", path("mosquitto.conf")]);
  await program.printed(/running$/m);
  return { program, ports, certificates };
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}

/** Says bytes to a listener and stays. */
async function say(port: number, ...hex: readonly string[]): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  sockets.push(socket);
  socket.on("error", () => {}).resume();
  await once(socket, "connect");
  for (const part of hex) socket.write(bytesOfHex(part));
  return socket;
}

/** CONNECT of 3.1.1 with a client identifier of one letter. */
function connectHex(letter: string, { clean = true, keepAlive = 60, level = 4, name = "MQTT" } = {}): string {
  const body = `0004${Buffer.from(name).toString("hex")}0${level}0${clean ? 2 : 0}${keepAlive.toString(16).padStart(4, "0")}0001${Buffer.from(letter).toString("hex")}`;
  return `10${(body.length / 2).toString(16).padStart(2, "0")}${body}`;
}

interface LogRow {
  readonly what: string;
  readonly act: () => Promise<unknown>;
  /** The line that mosquitto writes then. */
  readonly line: RegExp;
  readonly meaning: MeaningKey;
  readonly peers?: readonly PeerName[];
}

const place = (port: number): string[] => ["-h", "localhost", "-p", String(port)];
const message = ["-t", "t", "-m", "x"];
const pub = (...args: readonly string[]) => startPeer("mosquitto_pub", args).end();

const LOG_ROWS: readonly LogRow[] = [
  {
    what: "one client identifier twice",
    act: async () => {
      await say(broker.ports.plain, connectHex("a"));
      await say(broker.ports.plain, connectHex("a"));
    },
    line: /already connected/,
    meaning: "session-taken-over",
  },
  {
    what: "HTTP on the plain port",
    act: () => say(broker.ports.plain, Buffer.from("GET / HTTP/1.1\r\n\r\n").toString("hex")),
    line: /<unknown> (?:disconnected|closed)/,
    meaning: "not-mqtt",
  },
  {
    what: "a TLS hello on the plain port",
    act: () => say(broker.ports.plain, "1603010005010000010303"),
    line: /<unknown> (?:disconnected|closed)/,
    meaning: "not-mqtt",
  },
  {
    what: "a version that there is not",
    act: () => say(broker.ports.plain, connectHex("b", { level: 6 })),
    line: /Invalid protocol version/,
    meaning: "protocol-version-refused",
  },
  {
    what: "a protocol that is none",
    act: () => say(broker.ports.plain, connectHex("c", { name: "MQTX" })),
    line: /Invalid protocol "/,
    meaning: "not-mqtt",
  },
  {
    what: "a second CONNECT",
    act: () => say(broker.ports.plain, connectHex("d"), connectHex("d")),
    line: /sending multiple CONNECT/,
    meaning: "protocol-error",
  },
  {
    what: "no DISCONNECT",
    act: async () => {
      const socket = await say(broker.ports.plain, connectHex("e"));
      await once(socket, "data");
      socket.destroy();
    },
    line: /closed its connection/,
    meaning: "closed-without-disconnect",
  },
  {
    what: "no identifier and no clean session",
    act: () => say(broker.ports.plain, "100c00044d5154540400003c0000"),
    line: /\(0, 2\)/,
    meaning: "identifier-refused",
  },
  {
    what: "a packet of 3,000 bytes",
    act: () => say(broker.ports.plain, connectHex("f"), `30b817000174${"00".repeat(2997)}`),
    line: /oversize packet/,
    meaning: "packet-too-large",
  },
  {
    what: "a topic that is no UTF-8",
    act: () => say(broker.ports.plain, connectHex("g"), "3005000280ff78"),
    line: /[Mm]alformed packet/,
    meaning: "malformed-packet",
  },
  {
    what: "silence beyond the keep-alive",
    act: () => say(broker.ports.plain, connectHex("h", { keepAlive: 1 })),
    line: /exceeded timeout/,
    meaning: "client-silent",
  },
  {
    what: "a listener that takes one client",
    act: async () => {
      await say(broker.ports.few, connectHex("i"));
      await say(broker.ports.few, connectHex("j"));
    },
    line: /max_connections exceeded/,
    meaning: "too-many-connections",
  },
  {
    what: "a client that is not there, and its queue",
    act: async () => {
      const socket = await say(
        broker.ports.plain,
        connectHex("k", { clean: false }),
        "820600010001710131".replace("0131", "01"),
      );
      await once(socket, "data");
      socket.destroy();
      const publish = (id: number): string => `320600017100${id.toString(16).padStart(2, "0")}78`;
      await say(broker.ports.plain, connectHex("l"), ...[1, 2, 3, 4].map(publish));
    },
    line: /being dropped for client k/,
    meaning: "messages-dropped",
  },
  {
    what: "rules that deny a message",
    act: () => pub(...place(broker.ports.rules), ...message),
    line: /Denied PUBLISH/,
    meaning: "acl-denied",
    peers: ["mosquitto_pub"],
  },
  {
    what: "a wrong password",
    act: () => pub(...place(broker.ports.users), ...message, "-u", "somebody", "-P", "wrong"),
    line: /CONNACK to \S+ \(0, 5\)/,
    meaning: "not-authorised",
    peers: ["mosquitto_pub"],
  },
  {
    what: "no password",
    act: () => pub(...place(broker.ports.users), ...message, "-V", "5"),
    line: /CONNACK to \S+ \(0, 135\)/,
    meaning: "not-authorised",
    peers: ["mosquitto_pub"],
  },
  {
    what: "a plain client on the TLS port",
    act: () => say(broker.ports.tls, connectHex("m")),
    line: /wrong version number/,
    meaning: "plain-on-tls-port",
  },
  {
    what: "a client that does not know the CA",
    act: () => pub(...place(broker.ports.tls), ...message, "--cafile", broker.certificates.path("stranger.pem")),
    line: /OpenSSL Error[\s\S]*<unknown>/,
    meaning: "client-certificate-unknown",
    peers: ["mosquitto_pub"],
  },
  {
    what: "a client with a clock of 2019",
    act: () =>
      startPeer(
        "mosquitto_pub",
        [...place(broker.ports.tls), ...message, "--cafile", broker.certificates.path("cas.pem")],
        { env: { LD_PRELOAD: libfaketimePath(), FAKETIME: "@2019-12-06 08:59:02", FAKETIME_DONT_FAKE_MONOTONIC: "1" } },
      ).end(),
    line: /OpenSSL Error[\s\S]*<unknown>/,
    meaning: "peer-refused-certificate",
    peers: ["mosquitto_pub", "libfaketime"],
  },
  {
    what: "a client without a certificate",
    act: () =>
      pub(...place(broker.ports.wantsCertificate), ...message, "--cafile", broker.certificates.path("cas.pem")),
    line: /OpenSSL Error[\s\S]*<unknown>/,
    meaning: "client-certificate-missing",
    peers: ["mosquitto_pub"],
  },
];

for (const { what, act, line, meaning, peers = [] } of LOG_ROWS)
  testWithPeers(`the broker's log: ${what}`, ["mosquitto", "openssl", ...peers], async () => {
    const { program } = broker;
    const before = program.errors.length;
    await act();
    const since = (): string => program.errors.slice(before);
    await program.when(() => line.test(since()), String(line));
    const reader = new LogReader();
    for (const one of since().split("\n")) reader.add(one);
    const { problems } = reader.summary();
    const problem = problems.find(({ explanation }) => explanation.key === meaning);
    assert.ok(problem !== undefined, `${problems.map(({ explanation }) => explanation.key)} of\n${since()}`);
    assert.ok(problem.explanation.causes.length > 0 && problem.explanation.causes[0]!.fix.length > 0);
    assert.match(problem.first?.text ?? "", /^20\d\d-/, "the stamp is read");
  });

interface StartRow {
  readonly what: string;
  readonly configuration: () => readonly string[];
  readonly meaning: MeaningKey;
}

const START_ROWS: readonly StartRow[] = [
  {
    what: "a port that is taken",
    configuration: () => [`listener ${broker.ports.plain} 127.0.0.1`],
    meaning: "address-in-use",
  },
  { what: "an option that there is not", configuration: () => ["allow_anonymus true"], meaning: "configuration-error" },
  {
    what: "a certificate that is not there",
    configuration: () => [
      `listener ${broker.ports.unused} 127.0.0.1`,
      "certfile /nowhere.pem",
      `keyfile ${broker.certificates.path("good.key")}`,
    ],
    meaning: "file-missing",
  },
  {
    what: "a key of another certificate",
    configuration: () => [
      `listener ${broker.ports.unused} 127.0.0.1`,
      `certfile ${broker.certificates.path("good.pem")}`,
      `keyfile ${broker.certificates.path("elsewhere.key")}`,
    ],
    meaning: "key-mismatch",
  },
  {
    what: "an address of another machine",
    configuration: () => [`listener ${broker.ports.unused} 192.0.2.1`],
    meaning: "address-not-available",
  },
];

for (const { what, configuration, meaning } of START_ROWS)
  testWithPeers(`mosquitto does not start: ${what}`, ["mosquitto", "openssl"], async () => {
    const file = broker.certificates.path(`start-${meaning}.conf`);
    writeFileSync(file, `${["user root", "log_dest stderr", ...configuration()].join("\n")}\n`);
    const { errors, out } = await startPeer("mosquitto", ["-c", file]).end();
    const keys = explain(errors + out).explanations.map(({ key }) => key);
    assert.equal(keys[0], meaning, errors + out);
  });

const CLIENT_ROWS: readonly (readonly [what: string, args: () => readonly string[], meaning: MeaningKey])[] = [
  ["a port that nothing listens on", () => place(broker.ports.unused), "nothing-listens"],
  ["a name that there is not", () => ["-h", "no-such-host.invalid"], "name-unknown"],
  [
    "a wrong password by 3.1.1",
    () => [...place(broker.ports.users), "-u", "somebody", "-P", "wrong"],
    "not-authorised",
  ],
  [
    "a wrong password by 5.0",
    () => [...place(broker.ports.users), "-V", "5", "-u", "somebody", "-P", "wrong"],
    "not-authorised",
  ],
  ["rules that deny a message by 5.0", () => [...place(broker.ports.rules), "-V", "5", "-q", "1"], "acl-denied"],
  [
    "a certificate for another name",
    () => [...place(broker.ports.elsewhere), "--cafile", broker.certificates.path("cas.pem")],
    "certificate-name",
  ],
  [
    "an unknown CA",
    () => [...place(broker.ports.tls), "--cafile", broker.certificates.path("stranger.pem")],
    "certificate-verify-failed",
  ],
  [
    "TLS to the plain port",
    () => [...place(broker.ports.plain), "--cafile", broker.certificates.path("cas.pem")],
    "tls-closed",
  ],
];

for (const [what, args, meaning] of CLIENT_ROWS)
  testWithPeers(`mosquitto_pub: ${what}`, ["mosquitto", "mosquitto_pub", "openssl"], async () => {
    const { out, errors } = await pub(...args(), ...message, "-d");
    const [first] = explain(out + errors).explanations;
    assert.equal(first?.key, meaning, out + errors);
    assert.ok(first.causes.length > 0 && first.causes[0]!.fix.length > 0);
  });
