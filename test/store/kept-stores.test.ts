// F17 of RELIABILITY.md: stores of earlier layouts, kept as files, are opened by this release and hold what they held.
// LACEWING_KEEP_STORE=1 writes the file of the present layout, which is then committed and never altered.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import type { Change } from "../../src/core/index.ts";
import { type LmdbStore, openLmdbStore } from "../../src/store/index.ts";
import { SCHEMA_VERSION } from "../../src/store/lmdb/schema.ts";
import { deliverySet, holdings, messageAdded, sessionSet, subscriptionSet, willSet } from "../contracts/facts.ts";
import { temporaryFolder } from "../support/folder.ts";
import { ROOT } from "../support/repository.ts";

const KEPT = join(ROOT, "test/fixtures/stores");
const LONG = "long/".repeat(400);

function open(folder: string): Promise<LmdbStore> {
  return openLmdbStore({ folder, durability: "always", report: (event) => assert.fail(JSON.stringify(event)) });
}

/** Facts of every kind, in each of their forms. */
function facts(): Change[] {
  const moment = 1_764_028_800_000;
  return [
    { kind: "clock-set", aheadMs: -1500 },
    sessionSet("device 1", { principal: "operator", expirySeconds: 4_294_967_295, disconnectedAtMs: moment }),
    sessionSet(LONG),
    sessionSet("ended"),
    subscriptionSet("device 1", "a/+/b"),
    { ...subscriptionSet("device 1", "$share/group/a/#"), qos: 2, noLocal: true, retainAsPublished: true },
    { ...subscriptionSet(LONG, LONG), qos: 0, subscriptionId: 268_435_455 },
    { ...messageAdded(1, "to two"), expiresAtMs: moment + 60_000 },
    deliverySet("device 1", 1, 1, { packetId: 65_535, qos: 2, wait: "PUBREC", retain: true, subscriptionIds: [1, 7] }),
    deliverySet("device 1", 2, null, { packetId: 1, qos: 2, wait: "PUBCOMP", payloadBytes: 0 }),
    deliverySet(LONG, 1, 1),
    { ...messageAdded(2, "large ".repeat(2000)), publisher: null },
    deliverySet(LONG, 2, 2),
    messageAdded(3, "by a share"),
    deliverySet("device 1", 3, 3, { share: "$share/group/a/#" }),
    { kind: "share-set", share: "$share/group/a/#", order: 4, message: 3 },
    { kind: "share-set", share: `$share/${LONG}`, order: 5, message: 3 },
    messageAdded(2 ** 40, "retained"),
    { kind: "retained-set", topicName: "a/x/b", message: 2 ** 40 },
    { kind: "retained-set", topicName: LONG, message: 2 ** 40 },
    // Since layout 2.
    { ...messageAdded(2 ** 40 + 1, "of a user"), source: { username: "operator", listener: "*:1883" } },
    { kind: "retained-set", topicName: "of a user", message: 2 ** 40 + 1 },
    { ...messageAdded(2 ** 40 + 2, "of nobody"), publisher: null, source: { username: null, listener: null } },
    { kind: "retained-set", topicName: "of nobody", message: 2 ** 40 + 2 },
    // Since layout 3.
    sessionSet("counting", { lastPacketId: 65_535 }),
    { kind: "received-set", clientId: "device 1", packetId: 65_535 },
    willSet("device 1", { dueAtMs: moment + 5000 }),
    willSet(LONG, { delaySeconds: 0 }),
    deliverySet("ended", 1, 1),
  ];
}

async function keepStore(): Promise<void> {
  const folder = join(KEPT, "..", "store being made");
  const store = await open(folder);
  await store.append(facts());
  await store.append([{ kind: "session-deleted", clientId: "ended" }]);
  const held = await holdings(store);
  await store.close();
  mkdirSync(KEPT, { recursive: true });
  writeFileSync(join(KEPT, `layout-${SCHEMA_VERSION}.mdb.gz`), gzipSync(readFileSync(join(folder, "data.mdb"))));
  writeFileSync(join(KEPT, `layout-${SCHEMA_VERSION}.json`), `${JSON.stringify(held, null, 2)}\n`);
}

if (process.env.LACEWING_KEEP_STORE !== undefined) await keepStore();

/** What sums up a queue is no fact: nothing of it is in the file. */
function isFact(text: string): boolean {
  return !text.includes('"kind":"queue"');
}

for (let layout = 1; layout <= SCHEMA_VERSION; layout++)
  test(`a store of layout ${layout} is opened with all that it holds`, async (context) => {
    const path = join(KEPT, `layout-${layout}.mdb.gz`);
    assert.ok(existsSync(path), "a new layout needs a kept file: LACEWING_KEEP_STORE=1");
    const folder = temporaryFolder(context);
    writeFileSync(join(folder, "data.mdb"), gunzipSync(readFileSync(path)));
    const store = await open(folder);
    const held: string[] = JSON.parse(readFileSync(join(KEPT, `layout-${layout}.json`), "utf8"));
    assert.deepEqual((await holdings(store)).filter(isFact), held.filter(isFact));
    assert.deepEqual((await store.check()).problems, []);
    await store.append([sessionSet("new"), messageAdded(2 ** 40 + 1), deliverySet("new", 1, 2 ** 40 + 1)]);
    assert.equal((await store.stats()).schema, SCHEMA_VERSION);
    await store.close();
  });
