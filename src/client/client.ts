/**
 * A client: one Session, the connections that serve it one after another, and the moment to make the next. It tells what happens
 * by calls; promises, iterators and policies are for those who stand on it.
 */
import {
  type Connack,
  type Connect,
  encodeUtf8,
  NO_PROPERTIES,
  OutputPool,
  type Properties,
  type Qos,
  ReasonCode,
  type SubscriptionRequest,
  type Version,
  type Will,
} from "../protocol/index.ts";
import { type Connector, Pump } from "../transport/index.ts";
import {
  ClientConnection,
  type ClientPacketObserver,
  type ConnectionEnd,
  type ConnectionListener,
} from "./connection.ts";
import { type ClientError, endError, refusalError } from "./errors.ts";
import { ClientSession, DEFAULT_SESSION_LIMITS, type SessionLimits, type SessionListener } from "./session.ts";

/** What a client is set to; what is left out is libmosquitto's default. */
export interface ClientOptions {
  readonly connector: Connector;
  /** 4: MQTT 3.1.1. */
  readonly version?: Version;
  /** Empty: the server chooses one. */
  readonly clientId?: string;
  readonly cleanStart?: boolean;
  /** 60; 0 switches keep-alive off. */
  readonly keepAliveSeconds?: number;
  readonly will?: Will | null;
  readonly username?: string | null;
  readonly password?: Uint8Array | null;
  /** Of the CONNECT of 5.0, besides Receive Maximum. */
  readonly properties?: Properties;
  readonly limits?: SessionLimits;
  /** Most topic aliases to use when a 5.0 server allows them; 0. */
  readonly topicAliases?: number;
  /** From the CONNECT to its answer, in milliseconds; 30,000. */
  readonly connackTimeoutMs?: number;
  /** Whether and when to connect again after a connection that had been accepted; never. */
  readonly reconnect?: ReconnectPolicy;
  /** A Session to go on with, as one that was restored. */
  readonly session?: ClientSession;
  readonly observer?: ClientPacketObserver;
  /** Buffers, for many clients to share. */
  readonly pool?: OutputPool;
}

/**
 * Decides about the next connection.
 * @param error why the last one ended
 * @param failures attempts in a row that did not come to a connection
 * @returns milliseconds to wait, or null to give up
 */
export type ReconnectPolicy = (error: ClientError, failures: number) => number | null;

/** What a client tells. */
export interface ClientListener extends Partial<SessionListener> {
  /** The server has let us in. */
  connected?(connack: Connack): void;
  /** The connection is over, or could not be made; `error` is null when we ended it. */
  disconnected?(error: ClientError | null, willReconnect: boolean): void;
  /** Everything written has left the process. */
  drained?(): void;
}

/** Options of a message. */
export interface PublishOptions {
  readonly qos?: Qos;
  readonly retain?: boolean;
  /** 5.0 only. */
  readonly properties?: Properties;
}

/** Output from which on it is handed to the network before the turn ends, so that it does not gather without bound. */
const EARLY_FLUSH_BYTES = 262_144;

const CONNACK_TIMEOUT_MS = 30_000;

/** An MQTT client. */
export class Client {
  readonly session: ClientSession;
  readonly #options: ClientOptions;
  readonly #listener: ClientListener;
  readonly #pool: OutputPool;
  #clientId: string;
  #connection: ClientConnection | null = null;
  #pump: Pump | null = null;
  /** Ends an attempt to connect. */
  #giveUp: (() => void) | null = null;
  #retry: ReturnType<typeof setTimeout> | null = null;
  #failures = 0;
  #hasBeenAccepted = false;

  constructor(options: ClientOptions, listener: ClientListener) {
    this.#options = options;
    this.#listener = listener;
    this.#pool = options.pool ?? new OutputPool();
    this.#clientId = options.clientId ?? "";
    this.session = options.session ?? new ClientSession(options.version ?? 4, options.limits ?? DEFAULT_SESSION_LIMITS);
    this.session.listener = {
      message: (message) => listener.message?.(message),
      published: (mid, outcome) => listener.published?.(mid, outcome),
      subscribed: (mid, codes, properties) => listener.subscribed?.(mid, codes, properties),
      unsubscribed: (mid, codes, properties) => listener.unsubscribed?.(mid, codes, properties),
      requestLost: (mid) => listener.requestLost?.(mid),
    };
  }

  get version(): Version {
    return this.session.version;
  }

  /** Its Client Identifier; the server's, once it has chosen one and says so. */
  get clientId(): string {
    return this.#clientId;
  }

  /** Whether requests can be sent now. */
  get isConnected(): boolean {
    return this.#connection?.isAccepted ?? false;
  }

