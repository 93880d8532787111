// The file that stands for a store: who removes it begins anew, and nothing else does.
import assert from "node:assert/strict";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { type TestContext, test } from "node:test";
import { heedStandIn, isStandIn, makeStandIn, openImport, openLmdbStore, StoreError } from "../../src/store/index.ts";
import { holdings, sessionSet } from "../contracts/facts.ts";
import { temporaryFolder } from "../support/folder.ts";

/** A user without rights. */
const NOBODY = 65_534;
const NOW_MS = Date.UTC(2026, 0, 1);

/** How many facts a store has that gets one more for the next time. */
async function facts(folder: string): Promise<number> {
  const store = await openLmdbStore({ folder, durability: "none", report: (event) => assert.fail(event.kind) });
  try {
    const { length } = await holdings(store);
    await store.append([sessionSet(`s${length}`)]);
    return length;
  } finally {
    await store.close();
  }
}

/** A store with one fact, and the file that stands for it. */
async function madeStore(context: TestContext): Promise<{ readonly folder: string; readonly path: string }> {
  const parent = temporaryFolder(context);
  const [folder, path] = [join(parent, "m.db.lacewing"), join(parent, "m.db")];
  assert.equal(await heedStandIn(folder, path, NOW_MS), null);
  assert.equal(await facts(folder), 0);
  await makeStandIn(folder, path);
  assert.ok(isStandIn(path));
  return { folder, path };
}

test("a store goes on while the file is there, and begins anew where it has been removed", async (context) => {
  const { folder, path } = await madeStore(context);
  assert.equal(await heedStandIn(folder, path, NOW_MS), null);
  assert.equal(await facts(folder), 1);
  writeFileSync(join(folder, "bridge-one.store"), "");
  writeFileSync(join(folder, "notes"), "");
  rmSync(path);
  const aside = await heedStandIn(folder, path, NOW_MS);
  assert.equal(basename(aside!), "replaced-2026-01-01T00-00-00.000Z");
  for (const name of ["data.mdb", "bridge-one.store"]) assert.ok(existsSync(join(aside!, name)), name);
  assert.ok(existsSync(join(folder, "notes")));
  assert.equal(await facts(folder), 0);
  assert.equal(await heedStandIn(folder, path, NOW_MS), null, "only once");
  // What was moved aside can be moved back.
  assert.equal(await facts(aside!), 2);
});

test("a file that never was there, or elsewhere, says nothing", async (context) => {
  const { folder, path } = await madeStore(context);
  const moved = join(temporaryFolder(context), "m.db.lacewing");
  renameSync(folder, moved);
  assert.equal(await heedStandIn(moved, path.replace("m.db", "other.db"), NOW_MS), null);
  assert.equal(await facts(moved), 1);
});

test("a file of somebody else stays as it is", async (context) => {
  const parent = temporaryFolder(context);
  const [folder, path] = [join(parent, "m.db.lacewing"), join(parent, "m.db")];
  mkdirSync(folder);
  writeFileSync(path, "\0\xb5\0mosquitto db");
  await makeStandIn(folder, path);
  assert.ok(!isStandIn(path));
  assert.equal(readFileSync(path, "utf8"), "\0\xb5\0mosquitto db");
  rmSync(path);
  assert.equal(await heedStandIn(folder, path, NOW_MS), null);
});

test("a database that was put in its place may be removed again", async (context) => {
  const { folder, path } = await madeStore(context);
  writeFileSync(path, "\0\xb5\0mosquitto db");
  await makeStandIn(folder, path);
  rmSync(path);
  assert.equal(await heedStandIn(folder, path, NOW_MS), null);
  assert.equal(await facts(folder), 1);
});

test("a file that this user may not read is somebody else's", (context) => {
  const parent = temporaryFolder(context, { "m.db": "" });
  chmodSync(parent, 0o755);
  chmodSync(join(parent, "m.db"), 0);
  const isRoot = process.geteuid?.() === 0;
  // Root may read everything.
  if (isRoot) process.seteuid?.(NOBODY);
  try {
    assert.equal(isStandIn(join(parent, "m.db")), false);
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
});

test("only what was moved aside last is kept, and copies by hand are", async (context) => {
  const { folder, path } = await madeStore(context);
  mkdirSync(join(folder, "replaced-by-hand"));
  mkdirSync(join(folder, "backup"));
  for (const name of ["data.mdb", "stand-in.txt"]) copyFileSync(join(folder, name), join(folder, "backup", name));
  const kept: string[] = [];
  for (let times = 1; times <= 3; times++) {
    rmSync(path);
    kept.push(basename((await heedStandIn(folder, path, NOW_MS + times))!));
    assert.equal(await facts(folder), 0);
    await makeStandIn(folder, path);
  }
  const folders = readdirSync(folder).filter((name) => name.startsWith("replaced-"));
  assert.deepEqual(folders.sort(), [kept[2], "replaced-by-hand"]);
  assert.equal(await facts(join(folder, "backup")), 1);
});

test("nothing can be imported from it, which is said", async (context) => {
  const { path } = await madeStore(context);
  await assert.rejects(
    openImport(path, { nowMs: NOW_MS, keepsUsers: false }),
    /only stands for a store, which lies beside it/,
  );
});

test("nothing is moved from under a broker that has the store", async (context) => {
  const { folder, path } = await madeStore(context);
  const store = await openLmdbStore({ folder, durability: "none", report: () => {} });
  rmSync(path);
  await assert.rejects(heedStandIn(folder, path, NOW_MS), (error) => {
    assert.ok(error instanceof StoreError);
    assert.equal(error.fault, "locked");
    return true;
  });
  await store.close();
});
