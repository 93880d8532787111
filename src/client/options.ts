/** What an MqttClient is set to, as the application says it; what is left out is libmosquitto's default. */
import type { Properties, Qos, Version } from "../protocol/index.ts";
import type { Connector } from "../transport/browser.ts";
import type { BackOffLimits } from "./back-off.ts";
import type { ClientStore } from "./client-store.ts";
import type { ConnectionError } from "./errors.ts";
import type { PublishProperties } from "./publication.ts";
import type { Server } from "./servers.ts";

/** The message that the server publishes when the connection ends without a goodbye. */
export interface WillOptions {
  readonly topicName: string;
  readonly payload: Uint8Array | string;
  readonly qos?: Qos;
  readonly retain?: boolean;
  /** 5.0 only. */
  readonly properties?: PublishProperties & Readonly<Pick<Properties, "willDelaySeconds">>;
}

/** Options of one message. */
export interface PublishOptions {
  /** 0. */
  readonly qos?: Qos;
  readonly retain?: boolean;
  /** 5.0 only. */
  readonly properties?: PublishProperties;
  /** Takes the message back as long as it has not been sent; its outcome is an error "aborted" in any case. */
  readonly signal?: AbortSignal;
}

/** When and how to connect again. */
export interface ReconnectOptions extends Partial<BackOffLimits> {
  /**
   * Whether to give up after `error`; `isFinal` when it is not given: bad credentials, a takeover, and whatever else the same attempt
   * would only meet again.
   */
  readonly stopsOn?: (error: ConnectionError) => boolean;
}

/** What happens to a message for which the queue has no room. */
export type QueuePolicy =
  /** Its outcome is an error "queue-full". */
  | "refuse"
  /** The oldest waiting message at QoS 0 is dropped for it, with an error "dropped"; refused when there is none. */
  | "drop-oldest-qos-0"
  /** It waits for room outside of the queue: `await publication.accepted` waits with it. */
  | "wait";

/** Bounds of what waits for a connection, or for the server's window. */
export interface QueueOptions {
  /** 65,535 is the most there can be, and the default. */
  readonly maximumMessages?: number;
  /** Of payload; 256 MiB. */
  readonly maximumBytes?: number;
  /** "refuse". */
  readonly policy?: QueuePolicy;
  /** Whether messages at QoS 0 wait for a connection too; true. With false they are refused as "not-connected", as libmosquitto does. */
  readonly qos0?: boolean;
}

/** Enhanced authentication [5.0 §4.12]: what is said, step by step. */
export interface Authentication {
  /** The name that the server knows it by, as SCRAM-SHA-256. */
  readonly method: string;
  /** The data of the CONNECT, and of the AUTH that begins a re-authentication. */
  start?(): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /** Answers the server. What it throws ends the connection, and the client. */
  answer(data: Uint8Array): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /** Looks at what the server says last; throws when the server has not proved who it is. */
  finish?(data: Uint8Array): void | Promise<void>;
}

/** Who we are; asked for before each connection, so that a token can be fresh. */
export interface Credentials {
  readonly username?: string;
  readonly password?: Uint8Array | string;
}

/** Properties of the CONNECT that an application sets. */
export type ConnectProperties = Readonly<
  Pick<
    Properties,
    | "sessionExpirySeconds"
    | "maximumPacketSize"
    | "topicAliasMaximum"
    | "requestResponseInformation"
    | "requestProblemInformation"
    | "userProperties"
  >
>;

/** What has nothing to do with the version of MQTT. */
export interface CommonOptions {
  /** Empty: the server chooses one. */
  readonly clientId?: string;
  /** true. With false the server keeps the Session between connections (in 5.0 for `sessionExpirySeconds`). */
  readonly cleanStart?: boolean;
  /** 60; 0 switches keep-alive off. */
  readonly keepAliveSeconds?: number;
  readonly username?: string;
  readonly password?: Uint8Array | string;
  readonly credentials?: () => Credentials | Promise<Credentials>;
  readonly will?: WillOptions;
  /** Most messages at QoS 1 and 2 that are under way to the server; 20. */
  readonly maximumInflightMessages?: number;
  /** Most messages at QoS 1 and 2 that may be under way to us; announced in 5.0. 20. */
  readonly receiveMaximum?: number;
  /** What waits for a connection. */
  readonly queue?: QueueOptions;
  /** When to connect again; false: never. */
  readonly reconnect?: ReconnectOptions | false;
  /** Whether to go on trying when no server can be reached at the beginning; false for `connect`, true for `new MqttClient`. */
  readonly waitForServer?: boolean;
  /** From the beginning of an attempt to an open connection, in milliseconds; 30,000. */
  readonly connectTimeoutMs?: number;
  /** From the CONNECT to its answer, in milliseconds; 30,000. */
  readonly connackTimeoutMs?: number;
  /** Keeps what must outlive the process; needs a `clientId` and `cleanStart: false`. */
  readonly store?: ClientStore;
  /** The way to a server that `lacewing/client` does not know. */
  readonly connector?: (server: Server) => Connector;
  /** Ends the client as `disconnect` does; `connect` rejects with its reason. */
  readonly signal?: AbortSignal;
}

/** MQTT 5.0. */
export interface Version5Options {
  readonly version: 5;
  readonly properties?: ConnectProperties;
  /** Most topic aliases used for what is published, when the server allows them; 0. */
  readonly topicAliases?: number;
  readonly authentication?: Authentication;
  /**
   * Whether to go where the server says (0x9C, 0x9D): never, to any server, or to those for which the function returns true. false. A
   * server on a way without TLS is never gone to from one with it.
   */
  readonly followRedirects?: boolean | ((server: Server) => boolean);
  /** Whether to go on with an older version when the server does not speak this one; options of 5.0 are left out then. */
  readonly fallBack?: boolean;
}

/** MQTT 3.1.1 (4, the default) and 3.1 (3). */
export interface OlderVersionOptions {
  readonly version?: Exclude<Version, 5>;
  /** Whether to go on with 3.1 when the server does not speak 3.1.1. */
  readonly fallBack?: boolean;
  readonly properties?: never;
  readonly topicAliases?: never;
  readonly authentication?: never;
  readonly followRedirects?: never;
}

/** Everything but where the servers are and how they are reached. */
export type SharedClientOptions = CommonOptions & (Version5Options | OlderVersionOptions);
