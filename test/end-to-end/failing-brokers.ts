// mosquitto and our broker with one configuration, in which something goes wrong at each listener; and what clients say to them.
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { startConfigured } from "../beside-mosquitto/broker-pair.ts";
import { runTool } from "../cli/tool-run.ts";
import { MAIN } from "../peers/broker-process.ts";
import { dynamicSecurityPlugin } from "../security/guarded-broker.ts";
import { temporaryFolder } from "../support/folder.ts";
import { bytesOfHex } from "../support/hex.ts";
import { findPeer, type PeerName, startPeer } from "../support/peers.ts";
import { closedPort } from "../support/ports.ts";
import { Program } from "../support/program.ts";
import { Certificates } from "../transport/certificates.ts";

export type BrokerName = "mosquitto" | "lacewing";

/** What a test at a broker needs to be here. */
export const BROKER_PEERS: Readonly<Record<BrokerName, readonly PeerName[]>> = {
  mosquitto: ["mosquitto", "openssl"],
  lacewing: ["openssl"],
};

type ListenerName = keyof ReturnType<typeof listenersOf> | keyof typeof VERSION_LISTENERS;

export interface FailingBroker {
  readonly program: Program;
  readonly ports: Readonly<Record<ListenerName | "unused", number>>;
  readonly certificates: Certificates;
  readonly sockets: Set<Socket>;
  stop(): Promise<void>;
}

/** Starts one when all is here that it needs. */
export async function startFailingBroker(name: BrokerName, context: TestContext): Promise<FailingBroker | null> {
  if (BROKER_PEERS[name].some((peer) => findPeer(peer) === undefined)) return null;
  const certificates = makeCertificates(temporaryFolder(context));
  const path = (file: string): string => certificates.path(file);
  writeFileSync(path("read-acl"), "topic read #\n");
  writeFileSync(path("write-acl"), "topic write #\n");
  writeFileSync(path("dynsec.json"), JSON.stringify(READING_IS_FOR_NOBODY));
  writeFileSync(path("users"), "");
  await runTool("passwd", ["-b", path("users"), "somebody", "right"]);
  const lines = [
    ...["user root", "per_listener_settings true", "log_dest stderr", "log_type all"],
    ...["max_queued_messages 2", "max_packet_size 2000"],
  ];
  for (const [listener, settings] of Object.entries({
    ...listenersOf(path),
    ...(name === "lacewing" && VERSION_LISTENERS),
  }))
    lines.push(`listener @${listener} 127.0.0.1`, ...settings);
  const start = (file: string): Program => startBroker(name, file);
  const { program, ports } = await startConfigured(certificates.folder, { lines }, start, RUNNING[name]);
  const sockets = new Set<Socket>();
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await program.stop();
  };
  const unused = await closedPort();
  return { program, ports: { ...ports, unused } as FailingBroker["ports"], certificates, sockets, stop };
}

/** Listeners that take certain versions of MQTT only, which mosquitto 2.0 cannot be told: our broker has them. */
const VERSION_LISTENERS = {
  threes: ["allow_anonymous true", "accept_protocol_versions 3, 4"],
  fives: ["allow_anonymous true", "accept_protocol_versions 5"],
} as const;

function makeCertificates(folder: string): Certificates {
  const certificates = new Certificates(folder);
  const good = { names: "DNS:localhost,IP:127.0.0.1", usage: "serverAuth" } as const;
  certificates.make("good", good);
  certificates.make("expired", { ...good, from: "20200101000000Z", until: "20210101000000Z" });
  certificates.make("future", { ...good, from: "20450101000000Z", until: "20460101000000Z" });
  certificates.make("elsewhere", { ...good, names: "DNS:elsewhere.example" });
  certificates.makeSelfSigned("self-signed");
  certificates.make("client");
  certificates.make("expired-client", { from: "20200101000000Z", until: "20210101000000Z" });
  certificates.make("stranger-client", { ca: "stranger" });
  return certificates;
}

/** Listeners, each with its own way to fail. */
function listenersOf(path: (file: string) => string) {
  const anonymous = "allow_anonymous true";
  const tls = (certificate: string, key: string = certificate): string[] => [
    anonymous,
    `certfile ${path(`${certificate}.pem`)}`,
    `keyfile ${path(`${key}.key`)}`,
  ];
  return {
    plain: [anonymous],
    users: ["allow_anonymous false", `password_file ${path("users")}`],
    reading: [anonymous, `acl_file ${path("read-acl")}`],
    writing: [anonymous, `acl_file ${path("write-acl")}`],
    dynamic: [anonymous, `plugin ${dynamicSecurityPlugin()}`, `plugin_opt_config_file ${path("dynsec.json")}`],
    few: [anonymous, "max_connections 1"],
    less: [anonymous, "max_qos 1"],
    websockets: [anonymous, "protocol websockets"],
    good: tls("good-chain", "good"),
    expired: tls("expired-chain", "expired"),
    future: tls("future-chain", "future"),
    elsewhere: tls("elsewhere-chain", "elsewhere"),
    selfsigned: tls("self-signed"),
    leaf: tls("good"),
    mutual: [...tls("good-chain", "good"), `cafile ${path("cas.pem")}`, "require_certificate true"],
  } as const;
}

/** Dynamic security under which anybody may write, and read what was written, but not subscribe. */
const READING_IS_FOR_NOBODY = {
  defaultACLAccess: { publishClientSend: true, publishClientReceive: true, subscribe: false, unsubscribe: true },
  clients: [],
  groups: [],
  roles: [],
};

const RUNNING: Readonly<Record<BrokerName, RegExp>> = { mosquitto: /running$/m, lacewing: /running: / };

/** A broker with a configuration. */
export function startBroker(name: BrokerName, file: string): Program {
  if (name === "mosquitto") return startPeer("mosquitto", ["-c", file]);
  return new Program(process.execPath, [MAIN, "-c", file]);
}

/** Says bytes to a listener and stays. */
export async function say(
  { ports, sockets }: FailingBroker,
  listener: ListenerName,
  ...hex: readonly string[]
): Promise<Socket> {
  const socket = connect(ports[listener], "127.0.0.1");
  sockets.add(socket);
  socket.on("error", () => {}).resume();
  await once(socket, "connect");
  for (const part of hex) socket.write(bytesOfHex(part));
  return socket;
}

/** CONNECT with a client identifier of one letter, of 3.1.1 if not said otherwise. */
export function connectHex(letter: string, { clean = true, keepAlive = 60, level = 4, name = "MQTT" } = {}): string {
  const properties = level === 5 ? "00" : "";
  const flags = clean ? 2 : 0;
  const seconds = keepAlive.toString(16).padStart(4, "0");
  const body = `0004${hexOf(name)}0${level}0${flags}${seconds}${properties}0001${hexOf(letter)}`;
  return `10${(body.length / 2).toString(16).padStart(2, "0")}${body}`;
}

export function hexOf(text: string): string {
  return Buffer.from(text).toString("hex");
}

/** The options of mosquitto's tools that name a listener. */
export function place({ ports }: FailingBroker, listener: keyof FailingBroker["ports"]): string[] {
  return ["-h", "localhost", "-p", String(ports[listener])];
}
