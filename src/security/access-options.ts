/** What guards one listener, or all of them: mosquitto's options, and ours, as one typed value. */

/** Where the user name of a client comes from. */
export type UsernameSource =
  /** Its CONNECT. */
  | "connect"
  /** `use_identity_as_username`: the common name of its certificate, or the identity of its pre-shared key. */
  | "identity"
  /** `use_subject_as_username`: the whole subject of its certificate. */
  | "subject";

/** The options. */
export interface AccessOptions {
  /** Whether clients without user name may come in. */
  readonly allowAnonymous: boolean;
  /** `password_file`. */
  readonly passwordFile: string | null;
  /** `acl_file`. */
  readonly aclFile: string | null;
  /** `lacewing_acl_refuse_subscriptions`: whether a SUBSCRIBE that the rules let nothing through for is refused. */
  readonly refuseHopelessSubscriptions: boolean;
  readonly usernameFrom: UsernameSource;
  /** `use_username_as_clientid`. */
  readonly usernameAsClientId: boolean;
  /** `clientid_prefixes`: what client identifiers must begin with; "": anything. */
  readonly clientIdPrefix: string;
  /** `auto_id_prefix`; null: the broker's. */
  readonly autoIdPrefix: string | null;
  /** `allow_zero_length_clientid`. */
  readonly allowZeroLengthClientId: boolean;
}

/** Nobody comes in, as in mosquitto 2 when a listener is configured and nothing else. */
export const DEFAULT_ACCESS: AccessOptions = {
  allowAnonymous: false,
  passwordFile: null,
  aclFile: null,
  refuseHopelessSubscriptions: false,
  usernameFrom: "connect",
  usernameAsClientId: false,
  clientIdPrefix: "",
  autoIdPrefix: null,
  allowZeroLengthClientId: true,
};
