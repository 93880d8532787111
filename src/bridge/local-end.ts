/**
 * The end of a bridge at this broker: an ordinary client of it, in memory. It is connected while the other end has a network connection,
 * so that otherwise messages wait in its Session, on the disk and under the bounds of all Sessions.
 */
import { Client, ClientSession, DEFAULT_SESSION_LIMITS, type IncomingMessage, type Outcome } from "../client/index.ts";
import type { Broker, Session } from "../core/index.ts";
import { NO_PROPERTIES, ReasonCode } from "../protocol/index.ts";
import { MemoryConnector } from "../transport/index.ts";
import type { BridgeJournal } from "./bridge-journal.ts";
import type { BridgeLog, BridgeOptions } from "./bridge-options.ts";
import type { Wanted } from "./topic-map.ts";

const NEVER_EXPIRES_SECONDS = 4_294_967_295;
/** Wait before connecting again, as after having been thrown out by another client of its identifier, in milliseconds. */
const RETRY_MS = 1000;
/** Retained messages are sent with a SUBSCRIBE, or not. */
const WITH_RETAINED = 0;
const WITHOUT_RETAINED = 2;

/** Who hears of this end. */
export interface LocalEndListener {
  /** There is a new connection, which reads. */
  connected(): void;
  /** false: it is acknowledged when `session.taken` says so. */
  message(message: IncomingMessage): boolean;
  published(mid: number, outcome: Outcome): void;
  drained(): void;
}

/** This broker's end. */
export class LocalEnd {
  readonly client: Client;
  readonly session: ClientSession;
  readonly #broker: Broker;
  readonly #options: BridgeOptions;
  readonly #filters: readonly Wanted[];
  readonly #log: BridgeLog;
  #isWanted = false;
  /** Whether the other broker has let us in, and is to have the retained messages. */
  #isOpen = false;
  /** Whether it is connected, or tries to be. */
  #isActive = false;
  #isStopped = false;
  /** Called when it has its Subscriptions, or cannot have them. */
  #whenReady: (() => void) | null = null;
  #hasToldSubscriptions = false;

  constructor(
    broker: Broker,
    options: BridgeOptions,
    filters: readonly Wanted[],
    journal: BridgeJournal | null,
    log: BridgeLog,
    listener: LocalEndListener,
  ) {
    this.#broker = broker;
    this.#options = options;
    this.#filters = filters;
    this.#log = log;
    const { localClientId, localUsername, name, authenticator, store } = options;
    this.session = new ClientSession(5, DEFAULT_SESSION_LIMITS, {
      acknowledgesFirst: false,
      journal: journal?.local ?? null,
    });
    if (store !== null) this.session.restore(store.saved[0]);
    this.client = new Client(
      {
        connector: new MemoryConnector(`bridge ${name}`, (link) => broker.accept(link, authenticator)),
        version: 5,
        clientId: localClientId,
        username: localUsername,
        // For the marks that tell messages apart.
        bridge: true,
        cleanStart: this.#isClean,
        keepAliveSeconds: 0,
        properties: this.#isClean ? NO_PROPERTIES : { sessionExpirySeconds: NEVER_EXPIRES_SECONDS },
        session: this.session,
        reconnect: () => (this.#isStopped || !this.#isWanted ? null : RETRY_MS),
        retriesFirst: true,
      },
      {
        connected: () => {
          listener.connected();
          this.#connected();
        },
        message: (message) => listener.message(message),
        published: (mid, outcome) => listener.published(mid, outcome),
        subscribed: (_mid, codes) => this.#subscribed(codes),
        drained: () => listener.drained(),
        disconnected: (error, willReconnect) => this.#disconnected(error, willReconnect),
      },
    );
  }

  /** A lazy bridge starts by what waits, so that something must wait. */
  get #isClean(): boolean {
    return this.#options.localCleanSession && this.#options.startType !== "lazy";
  }

