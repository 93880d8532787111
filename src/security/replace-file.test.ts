import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { replaceFile } from "./replace-file.ts";

const OWNER = 4321;
const OWN_GROUP = 4322;
const OTHER_GROUP = 4323;
const OPTIONS = { skip: process.geteuid?.() === 0 ? false : "only root can become another user" };

/** Runs `work` with the rights of OWNER. */
async function asOwner(work: () => Promise<void>): Promise<void> {
  const [group, groups] = [process.getegid!(), process.getgroups!()];
  process.setgroups!([OWN_GROUP]);
  process.setegid!(OWN_GROUP);
  process.seteuid!(OWNER);
  try {
    await work();
  } finally {
    process.seteuid!(0);
    process.setegid!(group);
    process.setgroups!(groups);
  }
}

test(
  "a file whose group cannot be kept: refused, or for its owner alone when nobody else reads it",
  OPTIONS,
  async (context) => {
    const folder = mkdtempSync(join(tmpdir(), "lacewing-"));
    context.after(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "file");
    writeFileSync(path, "old");
    for (const each of [folder, path]) chownSync(each, OWNER, OTHER_GROUP);
    chmodSync(path, 0o640);
    await asOwner(() => assert.rejects(replaceFile(path, "new"), { code: "EPERM" }));
    assert.equal(readFileSync(path, "utf8"), "old");
    await asOwner(() => replaceFile(path, "new", true));
    const { uid, gid, mode } = statSync(path);
    assert.deepEqual([readFileSync(path, "utf8"), uid, gid, mode & 0o777], ["new", OWNER, OWN_GROUP, 0o600]);
    // Where it can be, they are kept.
    chmodSync(path, 0o640);
    await asOwner(() => replaceFile(path, "newer", true));
    assert.deepEqual([statSync(path).mode & 0o777, readdirSync(folder)], [0o640, ["file"]]);
  },
);
