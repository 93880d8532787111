/** Watches a disk, so that the store does not meet one that is full, or takes nothing any more, in the middle of a commit. */
import { type StatsFs, statfsSync, utimesSync } from "node:fs";
import { statfs } from "node:fs/promises";
import type { StoreReport } from "./report.ts";

/** Below this part of the disk, or this many bytes of a large one, somebody is told. */
const LOW_PART = 0.1;
const LOW_BYTES = 10 * 2 ** 30;
/** This much stays free. */
const RESERVED_PART = 0.02;
const RESERVED_BYTES = 2 ** 30;
/** With less than this a write fails whatever reason the system gives. */
const FULL_BYTES = 65_536;

/** A disk that an error has made read-only, or that is gone. */
const TAKES_NOTHING = ["EROFS", "EIO", "ENODEV", "ENXIO"];

/** The disk that one folder is on. */
export class DiskSpace {
  readonly #folder: string;
  readonly #report: (event: StoreReport) => void;
  #isLow = false;
  #freeBytes = 0;
  #totalBytes = 0;

  constructor(folder: string, report: (event: StoreReport) => void) {
    this.#folder = folder;
    this.#report = report;
  }

  /** Looks at the disk. */
  look(): void {
    this.#take(statfsSync(this.#folder));
  }

  /** The same for a process that must not wait for a disk that hangs. */
  async lookWithoutWaiting(): Promise<void> {
    this.#take(await statfs(this.#folder));
  }

  /** Whether enough stays free when `bytes` more are written, as it was at the last look. */
  hasRoomFor(bytes: number): boolean {
    // Some file systems do not say.
    if (this.#totalBytes === 0) return true;
    return this.#freeBytes - bytes >= Math.min(this.#totalBytes * RESERVED_PART, RESERVED_BYTES);
  }

  /**
   * To be called right before a commit. The native code of lmdb-js (3.5.6) words the error of a first write into a buffer that is too
   * short for it, which sooner or later ends the process.
   * @throws what the system says, when the disk takes no writes at all
   */
  requireWritable(): void {
    const now = new Date();
    try {
      utimesSync(this.#folder, now, now);
    } catch (error) {
      // Whoever does not own the folder may not do this, and may write all the same.
      if (TAKES_NOTHING.includes(String((error as NodeJS.ErrnoException).code))) throw error;
    }
  }

  #take({ bavail, blocks, bsize }: StatsFs): void {
    const [freeBytes, totalBytes] = [bavail * bsize, blocks * bsize];
    this.#freeBytes = freeBytes;
    this.#totalBytes = totalBytes;
    const isLow = freeBytes < Math.min(totalBytes * LOW_PART, LOW_BYTES);
    if (isLow === this.#isLow) return;
    this.#isLow = isLow;
    this.#report({ kind: "space", state: isLow ? "low" : "enough", freeBytes, totalBytes });
  }

  /** What to say when there is no room, with code ENOSPC. */
  shortage(cause?: unknown): Error {
    const [free, total] = [this.#freeBytes, this.#totalBytes].map((bytes) => (bytes / 2 ** 20).toFixed(1));
    return Object.assign(
      new Error(`no space left for the store: ${free} of ${total} MiB are free on the disk of ${this.#folder}`, {
        cause,
      }),
      { code: "ENOSPC" },
    );
  }

  /** What a write failed with, in other words when the reason is that the disk is full. */
  explained(error: unknown): unknown {
    this.look();
    return this.#freeBytes < FULL_BYTES && this.#totalBytes > 0 ? this.shortage(error) : error;
  }
}
