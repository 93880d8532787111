/** Files of lines, as mosquitto's files of users, rules and keys are. */
import { readFile } from "node:fs/promises";
import { SecurityError, unreadable } from "./security-error.ts";

/** Largest file that is read, in bytes. */
const LARGEST_FILE_BYTES = 64 * 1024 * 1024;

/** One line that says something. */
export interface TextLine {
  /** From 1. */
  readonly number: number;
  /** Without white space at its end. */
  readonly text: string;
}

/**
 * Reads a file of text.
 * @throws SecurityError when it cannot be read or is not UTF-8
 */
export async function readText(path: string): Promise<string> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  if (bytes.length > LARGEST_FILE_BYTES) {
    throw new SecurityError(path, null, `has ${bytes.length} bytes; at most ${LARGEST_FILE_BYTES} are read`);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new SecurityError(path, null, "is not text in UTF-8");
  }
}

/** The lines of `text` but for empty ones and comments, whose first character is "#". */
export function linesOf(text: string): TextLine[] {
  return text
    .split("\n")
    .map((line, index) => ({ number: index + 1, text: line.trimEnd() }))
    .filter(({ text }) => text !== "" && !text.startsWith("#"));
}