  /** Whether what is sent leaves the process soon; when not, `drained` tells when it has. */
  get hasRoom(): boolean {
    return this.#connection?.hasRoom ?? true;
  }

  /** Begins to connect; `connected` or `disconnected` tells how it went. */
  connect(): void {
    if (this.#connection !== null || this.#retry !== null) throw new Error("the client is connecting or connected");
    const { connackTimeoutMs = CONNACK_TIMEOUT_MS, topicAliases = 0, observer = null, connector } = this.#options;
    const options = { connect: this.#connectPacket(), connackTimeoutMs, topicAliases, pool: this.#pool, observer };
    const listener: ConnectionListener = {
      accepted: (connack) => this.#accepted(connack),
      published: (mid, outcome) => this.#listener.published?.(mid, outcome),
      drained: () => this.#listener.drained?.(),
      ended: (end) => this.#ended(end),
    };
    this.#connection = new ClientConnection(this.session, options, listener, performance.now());
    this.#pump = new Pump(this.#connection);
    this.#giveUp = connector.connect(this.#pump);
  }

  #connectPacket(): Connect {
    const { cleanStart = true, keepAliveSeconds = 60, will = null, username = null, password = null } = this.#options;
    const properties: Properties = { receiveMaximum: this.session.limits.receiveMaximum, ...this.#options.properties };
    return {
      type: "CONNECT",
      version: this.version,
      bridge: false,
      cleanStart,
      keepAliveSeconds,
      clientId: this.#clientId,
      will,
      username,
      password,
      properties: this.version === 5 ? properties : NO_PROPERTIES,
    };
  }

  #accepted(connack: Connack): void {
    this.#failures = 0;
    this.#hasBeenAccepted = true;
    this.#clientId = connack.properties.assignedClientId ?? this.#clientId;
    this.#listener.connected?.(connack);
  }

  #ended(end: ConnectionEnd): void {
    const error = endError(end, this.version);
    if (!end.wasOpened) this.#giveUp?.();
    this.#connection = this.#giveUp = null;
    const { reconnect } = this.#options;
    const canRetry = error !== null && this.#hasBeenAccepted && reconnect !== undefined;
    const delayMs = canRetry ? reconnect(error, this.#failures++) : null;
    if (delayMs !== null) {
      this.#retry = setTimeout(() => {
        this.#retry = null;
        this.connect();
      }, delayMs);
    }
    this.#listener.disconnected?.(error, delayMs !== null);
  }

  /**
   * Publishes; at QoS 1 and 2 also while there is no connection.
   * @returns the `mid` that `published` will name
   * @throws MqttError or RangeError for a field that is not allowed, ClientError when the message cannot be taken
   */
  publish(topicName: string, payload: Uint8Array | string, options: PublishOptions = {}): number {
    const { qos = 0, retain = false, properties = NO_PROPERTIES } = options;
    const bytes = typeof payload === "string" ? encodeUtf8(payload) : payload;
    return this.#requested(this.session.publish({ topicName, payload: bytes, qos, retain, properties }));
  }

  /**
   * Subscribes, by one packet.
   * @returns the `mid` that `subscribed` will name
   * @throws MqttError or RangeError for a field that is not allowed, ClientError when it cannot be sent
   */
  subscribe(subscriptions: readonly SubscriptionRequest[], properties: Properties = NO_PROPERTIES): number {
    return this.#requested(this.session.subscribe(subscriptions, properties));
  }

  /**
   * Unsubscribes, by one packet.
   * @returns the `mid` that `unsubscribed` will name
   * @throws MqttError or RangeError for a field that is not allowed, ClientError when it cannot be sent
   */
  unsubscribe(topicFilters: readonly string[], properties: Properties = NO_PROPERTIES): number {
    return this.#requested(this.session.unsubscribe(topicFilters, properties));
  }

  #requested(result: ReturnType<ClientSession["publish"]>): number {
    if (typeof result === "string") throw refusalError(result);
    const outputBytes = this.#connection?.outputBytes ?? 0;
    if (outputBytes >= EARLY_FLUSH_BYTES) this.#pump!.flush();
    else this.#pump?.requestFlush();
    return result;
  }

  /** Says goodbye, or gives up connecting. `disconnected` is called before this returns, unless it was over before. */
  disconnect(reasonCode: ReasonCode = ReasonCode.NormalDisconnection, properties: Properties = NO_PROPERTIES): void {
    if (this.#retry !== null) {
      clearTimeout(this.#retry);
      this.#retry = null;
      this.#listener.disconnected?.(null, false);
      return;
    }
    this.#connection?.disconnect(reasonCode, properties);
    this.#pump?.flush();
  }

  /** Stops and starts reading from the network, for those who cannot keep up. */
  pause(): void {
    this.#pump?.pause();
  }

  resume(): void {
    this.#pump?.resume();
  }
}
