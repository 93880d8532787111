// Out of a store and into another: everything comes along, and what does not fit together is refused with its line.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import {
  deliverySet,
  holdings,
  messageAdded,
  type Of,
  sessionSet,
  subscriptionSet,
  textOf,
  willSet,
} from "../../../test/contracts/facts.ts";
import type { Change, Store } from "../../core/index.ts";
import { ImportError } from "../import-source.ts";
import { MemoryStore } from "../memory.ts";
import { openImport } from "../open-import.ts";
import { exportLines } from "./export-lines.ts";
import { fillStore } from "./fill-store.ts";

const folder = mkdtempSync(join(tmpdir(), "lacewing-"));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, "export.jsonl");

async function exported(store: Store): Promise<string> {
  let text = "";
  await exportLines(store, (piece) => {
    text += piece;
  });
  return text;
}

/** A new store with what `text` says. */
async function imported(text: string | Uint8Array): Promise<MemoryStore> {
  writeFileSync(path, text);
  const source = await openImport(path, { nowMs: 0, keepsUsers: false });
  const store = new MemoryStore();
  try {
    await fillStore(store, source);
  } finally {
    await source.close();
  }
  return store;
}

/** Facts of all kinds for some sessions; messages are shared, repeated and alone. */
function facts(sessions: readonly string[], count: number): Change[] {
  const batch: Change[] = count % 2 === 0 ? [] : [{ kind: "clock-set", aheadMs: -count }];
  batch.push(...sessions.map((clientId) => sessionSet(clientId, { principal: "p", disconnectedAtMs: 5 })));
  for (const clientId of sessions)
    batch.push(subscriptionSet(clientId, "a/#"), subscriptionSet(clientId, "$share/g/b"));
  for (let i = 1; i <= count; i++) {
    batch.push({ ...messageAdded(i), expiresAtMs: i % 3 === 0 ? i : null, publisher: i % 2 === 0 ? null : "größe" });
    for (const [at, clientId] of sessions.entries()) batch.push(deliveryOf(clientId, i, at));
    if (i % 7 === 0) batch.push({ kind: "share-set", share: "$share/g/b", order: i, message: i });
  }
  if (count > 0) batch.push({ kind: "retained-set", topicName: "t", message: count });
  for (const clientId of sessions) batch.push(willSet(clientId), { kind: "received-set", clientId, packetId: 65_535 });
  return batch;
}

function deliveryOf(clientId: string, i: number, at: number): Of<"delivery-set"> {
  switch ((i + at) % 5) {
    case 0:
      return deliverySet(clientId, i, i, { packetId: i, qos: 2, wait: "PUBREC", subscriptionIds: [1, 268_435_455] });
    case 1:
      return deliverySet(clientId, i, null, { packetId: i, qos: 2, wait: "PUBCOMP", payloadBytes: 0 });
    case 2:
      return deliverySet(clientId, i, i, { share: "$share/g/b" });
    default:
      return deliverySet(clientId, i, i);
  }
}

test("a store's lines give the same lines and the same store again", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.constantFrom("a", "ab", "größe", ""), { maxLength: 3 }),
      fc.nat(40),
      async (ids, count) => {
        const store = new MemoryStore();
        await store.append(facts(ids, count));
        const text = await exported(store);
        const again = await imported(text);
        assert.equal(await exported(again), text);
        // Of a stored PUBLISH only what a receiver sees comes along; these facts have nothing else.
        assert.deepEqual(await holdings(again), await holdings(store));
      },
    ),
    { numRuns: 30 },
  );
});

test("a queue of many pages, and batches of many megabytes", async () => {
  const store = new MemoryStore();
  const batch: Change[] = [sessionSet("s")];
  for (let i = 1; i <= 2500; i++) batch.push(messageAdded(i, new Uint8Array(4000).fill(i)), deliverySet("s", i, i));
  await store.append(batch);
  assert.deepEqual(await holdings(await imported(await exported(store))), await holdings(store));
});

test("what a store cannot give is counted", async () => {
  const store = new MemoryStore();
  await store.append(facts(["a"], 9));
  const damaged: Store = {
    survives: "process",
    append: () => Promise.reject(new Error("not for writing")),
    replay: () => store.replay(),
    readQueue: async (...place) => (await store.readQueue(...place)).slice(1),
  };
  const { missing } = await exportLines(damaged, () => {});
  assert.equal(missing, 1);
});

test("a store that is not empty is not filled", async () => {
  writeFileSync(path, await exported(new MemoryStore()));
  const source = await openImport(path, { nowMs: 0, keepsUsers: false });
  const store = new MemoryStore();
  await store.append([sessionSet("s")]);
  await assert.rejects(fillStore(store, source), /not empty/);
  await source.close();
});

test("moments of a file are on the wall clock, whatever clock an empty store had", async () => {
  writeFileSync(path, await exported(new MemoryStore()));
  const store = new MemoryStore();
  await store.append([{ kind: "clock-set", aheadMs: 5000 }]);
  const source = await openImport(path, { nowMs: 0, keepsUsers: false });
  await fillStore(store, source);
  await source.close();
  assert.deepEqual(await holdings(store), [textOf({ kind: "clock-set", aheadMs: 0 })]);
});

