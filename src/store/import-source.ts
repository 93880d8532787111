/** Something that a store can be filled from, already read once and found sound. */
import type { Change } from "../core/index.ts";

/** What is wrong with a file that is to be imported, and where; the message is a sentence without its full stop. */
export class ImportError extends Error {
  override readonly name: string = "ImportError";
}

/** A file that is open until `close`. */
export interface ImportSource {
  /** What it is, as in "a mosquitto.db". */
  readonly format: string;
  /** Sentences on what is not among the facts, or came there by a decision. */
  readonly notes: readonly string[];
  /** Facts in an order in which each can be applied; a message stands right before the first fact that refers to it. */
  facts(): AsyncIterable<Change>;
  close(): Promise<void>;
}
