/**
 * A broker without sockets and without waiting: its clock moves by hand, its links are in memory, and the end of each turn comes
 * when `settle` is called, as a host would call it. Every step of a `TestClient` settles by itself unless `isHeld` is set.
 */
import assert from "node:assert/strict";
import {
  ANONYMOUS,
  type Authenticator,
  Broker,
  type BrokerOptions,
  DEFAULT_ENTRANCE,
  DEFAULT_OPTIONS,
  type Entrance,
  ManualClock,
  type Mesh,
  NO_STORE,
  type Observer,
  type Store,
} from "../../src/core/index.ts";
import type { Version } from "../../src/protocol/index.ts";
import { type ConnectOptions, TestClient } from "./test-client.ts";

/** What may be put in place of the defaults. */
export interface HarnessParts {
  readonly options?: Partial<BrokerOptions>;
  /** The way in that `open` and `connect` take. */
  readonly entrance?: Partial<Entrance>;
  readonly store?: Store;
  readonly authenticator?: Authenticator;
  readonly observer?: Observer;
  readonly mesh?: Mesh;
  /** Pass the clock of an earlier harness to let a broker restart in the same time. */
  readonly clock?: ManualClock;
}

/** Wall time at which a new harness begins: 2025-01-01 UTC. */
const FIRST_WALL_MS = 1_735_689_600_000;
/** Turns after which a broker that still asks for another one is taken for a runaway. */
const MOST_TURNS = 100_000;
/** What fresh and given-back buffers hold, so that whoever reads them without right is found out. */
const POISON = 0xee;

/** One broker and its clients. */
export class BrokerHarness {
  readonly broker: Broker;
  readonly clock: ManualClock;
  readonly authenticator: Authenticator;
  readonly entrance: Entrance;
  readonly clients: TestClient[] = [];
  /** While true nothing settles by itself, so that several packets share one turn. */
  isHeld = false;
  #isFlushRequested = false;
  #ids = 0;

  constructor(parts: HarnessParts = {}) {
    this.clock = parts.clock ?? new ManualClock(FIRST_WALL_MS);
    this.authenticator = parts.authenticator ?? ANONYMOUS;
    this.entrance = { ...DEFAULT_ENTRANCE, ...parts.entrance };
    this.broker = new Broker({
      options: { ...DEFAULT_OPTIONS, ...parts.options },
      store: parts.store ?? NO_STORE,
      clock: this.clock,
      host: {
        requestFlush: () => {
          this.#isFlushRequested = true;
        },
        randomId: () => `random-${++this.#ids}`,
        allocate: (bytes) => new Uint8Array(bytes).fill(POISON),
      },
      ...(parts.mesh !== undefined && { mesh: parts.mesh }),
      ...(parts.observer !== undefined && { observer: parts.observer }),
    });
  }

  /** A connection on which nothing has been sent yet. */
  open(version: Version = 5, entrance: Entrance = this.entrance): TestClient {
    const client = new TestClient(this, version);
    this.clients.push(client);
    client.attach(this.broker.accept(client.link, this.authenticator, entrance));
    this.settleUnlessHeld();
    return client;
  }

  /** A client with an accepted CONNECT; its CONNACK is in `connack`. */
  connect(clientId: string, options: ConnectOptions = {}): TestClient {
    const client = this.open(options.version ?? 5);
    client.connect(clientId, options);
    assert.equal(client.connack?.reasonCode, 0, `${clientId} was not let in`);
    return client;
  }

  /** Ends the turn as long as anybody has something to do: flushes, hands bytes over both ways, closes what is to be closed. */
  settle(): void {
    for (let turns = 0; turns < MOST_TURNS; turns++) {
      let isBusy = false;
      for (let i = 0; i < this.clients.length; i++) if (this.clients[i]!.turn()) isBusy = true;
      if (this.#isFlushRequested) {
        this.#isFlushRequested = false;
        this.broker.flush();
        isBusy = true;
      }
      if (!isBusy) return;
    }
    throw new Error(`no rest after ${MOST_TURNS} turns`);
  }

  settleUnlessHeld(): void {
    if (!this.isHeld) this.settle();
  }

  /** Lets `ms` milliseconds pass; whatever is due in between happens at its own time. */
  advance(ms: number): void {
    const endMs = this.clock.nowMs() + ms;
    this.settle();
    for (let due = this.broker.deadlineMs(); due <= endMs; due = this.broker.deadlineMs()) {
      this.clock.advance(Math.max(0, due - this.clock.nowMs()));
      this.broker.tick();
      this.settle();
      assert.ok(this.broker.deadlineMs() > this.clock.nowMs(), "a deadline was met and does not go away");
    }
    this.clock.advance(endMs - this.clock.nowMs());
    this.settle();
  }

  /** As `advance`; before and after it, promises of a store or an authenticator that are ready get their turn. */
  async rest(ms: number = 0): Promise<void> {
    await this.#promises();
    this.advance(ms);
    await this.#promises();
  }

  async #promises(): Promise<void> {
    this.settle();
    await new Promise((resolve) => setImmediate(resolve));
    this.settle();
  }

  /** Buffers whose bytes have left: poisoned before they are used again. */
  recycle(client: TestClient, spent: readonly Uint8Array[]): void {
    for (const buffer of spent) buffer.fill(POISON);
    client.connection.recycle(spent);
  }
}
