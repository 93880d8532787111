/**
 * A client: one Session, the connections that serve it one after another, and the moment to make the next. It tells what happens
 * by calls; promises, iterators and policies are for those who stand on it.
 */
import {
  type Auth,
  type Connack,
  type Connect,
  END_REASONS,
  encodePacket,
  encodeUtf8,
  NO_PROPERTIES,
  OutputPool,
  PacketTrail,
  type Properties,
  type Qos,
  ReasonCode,
  type SubscriptionRequest,
  type Turn,
  type Version,
  type Will,
} from "../protocol/index.ts";
import { type Connector, Pump } from "../transport/browser.ts";
import {
  ClientConnection,
  type ClientConnectionOptions,
  type ClientPacketObserver,
  type ConnectionEnd,
  type ConnectionListener,
} from "./connection.ts";
import {
  type ConnectionEnding,
  Endings,
  endingOf,
  type PassedPackets,
  passedPackets,
  TRAIL_ENTRIES,
} from "./ending.ts";
import { ConnectionError, endError, refusalError } from "./errors.ts";
import type { Outcome, OutgoingMessage, Refusal } from "./message.ts";
import { MOSQ_ERR } from "./rc.ts";
import { ClientSession, DEFAULT_SESSION_LIMITS, type SessionLimits, type SessionListener } from "./session.ts";

/** What a client is set to; what is left out is libmosquitto's default. */
export interface ClientOptions {
  readonly connector: Connector;
  /** 4: MQTT 3.1.1. */
  readonly version?: Version;
  /** Empty: the server chooses one. */
  readonly clientId?: string;
  readonly cleanStart?: boolean;
  /** Whether mosquitto's bit in CONNECT says that this is a bridge; false. */
  readonly bridge?: boolean;
  /** Whether it is a broker's bridge, which answers PINGREQ and says of what it does not know no more than mosquitto's; false. */
  readonly isBridge?: boolean;
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
  /** Whether and when to connect again; never. */
  readonly reconnect?: ReconnectPolicy;
  /** Whether `reconnect` is asked also before the server has let us in for the first time. */
  readonly retriesFirst?: boolean;
  /** Asked before each attempt to connect; what it returns holds for that attempt. */
  readonly prepare?: () => AttemptChanges | Promise<AttemptChanges>;
  /** A Session to go on with, as one that was restored. */
  readonly session?: ClientSession;
  /** Asked for each packet, as whoever wants to see them may come later. */
  readonly observer?: () => ClientPacketObserver | null;
  /** Buffers, for many clients to share. */
  readonly pool?: OutputPool;
}

/** What is different for one attempt to connect. */
export interface AttemptChanges {
  readonly connector?: Connector;
  readonly bridge?: boolean;
  readonly username?: string | null;
  readonly password?: Uint8Array | null;
  /** Of the CONNECT of 5.0, besides the others. */
  readonly properties?: Properties;
}

/**
 * Decides about the next connection.
 * @param error why the last one ended
 * @param failures attempts in a row that did not come to a connection
 * @returns milliseconds to wait, or null to give up
 */
export type ReconnectPolicy = (error: ConnectionError, failures: number) => number | null;

/** What a client tells. */
export interface ClientListener extends Partial<SessionListener> {
  /** The network connection is there, and the CONNECT on its way. */
  opened?(): void;
  /** The server has let us in. */
  connected?(connack: Connack): void;
  /** The connection is over, or could not be made; `error` is null when we ended it. */
  disconnected?(error: ConnectionError | null, willReconnect: boolean, delayMs: number): void;
  /** The server refuses to let us in; `disconnected` follows. */
  refused?(connack: Connack): void;
  /** The server sent AUTH; `authenticate` answers. */
  authenticating?(auth: Auth): void;
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

/** Asked only when something is noted, so that what the program sends has its own time. */
const CLOCK: Turn = {
  get turnMs() {
    return performance.now();
  },
};

/** Nobody wants to see packets. */
const NO_OBSERVER = (): null => null;

/** An MQTT client. */
export class Client implements ConnectionListener {
  readonly session: ClientSession;
  readonly #options: ClientOptions;
  readonly #listener: ClientListener;
  readonly #pool: OutputPool;
  #clientId: string;
  #connection: ClientConnection | null = null;
  #pump: Pump | null = null;
  /** Ends an attempt to connect. */
  #giveUp: (() => void) | null = null;
  /** The attempt that is being prepared. */
  #preparing: object | null = null;
  #retry: ReturnType<typeof setTimeout> | null = null;
  /** Where the connection leads. */
  #address = "";
  readonly #endings: Endings = new Endings();
  #failures = 0;
  #hasBeenAccepted = false;

