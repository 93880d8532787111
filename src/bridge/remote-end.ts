/** The end of a bridge at the other broker: where it connects, as what, and when it does so again. */
import {
  Client,
  ClientSession,
  ConnectionError,
  DEFAULT_SESSION_LIMITS,
  type IncomingMessage,
  MOSQ_ERR,
  type Outcome,
  type SessionLimits,
} from "../client/index.ts";
import { BRIDGE_MARK } from "../core/index.ts";
import { type Connack, encodeUtf8, NO_PROPERTIES, ReasonCode, type Will } from "../protocol/index.ts";
import { Addresses } from "./addresses.ts";
import type { BridgeJournal } from "./bridge-journal.ts";
import type { BridgeLog, BridgeOptions } from "./bridge-options.ts";
import { packetLines } from "./packet-lines.ts";
import { RestartDelays } from "./restart-delay.ts";
import type { TopicMap } from "./topic-map.ts";

/** CONNACK "unacceptable protocol version", which brokers that do not know mosquitto's bit say. */
const UNACCEPTABLE_VERSION = 1;
const GONE = new ConnectionError({
  code: "connection-lost",
  rc: MOSQ_ERR.CONN_LOST,
  message: "the bridge has ended it",
});
const CONNECTED = encodeUtf8("1");
const NOT_CONNECTED = encodeUtf8("0");

/** Who hears of this end. */
export interface RemoteEndListener {
  /** The network connection is there, and the other broker is asked. */
  opened(): void;
  connected(): void;
  /** The connection has ended; why, if nobody here wished it. `wasConnected`: the other broker had let us in. */
  ended(error: ConnectionError | null, wasConnected: boolean): void;
  /** It will not connect again by itself. */
  stopped(): void;
  /** false: it is acknowledged when `session.taken` says so. */
  message(message: IncomingMessage): boolean;
  published(mid: number, outcome: Outcome, topicName: string | null): void;
  drained(): void;
}

/** The other broker's end. */
export class RemoteEnd {
  readonly client: Client;
  readonly session: ClientSession;
  /** Whether the other broker knows the marks by which ours tell messages apart. */
  knowsMarks = false;
  readonly #options: BridgeOptions;
  readonly #topics: TopicMap;
  readonly #log: BridgeLog;
  readonly #listener: RemoteEndListener;
  readonly #addresses: Addresses;
  readonly #delays: RestartDelays;
  /** Whether the next CONNECT has mosquitto's bit. */
  #isPrivate: boolean;
  /** Whether the last CONNECT was refused for that bit. */
  #wasRefusedForBit = false;
  /** Whether it is connected, or tries to be. */
  #isActive = false;
  #isStopping = false;
  /** To go to the main address, which is back. */
  #isMoving = false;
  #connectedAtMs: number | null = null;
  #isOpen = false;
  #opensEarly = false;
  /** Filters that were subscribed to, by the `mid` of the SUBSCRIBE. */
  readonly #asked: Map<number, string> = new Map();

  constructor(
    options: BridgeOptions,
    topics: TopicMap,
    journal: BridgeJournal | null,
    log: BridgeLog,
    listener: RemoteEndListener,
  ) {
    this.#options = options;
    this.#topics = topics;
    this.#log = log;
    this.#listener = listener;
    this.#addresses = new Addresses(options.connectors, options.roundRobin);
    this.#delays = new RestartDelays(options.restartDelay);
    this.#isPrivate = options.tryPrivate;
    const { receiveMaximum, store } = options;
    const limits: SessionLimits = {
      ...{ ...DEFAULT_SESSION_LIMITS, receiveMaximum, maximumInflightMessages: receiveMaximum },
      // While the other broker is being asked; the bridge sees to it that they do not wait longer.
      queuesQos0: true,
    };
    this.session = new ClientSession(options.version, limits, {
      acknowledgesFirst: false,
      keepsReleases: true,
      journal: journal?.remote ?? null,
    });
    if (store !== null) this.session.restore(store.saved[1]);
    this.client = this.#newClient();
  }

  #newClient(): Client {
    const { remoteClientId, localClientId, cleanSession, keepAliveSeconds, version } = this.#options;
    const { remoteUsername, remotePassword, sessionExpirySeconds, topicAliasMaximum } = this.#options;
    const properties = {
      ...(topicAliasMaximum > 0 && { topicAliasMaximum }),
      ...(sessionExpirySeconds > 0 && { sessionExpirySeconds }),
    };
    const lines = packetLines(localClientId, (text) => this.#log.write("debug", text));
    return new Client(
      {
        observer: () => (this.#log.wantsDebug() ? lines : null),
        connector: this.#addresses.current,
        prepare: () => this.#attempt(),
        version,
        clientId: remoteClientId,
        cleanStart: cleanSession,
        keepAliveSeconds,
        will: this.#will(),
        username: remoteUsername,
        password: remotePassword === null ? null : encodeUtf8(remotePassword),
        properties,
        topicAliases: 0,
        session: this.session,
        reconnect: () => this.#restartDelayMs(),
        retriesFirst: true,
        isBridge: true,
      },
      {
        opened: () => this.#opened(),
        connected: ({ properties }) => {
          this.knowsMarks = properties.userProperties?.some(([name]) => name === BRIDGE_MARK) ?? false;
          this.#connected();
        },
        message: (message) => this.#listener.message(message),
        published: (mid, outcome, message) => this.#listener.published(mid, outcome, message?.topicName ?? null),
        subscribed: (mid, codes) => this.#subscribed(mid, codes),
        drained: () => this.#listener.drained(),
        refused: (connack) => this.#refused(connack),
        disconnected: (error, willReconnect, delayMs) => this.#disconnected(error, willReconnect, delayMs),
      },
    );
  }

  #will(): Will | null {
    const { notificationTopic, notificationsLocalOnly } = this.#options;
    if (notificationTopic === null || notificationsLocalOnly) return null;
    return { topicName: notificationTopic, payload: NOT_CONNECTED, qos: 1, retain: true, properties: NO_PROPERTIES };
  }

