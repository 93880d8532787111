/** Replaces a file as a whole: who reads it finds the old content or the new, also after a power cut. */
import { randomBytes } from "node:crypto";
import type { Stats } from "node:fs";
import { type FileHandle, open, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** For its owner alone. */
const NEW_FILE_MODE = 0o600;

/** What a file that was there keeps: its owner's rights, and that its group may read it. */
const KEPT_MODE = 0o640;

/**
 * Writes `content` to `path`, which need not be there. Others than owner and group lose their rights.
 * @param isOurs nobody else needs to read it: where this process may not give the new file the owner and the group of the old one,
 *   it is this process's alone; otherwise that is an error
 */
export async function replaceFile(path: string, content: string | Uint8Array, isOurs: boolean = false): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const before = await stat(target).catch(() => null);
  const temporary = `${target}.${randomBytes(6).toString("hex")}.new`;
  const file = await open(temporary, "wx", NEW_FILE_MODE);
  try {
    try {
      if (before !== null) {
        await keepRights(file, before).catch((error: unknown) => {
          if (!isOurs || (error as NodeJS.ErrnoException).code !== "EPERM") throw error;
        });
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

async function keepRights(file: FileHandle, { uid, gid, mode }: Stats): Promise<void> {
  await file.chown(uid, gid);
  await file.chmod((mode & KEPT_MODE) | NEW_FILE_MODE);
}
