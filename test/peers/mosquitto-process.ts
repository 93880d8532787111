// Eclipse mosquitto as a broker in a process of its own, on a free port of the loopback interface.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findPeer, startPeer } from "../support/peers.ts";
import { freePorts } from "../support/ports.ts";
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
  const [port = 0, ...others] = await freePorts(1 + Object.keys(listeners).length);
  // Only what is written to a log file, standard error included, comes at once.
  // Started as root it would become a user who may not read our files.
  const lines = [
    "user root",
    "per_listener_settings true",
    "log_dest stderr",
    `listener ${port} 127.0.0.1`,
    "allow_anonymous true",
  ];
  for (const [name, settings] of Object.entries(listeners) as [Name, readonly string[]][]) {
    ports[name] = others.shift() ?? 0;
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
