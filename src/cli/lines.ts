/** Lines of a stream of bytes, as bytes. */
import type { Readable } from "node:stream";

const NEWLINE = 0x0a;

/** Longest line, in bytes: no message can be longer [5.0 §2.1.4]. */
const LONGEST_LINE_BYTES = 268_435_455;

/**
 * Yields the lines that each chunk completes, without their ends; what follows the last end is a line too, unless it is empty.
 * @throws RangeError for a line that no message can hold
 */
export async function* linesOf(stream: Readable): AsyncGenerator<Uint8Array[], void, void> {
  let rest: Uint8Array[] = [];
  let restBytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer | string>) {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    const lines: Uint8Array[] = [];
    let from = 0;
    for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, from)) {
      const end = bytes.subarray(from, at);
      lines.push(rest.length === 0 ? end : Buffer.concat([...rest, end]));
      rest = [];
      restBytes = 0;
      from = at + 1;
    }
    if (from < bytes.length) rest.push(bytes.subarray(from));
    restBytes += bytes.length - from;
    if (restBytes > LONGEST_LINE_BYTES) throw new RangeError("a line is longer than 268,435,455 bytes");
    if (lines.length > 0) yield lines;
  }
  if (rest.length > 0) yield [Buffer.concat(rest)];
}
