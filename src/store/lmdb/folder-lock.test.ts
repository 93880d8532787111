import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../../test/support/folder.ts";
import { FolderLock } from "./folder-lock.ts";
import { StoreError } from "./report.ts";

const MODULE = new URL("./folder-lock.js", import.meta.url).href;

function isLockedBy(who: RegExp, folder: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof StoreError);
    assert.equal(error.fault, "locked");
    assert.match(error.message, who);
    assert.ok(error.message.includes(folder), error.message);
    return true;
  };
}

/** Writes a lock that was taken as `changes` say. */
async function leaveLock(folder: string, changes: object): Promise<void> {
  const lock = await FolderLock.acquire(folder);
  const path = join(folder, "lock.json");
  const holder = JSON.parse(readFileSync(path, "utf8"));
  lock.release();
  writeFileSync(path, JSON.stringify({ ...holder, ...changes }));
}

async function assertFree(folder: string): Promise<void> {
  const lock = await FolderLock.acquire(folder);
  lock.release();
  assert.deepEqual(readdirSync(folder), [], "nothing is left behind");
}

test("a folder is locked once, also within a process, until it is released", async (context) => {
  const folder = temporaryFolder(context);
  const lock = await FolderLock.acquire(folder);
  await assert.rejects(FolderLock.acquire(folder), isLockedBy(/in use by this process/, folder));
  lock.release();
  await assertFree(folder);
});

test("the process that has the lock is named; when it is killed the lock is free", async (context) => {
  const folder = temporaryFolder(context);
  const source = `const { FolderLock } = await import(${JSON.stringify(MODULE)});
    await FolderLock.acquire(process.argv[1]); console.log("held"); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", source, folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  context.after(() => child.kill("SIGKILL"));
  await once(child.stdout, "data");
  await assert.rejects(FolderLock.acquire(folder), isLockedBy(new RegExp(`in use by process ${child.pid}\\.`), folder));
  child.kill("SIGKILL");
  await once(child, "exit");
  await assertFree(folder);
});

for (const [what, changes] of [
  ["of a process whose number another one has now", { started: "1" }],
  ["of a process that is gone", { pid: 2 ** 22 + 1, started: "" }],
  ["from before the machine was started", { boot: "another" }],
] as const)
  test(`a lock ${what} does not count`, async (context) => {
    const folder = temporaryFolder(context);
    await leaveLock(folder, changes);
    await assertFree(folder);
  });

test("a lock file with anything else in it does not count", async (context) => {
  for (const text of ["", "null", "{}", "not JSON"]) {
    const folder = temporaryFolder(context, { "lock.json": text });
    await assertFree(folder);
  }
});

test("a lock from another container counts while its file is touched", async (context) => {
  const folder = temporaryFolder(context);
  await leaveLock(folder, { namespace: "pid:[1]", pid: 1 });
  let seconds = 1_000_000;
  const beat = setInterval(() => utimesSync(join(folder, "lock.json"), ++seconds, seconds), 50);
  context.after(() => clearInterval(beat));
  await assert.rejects(FolderLock.acquire(folder), isLockedBy(/in use by process 1\./, folder));
});

test("of many who want it at once one gets it", async (context) => {
  const folder = temporaryFolder(context);
  await leaveLock(folder, { boot: "another" });
  const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => FolderLock.acquire(folder)));
  const locks = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  assert.equal(locks.length, 1);
  locks[0]!.release();
});
