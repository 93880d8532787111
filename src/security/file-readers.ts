/** Tells when more than its owner can read a file of secrets, which it is read from all the same, as by mosquitto. */
import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { userInfo } from "node:os";
import type { SecurityLog } from "./sources.ts";

const WORLD_READ = 0o004;
const GROUP_READ = 0o040;
const ROOT = 0;

/** Looks at `path` and warns. A file that cannot be looked at is told of by who reads it. Windows has no such permissions. */
export async function tellOfReaders(path: string, log: SecurityLog): Promise<void> {
  if (process.platform === "win32") return;
  const found = await stat(path).catch(() => null);
  if (found === null) return;
  if ((found.mode & WORLD_READ) !== 0) {
    // mosquitto's words, which also says that later versions will refuse such a file.
    log("warning", `Warning: File ${path} has world readable permissions; ${remedy(path, found)}.`);
  } else if ((found.mode & GROUP_READ) !== 0 && !isReadByGroup(found)) {
    log("notice", `File ${path} has group readable permissions; ${remedy(path, found)}.`);
  }
}

/** Whether it is only by the group that this process reads a file of somebody else, as one of root:mosquitto. */
function isReadByGroup({ uid, gid }: Stats): boolean {
  return uid !== process.geteuid?.() && gid === process.getegid?.();
}

/** Without rights of others a broker that is not root needs the file to be its own. */
function remedy(path: string, { uid }: Stats): string {
  const self = process.geteuid?.();
  if (self === ROOT || self === uid) return `chmod 600 ${path} takes that away`;
  return `chown ${ownName()} ${path} && chmod 600 ${path} takes that away`;
}

/** A user that the system has no name for, as in containers, is its number. */
function ownName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.geteuid?.());
  }
}
