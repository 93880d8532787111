/** `lacewing`: runs the broker until a signal ends it. */
import { rmSync, writeFileSync } from "node:fs";
import { type Config, ConfigError, isLocal, type ReadConfig } from "../config/index.ts";
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
import { BROKER_COMMAND, type BrokerArguments, configErrorText, configOf } from "./broker-options.ts";
import { BrokerSignals } from "./broker-signals.ts";
import { CommandLineError, commandLineErrorText, helpText, parseCommandLine } from "./command-line.ts";
import { goOnInBackground, tellSystemd, tellThatWeRun } from "./daemon.ts";
import { leaveRoot } from "./leave-root.ts";
import { type Access, nextSteps } from "./next-steps.ts";

/** Runs the broker and returns the exit code once it has ended. `calledAs`: by the name of a link. */
export async function runBroker(args: readonly string[], calledAs: string | null = null): Promise<number> {
  try {
    const parsed = parseCommandLine(BROKER_COMMAND, args);
    if (parsed.help) {
      process.stdout.write(helpText(BROKER_COMMAND));
      return 0;
    }
    if (parsed.version) {
      process.stdout.write(`lacewing version ${version()}\n`);
      return 0;
    }
    const read = (): ReadConfig => readAgain(parsed, calledAs);
    const first = read();
    if (parsed.testConfig) return tested(first);
    if (parsed.daemon) return await goOnInBackground(args);
    return await run(first, read, { hasFile: parsed.configFile !== undefined, isMosquitto: calledAs === "mosquitto" });
  } catch (error) {
    return failed(error);
  }
}

/** Says that a configuration can be used, and what its reader has to say. */
function tested({ notices, files }: ReadConfig): number {
  const lines = notices.map(({ place, text }) => (place === null ? text : `${text} (${place})`));
  lines.push(files.length > 1 ? "Configuration files are OK." : "Configuration file is OK.");
  process.stderr.write(`${lines.join("\n")}\n`);
  return 0;
}

function readAgain(parsed: BrokerArguments, calledAs: string | null): ReadConfig {
  return configOf(parsed, {
    isMosquitto: calledAs === "mosquitto",
    persistenceLocation: process.env.MOSQUITTO_PERSISTENCE_LOCATION,
  });
}

/** As mosquitto: what was asked for cannot be understood. */
const INVALID = 3;

function failed(error: unknown): number {
  if (error instanceof CommandLineError) {
    process.stderr.write(commandLineErrorText(BROKER_COMMAND, error, "lacewing help broker"));
    return INVALID;
  }
  if (error instanceof ConfigError) {
    process.stderr.write(configErrorText(error));
    return INVALID;
  }
  if (isOfStart(error)) process.stderr.write(`Error: ${error.message}\n`);
  else throw error;
  return 1;
}

function isOfStart(error: unknown): error is Error {
  return [ListenError, StoreError, SecurityError, StartError].some((kind) => error instanceof kind);
}

/** How the broker was asked for. */
interface Asked {
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
