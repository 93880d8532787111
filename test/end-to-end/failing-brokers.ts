// mosquitto and our broker with one configuration, in which something goes wrong at each listener; and what clients say to them.
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { runTool } from "../cli/tool-run.ts";
import { MAIN } from "../peers/broker-process.ts";
import { temporaryFolder } from "../support/folder.ts";
import { bytesOfHex } from "../support/hex.ts";
import { findPeer, type PeerName, startPeer } from "../support/peers.ts";
import { closedPort, freePorts } from "../support/ports.ts";
import { Program } from "../support/program.ts";
import { Certificates } from "../transport/certificates.ts";

export type BrokerName = "mosquitto" | "lacewing";

/** What a test at a broker needs to be here. */
export const BROKER_PEERS: Readonly<Record<BrokerName, readonly PeerName[]>> = {
  mosquitto: ["mosquitto", "openssl"],
  lacewing: ["openssl"],
};

type ListenerName = "plain" | "users" | "rules" | "mute" | "few" | "tls" | "wantsCertificate" | "elsewhere";

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
  const certificates = new Certificates(temporaryFolder(context));
  const path = (file: string): string => certificates.path(file);
  certificates.make("good", { names: "DNS:localhost,IP:127.0.0.1", usage: "serverAuth" });
  certificates.make("elsewhere", { names: "DNS:elsewhere.example", usage: "serverAuth" });
  certificates.make("expired", { from: "20200101000000Z", until: "20210101000000Z" });
  certificates.make("stranger-client", { ca: "stranger" });
  writeFileSync(path("acl"), "topic read #\n");
  writeFileSync(path("write-acl"), "topic write #\n");
  writeFileSync(path("users"), "");
  await runTool("passwd", ["-b", path("users"), "somebody", "right"]);
  const tls = (file: string): string[] => [
    `certfile ${path(`${file}-chain.pem`)}`,
    `keyfile ${path(`${file}.key`)}`,
    "allow_anonymous true",
  ];
  const settings: Readonly<Record<ListenerName, readonly string[]>> = {
    plain: ["allow_anonymous true"],
    users: ["allow_anonymous false", `password_file ${path("users")}`],
    rules: ["allow_anonymous true", `acl_file ${path("acl")}`],
    mute: ["allow_anonymous true", `acl_file ${path("write-acl")}`],
    few: ["allow_anonymous true", "max_connections 1"],
    tls: tls("good"),
    wantsCertificate: [...tls("good"), `cafile ${path("cas.pem")}`, "require_certificate true"],
    elsewhere: tls("elsewhere"),
  };
  const names = Object.keys(settings) as ListenerName[];
  const free = await freePorts(names.length);
  const ports = { unused: await closedPort() } as Record<ListenerName | "unused", number>;
  const lines = [
    ...["user root", "per_listener_settings true", "log_dest stderr", "log_type all"],
    ...["max_queued_messages 2", "max_packet_size 2000"],
  ];
  for (const [index, listener] of names.entries()) {
    ports[listener] = free[index]!;
    lines.push(`listener ${ports[listener]} 127.0.0.1`, ...settings[listener]);
  }
  const file = path("mosquitto.conf");
  writeFileSync(file, `${lines.join("\n")}\n`);
  const program = startBroker(name, file);
  await program.printed(RUNNING[name]);
  const sockets = new Set<Socket>();
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await program.stop();
  };
  return { program, ports, certificates, sockets, stop };
}

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
