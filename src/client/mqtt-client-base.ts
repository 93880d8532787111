/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The client that applications use, whatever the transports are: promises and async iterators, and in the same object the callbacks
 * of libmosquitto. It joins the parts beside it; the rules are in the Session and the connection below.
 */
import { type Connack, encodeUtf8, NO_PROPERTIES, OutputPool, type Version } from "../protocol/index.ts";
import type { Connector } from "../transport/browser.ts";
import { textList } from "./arguments.ts";
import { Authenticating } from "./authenticating.ts";
import { type AttemptChanges, Client } from "./client.ts";
import { type ConnectInfo, type DisconnectInfo, LOG_LEVEL } from "./client-events.ts";
import type { ConnectionEnding, PassedPackets } from "./ending.ts";
import {
  type ClientError,
  ClientStoreError,
  type ConnectionError,
  closedError,
  RequestError,
  refusalError,
} from "./errors.ts";
import { EventfulClient } from "./eventful-client.ts";
import { type DisconnectOptions, goodbyeOf } from "./goodbye.ts";
import { checkNames } from "./known-names.ts";
import type { IncomingMessage, Outcome, OutgoingMessage } from "./message.ts";
import type { PublishOptions, SharedClientOptions } from "./options.ts";
import type { Publication } from "./publication.ts";
import { abortError, argumentError } from "./publications.ts";
import { ReceivedMessage } from "./received-message.ts";
import { endText, Reconnection } from "./reconnection.ts";
import type { RequestOptions } from "./requests.ts";
import { type Server, serverName } from "./servers.ts";
import { ClientSession } from "./session.ts";
import { type ClientSettings, settingsOf } from "./settings.ts";
import { Settled } from "./settled.ts";
import { StoreJournal } from "./store-journal.ts";
import type { SubscribeOptions, Subscription, Unsubscription } from "./subscription.ts";
import type { Texts, TopicFilters, TopicName } from "./topic-types.ts";
import { Traffic, type TrafficHost } from "./traffic.ts";

const NO_OPTIONS = Object.freeze({});

/** An MQTT client; see docs/client.md. */
export class MqttClientBase extends EventfulClient implements AsyncDisposable {
  readonly #client: Client;
  readonly #session: ClientSession;
  readonly #journal: StoreJournal | null;
  readonly #settings: ClientSettings;
  readonly #connectorOf: (server: Server) => Connector;
  readonly #reconnection: Reconnection;
  readonly #traffic: Traffic;
  readonly #authenticating: Authenticating | null;
  #connected: Settled<ConnectInfo> = new Settled();
  readonly #closed: Settled<ClientError | null> = new Settled();
  #info: ConnectInfo | null = null;
  #isSayingGoodbye = false;
  #closedError: ClientError | null = null;
  /** Why the connection is being ended when it is not the connection's fault. */
  #failure: ClientError | null = null;

  protected constructor(
    servers: string | readonly string[],
    options: SharedClientOptions,
    connectorOf: (server: Server) => Connector,
  ) {
    const settings = settingsOf(servers, options);
    super();
    this.#settings = settings;
    this.#connectorOf = options.connector ?? connectorOf;
    const { store, authentication, signal } = settings;
    this.#journal =
      store === null
        ? null
        : new StoreJournal(
            store,
            () => this.#client.requestFlush(),
            (error) => this.#storeFailed(error),
          );
    const traits = { journal: this.#journal, acknowledgesFirst: false };
    this.#session = new ClientSession(settings.version, settings.limits, traits);
    if (store !== null) this.#session.restore(store.saved);
    this.#reconnection = new Reconnection(settings);
    this.#client = this.#newClient();
    this.#authenticating = authentication === null ? null : new Authenticating(authentication, this.#client);
    this.#traffic = new Traffic(this.#client, () => this.#hostOfTraffic());
    if (signal !== null) this.#obey(signal);
    if (this.#closedError !== null) return;
    this.#client.connect();
    queueMicrotask(() => this.#begin());
  }

  /** What waits for the program's callbacks to be there. */
  #begin(): void {
    const damage = this.#settings.store?.damage ?? null;
    if (damage !== null) this.log(LOG_LEVEL.warning, damage);
    this.#session.resume();
  }

  #newClient(): Client {
    const { clientId, cleanStart, keepAliveSeconds, will, topicAliases, connackTimeoutMs, properties } = this.#settings;
    return new Client(
      {
        // One by one: an object that begins with a spread gets a shape of its own, which costs more than the object.
        clientId,
        cleanStart,
        keepAliveSeconds,
        will,
        topicAliases,
        connackTimeoutMs,
        properties,
        connector: NO_CONNECTOR,
        session: this.#session,
        prepare: () => this.#prepare(),
        reconnect: (error) => this.#reconnection.next(error, performance.now()),
        retriesFirst: true,
        observer: () => this.packetLog(this.clientId),
        pool: POOL,
      },
      {
        connected: (connack) => this.#accepted(connack),
        refused: (connack) => this.#refused(connack),
        disconnected: (error, willReconnect, delayMs) => this.#disconnected(error, willReconnect, delayMs),
        message: (message, sequence) => this.#message(message, sequence),
        published: (mid, outcome, message) => this.#published(mid, outcome, message),
        subscribed: (mid, codes, of) => this.#traffic.subscriptions.subscribed(mid, codes, of),
        unsubscribed: (mid, codes, of) => this.#traffic.subscriptions.unsubscribed(mid, codes, of),
        requestLost: (mid) => this.#traffic.subscriptions.requestLost(mid),
        drained: () => this.#traffic.pump(),
        ...(this.#settings.authentication !== null && {
          authenticating: (auth) => this.#authenticating?.received(auth),
        }),
      },
    );
  }

