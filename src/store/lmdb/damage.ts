/** What is wrong with single records. */
import type { DatabaseName } from "./schema.ts";

/** A record that cannot be given to anybody. */
export interface Damage {
  readonly database: DatabaseName;
  readonly key: Uint8Array;
  readonly reason: string;
}

export const WRONG_CHECKSUM = "it does not match its checksum";
export const NO_SUCH_MESSAGE = "its message is missing";
