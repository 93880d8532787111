/** What the store and the process that has its file say to each other. */
import type { StoreFault, StoreReport } from "./report.ts";

/** What it can be asked. */
export interface Calls {
  open(options: OpenOptions): Opened;
  append(batch: Batch): null;
  /** Writes batches that still wait for the end of their interval. */
  flush(nothing: null): null;
  startReading(what: Reading): number;
  /** The next page, or null behind the last. */
  readOn(reading: number): Uint8Array | null;
  endReading(reading: number): null;
  readQueue(place: QueuePlace): Uint8Array;
  stats(nothing: null): LmdbStats;
  check(nothing: null): CheckResult;
  backup(target: { readonly folder: string; readonly isCompact: boolean }): null;
  close(nothing: null): null;
}

export interface OpenOptions {
  readonly folder: string;
  /** Longest wait of a batch for the disk; 0: every batch is written and synced before it is answered. */
  readonly intervalMs: number;
}

export interface Opened {
  /** Numbers of Sessions from here on are free. */
  readonly nextSession: number;
  /** The last batch of the journal that is in the file. */
  readonly sequence: number;
}

export interface Batch {
  readonly bytes: Uint8Array;
  /** Its number in the journal; 0: it is not there, so the answer must wait for the disk. */
  readonly sequence: number;
}

export type Reading = "replay" | "sessions";

export interface QueuePlace {
  readonly session: number;
  readonly afterOrder: number;
  readonly limit: number;
}

/** How large the store is. */
export interface LmdbStats {
  readonly schema: number;
  readonly sessions: number;
  readonly subscriptions: number;
  readonly messages: number;
  /** Messages owed to Sessions, queued or in flight. */
  readonly deliveries: number;
  readonly retained: number;
  /** Damaged records that were set aside. */
  readonly setAside: number;
  readonly fileBytes: number;
  /** Part of the file that will be used again before it grows. */
  readonly freeBytes: number;
}

/** What a check has found. */
export interface CheckResult {
  readonly records: number;
  /** In words, at most a hundred; empty: all is well. */
  readonly problems: readonly string[];
}

export type CallName = keyof Calls;

export interface Request<Name extends CallName = CallName> {
  readonly id: number;
  readonly name: Name;
  readonly argument: Parameters<Calls[Name]>[0];
}

/** An error on its way. */
export interface SentError {
  readonly message: string;
  readonly code: string | undefined;
  readonly fault: StoreFault | undefined;
}

export type Response =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: SentError }
  | { readonly report: StoreReport };
