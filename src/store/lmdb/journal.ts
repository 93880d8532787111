/**
 * What the end of the process must not take while the disk is not waited for: batches on their way to the LMDB file, which is synced
 * less often. They are written here without sync; after a power cut, what is missing here is the loss that was chosen.
 */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { crc32, putUint32, putUint48, uint32At, uint48At } from "./bytes.ts";

/** They take turns: one is written to while what the other has goes to the LMDB file. */
export const JOURNAL_FILES = ["journal-0", "journal-1"] as const;
/** A file of this size is changed for the other, once that is no longer needed. */
const FILE_BYTES = 8 * 2 ** 20;
/** Before each batch: its length u32, its number u48, the CRC-32 of number and batch u32. */
const HEAD_BYTES = 14;

/** One of the two. */
interface JournalFile {
  readonly handle: FileHandle;
  bytes: number;
  lastSequence: number;
}

/** A journal that is written to. */
export class Journal {
  readonly #files: readonly JournalFile[];
  #current = 0;
  #sequence: number;

  private constructor(files: readonly JournalFile[], sequence: number) {
    this.#files = files;
    this.#sequence = sequence;
  }

  /** Begins anew behind batch `sequence`; what the files had must be in the LMDB file. */
  static async open(folder: string, sequence: number): Promise<Journal> {
    const files: JournalFile[] = [];
    for (const name of JOURNAL_FILES)
      files.push({ handle: await open(join(folder, name), "w", 0o600), bytes: 0, lastSequence: 0 });
    return new Journal(files, sequence);
  }

  /**
   * Writes a batch and returns its number.
   * @param kept the last batch that the LMDB file has
   * @throws what the system says; the batch then counts as not written
   */
  async append(batch: Uint8Array, kept: number): Promise<number> {
    const file = await this.#fileToUse(kept);
    const sequence = this.#sequence + 1;
    const head = new Uint8Array(HEAD_BYTES);
    putUint32(head, 0, batch.length);
    putUint48(head, 4, sequence);
    putUint32(head, 10, crc32(batch, 0, batch.length, crc32(head, 4, 10)));
    // At a place of our own choice: what a failed write has left is written over.
    const { bytesWritten } = await file.handle.writev([head, batch], file.bytes);
    if (bytesWritten < HEAD_BYTES + batch.length)
      throw Object.assign(new Error("no space left for the store's journal"), { code: "ENOSPC" });
    file.bytes += bytesWritten;
    file.lastSequence = this.#sequence = sequence;
    return sequence;
  }

  async #fileToUse(kept: number): Promise<JournalFile> {
    const file = this.#files[this.#current]!;
    const other = this.#files[1 - this.#current]!;
    if (file.bytes < FILE_BYTES || other.lastSequence > kept) return file;
    await empty(other);
    this.#current = 1 - this.#current;
    return other;
  }

  /** Gives the disk back what is not needed when the LMDB file has batch `kept` and those before it. */
  async trim(kept: number): Promise<void> {
    for (const file of this.#files) if (file.lastSequence <= kept && file.bytes > 0) await empty(file);
  }

  /** Closes the files. */
  async letGo(): Promise<void> {
    for (const { handle } of this.#files) await handle.close();
  }
}

/** Removes the files; everything must be in the LMDB file. */
export function removeJournal(folder: string): void {
  for (const name of JOURNAL_FILES) rmSync(join(folder, name), { force: true });
}

async function empty(file: JournalFile): Promise<void> {
  await file.handle.truncate(0);
  file.bytes = 0;
}

/** A batch found in a journal. */
export interface JournalBatch {
  readonly sequence: number;
  readonly bytes: Uint8Array;
}

/** The batches behind number `kept` that are there without a gap. */
export function readJournal(folder: string, kept: number): JournalBatch[] {
  const found = JOURNAL_FILES.flatMap((name) => [...batchesIn(join(folder, name))]).filter(
    ({ sequence }) => sequence > kept,
  );
  found.sort((a, b) => a.sequence - b.sequence);
  const gap = found.findIndex(({ sequence }, index) => sequence !== kept + 1 + index);
  return gap < 0 ? found : found.slice(0, gap);
}

function* batchesIn(path: string): IterableIterator<JournalBatch> {
  if (!existsSync(path)) return;
  const file = readFileSync(path);
  for (let at = 0; at + HEAD_BYTES <= file.length; ) {
    const end = at + HEAD_BYTES + uint32At(file, at);
    if (end > file.length || end === at + HEAD_BYTES) return;
    const bytes = file.subarray(at + HEAD_BYTES, end);
    if (crc32(bytes, 0, bytes.length, crc32(file, at + 4, at + 10)) !== uint32At(file, at + 10)) return;
    yield { sequence: uint48At(file, at + 4), bytes };
    at = end;
  }
}
