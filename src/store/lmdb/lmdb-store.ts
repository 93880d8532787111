/**
 * The Store in an LMDB file. This side turns facts into records and back; a process beside it (`store-child.ts`) writes and reads them, so
 * that no disk stops the event loop, and no broken one the broker.
 */
import { mkdirSync } from "node:fs";
import type { Change, Fact, QueuedFact, Store } from "../../core/index.ts";
import { BatchWriter, SessionNumbers } from "./batch.ts";
import { ByteReader, uint16At, uint48At } from "./bytes.ts";
import type { CheckResult, LmdbStats, Opened, Reading } from "./calls.ts";
import { DiskSpace } from "./disk-space.ts";
import { FolderLock } from "./folder-lock.ts";
import { explanationOf } from "./inspection.ts";
import { Journal, removeJournal } from "./journal.ts";
import { recordsOf, type StoredRecord, visitRecords } from "./page.ts";
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
import { CRC_BYTES, DATABASE } from "./schema.ts";
import { StoreProcess } from "./store-process.ts";

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
  const store = new LmdbStore(options, await lockFolder(options.folder));
  try {
    await store.open();
    return store;
  } catch (error) {
    await store.letGo();
    throw explanationOf(options.folder, error);
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

function intervalOf(durability: Durability): number {
  if (durability === "always") return 0;
  return durability === "none" ? UNSYNCED_INTERVAL_MS : durability.intervalMs;
}

/** The Store in an LMDB file. */
export class LmdbStore implements Store {
  readonly survives: "process" | "power-loss";
  readonly #folder: string;
  readonly #lock: FolderLock;
  readonly #process: StoreProcess;
  readonly #space: DiskSpace;
  readonly #hasJournal: boolean;
  readonly #sessions: SessionNumbers = new SessionNumbers();
  #buffer: ArrayBuffer | undefined;
  /** null: every batch is in the file, and synced, before its promise resolves. */
  #journal: Journal | null = null;
  /** The last batch of the journal that is in the file, and bytes of those that are not. */
  #keptSequence = 0;
  #behindBytes = 0;
  #nextSession = 1;
  #isClosed = false;
  #isAbandoned = false;

  /** For `openLmdbStore`. */
  constructor({ folder, durability, report }: LmdbStoreOptions, lock: FolderLock) {
    this.#folder = folder;
    this.#lock = lock;
    // The other process reports on the disk.
    this.#space = new DiskSpace(folder, () => {});
    this.#hasJournal = durability !== "always";
    this.survives = this.#hasJournal ? "process" : "power-loss";
    this.#process = new StoreProcess({
      folder,
      intervalMs: intervalOf(durability),
      report,
      onStarted: (pid) => lock.setWriter(pid),
      onOpened: (opened) => this.#opened(opened),
    });
  }

  /** For `openLmdbStore`. */
  async open(): Promise<void> {
    await this.#process.ready();
    await this.#learnSessions();
  }

  /** The file is open, the first time or again; what a journal had is in it. */
  async #opened({ nextSession, sequence }: Opened): Promise<void> {
    this.#nextSession = nextSession;
    this.#keptSequence = sequence;
    this.#behindBytes = 0;
    await this.#journal?.letGo();
    this.#journal = this.#hasJournal ? await Journal.open(this.#folder, sequence) : null;
  }

  /** Reads which Sessions there are. */
  async #learnSessions(): Promise<void> {
    for await (const { key, value } of this.#records("sessions"))
      this.#sessions.add(sessionFrom(readerOf(value)).clientId, uint48At(key, 0));
    this.#sessions.startAt(this.#nextSession);
  }

  async append(changes: readonly Change[]): Promise<void> {
    const batch = new BatchWriter(this.#sessions, this.#buffer);
    for (const change of changes) batch.add(change);
    this.#buffer = batch.buffer.byteLength <= LARGEST_KEPT_BUFFER ? batch.buffer : undefined;
    try {
      if (batch.length > 0) await this.#write(new Uint8Array(batch.buffer, 0, batch.length));
      this.#sessions.keep();
    } catch (error) {
      this.#sessions.takeBack();
      throw error;
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    if (this.#hasJournal) {
      // A journal is read, and begun anew, by whoever opens the file.
      await this.#process.ready();
      if (await this.#makeRoom(bytes.length)) return this.#note(bytes);
    }
    await this.#process.call("append", { bytes, sequence: 0 });
  }

  /** Writes a batch to the journal, from where it goes to the file while we go on. */
  async #note(bytes: Uint8Array): Promise<void> {
    const journal = this.#journal!;
    const sequence = await journal.append(bytes, this.#keptSequence);
    this.#behindBytes += bytes.length;
    this.#process.call("append", { bytes, sequence }).then(
      () => {
        if (journal !== this.#journal) return;
        this.#behindBytes -= bytes.length;
        this.#keptSequence = Math.max(this.#keptSequence, sequence);
      },
      () => {
        // The process has ended; the next one finds the batch in the journal.
      },
    );
  }

  /** Waits for the file when the journal is too far ahead of it. Returns whether the disk has room for both. */
  async #makeRoom(length: number): Promise<boolean> {
    const hasRoom = (): boolean =>
      this.#space.hasRoomFor((this.#behindBytes + length) * JOURNAL_GROWTH + JOURNAL_BYTES_BESIDES);
    if (this.#behindBytes > MOST_BEHIND_BYTES) await this.#process.call("flush", null);
    await this.#space.lookWithoutWaiting();
    if (hasRoom()) return true;
    await this.#process.call("flush", null);
    await this.#journal!.trim(this.#keptSequence);
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
    const reading = await this.#process.call("startReading", what);
    const askForNext = (): Promise<Uint8Array | null> => {
      const page = this.#process.call("readOn", reading);
      // It may fail before anybody waits for it.
      page.catch(() => {});
      return page;
    };
    let next = askForNext();
    let isAtEnd = false;
    try {
      for (;;) {
        const page = await next;
        isAtEnd = page === null;
        if (page === null) return;
        // It reads on while this page is taken in.
        next = askForNext();
        yield* recordsOf(plain(page));
      }
    } finally {
      if (!isAtEnd) await this.#process.call("endReading", reading);
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
    return queuedFacts(clientId, plain(await this.#process.call("readQueue", { session, afterOrder, limit })));
  }

  /** How large the store is. */
  stats(): Promise<LmdbStats> {
    return this.#process.call("stats", null);
  }

  /** Looks at every page and record. Appends wait meanwhile. */
  check(): Promise<CheckResult> {
    return this.#process.call("check", null);
  }

  /**
   * Copies the store as it is now into another folder, where it can be opened; appends go on meanwhile.
   * @param isCompact whether the copy has no free pages, which takes longer
   * @throws when there is a file already
   */
  async backup(folder: string, isCompact: boolean = false): Promise<void> {
    await this.#process.call("backup", { folder, isCompact });
  }

  /** Writes what is left to be written and lets go of the files. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      await this.#process.call("close", null);
      await this.#journal?.letGo();
      if (this.#hasJournal) removeJournal(this.#folder);
    } finally {
      await this.letGo();
    }
  }

  /**
   * In place of `close` when the disk, or the process, does not answer: waits for nothing and touches no disk. What was appended is
   * kept; the next to open the store looks through it.
   */
  abandon(): void {
    this.#isClosed = this.#isAbandoned = true;
    this.#process.abandon();
    this.#lock.abandon();
  }

  /** Ends the process and gives the folder free. */
  async letGo(): Promise<void> {
    if (this.#isAbandoned) return;
    await this.#process.end();
    this.#lock.release();
  }
}

/** The same bytes as what is cut into pieces faster than a Buffer. */
function plain({ buffer, byteOffset, length }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, length);
}

/** The deliveries in a page of a queue, each of which is behind its message. */
function queuedFacts(clientId: string, page: Uint8Array): QueuedFact[] {
  const facts: QueuedFact[] = [];
  let message: Of<"message-added"> | null = null;
  visitRecords(page, (database, keyAt, valueAt, end) => {
    const value = new ByteReader(page, valueAt, end - CRC_BYTES);
    if (database === DATABASE.messages) message = messageFrom(uint48At(page, keyAt), value);
    else facts.push({ delivery: deliveryFrom(clientId, uint48At(page, keyAt + 6), value), message: message! });
  });
  return facts;
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
      const sharedMessages = value.float64();
      const payloadBytes = value.float64();
      const firstOrder = value.float64();
      return {
        kind: "queue",
        clientId,
        messages,
        sharedMessages,
        payloadBytes,
        firstOrder,
        lastOrder: value.float64(),
      };
    }
    default:
      return null;
  }
}
