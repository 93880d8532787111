/** The broker from a configuration that was read until a signal ends it. */
import { rmSync, writeFileSync } from "node:fs";
import { type Config, isLocal, type ReadConfig } from "../config/index.ts";
import { version } from "../config/version.ts";
import {
  ListenError,
  reserveLowPorts,
  SecurityError,
  type Server,
  StartError,
  StoreError,
  startServer,
} from "../server/index.ts";
import { closeSockets } from "../transport/index.ts";
import { BrokerSignals } from "./broker-signals.ts";
import { tellSystemd, tellThatWeRun } from "./daemon.ts";
import { leaveRoot } from "./leave-root.ts";
import { type Access, nextSteps } from "./next-steps.ts";

/** How the broker was asked for. */
export interface Asked {
  /** Without a configuration file the terminal is told what to try next. */
  readonly hasFile: boolean;
  /** By the name of a link. */
  readonly isMosquitto: boolean;
}

/** Starts it; before that, a process of root opens what only root may, and becomes another user. */
async function start(first: ReadConfig, { hasFile, isMosquitto }: Asked): Promise<Server> {
  const { config, notices } = first;
  const sockets = process.geteuid?.() === 0 ? await reserveLowPorts(config.listeners) : [];
  try {
    const told = leaveRoot(first, hasFile || isMosquitto, process.env);
    return await startServer(config, null, { notices: [...notices, ...told], sockets });
  } catch (error) {
    // Open ones would keep the process from ending.
    closeSockets(sockets);
    throw error;
  }
}

/** As mosquitto: a file of users or rules, or a plugin, cannot be had. */
const UNOPENED = 13;
/** As mosquitto: what it says cannot be used. */
const UNUSABLE = 3;

/**
 * Runs it and returns the exit code once it has ended.
 * @param read reads the configuration anew
 */
export async function startBroker(first: ReadConfig, read: () => ReadConfig, asked: Asked): Promise<number> {
  try {
    return await run(first, read, asked);
  } catch (error) {
    if (!isOfStart(error)) throw error;
    process.stderr.write(`Error: ${error.message}\n`);
    return error instanceof SecurityError ? (error.isUnopened ? UNOPENED : UNUSABLE) : 1;
  }
}

function isOfStart(error: unknown): error is Error {
  return [ListenError, StoreError, SecurityError, StartError].some((kind) => error instanceof kind);
}

async function run(first: ReadConfig, read: () => ReadConfig, asked: Asked): Promise<number> {
  const { config } = first;
  // Nobody reading the log any more is no reason to end.
  process.stdout.on("error", () => {});
  process.stderr.on("error", () => {});
  const server = await start(first, asked);
  // Also when a fault ends the process: the last lines are those that tell of it.
  process.once("exit", () => server.log.flush());
  const { pidFile } = config.process;
  if (pidFile !== null) writePidFile(pidFile, server);
  const signals = new BrokerSignals(server, read); // before the line that says we run: who reads it may end us at once
  const addresses = server.listeners.map((listener) => listener.address).join(" and ");
  const access = accessTo(config);
  server.log.write("information", `lacewing version ${version()} running: ${addresses}, open to ${WHO[access]}.`);
  server.log.flush();
  if (!asked.hasFile) process.stdout.write(nextSteps(server.listeners, access));
  tellThatWeRun();
  tellSystemd("READY=1");
  const exitCode = await signals.ended;
  if (pidFile !== null) rmSync(pidFile, { force: true });
  return exitCode;
}

function writePidFile(path: string, server: Server): void {
  try {
    writeFileSync(path, `${process.pid}\n`);
  } catch (error) {
    server.log.write("error", `Error: Unable to write pid file '${path}'. ${(error as Error).message}.`);
  }
}

const WHO: Readonly<Record<Access, string>> = {
  local: "clients on this machine",
  everybody: "all clients, without passwords",
  nobody: "nobody",
  users: "clients that prove who they are",
};

function accessTo({ listeners }: Config): Access {
  if (listeners.some((listener) => listener.allowAnonymous && !isLocal(listener))) return "everybody";
  if (listeners.some(({ allowAnonymous }) => allowAnonymous)) return "local";
  const isProven = listeners.some(
    ({ psk, tls, proxyRequiresCertificate }) =>
      psk !== null || proxyRequiresCertificate || tls?.requireCertificate === true,
  );
  return isProven || listeners.some(({ security }) => knowsUsers(security)) ? "users" : "nobody";
}

function knowsUsers({ passwordFile, plugins }: Config["listeners"][number]["security"]): boolean {
  return passwordFile !== null || plugins.length > 0;
}
