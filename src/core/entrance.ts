/** What holds for all clients that come in by one way, whoever they are: mosquitto's settings of a listener. */
import type { Connect, Qos, Version } from "../protocol/index.ts";
import type { PeerIdentity } from "./authenticator.ts";

/** What of a verified peer takes the place of the user name in its CONNECT. */
export type IdentityAsUsername = "common-name" | "subject" | "psk-identity";

/** One way in. */
export interface Entrance {
  /** What it is called in logs and counted by, as "*:1883"; others of the same name are the same. */
  readonly name: string;
  /** Versions that are spoken. */
  readonly versions: readonly Version[];
  /** Largest QoS of publishes and Subscriptions; announced. */
  readonly maximumQos: Qos;
  /** Topic aliases that a client may use; announced. */
  readonly topicAliasMaximum: number;
  /** Topic aliases that the broker uses towards a client that allows them. */
  readonly topicAliasMaximumOut: number;
  /** Connections at once; one more is closed without a word. 0: no bound. */
  readonly maximumConnections: number;
  /** Connections taken in a second; one more is refused. 0: no bound. */
  readonly maximumConnectRate: number;
  /** The same for those from one address, or from one /64 of IPv6. 0: no bound. */
  readonly maximumConnectRatePerAddress: number;
  /** Failed log-ins from one address after which it is not listened to for a while. 0: no bound. */
  readonly maximumLoginFailures: number;
  /** For how long at first, in milliseconds; after each further failure twice as long. */
  readonly loginBackOffMs: number;
  /** PUBLISH packets that a client may send in a second; who sends more is read from more slowly. 0: no bound. */
  readonly maximumMessageRate: number;
  /** The same for bytes of all that it sends. 0: no bound. */
  readonly maximumByteRate: number;
  /** Subscriptions that a Session may have; one more is refused. 0: no bound. */
  readonly maximumSubscriptions: number;
  /** Put before every topic of its clients, who do not see it: they live below it. "": nothing. */
  readonly mountPoint: string;
  /** Whether clients of 3.1.1 and 5.0 may leave the choice of their identifier to the broker. */
  readonly allowZeroLengthClientId: boolean;
  /** Put before assigned client identifiers. */
  readonly autoIdPrefix: string;
  /** Whether the user name takes the place of the client identifier; who has none is refused. */
  readonly usernameAsClientId: boolean;
  /** What a certificate or key says, in place of the user name that the client writes; null: the client's word. */
  readonly identityAsUsername: IdentityAsUsername | null;
}

/** The defaults. */
export const DEFAULT_ENTRANCE: Entrance = {
  name: "",
  versions: [3, 4, 5],
  maximumQos: 2,
  topicAliasMaximum: 10,
  topicAliasMaximumOut: 10,
  maximumConnections: 0,
  maximumConnectRate: 0,
  maximumConnectRatePerAddress: 0,
  maximumLoginFailures: 0,
  loginBackOffMs: 1000,
  maximumMessageRate: 0,
  maximumByteRate: 0,
  maximumSubscriptions: 100_000,
  mountPoint: "",
  allowZeroLengthClientId: true,
  autoIdPrefix: "auto-",
  usernameAsClientId: false,
  identityAsUsername: null,
};

/** The user name by which a client is judged: what its certificate or key says where that counts, else its own word. */
export function usernameOf(
  { identityAsUsername }: Pick<Entrance, "identityAsUsername">,
  connect: Pick<Connect, "username">,
  peer: PeerIdentity,
): string | null {
  switch (identityAsUsername) {
    case null:
      return connect.username;
    case "common-name":
      return peer.certificate?.commonName ?? null;
    case "subject":
      return peer.certificate?.subject ?? null;
    case "psk-identity":
      return peer.pskIdentity;
  }
}
