/** Folders that the broker does not make itself, for what it writes: its log, its pid file, its sockets. */
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Config } from "../config.ts";
import { configuredFiles } from "../configured-files.ts";
import { type Finding, finding } from "./finding.ts";

const SYSTEMD = "systemd by LogsDirectory= and RuntimeDirectory=";

/** No errors: what starts the broker may make them at each start, as those below /run. */
export async function missingFolders(config: Config): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const { path, use } of configuredFiles(config, [])) {
    if (use === "read" || use === "fill") continue;
    const folder = dirname(path);
    const found = await stat(folder).catch((error: NodeJS.ErrnoException) => error.code);
    if (found !== "ENOENT") continue;
    const consequence = path === config.process.pidFile ? "this file is not written" : "the broker does not start";
    const text = `There is no folder ${folder} for ${path}: without it ${consequence}.`;
    findings.push(
      finding("warning", null, text, `mkdir ${folder}, unless what starts the broker makes it, as ${SYSTEMD}`),
    );
  }
  return findings;
}
