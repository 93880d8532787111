/** What the commands of `lacewing store` do alike: opening the store that is there, and saying why something was not done. */
import { existsSync } from "node:fs";
import {
  hasStore,
  ImportError,
  type LmdbStore,
  leaveToFolderOwner,
  openLmdbStore,
  StoreError,
  type StoreReport,
} from "../store/index.ts";
import type { ToolIo } from "./output.ts";

/** Something that the user has to know instead of a result; the message is a sentence. */
export class StoreToolError extends Error {
  override readonly name: string = "StoreToolError";
}

/**
 * Runs `work` on the store in `folder`; what can be expected to go wrong becomes a sentence on standard error and exit code 1.
 * What root has written there is left to the folder's owner, or the broker could not become that user any more.
 */
export async function explained(io: ToolIo, folder: string, work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    const sentence = sentenceOf(error);
    if (sentence === null) throw error;
    io.stderr.write(`Error: ${sentence}\n`);
    return 1;
  } finally {
    leaveToFolderOwner(folder);
  }
}

function sentenceOf(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  if (error instanceof StoreToolError) return error.message;
  if (error instanceof StoreError) {
    const advice =
      error.fault === "locked" ? " While it is in use, `lacewing store backup` makes a copy to work with." : "";
    return `${error.message}${advice}`;
  }
  if (error instanceof ImportError) return `${error.message}.`;
  // What the system says, as in "ENOSPC: no space left on device, write".
  return "code" in error ? `${error.message}.` : null;
}

/** @throws StoreToolError when there is no store in `folder` */
export function requireStore(folder: string): void {
  if (hasStore(folder)) return;
  const reason = existsSync(folder) ? "there is no store in that folder" : "there is no such folder";
  throw new StoreToolError(`${folder}: ${reason}. Give the folder that the broker keeps its store in.`);
}

/**
 * Opens the store in `folder` for `work` and closes it again.
 * @throws StoreToolError when there is none
 */
export function withStore<Result>(
  folder: string,
  io: ToolIo,
  work: (store: LmdbStore) => Promise<Result>,
): Promise<Result> {
  requireStore(folder);
  return withNewStore(folder, io, work);
}

/** As `withStore`, but makes the store when it is not there. */
export async function withNewStore<Result>(
  folder: string,
  io: ToolIo,
  work: (store: LmdbStore) => Promise<Result>,
): Promise<Result> {
  const store = await openLmdbStore({ folder, durability: "always", report: reporter(io) });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** Writes what a store reports to standard error. */
export function reporter(io: ToolIo): (event: StoreReport) => void {
  return (event) => {
    io.stderr.write(`${reportText(event)}\n`);
  };
}

function reportText(event: StoreReport): string {
  if (event.kind === "record-set-aside")
    return `A damaged record was set aside (${event.database}, ${event.key}): ${event.reason}.`;
  if (event.kind === "process-ended") return `The process that has the store's file ended by ${event.reason}.`;
  return `${event.state === "low" ? "Little" : "Enough"} of the disk is free: ${bytesText(event.freeBytes)}.`;
}

/** Text of others as it can be shown on a terminal: control characters are escaped. */
export function shown(text: string): string {
  return JSON.stringify(text)
    .slice(1, -1)
    .replace(/[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

const UNITS = ["B", "KB", "MB", "GB", "TB"];

/** A number of bytes for people. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}
