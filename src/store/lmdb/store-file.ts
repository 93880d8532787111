/** The LMDB file of a store as its process uses it: opening with all precautions, writing batches, reading, maintenance. */
import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, rmSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { uint48At } from "./bytes.ts";
import type { Batch, CheckResult, LmdbStats, Opened, OpenOptions, QueuePlace, Reading } from "./calls.ts";
import type { Damage } from "./damage.ts";
import { DiskSpace } from "./disk-space.ts";
import { type Environment, entriesOf, freePagesOf, openEnvironment, uint48Value } from "./environment.ts";
import { DATA_FILE, explained, explanationOf, inspectFile, inspectFolder, markClean, markInUse } from "./inspection.ts";
import { readJournal, removeJournal } from "./journal.ts";
import { migrate } from "./migrations.ts";
import { Page } from "./page.ts";
import { recount, referenceProblems, setAside } from "./quarantine.ts";
import { RecordReader } from "./reading.ts";
import type { StoreReport } from "./report.ts";
import { JOURNAL_KEY, SCHEMA_VERSION } from "./schema.ts";
import { RecordWriter } from "./writing.ts";

/** Wait before what is left of ended Sessions is removed further, in milliseconds. */
const CLEAR_UP_MS = 20;
/** So many bytes of batches do not wait for the end of their interval. */
const MOST_WAITING_BYTES = 4 * 2 ** 20;
const MOST_PROBLEMS = 100;
/** Damaged records that are remembered, so that each is reported once. */
const MOST_REPORTED = 100_000;
/** What a batch may take in the file: its records on pages that are half full, and the pages that are copied around them. */
const GROWTH = 3;
const BYTES_BESIDES = 262_144;

/** An environment and what works on it; made anew after a failure. */
interface OpenFile {
  readonly environment: Environment;
  readonly reader: RecordReader;
  readonly writer: RecordWriter;
}

/** A batch that waits for its transaction, and whoever waits for it. */
interface Waiting {
  readonly batch: Batch;
  resolve(answer: null): void;
}

/** For `store-child.ts`. */
export class StoreFile {
  readonly #report: (event: StoreReport) => void;
  #folder = "";
  #intervalMs = 0;
  #space: DiskSpace | null = null;
  #file: OpenFile | null = null;
  #isBroken = false;
  /** Copies that are being made of the environment. */
  #backups = 0;
  /** Damage that reading has come across, and what of it has been reported: what cannot be moved is met again and again. */
  #damages: Damage[] = [];
  readonly #reported: Set<string> = new Set();
  readonly #readings: Map<number, IterableIterator<Uint8Array<ArrayBuffer>>> = new Map();
  #nextReading = 1;
  #clearing: NodeJS.Timeout | null = null;
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #interval: NodeJS.Timeout | null = null;

  constructor(report: (event: StoreReport) => void) {
    this.#report = report;
  }

