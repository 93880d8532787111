/** `lacewing store export`: everything that a store holds, as JSON lines. */
import { once } from "node:events";
import { createWriteStream, existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import type { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { type Exported, exportLines, type LmdbStore } from "../store/index.ts";
import { EXPORT_COMMAND } from "./options/store-options.ts";
import type { ToolIo } from "./output.ts";
import { counted } from "./quantities.ts";
import { explained, StoreToolError, withStore } from "./store-tool.ts";
import { runTool } from "./tool.ts";

/** Runs the command and returns its exit code. */
export function runExport(args: readonly string[], io: ToolIo): Promise<number> {
  return runTool(EXPORT_COMMAND, args, io, ({ folder, output }) =>
    explained(io, folder, async () => {
      const { lines, missing } = await withStore(folder, io, (store) =>
        output === undefined ? exportTo(io.stdout, store) : exportToFile(output, store),
      );
      io.stderr.write(`Exported ${folder}${output === undefined ? "" : ` to ${output}`}: ${counted(lines, "line")}.\n`);
      if (missing === 0) return 0;
      io.stderr.write(`Error: ${counted(missing, "queued message")} could not be read, being damaged, and left out.\n`);
      return 1;
    }),
  );
}

async function exportTo(stream: Writable, store: LmdbStore): Promise<Exported> {
  let failure: Error | null = null;
  const onError = (error: Error): void => {
    failure = error;
  };
  stream.on("error", onError);
  try {
    return await exportLines(store, async (text) => {
      if (failure !== null) throw failure;
      if (!stream.write(text)) await once(stream, "drain");
    });
  } finally {
    stream.off("error", onError);
  }
}

/** Writes to a new file; what was written is removed again when not all of it could be. */
async function exportToFile(path: string, store: LmdbStore): Promise<Exported> {
  if (existsSync(path)) throw new StoreToolError(`${path} is there already. Give the name of a new file.`);
  const stream = createWriteStream(path, { flags: "wx", mode: 0o600 });
  try {
    await once(stream, "open");
    const exported = await exportTo(stream, store);
    stream.end();
    await finished(stream);
    return exported;
  } catch (error) {
    stream.destroy();
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") await rm(path, { force: true });
    throw error;
  }
}