  get isConnected(): boolean {
    return this.client.isConnected;
  }

  /** Whether there is a network connection, on which the other broker has let us in or is asked to; or the first one is being made. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * Begins to connect, and does so again until `stop`.
   * @param opensEarly whether the first attempt counts as open from its beginning; default: no
   */
  start(opensEarly: boolean = false): void {
    if (this.#isActive) return;
    this.#opensEarly = opensEarly;
    this.#isActive = true;
    this.#isStopping = false;
    this.client.connect();
  }

  /** Ends the connection. The other broker publishes our Will, which says so. */
  stop(): void {
    this.#isStopping = true;
    this.#addresses.stopLooking();
    if (!this.#isActive) return;
    this.#leave();
  }

  #leave(): void {
    const hasWill = this.#will() !== null;
    // Before 5.0 a DISCONNECT would take the Will back.
    if (hasWill && this.#options.version < 5 && this.isConnected) this.client.drop(GONE);
    else this.client.disconnect(hasWill ? ReasonCode.DisconnectWithWill : ReasonCode.NormalDisconnection);
  }

  #attempt(): { connector: BridgeOptions["connectors"][number]; bridge: boolean } {
    const connector = this.#addresses.current;
    this.#log.write("notice", `Connecting bridge ${this.#options.name} (${connector.address})`);
    if (this.#opensEarly) this.#opened();
    this.#opensEarly = false;
    return { connector, bridge: this.#isPrivate && this.#options.version < 5 };
  }

  /** Returns null to give up. */
  #restartDelayMs(): number | null {
    if (this.#isStopping) return null;
    if (this.#isMoving || this.#wasRefusedForBit) return 0;
    if (this.#options.startType === "once") return null;
    this.#addresses.failed();
    return this.#delays.nextMs();
  }

  #connected(): void {
    const { notificationTopic, notificationsLocalOnly, version } = this.#options;
    this.#connectedAtMs = performance.now();
    this.#isMoving = this.#wasRefusedForBit = false;
    this.#addresses.connected(() => {
      this.#isMoving = true;
      this.#leave();
    });
    if (notificationTopic !== null && !notificationsLocalOnly)
      this.client.publish(notificationTopic, CONNECTED, { qos: 1, retain: true });
    // Before 5.0 the bit in CONNECT asks for the same.
    const options = { noLocal: version === 5, retainAsPublished: version === 5, retainHandling: 0 } as const;
    this.#asked.clear();
    for (const { filter: topicFilter, qos } of this.#topics.remoteFilters) {
      const mid = this.client.subscribe([{ topicFilter, qos, ...options }]);
      this.#asked.set(mid, topicFilter);
    }
    const { outOnlyFilters } = this.#topics;
    if (this.#options.attemptUnsubscribe) for (const filter of outOnlyFilters) this.client.unsubscribe([filter]);
    this.#listener.connected();
  }

  #subscribed(mid: number, [code = 0]: readonly number[]): void {
    const filter = this.#asked.get(mid);
    this.#asked.delete(mid);
    if (code < 0x80 || filter === undefined) return;
    const { name } = this.#options;
    this.#log.write(
      "warning",
      `Bridge ${name}: the other broker refuses the subscription to ${filter}: nothing of it comes in.`,
    );
  }

  #opened(): void {
    this.#isOpen = true;
    this.#listener.opened();
  }

  #refused({ reasonCode }: Connack): void {
    this.#wasRefusedForBit = this.#isPrivate && this.#options.version < 5 && reasonCode === UNACCEPTABLE_VERSION;
    // It will be tried again as an ordinary client, at once.
    if (this.#wasRefusedForBit) this.#isPrivate = false;
  }

  #disconnected(error: ConnectionError | null, willReconnect: boolean, delayMs: number): void {
    const lasted = this.#connectedAtMs;
    const wasOpen = this.#isOpen;
    this.#connectedAtMs = null;
    this.#isOpen = false;
    this.#isActive = willReconnect;
    this.#addresses.stopLooking();
    if (lasted !== null) this.#delays.lasted((performance.now() - lasted) / 1000);
    if (wasOpen) this.#listener.ended(error, lasted !== null);
    const { name, startType } = this.#options;
    if (error !== null && error !== GONE) {
      const next = willReconnect
        ? `; the next attempt is in ${(delayMs / 1000).toFixed(1)} s`
        : startType === "once"
          ? "; start_type once does not connect again"
          : "";
      this.#log.write("warning", `Bridge ${name} is not connected: ${error.message}${next}.`);
    }
    if (this.#isMoving && !willReconnect) return this.start();
    if (!willReconnect) this.#listener.stopped();
  }
}