  open({ folder, intervalMs }: OpenOptions): Opened {
    this.#folder = folder;
    this.#intervalMs = intervalMs;
    this.#space = new DiskSpace(folder, this.#report);
    const { schema, damaged } = explained(join(folder, DATA_FILE), () => inspectFolder(folder));
    return explained(join(folder, DATA_FILE), () => {
      if (schema === null) this.#requireRoomToBegin();
      markInUse(folder);
      if (schema === null) rmSync(join(folder, DATA_FILE), { force: true });
      const { environment } = this.#use();
      migrate(environment);
      if (schema === null) keepFolder(folder);
      if (damaged.length > 0) this.#repair(damaged);
      this.#applyJournal();
      return { nextSession: this.#nextSession(), sequence: this.#sequence() };
    });
  }

  /** lmdb-js does not survive that the first pages of a file cannot be written. */
  #requireRoomToBegin(): void {
    this.#space!.look();
    if (!this.#space!.hasRoomFor(BYTES_BESIDES)) throw this.#space!.shortage();
  }

  /** The environment. After a failed commit LMDB may refuse, or worse, what comes next: then it is opened anew. */
  #use(): OpenFile {
    if (this.#isBroken) this.#letGo();
    if (this.#file !== null) return this.#file;
    const environment = openEnvironment(this.#folder);
    let nextMessage = 1;
    for (const key of environment.tables.messages.getKeys({ reverse: true, limit: 1 }))
      nextMessage = uint48At(key, 0) + 1;
    const reader = new RecordReader(environment, (damage) => this.#noteDamage(damage));
    this.#file = { environment, reader, writer: new RecordWriter(environment, nextMessage) };
    return this.#file;
  }

  #letGo(): void {
    if (this.#backups > 0) throw new Error("the store starts afresh after a failure when the present backup has ended");
    void this.#file?.environment.root.close();
    this.#file = null;
    this.#isBroken = false;
  }

  /** Moves damaged records away, and what cannot be without them. */
  #repair(damaged: readonly Damage[]): void {
    const { environment } = this.#use();
    setAside(environment, damaged, this.#report);
    setAside(environment, recount(environment), this.#report);
  }

  /** Applies what a process that ended suddenly had promised and not yet put into the file. */
  #applyJournal(): void {
    for (const { sequence, bytes } of readJournal(this.#folder, this.#sequence())) this.#commit([bytes], sequence);
    removeJournal(this.#folder);
  }

  #sequence(): number {
    const stored = this.#use().environment.tables.meta.getBinary(JOURNAL_KEY);
    return stored === undefined ? 0 : uint48At(stored, 0);
  }

  #nextSession(): number {
    const { sessions, dropped } = this.#use().environment.tables;
    let next = 1;
    for (const table of [sessions, dropped])
      for (const key of table.getKeys({ reverse: true, limit: 1 })) next = Math.max(next, uint48At(key, 0) + 1);
    return next;
  }

  append(batch: Batch): null | Promise<null> {
    if (batch.sequence === 0) {
      this.flush();
      this.#commit([batch.bytes], batch.sequence);
      return null;
    }
    return new Promise((resolve) => {
      this.#waiting.push({ batch, resolve });
      this.#waitingBytes += batch.bytes.length;
      if (this.#waitingBytes > MOST_WAITING_BYTES) this.#tryToFlush();
      else this.#flushLater();
    });
  }

  #flushLater(): void {
    this.#interval ??= setTimeout(() => {
      this.#interval = null;
      this.#tryToFlush();
    }, this.#intervalMs);
  }

  /** What fails stays and is tried again. */
  #tryToFlush(): void {
    try {
      this.flush();
    } catch {
      this.#flushLater();
    }
  }

  /** Writes all batches that wait. */
  flush(): null {
    const waiting = [...this.#waiting];
    if (waiting.length === 0) return null;
    this.#commit(
      waiting.map(({ batch }) => batch.bytes),
      waiting.at(-1)!.batch.sequence,
    );
    this.#waiting.splice(0, waiting.length);
    this.#waitingBytes = 0;
    for (const { resolve } of waiting) resolve(null);
    return null;
  }

  /** Writes batches in one transaction and waits for the disk. */
  #commit(batches: readonly Uint8Array[], sequence: number): void {
    const { environment, writer } = this.#use();
    this.#requireRoom(environment, batches);
    let hasBegun = false;
    try {
      const isCleared = environment.root.transactionSync(() => {
        let isCleared = true;
        for (const batch of batches) isCleared = writer.apply(batch);
        if (sequence > 0) void environment.tables.meta.put(JOURNAL_KEY, uint48Value(JOURNAL_KEY, sequence));
        this.#space!.requireWritable();
        hasBegun = true;
        return isCleared;
      });
      if (!isCleared) this.#clearUpLater();
    } catch (error) {
      // What was taken back before anything was written has done no harm, and reading goes on.
      this.#isBroken ||= hasBegun;
      throw this.#space!.explained(error);
    }
  }

  /** Refuses what the disk has no room for, nor pages of the file that are free: so ends can always be written. */
  #requireRoom(environment: Environment, batches: readonly Uint8Array[]): void {
    let bytes = 0;
    for (const batch of batches) bytes += batch.length;
    this.#space!.look();
    if (bytes === 0 || this.#space!.hasRoomFor(bytes * GROWTH + BYTES_BESIDES)) return;
    const { freePages, pageBytes } = freePagesOf(environment);
    if (freePages * pageBytes < bytes * GROWTH + BYTES_BESIDES) throw this.#space!.shortage();
  }

  #clearUpLater(): void {
    this.#clearing ??= setTimeout(() => {
      this.#clearing = null;
      try {
        this.#commit([new Uint8Array(0)], 0);
      } catch {
        // The next batch meets the same failure and tells it.
      }
    }, CLEAR_UP_MS);
  }

  startReading(what: Reading): number {
    const reading = this.#nextReading++;
    this.#readings.set(reading, this.#pages(what));
    return reading;
  }

  *#pages(what: Reading): IterableIterator<Uint8Array<ArrayBuffer>> {
    const { reader, writer } = this.#use();
    let page = new Page();
    const records = what === "sessions" ? reader.records("sessions") : reader.all(writer.nextMessage);
    for (const { from, key, value } of records) {
      page.add(from, key, value);
      if (!page.isFull) continue;
      yield page.bytes;
      page = new Page();
    }
    yield page.bytes;
  }

  readOn(reading: number): Uint8Array<ArrayBuffer> | null {
    this.flush();
    const pages = this.#readings.get(reading);
    if (pages === undefined) throw new Error("what was being read was read by a process that has ended");
    const next = pages.next();
    this.#setDamagesAside();
    if (next.done !== true) return next.value;
    this.#readings.delete(reading);
    return null;
  }

  endReading(reading: number): null {
    this.#readings.delete(reading);
    return null;
  }

  readQueue({ session, afterOrder, limit }: QueuePlace): Uint8Array<ArrayBuffer> {
    this.flush();
    const page = this.#use().reader.queue(session, afterOrder, limit);
    this.#setDamagesAside();
    return page.bytes;
  }

  #noteDamage(damage: Damage): void {
    const record = nameOf(damage);
    if (this.#reported.has(record)) return;
    if (this.#reported.size < MOST_REPORTED) this.#reported.add(record);
    this.#damages.push(damage);
  }

  #setDamagesAside(): void {
    if (this.#damages.length === 0) return;
    const damages = this.#damages;
    this.#damages = [];
    try {
      setAside(this.#use().environment, damages, this.#report);
    } catch {
      // They stay where they are, and are met again by the next who reads them.
      for (const damage of damages) this.#reported.delete(nameOf(damage));
      this.#isBroken = true;
    }
  }

  stats(): LmdbStats {
    this.flush();
    const { environment } = this.#use();
    const { freePages, pageBytes } = freePagesOf(environment);
    const entries = entriesOf(environment);
    return {
      schema: SCHEMA_VERSION,
      sessions: entries.sessions,
      subscriptions: entries.subscriptions,
      messages: entries.messages,
      deliveries: entries.deliveries,
      retained: entries.retained,
      setAside: entries.quarantine,
      fileBytes: statSync(join(this.#folder, DATA_FILE)).size,
      freeBytes: freePages * pageBytes,
    };
  }

  /** Looks at every page and record. Nothing writes meanwhile. */
  check(): CheckResult {
    this.flush();
    const path = join(this.#folder, DATA_FILE);
    try {
      const { records, damaged } = inspectFile(path, false);
      const problems = damaged.map((damage) => `${nameOf(damage)}: ${damage.reason}`);
      if (problems.length === 0) problems.push(...referenceProblems(this.#use().environment));
      return { records, problems: problems.slice(0, MOST_PROBLEMS) };
    } catch (error) {
      return { records: 0, problems: [explanationOf(path, error).message] };
    }
  }

  /** Copies the file as it is now while it goes on being used. */
  async backup({ folder, isCompact }: { folder: string; isCompact: boolean }): Promise<null> {
    this.flush();
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { root } = this.#use().environment;
    this.#backups++;
    try {
      await root.backup(folder, isCompact);
    } finally {
      this.#backups--;
    }
    chmodSync(join(folder, DATA_FILE), 0o600);
    return null;
  }

  async close(): Promise<null> {
    if (this.#clearing !== null) clearTimeout(this.#clearing);
    if (this.#interval !== null) clearTimeout(this.#interval);
    this.flush();
    this.#letGo();
    markClean(this.#folder);
    return null;
  }
}

/** Has the disk remember that there is a new file in `folder`, which may be new too. */
function keepFolder(folder: string): void {
  if (process.platform === "win32") return;
  for (const path of [folder, dirname(resolve(folder))]) {
    const descriptor = openSync(path, "r");
    fsyncSync(descriptor);
    closeSync(descriptor);
  }
}

function nameOf({ database, key }: Damage): string {
  return `${database} ${Buffer.from(key).toString("hex")}`;
}
