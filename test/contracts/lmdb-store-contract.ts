// What every Store promises, asked of LMDB. Each way to keep a batch has a file of its own, as each test starts processes.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LmdbStore, openLmdbStore } from "../../src/store/index.ts";
import { testStore } from "./store-contract.ts";

/** Each time it is opened a process starts, which takes a tenth of a second. */
const LMDB_HISTORIES = 4;

/** Declares the tests. @param durability when a batch is on disk, as of the store's options */
export function testLmdbStore(durability: "always" | { readonly intervalMs: number }): void {
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
}
