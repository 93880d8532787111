/** What is done to a whole store beside the broker: checking, compacting, copying, and making room for another. */
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { open as openFile } from "node:fs/promises";
import { join } from "node:path";
import { giveToFolderOwner } from "./folder-owner.ts";
import { FolderLock } from "./lmdb/folder-lock.ts";
import { CLEAN_FILE, DATA_FILE, explanationOf, inspectFile } from "./lmdb/inspection.ts";
import { JOURNAL_FILES } from "./lmdb/journal.ts";
import { openLmdbStore } from "./lmdb/lmdb-store.ts";
import { StoreError, type StoreReport } from "./lmdb/report.ts";
import type { Salvaged } from "./lmdb/salvage.ts";

type Reporter = (event: StoreReport) => void;

/** LMDB's own, beside the data. */
const READERS_FILE = "lock.mdb";
/** Everything that a store may consist of, but for the lock of whoever has it. */
const STORE_FILES = [DATA_FILE, READERS_FILE, CLEAN_FILE, ...JOURNAL_FILES];
/** Where a compacted file grows, in the store's folder. */
const COMPACT_FOLDER = "compacting";
/** Where what can still be read is gathered, in the store's folder. */
const REPAIR_FOLDER = "repairing";

/** What a check has found. */
export interface StoreCheck {
  readonly records: number;
  /** Sentences; empty: the store is sound. */
  readonly problems: readonly string[];
  /** Damaged records that a broker has set aside before. */
  readonly setAside: number;
}

/** Whether there is a store in `folder`. */
export function hasStore(folder: string): boolean {
  return existsSync(join(folder, DATA_FILE));
}

/**
 * Reads every page and record. What is damaged stays as it is.
 * @throws StoreError when the store cannot be read at all, being locked, newer or not ours
 */
export async function checkStore(folder: string, report: Reporter): Promise<StoreCheck> {
  const found = await whileLocked(folder, () => inspected(folder));
  if (found.problems.length > 0) return found;
  // Sound so far: then opening it changes nothing, and shows whether records fit together.
  const store = await openLmdbStore({ folder, durability: "always", report });
  try {
    const [{ records, problems }, { setAside }] = [await store.check(), await store.stats()];
    return { records, problems, setAside };
  } finally {
    await store.close();
  }
}

function inspected(folder: string): StoreCheck {
  try {
    const { records, damaged } = inspectFile(join(folder, DATA_FILE), false);
    const byDatabase = new Map<string, number>();
    for (const { database } of damaged) byDatabase.set(database, (byDatabase.get(database) ?? 0) + 1);
    const problems = [...byDatabase].map(([database, count]) => `${count} damaged in ${database}`);
    return { records, problems, setAside: 0 };
  } catch (error) {
    if (error instanceof StoreError && (error.fault === "short" || error.fault === "damaged"))
      return { records: 0, problems: [error.message], setAside: 0 };
    throw error;
  }
}

async function whileLocked<Result>(folder: string, work: () => Result | Promise<Result>): Promise<Result> {
  const lock = await FolderLock.acquire(folder);
  try {
    return await work();
  } finally {
    lock.release();
  }
}

/** Bytes of the file before and after. */
export interface Compacted {
  readonly beforeBytes: number;
  readonly afterBytes: number;
}

/**
 * Writes the file anew without free pages and puts it in the place of the old one once it is checked and on the disk.
 * @throws StoreError when the store cannot be used, and what the system says; the store is then as it was
 */
