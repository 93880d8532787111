// File systems for a test: mounted as root on Linux, and unmounted whatever happens.
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";

/** How long a folder may be in use that is to be unmounted. */
const BUSY_LIMIT_MS = 20_000;
const LOOK_MS = 20;

const mounted = new Set<string>();
process.on("exit", () => {
  for (const folder of mounted) spawnSync("umount", ["-l", folder]);
});

/** Runs a program to its end and returns what it printed; throws when it fails. */
export function runTool(program: string, ...args: readonly string[]): string {
  const { status, error, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (error !== undefined || status !== 0)
    throw new Error(`${program} ${args.join(" ")}: ${error?.message ?? stderr.trim()}`);
  return stdout.trim();
}

/** @param args of the program mount, before the folder */
export function mount(folder: string, ...args: readonly string[]): void {
  mkdirSync(folder, { recursive: true });
  runTool("mount", ...args, folder);
  mounted.add(folder);
}

export function isMounted(folder: string): boolean {
  return mounted.has(folder);
}

/** Waits for processes that are ending and still have files there. */
export function unmount(folder: string): void {
  for (let waitedMs = 0; ; waitedMs += LOOK_MS) {
    try {
      runTool("umount", folder);
      break;
    } catch (error) {
      if (waitedMs >= BUSY_LIMIT_MS || !(error as Error).message.includes("busy")) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_MS);
    }
  }
  mounted.delete(folder);
}

/** Why nothing can be mounted by this process; undefined when something may be. */
export function noMounts(): string | undefined {
  if (process.platform !== "linux") return "mounting is done as on Linux";
  return process.getuid?.() === 0 ? undefined : "mounting needs root";
}
