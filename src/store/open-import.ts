/** Opens a file that a store can be filled from, and tells by its content which kind it is. */
import { isLines, openLines } from "./exchange/line-source.ts";
import { FileBytes } from "./file-bytes.ts";
import { ImportError, type ImportSource } from "./import-source.ts";
import { isMosquittoDb } from "./mosquitto-db/chunks.ts";
import type { ReadingOptions } from "./mosquitto-db/contents.ts";
import { openMosquittoDb } from "./mosquitto-db/open-mosquitto-db.ts";
import { FIRST_LINE } from "./stand-in.ts";

/**
 * Opens and checks a whole file: an export of ours, or a mosquitto.db.
 * @throws ImportError when it is neither or not sound, and what the system throws when it cannot be read
 */
export async function openImport(path: string, options: ReadingOptions): Promise<ImportSource> {
  const bytes = await FileBytes.open(path);
  try {
    if (bytes.size === 0) throw new ImportError("the file is empty");
    if (await isMosquittoDb(bytes)) return await openMosquittoDb(bytes, options);
    if (await isLines(bytes)) return await openLines(bytes);
    throw new ImportError(await unknownKind(bytes));
  } catch (error) {
    await bytes.close();
    throw error;
  }
}

/** Bytes at the beginning that tell what an unknown file is. */
const HEAD_BYTES = 64;

async function unknownKind(bytes: FileBytes): Promise<string> {
  const head = await bytes.read(0, Math.min(HEAD_BYTES, bytes.size));
  if (Buffer.from(head).toString().startsWith(FIRST_LINE))
    return "this file only stands for a store, which lies beside it";
  const wanted = 'this is neither a mosquitto.db nor an export, which begins with {"kind":"lacewing-store"';
  return head.every((byte) => byte === 0) ? `${wanted}; it begins with zero bytes, as after a power cut` : wanted;
}
