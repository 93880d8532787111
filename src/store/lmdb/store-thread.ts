/**
 * The thread that has the LMDB environment, started by `lmdb-store.ts`: it writes, syncs and reads while the event loop of the broker
 * goes on. All of LMDB is used from here alone.
 */
import { parentPort } from "node:worker_threads";
import { uint48At } from "./bytes.ts";
import { type Environment, openEnvironment } from "./environment.ts";
import { Page } from "./page.ts";
import { type Damage, RecordReader } from "./reading.ts";
import type { CallName, Calls, Opened, Request, Response } from "./thread-protocol.ts";
import { RecordWriter } from "./writing.ts";

/** Wait before what is left of ended Sessions is removed further, in milliseconds. */
const CLEAR_UP_MS = 20;
const NOTHING = new Uint8Array(0);

class StoreThread implements Record<CallName, (argument: never) => unknown> {
  #folder = "";
  #environment: Environment | null = null;
  #reader: RecordReader | null = null;
  #writer: RecordWriter | null = null;
  readonly #readings: Map<number, IterableIterator<Uint8Array<ArrayBuffer>>> = new Map();
  #nextReading = 1;
  #clearing: NodeJS.Timeout | null = null;

  async open({ folder }: { folder: string }): Promise<Opened> {
    this.#folder = folder;
    this.#openEnvironment();
    const { sessions, dropped } = this.#environment!.tables;
    let nextSession = 1;
    for (const table of [sessions, dropped])
      for (const key of table.getKeys({ reverse: true, limit: 1 }))
        nextSession = Math.max(nextSession, uint48At(key, 0) + 1);
    return { nextSession };
  }

  #openEnvironment(): void {
    const environment = openEnvironment(this.#folder);
    let nextMessage = 1;
    for (const key of environment.tables.messages.getKeys({ reverse: true, limit: 1 }))
      nextMessage = uint48At(key, 0) + 1;
    this.#environment = environment;
    this.#writer = new RecordWriter(environment, nextMessage);
    this.#reader = new RecordReader(environment, (damage) => this.#setAside(damage));
  }

  #setAside(_damage: Damage): void {}

  append({ buffer, length }: { buffer: ArrayBuffer; length: number }): { buffer: ArrayBuffer } {
    this.#write(new Uint8Array(buffer, 0, length));
    return { buffer };
  }

  #write(batch: Uint8Array): void {
    if (this.#environment === null) this.#openEnvironment();
    try {
      const isCleared = this.#environment!.root.transactionSync(() => this.#writer!.apply(batch));
      if (!isCleared) this.#clearUpLater();
    } catch (error) {
      this.#abandon();
      throw error;
    }
  }

  /** After a failed commit LMDB may refuse, or worse, what comes next: it starts afresh. */
  #abandon(): void {
    void this.#environment?.root.close();
    this.#environment = this.#writer = this.#reader = null;
  }

  #clearUpLater(): void {
    this.#clearing ??= setTimeout(() => {
      this.#clearing = null;
      this.#write(NOTHING);
    }, CLEAR_UP_MS);
  }

  startReading(what: "replay" | "everything" | "sessions"): number {
    const reading = this.#nextReading++;
    this.#readings.set(reading, this.#pages(what));
    return reading;
  }

  *#pages(what: "replay" | "everything" | "sessions"): IterableIterator<Uint8Array<ArrayBuffer>> {
    if (this.#environment === null) this.#openEnvironment();
    const reader = this.#reader!;
    const records =
      what === "sessions" ? reader.records("sessions") : reader.all(this.#writer!.nextMessage, what === "everything");
    let page = new Page();
    for (const record of records) {
      page.add(record);
      if (!page.isFull) continue;
      yield page.bytes;
      page = new Page();
    }
    yield page.bytes;
  }

  readOn(reading: number): Uint8Array<ArrayBuffer> | null {
    const next = this.#readings.get(reading)?.next();
    if (next !== undefined && next.done !== true) return next.value;
    this.#readings.delete(reading);
    return null;
  }

  endReading(reading: number): null {
    this.#readings.delete(reading);
    return null;
  }

  readQueue(place: Parameters<Calls["readQueue"]>[0]): Uint8Array<ArrayBuffer> {
    if (this.#environment === null) this.#openEnvironment();
    return this.#reader!.queue(place.session, place.afterOrder, place.limit).bytes;
  }

  async close(): Promise<null> {
    if (this.#clearing !== null) clearTimeout(this.#clearing);
    await this.#environment?.root.close();
    this.#environment = null;
    return null;
  }
}

const thread = new StoreThread();

parentPort!.on("message", (request: Request) => {
  void answer(request);
});

async function answer({ id, name, argument }: Request): Promise<void> {
  try {
    const result: unknown = await thread[name](argument as never);
    send({ id, result }, buffersOf(result));
  } catch (error) {
    send({ id, error }, []);
  }
}

function send(response: Response, transfer: ArrayBuffer[]): void {
  parentPort!.postMessage(response, transfer);
}

/** Buffers that go with an answer. */
function buffersOf(result: unknown): ArrayBuffer[] {
  if (result instanceof Uint8Array && result.buffer instanceof ArrayBuffer) return [result.buffer];
  if (typeof result === "object" && result !== null && "buffer" in result && result.buffer instanceof ArrayBuffer)
    return [result.buffer];
  return [];
}
