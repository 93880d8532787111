// What the contract of stores does not say: the LMDB store after a crash, with records damaged while it is in use, and its upkeep.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, cpSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Change } from "../../src/core/index.ts";
import { type Durability, type LmdbStore, openLmdbStore, type StoreReport } from "../../src/store/index.ts";
import { deliverySet, FactModel, holdings, messageAdded, sessionSet, subscriptionSet } from "../contracts/facts.ts";
import { temporaryFolder } from "../support/folder.ts";

function open(folder: string, durability: Durability, reports: StoreReport[] = []): Promise<LmdbStore> {
  return openLmdbStore({ folder, durability, report: (event) => reports.push(event) });
}

/** What a killed process leaves: the files as they are, without anything that closing would do. */
function killedCopy(context: TestContext, folder: string): string {
  const copy = join(temporaryFolder(context), "store");
  cpSync(folder, copy, { recursive: true });
  rmSync(join(copy, "lock.json"));
  return copy;
}

/** Messages for two Sessions, one of them ended and begun anew now and then, and some of them delivered. */
function batchOf(round: number): Change[] {
  const batch: Change[] = [sessionSet("s"), sessionSet(`t${round % 3}`)];
  if (round % 4 === 3) batch.unshift({ kind: "session-deleted", clientId: `t${round % 3}` });
  for (let i = 1; i <= 10; i++) {
    const message = round * 10 + i;
    batch.push(messageAdded(message), deliverySet("s", message, message));
    if (i % 3 === 0) batch.push(deliverySet(`t${round % 3}`, message, message, { packetId: i }));
    if (i % 2 === 0) batch.push({ kind: "delivery-deleted", clientId: "s", order: message - 10, message: null });
  }
  return batch;
}

for (const durability of ["always", { intervalMs: 60_000 }, "none"] as const)
  test(`nothing appended is lost by a kill, durability ${JSON.stringify(durability)}`, async (context) => {
    const folder = join(temporaryFolder(context), "store");
    const store = await open(folder, durability);
    const model = new FactModel();
    for (let round = 0; round < 8; round++) {
      await store.append(batchOf(round));
      model.apply(batchOf(round));
      if (round % 3 !== 1) continue;
      const copy = killedCopy(context, folder);
      // Twice, as the process that finds the journal may be killed too; the second time in another mode.
      for (const again of [durability, "always"] as const) {
        const found = await open(copy, again);
        assert.deepEqual(await holdings(found), model.holdings(), `round ${round}`);
        assert.deepEqual((await found.check()).problems, []);
        await found.close();
      }
    }
    await store.close();
  });

test("batches that wait for their interval are read all the same, and go to the file on closing", async (context) => {
  const folder = join(temporaryFolder(context), "store");
  const store = await open(folder, { intervalMs: 60_000 });
  const model = new FactModel();
  for (let round = 0; round < 3; round++) {
    await store.append(batchOf(round));
    model.apply(batchOf(round));
  }
  assert.equal((await store.readQueue("s", 0, 3)).length, 3);
  assert.deepEqual(await holdings(store), model.holdings());
  await store.append(batchOf(3));
  model.apply(batchOf(3));
  await store.close();
  const again = await open(folder, "always");
  assert.deepEqual(await holdings(again), model.holdings());
  await again.close();
});

/** Alters a byte wherever `text` is in the file; some pages may be old ones. */
function alter(folder: string, text: string): void {
  const path = join(folder, "data.mdb");
  const bytes = readFileSync(path);
  const descriptor = openSync(path, "r+");
  let places = 0;
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1), places++)
    writeSync(descriptor, "#", at);
  closeSync(descriptor);
  assert.ok(places > 0, text);
}

test("a record that is damaged while the store is in use is set aside once, and the rest served", async (context) => {
  const folder = join(temporaryFolder(context), "store");
  const reports: StoreReport[] = [];
  const store = await open(folder, "always", reports);
  const batch: Change[] = [sessionSet("s"), subscriptionSet("s", "some/filter"), subscriptionSet("s", "other")];
  for (let i = 1; i <= 9; i++) batch.push(messageAdded(i, `payload number ${i}`), deliverySet("s", i, i));
  await store.append(batch);
  alter(folder, "payload number 4");
  const orders = async (): Promise<number[]> =>
    (await store.readQueue("s", 0, 5)).map(({ delivery }) => delivery.order);
  assert.deepEqual(await orders(), [1, 2, 3, 5, 6], "the page is full nevertheless");
  assert.deepEqual(
    reports.map((event) => (event.kind === "record-set-aside" ? `${event.database}: ${event.reason}` : event.kind)),
    ["messages: it does not match its checksum", "deliveries: its message is missing"],
  );
  assert.deepEqual(await orders(), [1, 2, 3, 5, 6]);
  // A key that is altered cannot be found to be moved; its record is left out each time and reported once.
  alter(folder, "some/filter");
  for (let times = 0; times < 2; times++) {
    const left = await holdings(store);
    assert.equal(left.filter((fact) => fact.includes("subscription-set")).length, 1);
    assert.equal(reports.length, 3);
    assert.equal((await store.stats()).setAside, 2);
  }
  await store.append([{ kind: "session-deleted", clientId: "s" }]);
  assert.deepEqual(await holdings(store), []);
  await store.close();
});

