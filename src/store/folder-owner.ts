/** What root does to a store beside the broker must not take it from the broker's user, who owns its folder. */
import { closeSync, constants, fchownSync, fstatSync, openSync, statSync } from "node:fs";
import { join } from "node:path";

const ROOT = 0;
/** Nobody else's file is opened by a link that lies in a folder of another user, and nothing that would block. */
const AS_IT_IS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Gives files named `names` that root has made in `folder` to whoever owns that folder. Only root does anything here. */
export function giveToFolderOwner(folder: string, names: readonly string[]): void {
  if (process.geteuid?.() !== ROOT) return;
  const owner = statSync(folder, { throwIfNoEntry: false });
  if (owner === undefined || owner.uid === ROOT) return;
  for (const name of names) give(join(folder, name), owner);
}

function give(path: string, { uid, gid }: { readonly uid: number; readonly gid: number }): void {
  let file: number | null = null;
  try {
    file = openSync(path, AS_IT_IS);
    const found = fstatSync(file);
    // A second name may be one of a file elsewhere, put here to be given away.
    if (found.isFile() && found.nlink === 1 && found.uid === ROOT) fchownSync(file, uid, gid);
  } catch {
    // Not there, a link, or not to be changed: the broker says at its start which file it may not use.
  } finally {
    if (file !== null) closeSync(file);
  }
}
