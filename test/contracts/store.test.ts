import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_STORE } from "../../src/core/index.ts";
import { MemoryStore } from "../../src/store/index.ts";
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

test("no store: it keeps nothing, says so, and takes everything", async () => {
  assert.equal(NO_STORE.survives, "nothing");
  await NO_STORE.append([sessionSet("s"), messageAdded(1)]);
  assert.deepEqual(await replayed(NO_STORE), []);
  assert.deepEqual(await NO_STORE.readQueue("s", 0, 1), []);
});
