import assert from "node:assert/strict";
import { appendFileSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../../test/support/folder.ts";
import { Journal, readJournal, removeJournal } from "./journal.ts";

function batch(number: number, length: number = 100): Uint8Array {
  return new Uint8Array(length).fill(number);
}

/** The numbers of the batches that are found, each checked against what was written. */
function found(folder: string, kept: number = 0): number[] {
  return readJournal(folder, kept).map(({ sequence, bytes }) => {
    assert.ok(
      bytes.every((byte) => byte === (sequence & 255)),
      `batch ${sequence}`,
    );
    return sequence;
  });
}

test("batches are found in order, but for those that the file has already", async (context) => {
  const folder = temporaryFolder(context);
  assert.deepEqual(found(folder), []);
  const journal = await Journal.open(folder, 6);
  for (const number of [7, 8, 9]) assert.equal(await journal.append(batch(number), 6), number);
  assert.deepEqual(found(folder, 6), [7, 8, 9]);
  assert.deepEqual(found(folder, 8), [9]);
  assert.deepEqual(found(folder, 9), []);
  await journal.letGo();
  removeJournal(folder);
  assert.deepEqual(found(folder, 6), []);
});

test("what is not whole ends the journal", async (context) => {
  const folder = temporaryFolder(context);
  const journal = await Journal.open(folder, 0);
  for (const number of [1, 2, 3]) await journal.append(batch(number), 0);
  const path = join(folder, "journal-0");
  const whole = readFileSync(path);
  for (const left of [whole.length - 1, whole.length - 100, whole.length - 110]) {
    truncateSync(path, left);
    assert.deepEqual(found(folder), [1, 2], `${left} bytes`);
    writeFileSync(path, whole);
  }
  const altered = Buffer.from(whole);
  altered[whole.length / 3 + 50]! ^= 1;
  writeFileSync(path, altered);
  assert.deepEqual(found(folder), [1], "nothing behind what is altered, as it would leave a gap");
  writeFileSync(path, whole);
  appendFileSync(path, new Uint8Array(4096));
  assert.deepEqual(found(folder), [1, 2, 3], "zeros at the end are no batches");
  await journal.letGo();
});

test("two files take turns, and neither is emptied before its batches are in the file", async (context) => {
  const folder = temporaryFolder(context);
  const journal = await Journal.open(folder, 0);
  const megabyte = 2 ** 20;
  let kept = 0;
  for (let number = 1; number <= 60; number++) {
    await journal.append(batch(number, megabyte), kept);
    if (number % 5 === 0) kept = number - 3;
    const expected = Array.from({ length: number - kept }, (_, i) => kept + 1 + i);
    if (number % 4 === 0) assert.deepEqual(found(folder, kept), expected);
  }
  const bytes = ["journal-0", "journal-1"].map((name) => statSync(join(folder, name)).size);
  assert.ok(Math.max(...bytes) < 24 * megabyte, `${bytes}`);
  await journal.trim(60);
  assert.deepEqual(
    ["journal-0", "journal-1"].map((name) => statSync(join(folder, name)).size),
    [0, 0],
  );
  await journal.append(batch(61), 60);
  assert.deepEqual(found(folder, 60), [61]);
  await journal.letGo();
});

test("a batch that could not be written whole is written over by the next", async (context) => {
  const folder = temporaryFolder(context);
  const journal = await Journal.open(folder, 0);
  await journal.append(batch(1), 0);
  appendFileSync(join(folder, "journal-0"), batch(200, 50));
  await journal.append(batch(2), 0);
  assert.deepEqual(found(folder), [1, 2]);
  await journal.letGo();
});
