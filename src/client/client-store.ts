/** The seam for what of a client must outlive its process: facts in order, kept by a file, a database or whatever there is. */
import type { SessionChange } from "./journal.ts";
import type { SavedSession } from "./session.ts";

/** A change of one of two Sessions that are kept together. */
export interface SidedChange {
  readonly side: 0 | 1;
  readonly change: SessionChange;
}

/** Where two Sessions are kept together, so that a message passes from one to the other in one step: the ends of a bridge. */
export interface PairStore {
  /** What was there when it was opened. */
  readonly saved: readonly [SavedSession, SavedSession];
  /** What of it could not be read, in words; null when nothing is missing. */
  readonly damage: string | null;
  /** As `ClientStore.append`; of the changes of one call all are kept, or none. */
  append(changes: readonly SidedChange[]): Promise<void>;
  close(): Promise<void>;
}

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
