import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { NO_STORE } from "../../src/core/index.ts";
import { type LmdbStore, MemoryStore, openLmdbStore } from "../../src/store/index.ts";
import { FaultyStore } from "../support/faulty-store.ts";
import { messageAdded, replayed, sessionSet } from "./facts.ts";
import { testStore } from "./store-contract.ts";

testStore("memory", async () => {
  const store = new MemoryStore();
  return { store, reopen: async () => store, close: async () => {} };
});

testStore("faulty", async () => {
  let store = new FaultyStore(new MemoryStore());
  const reopen = async (): Promise<FaultyStore> => {
    store = store.crash(true);
    return store;
  };
  return { store, reopen, close: async () => assert.deepEqual(store.breaches, []) };
});

/** Each time it is opened a process starts, which takes a tenth of a second. */
const LMDB_HISTORIES = 4;

for (const durability of ["always", { intervalMs: 5 }] as const)
  testStore(
    durability === "always" ? "LMDB" : "LMDB with a journal",
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "lacewing store-"));
      const open = (): Promise<LmdbStore> =>
        openLmdbStore({ folder, durability, report: (event) => assert.fail(JSON.stringify(event)) });
      let store = await open();
      return {
        store,
        reopen: async () => {
          await store.close();
          store = await open();
          return store;
        },
        close: async () => {
          await store.close();
          rmSync(folder, { recursive: true });
        },
      };
    },
    LMDB_HISTORIES,
    durability === "always",
  );

test("no store: it keeps nothing, says so, and takes everything", async () => {
  assert.equal(NO_STORE.survives, "nothing");
  await NO_STORE.append([sessionSet("s"), messageAdded(1)]);
  assert.deepEqual(await replayed(NO_STORE), []);
  assert.deepEqual(await NO_STORE.readQueue("s", 0, 1), []);
});