test("what belonged to a Session that has ended goes bit by bit, also after a restart", async (context) => {
  const folder = join(temporaryFolder(context), "store");
  let store = await open(folder, "always");
  const batch: Change[] = [sessionSet("s"), sessionSet("other"), messageAdded(1), deliverySet("other", 1, 1)];
  for (let i = 2; i <= 9000; i++) batch.push(messageAdded(i), deliverySet("s", i, i));
  await store.append([...batch, deliverySet("s", 1, 1)]);
  await store.append([{ kind: "session-deleted", clientId: "s" }]);
  const before = await store.stats();
  assert.ok(before.deliveries > 1 && before.sessions === 1, "the first batch does not take all");
  await store.append([sessionSet("s"), deliverySet("s", 1, 1)]);
  await store.close();
  store = await open(folder, "always");
  // Each batch takes some more; nobody need wait for the time when there is none.
  for (let i = 0; i < 9; i++) await store.append([sessionSet("s")]);
  const { deliveries, messages } = await store.stats();
  assert.deepEqual([deliveries, messages], [2, 1]);
  assert.deepEqual((await store.check()).problems, []);
  await store.close();
});

test("a copy made in use is a store of its own, compact if that is asked for", async (context) => {
  const folder = temporaryFolder(context);
  const store = await open(join(folder, "store"), "always");
  for (let round = 0; round < 20; round++) await store.append(batchOf(round));
  const held = await holdings(store);
  for (const [name, isCompact] of [
    ["copy", false],
    ["compact copy", true],
  ] as const) {
    await store.backup(join(folder, name), isCompact);
    const copy = await open(join(folder, name), "always");
    assert.deepEqual(await holdings(copy), held);
    assert.ok(!isCompact || (await copy.stats()).fileBytes < (await store.stats()).fileBytes);
    await copy.close();
  }
  await store.close();
});

/** Ends the process that has the file as a fault in native code does, and waits until that is reported. */
async function crash(folder: string, reports: StoreReport[]): Promise<void> {
  const { writer } = JSON.parse(readFileSync(join(folder, "lock.json"), "utf8"));
  process.kill(writer, "SIGSEGV");
  while (!reports.some(({ kind }) => kind === "process-ended")) await new Promise((resolve) => setImmediate(resolve));
  assert.match(JSON.stringify(reports), /SIGSEGV/);
  reports.length = 0;
}

for (const durability of ["always", { intervalMs: 60_000 }] as const)
  test(`when LMDB crashes another process takes its place, durability ${JSON.stringify(durability)}`, async (context) => {
    const folder = join(temporaryFolder(context), "store");
    const reports: StoreReport[] = [];
    const store = await open(folder, durability, reports);
    const model = new FactModel();
    for (let round = 0; round < 6; round++) {
      await store.append(batchOf(round));
      model.apply(batchOf(round));
      if (round % 2 === 1) await crash(folder, reports);
      if (round !== 2) assert.deepEqual(await holdings(store), model.holdings(), `round ${round}`);
    }
    const reading = store.replay()[Symbol.asyncIterator]();
    await reading.next();
    await crash(folder, reports);
    await store.append(batchOf(6));
    model.apply(batchOf(6));
    assert.deepEqual(await holdings(store), model.holdings());
    await crash(folder, reports);
    await store.close();
    const again = await open(folder, "always");
    assert.deepEqual(await holdings(again), model.holdings());
    await again.close();
  });

test("an append that a crash cuts off is refused, and can be repeated", async (context) => {
  const folder = join(temporaryFolder(context), "store");
  const reports: StoreReport[] = [];
  const store = await open(folder, "always", reports);
  const batch = Array.from({ length: 20_000 }, (_, i) => sessionSet(`client ${i}`));
  const appended = store.append(batch);
  const { writer } = JSON.parse(readFileSync(join(folder, "lock.json"), "utf8"));
  process.kill(writer, "SIGKILL");
  await assert.rejects(appended, /ended by SIGKILL/);
  await store.append(batch);
  assert.equal((await store.stats()).sessions, 20_000);
  await store.close();
});

test("a process that exits in the middle of an append ends, and has kept all of the batch or nothing", async (context) => {
  const folder = join(temporaryFolder(context), "store");
  const source = `const { openLmdbStore } = await import(process.argv[1]);
    const store = await openLmdbStore({ folder: process.argv[2], durability: "always", report: console.log });
    const batch = Array.from({ length: 20000 }, (_, i) =>
      ({ kind: "session-set", clientId: "client " + i, principal: null, expirySeconds: 1, disconnectedAtMs: null }));
    void store.append(batch);
    setTimeout(() => process.exit(7), 5);`;
  const module = new URL("../../src/store/index.js", import.meta.url).href;
  const child = spawn(process.execPath, ["--input-type=module", "-e", source, module, folder], { stdio: "inherit" });
  context.after(() => child.kill("SIGKILL"));
  assert.deepEqual(await once(child, "exit"), [7, null]);
  const store = await open(folder, "always");
  assert.ok([0, 20_000].includes((await store.stats()).sessions));
  await store.close();
});
