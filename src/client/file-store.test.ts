/** The store file: what was appended is there again, however the process or the file ended. */
import assert from "node:assert/strict";
import { appendFileSync, existsSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../test/support/folder.ts";
import { NO_PROPERTIES, publishOf, type Qos } from "../protocol/index.ts";
import { ClientStoreError } from "./errors.ts";
import { openFileStore } from "./file-store.ts";
import type { SessionChange } from "./journal.ts";
import type { SavedSession } from "./session.ts";

function outgoing(mid: number, qos: Qos, payload: string): SessionChange {
  const fields = {
    topicName: `t/${mid}`,
    payload: Buffer.from(payload),
    retain: true,
    properties: { contentType: "x" },
  };
  return { kind: "outgoing-added", mid, message: { ...fields, qos } };
}

function incoming(sequence: number, packetId: number, payload: string): SessionChange {
  const fields = { topicName: "in", payload: Buffer.from(payload), retain: false, properties: NO_PROPERTIES };
  return { kind: "incoming-added", sequence, message: publishOf({ ...fields, qos: 2, dup: false, packetId }) };
}

const HISTORY: readonly SessionChange[] = [
  outgoing(1, 1, "one"),
  outgoing(2, 2, "two"),
  outgoing(3, 2, "three"),
  { kind: "outgoing-released", mid: 2 },
  incoming(1, 9, "first"),
  incoming(2, 8, "second"),
  { kind: "outgoing-done", mid: 1 },
  { kind: "incoming-done", sequence: 1 },
  { kind: "incoming-orphaned", sequence: 2 },
  outgoing(1, 1, "one again"),
];

/** A Session in words. */
function words({ outgoing, received, lastSequence }: SavedSession): string[] {
  return [
    ...outgoing.map(({ mid, wait, message }) => `${mid} ${wait} ${Buffer.from(message?.payload ?? []).toString()}`),
    ...received.map(({ sequence, packetId, message }) => `in ${sequence} ${packetId} ${Buffer.from(message.payload)}`),
    `last ${lastSequence}`,
  ];
}

async function stateOf(path: string): Promise<string[]> {
  const store = await openFileStore(path);
  await store.close();
  return words(store.saved);
}

test("a history is there again, with every field", async (context) => {
  const path = join(temporaryFolder(context), "client.store");
  const store = await openFileStore(path);
  assert.deepEqual(words(store.saved), ["last 0"]);
  await store.append(HISTORY.slice(0, 4));
  await store.append(HISTORY.slice(4));
  await store.close();
  const again = await openFileStore(path);
  assert.deepEqual(words(again.saved), [
    "2 PUBCOMP ",
    "3 PUBREC three",
    "1 PUBACK one again",
    "in 2 0 second",
    "last 2",
  ]);
  const { topicName, retain, qos, properties } = again.saved.outgoing[1]!.message!;
  assert.deepEqual([topicName, retain, qos, properties], ["t/3", true, 2, { contentType: "x" }]);
  await again.close();
});

test("a file that was cut anywhere holds what was whole by then", async (context) => {
  const path = join(temporaryFolder(context), "client.store");
  const store = await openFileStore(path);
  const states: { readonly bytes: number; readonly words: string[] }[] = [];
  states.push({ bytes: statSync(path).size, words: await copyState(path) });
  for (const change of HISTORY) {
    await store.append([change]);
    states.push({ bytes: statSync(path).size, words: await copyState(path) });
  }
  await store.close();
  const all = readFileSync(path);
  for (let bytes = states[0]!.bytes; bytes <= all.length; bytes += 3) {
    for (const tail of [0, 64]) {
      // Zeros may happen to be what was cut off.
      if (tail > 0 && all.subarray(bytes, bytes + 1)[0] === 0) continue;
      writeFileSync(`${path}.cut`, Buffer.concat([all.subarray(0, bytes), Buffer.alloc(tail)]));
      assert.deepEqual(
        await stateOf(`${path}.cut`),
        states.findLast((state) => state.bytes <= bytes)!.words,
        `cut at ${bytes}`,
      );
    }
  }
});

/** The state of a copy, as the file itself is in use. */
async function copyState(path: string): Promise<string[]> {
  writeFileSync(`${path}.copy`, readFileSync(path));
  return stateOf(`${path}.copy`);
}

test("what was cut off does not disturb what comes behind", async (context) => {
  const path = join(temporaryFolder(context), "client.store");
  const store = await openFileStore(path);
  await store.append([outgoing(1, 1, "one"), outgoing(2, 1, "two")]);
  await store.close();
  truncateSync(path, statSync(path).size - 1);
  const second = await openFileStore(path);
  await second.append([outgoing(3, 1, "three")]);
  await second.close();
  assert.deepEqual(await stateOf(path), ["1 PUBACK one", "3 PUBACK three", "last 0"]);
});

test("damage costs the record that it hit, is told, and a copy is kept", async (context) => {
  const path = join(temporaryFolder(context), "client.store");
  const store = await openFileStore(path);
  await store.append([outgoing(1, 1, "one"), outgoing(2, 1, "two"), outgoing(3, 1, "three")]);
  await store.close();
  const bytes = readFileSync(path);
  for (const at of [bytes.indexOf("two"), bytes.indexOf("t/2") - 13]) {
    const damaged = Buffer.from(bytes);
    damaged[at]! ^= 0x40;
    writeFileSync(path, damaged);
    const again = await openFileStore(path);
    assert.deepEqual(words(again.saved), ["1 PUBACK one", "3 PUBACK three", "last 0"]);
    assert.match(again.damage ?? "", /1 records of .* are damaged/);
    assert.deepEqual(readFileSync(`${path}.damaged`), damaged);
    await again.close();
    assert.deepEqual(await stateOf(path), ["1 PUBACK one", "3 PUBACK three", "last 0"]);
  }
});

test("a file that mostly no longer counts is written anew, and goes on", async (context) => {
  const path = join(temporaryFolder(context), "client.store");
  const store = await openFileStore(path);
  await store.append([outgoing(1, 2, "kept"), { kind: "outgoing-released", mid: 1 }, incoming(7, 1, "kept too")]);
  const payload = "x".repeat(10_000);
  for (let i = 0; i < 400; i++) {
    const mid = 2 + (i % 100);
    await store.append([outgoing(mid, 1, payload), { kind: "outgoing-done", mid }]);
  }
  await store.append([outgoing(5, 1, "last")]);
  assert.ok(statSync(path).size < 1_100_000, `${statSync(path).size} bytes`);
  await store.close();
  assert.deepEqual(await stateOf(path), ["1 PUBCOMP ", "5 PUBACK last", "in 7 1 kept too", "last 7"]);
  assert.equal(existsSync(`${path}.lock`), false);
});

test("one process at a time, and the lock of one that is gone does not count", async (context) => {
  const path = join(temporaryFolder(context), "client.store");
  const store = await openFileStore(path);
  await assert.rejects(
    openFileStore(path),
    (error) => error instanceof ClientStoreError && error.code === "store-locked",
  );
  await store.close();
  writeFileSync(`${path}.lock`, JSON.stringify({ pid: 1, started: "never", boot: "another" }));
  await (await openFileStore(path)).close();
  appendFileSync(join(path, "..", "other"), "this is something else");
  await assert.rejects(openFileStore(join(path, "..", "other")), { code: "store-failed", rc: 14 });
  await assert.rejects(openFileStore(join(path, "..", "no", "folder")), { code: "store-failed" });
  await assert.rejects(store.append([outgoing(1, 1, "x")]), { code: "store-failed" });
});

test("without syncs a killed process loses nothing all the same", async (context) => {
  const path = join(temporaryFolder(context), "client.store");
  const store = await openFileStore(path, { survives: "process" });
  void store.append([outgoing(1, 1, "one")]);
  assert.deepEqual(await copyState(path), ["1 PUBACK one", "last 0"]);
  await store.close();
});
