/**
 * The broker: its parts, the turn of the event loop, the deadlines, and the beginning and end of it all. It owns no socket and no
 * timer; whoever runs it calls `flush` when asked to and `tick` at the deadline.
 */
import { type DropReason, OutputPool, type PublishFields } from "../protocol/index.ts";
import { Admission } from "./admission.ts";
import type { Authenticator } from "./authenticator.ts";
import { BridgeMarks } from "./bridge-marks.ts";
import type { Clock } from "./clock.ts";
import { Connection } from "./connection.ts";
import { Controls } from "./control.ts";
import { Counters } from "./counters.ts";
import { Deadlines } from "./deadlines.ts";
import { DEFAULT_ENTRANCE, type Entrance } from "./entrance.ts";
import { Ledger } from "./ledger.ts";
import type { Link } from "./link.ts";
import { ALONE, type Mesh } from "./mesh.ts";
import { Keep, Message } from "./message.ts";
import { UnmountedMessages } from "./mount-point.ts";
import type { Observer, PacketObserver, RefusedConnection } from "./observer.ts";
import type { BrokerOptions } from "./options.ts";
import { Pause } from "./pause.ts";
import { distribute, publish } from "./publishing.ts";
import { QueueReads } from "./queue-reads.ts";
import { Records } from "./records.ts";
import { restore } from "./restoring.ts";
import { RetainedMessages } from "./retained-messages.ts";
import { Router } from "./router.ts";
import type { Session } from "./session.ts";
import { Sessions } from "./sessions.ts";
import type { SourceJudge } from "./source.ts";
import type { Store } from "./store.ts";
import { MOST_TURN_WORK, WORK } from "./turn-work.ts";

/** Who runs the broker. */
export interface Host {
  /** Asks for one call of `flush` at the end of the present turn of the event loop. */
  requestFlush(): void;
  /** Text that nobody can guess, for an assigned client identifier. */
  randomId(): string;
  /** A buffer of that many bytes with any content. */
  allocate(bytes: number): Uint8Array;
}

/** What a broker is made of. */
export interface BrokerParts {
  readonly options: BrokerOptions;
  readonly store: Store;
  readonly clock: Clock;
  readonly host: Host;
  readonly mesh?: Mesh;
  readonly observer?: Observer;
}

/** How often the connections' own deadlines are looked at, and the wall clock, in milliseconds. */
const SWEEP_MS = 500;
/** How often the wall clock is looked at while there are no connections, in milliseconds. */
const IDLE_SWEEP_MS = 60_000;

/** An MQTT broker without I/O. */
export class Broker {
  /** Changed by `change` alone. */
  options: BrokerOptions;
  readonly clock: Clock;
  readonly host: Host;
  readonly mesh: Mesh;
  readonly observer: Observer;
  /** Told of every packet; null when nobody wants that. */
  packetObserver: PacketObserver | null;
  /** Asked about who published a retained message before it is given to somebody later; null: all may. */
  sourceJudge: SourceJudge | null = null;
  readonly pool: OutputPool;
  readonly counters: Counters = new Counters();
  readonly admission: Admission = new Admission();
  readonly controls: Controls = new Controls();
  readonly deadlines: Deadlines = new Deadlines();
  readonly keep: Keep = new Keep();
  readonly ledger: Ledger;
  readonly records: Records;
  readonly queueReads: QueueReads;
  readonly router: Router;
  readonly retained: RetainedMessages;
  readonly sessions: Sessions = new Sessions(this);
  readonly unmounted: UnmountedMessages = new UnmountedMessages();
  readonly bridgeMarks: BridgeMarks = new BridgeMarks(() => this.host.randomId());
  /** Clients with an accepted CONNECT. */
  connectedClients = 0;
  /** Bytes that wait for the network on all connections. */
  pendingOutputBytes = 0;
  /** What of all queues is in memory, in bytes. */
  queueMemoryBytes = 0;
  /** When the present turn began, on the monotonic clock. */
  turnMs: number;
  /** Work done in the present turn besides searches; see `turn-work.ts`. */
  turnWork = 0;
  readonly store: Store;
  readonly #connections: Set<Connection> = new Set();
  readonly #connectionsBy: Map<string, number> = new Map();
  #dirty: Connection[] = [];
  #later: (() => void)[] = [];
  #isFlushRequested = false;
  #sweepAtMs = Number.POSITIVE_INFINITY;

