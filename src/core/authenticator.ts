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
  /** Whether its rules came with the client and are gone with it, so that nobody can be asked about them later; absent: no. */
  readonly isFleeting?: boolean;
  /** Whether `topicFilter` may be unsubscribed from; absent: always. */
  canUnsubscribe?(topicFilter: string): boolean;
}

/** The policy that denies nothing. */
export const ALLOW_ALL: Policy = {
  allowsAll: true,
  canPublish: () => true,
  canSubscribe: () => true,
  canReceive: () => true,
};

/** A certificate that the transport has verified: signed by a CA that is trusted, in force, not revoked. */
export interface PeerCertificate {
  /** Whole subject, most specific part first, as `CN=device-7,OU=Production,O=Example,C=GB`: mosquitto's `use_subject_as_username`. */
  readonly subject: string;
  /** The subject's first CN, as mosquitto's; null when it has none, or one that is not UTF-8 or has a U+0000. */
  readonly commonName: string | null;
  /** Whole issuer, in the form of `subject`. */
  readonly issuer: string;
  /** Hexadecimal digits, upper case. */
  readonly serialNumber: string;
  /** SHA-256 of the whole certificate: 64 hexadecimal digits, upper case. */
  readonly fingerprint: string;
  /** When it ends, in milliseconds since 1970. */
  readonly endsAtMs: number;
}

/** What the two ends of TLS agreed on. */
export interface AgreedCipher {
  /** As "TLSv1.3". */
  readonly version: string;
  /** OpenSSL's name of it. */
  readonly name: string;
  /** Whether a proxy ended TLS, and says so. */
  readonly isProxys: boolean;
}

/** What a transport knows of who is at the other end, before that says anything of MQTT. */
export interface PeerIdentity {
  /** Whether nobody on the way can read along. */
  readonly isEncrypted: boolean;
  /** null: none was asked for or given. One that does not verify is never here. */
  readonly certificate: PeerCertificate | null;
  /** The name of the key that the client has proved to know (PSK); null: it came without. */
  readonly pskIdentity: string | null;
  /** null: there is none, or a proxy that ended TLS has not told. */
  readonly cipher: AgreedCipher | null;
}

/** Nothing is known of the peer. */
export const UNKNOWN_PEER: PeerIdentity = { isEncrypted: false, certificate: null, pskIdentity: null, cipher: null };

/** What is known of a client that asks to connect. */
export interface Applicant {
  readonly connect: Connect;
  /** The client identifier it will have: its own, or the one assigned. */
  readonly clientId: string;
  /** "ADDRESS:PORT" as logs show it; behind a proxy that tells, the client's own. */
  readonly remoteAddress: string;
  /** Port that it connected to; 0: a unix socket. */
  readonly localPort: number;
  readonly peer: PeerIdentity;
}

/** The answer to a CONNECT. */
export type Verdict =
  | {
      readonly kind: "accepted";
      readonly policy: Policy;
      /** Whose Session it is: only the same principal takes a Session over. null: anonymous. */
      readonly principal: string | null;
      /** The user name that it goes by, when that is not the one of its CONNECT. */
      readonly username?: string | null;
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
