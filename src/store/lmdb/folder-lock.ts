/**
 * A folder belongs to one process: a file in it says to which. LMDB alone would let several write, each with its own idea of what
 * there is. The lock of a process that is gone does not count, also when its number has been given to another one.
 */
import {
  linkSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  utimes,
  writeFileSync,
} from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { StoreError } from "./report.ts";

const LOCK_FILE = "lock.json";
/** A holder that we cannot ask the system about, as it runs in another container, shows this often that it is alive. */
const BEAT_MS = 1000;
const SILENCE_MS = 3500;
/** A writer whose holder is gone ends with its present transaction, which a slow disk may make long. */
const WRITER_ENDS_MS = 60_000;
const WRITER_LOOK_MS = 10;
/** In place of the start of a process that has ended and that nobody has asked about yet: it still has its number. */
const HAS_ENDED = "ended";

/** Who holds a lock. What the system does not tell is empty. */
interface Holder {
  readonly pid: number;
  /** A process of ours that may still write when we are gone; 0: none. */
  readonly writer: number;
  readonly writerStarted: string;
  /** When the process began, so that another one with its number is not taken for it. */
  readonly started: string;
  readonly boot: string;
  readonly host: string;
  /** Numbers of processes mean nothing outside of this. */
  readonly namespace: string;
}

/** A lock that is held until `release`. */
export class FolderLock {
  readonly #path: string;
  #text: string;
  readonly #beat: NodeJS.Timeout;
  #isTouching = false;

  private constructor(path: string, text: string) {
    this.#path = path;
    this.#text = text;
    this.#beat = setInterval(() => this.#touch(), BEAT_MS).unref();
  }

  /**
   * Takes the lock of `folder`.
   * @throws StoreError "locked" when another process, or this one, has it
   */
  static async acquire(folder: string): Promise<FolderLock> {
    const path = join(folder, LOCK_FILE);
    const text = JSON.stringify(thisProcess());
    // Each turn either takes the lock or removes one that nobody holds.
    for (let turns = 0; turns < 10; turns++) {
      if (tryToCreate(path, text)) return new FolderLock(path, text);
      const found = read(path);
      if (found === null) continue;
      if (await isHeld(path, found)) throw lockedError(folder, found);
      removeStale(path, found);
    }
    throw new StoreError("locked", `The store ${folder} is being opened by several processes at once.`);
  }

  /** Says which process of ours writes in the folder from now on. */
  async setWriter(pid: number): Promise<void> {
    const text = JSON.stringify({ ...thisProcess(), writer: pid, writerStarted: startOf(pid) });
    const own = ownName(this.#path);
    await writeFile(own, text, { mode: 0o600, flag: "wx" });
    await rename(own, this.#path);
    this.#text = text;
  }

  /** Without waiting: a disk that hangs must not stop the process. */
  #touch(): void {
    if (this.#isTouching) return;
    this.#isTouching = true;
    const now = new Date();
    utimes(this.#path, now, now, () => {
      // When it fails, whoever looks takes the lock from us, and LMDB still keeps us apart.
      this.#isTouching = false;
    });
  }

  /** Leaves the lock where it is, for whoever comes next to find that nobody holds it. Touches no disk. */
  abandon(): void {
    clearInterval(this.#beat);
  }

  release(): void {
    clearInterval(this.#beat);
    if (read(this.#path) === this.#text) unlinkSync(this.#path);
  }
}

function ownName(path: string): string {
  return `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
}

/** Makes the file with its whole text, or not at all. */
function tryToCreate(path: string, text: string): boolean {
  const own = ownName(path);
  try {
    writeFileSync(own, text, { mode: 0o600, flag: "wx" });
    linkSync(own, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/** Removes the lock with this text, and no other that has taken its place meanwhile. */
function removeStale(path: string, text: string): void {
  const aside = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  if (read(aside) !== text) {
    try {
      linkSync(aside, path);
    } catch {
      // Somebody else has it by now.
    }
  }
  unlinkSync(aside);
}

async function isHeld(path: string, text: string): Promise<boolean> {
  const holder = holderFrom(text);
  if (holder === null) return false;
  const own = thisProcess();
  if (holder.host !== own.host && holder.boot !== own.boot) return isBeating(path);
  if (holder.boot !== own.boot) return false;
  if (holder.namespace !== own.namespace) return isBeating(path);
  if (isRunning(holder.pid, holder.started)) return true;
  for (let waitedMs = 0; isRunning(holder.writer, holder.writerStarted); waitedMs += WRITER_LOOK_MS) {
    if (waitedMs >= WRITER_ENDS_MS) return true;
    await delay(WRITER_LOOK_MS);
  }
  return false;
}

function isRunning(pid: number, started: string): boolean {
  return pid > 0 && startOf(pid) === started && isAlive(pid);
}

/** Whether the holder touches its file while we wait. */
async function isBeating(path: string): Promise<boolean> {
  const before = modifiedMs(path);
  for (let waitedMs = 0; waitedMs < SILENCE_MS; waitedMs += BEAT_MS / 4) {
    await delay(BEAT_MS / 4);
    if (modifiedMs(path) !== before) return true;
  }
  return false;
}

function modifiedMs(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function holderFrom(text: string): Holder | null {
  try {
    const holder: unknown = JSON.parse(text);
    return typeof holder === "object" && holder !== null && "pid" in holder ? (holder as Holder) : null;
  } catch {
    return null;
  }
}

function thisProcess(): Holder {
  return {
    pid: process.pid,
    started: startOf(process.pid),
    writer: 0,
    writerStarted: "",
    boot: systemText("/proc/sys/kernel/random/boot_id"),
    host: hostname(),
    namespace: linkText("/proc/self/ns/pid"),
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** When a process began, in the system's own count; empty where that is not told. */
function startOf(pid: number): string {
  // The name in parentheses may have spaces and parentheses; behind it are the state and, as the 20th field, the start.
  const fields = systemText(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ") ?? [];
  return fields[0] === "Z" || fields[0] === "X" ? HAS_ENDED : (fields[19] ?? "");
}

function systemText(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}

function linkText(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

function lockedError(folder: string, text: string): StoreError {
  const holder = holderFrom(text);
  const who =
    holder?.pid === process.pid
      ? "this process"
      : `process ${holder?.pid}${holder?.host === hostname() ? "" : ` on ${holder?.host}`}`;
  return new StoreError(
    "locked",
    `The store ${folder} is in use by ${who}. Stop that one first, or give this one another folder (persistence_location).`,
  );
}
