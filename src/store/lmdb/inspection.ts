/**
 * Looks at a store's file before LMDB maps it: whether it is a store, of a layout that we know, whole, and which of its records are
 * damaged. It reads with plain reads, so nothing in the file can end the process.
 */
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { crc32, uint32At } from "./bytes.ts";
import { type Damage, WRONG_CHECKSUM } from "./damage.ts";
import { ForeignFile, PageFault, PageFile, ShortFile } from "./page-file.ts";
import { ProcessEnded, StoreError } from "./report.ts";
import { CRC_BYTES, DATABASES, SCHEMA_KEY, SCHEMA_VERSION } from "./schema.ts";

export const DATA_FILE = "data.mdb";
/** Says that the store was closed properly, and how its file was then. */
export const CLEAN_FILE = "clean.json";
/** A file of this size or less with nothing but zeros in it was never written: the machine stopped while it was made. */
const LARGEST_EMPTY_FILE = 131_072;

/** What was found. */
export interface Inspection {
  /** null: there is no store yet. */
  readonly schema: number | null;
  readonly damaged: readonly Damage[];
  readonly records: number;
  readonly pages: number;
  readonly freePages: number;
}

const NO_STORE_YET: Inspection = { schema: null, damaged: [], records: 0, pages: 0, freePages: 0 };

/**
 * Inspects the store in `folder`; every record unless it was closed properly and nobody has touched it since.
 * @throws StoreError when it cannot be used
 */
export function inspectFolder(folder: string): Inspection {
  const path = join(folder, DATA_FILE);
  const isTrusted = existsSync(path) && cleanText(path) === readOrNull(join(folder, CLEAN_FILE));
  return inspectFile(path, isTrusted);
}

/** Notes that the store is closed and its file complete. */
export function markClean(folder: string): void {
  const path = join(folder, CLEAN_FILE);
  writeFileSync(path, cleanText(join(folder, DATA_FILE)), { mode: 0o600 });
}

/** Notes that the store is in use. */
export function markInUse(folder: string): void {
  rmSync(join(folder, CLEAN_FILE), { force: true });
}

function cleanText(path: string): string {
  const { size, mtimeNs, ino } = statSync(path, { bigint: true });
  return JSON.stringify({ size: `${size}`, modifiedNs: `${mtimeNs}`, inode: `${ino}` });
}

function readOrNull(path: string): string | null {
  return existsSync(path) ? readFileSync(path, "utf8") : null;
}

/**
 * Inspects one file.
 * @param isTrusted whether the records need not be looked at
 * @throws StoreError when it cannot be used
 */
export function inspectFile(path: string, isTrusted: boolean): Inspection {
  if (isUnwritten(path)) return NO_STORE_YET;
  return explained(path, () => {
    const file = new PageFile(path);
    try {
      const schema = schemaOf(path, file);
      return isTrusted ? { ...NO_STORE_YET, schema } : { schema, ...recordsOf(file) };
    } finally {
      file.close();
    }
  });
}

/** Whether nothing was ever written to the file. LMDB must not see it then: lmdb-js does not survive that LMDB refuses a file. */
function isUnwritten(path: string): boolean {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0) return true;
  return size <= LARGEST_EMPTY_FILE && readFileSync(path).every((byte) => byte === 0);
}

/** The layout of the store, or null when there is nothing in the file. */
function schemaOf(path: string, file: PageFile): number | null {
  if (file.main.root === -1 && file.fileBytes <= LARGEST_EMPTY_FILE) return null;
  let schema: number | null = null;
  const meta = file.trees().get("meta");
  if (meta !== undefined)
    file.walk(meta, (bytes, keyAt, keyEnd, valueAt, valueEnd, page) => {
      if (Buffer.compare(bytes.subarray(keyAt, keyEnd), SCHEMA_KEY) !== 0) return;
      if (!isWholeRecord(bytes, keyAt, keyEnd, valueAt, valueEnd))
        throw new PageFault(page, "the layout is unreadable");
      schema = uint32At(bytes, valueAt);
    });
  if (schema === null) throw new ForeignFile(0, "it has no layout of ours");
  if (schema > SCHEMA_VERSION)
    throw new StoreError(
      "newer",
      `The store ${path} was written by a later release of Lacewing: its layout is ${schema}, and this release knows ` +
        `${SCHEMA_VERSION} and earlier. Start that release again, or restore a backup that this one has made.`,
    );
  return schema;
}

function recordsOf(file: PageFile): Omit<Inspection, "schema"> {
  const damaged: Damage[] = [];
  let records = 0;
  for (const database of DATABASES) {
    const tree = file.trees().get(database);
    if (tree === undefined || database === "meta") continue;
    file.walk(tree, (bytes, keyAt, keyEnd, valueAt, valueEnd) => {
      records++;
      if (!isWholeRecord(bytes, keyAt, keyEnd, valueAt, valueEnd))
        damaged.push({ database, key: Uint8Array.from(bytes.subarray(keyAt, keyEnd)), reason: WRONG_CHECKSUM });
    });
  }
  return { damaged, records, pages: file.pages, freePages: file.checkFreeList() };
}

/** Whether a record ends with its checksum. */
export function isWholeRecord(
  bytes: Uint8Array,
  keyAt: number,
  keyEnd: number,
  valueAt: number,
  valueEnd: number,
): boolean {
  const end = valueEnd - CRC_BYTES;
  return end >= valueAt && crc32(bytes, valueAt, end, crc32(bytes, keyAt, keyEnd)) === uint32At(bytes, end);
}

/** Runs `read` and says of whatever it throws what it means for the store in `path`. */
export function explained<Result>(path: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw explanationOf(path, error);
  }
}

const REMEDY = "Restore a backup, or keep what can still be read with: lacewing store repair";

/** What went wrong with `path`, in a sentence, and what to do. */
export function explanationOf(path: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  if (error instanceof ForeignFile)
    return new StoreError(
      "foreign",
      `${path} is not a store of Lacewing (${reason}). Move it away, or choose another folder (persistence_location).`,
    );
  if (error instanceof ShortFile)
    return new StoreError("short", `The store ${path} is cut short (${reason}). ${REMEDY} "${dirname(path)}"`);
  if (error instanceof PageFault)
    return new StoreError("damaged", `The store ${path} is damaged (${reason}). ${REMEDY} "${dirname(path)}"`);
  return new StoreError("unusable", `The store ${path} cannot be used: ${reason}. ${remedyFor(error)}`, {
    cause: error,
  });
}

function remedyFor(error: unknown): string {
  if ((error as NodeJS.ErrnoException).code === "ENOSPC")
    return "Make room on its disk, or choose another folder (persistence_location).";
  if (error instanceof ProcessEnded)
    return "Its disk may be full or failing: look at the system's log, or choose another folder (persistence_location).";
  return "Its folder must be one that this user may read and write.";
}
