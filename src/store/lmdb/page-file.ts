/**
 * The pages of an LMDB file (data format 2, as lmdb-js writes it) read with plain reads: whatever is wrong with the file ends in a
 * `PageFault` here and never in a signal, which is what LMDB's own mapping of a broken file may come to. Knows pages and trees, not
 * what the records mean.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";

const MAGIC = 0xbeef_c0de;
const DATA_VERSION = 2;
const HEADER_BYTES = 24;
const NODE_BYTES = 8;
const TREE_BYTES = 48;
const META_PAGES = 2;
const SMALLEST_PAGE = 512;
const LARGEST_PAGE = 65_536;
/** Deeper than any tree that LMDB makes. */
const DEEPEST = 32;
/** Read at once, in bytes. */
const CHUNK_BYTES = 262_144;
const KEPT_CHUNKS = 64;

const BRANCH = 1;
const LEAF = 2;
const OVERFLOW = 4;
const META = 8;
const IN_OVERFLOW = 1;
const IS_TREE = 2;
const INTEGER_KEYS = 8;

/** Something in the file is not as LMDB writes it. */
export class PageFault extends Error {
  override readonly name = "PageFault";
  readonly page: number;

  constructor(page: number, what: string) {
    super(`page ${page}: ${what}`);
    this.page = page;
  }
}

/** A tree of records, as its parent describes it. */
export interface Tree {
  readonly name: string;
  readonly depth: number;
  readonly branchPages: number;
  readonly leafPages: number;
  readonly overflowPages: number;
  readonly entries: number;
  /** -1: the tree is empty. */
  readonly root: number;
}

/** What one meta page says. */
interface Meta {
  readonly pageBytes: number;
  readonly lastPage: number;
  readonly transaction: number;
  readonly free: Tree;
  readonly main: Tree;
}

/** Told of a record: key and value are parts of `bytes`. */
export type RecordVisitor = (
  bytes: Uint8Array,
  keyAt: number,
  keyEnd: number,
  valueAt: number,
  valueEnd: number,
  page: number,
) => void;

/** What to do about a fault: throw it, or go on behind the page that has it. */
export type FaultHandler = (fault: PageFault) => void;

const throwFault: FaultHandler = (fault) => {
  throw fault;
};

/** An LMDB file, open for reading. */
export class PageFile {
  readonly #descriptor: number;
  readonly fileBytes: number;
  readonly #onFault: FaultHandler;
  readonly #chunks: Map<number, Buffer> = new Map();
  readonly #meta: Meta;
  #trees: Map<string, Tree> | null = null;
  /** A bit for each page that belongs to a tree, and for each on the free list. */
  readonly #used: Uint8Array;
  readonly #free: Uint8Array;

