// A broker as a process: how each kind is started, how we learn that it is ready, and that none outlives us.
// Must not know scenarios.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";

/**
 * "fair" switches off what only some brokers have (Nagle's delay, bounds of queues); "defaults" is as installed. The others are fair
 * and keep messages on disk: "durable" as each broker does by default, "synced" as safely as each can; or they are fair and listen by
 * TLS or WebSocket, or let in the user of rules.ts alone, who is under an ACL of 1,000 rules.
 */
export type Settings = "fair" | "defaults" | "durable" | "synced" | "tls" | "websocket" | "users";

export interface BrokerKind {
  readonly name: string;
  /** MQTT versions as protocol levels of CONNECT. */
  readonly versions: readonly number[];
  readonly settings: readonly Settings[];
  /** Names of the scenarios that it can take part in; all unless set. */
  readonly scenarios?: RegExp;
  /** The version of the program, or undefined when it is absent. */
  find(): string | undefined;
  /** The command that serves MQTT on 127.0.0.1:`port`; it may write its files to `folder`. */
  command(port: number, settings: Settings, folder: string): readonly string[];
}

export interface RunningBroker {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

const READY_LIMIT_MS = 15_000;
const RETRY_MS = 20;
/** A broker that ignores SIGTERM for so long is killed. */
const STOP_LIMIT_MS = 5000;
const ERROR_TEXT_CHARACTERS = 2000;

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Raises the limit of open files as far as allowed, then becomes the command: the process id stays. */
export const RAISE_LIMIT = 'ulimit -n 20000 2>/dev/null || ulimit -n "$(ulimit -Hn)" 2>/dev/null; exec "$@"';

/** Starts a broker and resolves when it accepts connections. What it writes goes to a folder in `parent` that ends with it. */
export async function startBroker(kind: BrokerKind, settings: Settings, parent: string): Promise<RunningBroker> {
  const port = await freePort();
  const folder = mkdtempSync(join(parent, `${kind.name}-`));
  const command = kind.command(port, settings, folder);
  const child = spawn("/bin/sh", ["-c", RAISE_LIMIT, "sh", ...command], {
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
  });
  running.add(child);
  let errors = "";
  child.stderr?.on("data", (text: Buffer) => {
    errors = (errors + text.toString()).slice(-ERROR_TEXT_CHARACTERS);
  });
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => {
      running.delete(child);
      rmSync(folder, { recursive: true, force: true });
      resolve();
    });
  });
  const broker = { port, pid: child.pid ?? 0, stop: () => stop(child, exited) };
  try {
    await untilAccepting(port, () => child.exitCode !== null || child.signalCode !== null);
  } catch (error) {
    await broker.stop();
    throw new Error(`${kind.name} did not start: ${(error as Error).message} ${errors.trim()}`.trim());
  }
  return broker;
}

async function stop(child: ChildProcess, exited: Promise<void>): Promise<void> {
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
  if (running.has(child)) await exited;
  clearTimeout(timer);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

async function untilAccepting(port: number, hasExited: () => boolean): Promise<void> {
  const deadline = performance.now() + READY_LIMIT_MS;
  while (!(await accepts(port))) {
    if (hasExited()) throw new Error("it exited.");
    if (performance.now() > deadline) throw new Error(`no connection within ${READY_LIMIT_MS / 1000} s.`);
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
