/** Replaces a file as a whole: who reads it finds the old content or the new, also after a power cut. */
import { randomBytes } from "node:crypto";
import { open, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** For its owner alone. */
const NEW_FILE_MODE = 0o600;

/** What a file that was there keeps: its owner's rights, and that its group may read it. */
const KEPT_MODE = 0o640;

/** Writes `content` to `path`, which need not be there. Others than owner and group lose their rights. */
export async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const before = await stat(target).catch(() => null);
  const temporary = `${target}.${randomBytes(6).toString("hex")}.new`;
  const file = await open(temporary, "wx", NEW_FILE_MODE);
  try {
    try {
      if (before !== null) {
        await file.chown(before.uid, before.gid);
        await file.chmod((before.mode & KEPT_MODE) | NEW_FILE_MODE);
      }
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  const folder = await open(dirname(target), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
