/**
 * A client's store as one file: changes are written behind each other, each with a checksum, and the file is written anew when most of
 * it no longer counts. A process that is killed loses nothing that it had appended, a power cut nothing whose promise had resolved.
 */
import {
  closeSync,
  copyFileSync,
  fdatasync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  writeSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import type { ClientStore, PairStore, SidedChange } from "./client-store.ts";
import { ClientStoreError } from "./errors.ts";
import { FileLock } from "./file-lock.ts";
import type { SavedSession } from "./session.ts";
import { BATCH_HEAD_BYTES, encodeBatch, encodeRecord, type FoundRecord, recordsAt } from "./store-record.ts";
import { type Stored, StoredSession } from "./stored-session.ts";

/** How a store file is used. */
export interface FileStoreOptions {
  /**
   * What a message survives once it is `stored`: the end of the machine, or only that of the process, which spares slow and short-lived
   * flash. "power-cut".
   */
  readonly survives?: "power-cut" | "process";
}

/** The first bytes of a file; the number is that of the format. */
const CLIENT_HEADER = new TextEncoder().encode("lacewing client store 1\n");
const PAIR_HEADER = new TextEncoder().encode("lacewing bridge store 1\n");

/** A file smaller than this is never written anew. */
const REWRITE_BYTES = 1024 * 1024;
/** Otherwise it is when it is so many times as long as it need be. */
const REWRITE_FACTOR = 3;

/**
 * Opens the store file of one client, or makes it. Give it to `connect` or `MqttClient`, which closes it.
 * @throws ClientStoreError when it cannot be used, or another process uses it
 */
export async function openFileStore(path: string, options: FileStoreOptions = {}): Promise<ClientStore> {
  const store = open(path, CLIENT_HEADER, options);
  return {
    saved: store.saved[0],
    damage: store.damage,
    append: (changes) => store.append(changes.map((change) => ({ side: 0, change }))),
    close: () => store.close(),
  };
}

/**
 * Opens the store file of two Sessions, or makes it.
 * @throws ClientStoreError when it cannot be used, or another process uses it
 */
export async function openPairStore(path: string, options: FileStoreOptions = {}): Promise<PairStore> {
  return open(path, PAIR_HEADER, options);
}

function open(path: string, header: Uint8Array, options: FileStoreOptions): FileStore {
  const full = resolve(path);
  const lock = acquire(full);
  try {
    return new FileStore(full, lock, header, options);
  } catch (error) {
    lock.release();
    throw failure(full, error);
  }
}

function acquire(path: string): FileLock {
  let lock: FileLock | number;
  try {
    lock = FileLock.acquire(`${path}.lock`);
  } catch (error) {
    throw failure(path, error);
  }
  if (typeof lock !== "number") return lock;
  throw new ClientStoreError(
    "store-locked",
    `${path} is in use by the process ${lock}; each client needs a file of its own`,
  );
}

function failure(path: string, cause: unknown): ClientStoreError {
  if (cause instanceof ClientStoreError) return cause;
  return new ClientStoreError("store-failed", `${path}: ${cause instanceof Error ? cause.message : cause}`, cause);
}

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

class FileStore implements PairStore {
  readonly saved: readonly [SavedSession, SavedSession];
  readonly damage: string | null;
  readonly #path: string;
  readonly #lock: FileLock;
  readonly #header: Uint8Array;
  readonly #isSynced: boolean;
  readonly #sessions: readonly [StoredSession, StoredSession] = [new StoredSession(0), new StoredSession(1)];
  #file: number;
  /** Length of the file. */
  #bytes: number;
  #failure: ClientStoreError | null = null;
  /** Whoever waits for the next sync, while one is under way. */
  #waiting: Waiting[] = [];
  #isSyncing = false;
  #closed: Promise<void> | null = null;

  constructor(path: string, lock: FileLock, header: Uint8Array, { survives = "power-cut" }: FileStoreOptions) {
    this.#path = path;
    this.#lock = lock;
    this.#header = header;
    this.#isSynced = survives === "power-cut";
    const bytes = contents(path);
    const { found, damage, end } = bytes === null ? NOTHING : readRecords(path, bytes, header);
    for (const { record, side, start, end: next } of found) this.#sessions[side].apply(record, start, next - start);
    this.saved = [this.#sessions[0].saved(found), this.#sessions[1].saved(found)];
    this.damage = damage;
    this.#bytes = end;
    this.#file = openSync(path, bytes === null ? "w+" : "r+", 0o600);
    if (bytes === null || damage !== null) this.#rewrite();
    // What was cut off within a record must not lie before the next one.
    else if (end < bytes.length) ftruncateSync(this.#file, end);
  }

  append(changes: readonly SidedChange[]): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    try {
      if (changes.length > 0) this.#write(changes);
    } catch (error) {
      return Promise.reject(this.#failed(error));
    }
    if (!this.#isSynced) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      if (!this.#isSyncing) this.#sync();
    });
  }

  #write(changes: readonly SidedChange[]): void {
    const records = changes.map(({ side, change }) => encodeRecord(change, side));
    // Of one Session each record counts for itself; what passes between two must be in one or in the other.
    const isBatch = this.#header === PAIR_HEADER && records.length > 1;
    const bytes = isBatch ? encodeBatch(records) : Buffer.concat(records);
    try {
      writeAll(this.#file, bytes, this.#bytes);
    } catch (error) {
      // A part of it may be there.
      ftruncateSync(this.#file, this.#bytes);
      throw error;
    }
    if (isBatch) this.#bytes += BATCH_HEAD_BYTES;
    changes.forEach(({ side, change }, i) => {
      const { length } = records[i]!;
      this.#sessions[side].apply(change, this.#bytes, length);
      this.#bytes += length;
    });
    const liveBytes = this.#sessions[0].liveBytes + this.#sessions[1].liveBytes;
    if (this.#bytes >= REWRITE_BYTES && this.#bytes > REWRITE_FACTOR * liveBytes && !this.#isSyncing) {
      this.#rewrite();
    }
  }

  #failed(error: unknown): ClientStoreError {
    this.#failure ??= failure(this.#path, error);
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
    return this.#failure;
  }

  /** One sync is for all that was written before it. */
  #sync(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#isSyncing = true;
    fdatasync(this.#file, (error) => {
      this.#isSyncing = false;
      if (error !== null) {
        const failed = this.#failed(error);
        for (const { reject } of waiting) reject(failed);
        return;
      }
      for (const { resolve } of waiting) resolve();
      if (this.#waiting.length > 0) this.#sync();
    });
  }

  /** Writes the file anew with what still counts; the old one is there until the new one is safe. */
  #rewrite(): void {
    const path = `${this.#path}.new`;
    const file = openSync(path, "w+", 0o600);
    const moved: (readonly [Stored, number])[] = [];
    writeAll(file, this.#header, 0);
    let bytes = this.#header.length;
    const read = (start: number, count: number): Uint8Array => readAll(this.#file, start, count);
    for (const session of this.#sessions)
      for (const [record, stored] of session.rewritten(read)) {
        writeAll(file, record, bytes);
        if (stored !== null) moved.push([stored, bytes]);
        bytes += record.length;
      }
    fsyncSync(file);
    renameSync(path, this.#path);
    syncFolder(dirname(this.#path));
    closeSync(this.#file);
    this.#file = file;
    this.#bytes = bytes;
    for (const [stored, start] of moved) stored.start = start;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    try {
      if (this.#failure === null) await this.append([]);
    } finally {
      this.#failure ??= new ClientStoreError("store-failed", `${this.#path} is closed`);
      closeSync(this.#file);
      this.#lock.release();
    }
  }
}

const NOTHING = { found: [], damage: null, end: 0 } as const;

function contents(path: string): Uint8Array | null {
  try {
    const bytes = readFileSync(path);
    // Made, and stopped before the header was written.
    return bytes.length === 0 ? null : bytes;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/** The records of a file, and what is to be told of it. Damaged ones are left out, and a copy of the file is kept then. */
function readRecords(path: string, bytes: Uint8Array, header: Uint8Array) {
  if (!header.every((byte, i) => bytes[i] === byte)) {
    throw new ClientStoreError("store-failed", `${path} is not the store of a client, or of a newer version`);
  }
  const found: FoundRecord[] = [];
  let damaged = 0;
  let at = header.length;
  while (at < bytes.length) {
    const next = recordsAt(bytes, at);
    if (typeof next !== "string") {
      found.push(...next);
      at = next.at(-1)!.end;
      continue;
    }
    const later = recordAfter(bytes, at);
    // A process that was stopped while it wrote leaves a part of a record, a power cut zeros; nothing comes behind them.
    if (later === null && (next === "cut" || bytes.subarray(at).every((byte) => byte === 0))) break;
    damaged++;
    if (later === null) break;
    at = later;
  }
  if (damaged === 0) return { found, damage: null, end: at };
  const copy = `${path}.damaged`;
  copyFileSync(path, copy);
  const damage = `${damaged} records of ${path} are damaged and were left out; a copy of the file is ${copy}.`;
  return { found, damage, end: at };
}

/** Where the next sound record behind `start` begins, or null. */
function recordAfter(bytes: Uint8Array, start: number): number | null {
  for (let at = start + 1; at < bytes.length; at++) {
    if (typeof recordsAt(bytes, at) !== "string") return at;
  }
  return null;
}

function writeAll(file: number, bytes: Uint8Array, at: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done, at + done);
}

function readAll(file: number, start: number, count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  for (let done = 0; done < count; ) {
    const read = readSync(file, bytes, done, count - done, start + done);
    if (read === 0) throw new Error("the file is shorter than it was");
    done += read;
  }
  return bytes;
}

/** So that the name of a new file is as safe as what is in it. */
function syncFolder(path: string): void {
  let folder: number;
  try {
    folder = openSync(path, "r");
  } catch {
    return; // Windows opens no folders.
  }
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
