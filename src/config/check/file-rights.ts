/** Who may read and change files that should be few people's. */
import { stat } from "node:fs/promises";
import { type Finding, finding } from "./finding.ts";

const READABLE_BY_OTHERS = 0o004;
const WRITABLE_BY_OTHERS = 0o002;

/** @param what it is, as "the private key" */
export async function rightsOf(path: string, what: string, isSecret: boolean): Promise<readonly Finding[]> {
  const found = await stat(path).catch(() => null);
  // Whoever reads it says why it cannot be read. Windows has no such rights.
  if (found === null || process.platform === "win32") return [];
  if ((found.mode & WRITABLE_BY_OTHERS) !== 0) {
    const text = `Everybody on this machine may change ${what} ${path}, and so let themselves in.`;
    return [finding("warning", path, text, `chmod o-rwx ${path}`)];
  }
  if (isSecret && (found.mode & READABLE_BY_OTHERS) !== 0) {
    const text = `Everybody on this machine may read ${what} ${path}.`;
    return [finding("warning", path, text, `chmod o-rwx ${path}, with the broker's user as owner or in its group`)];
  }
  return [];
}