  /** What the parts of the client see of it. */
  #hostOfTraffic(): TrafficHost {
    return {
      client: this.#client,
      session: this.#session,
      journal: this.#journal,
      policy: this.#settings.policy,
      requests: this,
      isFallenBack: () => this.#reconnection.isFallenBack,
      closedError: () => this.#endedError,
      hasListener: () => this.hasMessageListener,
      isAnswerAwaited: () => this.#authenticating?.isPending ?? false,
      subscribed: (subscribed) => this.tellSubscribed(subscribed),
      unsubscribed: (unsubscribed) => this.tellUnsubscribed(unsubscribed),
      undelivered: (publication, error) => this.tellUndelivered(publication, error),
      warn: (text) => this.log(LOG_LEVEL.warning, text),
    };
  }

  #obey(signal: AbortSignal): void {
    const abort = (): void => {
      this.#failure = abortError(signal);
      void this.disconnect({ drainMs: 0 });
    };
    if (signal.aborted) {
      this.#failure = abortError(signal);
      this.#close(null);
      return;
    }
    signal.addEventListener("abort", abort, { once: true });
    void this.#closed.promise.then(() => signal.removeEventListener("abort", abort));
  }

  // ---- what it is ----

  /** Its Client Identifier; the server's, once it has chosen one and says so. */
  get clientId(): string {
    return this.#client.clientId;
  }

  /** The version that is spoken. */
  get version(): Version {
    return this.#reconnection.version;
  }

  /** Whether what is sent goes out now. */
  get isConnected(): boolean {
    return this.#client.isConnected;
  }

  /** Whether it has ended and will not connect again. */
  get isClosed(): boolean {
    return this.#closed.isSettled;
  }

  /** What the server said when it let us in; null while there is no connection. */
  get connection(): ConnectInfo | null {
    return this.#info;
  }

  /** Resolves when there is a connection: at once, or with the next one. Rejects when the client ends before. */
  get connected(): Promise<ConnectInfo> {
    return this.#connected.promise;
  }

  /** Resolves when the client has ended, with what ended it or null; never rejects. */
  get closed(): Promise<ClientError | null> {
    return this.#closed.promise;
  }

  /** Messages at QoS 1 and 2 without an outcome, and all that wait for a connection. */
  get unacknowledgedMessages(): number {
    return this.#session.unacknowledgedMessages;
  }

  /** Messages at QoS 0 that came and were dropped, as their consumer was too slow. */
  get droppedMessages(): number {
    return this.#traffic.droppedMessages;
  }

  /** How the last connection, or the last attempt to make one, ended: who ended it, by which rule, and what passed before. */
  get lastEnding(): ConnectionEnding | null {
    return this.#client.endings.at(-1) ?? null;
  }

  /** The same of the last 8 connections and attempts, oldest first. */
  get endings(): readonly ConnectionEnding[] {
    return this.#client.endings;
  }

  /** The packets that passed lately, oldest first: on this connection, or on the last one when there is none. */
  get trail(): readonly PassedPackets[] {
    return this.#client.trail;
  }

  /** Why nothing can be asked for any more, or null. */
  get #endedError(): ClientError | null {
    return this.#closedError ?? (this.#isSayingGoodbye ? closedError("the client is saying goodbye") : null);
  }

  // ---- what it does ----

  /**
   * Publishes, now or as soon as there is a connection.
   * @throws ArgumentError for a topic name, QoS or property that is not allowed
   */
  publish<const Topic extends string>(
    topicName: Topic & TopicName<Topic>,
    payload: Uint8Array | string,
    options: PublishOptions = NO_OPTIONS,
  ): Publication {
    const publication = this.#traffic.publications.publish(topicName, payload, options);
    const { reading } = this.#traffic;
    if (reading.isPaused) reading.changed();
    return publication;
  }

  /**
   * Subscribes, now or as soon as there is a connection, and again whenever the server has forgotten it.
   * @throws ArgumentError for a Topic Filter or an option that is not allowed, RequestError when the client has ended or `signal` has been aborted
   */
  subscribe<const Filters extends Texts>(
    topicFilters: Filters & TopicFilters<Filters>,
    options: SubscribeOptions = NO_OPTIONS,
  ): Subscription {
    const endedError = this.#endedError;
    if (endedError !== null) throw endedError;
    checkNames("subscribe", options);
    const { signal } = options;
    if (signal?.aborted) throw abortError(signal);
    const subscription = checked(() =>
      this.#traffic.subscriptions.subscribe(textList("a topic filter", topicFilters), options),
    );
    if (signal !== undefined) {
      const abort = (): void => void subscription.unsubscribe();
      signal.addEventListener("abort", abort, { once: true });
      // A signal may outlive many Subscriptions.
      subscription.stream.whenEnded(() => signal.removeEventListener("abort", abort));
    }
    return subscription;
  }

  /**
   * Unsubscribes, now or as soon as there is a connection.
   * @throws ArgumentError for a Topic Filter that is not allowed, RequestError when the client has ended
   */
  unsubscribe<const Filters extends Texts>(topicFilters: Filters & TopicFilters<Filters>): Unsubscription {
    const endedError = this.#endedError;
    if (endedError !== null) throw endedError;
    return checked(() => this.#traffic.subscriptions.unsubscribe(textList("a topic filter", topicFilters)));
  }

  /**
   * Publishes a request and waits for the response: in 5.0 by response topic and correlation data, before by a response topic that
   * both sides know.
   */
  request<const Topic extends string>(
    topicName: Topic & TopicName<Topic>,
    payload: Uint8Array | string,
    options: RequestOptions = NO_OPTIONS,
  ): Promise<ReceivedMessage> {
    return this.#traffic.requests.request(topicName, payload, options);
  }

  /**
   * Answers a request that came: publishes to its response topic, with its correlation data.
   * @throws ArgumentError when it asks for no response
   */
  respond(request: ReceivedMessage, payload: Uint8Array | string, options: PublishOptions = NO_OPTIONS): Publication {
    const { responseTopic, correlationData } = request.properties;
    if (responseTopic === undefined)
      throw argumentError("the message has no response topic, and so asks for no response");
    const properties = { ...options.properties, ...(correlationData !== undefined && { correlationData }) };
    return this.publish<string>(responseTopic, payload, { ...options, properties });
  }

  /** Authenticates again on the connection that there is [5.0 §4.12.1]; needs `authentication`. */
  async reauthenticate(): Promise<void> {
    if (this.#authenticating === null) throw argumentError("the client was given no authentication");
    if (!this.isConnected) throw refusalError("not-connected");
    const again = this.#authenticating.again();
    this.#traffic.reading.changed();
    await again;
  }

  /**
   * Says goodbye and ends, after what has been published has arrived, or after `drainMs`. Resolves when all is over.
   * Rejects with an ArgumentError, and goes on as before, for a reason code or property that a client may not send.
   */
  async disconnect(options: DisconnectOptions = NO_OPTIONS): Promise<void> {
    const { reasonCode, properties, drainMs } = checked(() => goodbyeOf(options, this.version));
    if (!this.isClosed) {
      this.#isSayingGoodbye = true;
      if (drainMs > 0 && this.isConnected && !this.#traffic.publications.isIdle)
        await this.#drained(drainMs, options.signal);
      if (!this.isClosed) {
        const isOld = this.version !== 5;
        this.#client.disconnect(isOld ? 0 : reasonCode, isOld ? NO_PROPERTIES : properties);
      }
    }
    await this.#closed.promise;
  }

  #drained(drainMs: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, drainMs);
      signal?.addEventListener("abort", done, { once: true });
      if (signal?.aborted) done();
      this.#traffic.publications.whenIdle(done);
      void this.#closed.promise.then(done);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.disconnect();
  }

  /** Connects now instead of after the wait, as when the program learns that the network is back. */
  connectNow(): void {
    this.#client.connectNow();
  }

  // ---- what happens to it ----

  async #prepare(): Promise<AttemptChanges> {
    // Whoever has just made the client has set its callbacks by then.
    await undefined;
    const { username, password, credentials } = this.#settings;
    const { server, version } = this.#reconnection;
    this.#client.version = version;
    this.log(LOG_LEVEL.info, `Connecting to ${serverName(server)}.`);
    const fresh = await credentials?.();
    const secret = fresh?.password ?? password ?? server.password;
    const properties = version === 5 ? await this.#authenticating?.begin() : undefined;
    return {
      connector: this.#connectorOf(server),
      username: fresh?.username ?? username ?? server.username,
      password: typeof secret === "string" ? encodeUtf8(secret) : secret,
      ...(properties !== undefined && { properties }),
    };
  }

  #infoOf({ reasonCode, sessionPresent, properties }: Connack): ConnectInfo {
    const { clientId, version } = this;
    return { reasonCode, sessionPresent, properties, clientId, version, server: serverName(this.#reconnection.server) };
  }

  #accepted(connack: Connack): void {
    const info = this.#infoOf(connack);
    this.#info = info;
    this.#reconnection.accepted(performance.now());
    this.#authenticating?.accepted(connack.properties);
    this.#connected.resolve(info);
    this.tellConnected(info);
    this.#traffic.connected(connack.sessionPresent);
    this.#client.requestFlush();
  }

  #refused(connack: Connack): void {
    this.tellRefused(this.#infoOf(connack));
  }

  #disconnected(error: ConnectionError | null, willReconnect: boolean, delayMs: number): void {
    const wasConnected = this.#info !== null;
    this.#info = null;
    if (this.#connected.isSettled) this.#connected = new Settled();
    this.#authenticating?.ended();
    const why = this.#failure ?? error;
    // A wait that was given up had no connection of its own.
    const ending = error !== null ? error.ending : wasConnected ? this.lastEnding : null;
    const info: DisconnectInfo = { error: why, willReconnect, delayMs, wasConnected, ending };
    if (error !== null) this.log(LOG_LEVEL.notice, endText(error, wasConnected, willReconnect ? delayMs : null));
    this.tellDisconnected(info);
    if (!willReconnect) this.#close(error);
  }

  #close(cause: ConnectionError | null): void {
    const error = this.#failure ?? cause;
    this.#closedError = closedError(undefined, error);
    this.#traffic.end(error, this.#closedError);
    this.#connected.reject(error ?? this.#closedError);
    void this.#finish(error);
  }

  async #finish(error: ClientError | null): Promise<void> {
    const { store } = this.#settings;
    try {
      await this.#journal?.settled();
      await store?.close();
    } catch (cause) {
      this.log(LOG_LEVEL.error, `The store could not be closed: ${cause instanceof Error ? cause.message : cause}`);
    }
    this.#closed.resolve(error);
    this.tellClosed(error);
  }

  #storeFailed(cause: unknown): void {
    const message = cause instanceof Error ? cause.message : String(cause);
    this.#failure = cause instanceof ClientStoreError ? cause : new ClientStoreError("store-failed", message, cause);
    this.log(LOG_LEVEL.error, `The store has failed, so that nothing can be promised any more: ${message}`);
    if (!this.isClosed) this.#client.disconnect();
  }

  #published(mid: number, outcome: Outcome, message: OutgoingMessage | null): void {
    this.#traffic.settled(mid, outcome, message);
    if (outcome.refusal === null) this.tellPublished(mid, outcome.reasonCode);
    if (this.#traffic.isFull) this.#traffic.reading.changed();
  }

  #message(source: IncomingMessage, sequence: number): boolean {
    const message = new ReceivedMessage(source, sequence);
    this.tellMessage(message);
    const { subscriptions, reading } = this.#traffic;
    return subscriptions.deliver(message, source, !reading.isPaused && subscriptions.isFull);
  }

  protected override takeUnclaimed(): readonly ReceivedMessage[] {
    return this.#traffic.takeUnclaimed();
  }
}

/** Buffers of all clients: each of them holds one only while it has something to write. */
const POOL = new OutputPool();

/** Each attempt brings its own. */
const NO_CONNECTOR: Connector = {
  address: "",
  connect: () => {
    throw new Error("no server was chosen");
  },
};

/** Runs what the protocol library checks. */
function checked<Result>(run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    throw error instanceof RequestError ? error : argumentError(error);
  }
}
