/**
 * The Store in an LMDB file. This side turns facts into records and back; the thread beside it (`store-thread.ts`) writes and reads
 * them, so that no disk stops the event loop.
 */
import { mkdirSync } from "node:fs";
import type { Change, Fact, QueuedFact, Store } from "../../core/index.ts";
import { BatchWriter, SessionNumbers } from "./batch.ts";
import { ByteReader, uint16At, uint48At } from "./bytes.ts";
import { DiskSpace } from "./disk-space.ts";
import { FolderLock } from "./folder-lock.ts";
import { explanationOf } from "./inspection.ts";
import { Journal } from "./journal.ts";
import { recordsOf, type StoredRecord } from "./page.ts";
import {
  deliveryFrom,
  messageFrom,
  type Of,
  retainedFrom,
  sessionFrom,
  shareFrom,
  subscriptionFrom,
  willFrom,
} from "./records.ts";
import type { StoreReport } from "./report.ts";
import { CRC_BYTES } from "./schema.ts";
import { StoreThread } from "./thread.ts";
import type { CheckResult, LmdbStats, Reading } from "./thread-protocol.ts";

/** A buffer larger than this is not kept for the next batch. */
const LARGEST_KEPT_BUFFER = 4_194_304;
/** So much may be in the journal and not in the file yet. */
const MOST_BEHIND_BYTES = 33_554_432;
/** What must fit on the disk of a batch in the journal: itself, and what it may take in the file. */
const JOURNAL_GROWTH = 4;
const JOURNAL_BYTES_BESIDES = 524_288;
/** Time between two syncs when nobody waits for them. */
const UNSYNCED_INTERVAL_MS = 5000;

/** What an appended fact survives, and what that costs. */
export type Durability =
  /** Power loss: `append` waits for the disk. */
  | "always"
  /** The end of the process; power loss but for the last `intervalMs`. */
  | { readonly intervalMs: number }
  /** The end of the process. */
  | "none";

export interface LmdbStoreOptions {
  /** Where the files are; made when it is not there. */
  readonly folder: string;
  readonly durability: Durability;
  /** Told what is worth a line in the log. */
  readonly report: (event: StoreReport) => void;
}

/**
 * Opens the store in a folder.
 * @throws StoreError when it cannot be used; its message says why and what to do
 */
export async function openLmdbStore(options: LmdbStoreOptions): Promise<LmdbStore> {
  const { folder, durability, report } = options;
  const lock = await lockFolder(folder);
  const thread = new StoreThread(report);
  try {
    const intervalMs =
      durability === "always" ? 0 : durability === "none" ? UNSYNCED_INTERVAL_MS : durability.intervalMs;
    const { nextSession, sequence } = await thread.call("open", { folder, intervalMs });
    const journal = durability === "always" ? null : await Journal.open(folder, sequence);
    const store = new LmdbStore({ thread, lock, journal, sequence, folder });
    await store.learnSessions(nextSession);
    return store;
  } catch (error) {
    await thread.end();
    lock.release();
    throw error;
  }
}

async function lockFolder(folder: string): Promise<FolderLock> {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return await FolderLock.acquire(folder);
  } catch (error) {
    throw explanationOf(folder, error);
  }
}

interface StoreParts {
  readonly folder: string;
  readonly thread: StoreThread;
  readonly lock: FolderLock;
  /** null: every batch is in the file, and synced, before its promise resolves. */
  readonly journal: Journal | null;
  /** The last batch of an earlier journal that is in the file. */
  readonly sequence: number;
}

/** The Store in an LMDB file. */
export class LmdbStore implements Store {
  readonly survives: "process" | "power-loss";
  readonly #thread: StoreThread;
  readonly #lock: FolderLock;
  readonly #journal: Journal | null;
  readonly #space: DiskSpace;
  readonly #sessions: SessionNumbers = new SessionNumbers();
  #spare: ArrayBuffer | undefined;
  /** The last batch of the journal that is in the file, and bytes of those that are not. */
  #keptSequence: number;
  #behindBytes = 0;
  #isClosed = false;

  /** For `openLmdbStore`. */
  constructor({ thread, lock, journal, sequence, folder }: StoreParts) {
    // The thread reports on the disk.
    this.#space = new DiskSpace(folder, () => {});
    this.#thread = thread;
    this.#lock = lock;
    this.#journal = journal;
    this.#keptSequence = sequence;
    this.survives = journal === null ? "power-loss" : "process";
  }

