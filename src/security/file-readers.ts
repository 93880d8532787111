/** Tells when more than its owner can read a file of secrets, which it is read from all the same, as by mosquitto. */
import { stat } from "node:fs/promises";
import type { SecurityLog } from "./sources.ts";

const WORLD_READ = 0o004;
const GROUP_READ = 0o040;

/** Looks at `path` and warns. A file that cannot be looked at is told of by who reads it. Windows has no such permissions. */
export async function tellOfReaders(path: string, log: SecurityLog): Promise<void> {
  if (process.platform === "win32") return;
  const mode = await stat(path).then(
    (found) => found.mode,
    () => 0,
  );
  const remedy = `chmod 600 ${path} takes that away`;
  if ((mode & WORLD_READ) !== 0) {
    // mosquitto's words, which also says that later versions will refuse such a file.
    log("warning", `Warning: File ${path} has world readable permissions; ${remedy}.`);
  } else if ((mode & GROUP_READ) !== 0) {
    log("notice", `File ${path} has group readable permissions; unless that group is the broker's own, ${remedy}.`);
  }
}
