/** The lines of a text file, one after the other; no more of it is in memory than the line and a piece. */
import type { FileBytes } from "../file-bytes.ts";
import { ImportError } from "../import-source.ts";

/** Longest line that is read, in bytes: the largest payload in base64, and what stands around it. */
const LONGEST_LINE_BYTES = 400_000_000;
const PIECE_BYTES = 65_536;
const NEWLINE = 0x0a;

/** Must not be given bytes that begin with a BOM: JSON has none. */
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** One line, with its number from 1 on. */
export interface Line {
  readonly number: number;
  readonly text: string;
}

/**
 * All lines, the last with or without its end.
 * @throws ImportError when one is too long or no UTF-8
 */
export async function* readLines(bytes: FileBytes): AsyncGenerator<Line> {
  const begun: Uint8Array[] = [];
  let begunBytes = 0;
  let number = 1;
  for (let at = 0; at < bytes.size; at += PIECE_BYTES) {
    const piece = await bytes.read(at, Math.min(PIECE_BYTES, bytes.size - at));
    let from = 0;
    for (let end = piece.indexOf(NEWLINE); end >= 0; end = piece.indexOf(NEWLINE, from)) {
      begun.push(piece.subarray(from, end));
      yield { number, text: decode(begun, number) };
      number++;
      begun.length = begunBytes = 0;
      from = end + 1;
    }
    begun.push(piece.subarray(from));
    begunBytes += piece.length - from;
    if (begunBytes > LONGEST_LINE_BYTES)
      throw new ImportError(`line ${number} is longer than ${LONGEST_LINE_BYTES} bytes`);
  }
  if (begunBytes > 0) yield { number, text: decode(begun, number) };
}

function decode(parts: readonly Uint8Array[], number: number): string {
  try {
    return DECODER.decode(parts.length === 1 ? parts[0] : Buffer.concat(parts));
  } catch {
    throw new ImportError(`line ${number} is no well-formed UTF-8`);
  }
}
