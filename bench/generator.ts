// Runs a load generator as a process and reads its result: mload.c, compiled here, or our own in TypeScript.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RunningBroker } from "./brokers/broker.ts";
import { type LoadResult, parseResult } from "./load/result.ts";
import { ROOT } from "./root.ts";

const OWN = [process.execPath, fileURLToPath(new URL("./load.js", import.meta.url))];
/** Longer than the generators' own limit of time. */
const KILL_MS = 150_000;

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** A way to the broker other than TCP without a name: "users" is with a user name and a password. */
export type Way = "tls" | "websocket" | "users";

export interface Generators {
  readonly mload: readonly string[];
  readonly load: readonly string[];
  /** The ways that are measured with `mload` alone, and can be. */
  readonly ways: readonly Way[];
  /** What to tell the user: why mload is not used. */
  readonly note: string | undefined;
}

/** Compiles mload.c; without a C compiler our own generator stands in for it. */
export function findGenerators(): Generators {
  const folder = join(ROOT, "build/bench");
  const program = join(folder, "mload");
  // Renamed when it is whole: another run may be using the program right now.
  const fresh = `${program}-${process.pid}`;
  mkdirSync(folder, { recursive: true });
  const compiler = process.env.CC ?? "cc";
  const compile = (...more: readonly string[]) =>
    spawnSync(compiler, ["-O2", "-o", fresh, join(ROOT, "bench/mload.c"), ...more], { encoding: "utf8" });
  if (compile("-DWITH_TLS", "-lssl", "-lcrypto").status === 0) {
    renameSync(fresh, program);
    return { mload: [program], load: OWN, ways: ["tls", "websocket", "users"], note: undefined };
  }
  const { status, error, stderr } = compile();
  if (status === 0) {
    renameSync(fresh, program);
    return { mload: [program], load: OWN, ways: ["websocket", "users"], note: undefined };
  }
  const why =
    error === undefined ? `cannot compile bench/mload.c: ${stderr.trim().split("\n")[0]}` : "is not installed";
  const note = `The C compiler "${compiler}" ${why}; the generator in TypeScript stands in, at lower rates.`;
  return { mload: OWN, load: OWN, ways: [], note };
}

/** Runs a generator against `broker`; throws when it fails or gives no result. */
export async function runGenerator(
  program: readonly string[],
  args: readonly string[],
  broker: RunningBroker,
): Promise<LoadResult> {
  const [command, ...first] = program;
  const all = [...first, ...args, "-j", "-p", String(broker.port), "-i", String(broker.pid)];
  const child = spawn(command as string, all, { stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  const timer = setTimeout(() => child.kill("SIGKILL"), KILL_MS);
  let out = "";
  let errors = "";
  child.stdout.on("data", (text: Buffer) => {
    out += text.toString();
  });
  child.stderr.on("data", (text: Buffer) => {
    errors += text.toString();
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  clearTimeout(timer);
  running.delete(child);
  if (status === 0 || status === 1) return parseResult(out);
  throw new Error(errors.trim().split("\n")[0] || `the generator ended with ${status}`);
}
