/** `lacewing store check`, `repair`, `compact` and `backup`. */
import { readdirSync } from "node:fs";
import { resolve } from "node:path";
import { backupStore, checkStore, compactStore, repairStore } from "../store/index.ts";
import { BACKUP_COMMAND, CHECK_COMMAND, COMPACT_COMMAND, REPAIR_COMMAND } from "./options/store-options.ts";
import type { ToolIo } from "./output.ts";
import { counted } from "./quantities.ts";
import { bytesText, explained, reporter, requireStore, StoreToolError } from "./store-tool.ts";
import { runTool } from "./tool.ts";

/** Runs `lacewing store check` and returns its exit code. */
export function runCheck(args: readonly string[], io: ToolIo): Promise<number> {
  return runTool(CHECK_COMMAND, args, io, ({ folder }) =>
    explained(io, folder, async () => {
      requireStore(folder);
      const { records, problems, setAside } = await checkStore(folder, reporter(io));
      if (problems.length === 0) {
        io.stdout.write(`${folder} is sound: ${counted(records, "record")}.\n`);
        if (setAside > 0) io.stdout.write(`${counted(setAside, "damaged record")} had been set aside before.\n`);
        return 0;
      }
      io.stdout.write(`${folder} is damaged:\n${problems.map((problem) => `  ${problem}\n`).join("")}`);
      // A file that cannot be read at all says itself what to do.
      if (records > 0) io.stdout.write(`${WHAT_TO_DO}\n`);
      return 1;
    }),
  );
}

const WHAT_TO_DO =
  "Restore a backup to have what was there. Otherwise the broker sets damaged records aside when it starts, says which, and serves the rest.";

/** Runs `lacewing store repair` and returns its exit code. */
export function runRepair(args: readonly string[], io: ToolIo): Promise<number> {
  return runTool(REPAIR_COMMAND, args, io, ({ folder }) =>
    explained(io, folder, async () => {
      requireStore(folder);
      const { records, faults, aside } = await repairStore(folder, reporter(io), Date.now());
      io.stdout.write(
        aside === null
          ? `${folder} is sound and stays as it is: ${counted(records, "record")}.\n`
          : `Repaired ${folder}: ${counted(records, "record")} kept, ${counted(faults, "fault")}. What was there before is in ${aside}.\n`,
      );
      return 0;
    }),
  );
}

/** Runs `lacewing store compact` and returns its exit code. */
export function runCompact(args: readonly string[], io: ToolIo): Promise<number> {
  return runTool(COMPACT_COMMAND, args, io, ({ folder }) =>
    explained(io, folder, async () => {
      requireStore(folder);
      const { beforeBytes, afterBytes } = await compactStore(folder, reporter(io));
      io.stdout.write(`Compacted ${folder}: ${bytesText(beforeBytes)} before, ${bytesText(afterBytes)} now.\n`);
      return 0;
    }),
  );
}

/** Runs `lacewing store backup` and returns its exit code. */
export function runBackup(args: readonly string[], io: ToolIo): Promise<number> {
  return runTool(BACKUP_COMMAND, args, io, ({ folder, to }) =>
    explained(io, folder, async () => {
      requireStore(folder);
      if (resolve(folder) === resolve(to)) throw new StoreToolError(`${to} is the store itself.`);
      if (entriesOf(to) > 0) throw new StoreToolError(`${to} is not empty. Give the name of a new folder.`);
      const { bytes, isLive } = await backupStore(folder, to, reporter(io));
      const meanwhile = isLive ? " while it was in use" : "";
      io.stdout.write(`Copied ${folder}${meanwhile} to ${to}: ${bytesText(bytes)}, checked and on the disk.\n`);
      return 0;
    }),
  );
}

function entriesOf(folder: string): number {
  try {
    return readdirSync(folder).length;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
    throw error;
  }
}
