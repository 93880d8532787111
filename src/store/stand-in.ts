/**
 * The file that stands for a store where mosquitto would have its database. It holds nothing; but whoever removes it has a broker that
 * begins anew, as by removing a mosquitto.db. The store remembers having put it there: where it never was, its absence says nothing.
 */
import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { explanationOf } from "./lmdb/inspection.ts";
import { ASIDE_FOLDER, moveStoreAside, synced } from "./upkeep.ts";

/** In the store's folder: the path of the file that was made. */
const NOTE_FILE = "stand-in.txt";
/** What bridges keep beside the store. */
const BRIDGE_FILE = /^bridge-.*\.store$/;
/** How one of these files begins. */
export const FIRST_LINE = "This file stands for a store of Lacewing.";
/** More than any of these has; a mosquitto.db may be large. */
const MOST_BYTES = 8192;

/**
 * Empties the store in `folder` when the file that stands for it has been removed. Returns where its files are now; null: it goes on.
 * What was moved away so before is gone then: a script may remove the file at each start.
 * @throws StoreError when another process has the store, or the system does not say whether the file is there
 */
export async function heedStandIn(folder: string, path: string, nowMs: number): Promise<string | null> {
  try {
    if (exists(path) || noted(folder) !== resolve(path)) return null;
    const entries = readdirSync(folder, { withFileTypes: true });
    const ofBridges = entries.map(({ name }) => name).filter((name) => BRIDGE_FILE.test(name));
    const aside = await moveStoreAside(folder, nowMs, [NOTE_FILE, ...ofBridges]);
    const asides = entries.filter((entry) => entry.isDirectory() && ASIDE_FOLDER.test(entry.name));
    for (const earlier of asides.map(({ name }) => join(folder, name)))
      if (noted(earlier) !== null) rmSync(earlier, { recursive: true, force: true });
    return aside;
  } catch (error) {
    throw explanationOf(folder, error);
  }
}

/** Puts the file at `path` that stands for the store in `folder`. A file of somebody else stays as it is, and stands for nothing. */
export async function makeStandIn(folder: string, path: string): Promise<void> {
  if (!exists(path)) {
    const text = `${FIRST_LINE} It is in the folder ${resolve(folder)}.\nWithout this file the next start of the broker begins anew.\n`;
    await writeSynced(path, text);
  } else if (!isStandIn(path)) {
    // Whoever removes that one has no other store in mind.
    rmSync(join(folder, NOTE_FILE), { force: true });
    return;
  }
  // After the file itself, so that no crash between the two makes it look removed.
  if (noted(folder) !== resolve(path)) await writeSynced(join(folder, NOTE_FILE), resolve(path));
}

/** Whether a file is one of these, and not a database of mosquitto. One that we may not read is none of ours. */
export function isStandIn(path: string): boolean {
  try {
    const found = statSync(path);
    return found.isFile() && found.size < MOST_BYTES && readFileSync(path, "utf8").startsWith(FIRST_LINE);
  } catch {
    return false;
  }
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function noted(folder: string): string | null {
  const path = join(folder, NOTE_FILE);
  return exists(path) ? readFileSync(path, "utf8") : null;
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await synced(dirname(path));
}
