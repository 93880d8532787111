// A file may end before the last page that it names: pages that came and went in one transaction are never written. Such a file is
// whole; one that lacks a page in use, or one that nobody knows to be free, is not.
import assert from "node:assert/strict";
import { statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Change } from "../../src/core/index.ts";
import { type LmdbStore, openLmdbStore, StoreError } from "../../src/store/index.ts";
import { deliverySet, holdings, messageAdded, sessionSet } from "../contracts/facts.ts";
import { temporaryFolder } from "../support/folder.ts";

function open(folder: string): Promise<LmdbStore> {
  return openLmdbStore({ folder, durability: "always", report: () => {} });
}

/** A store in which fifty large messages came and went in one batch; returns its folder. */
async function made(context: TestContext): Promise<string> {
  const folder = join(temporaryFolder(context), "store");
  const store = await open(folder);
  await store.append([sessionSet("s"), messageAdded(1), deliverySet("s", 1, 1)]);
  const batch: Change[] = [];
  for (let i = 10; i < 60; i++) batch.push(messageAdded(i, "y".repeat(9000)), deliverySet("s", i, i));
  for (let i = 10; i < 60; i++) batch.push({ kind: "delivery-deleted", clientId: "s", order: i, message: null });
  await store.append(batch);
  await store.close();
  return folder;
}

test("it is opened again, and written to", async (context) => {
  const folder = await made(context);
  assert.ok(statSync(join(folder, "data.mdb")).size < 200_000, "the large messages were never written");
  for (const last of [2, 3]) {
    const store = await open(folder);
    assert.deepEqual((await store.check()).problems, []);
    await store.append([messageAdded(last, "z".repeat(30_000)), deliverySet("s", last, last)]);
    assert.equal(
      (await holdings(store)).length,
      2 + 2 * last,
      "the session, its queue, and messages with their deliveries",
    );
    await store.close();
  }
});

test("it is refused when one more page is missing", async (context) => {
  const folder = await made(context);
  const path = join(folder, "data.mdb");
  truncateSync(path, statSync(path).size - 4096);
  await assert.rejects(open(folder), (error) => error instanceof StoreError && error.fault === "short");
});
