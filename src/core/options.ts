/** Every bound and switch of the broker's core with its unit and default: mosquitto 2.1's where it has one. */
import { DEFAULT_MAXIMUM_TOPIC_LEVELS } from "../protocol/index.ts";

/** What the core runs under. */
export interface BrokerOptions {
  /** Largest packet taken from a client, in bytes; announced to 5.0 clients. */
  readonly maximumPacketSize: number;
  /** Largest CONNECT, in bytes: what a stranger can make us hold. */
  readonly maximumConnectBytes: number;
  /** From the opening of a connection to its whole CONNECT, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** How long an Authenticator may take for one answer, in milliseconds; then the client is refused. */
  readonly authenticatorTimeoutMs: number;
  /** How long a store may take for one answer, in milliseconds; then it counts as failing until it has answered. */
  readonly storeTimeoutMs: number;
  /** QoS 1 and 2 messages taken unacknowledged from a 5.0 client, 1..65,535. */
  readonly receiveMaximum: number;
  /** QoS 1 and 2 messages sent unacknowledged to a client, 0..65,535; 0: as many as the client takes. */
  readonly maximumInflightMessages: number;
  /** QoS 1 and 2 messages that wait for one Session beyond those in flight; 0: no bound. */
  readonly maximumQueuedMessages: number;
  /** Payload bytes that wait for one Session; 0: no bound. */
  readonly maximumQueuedBytes: number;
  /** Payload bytes sent unacknowledged to a client before others wait; one message always may. 0: no bound. */
  readonly maximumInflightBytes: number;
  /** Largest payload taken, in bytes; a larger one is answered and goes nowhere. 0: no bound of its own. */
  readonly maximumPayloadBytes: number;
  /** Whether messages leave at the QoS of the Subscription even when they were published at a lower one. */
  readonly upgradeOutgoingQos: boolean;
  /** Whether messages at QoS 0 wait for a Session whose client is away. */
  readonly queueQos0Messages: boolean;
  /**
   * What of all queues is held in memory while a store holds the rest, in bytes. Where neither `maximumQueuedMessages` nor
   * `maximumQueuedBytes` is set, it also bounds queues of Sessions that end with their connection and that no store holds.
   */
  readonly maximumQueueMemoryBytes: number;
  /** Bytes that wait for one connection's network before QoS 0 is dropped for it. */
  readonly maximumOutputBytes: number;
  /** Bytes that wait for the network on all connections together before QoS 0 is dropped for those that are behind. */
  readonly maximumTotalOutputBytes: number;
  /** Longest keep-alive in seconds; 5.0 clients are told, older ones refused. 0 allows also none at all. */
  readonly maximumKeepAliveSeconds: number;
  readonly retainAvailable: boolean;
  /** Whether a retained message is given only while its publisher may publish to its topic; see `Broker.sourceJudge`. */
  readonly checkRetainSource: boolean;
  /** Whether birth certificates of Sparkplug are also retained below `$sparkplug/certificates/`. */
  readonly keepsBirthCertificates: boolean;
  /** How long a retained message is kept, in seconds; 0: until it is replaced or its own expiry is over. */
  readonly retainExpirySeconds: number;
  readonly maximumTopicLevels: number;
  /** Longest session expiry, in seconds; longer ones are cut and the client told. */
  readonly maximumSessionExpirySeconds: number;
  /** Connections at once, by all ways in; one more is closed without a word. 0: no bound. */
  readonly maximumConnections: number;
  /** Sessions at once, connected or not; one more is refused. 0: no bound. */
  readonly maximumClients: number;
  /** What every client identifier must begin with; "": anything. */
  readonly clientIdPrefix: string;
  /** Whether refusals and ends are explained to 5.0 clients in Reason Strings; mosquitto sends none. */
  readonly reasonStrings: boolean;
  /** One copy for each matching Subscription, as mosquitto sends, instead of one with every Subscription Identifier. */
  readonly allowDuplicateMessages: boolean;
  /** What is held for clients together (queues, retained messages, output), in bytes; more is refused. 0: no bound. */
  readonly memoryLimitBytes: number;
  /** Topics whose receivers are remembered. */
  readonly routeCacheTopics: number;
  /** Prefix of the Response Information given to clients that ask; null gives none [5.0 §3.2.2.3.15]. */
  readonly responseInformation: string | null;
  /** What is remembered of each connection: packets, or packets of a kind that passed at once; 0: nothing. */
  readonly trailEntries: number;
}

/** Session Expiry Interval that means never [5.0 §3.1.2.11.2]. */
export const NEVER_EXPIRES_SECONDS = 4_294_967_295;

/** The defaults. */
export const DEFAULT_OPTIONS: BrokerOptions = {
  maximumPacketSize: 2_000_000,
  maximumConnectBytes: 100_000,
  connectTimeoutMs: 15_000,
  authenticatorTimeoutMs: 30_000,
  storeTimeoutMs: 5000,
  receiveMaximum: 20,
  maximumInflightMessages: 20,
  maximumQueuedMessages: 1000,
  maximumQueuedBytes: 0,
  maximumInflightBytes: 0,
  maximumPayloadBytes: 0,
  upgradeOutgoingQos: false,
  queueQos0Messages: false,
  maximumQueueMemoryBytes: 64 * 1024 * 1024,
  maximumOutputBytes: 16 * 1024 * 1024,
  maximumTotalOutputBytes: 512 * 1024 * 1024,
  maximumKeepAliveSeconds: 0,
  retainAvailable: true,
  checkRetainSource: true,
  keepsBirthCertificates: false,
  retainExpirySeconds: 0,
  maximumTopicLevels: DEFAULT_MAXIMUM_TOPIC_LEVELS,
  maximumSessionExpirySeconds: NEVER_EXPIRES_SECONDS,
  maximumConnections: 0,
  maximumClients: 0,
  clientIdPrefix: "",
  reasonStrings: true,
  allowDuplicateMessages: false,
  memoryLimitBytes: 0,
  routeCacheTopics: 100_000,
  responseInformation: null,
  trailEntries: 64,
};
