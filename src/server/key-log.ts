/** `--tls-keylog`: the secrets of TLS connections in a file, as Wireshark reads them. */
import { appendFileSync } from "node:fs";
import { StartError } from "./start-error.ts";

/** Takes a line of secrets. */
export type KeyLog = (line: Uint8Array) => void;

/**
 * Adds lines to a file, which only its owner can read when it is new.
 * @throws StartError when it cannot be written
 */
export function keyLogTo(file: string): KeyLog {
  const append = (line: Uint8Array | string): void => appendFileSync(file, line, { mode: 0o600 });
  try {
    append("");
  } catch (error) {
    throw new StartError(`--tls-keylog ${file} cannot be written: ${(error as Error).message}.`, error);
  }
  return (line) => {
    try {
      append(line);
    } catch {
      // A full disk must not end connections; the secrets are lost.
    }
  };
}
