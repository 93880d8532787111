/** The seam for enhanced authentication [5.0 §4.12]: methods by the name that a client asks for in CONNECT. */
import type { Applicant } from "../core/index.ts";
import type { EndReason } from "../protocol/index.ts";

/** What comes after the data of a client. */
export type ExchangeStep =
  | { readonly kind: "challenge"; readonly data: Uint8Array }
  | {
      readonly kind: "done";
      /** Who the client has proved to be. */
      readonly username: string;
      /** For the CONNACK, or the AUTH that ends a re-authentication. */
      readonly data?: Uint8Array;
      /** What the decision rests on, for `isCurrent`. */
      readonly evidence?: unknown;
    }
  | { readonly kind: "failed"; readonly why: string; readonly reason?: EndReason };

/** One exchange with one client. */
export interface Exchange {
  /** Takes the Authentication Data of CONNECT or AUTH; empty when there is none. */
  next(data: Uint8Array): ExchangeStep | Promise<ExchangeStep>;
}

/** A method. */
export interface EnhancedMethod {
  /** As clients name it, such as `SCRAM-SHA-256`. */
  readonly name: string;
  begin(applicant: Applicant): Exchange;
  /** Whether who proved to be `username` by `evidence` could do so now; absent: always. Asked after a reload. */
  isCurrent?(username: string, evidence: unknown): boolean;
}
