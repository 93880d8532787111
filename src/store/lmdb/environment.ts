/** The LMDB environment of a store, as the one process that uses it opens it. */
import { accessSync, closeSync, constants, existsSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Database, open, type RootDatabase } from "lmdb";
import { crc32, putUint32, putUint48, uint32At } from "./bytes.ts";
import { CRC_BYTES, DATABASES, type DatabaseName } from "./schema.ts";

/**
 * Address space kept for the file, in bytes; it takes no memory. LMDB maps the file anew when it outgrows this. Where the process has
 * less, it gets this part: lmdb-js does not survive that the system refuses.
 */
const MAP_BYTES = 2 ** 40;
const PART_OF_ADDRESS_SPACE = 1 / 8;
const LARGEST_PAGE = 65_536;

function mapBytes(): number {
  let limits = "";
  try {
    limits = readFileSync("/proc/self/limits", "utf8");
  } catch {
    // Only Linux says.
  }
  const limit = Number(/^Max address space +(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
  const pages = Math.floor((limit * PART_OF_ADDRESS_SPACE) / LARGEST_PAGE);
  return Math.min(MAP_BYTES, pages * LARGEST_PAGE);
}

export type Table = Database<Uint8Array, Uint8Array>;

/** An open environment. */
export interface Environment {
  readonly root: RootDatabase<Uint8Array, Uint8Array>;
  readonly tables: Readonly<Record<DatabaseName, Table>>;
}

/** LMDB's files in the store's folder: the data, and who reads them. */
const FILES = ["data.mdb", "lock.mdb"];
/** LMDB opens the data twice; one more is to spare. */
const DESCRIPTORS = 4;

/**
 * Makes sure that LMDB will get the files and descriptors that it needs: lmdb-js does not survive that it gets some of them.
 * @throws what the system says when it will not
 */
function requireAccess(folder: string): void {
  for (const path of FILES.map((name) => join(folder, name)))
    if (existsSync(path)) accessSync(path, constants.R_OK | constants.W_OK);
  const taken: number[] = [];
  try {
    for (let i = 0; i < DESCRIPTORS; i++) taken.push(openSync(process.execPath, "r"));
  } finally {
    for (const descriptor of taken) closeSync(descriptor);
  }
}

/** Opens the file in `folder`, and makes it when it is not there. */
export function openEnvironment(folder: string): Environment {
  requireAccess(folder);
  const layout = { encoding: "binary", keyEncoding: "binary" } as const;
  const root = open<Uint8Array, Uint8Array>({
    ...layout,
    path: folder,
    noSubdir: false,
    maxDbs: DATABASES.length + 4,
    mapSize: mapBytes(),
    // The commit of a transaction then returns when the data and the page that makes it valid are on disk, in this order.
    overlappingSync: false,
    permissionsMode: 0o600,
  } as Parameters<typeof open>[0]);
  const tables = {} as Record<DatabaseName, Table>;
  root.transactionSync(() => {
    for (const name of DATABASES) tables[name] = root.openDB<Uint8Array, Uint8Array>({ ...layout, name });
  });
  return { root, tables };
}

/** Copies the file that another process has open, as it is now: a reader hinders nobody, only free pages are used later. */
export async function copyLiveFile(folder: string, to: string): Promise<void> {
  const root = open({ path: folder, noSubdir: false, maxDbs: 1, mapSize: mapBytes(), readOnly: true });
  try {
    await root.backup(to, false);
  } finally {
    await root.close();
  }
}

/**
 * Puts a record whose key is higher than all others of the table. LMDB need not look for the place then, and leaves full pages behind
 * where it would leave them half full. Returns whether it was so.
 */
export function putLast(table: Table, key: Uint8Array, value: Uint8Array): boolean {
  // Its type does not say that it tells.
  return table.putSync(key, value, { append: true }) as unknown as boolean;
}

/** Whether `value` ends with the CRC-32 of `key` and what comes before. */
export function isWhole(key: Uint8Array, value: Uint8Array): boolean {
  const end = value.length - CRC_BYTES;
  return end >= 0 && crc32(value, 0, end, crc32(key, 0, key.length)) === uint32At(value, end);
}

/** Puts the checksum of `key` and `value` into the last bytes of `value`. */
export function seal(key: Uint8Array, value: Uint8Array): void {
  const end = value.length - CRC_BYTES;
  putUint32(value, end, crc32(value, 0, end, crc32(key, 0, key.length)));
}

/** A value of four bytes with its checksum. */
export function uint32Value(key: Uint8Array, value: number): Uint8Array {
  const bytes = new Uint8Array(4 + CRC_BYTES);
  putUint32(bytes, 0, value);
  seal(key, bytes);
  return bytes;
}

/** A value of six bytes with its checksum. */
export function uint48Value(key: Uint8Array, value: number): Uint8Array {
  const bytes = new Uint8Array(6 + CRC_BYTES);
  putUint48(bytes, 0, value);
  seal(key, bytes);
  return bytes;
}

/** How many records each table has. */
export function entriesOf({ tables }: Environment): Readonly<Record<DatabaseName, number>> {
  const entries = {} as Record<DatabaseName, number>;
  for (const name of DATABASES) entries[name] = (tables[name].getStats() as TreeStats).entryCount;
  return entries;
}

/** Pages of the file that nothing is on, by what each tree says of itself. */
export function freePagesOf({ root, tables }: Environment): { readonly freePages: number; readonly pageBytes: number } {
  const stats = root.getStats() as Stats;
  const trees = [stats, stats.free, ...Object.values(tables).map((table) => table.getStats() as TreeStats)];
  let used = 2;
  for (const tree of trees) used += tree.treeBranchPageCount + tree.treeLeafPageCount + tree.overflowPages;
  return { freePages: Math.max(0, stats.lastPageNumber + 1 - used), pageBytes: stats.pageSize };
}

interface TreeStats {
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
  readonly overflowPages: number;
  readonly entryCount: number;
}

interface Stats extends TreeStats {
  readonly free: TreeStats;
  readonly pageSize: number;
  readonly lastPageNumber: number;
}