  /** Reads which Sessions there are. */
  async learnSessions(nextSession: number): Promise<void> {
    for await (const { key, value } of this.#records("sessions"))
      this.#sessions.add(sessionFrom(readerOf(value)).clientId, uint48At(key, 0));
    this.#sessions.startAt(nextSession);
  }

  async append(changes: readonly Change[]): Promise<void> {
    const batch = new BatchWriter(this.#sessions, this.#spare);
    this.#spare = undefined;
    for (const change of changes) batch.add(change);
    try {
      if (batch.length > 0) await (this.#journal === null ? this.#write(batch) : this.#note(batch, this.#journal));
      this.#sessions.keep();
    } catch (error) {
      this.#sessions.takeBack();
      throw error;
    }
  }

  async #write({ buffer, length }: BatchWriter): Promise<void> {
    const answer = await this.#thread.call("append", { buffer, length, sequence: 0 }, [buffer]);
    this.#keepBuffer(answer.buffer);
  }

  #keepBuffer(buffer: ArrayBuffer): void {
    if (buffer.byteLength <= LARGEST_KEPT_BUFFER) this.#spare = buffer;
  }

  /** Writes a batch to the journal, from where it goes to the file while we go on. */
  async #note(batch: BatchWriter, journal: Journal): Promise<void> {
    const { buffer, length } = batch;
    if (!(await this.#makeRoom(length, journal))) return this.#write(batch);
    const sequence = await journal.append(new Uint8Array(buffer, 0, length), this.#keptSequence);
    this.#behindBytes += length;
    this.#thread.call("append", { buffer, length, sequence }, [buffer]).then(
      (answer) => {
        this.#behindBytes -= length;
        this.#keptSequence = Math.max(this.#keptSequence, sequence);
        this.#keepBuffer(answer.buffer);
      },
      () => {
        // The thread has ended, and the next call says so.
      },
    );
  }

  /** Waits for the file when the journal is too far ahead of it. Returns whether the disk has room for both. */
  async #makeRoom(length: number, journal: Journal): Promise<boolean> {
    const hasRoom = (): boolean =>
      this.#space.hasRoomFor((this.#behindBytes + length) * JOURNAL_GROWTH + JOURNAL_BYTES_BESIDES);
    if (this.#behindBytes > MOST_BEHIND_BYTES) await this.#thread.call("flush", null);
    await this.#space.lookWithoutWaiting();
    if (hasRoom()) return true;
    await this.#thread.call("flush", null);
    await journal.trim(this.#keptSequence);
    await this.#space.lookWithoutWaiting();
    return hasRoom();
  }

  async *replay(): AsyncIterable<Fact> {
    for await (const record of this.#records("replay")) {
      const fact = this.#factFrom(record);
      if (fact !== null) yield fact;
    }
  }

  async *#records(what: Reading): AsyncIterable<StoredRecord> {
    const reading = await this.#thread.call("startReading", what);
    let isAtEnd = false;
    try {
      for (;;) {
        const page = await this.#thread.call("readOn", reading);
        isAtEnd = page === null;
        if (page === null) return;
        yield* recordsOf(page);
      }
    } finally {
      if (!isAtEnd) await this.#thread.call("endReading", reading);
    }
  }

  /** What a record says; null when its Session has ended. */
  #factFrom({ from, key, value }: StoredRecord): Fact | null {
    const reader = readerOf(value);
    switch (from) {
      case "clock":
        return { kind: "clock-set", aheadMs: reader.float64() };
      case "next-message":
        return { kind: "next-message", message: uint48At(key, 0) };
      case "messages":
        return messageFrom(uint48At(key, 0), reader);
      case "shares":
        return shareFrom(key, uint48At(key, key.length - 6), reader);
      case "retained":
        return retainedFrom(key, reader);
      default: {
        const clientId = this.#sessions.clientIdOf(uint48At(key, 0));
        return clientId === undefined ? null : factOfSession(clientId, from, key, reader);
      }
    }
  }

  async readQueue(clientId: string, afterOrder: number, limit: number): Promise<readonly QueuedFact[]> {
    const session = this.#sessions.numberOf(clientId);
    if (session === undefined) return [];
    const page = await this.#thread.call("readQueue", { session, afterOrder, limit });
    const facts: QueuedFact[] = [];
    let message: Of<"message-added"> | null = null;
    for (const { from, key, value } of recordsOf(page)) {
      if (from === "messages") message = messageFrom(uint48At(key, 0), readerOf(value));
      else facts.push({ delivery: deliveryFrom(clientId, uint48At(key, 6), readerOf(value)), message: message! });
    }
    return facts;
  }

  /** How large the store is. */
  stats(): Promise<LmdbStats> {
    return this.#thread.call("stats", null);
  }

  /** Looks at every page and record. Appends wait meanwhile. */
  check(): Promise<CheckResult> {
    return this.#thread.call("check", null);
  }

  /**
   * Copies the store as it is now into another folder, where it can be opened; appends go on meanwhile.
   * @param isCompact whether the copy has no free pages, which takes longer
   * @throws when there is a file already
   */
  async backup(folder: string, isCompact: boolean = false): Promise<void> {
    await this.#thread.call("backup", { folder, isCompact });
  }

  /** Writes what is left to be written and lets go of the files. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      await this.#thread.call("close", null);
      await this.#journal?.remove();
    } finally {
      await this.#thread.end();
      this.#lock.release();
    }
  }
}

function readerOf(value: Uint8Array): ByteReader {
  return new ByteReader(value, 0, value.length - CRC_BYTES);
}

function factOfSession(clientId: string, from: StoredRecord["from"], key: Uint8Array, value: ByteReader): Fact | null {
  switch (from) {
    case "sessions":
      return sessionFrom(value);
    case "subscriptions":
      return subscriptionFrom(clientId, key, value);
    case "deliveries":
      return deliveryFrom(clientId, uint48At(key, 6), value);
    case "received":
      return { kind: "received-set", clientId, packetId: uint16At(key, 6) };
    case "wills":
      return willFrom(clientId, value);
    case "queue": {
      const messages = value.float64();
      const payloadBytes = value.float64();
      const firstOrder = value.float64();
      return { kind: "queue", clientId, messages, payloadBytes, firstOrder, lastOrder: value.float64() };
    }
    default:
      return null;
  }
}