  /** Its Session at the broker. */
  get #brokersSession(): Session | undefined {
    return this.#broker.sessions.get(this.#options.localClientId);
  }

  /**
   * Whether its Session has the wanted Subscriptions and no others, as after a restart. Who then connected only to subscribe would be
   * sent what waits, and again once the other end is there.
   */
  get #hasSubscriptions(): boolean {
    const subscriptions = this.#brokersSession?.subscriptions;
    return (
      subscriptions?.size === this.#filters.length &&
      this.#filters.every(({ filter, qos }) => subscriptions.get(filter)?.qos === qos)
    );
  }

  /** Messages that wait at the broker. */
  get waitingMessages(): number {
    const session = this.#brokersSession;
    return session === undefined ? 0 : session.queuedMessages + session.inflightMessages;
  }

  /** Sees to it that messages wait from now on, if they are to. Resolves when they do. */
  start(): Promise<void> {
    const ready = new Promise<void>((resolve) => {
      this.#whenReady = resolve;
    });
    if (this.#isClean || this.#hasSubscriptions) this.#whenReady?.();
    else this.#connect();
    this.session.resume();
    return ready;
  }

  /** The other end asks to be let in: whatever is published from now on is for it, and what waits may come. */
  attach(): void {
    this.#isWanted = true;
    if (!this.client.isConnected) this.#connect();
  }

  /** The other end has been let in. */
  open(): void {
    this.#isWanted = this.#isOpen = true;
    // Retained messages come with each connection, as in mosquitto.
    if (this.client.isConnected) this.#subscribe(WITH_RETAINED);
    else this.#connect();
  }

  /** The other end is gone. @param why for whoever asks this broker why the bridge's client went */
  close(why: string): void {
    this.#isWanted = this.#isOpen = false;
    this.client.disconnect(ReasonCode.NormalDisconnection, { reasonString: why });
  }

  /** The other end was gone for a moment: what was not taken meanwhile is to be sent again. @param why as for `close` */
  comeAnew(why: string): void {
    this.client.disconnect(ReasonCode.NormalDisconnection, { reasonString: why });
  }

  stop(): void {
    this.#isStopped = true;
    this.close("the bridge was stopped");
  }

  #connect(): void {
    if (this.#isActive || this.#isStopped) return;
    this.#isActive = true;
    this.client.connect();
  }

  #disconnected(error: Error | null, willReconnect: boolean): void {
    this.#isActive = willReconnect;
    if (!willReconnect) this.#whenReady?.();
    const { name } = this.#options;
    if (error !== null) this.#log.write("warning", `Bridge ${name}: its local end was disconnected: ${error.message}`);
    // It had said goodbye, and is wanted again.
    if (!willReconnect && this.#isWanted) this.#connect();
  }

  #connected(): void {
    this.#unsubscribeOthers();
    this.#subscribe(this.#isOpen ? WITH_RETAINED : WITHOUT_RETAINED);
  }

  /** Ends Subscriptions of an earlier configuration. */
  #unsubscribeOthers(): void {
    const wanted = new Set(this.#filters.map(({ filter }) => filter));
    const subscribed = [...(this.#brokersSession?.subscriptions.keys() ?? [])];
    const others = subscribed.filter((filter) => !wanted.has(filter));
    if (others.length > 0) this.client.unsubscribe(others);
  }

  #subscribe(retainHandling: 0 | 2): void {
    if (this.#filters.length === 0) return this.#settle();
    const { localClientId } = this.#options;
    if (!this.#hasToldSubscriptions)
      for (const { filter } of this.#filters)
        this.#log.write("notice", `Bridge ${localClientId} doing local SUBSCRIBE on topic ${filter}`);
    this.#hasToldSubscriptions = true;
    // No local: what came from the other broker does not go back there.
    const options = { noLocal: true, retainAsPublished: true, retainHandling } as const;
    this.client.subscribe(this.#filters.map(({ filter, qos }) => ({ topicFilter: filter, qos, ...options })));
  }

  #subscribed(codes: readonly number[]): void {
    for (const [at, code] of codes.entries()) {
      if (code < 0x80) continue;
      const { name } = this.#options;
      this.#log.write(
        "warning",
        `Bridge ${name} may not subscribe to ${this.#filters[at]?.filter} here: nothing of it goes out.`,
      );
    }
    this.#settle();
  }

  #settle(): void {
    if (!this.#isWanted) this.client.disconnect();
  }
}
