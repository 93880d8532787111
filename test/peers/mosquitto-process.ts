// Eclipse mosquitto as a broker in a process of its own, on a free port of the loopback interface.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findPeer, startPeer } from "../support/peers.ts";
import type { BrokerProcess } from "./tools-suite.ts";

/** mosquitto with more listeners than its plain one. */
export interface MosquittoProcess<Name extends string> extends BrokerProcess {
  /** By their names. */
  readonly ports: Readonly<Record<Name, number>>;
}

/**
 * Starts it, when it is installed; else what needs it is skipped.
 * @param listeners more listeners: lines of the configuration for each, by a name
 * @param last lines for the end: listeners without a port, as unix sockets
 */
export async function startMosquitto<Name extends string = never>(
  listeners: Readonly<Record<Name, readonly string[]>> = {} as Readonly<Record<Name, readonly string[]>>,
  last: readonly string[] = [],
): Promise<MosquittoProcess<Name>> {
  const ports = {} as Record<Name, number>;
  if (findPeer("mosquitto") === undefined) return { port: 0, ports, stop: async () => {} };
  const folder = mkdtempSync(join(tmpdir(), "lacewing-mosquitto-"));
  const file = join(folder, "mosquitto.conf");
  const port = await freePort();
  // Only what is written to a log file, standard error included, comes at once.
  const lines = [
    "per_listener_settings true",
    "user root",
    "log_dest stderr",
    `listener ${port} 127.0.0.1`,
    "allow_anonymous true",
  ];
  for (const [name, settings] of Object.entries(listeners) as [Name, readonly string[]][]) {
    ports[name] = await freePort();
    lines.push(`listener ${ports[name]} 127.0.0.1`, ...settings);
  }
  writeFileSync(file, `${[...lines, ...last].join("\n")}\n`);
  const program = startPeer("mosquitto", ["-c", file]);
  await program.printed(/running$/m);
  const stop = async () => {
    await program.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  return { port, ports, stop };
}

/** A port that was free a moment ago: mosquitto cannot choose one by itself. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
