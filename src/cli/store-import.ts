/** `lacewing store import`: fills a store from an export or from mosquitto's database. */
import {
  type Filled,
  fillStore,
  hasStore,
  ImportError,
  type ImportSource,
  isEmpty,
  moveStoreAside,
  openImport,
  StoreError,
} from "../store/index.ts";
import { IMPORT_COMMAND } from "./options/store-options.ts";
import type { ToolIo } from "./output.ts";
import { counted } from "./quantities.ts";
import { explained, StoreToolError, withNewStore } from "./store-tool.ts";
import { runTool } from "./tool.ts";

/** Runs the command and returns its exit code. */
export function runImport(args: readonly string[], io: ToolIo): Promise<number> {
  return runTool(IMPORT_COMMAND, args, io, ({ file, to, users, force }) =>
    explained(io, to, async () => {
      const source = await opened(file, users);
      try {
        const aside = force ? await madeRoom(to, io) : null;
        const filled = await fill(to, file, source, io);
        io.stdout.write(`${report(file, to, source, filled).join("\n")}\n`);
        if (aside !== null) io.stdout.write(`What the store held before is in ${aside}.\n`);
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

/** Moves a store that is there away, and returns where it is; null: there was nothing in it. */
async function madeRoom(folder: string, io: ToolIo): Promise<string | null> {
  if (!hasStore(folder)) return null;
  // One that cannot even be opened is replaced too.
  const isFilled = await withNewStore(folder, io, async (store) => !(await isEmpty(store))).catch((error: unknown) => {
    if (error instanceof StoreError && error.fault !== "locked") return true;
    throw error;
  });
  return isFilled ? moveStoreAside(folder, Date.now()) : null;
}

function fill(folder: string, file: string, source: ImportSource, io: ToolIo): Promise<Filled> {
  return withNewStore(folder, io, async (store) => {
    if (!(await isEmpty(store))) {
      throw new StoreToolError(
        `The store in ${folder} is not empty. Give another folder with --to, or --force to replace what it holds. Nothing was imported.`,
      );
    }
    try {
      return await fillStore(store, source);
    } catch (error) {
      io.stderr.write(`The store in ${folder} now holds a part of ${file}. Empty that folder and import again.\n`);
      throw error;
    }
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