  constructor(options: ClientOptions, listener: ClientListener) {
    this.#options = options;
    this.#listener = listener;
    this.#pool = options.pool ?? new OutputPool();
    this.#clientId = options.clientId ?? "";
    this.session = options.session ?? new ClientSession(options.version ?? 4, options.limits ?? DEFAULT_SESSION_LIMITS);
    this.session.listener = listener;
  }

  /** May be changed between two connections. */
  get version(): Version {
    return this.session.version;
  }
  set version(version: Version) {
    this.session.version = version;
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
    if (this.#connection !== null || this.#retry !== null || this.#preparing !== null) {
      throw new Error("the client is connecting or connected");
    }
    const { prepare } = this.#options;
    if (prepare === undefined) return this.#open({});
    const preparing = {};
    this.#preparing = preparing;
    const prepared = async (): Promise<AttemptChanges> => prepare();
    prepared().then(
      (changes) => {
        if (this.#preparing !== preparing) return;
        this.#preparing = null;
        this.#open(changes);
      },
      (cause: unknown) => {
        if (this.#preparing !== preparing) return;
        this.#preparing = null;
        this.#over(preparationError(cause));
      },
    );
  }

  #open(changes: AttemptChanges): void {
    const { connackTimeoutMs = CONNACK_TIMEOUT_MS, topicAliases = 0, observer = NO_OBSERVER } = this.#options;
    const { isBridge = false } = this.#options;
    const connector = changes.connector ?? this.#options.connector;
    const connect = this.#connectPacket(changes);
    const trail = new PacketTrail(TRAIL_ENTRIES, CLOCK);
    const pool = this.#pool;
    const options: ClientConnectionOptions = {
      ...{ connect, connackTimeoutMs, topicAliases, pool, trail, observer, isBridge },
    };
    this.#address = connector.address;
    try {
      // What was asked for an attempt may not fit into a CONNECT; later nobody could catch that.
      encodePacket(connect, connect.version);
    } catch (cause) {
      return this.#over(preparationError(cause));
    }
    this.#connection = new ClientConnection(this.session, options, this, performance.now());
    this.#pump = new Pump(this.#connection);
    try {
      this.#giveUp = connector.connect(this.#pump);
    } catch (error) {
      this.#pump.closed(true, error instanceof Error ? error : new Error(String(error)));
    }
  }

  #connectPacket(changes: AttemptChanges): Connect {
    const { cleanStart = true, keepAliveSeconds = 60, will = null, username = null, password = null } = this.#options;
    const { receiveMaximum } = this.session.limits;
    const properties: Properties = { receiveMaximum, ...this.#options.properties, ...changes.properties };
    const hasProperties = this.version === 5;
    // Only MQTT 3.1 has no server that chooses one.
    if (this.version === 3 && this.#clientId === "") this.#clientId = randomClientId();
    return {
      type: "CONNECT",
      version: this.version,
      bridge: changes.bridge ?? this.#options.bridge ?? false,
      cleanStart,
      keepAliveSeconds,
      clientId: this.#clientId,
      will: will === null || hasProperties ? will : { ...will, properties: NO_PROPERTIES },
      username: changes.username === undefined ? username : changes.username,
      password: changes.password === undefined ? password : changes.password,
      properties: hasProperties ? properties : NO_PROPERTIES,
    };
  }

  // ---- what the connection tells ----

  opened(): void {
    this.#listener.opened?.();
  }

  accepted(connack: Connack): void {
    this.#failures = 0;
    this.#hasBeenAccepted = true;
    this.#clientId = connack.properties.assignedClientId ?? this.#clientId;
    // The attempt is over, and what it needed can go.
    this.#giveUp = null;
    this.#listener.connected?.(connack);
  }

  published(mid: number, outcome: Outcome, message: OutgoingMessage): void {
    this.#listener.published?.(mid, outcome, message);
  }

  authenticating(auth: Auth): boolean {
    if (this.#listener.authenticating === undefined) return false;
    this.#listener.authenticating(auth);
    return true;
  }

  drained(): void {
    this.#listener.drained?.();
  }

  ended(end: ConnectionEnd): void {
    if (!end.wasOpened) this.#giveUp?.();
    const error = endError(end, this.version);
    this.#record(end, error);
    this.#connection = this.#pump = this.#giveUp = null;
    if (end.connack !== null) this.#listener.refused?.(end.connack);
    this.#over(error);
  }

  #record(end: ConnectionEnd, error: ConnectionError | null): void {
    const facts = this.#connection!.facts(this.#address, this.#clientId);
    const detail = error?.message ?? END_REASONS[end.reason].log;
    const ending = endingOf(end, facts, detail, performance.now(), Date.now());
    if (error !== null) error.ending = ending;
    this.#endings.add(ending);
  }

  /** How its last connections ended, oldest first; at most 8. */
  get endings(): readonly ConnectionEnding[] {
    return this.#endings.all;
  }

  /** What passed on the connection, or on the last one when there is none; oldest first. */
  get trail(): readonly PassedPackets[] {
    const connection = this.#connection;
    if (connection === null) return this.endings.at(-1)?.trail ?? [];
    return passedPackets(connection.trail, Date.now() - performance.now());
  }

  /** A connection or an attempt is over: connects again when and as the policy says. */
  #over(error: ConnectionError | null): void {
    const { reconnect, retriesFirst = false } = this.#options;
    const canRetry = error !== null && (this.#hasBeenAccepted || retriesFirst) && reconnect !== undefined;
    const delayMs = canRetry ? reconnect(error, this.#failures++) : null;
    if (delayMs !== null) {
      this.#retry = setTimeout(() => {
        this.#retry = null;
        this.connect();
      }, delayMs);
    }
    this.#listener.disconnected?.(error, delayMs !== null, delayMs ?? 0);
  }

  /** Sends AUTH: an answer to the server's, or the beginning of a new authentication. */
  authenticate(reasonCode: ReasonCode, properties: Properties): void {
    this.#connection?.authenticate(reasonCode, properties);
    this.#pump?.requestFlush();
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

  #requested(result: number | Refusal): number {
    if (typeof result === "string") throw refusalError(result);
    this.requestFlush();
    return result;
  }

  /** Has what was asked of the session leave with the turn, or at once when it is much. */
  requestFlush(): void {
    const outputBytes = this.#connection?.outputBytes ?? 0;
    if (outputBytes >= EARLY_FLUSH_BYTES) this.#pump?.flush();
    else this.#pump?.requestFlush();
  }

  /** Says goodbye, or gives up connecting. `disconnected` is called before this returns, unless it was over before. */
  disconnect(reasonCode: ReasonCode = ReasonCode.NormalDisconnection, properties: Properties = NO_PROPERTIES): void {
    if (this.#retry !== null || this.#preparing !== null) {
      if (this.#retry !== null) clearTimeout(this.#retry);
      this.#retry = this.#preparing = null;
      this.#listener.disconnected?.(null, false, 0);
      return;
    }
    const pump = this.#pump;
    this.#connection?.disconnect(reasonCode, properties);
    pump?.flush();
  }

  /** Ends the connection as if the network had gone, to be made again as the policy says. */
  drop(error: ConnectionError): void {
    const pump = this.#pump;
    this.#connection?.closed(true, error);
    pump?.flush();
  }

  /** Connects now instead of later, when it waits for its next attempt. */
  connectNow(): void {
    if (this.#retry === null) return;
    clearTimeout(this.#retry);
    this.#retry = null;
    this.connect();
  }

  /** Stops and starts reading from the network, for those who cannot keep up. */
  pause(): void {
    this.#connection?.setReading(false, performance.now());
    this.#pump?.pause();
  }

  resume(): void {
    this.#connection?.setReading(true, performance.now());
    this.#pump?.resume();
  }
}

/** 1 to 23 letters and digits are what every server of MQTT 3.1 takes. */
function randomClientId(): string {
  return `lacewing${Math.random().toString(36).slice(2, 14)}`;
}

function preparationError(cause: unknown): ConnectionError {
  if (cause instanceof ConnectionError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  return new ConnectionError({ code: "authentication-failed", rc: MOSQ_ERR.AUTH, message, cause });
}
