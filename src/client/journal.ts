/** What of a Session must outlive the process for the promises of QoS 1 and 2 to hold, as it happens. */
import type { IncomingMessage, OutgoingMessage } from "./message.ts";

/** One thing that happened to a Session. */
export type SessionChange =
  /** A message is to be sent; always the first of its `mid`. */
  | { readonly kind: "outgoing-added"; readonly mid: number; readonly message: OutgoingMessage }
  /** Its PUBREC came: it must not be sent again. */
  | { readonly kind: "outgoing-released"; readonly mid: number }
  /** Nothing is owed for it any more. */
  | { readonly kind: "outgoing-done"; readonly mid: number }
  /** A message was taken at QoS 2. */
  | {
      readonly kind: "incoming-added";
      /** Counts all of them, from 1. */
      readonly sequence: number;
      readonly message: IncomingMessage;
    }
  /** The server has lost the Session: no PUBREL will come for the message, and its packet identifier is free. */
  | { readonly kind: "incoming-orphaned"; readonly sequence: number }
  /** The application has taken it. */
  | { readonly kind: "incoming-done"; readonly sequence: number };

/** Where a Session notes what happens. */
export interface SessionJournal {
  /** Notes a change, in order. */
  note(change: SessionChange): void;
  /** Calls `then` once everything noted so far survives a crash; calls are made in order. */
  whenKept(then: () => void): void;
}
