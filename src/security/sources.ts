/** What decides about clients: sources that know who they are, and sources of rules. An AccessControl asks them in order. */
import type { Applicant } from "../core/index.ts";
import type { EndReason } from "../protocol/index.ts";
import type { AnyHash } from "./password-hash.ts";
import type { Rules } from "./rules.ts";
import type { Names } from "./topic-tree.ts";

/** What a client says of itself. */
export interface Claim {
  readonly applicant: Applicant;
  /** null: none, or an empty one. */
  readonly username: string | null;
  readonly password: Uint8Array | null;
}

/** What a source says of a claim; null: it is for the others to say. */
export type Judgement =
  | {
      readonly kind: "yes";
      /** Who it is, when that is not the user name of the claim. */
      readonly username?: string;
      /** Rules that came with it and take the place of all others. */
      readonly rules?: RulesSource;
      /** When it must go, on the wall clock in milliseconds; absent: never. */
      readonly untilMs?: number;
      /** The hash of the password that it has shown: when that changes, the client goes. */
      readonly hash?: AnyHash;
    }
  | {
      readonly kind: "no";
      /** For the log; the client does not hear it. */
      readonly why: string;
      readonly reason?: EndReason;
    }
  | null;

/** Knows clients. */
export interface AuthenticationSource {
  /** A rejected promise refuses the client with "server unavailable". */
  judge(claim: Claim): Judgement | Promise<Judgement>;
  /** Gives up what it holds; it is not asked any more. */
  close?(): void;
  /** In place of `close`, when it has never been in force: what was given to it, and not made, may be in use elsewhere. */
  discard?(): void;
  /** Whether `hash` is still that of the user's password; null: there is no such user here. Asked after a reload. */
  isCurrent?(username: string, hash: AnyHash): boolean | null;
}

/** An Authenticator that can say whom it asks: who administers a source must come in by one that asks it. */
export interface Asking {
  asks(source: AuthenticationSource): boolean;
}

/** Has rules for clients. */
export interface RulesSource {
  rulesFor(names: Names): Rules;
}

/** Kinds of lines that security writes. */
export type SecurityLogType = "error" | "warning" | "notice" | "information" | "debug";

/** Takes lines for the log. Text of clients in them is made harmless by whoever writes them out. */
export type SecurityLog = (type: SecurityLogType, line: string) => void;