export async function compactStore(folder: string, report: Reporter): Promise<Compacted> {
  const made = join(folder, COMPACT_FOLDER);
  const path = join(folder, DATA_FILE);
  rmSync(made, { recursive: true, force: true });
  try {
    const store = await openLmdbStore({ folder, durability: "always", report });
    try {
      await store.backup(made, true);
    } finally {
      await store.close();
    }
    const copied = statSync(path, { bigint: true }).mtimeNs;
    return await whileLocked(folder, async () => {
      if (statSync(path, { bigint: true }).mtimeNs !== copied)
        throw new StoreError("locked", `The store ${folder} was used by another process meanwhile. Try again.`);
      await secure(made);
      const sizes = { beforeBytes: statSync(path).size, afterBytes: statSync(join(made, DATA_FILE)).size };
      renameSync(join(made, DATA_FILE), path);
      rmSync(join(folder, READERS_FILE), { force: true });
      await synced(folder);
      return sizes;
    });
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

/** Checks a copy and waits until it is on the disk. */
async function secure(folder: string): Promise<void> {
  const { damaged } = inspectFile(join(folder, DATA_FILE), false);
  if (damaged.length > 0) throw new StoreError("damaged", `The copy in ${folder} is damaged. The store is as it was.`);
  await synced(join(folder, DATA_FILE));
  await synced(folder);
}

/** Waits until a file or folder is on the disk. */
export async function synced(path: string): Promise<void> {
  const handle = await openFile(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What a backup is of. */
export interface BackedUp {
  readonly bytes: number;
  /** Whether another process had the store. */
  readonly isLive: boolean;
}

/**
 * Copies a store as it is at one moment into a folder that is new or empty, also while a broker has it.
 * @throws StoreError when the store cannot be read, and what the system says; what was written of the copy is removed
 */
export async function backupStore(folder: string, to: string, report: Reporter): Promise<BackedUp> {
  mkdirSync(to, { recursive: true, mode: 0o700 });
  try {
    const isLive = await copied(folder, to, report);
    chmodSync(join(to, DATA_FILE), 0o600);
    await secure(to);
    return { bytes: statSync(join(to, DATA_FILE)).size, isLive };
  } catch (error) {
    for (const name of STORE_FILES) rmSync(join(to, name), { force: true });
    throw error;
  }
}

async function copied(folder: string, to: string, report: Reporter): Promise<boolean> {
  try {
    const store = await openLmdbStore({ folder, durability: "always", report });
    try {
      await store.backup(to);
    } finally {
      await store.close();
    }
    return false;
  } catch (error) {
    if (!(error instanceof StoreError && error.fault === "locked")) throw error;
  }
  try {
    // Only a tool uses LMDB in its own process: a broker does not load it.
    const { copyLiveFile } = await import("./lmdb/environment.ts");
    await copyLiveFile(folder, to);
  } catch (error) {
    throw explanationOf(join(folder, DATA_FILE), error);
  }
  return true;
}

/** What a repair has kept. */
export interface Repaired extends Salvaged {
  /** Where the file is that was there before; null: it had no need of repair. */
  readonly aside: string | null;
}

/**
 * Keeps what can still be read of a store that the broker refuses. A sound one stays as it is.
 * @throws StoreError when nothing can be read of it, and what the system says; the store is then as it was
 */
export async function repairStore(folder: string, report: Reporter, nowMs: number): Promise<Repaired> {
  const made = join(folder, REPAIR_FOLDER);
  const path = join(folder, DATA_FILE);
  return whileLocked(folder, async () => {
    const { problems, records } = inspected(folder);
    if (problems.length === 0) return { records, faults: 0, aside: null };
    rmSync(made, { recursive: true, force: true });
    try {
      // As above, only a tool uses LMDB in its own process.
      const { salvage } = await import("./lmdb/salvage.ts");
      const salvaged = await salvage(folder, made, report);
      if (salvaged.records === 0) throw nothingLeft(path);
      await secure(made);
      const aside = makeAside(folder, nowMs);
      // The journal stays: what it has beyond the file is applied when the store is opened.
      moveFiles(folder, aside, [DATA_FILE, READERS_FILE, CLEAN_FILE]);
      renameSync(join(made, DATA_FILE), path);
      await synced(folder);
      return { ...salvaged, aside };
    } catch (error) {
      throw explanationOf(path, error);
    } finally {
      rmSync(made, { recursive: true, force: true });
    }
  });
}

function nothingLeft(path: string): StoreError {
  return new StoreError(
    "damaged",
    `Nothing can be read of the store ${path} any more. Restore a backup, or move it away to begin anew.`,
  );
}

/**
 * Moves the files of the store in `folder`, sound or not, to a new folder inside of it, and returns that.
 * @param besides names of other files that go with it
 * @throws StoreError when another process has the store
 */
export function moveStoreAside(folder: string, nowMs: number, besides: readonly string[] = []): Promise<string> {
  return whileLocked(folder, () => {
    const aside = makeAside(folder, nowMs);
    moveFiles(folder, aside, [...STORE_FILES, ...besides]);
    return aside;
  });
}

/** After root's work on the store in `folder`: its files belong to who owns that folder, as the broker's user. */
export function leaveToFolderOwner(folder: string): void {
  giveToFolderOwner(folder, STORE_FILES);
}

/** What folders are called that files were moved aside to. */
export const ASIDE_FOLDER: RegExp = /^replaced-\d{4}-\d\d-\d\dT[\d.-]+Z$/;

function makeAside(folder: string, nowMs: number): string {
  const aside = join(folder, `replaced-${new Date(nowMs).toISOString().replaceAll(":", "-")}`);
  mkdirSync(aside, { mode: 0o700 });
  return aside;
}

function moveFiles(from: string, to: string, names: readonly string[]): void {
  for (const name of names) if (existsSync(join(from, name))) renameSync(join(from, name), join(to, name));
}
