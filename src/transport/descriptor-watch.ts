/**
 * Notices when the process has no file descriptor left. Node then closes new connections at once and tells nobody, so whoever runs the
 * broker would not learn why clients are turned away.
 */
import { closeSync, openSync } from "node:fs";

/** How often is looked, in milliseconds. */
const LOOK_MS = 1000;

const CODES = ["EMFILE", "ENFILE"];

/**
 * Begins to look.
 * @param onChange told once when descriptors run out, and once when there are some again
 * @returns what ends it
 */
export function watchDescriptors(onChange: (isExhausted: boolean) => void): () => void {
  let wasExhausted = false;
  const timer = setInterval(() => {
    const isExhausted = !hasDescriptor();
    if (isExhausted !== wasExhausted) onChange((wasExhausted = isExhausted));
  }, LOOK_MS).unref();
  return () => clearInterval(timer);
}

function hasDescriptor(): boolean {
  try {
    closeSync(openSync("/dev/null", "r"));
    return true;
  } catch (error) {
    return !CODES.includes((error as NodeJS.ErrnoException).code ?? "");
  }
}
