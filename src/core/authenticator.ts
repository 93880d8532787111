/** The Authenticator seam: who may connect, once for each CONNECT, and what they may then do, as plain functions for the hot path. */
import type { Auth, Connect, EndReason } from "../protocol/index.ts";

/** What one connection may do. The functions are called for each message and must be quick; they see well-formed topics. */
export interface Policy {
  /** true when nothing is ever denied, so that nobody needs to ask. */
  readonly allowsAll: boolean;
  /** Whether a message may be published to `topicName`; asked for wills too. */
  canPublish(topicName: string): boolean;
  /** Whether `topicFilter` (that of a shared subscription without its `$share/NAME/`) may be subscribed to. */
  canSubscribe(topicFilter: string): boolean;
  /** Whether a message of `topicName` may be delivered; asked again for each delivery. */
  canReceive(topicName: string): boolean;
}

/** The policy that denies nothing. */
export const ALLOW_ALL: Policy = {
  allowsAll: true,
  canPublish: () => true,
  canSubscribe: () => true,
  canReceive: () => true,
};

/** What is known of a client that asks to connect. */
export interface Applicant {
  readonly connect: Connect;
  /** The client identifier it will have: its own, or the one assigned. */
  readonly clientId: string;
  readonly remoteAddress: string;
}

/** The answer to a CONNECT. */
export type Verdict =
  | {
      readonly kind: "accepted";
      readonly policy: Policy;
      /** Whose Session it is: only the same principal takes a Session over. null: anonymous. */
      readonly principal: string | null;
      /** Last data of an enhanced authentication, for the CONNACK [5.0 §4.12]. */
      readonly data?: Uint8Array;
      /** Begins a re-authentication [5.0 §4.12.1]; without it none is allowed. */
      readonly reauthenticate?: (auth: Auth) => Verdict | Promise<Verdict>;
    }
  | { readonly kind: "refused"; readonly reason: EndReason; readonly reasonString?: string }
  /** Enhanced authentication goes on [5.0 §4.12]: send `data` to the client and ask `next` with its AUTH. */
  | {
      readonly kind: "challenge";
      readonly data?: Uint8Array;
      readonly next: (auth: Auth) => Verdict | Promise<Verdict>;
    };

/** Decides who connects. */
export interface Authenticator {
  /** A rejected promise counts as a refusal with "server unavailable": it never lets anybody in. */
  authenticate(applicant: Applicant): Verdict | Promise<Verdict>;
}

/**
 * Lets everybody in, except those who ask for an authentication method, which it has none of [5.0 §4.12]. A user name that nobody
 * has verified makes nobody a principal.
 */
export const ANONYMOUS: Authenticator = {
  authenticate({ connect }) {
    if (connect.properties.authenticationMethod !== undefined)
      return { kind: "refused", reason: "bad-authentication-method" };
    return { kind: "accepted", policy: ALLOW_ALL, principal: null };
  },
};

/** Lets nobody in. */
export const NOBODY: Authenticator = {
  authenticate: () => ({ kind: "refused", reason: "not-authorized" }),
};