  constructor(parts: BrokerParts) {
    this.options = parts.options;
    this.clock = parts.clock;
    this.host = parts.host;
    this.mesh = parts.mesh ?? ALONE;
    this.observer = parts.observer ?? {};
    this.packetObserver = this.observer.packets ?? null;
    this.pool = new OutputPool((bytes) => this.host.allocate(bytes));
    this.turnMs = this.clock.nowMs();
    this.store = parts.store;
    this.ledger = new Ledger(
      parts.store,
      {
        beginTurn: () => this.beginTurn(),
        turnMs: () => this.turnMs,
        requestTick: () => this.#requestFlush(),
        storeState: (state, error) => this.observer.storeState?.(state, error),
      },
      this.options.storeTimeoutMs,
    );
    this.queueReads = new QueueReads(this);
    this.records = new Records(this.ledger, this.clock);
    this.router = new Router(this.options, this.mesh);
    this.retained = new RetainedMessages(this.deadlines, (message) => this.#retainedExpired(message));
    this.mesh.attach((fields) => this.#receiveFromMesh(fields));
  }

  /** Runs under other options from now on; those there are keep what they were told. */
  change(options: BrokerOptions): void {
    this.options = options;
    this.router.change(options);
  }

  /** Whether no other broker works together with this one. */
  get isAlone(): boolean {
    return this.mesh === ALONE;
  }

  /** Whether so much has been done in this turn that clients have to wait for the next. */
  get isTurnFull(): boolean {
    return this.turnWork + this.router.searchedNodes * WORK.searchedNode > MOST_TURN_WORK;
  }

  /** Whether more is held for clients than `memoryLimitBytes` allows: what would have to be held is refused until it is less. */
  get isOverMemory(): boolean {
    const { memoryLimitBytes } = this.options;
    if (memoryLimitBytes === 0) return false;
    return this.queueMemoryBytes + this.retained.payloadBytes + this.pendingOutputBytes >= memoryLimitBytes;
  }

  /** Connections, whether or not their CONNECT has been accepted. */
  get connections(): ReadonlySet<Connection> {
    return this.#connections;
  }

  /**
   * Takes everything back that the store kept. To be awaited before the first `accept`.
   * @throws what the store throws
   */
  async restore(): Promise<void> {
    this.beginTurn();
    await restore(this, this.store);
    this.#sweepAtMs = this.turnMs + this.#sweepPauseMs;
    this.#requestFlush();
  }

  /**
   * Takes a connection that has been opened by `entrance`; `authenticator` decides who may come in by it.
   * @param openedAtMs when its peer could first have spoken, on the monotonic clock: what TLS, WebSocket and the like took counts
   *   against the time for its CONNECT
   * @param rateRefusal what `admission` had against it: its CONNECT is answered with a refusal; null: nothing
   */
  accept(
    link: Link,
    authenticator: Authenticator,
    entrance: Entrance = DEFAULT_ENTRANCE,
    openedAtMs: number = this.clock.nowMs(),
    rateRefusal: string | null = null,
  ): Connection {
    this.beginTurn();
    const hasRoom = this.#hasRoomFor(entrance);
    const connection = new Connection(this, link, authenticator, entrance, openedAtMs, rateRefusal);
    this.#connections.add(connection);
    this.#connectionsBy.set(entrance.name, this.connectionsBy(entrance) + 1);
    this.counters.connectionsOpened++;
    this.#sweepAtMs = Math.min(this.#sweepAtMs, this.turnMs + SWEEP_MS);
    this.observer.opened?.(connection);
    if (!hasRoom) connection.close("too-many-connections");
    this.#requestFlush();
    return connection;
  }

  #hasRoomFor(entrance: Entrance): boolean {
    const { maximumConnections: most } = this.options;
    const { maximumConnections: mostHere } = entrance;
    if (most > 0 && this.#connections.size >= most) return false;
    return mostHere === 0 || this.connectionsBy(entrance) < mostHere;
  }

  /** Counts and tells of a connection that was not taken, or that ended before it could have said anything of MQTT. */
  refused(refused: RefusedConnection): void {
    this.counters.ended[refused.reason]++;
    this.observer.refused?.(refused);
  }

  /** Connections that came in by `entrance`, whether or not their CONNECT has been accepted. */
  connectionsBy(entrance: Entrance): number {
    return this.#connectionsBy.get(entrance.name) ?? 0;
  }

  /** Forgets a connection that has ended. */
  removeConnection(connection: Connection): void {
    this.#connections.delete(connection);
    const { entrance } = connection;
    this.#connectionsBy.set(entrance.name, this.connectionsBy(entrance) - 1);
    if (connection.isReady) this.connectedClients--;
  }

  /** Takes no packets of the clients that are here until `done`, which must not reject: what decides about them is being read anew. */
  pauseClients(done: Promise<void>): void {
    const paused = [...this.#connections];
    for (const connection of paused) connection.pauseReading(Pause.reload);
    void done.then(() => {
      for (const connection of paused) connection.resumeReading(Pause.reload);
    });
  }

  /** Publishes a message of the broker's own, below `$SYS` too. */
  publish(fields: PublishFields): void {
    this.beginTurn();
    publish(this, Message.made(fields, null, this.turnMs));
  }

  /** Offers a message to the other brokers. */
  offer(message: Message): void {
    const { topicName, payload, qos, retain } = message;
    // An alias belongs to the publisher's connection [5.0 §3.3.2.3.4].
    const { topicAlias: _, ...properties } = message.properties;
    this.mesh.publish({ topicName, payload, qos, retain, dup: false, packetId: 0, properties });
  }

  #receiveFromMesh(fields: PublishFields): void {
    this.beginTurn();
    const message = Message.made(fields, null, this.turnMs);
    this.ledger.beginObligation();
    distribute(this, message, this.router.route(message.topicName), false);
    this.ledger.endObligation();
  }

  /** Counts and tells that `message` does not reach `session`. */
  dropped(reason: DropReason, session: Session, message: Message): void {
    this.counters.dropped[reason]++;
    this.observer.dropped?.(reason, session, message);
  }

  #retainedExpired(message: Message): void {
    this.ledger.beginObligation();
    this.records.retainedDeleted(message);
    this.ledger.endObligation();
  }

  /** Notes the time. To be called when something comes in from outside. */
  beginTurn(): number {
    this.turnMs = this.clock.nowMs();
    return this.turnMs;
  }

  /** Has `connection` flushed at the end of the turn. */
  needsFlush(connection: Connection): void {
    this.#dirty.push(connection);
    if (!this.#isFlushRequested) this.#requestFlush();
  }

  /** Has the turn ended that something began which did not come from a connection. */
  wake(): void {
    this.#requestFlush();
  }

  /** Calls `run` at the end of the turn, before the flush. */
  later(run: () => void): void {
    this.#later.push(run);
    this.#requestFlush();
  }

  #requestFlush(): void {
    if (this.#isFlushRequested) return;
    this.#isFlushRequested = true;
    this.host.requestFlush();
  }

  /** Ends the turn: one write for each connection that has output, and the batch for the store when it is due. */
  flush(): void {
    this.beginTurn();
    this.#isFlushRequested = false;
    this.turnWork = 0;
    this.router.endTurn();
    const later = this.#later;
    if (later.length > 0) {
      this.#later = [];
      for (const run of later) run();
    }
    const dirty = this.#dirty;
    if (dirty.length > 0) {
      this.#dirty = [];
      for (let i = 0; i < dirty.length; i++) {
        const connection = dirty[i]!;
        connection.isDirty = false;
        connection.endTurn();
      }
    }
    this.ledger.tick(this.turnMs);
  }

  /** When `tick` is due at the latest, on the monotonic clock; Infinity when nothing waits. */
  deadlineMs(): number {
    return Math.min(this.deadlines.nextMs(), this.ledger.deadlineMs(), this.#sweepAtMs);
  }

  /** Does what is due. */
  tick(): void {
    const nowMs = this.beginTurn();
    this.deadlines.run(nowMs);
    this.ledger.tick(nowMs);
    if (nowMs < this.#sweepAtMs) return;
    this.records.observeClock();
    for (const connection of this.#connections) connection.tick(nowMs);
    this.#sweepAtMs = nowMs + this.#sweepPauseMs;
  }

  get #sweepPauseMs(): number {
    if (this.#connections.size > 0) return SWEEP_MS;
    return this.ledger.isRecording ? IDLE_SWEEP_MS : Number.POSITIVE_INFINITY;
  }

  /**
   * Ends all connections: 5.0 clients are told that the server shuts down. Resolves when the store has everything, or has not for
   * `storeTimeoutMs`, with the number of changes that it has not taken.
   */
  shutdown(): Promise<number> {
    this.beginTurn();
    for (const connection of [...this.#connections]) connection.close("server-shutting-down");
    this.sessions.shutDown();
    return new Promise((resolve) => {
      const deadline = this.deadlines.add(this.turnMs + this.options.storeTimeoutMs, () =>
        resolve(this.ledger.unwritten),
      );
      this.ledger.whenKept(() => {
        deadline.cancel();
        resolve(0);
      });
      this.#requestFlush();
    });
  }
}
