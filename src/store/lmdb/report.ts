/** What the store tells whoever runs it, besides the outcome of calls, and the ways in which opening it can fail. */

/** One thing worth a line in the log. */
export type StoreReport =
  /** A record did not match its checksum, or lacked its message, and was set aside. */
  | { readonly kind: "record-set-aside"; readonly database: string; readonly key: string; readonly reason: string }
  /** The process that has the file has ended by itself; another takes its place, and nothing that was kept is lost. */
  | { readonly kind: "process-ended"; readonly reason: string }
  /** Little of the disk is free, or enough again. */
  | {
      readonly kind: "space";
      readonly state: "low" | "enough";
      readonly freeBytes: number;
      readonly totalBytes: number;
    };

/** Why a store is not opened. */
export type StoreFault =
  | "locked" // another process has it
  | "newer" // a later release wrote it
  | "foreign" // the file is not a store's
  | "short" // the file ends too early
  | "damaged" // the file's structure is broken
  | "unusable"; // the folder or the file cannot be read or written

/** The process that has the store's file has ended although nobody told it to. */
export class ProcessEnded extends Error {
  override readonly name = "ProcessEnded";
}

/** The store is not opened; the message says why and what to do. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly fault: StoreFault;

  constructor(fault: StoreFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}
