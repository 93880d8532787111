/** What the commands of `lacewing store` do alike: opening the store that is there, and saying why something was not done. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ImportError, type LmdbStore, openLmdbStore, StoreError, type StoreReport } from "../store/index.ts";
import type { ToolIo } from "./output.ts";

/** Something that the user has to know instead of a result; the message is a sentence. */
export class StoreToolError extends Error {
  override readonly name: string = "StoreToolError";
}

/** Runs `work`; what can be expected to go wrong becomes a sentence on standard error and exit code 1. */
export async function explained(io: ToolIo, work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    const sentence = sentenceOf(error);
    if (sentence === null) throw error;
    io.stderr.write(`Error: ${sentence}\n`);
    return 1;
  }
}

function sentenceOf(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  if (error instanceof StoreToolError) return error.message;
  if (error instanceof StoreError) return error.message;
  if (error instanceof ImportError) return `${error.message}.`;
  // What the system says, as in "ENOSPC: no space left on device, write".
  return "syscall" in error ? `${error.message}.` : null;
}

/** Whether there is a store in `folder`. */
export function hasStore(folder: string): boolean {
  return existsSync(join(folder, "data.mdb"));
}

/**
 * Opens the store in `folder` for `work` and closes it again.
 * @throws StoreToolError when there is none
 */
export async function withStore<Result>(
  folder: string,
  io: ToolIo,
  work: (store: LmdbStore) => Promise<Result>,
): Promise<Result> {
  if (!hasStore(folder)) {
    const reason = existsSync(folder) ? "there is no store in that folder" : "there is no such folder";
    throw new StoreToolError(`${folder}: ${reason}. Give the folder that the broker keeps its store in.`);
  }
  return withNewStore(folder, io, work);
}

/** As `withStore`, but makes the store when it is not there. */
export async function withNewStore<Result>(
  folder: string,
  io: ToolIo,
  work: (store: LmdbStore) => Promise<Result>,
): Promise<Result> {
  const report = (event: StoreReport): void => {
    io.stderr.write(`${reportText(event)}\n`);
  };
  const store = await openLmdbStore({ folder, durability: "always", report });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

function reportText(event: StoreReport): string {
  if (event.kind === "record-set-aside")
    return `A record of ${event.database} was set aside, as ${event.reason}; its key is ${event.key}.`;
  return event.state === "low" ? "Little of the disk is free." : "Enough of the disk is free again.";
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

/** "1 session", "2 sessions", "1,000 sessions". */
export function counted(count: number, what: string): string {
  return `${count.toLocaleString("en")} ${what}${count === 1 ? "" : what.endsWith("y") ? "" : "s"}`;
}
