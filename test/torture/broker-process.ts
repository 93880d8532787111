// The broker under torture as a process on one port and one folder: started, killed, started again. Ours, or mosquitto, which is the
// control that must lose. Must not know clients.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { findPeer, startPeer } from "../support/peers.ts";
import { freePort } from "../support/ports.ts";
import { type Ended, Program } from "../support/program.ts";
import { ROOT } from "../support/repository.ts";
import type { Address } from "./link.ts";

const MAIN = join(ROOT, "dist/cli/main.js");
/** How long a broker may take until it accepts connections. */
const START_LIMIT_MS = 60_000;
const RETRY_MS = 5;
const STOP_LIMIT_MS = 20_000;

export interface BrokerKind {
  readonly name: string;
  /** Starts it at `address`, with what it keeps in `folder`. */
  start(address: Address, folder: string, env: Readonly<Record<string, string>>, place: Place): Program;
}

/** Where a broker runs. */
export interface Place {
  readonly host: string;
  /** The words before the command that starts it. */
  readonly command: readonly string[];
}

const HERE: Place = { host: "127.0.0.1", command: [] };

/** Our broker; `settings` as after `--set`. */
export function lacewing(...settings: readonly string[]): BrokerKind {
  return {
    name: `lacewing ${settings.join(" ")}`.trim(),
    start({ host, port }, folder, env, { command }) {
      if (!existsSync(MAIN)) throw new Error("dist/cli/main.js is missing: npm run build.");
      const all = ["persistence=true", `persistence_location=${folder}`, "max_queued_messages=0", ...settings];
      const sets = all.flatMap((setting) => ["--set", setting]);
      const own = ["-p", `${port}`, "--host", host, "--allow-anonymous", ...sets];
      const [program, ...args] = [...command, process.execPath, MAIN, ...own];
      return new Program(program as string, args, { env });
    },
  };
}

/** mosquitto with its persistence on; `lines` of its configuration file. */
export function mosquitto(...lines: readonly string[]): BrokerKind {
  return {
    name: `mosquitto ${findPeer("mosquitto")?.version} ${lines.join(", ")}`.trim(),
    start({ host, port }, folder, env) {
      const file = join(folder, "mosquitto.conf");
      const general = ["persistence true", `persistence_location ${folder}/`, "max_queued_messages 0"];
      const more = ["max_inflight_messages 0", "allow_anonymous true", `listener ${port} ${host}`];
      // As root it would go on as another user, who may not write here.
      const user = process.getuid?.() === 0 ? ["user root"] : [];
      writeFileSync(file, [...general, ...lines, ...user, ...more, ""].join("\n"));
      return startPeer("mosquitto", ["-c", file], { env });
    },
  };
}

export class BrokerProcess {
  readonly address: Address;
  readonly kind: BrokerKind;
  folder: string;
  /** Added to its environment. */
  env: Readonly<Record<string, string>> = {};
  readonly #place: Place;
  #program: Program | undefined;
  #frozen: number[] = [];

  private constructor(kind: BrokerKind, folder: string, port: number, place: Place) {
    this.kind = kind;
    this.folder = folder;
    this.#place = place;
    this.address = { host: place.host, port };
  }

  /** One that will always have the same port. */
  static async on(kind: BrokerKind, folder: string, place: Place = HERE): Promise<BrokerProcess> {
    return new BrokerProcess(kind, folder, await freePort(), place);
  }

  get isRunning(): boolean {
    return this.#program !== undefined;
  }

  get pid(): number {
    return this.#running.pid;
  }

  get #running(): Program {
    if (this.#program === undefined) throw new Error("the broker does not run");
    return this.#program;
  }

  /** Starts it and resolves when it accepts connections, with how long that took in milliseconds. */
  async start(): Promise<number> {
    mkdirSync(this.folder, { recursive: true });
    const startedMs = performance.now();
    const program = this.kind.start(this.address, this.folder, this.env, this.#place);
    this.#program = program;
    let ended: Ended | undefined;
    program.ended.then(
      (how) => {
        ended = how;
      },
      () => {},
    );
    while (!(await accepts(this.address))) {
      if (ended !== undefined) throw new Error(`${this.kind.name} did not start: ${endText(ended)}`);
      if (performance.now() - startedMs > START_LIMIT_MS)
        throw new Error(`${this.kind.name} does not accept connections after ${START_LIMIT_MS / 1000} s`);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
    return performance.now() - startedMs;
  }

  /** What it and the processes that it has started have had in memory at most, mapped files included; each page may count twice. */
  get peakMebibytes(): number {
    const kibibytes = [this.pid, ...childrenOf(this.pid)].map((pid) =>
      Number(/^VmHWM:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0),
    );
    return Math.round(kibibytes.reduce((sum, each) => sum + each, 0) / 1024);
  }

  signal(signal: NodeJS.Signals): void {
    this.#running.signal(signal);
  }

  signalChildren(signal: NodeJS.Signals): void {
    for (const pid of childrenOf(this.pid)) process.kill(pid, signal);
  }

  /** Stops it and the processes that it has started, as a machine does that loses its power. */
  async freeze(): Promise<void> {
    this.signal("SIGSTOP");
    await untilStopped(this.pid);
    // None comes or goes any more.
    this.#frozen = childrenOf(this.pid);
    for (const pid of this.#frozen) process.kill(pid, "SIGSTOP");
    for (const pid of this.#frozen) await untilStopped(pid);
  }

  /** Rejects when it ends by itself. */
  async lives(): Promise<never> {
    throw new Error(`${this.kind.name} ended by itself: ${endText(await this.#running.ended)}`);
  }

  /** What it wrote to standard error. */
  get errors(): string {
    return this.#running.errors;
  }

  /** SIGKILL; resolves when the process is gone, and throws when it had ended before. */
  async kill(): Promise<void> {
    const program = this.#running;
    const { signal, ...ended } = await program.stop("SIGKILL");
    this.#program = undefined;
    // The others end by themselves, unless they cannot.
    for (const pid of this.#frozen.splice(0)) process.kill(pid, "SIGKILL");
    if (signal !== "SIGKILL") throw new Error(`${this.kind.name} ended by itself: ${endText({ signal, ...ended })}`);
  }

  /** SIGTERM; resolves with how it ended. */
  async stop(): Promise<Ended> {
    const program = this.#running;
    this.#program = undefined;
    return program.stop("SIGTERM");
  }
}

/** The processes that one has started and that have not ended. */
function childrenOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return children.split(" ").filter(Boolean).map(Number);
}

/** Resolves when no thread of the process does anything more, not even within a system call. */
async function untilStopped(pid: number): Promise<void> {
  const startedMs = performance.now();
  const tasks = `/proc/${pid}/task`;
  const isStopped = (task: string): boolean => {
    const stat = readFileSync(join(tasks, task, "stat"), "utf8");
    return stat[stat.lastIndexOf(")") + 2] === "T";
  };
  while (!readdirSync(tasks).every(isStopped)) {
    if (performance.now() - startedMs > STOP_LIMIT_MS) throw new Error("a process cannot be stopped");
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

function endText({ code, signal, errors }: Ended): string {
  return `${signal ?? `exit code ${code}`}\n${errors.slice(-4000)}`;
}

function accepts({ host, port }: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
