/** A mosquitto.db as a source of an import. */
import type { FileBytes } from "../file-bytes.ts";
import type { ImportSource } from "../import-source.ts";
import { readFormat } from "./chunks.ts";
import { Contents, type ReadingOptions } from "./contents.ts";

/**
 * Checks a whole mosquitto.db.
 * @throws ImportError when it is none, or anything about it cannot be
 */
export async function openMosquittoDb(bytes: FileBytes, options: ReadingOptions): Promise<ImportSource> {
  const format = await readFormat(bytes);
  const contents = await Contents.read(bytes, format, options);
  return {
    format: `mosquitto's database, format ${format}`,
    notes: notesOf(contents, options),
    facts: () => contents.facts(),
    close: () => bytes.close(),
  };
}

function notesOf({ leftOut, held, usernames }: Contents, { keepsUsers }: ReadingOptions): string[] {
  const notes: [string, number][] = [
    ["Sessions left out because they had ended with their connection, or expired", leftOut.sessions],
    ["Messages left out because they had expired", leftOut.expired],
    ["Queued messages left out because they are of QoS 0, which nobody is owed", leftOut.qos0],
    ["Messages passed on now that mosquitto held until their PUBREL", held],
    ["Sessions whose user names in the file were not taken over", keepsUsers ? 0 : usernames],
  ];
  return notes.filter(([, count]) => count > 0).map(([what, count]) => `${what}: ${count}.`);
}
