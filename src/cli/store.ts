/** `lacewing store`: the commands that look after what the broker keeps on disk. */

import { nearest } from "../protocol/index.ts";
import { CommandLineError, commandLineErrorText } from "./command-line.ts";
import { STORE_COMMAND } from "./options/store-options.ts";
import type { ToolIo } from "./output.ts";
import { runTool } from "./tool.ts";

type StoreTool = (args: readonly string[], io: ToolIo) => Promise<number>;

const TOOLS: Readonly<Record<string, StoreTool>> = {
  check: async (args, io) => (await import("./store-upkeep.ts")).runCheck(args, io),
  stats: async (args, io) => (await import("./store-stats.ts")).runStats(args, io),
  export: async (args, io) => (await import("./store-export.ts")).runExport(args, io),
  import: async (args, io) => (await import("./store-import.ts")).runImport(args, io),
  repair: async (args, io) => (await import("./store-upkeep.ts")).runRepair(args, io),
  compact: async (args, io) => (await import("./store-upkeep.ts")).runCompact(args, io),
  backup: async (args, io) => (await import("./store-upkeep.ts")).runBackup(args, io),
};

/** Runs `lacewing store` and returns its exit code. */
export async function runStore([first, ...rest]: readonly string[], io: ToolIo): Promise<number> {
  if (first === undefined || first.startsWith("-")) {
    return runTool(STORE_COMMAND, first === undefined ? ["--help"] : [first, ...rest], io, () => Promise.resolve(0));
  }
  const tool = Object.hasOwn(TOOLS, first) ? TOOLS[first] : undefined;
  if (tool !== undefined) return tool(rest, io);
  const close = nearest(first, Object.keys(TOOLS));
  const error = new CommandLineError(`Unknown command '${first}'.${close === null ? "" : ` Did you mean '${close}'?`}`);
  io.stderr.write(commandLineErrorText(STORE_COMMAND, error));
  return 1;
}
