/** Watches how much of the disk is free, so that LMDB does not meet a full one in the middle of a commit. */
import { statfsSync } from "node:fs";
import { type Environment, freePagesOf } from "./environment.ts";
import type { StoreReport } from "./report.ts";

/** Below this part of the disk, or this many bytes on a large one, somebody is told. */
const LOW_PART = 0.1;
const LOW_BYTES = 10 * 2 ** 30;
/** Below this, nothing is written that could make the file grow. */
const LEAST_PART = 0.02;
const LEAST_BYTES = 2 ** 30;
/** What a batch may take: its records, on pages that are half full, and the pages that are copied around them. */
const GROWTH = 3;
const PAGES_BESIDES = 64;

/** The disk that one folder is on. */
export class DiskSpace {
  readonly #folder: string;
  readonly #report: (event: StoreReport) => void;
  #isLow = false;

  constructor(folder: string, report: (event: StoreReport) => void) {
    this.#folder = folder;
    this.#report = report;
  }

  /**
   * Makes sure that a batch has room, on the disk or on pages of the file that are free.
   * @throws Error with code ENOSPC when it has not
   */
  require(environment: Environment, batchBytes: number): void {
    const { bavail, blocks, bsize } = statfsSync(this.#folder);
    const [freeBytes, totalBytes] = [bavail * bsize, blocks * bsize];
    this.#tell(freeBytes, totalBytes);
    if (!this.#isLow) return;
    const { freePages, pageBytes } = freePagesOf(environment);
    const neededBytes = batchBytes * GROWTH + PAGES_BESIDES * pageBytes;
    if (freeBytes - neededBytes >= Math.min(totalBytes * LEAST_PART, LEAST_BYTES)) return;
    if (freePages * pageBytes >= neededBytes) return;
    throw Object.assign(
      new Error(`no space left for the store: ${inMiB(freeBytes)} of ${inMiB(totalBytes)} MiB are free on its disk`),
      { code: "ENOSPC" },
    );
  }

  #tell(freeBytes: number, totalBytes: number): void {
    const isLow = freeBytes < Math.min(totalBytes * LOW_PART, LOW_BYTES);
    if (isLow === this.#isLow) return;
    this.#isLow = isLow;
    this.#report({ kind: "space", state: isLow ? "low" : "enough", freeBytes, totalBytes });
  }
}

function inMiB(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
