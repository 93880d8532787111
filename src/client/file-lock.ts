/** A file belongs to one process at a time: another file beside it says to which. The lock of a process that is gone does not count. */
import { linkSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";

/** Attempts to take the lock: each one fails only when somebody else takes or leaves it in the same moment. */
const MOST_TURNS = 10;

/** A lock that is held until `release`. */
export class FileLock {
  readonly #path: string;
  readonly #text: string;

  private constructor(path: string, text: string) {
    this.#path = path;
    this.#text = text;
  }

  /** Takes the lock at `path`; returns it, or the number of the process that has it. */
  static acquire(path: string): FileLock | number {
    const text = JSON.stringify({ pid: process.pid, started: startOf(process.pid), boot: bootId() });
    for (let turn = 0; turn < MOST_TURNS; turn++) {
      if (create(path, text)) return new FileLock(path, text);
      const found = textOf(path);
      if (found === null) continue;
      const holder = holderOf(found);
      if (holder !== null) return holder;
      remove(path);
    }
    return 0;
  }

  release(): void {
    if (textOf(this.#path) === this.#text) remove(this.#path);
  }
}

/** Makes the file with its whole text, or not at all. */
function create(path: string, text: string): boolean {
  const own = `${path}.${process.pid}`;
  writeFileSync(own, text, { mode: 0o600 });
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    remove(own);
  }
}

/** The process that holds a lock, or null when it is gone. */
function holderOf(text: string): number | null {
  let holder: { readonly pid?: unknown; readonly started?: unknown; readonly boot?: unknown };
  try {
    holder = JSON.parse(text) as typeof holder;
  } catch {
    return null;
  }
  const { pid, started, boot } = holder;
  if (typeof pid !== "number" || boot !== bootId() || started !== startOf(pid)) return null;
  try {
    process.kill(pid, 0);
    return pid;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM" ? pid : null;
  }
}

/** When a process began, in the system's own count, so that another one with its number is not taken for it; empty where that is not told. */
function startOf(pid: number): string {
  return textOf(`/proc/${pid}/stat`)?.split(") ").at(-1)?.split(" ")[19] ?? "";
}

function bootId(): string {
  return textOf("/proc/sys/kernel/random/boot_id")?.trim() ?? "";
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Somebody else did.
  }
}