  /**
   * Opens `path` and reads its meta pages.
   * @throws PageFault when they are none; what the system says when it cannot be read
   */
  constructor(path: string, onFault: FaultHandler = throwFault) {
    this.#onFault = onFault;
    this.#descriptor = openSync(path, "r");
    try {
      this.fileBytes = fstatSync(this.#descriptor).size;
      this.#meta = this.#newestMeta();
    } catch (error) {
      closeSync(this.#descriptor);
      throw error;
    }
    // By what the file has, not by what it says.
    const bitmapBytes = (this.#filePages >>> 3) + 1;
    this.#used = new Uint8Array(bitmapBytes);
    this.#free = new Uint8Array(bitmapBytes);
    for (let page = 0; page < META_PAGES; page++) mark(this.#used, page);
  }

  get pageBytes(): number {
    return this.#meta.pageBytes;
  }

  /** Pages that the file has by its newest meta page. */
  get pages(): number {
    return this.#meta.lastPage + 1;
  }

  /** Pages that the file has by its length: those behind them were free again before they were ever written. */
  get #filePages(): number {
    return Math.floor(this.fileBytes / this.#meta.pageBytes);
  }

  /** The tree of trees. */
  get main(): Tree {
    return this.#meta.main;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #read(at: number, count: number): Buffer {
    const bytes = Buffer.allocUnsafe(count);
    let done = 0;
    while (done < count) {
      const read = readSync(this.#descriptor, bytes, done, count - done, at + done);
      if (read === 0) break;
      done += read;
    }
    return bytes.subarray(0, done);
  }

  #newestMeta(): Meta {
    const first = this.#metaAt(0, this.#read(0, HEADER_BYTES + 160));
    const { pageBytes } = first;
    const second = this.#metaAt(1, this.#read(pageBytes, HEADER_BYTES + 160));
    if (second.pageBytes !== pageBytes) throw new PageFault(1, `it says that pages have ${second.pageBytes} bytes`);
    // Each transaction writes the meta page that the one before it did not.
    const [a, b] = [first.transaction, second.transaction];
    // Of a new file and of a compact copy the first is as LMDB makes it, with nothing in it.
    const isMade = a === 0 && first.main.root === -1;
    if (!isMade && (a % 2 !== 0 || b % 2 !== 1 || Math.abs(a - b) !== 1))
      throw new PageFault(a > b ? 0 : 1, `meta pages of the transactions ${a} and ${b} do not follow each other`);
    return a >= b ? first : second;
  }

  #metaAt(page: number, bytes: Buffer): Meta {
    if (bytes.length < HEADER_BYTES + 160)
      throw new ShortFile(page, `the file ends here after ${this.fileBytes} bytes`);
    const at = HEADER_BYTES;
    if (bytes.readUInt16LE(18) !== META || bytes.readUInt32LE(at) !== MAGIC)
      throw new ForeignFile(page, "it is not a meta page of LMDB");
    if (bytes.readUInt32LE(at + 4) !== DATA_VERSION)
      throw new ForeignFile(page, `its data format is ${bytes.readUInt32LE(at + 4)}, not ${DATA_VERSION}`);
    const pageBytes = bytes.readUInt32LE(at + 24);
    if (pageBytes < SMALLEST_PAGE || pageBytes > LARGEST_PAGE || (pageBytes & (pageBytes - 1)) !== 0)
      throw new PageFault(page, `it says that pages have ${pageBytes} bytes`);
    if (bytes.readUInt16LE(at + 28) !== INTEGER_KEYS || bytes.readUInt16LE(at + 76) !== 0)
      throw new PageFault(page, "it has flags that are not ours");
    return {
      pageBytes,
      lastPage: uint64At(bytes, at + 120),
      transaction: uint64At(bytes, at + 128),
      free: this.#treeAt("the free list", bytes, at + 24, page),
      main: this.#treeAt("the main tree", bytes, at + 72, page),
    };
  }

  #treeAt(name: string, bytes: Buffer, at: number, page: number): Tree {
    const depth = bytes.readUInt16LE(at + 6);
    const root = bytes.readBigUInt64LE(at + 40) === 0xffff_ffff_ffff_ffffn ? -1 : uint64At(bytes, at + 40);
    if (depth > DEEPEST || (root === -1) !== (depth === 0))
      throw new PageFault(page, `${name} has a depth of ${depth}`);
    return {
      name,
      depth,
      branchPages: uint64At(bytes, at + 8),
      leafPages: uint64At(bytes, at + 16),
      overflowPages: uint64At(bytes, at + 24),
      entries: uint64At(bytes, at + 32),
      root,
    };
  }

  /** The trees in the main tree by their names. */
  trees(): ReadonlyMap<string, Tree> {
    this.#trees ??= this.#readTrees();
    return this.#trees;
  }

  #readTrees(): Map<string, Tree> {
    const trees = new Map<string, Tree>();
    new TreeWalk(this, this.main, IS_TREE, (bytes, keyAt, keyEnd, valueAt, valueEnd, page) => {
      const name = Buffer.from(bytes.subarray(keyAt, keyEnd)).toString("latin1").replace(/\0$/, "");
      const value = Buffer.from(bytes.subarray(valueAt, valueEnd));
      if (value.length !== TREE_BYTES || value.readUInt32LE(0) !== 0 || value.readUInt16LE(4) !== 0)
        this.fault(page, `it does not describe a tree of ours as "${name}"`);
      else trees.set(name, this.#treeAt(name, value, 0, page));
    }).run();
    this.#checkNewest();
    return trees;
  }

  /** Each transaction changes the main tree, so a meta page whose number was altered is found out. */
  #checkNewest(): void {
    const { main, transaction } = this.#meta;
    if (main.root === -1) return;
    const written = uint64At(this.page(main.root), 8);
    // In a compact copy all pages are of transaction 1 until the next.
    const isCopied = written === 1 && this.#metaAt(0, this.#read(0, HEADER_BYTES + 160)).transaction === 0;
    if (written !== transaction && !isCopied)
      this.fault(main.root, `it is of transaction ${written}, but the file of transaction ${transaction}`);
  }

  /** Visits the records of a tree in the order of their keys. */
  walk(tree: Tree, visit: RecordVisitor): void {
    new TreeWalk(this, tree, IN_OVERFLOW, visit).run();
  }

  /** Reads the free list; to be called after all trees have been walked. Returns how many pages it has. */
  checkFreeList(): number {
    let pages = 0;
    let unwritten = 0;
    new TreeWalk(this, this.#meta.free, IN_OVERFLOW, (bytes, _keyAt, _keyEnd, valueAt, valueEnd, page) => {
      const list = Buffer.from(bytes.subarray(valueAt, valueEnd));
      const count = list.length < 8 ? -1 : uint64At(list, 0);
      if (count < 0 || (count + 1) * 8 > list.length) return this.fault(page, "it has a free list without its end");
      for (let i = 1; i <= count; i++) {
        // A run of pages is its negative length and its first page.
        const entry = Number(list.readBigInt64LE(i * 8));
        const first = entry < 0 && i < count ? Number(list.readBigInt64LE(++i * 8)) : entry;
        const length = entry < 0 ? -entry : 1;
        if (first <= 0) continue;
        if (first < META_PAGES || first + length > this.pages)
          return this.fault(page, `its free list has a page ${first + length - 1}`);
        pages += length;
        unwritten += Math.min(length, Math.max(0, first + length - this.#filePages));
        const end = Math.min(first + length, this.#filePages);
        for (let free = first; free < end; free++) this.#markFree(page, free);
      }
    }).run();
    if (this.pages > this.#filePages && unwritten !== this.pages - this.#filePages) this.#short(this.#filePages);
    return pages;
  }

  #short(page: number): void {
    const bytes = this.pages * this.pageBytes;
    this.#onFault(new ShortFile(page, `the file ends here after ${this.fileBytes} of ${bytes} bytes`));
  }

  #markFree(listedIn: number, page: number): void {
    if (isMarked(this.#used, page)) this.fault(listedIn, `its free list has page ${page}, which is in use`);
    else if (isMarked(this.#free, page)) this.fault(listedIn, `its free list has page ${page} twice`);
    else mark(this.#free, page);
  }

  /** For `TreeWalk`. */
  fault(page: number, what: string): void {
    this.#onFault(new PageFault(page, what));
  }

  /** Claims pages for a tree. Each belongs to one place. */
  claim(page: number, count: number): boolean {
    if (page < META_PAGES || page + count > this.pages) return false;
    if (page + count > this.#filePages) {
      this.#short(page);
      return false;
    }
    for (let i = page; i < page + count; i++) {
      if (isMarked(this.#used, i)) return false;
      mark(this.#used, i);
    }
    return true;
  }

  get transaction(): number {
    return this.#meta.transaction;
  }

  /** A view of one page. */
  page(number: number): Buffer {
    const { pageBytes } = this.#meta;
    const perChunk = CHUNK_BYTES / pageBytes;
    const index = Math.floor(number / perChunk);
    let chunk = this.#chunks.get(index);
    if (chunk === undefined) {
      chunk = this.#read(index * CHUNK_BYTES, CHUNK_BYTES);
      this.#chunks.set(index, chunk);
      if (this.#chunks.size > KEPT_CHUNKS) this.#chunks.delete(this.#chunks.keys().next().value!);
    }
    const at = (number % perChunk) * pageBytes;
    return chunk.subarray(at, at + pageBytes);
  }

  /** What lies in `count` pages behind the header of the first. */
  contents(page: number, count: number): Buffer {
    return this.#read(page * this.#meta.pageBytes + HEADER_BYTES, count);
  }
}

/** The file is not LMDB's, or not of this data format. */
export class ForeignFile extends PageFault {}

/** The file ends before a page that is in use, or that nobody knows to be free. */
export class ShortFile extends PageFault {}

/** A walk through one tree that checks each page on its way. */
class TreeWalk {
  readonly #file: PageFile;
  readonly #tree: Tree;
  readonly #leafFlag: number;
  readonly #visit: RecordVisitor;
  readonly #hasIntegerKeys: boolean;
  #branchPages = 0;
  #leafPages = 0;
  #overflowPages = 0;
  #entries = 0;

  /** @param leafFlag what nodes of its leaves may have besides nothing */
  constructor(file: PageFile, tree: Tree, leafFlag: number, visit: RecordVisitor) {
    this.#file = file;
    this.#tree = tree;
    this.#leafFlag = leafFlag;
    this.#visit = visit;
    this.#hasIntegerKeys = tree.name === "the free list";
  }

  run(): void {
    const { root, depth, name, branchPages, leafPages, overflowPages, entries } = this.#tree;
    if (root === -1) return;
    this.#page(root, depth, null, null);
    const found = [this.#branchPages, this.#leafPages, this.#overflowPages, this.#entries];
    const said = [branchPages, leafPages, overflowPages, entries];
    if (found.join() !== said.join())
      this.#file.fault(
        root,
        `${name} has ${found.join("/")} branches/leaves/overflow pages/entries, not ${said.join("/")}`,
      );
  }

  /** Keys below `number` are at least `least` and less than `limit`. */
  #page(number: number, levels: number, least: Uint8Array | null, limit: Uint8Array | null): void {
    const file = this.#file;
    if (!file.claim(number, 1)) return file.fault(number, `${this.#tree.name} must not have it`);
    const page = file.page(number);
    const wrong = this.#headerFault(page, number, levels);
    if (wrong !== null) return file.fault(number, wrong);
    const count = page.readUInt16LE(20) >> 1;
    const nodes = this.#nodesOf(page, count, levels > 1);
    if (nodes === null) return file.fault(number, "its nodes do not fill it as they should");
    if (levels > 1) this.#branch(page, nodes, levels, least, limit);
    else this.#leaf(page, number, nodes, least, limit);
  }

  #headerFault(page: Buffer, number: number, levels: number): string | null {
    const space = page.length - HEADER_BYTES;
    const [lower, upper] = [page.readUInt16LE(20), page.readUInt16LE(22)];
    if (uint64At(page, 0) !== number) return `it says that it is page ${uint64At(page, 0)}`;
    if (uint64At(page, 8) > this.#file.transaction)
      return `it is of transaction ${uint64At(page, 8)}, which is to come`;
    if (page.readUInt16LE(18) !== (levels > 1 ? BRANCH : LEAF) || page.readUInt16LE(16) !== 0)
      return `it is not a ${levels > 1 ? "branch" : "leaf"} of ${this.#tree.name}`;
    return lower === 0 || lower % 2 !== 0 || lower > upper || upper > space ? "its free space is not within it" : null;
  }

  /** Where the nodes are, or null when they are not one behind the other to the end of the page. */
  #nodesOf(page: Buffer, count: number, isBranch: boolean): Uint16Array | null {
    const nodes = new Uint16Array(count);
    const upper = page.readUInt16LE(22);
    let total = 0;
    for (let i = 0; i < count; i++) {
      const offset = page.readUInt16LE(HEADER_BYTES + i * 2);
      const at = offset + HEADER_BYTES;
      if (offset < upper || offset % 2 !== 0 || at + NODE_BYTES > page.length) return null;
      const bytes = NODE_BYTES + page.readUInt16LE(at + 6) + (isBranch ? 0 : this.#dataBytesAt(page, at));
      if (at + bytes > page.length) return null;
      total += bytes + (bytes % 2);
      nodes[i] = at;
    }
    return total === page.length - HEADER_BYTES - upper ? nodes : null;
  }

  /** Bytes of a leaf's node behind its key. */
  #dataBytesAt(page: Buffer, at: number): number {
    return page.readUInt16LE(at + 4) === IN_OVERFLOW ? 24 : page.readUInt32LE(at);
  }

  #branch(page: Buffer, nodes: Uint16Array, levels: number, least: Uint8Array | null, limit: Uint8Array | null): void {
    this.#branchPages++;
    // What is below may take the place of this page in memory.
    const keys = Array.from(nodes, (at) => Uint8Array.from(page.subarray(at + 8, at + 8 + page.readUInt16LE(at + 6))));
    const children = Array.from(nodes, (at) => page.readUInt32LE(at) + page.readUInt16LE(at + 4) * 0x1_0000_0000);
    const number = uint64At(page, 0);
    for (let i = 0; i < children.length; i++) {
      const from = i === 0 ? least : keys[i]!;
      const to = i + 1 < keys.length ? keys[i + 1]! : limit;
      if (from !== null && to !== null && this.#compare(from, to) >= 0)
        this.#file.fault(number, "its keys are not in order");
      else this.#page(children[i]!, levels - 1, from, to);
    }
  }

  #leaf(page: Buffer, number: number, nodes: Uint16Array, least: Uint8Array | null, limit: Uint8Array | null): void {
    this.#leafPages++;
    let before: Uint8Array | null = null;
    for (const at of nodes) {
      const keyEnd = at + NODE_BYTES + page.readUInt16LE(at + 6);
      const key = page.subarray(at + NODE_BYTES, keyEnd);
      const isInOrder =
        (before === null ? least === null || this.#compare(least, key) <= 0 : this.#compare(before, key) < 0) &&
        (limit === null || this.#compare(key, limit) < 0);
      if (!isInOrder) return this.#file.fault(number, "its keys are not in order");
      before = key;
      const flags = page.readUInt16LE(at + 4);
      if (flags !== 0 && flags !== this.#leafFlag) return this.#file.fault(number, `it has a node with flags ${flags}`);
      this.#entries++;
      if (flags === IN_OVERFLOW) this.#overflow(page, number, at, key);
      else this.#visit(page, at + NODE_BYTES, keyEnd, keyEnd, keyEnd + page.readUInt32LE(at), number);
    }
  }

  /** A value in pages of its own. */
  #overflow(leaf: Buffer, leafNumber: number, at: number, key: Uint8Array): void {
    const file = this.#file;
    const bytes = leaf.readUInt32LE(at);
    const described = at + NODE_BYTES + key.length;
    const number = uint64At(leaf, described);
    const count = Math.floor((HEADER_BYTES - 1 + bytes) / file.pageBytes) + 1;
    if (uint64At(leaf, described + 16) !== count || !file.claim(number, count))
      return file.fault(leafNumber, `it has ${bytes} bytes in pages from ${number} on, which it must not have`);
    const head = file.page(number);
    if (uint64At(head, 0) !== number || head.readUInt16LE(18) !== OVERFLOW || head.readUInt32LE(20) !== count)
      return file.fault(number, `it is not the first of ${count} with one value`);
    this.#overflowPages += count;
    const record = Buffer.concat([key, file.contents(number, bytes)]);
    this.#visit(record, 0, key.length, key.length, record.length, number);
  }

  #compare(a: Uint8Array, b: Uint8Array): number {
    if (!this.#hasIntegerKeys) return Buffer.compare(a, b);
    return a.length === 8 && b.length === 8 ? uint64At(a, 0) - uint64At(b, 0) : Number.NaN;
  }
}

/** Little-endian; what is beyond 2^53 is rounded and so no page or number that there is. */
function uint64At(bytes: Uint8Array, at: number): number {
  const low = (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
  const high = (bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24)) >>> 0;
  return high * 0x1_0000_0000 + low;
}

function mark(bitmap: Uint8Array, page: number): void {
  bitmap[page >>> 3]! |= 1 << (page & 7);
}

function isMarked(bitmap: Uint8Array, page: number): boolean {
  return (bitmap[page >>> 3]! & (1 << (page & 7))) !== 0;
}
