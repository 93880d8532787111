/** What a bridge is set to. Where it connects to comes as connectors, and who it is here as an Authenticator: it knows no files. */
import type { PairStore } from "../client/index.ts";
import type { Authenticator } from "../core/index.ts";
import type { Qos, Version } from "../protocol/index.ts";
import type { Connector } from "../transport/index.ts";

/** Messages that cross the bridge: mosquitto's `topic`. */
export interface BridgedTopic {
  /** Topic Filter without the prefixes; "": the prefixes themselves are the topics. */
  readonly pattern: string;
  readonly direction: "out" | "in" | "both";
  readonly qos: Qos;
  /** Put before `pattern` here. */
  readonly localPrefix: string;
  /** Put before `pattern` there. */
  readonly remotePrefix: string;
}

/** How long to wait before connecting again. */
export type RestartDelay =
  | { readonly kind: "constant"; readonly seconds: number }
  | {
      readonly kind: "jitter";
      readonly baseSeconds: number;
      readonly capSeconds: number;
      /** A connection must have lasted so long for the waits to begin anew. */
      readonly stableSeconds: number;
    };

/** One bridge. */
export interface BridgeOptions {
  readonly name: string;
  /** At least one; the first is the main one unless `roundRobin`. */
  readonly connectors: readonly Connector[];
  readonly roundRobin: boolean;
  readonly topics: readonly BridgedTopic[];
  readonly version: Version;
  readonly cleanSession: boolean;
  /** Whether nothing waits here while the other broker is away. */
  readonly localCleanSession: boolean;
  readonly remoteClientId: string;
  readonly remoteUsername: string | null;
  readonly remotePassword: string | null;
  readonly localClientId: string;
  readonly localUsername: string | null;
  readonly keepAliveSeconds: number;
  /** Where "1" and "0" are published, retained, as the connection comes and goes; null: nowhere. */
  readonly notificationTopic: string | null;
  /** Whether the other broker is not told. */
  readonly notificationsLocalOnly: boolean;
  readonly startType: "automatic" | "lazy" | "once";
  /** A lazy bridge ends its connection when nothing has crossed it for so long. */
  readonly idleTimeoutSeconds: number;
  /** Messages that wait before a lazy bridge connects. */
  readonly thresholdMessages: number;
  readonly restartDelay: RestartDelay;
  /** Whether the other broker is told that we are a bridge, by mosquitto's bit in the CONNECT of 3.1 and 3.1.1. */
  readonly tryPrivate: boolean;
  /** Whether Subscriptions of topics that go out only are ended there, as they may be left from another configuration. */
  readonly attemptUnsubscribe: boolean;
  /** Bytes of the largest PUBLISH that goes out; 0: no bound of its own. */
  readonly maximumPacketSize: number;
  /** Topic Aliases that the other broker may use; 5.0 only. */
  readonly topicAliasMaximum: number;
  /** Messages at QoS 1 and 2 under way each way. */
  readonly receiveMaximum: number;
  /** Of 5.0. */
  readonly sessionExpirySeconds: number;
  /** Whether RETAIN is sent on. */
  readonly outgoingRetain: boolean;
  /** Keeps what is under way over the end of this process; null: nothing does. */
  readonly store: PairStore | null;
  /** What the bridge may do here. */
  readonly authenticator: Authenticator;
}

/** Where a bridge says what happens. */
export interface BridgeLog {
  write(type: "debug" | "notice" | "warning" | "error", text: string): void;
  /** Whether lines for single packets are wanted. */
  wantsDebug(): boolean;
}
