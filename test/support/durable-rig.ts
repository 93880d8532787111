/** A broker on a faulty store, and clients with Sessions that outlive their connections. */
import assert from "node:assert/strict";
import { type BrokerOptions, ManualClock } from "../../src/core/index.ts";
import { MemoryStore } from "../../src/store/index.ts";
import { BrokerHarness, type HarnessParts } from "./broker-harness.ts";
import { FaultyStore, type Outcome } from "./faulty-store.ts";
import type { ConnectOptions, TestClient } from "./test-client.ts";

/** How long a batch waits for more facts. */
export const BATCH_MS = 2;
/** How long facts wait that a receiver may discharge, or that nobody waits for. */
export const PATIENT_MS = 10;

/** A broker that can be killed and started again on what its store kept. */
export class DurableRig {
  store: FaultyStore = new FaultyStore(new MemoryStore());
  harness: BrokerHarness;
  /** Sessions that the present broker had before any client could connect. */
  restoredSessions = 0;
  readonly #options: Partial<BrokerOptions>;

  constructor(parts: HarnessParts = {}) {
    this.#options = parts.options ?? {};
    this.harness = new BrokerHarness({ ...parts, store: this.store });
  }

  /** Connects a client whose Session is kept for an hour, unless `options` say otherwise, and waits for its CONNACK. */
  async durable(clientId: string, options: ConnectOptions = {}): Promise<TestClient> {
    const client = this.connecting(clientId, options);
    await this.harness.rest(BATCH_MS);
    assert.equal(client.expect("CONNACK").reasonCode, 0);
    return client;
  }

  /** As `durable`, without waiting. */
  connecting(clientId: string, options: ConnectOptions = {}): TestClient {
    const { version = 5 } = options;
    const properties = version === 5 ? { sessionExpirySeconds: 3600 } : {};
    const client = this.harness.open(version);
    client.connect(clientId, { cleanStart: false, ...options, properties: { ...properties, ...options.properties } });
    return client;
  }

  /** Subscribes and waits for the SUBACK. */
  async subscribe(client: TestClient, topicFilter: string, qos: 0 | 1 | 2 = 2): Promise<void> {
    client.sendSubscribe(topicFilter, { qos });
    await this.harness.rest(BATCH_MS);
    assert.deepEqual(client.expect("SUBACK").reasonCodes, [qos]);
  }

  /** From now on the store ends no append. */
  hang(): void {
    this.store.isHeld = true;
  }

  /** Has the batch that is due handed over and ends its append. */
  async end(outcome: Outcome = "kept"): Promise<void> {
    await this.harness.rest(BATCH_MS);
    this.store.end(outcome);
    await this.harness.rest();
    this.checkStore();
  }

  /** Lets time pass, and then batch follow batch. */
  async calm(ms: number = 0): Promise<void> {
    await this.harness.rest(ms);
    for (let i = 0; i < 4; i++) await this.harness.rest(PATIENT_MS);
  }

  /** Lets the store work again and waits until it has everything. */
  async recover(): Promise<void> {
    this.store.isHeld = false;
    this.store.outcome = "kept";
    if (this.store.pending !== null) this.store.end();
    await this.calm();
    this.checkStore();
  }

  /** Kills the broker and starts another one, on what the store kept and with a monotonic clock of its own, as on another day. */
  async restart({
    isPendingKept = false,
    downMs = 0,
  }: {
    isPendingKept?: boolean;
    downMs?: number;
  } = {}): Promise<void> {
    this.checkStore();
    this.store = this.store.crash(isPendingKept);
    const clock = new ManualClock(this.harness.clock.wallMs() + downMs);
    this.harness = new BrokerHarness({ options: this.#options, store: this.store, clock });
    await this.harness.broker.restore();
    this.restoredSessions = this.harness.broker.sessions.count;
    await this.calm();
  }

  /** Sets the wall clock as an operator does. */
  jump(ms: number): void {
    const { clock } = this.harness;
    clock.setWall(clock.wallMs() + ms);
  }

  /** Fails when the core has misused the store. */
  checkStore(): void {
    assert.deepEqual(this.store.breaches, []);
  }
}
