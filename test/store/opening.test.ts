// What a store is opened on: nothing, files of others, of later releases, and what may not be read. And what it leaves behind.
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { open } from "lmdb";
import { type LmdbStore, openLmdbStore, StoreError, type StoreFault } from "../../src/store/index.ts";
import { holdings, sessionSet } from "../contracts/facts.ts";
import { temporaryFolder } from "../support/folder.ts";

const LAYOUT = { encoding: "binary", keyEncoding: "binary" } as const;

function openStore(folder: string): Promise<LmdbStore> {
  return openLmdbStore({ folder, durability: "always", report: (event) => assert.fail(JSON.stringify(event)) });
}

async function assertRefused(folder: string, fault: StoreFault, ...says: RegExp[]): Promise<void> {
  await assert.rejects(openStore(folder), (error) => {
    assert.ok(error instanceof StoreError, String(error));
    assert.equal(error.fault, fault, error.message);
    for (const text of [...says, new RegExp(folder.slice(-6))]) assert.match(error.message, text);
    return true;
  });
}

/** A folder whose data.mdb is as LMDB makes it, with `fill` in it. */
async function lmdbFolder(
  context: TestContext,
  fill: (root: ReturnType<typeof open<Uint8Array, Uint8Array>>) => void,
): Promise<string> {
  const folder = temporaryFolder(context);
  const root = open<Uint8Array, Uint8Array>({ ...LAYOUT, path: folder, noSubdir: false, overlappingSync: false });
  fill(root);
  await root.close();
  return folder;
}

test("a new store makes its folders, for their owner alone", async (context) => {
  const folder = join(temporaryFolder(context), "a", "b");
  const store = await openStore(folder);
  await store.append([sessionSet("s")]);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  for (const name of readdirSync(folder)) assert.equal(statSync(join(folder, name)).mode & 0o077, 0, name);
  await store.close();
  for (const name of readdirSync(folder)) assert.equal(statSync(join(folder, name)).mode & 0o077, 0, name);
});

test("a store is opened by one at a time", async (context) => {
  const folder = temporaryFolder(context);
  const store = await openStore(folder);
  await assertRefused(folder, "locked", /in use by this process/);
  await store.append([sessionSet("s")]);
  await store.close();
  const again = await openStore(folder);
  assert.equal((await holdings(again)).length, 1);
  await again.close();
  await again.close();
});

for (const [what, bytes] of [
  ["nothing", ""],
  ["zeros, as after a power cut", new Uint8Array(8192)],
] as const)
  test(`a file with ${what} in it is a new store`, async (context) => {
    const folder = temporaryFolder(context);
    writeFileSync(join(folder, "data.mdb"), bytes);
    const store = await openStore(folder);
    await store.append([sessionSet("s")]);
    await store.close();
  });

test("a file of something else is refused and left as it is", async (context) => {
  for (const text of ["SQLite format 3\0".padEnd(8192, "x"), "short", "\xde\xc0\xef\xbe".repeat(4096)]) {
    const folder = temporaryFolder(context, { "data.mdb": text });
    const before = readFileSync(join(folder, "data.mdb"));
    await assert.rejects(openStore(folder), (error) => error instanceof StoreError && /page 0/.test(error.message));
    assert.deepEqual(readFileSync(join(folder, "data.mdb")), before);
    assert.deepEqual(readdirSync(folder), ["data.mdb"]);
  }
});

test("an LMDB file of another program is refused", async (context) => {
  const folder = await lmdbFolder(context, (root) => {
    root.openDB({ ...LAYOUT, name: "theirs" }).putSync(Buffer.from("key"), Buffer.from("value"));
  });
  await assertRefused(folder, "foreign", /not a store of Lacewing/, /Move it away/);
});

test("a store of a later release is refused", async (context) => {
  const folder = temporaryFolder(context);
  await (await openStore(folder)).close();
  const { uint32Value } = await import("../../src/store/lmdb/environment.ts");
  const { SCHEMA_KEY } = await import("../../src/store/lmdb/schema.ts");
  const root = open<Uint8Array, Uint8Array>({ ...LAYOUT, path: folder, noSubdir: false, overlappingSync: false });
  root.openDB<Uint8Array, Uint8Array>({ ...LAYOUT, name: "meta" }).putSync(SCHEMA_KEY, uint32Value(SCHEMA_KEY, 99));
  await root.close();
  await assertRefused(folder, "newer", /layout is 99/, /later release/);
});

test("a folder that cannot be used is named", async (context) => {
  const folder = temporaryFolder(context, { file: "" });
  await assertRefused(join(folder, "file", "store"), "unusable");
  mkdirSync(join(folder, "store", "data.mdb"), { recursive: true });
  await assertRefused(join(folder, "store"), "unusable");
});
