/** An export as a source of an import: read once to check every line and what it refers to, and again for the facts. */
import type { Change } from "../../core/index.ts";
import type { FileBytes } from "../file-bytes.ts";
import { ImportError, type ImportSource } from "../import-source.ts";
import { FIRST_KIND, LAST_KIND, LINES_VERSION, LineError, lineFact, parseLine } from "./fact-lines.ts";
import { readLines } from "./lines.ts";
import { References } from "./references.ts";

/** Longest first line, in bytes. */
const HEAD_BYTES = 1000;

/** Whether the file begins as an export does. */
export async function isLines(bytes: FileBytes): Promise<boolean> {
  const head = await bytes.read(0, Math.min(HEAD_BYTES, bytes.size));
  const [first] = new TextDecoder().decode(head).split("\n");
  try {
    return parseLine(first!).kind === FIRST_KIND;
  } catch {
    return false;
  }
}

/**
 * Checks an export, which `isLines` has found to be one.
 * @throws ImportError when a line cannot be, or the end is missing
 */
export async function openLines(bytes: FileBytes): Promise<ImportSource> {
  const references = new References();
  for await (const fact of factsOf(bytes)) references.add(fact.change, fact.number);
  references.end();
  return {
    format: "an export of Lacewing",
    notes: [],
    async *facts() {
      for await (const { change } of factsOf(bytes)) yield change;
    },
    close: () => bytes.close(),
  };
}

interface NumberedChange {
  readonly number: number;
  readonly change: Change;
}

async function* factsOf(bytes: FileBytes): AsyncGenerator<NumberedChange> {
  let isEnded = false;
  let last = 0;
  for await (const { number, text } of readLines(bytes)) {
    last = number;
    if (isEnded) throw new ImportError(`line ${number} comes after the line that says "${LAST_KIND}"`);
    const line = atLine(number, () => parseLine(text));
    if (number === 1) checkFirst(line);
    else if (line.kind === LAST_KIND) isEnded = checkLast(line, number);
    else yield { number, change: atLine(number, () => lineFact(line)) };
  }
  if (!isEnded) throw new ImportError(`the last line, ${last}, does not say "${LAST_KIND}": the file was cut off`);
}

function atLine<Result>(number: number, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (error instanceof LineError) throw new ImportError(`line ${number}: ${error.message}`);
    throw error;
  }
}

function checkFirst({ kind, version }: Record<string, unknown>): void {
  if (kind === FIRST_KIND && version === LINES_VERSION) return;
  throw new ImportError(
    `line 1 says that this is version ${JSON.stringify(version)} of the format; ${LINES_VERSION} can be read`,
  );
}

function checkLast({ lines }: Record<string, unknown>, number: number): true {
  if (lines === number) return true;
  throw new ImportError(
    `line ${number} says that there are ${JSON.stringify(lines)} lines and is number ${number}: some are missing or were added; if that is wanted, write "lines":${number} there`,
  );
}
