/** `lacewing store import`: fills a store from an export or from mosquitto's database. */
import { type Filled, fillStore, ImportError, type ImportSource, isEmpty, openImport } from "../store/index.ts";
import { IMPORT_COMMAND } from "./options/store-options.ts";
import type { ToolIo } from "./output.ts";
import { counted, explained, StoreToolError, withNewStore } from "./store-tool.ts";
import { runTool } from "./tool.ts";

/** Runs the command and returns its exit code. */
export function runImport(args: readonly string[], io: ToolIo): Promise<number> {
  return runTool(IMPORT_COMMAND, args, io, ({ file, to, users }) =>
    explained(io, async () => {
      const source = await opened(file, users);
      try {
        const filled = await fill(to, source, io);
        io.stdout.write(`${report(file, to, source, filled).join("\n")}\n`);
        return 0;
      } finally {
        await source.close();
      }
    }),
  );
}

async function opened(file: string, keepsUsers: boolean): Promise<ImportSource> {
  try {
    return await openImport(file, { nowMs: Date.now(), keepsUsers });
  } catch (error) {
    if (error instanceof ImportError)
      throw new StoreToolError(`${file} cannot be imported: ${error.message}. Nothing was imported.`);
    throw error;
  }
}

function fill(folder: string, source: ImportSource, io: ToolIo): Promise<Filled> {
  return withNewStore(folder, io, async (store) => {
    if (!(await isEmpty(store))) {
      throw new StoreToolError(
        `The store in ${folder} is not empty. Give another folder with --to. Nothing was imported.`,
      );
    }
    return fillStore(store, source);
  });
}

function report(file: string, folder: string, source: ImportSource, filled: Filled): string[] {
  const counts = [
    counted(filled.sessions, "session"),
    counted(filled.subscriptions, "subscription"),
    counted(filled.queued, "queued message"),
    `${filled.inflight.toLocaleString("en")} in flight`,
    counted(filled.received, "QoS 2 identifier"),
    counted(filled.retained, "retained message"),
  ];
  return [`Imported ${file} (${source.format}) into ${folder}: ${counts.join(", ")}.`, ...source.notes];
}