const HEAD = '{"kind":"lacewing-store","version":1}';
const S = '{"kind":"session","clientId":"s","principal":null,"expirySeconds":1,"disconnectedAtMs":null}';
const M =
  '{"kind":"message","message":1,"topicName":"t","payload":"","qos":2,"retain":false,"properties":{},"expiresAtMs":null,"publisher":null}';

function delivery(rest: object): string {
  const { kind: _, ...fields } = deliverySet("s", 1, 1, rest);
  return JSON.stringify({ kind: "delivery", ...fields });
}

const D = delivery({});
const RETAINED = '{"kind":"retained","topicName":"t","message":1}';

for (const [what, lines, said] of [
  ["no end", [S], /line, 2, does not say "end": the file was cut off/],
  ["too few lines", [S, '{"kind":"end","lines":9}'], /line 3 says that there are 9 lines and is number 3/],
  ["a line after the end", ['{"kind":"end","lines":2}', S], /line 3 comes after/],
  ["a blank line", [S, ""], /line 3: is no JSON/],
  ["a session twice", [S, S], /line 3 has the session "s" for the second time/],
  [
    "a received identifier of nobody",
    ['{"kind":"received","clientId":"s","packetId":1}'],
    /line 2 names the session "s"/,
  ],
  ["a delivery before its message", [S, D], /line 3 names the message 1, which does not stand before it/],
  ["a message twice", [S, M, D, M], /line 5 has the message 1 for the second time/],
  ["a message without reference", [S, M, S.replace('"s"', '"s2"')], /line 4 must refer to the message 1/],
  ["a message at the end", [S, M], /line 3 has the message 1, to which nothing refers/],
  ["an order twice", [S, M, D, D], /line 5 has the order 1 of "s" for the second time/],
  [
    "a packet identifier twice",
    [S, M, delivery({ packetId: 7 }), delivery({ order: 2, packetId: 7 })],
    /line 5 has the packet identifier 7 to "s" for the second time/,
  ],
  ["PUBACK at QoS 2", [S, M, delivery({ qos: 2 })], /line 4 waits for PUBACK at QoS 2/],
  ["PUBCOMP with message", [S, M, delivery({ qos: 2, wait: "PUBCOMP", packetId: 1 })], /PUBCOMP with its message/],
  ["PUBREC without message", [S, delivery({ qos: 2, wait: "PUBREC", message: null })], /PUBREC without a message/],
  [
    "PUBCOMP without identifier",
    [S, delivery({ qos: 2, wait: "PUBCOMP", message: null })],
    /without packet identifier/,
  ],
  ["a share that is none", [S, M, delivery({ share: "g" })], /"g", which is no shared subscription/],
  ["another topic's retained", [M, RETAINED.replace('"t"', '"u"')], /line 3 retains a message of "t" for "u"/],
  [
    "an impossible filter",
    [S, JSON.stringify({ ...subscriptionSet("s", "a/#/b"), kind: "subscription" })],
    /line 3 cannot be: topic filter has "#"/,
  ],
] as const) {
  test(`refused: ${what}`, async () => {
    const text = `${[HEAD, ...lines].join("\n")}\n`;
    const hasEnd = lines.some((line) => line.includes('"end"')) || what === "no end";
    const end = `{"kind":"end","lines":${lines.length + 2}}\n`;
    await assert.rejects(imported(hasEnd ? text : text + end), (error: Error) => {
      assert.ok(error instanceof ImportError, error.stack);
      assert.match(error.message, said);
      return true;
    });
  });
}

for (const [what, text, said] of [
  ["an empty file", "", /the file is empty/],
  ["something else", "listener 1883\n", /neither a mosquitto.db nor an export/],
  ["zero bytes", new Uint8Array(5000), /begins with zero bytes, as after a power cut/],
  ["a newer version", HEAD.replace("1}", "2}\n"), /version 2 of the format; 1 can be read/],
  ["a head only", HEAD, /the last line, 1, does not say "end"/],
  ["broken UTF-8", Buffer.from(`${HEAD}\n\xff\n`, "latin1"), /line 2 is no well-formed UTF-8/],
] as const) {
  test(`refused: ${what}`, () => assert.rejects(imported(text), said));
}

test("an export cut off anywhere is refused, and one that was altered is refused or taken, but never throws up", async () => {
  const store = new MemoryStore();
  await store.append(facts(["a", "b"], 4));
  const whole = Buffer.from(await exported(store));
  const check = async (bytes: Uint8Array, isCut: boolean): Promise<void> => {
    try {
      await imported(bytes);
      assert.equal(isCut, false);
    } catch (error) {
      assert.ok(error instanceof ImportError, (error as Error).stack);
    }
  };
  for (let length = 0; length < whole.length - 1; length += 13) await check(whole.subarray(0, length), true);
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(255), async (at, byte) => {
      const altered = Buffer.from(whole);
      altered[at] = byte;
      await check(altered, false);
    }),
    { numRuns: 500 },
  );
});
