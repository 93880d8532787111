/**
 * The Store in an LMDB file. This side turns facts into records and back; the thread beside it (`store-thread.ts`) writes and reads
 * them, so that no disk stops the event loop.
 */
import { Worker } from "node:worker_threads";
import type { Change, Fact, QueuedFact, Store } from "../../core/index.ts";
import { BatchWriter, SessionNumbers } from "./batch.ts";
import { ByteReader, uint16At, uint48At } from "./bytes.ts";
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
import type { CallName, Calls, Response } from "./thread-protocol.ts";

/** A buffer larger than this is not kept for the next batch. */
const LARGEST_KEPT_BUFFER = 4_194_304;

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
  const thread = new Thread(options.report);
  try {
    const { nextSession } = await thread.call("open", { folder: options.folder });
    const store = new LmdbStore(thread, options);
    await store.learnSessions(nextSession);
    return store;
  } catch (error) {
    await thread.end();
    throw error;
  }
}

/** The other thread, as a function. */
class Thread {
  readonly #worker: Worker;
  readonly #pending: Map<number, { resolve(result: unknown): void; reject(error: unknown): void }> = new Map();
  #nextId = 1;
  #end: Error | null = null;

  constructor(report: (event: StoreReport) => void) {
    this.#worker = new Worker(new URL("./store-thread.js", import.meta.url), { execArgv: [] });
    this.#worker.unref();
    this.#worker.on("message", (response: Response) => {
      if ("report" in response) report(response.report);
      else this.#answer(response);
    });
    this.#worker.on("error", (error) => this.#ended(error));
    this.#worker.on("exit", () => this.#ended(new Error("the store's thread has ended")));
  }

  call<Name extends CallName>(
    name: Name,
    argument: Parameters<Calls[Name]>[0],
    transfer: ArrayBuffer[] = [],
  ): Promise<ReturnType<Calls[Name]>> {
    if (this.#end !== null) return Promise.reject(this.#end);
    if (this.#pending.size === 0) this.#worker.ref();
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve: resolve as (result: unknown) => void, reject });
      this.#worker.postMessage({ id, name, argument }, transfer);
    });
  }

  #answer(response: Exclude<Response, { report: unknown }>): void {
    const pending = this.#pending.get(response.id);
    this.#pending.delete(response.id);
    if (this.#pending.size === 0) this.#worker.unref();
    if ("error" in response) pending?.reject(response.error);
    else pending?.resolve(response.result);
  }

  #ended(error: Error): void {
    this.#end ??= error;
    for (const { reject } of this.#pending.values()) reject(this.#end);
    this.#pending.clear();
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}

/** The Store in an LMDB file. */
export class LmdbStore implements Store {
  readonly survives: "process" | "power-loss";
  readonly #thread: Thread;
  readonly #sessions: SessionNumbers = new SessionNumbers();
  #spare: ArrayBuffer | undefined;

  /** For `openLmdbStore`. */
  constructor(thread: Thread, options: LmdbStoreOptions) {
    this.#thread = thread;
    this.survives = options.durability === "none" ? "process" : "power-loss";
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
      if (batch.length > 0) {
        const { buffer, length } = batch;
        const answer = await this.#thread.call("append", { buffer, length }, [buffer]);
        if (answer.buffer.byteLength <= LARGEST_KEPT_BUFFER) this.#spare = answer.buffer;
      }
      this.#sessions.keep();
    } catch (error) {
      this.#sessions.takeBack();
      throw error;
    }
  }

  async *replay(): AsyncIterable<Fact> {
    for await (const record of this.#records("replay")) {
      const fact = this.#factFrom(record);
      if (fact !== null) yield fact;
    }
  }

  async *#records(what: "replay" | "everything" | "sessions"): AsyncIterable<StoredRecord> {
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

  /** Writes what is left to be written and lets go of the files. */
  async close(): Promise<void> {
    await this.#thread.call("close", null);
    await this.#thread.end();
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
