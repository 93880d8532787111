/** The seam for what of a client must outlive its process: facts in order, kept by a file, a database or whatever there is. */
import type { SessionChange } from "./journal.ts";
import type { SavedSession } from "./session.ts";

/** Where a client keeps its Session. It does not decide, number or send. */
export interface ClientStore {
  /** What was there when it was opened. */
  readonly saved: SavedSession;
  /** What of it could not be read, in words; null or absent when nothing is missing. */
  readonly damage?: string | null;
  /**
   * Keeps changes, after all former ones. When the call returns they survive the end of the process, when the promise resolves
   * also that of the machine. After it has rejected once, nothing more is kept.
   */
  append(changes: readonly SessionChange[]): Promise<void>;
  /** Resolves when everything is kept and the store can be opened again. */
  close(): Promise<void>;
}
