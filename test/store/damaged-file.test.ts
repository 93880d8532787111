// F4 of RELIABILITY.md: whatever happens to the file while nobody has it open ends in a clear refusal, or in a store that
// serves what is whole and reports the rest: no signal, no wrong payload. LACEWING_FLIPS=1000 tries as many bits.
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Change } from "../../src/core/index.ts";
import { type LmdbStore, openLmdbStore, StoreError, type StoreReport } from "../../src/store/index.ts";
import { deliverySet, holdings, messageAdded, sessionSet, subscriptionSet, willSet } from "../contracts/facts.ts";
import { temporaryFolder } from "../support/folder.ts";
import { Random } from "../support/random.ts";

const FLIPS = Number(process.env.LACEWING_FLIPS ?? 20);
const SEED = Number(process.env.LACEWING_SEED ?? 1);
const DATA_FILE = "data.mdb";

function open(folder: string, reports: StoreReport[]): Promise<LmdbStore> {
  return openLmdbStore({ folder, durability: "always", report: (event) => reports.push(event) });
}

/** Something of everything, with values within pages and in pages of their own, and pages that are free again. */
async function makeStore(folder: string): Promise<string[]> {
  const store = await open(folder, []);
  for (let i = 0; i < 60; i++) {
    const [clientId, other] = [`client ${i}`, `client ${i % 7}`];
    const batch: Change[] = [sessionSet(clientId), subscriptionSet(clientId, `topic/${i}/#`)];
    for (let order = 1; order <= 20; order++) {
      const message = i * 20 + order;
      batch.push(messageAdded(message, `payload ${message} `.repeat(order === 7 ? 700 : 5)));
      batch.push(deliverySet(clientId, order, message, { packetId: order > 15 ? order : 0 }));
      if (order === 7) batch.push(deliverySet(other, 100 + i, message));
    }
    batch.push({ kind: "retained-set", topicName: `topic/${i}`, message: i * 20 + 7 }, willSet(clientId));
    batch.push({ kind: "received-set", clientId, packetId: i + 1 });
    await store.append(batch);
    for (let order = 1; order <= 20; order += 3)
      await store.append([{ kind: "delivery-deleted", clientId: other, order, message: null }]);
  }
  const held = await holdings(store);
  await store.close();
  return held;
}

/** A copy of the store in `from` whose file `alter` has changed. */
function alteredCopy(context: TestContext, from: string, alter: (path: string) => void): string {
  const folder = join(temporaryFolder(context), "store");
  mkdirSync(folder);
  copyFileSync(join(from, DATA_FILE), join(folder, DATA_FILE));
  alter(join(folder, DATA_FILE));
  return folder;
}

/** Opens what may be broken. Returns what was refused, or what it still holds. */
async function outcomeOf(
  folder: string,
): Promise<{ refusal: StoreError } | { held: string[]; reports: StoreReport[] }> {
  const reports: StoreReport[] = [];
  let store: LmdbStore;
  try {
    store = await open(folder, reports);
  } catch (error) {
    assert.ok(error instanceof StoreError, String(error));
    return { refusal: error };
  }
  try {
    const held = await holdings(store);
    // It must be possible to go on with it.
    await store.append([sessionSet("new"), messageAdded(10_000), deliverySet("new", 1, 10_000)]);
    assert.deepEqual((await store.check()).problems, []);
    return { held, reports };
  } finally {
    await store.close();
  }
}

/** Queues are summed up: that of a queue that has lost something differs. */
function withoutSums(held: readonly string[]): string[] {
  return held.filter((fact) => !fact.includes('"kind":"queue"'));
}

function assertSentence({ message }: StoreError, folder: string): void {
  assert.ok(message.includes(folder), message);
  assert.match(message, /page \d+/);
  assert.match(message, /backup|Move it away/);
}

test("a file that was cut short is refused, unless nothing was on the pages that are missing", async (context) => {
  const folder = join(temporaryFolder(context), "store");
  const held = await makeStore(folder);
  const { size } = statSync(join(folder, DATA_FILE));
  let refused = 0;
  for (const left of [size - 4096, size - 2 * 4096, size - 4 * 4096, Math.floor(size / 2), 4096, 100]) {
    const copy = alteredCopy(context, folder, (path) => truncateSync(path, left));
    const outcome = await outcomeOf(copy);
    if ("held" in outcome) assert.deepEqual(outcome.held, held, `${left} bytes of ${size}`);
    else {
      refused++;
      assert.equal(outcome.refusal.fault, "short");
      assertSentence(outcome.refusal, copy);
    }
  }
  assert.ok(refused >= 3, `${refused}`);
});

test("a last page of zeros is refused or not needed", async (context) => {
  const folder = join(temporaryFolder(context), "store");
  const held = await makeStore(folder);
  const copy = alteredCopy(context, folder, (path) => {
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(0, bytes.length - 4096));
  });
  const outcome = await outcomeOf(copy);
  if ("refusal" in outcome) assertSentence(outcome.refusal, copy);
  else assert.deepEqual(outcome.held, held);
});

test(`a flipped bit at ${FLIPS} places is refused, set aside or without effect (seed ${SEED})`, async (context) => {
  const folder = join(temporaryFolder(context), "store");
  const held = new Set(withoutSums(await makeStore(folder)));
  const { size } = statSync(join(folder, DATA_FILE));
  const random = new Random(SEED);
  const count = { refused: 0, "set aside": 0, "without effect": 0 };
  for (let flip = 0; flip < FLIPS; flip++) {
    const [at, bit] = [random.below(size), random.below(8)];
    const copy = alteredCopy(context, folder, (path) => {
      const bytes = readFileSync(path);
      bytes[at]! ^= 1 << bit;
      writeFileSync(path, bytes);
    });
    const outcome = await outcomeOf(copy);
    const where = `bit ${bit} of byte ${at}`;
    if ("refusal" in outcome) {
      count.refused++;
      assertSentence(outcome.refusal, copy);
      continue;
    }
    const now = withoutSums(outcome.held);
    for (const fact of now) assert.ok(held.has(fact), `${where} changed ${fact}`);
    if (now.length === held.size) count["without effect"]++;
    else {
      count["set aside"]++;
      assert.ok(
        outcome.reports.some(({ kind }) => kind === "record-set-aside"),
        `${where} lost something in silence`,
      );
    }
  }
  context.diagnostic(JSON.stringify(count));
});
