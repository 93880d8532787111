/**
 * A broker with publishers and subscribers that act at random, a store that is slow, fails and is cut off, and deaths of the broker
 * at chosen steps. Everything follows from the seed.
 */
import assert from "node:assert/strict";
import { ManualClock } from "../../src/core/index.ts";
import { MemoryStore } from "../../src/store/index.ts";
import { BrokerHarness } from "../support/broker-harness.ts";
import { FaultyStore } from "../support/faulty-store.ts";
import { Random } from "../support/random.ts";
import { textOf } from "../support/test-client.ts";
import { assertAllCame, assertOrder, MessageLedger, type SentMessage } from "./message-ledger.ts";
import { Publisher } from "./publisher.ts";
import { Subscriber } from "./subscriber.ts";
import { Testator } from "./testator.ts";
import type { WorldClient } from "./world-client.ts";

const FIRST_WALL_MS = 1_735_689_600_000;
/** One for each publisher and QoS, as there is no order between those: a repetition at QoS 1 may come after QoS 2. */
const RETAINED_TOPICS = ["r/p5/1", "r/p5/2", "r/p4/1", "r/p4/2"] as const;
/** The Subscription that comes and goes. */
const WANDERING = "w/#";

/** How a world is set up. */
export interface WorldOptions {
  readonly seed: number;
  readonly steps: number;
  /** Steps before which the broker is killed. */
  readonly crashes: readonly number[];
  /** Whether the store rejects appends now and then. */
  readonly hasFailures: boolean;
}

/** One run. */
export class World {
  readonly ledger: MessageLedger = new MessageLedger();
  /** Steps done, so the time by which clients note what came when. */
  step = 0;
  /** Deaths of the broker so far. */
  crashes = 0;
  harness: BrokerHarness;
  #store: FaultyStore = new FaultyStore(new MemoryStore());
  readonly #options: WorldOptions;
  readonly #random: Random;
  readonly #publishers: readonly Publisher[] = [
    new Publisher(this, "p5", { version: 5 }),
    new Publisher(this, "p4", { version: 4 }),
  ];
  readonly #two: Subscriber = new Subscriber(this, "two", { version: 5 }, ["t/#", 2], ["will/#", 2]);
  readonly #one: Subscriber = new Subscriber(this, "one", { version: 4 }, ["t/+", 1]);
  readonly #wanderer: Subscriber = new Subscriber(this, "wanderer", { version: 5 }, ["t/1", 2]);
  readonly #members: readonly Subscriber[] = ["m1", "m2"].map(
    (clientId) => new Subscriber(this, clientId, { version: 5 }, ["$share/durable/s/#", 2]),
  );
  readonly #mixed: readonly Subscriber[] = [true, false].map(
    (isDurable) => new Subscriber(this, `mixed ${isDurable}`, { version: 5, isDurable }, ["$share/mixed/s/#", 1]),
  );
  readonly #testator: Testator = new Testator(this, "testator", { version: 5 });
  readonly #subscribers: readonly Subscriber[] = [
    this.#two,
    this.#one,
    this.#wanderer,
    ...this.#members,
    ...this.#mixed,
  ];
  readonly #clients: readonly WorldClient[] = [...this.#publishers, ...this.#subscribers, this.#testator];

  constructor(options: WorldOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
    this.harness = this.#newHarness(FIRST_WALL_MS);
  }

  #newHarness(wallMs: number): BrokerHarness {
    const harness = new BrokerHarness({
      store: this.#store,
      clock: new ManualClock(wallMs),
      // Small, so that messages wait in Sessions and are left to the store.
      options: {
        maximumInflightMessages: 3,
        maximumQueueMemoryBytes: 1500,
        receiveMaximum: 10,
        connectTimeoutMs: Number.POSITIVE_INFINITY,
      },
    });
    harness.isHeld = true;
    return harness;
  }

  /** Runs it all and fails if anything was lost, doubled, out of order or left behind. */
  async run(): Promise<void> {
    await this.#begin();
    this.#store.isHeld = true;
    for (; this.step < this.#options.steps; this.step++) {
      if (this.#options.crashes.includes(this.step)) await this.#crash();
      await this.#act();
    }
    await this.#calmDown();
    this.#judge();
    await this.#end();
  }

  /** Everybody connects and subscribes, and all is kept. */
  async #begin(): Promise<void> {
    for (const client of this.#clients) client.connect();
    await this.#rest();
    for (const { spells } of this.#subscribers)
      for (const { subackAt } of spells) assert.notEqual(subackAt, Number.POSITIVE_INFINITY);
  }

  /** Until nobody has anything to do, with time for batches. */
  async #rest(): Promise<void> {
    for (let idle = 0; idle < 3; ) {
      this.harness.clock.advance(2);
      this.harness.broker.tick();
      this.harness.broker.flush();
      await microtasks();
      let isBusy = false;
      for (const client of this.#clients) while (client.turn()) isBusy = true;
      idle = isBusy ? 0 : idle + 1;
    }
  }

  async #act(): Promise<void> {
    const random = this.#random;
    const kind = random.below(100);
    if (kind < 25) this.#publish(random.pick(this.#publishers));
    else if (kind < 55) for (let i = 0; i < 4; i++) random.pick(this.#clients).turn();
    else if (kind < 65) this.harness.broker.flush();
    else if (kind < 75) this.#pass(random.pick([0, 1, 2, 3, 200, 2000]));
    else if (kind < 85) await this.#endAppend();
    else if (kind < 93) for (const subscriber of this.#subscribers) subscriber.answer(random.below(4));
    else if (kind < 96) this.#wander();
    else this.#comeOrGo(random.pick(this.#clients));
  }

  #publish(publisher: Publisher): void {
    const random = this.#random;
    if (!publisher.hasRoom) return;
    const qos = random.pick([0, 1, 1, 2, 2] as const);
    if (random.chance(0.15) && qos > 0) publisher.publish(`r/${publisher.clientId}/${qos}`, qos, true);
    else publisher.publish(random.pick(["t/0", "t/1", "s/0", "w/0"]), qos, false);
  }

  #pass(ms: number): void {
    this.harness.clock.advance(ms);
    this.harness.broker.tick();
    this.harness.broker.flush();
  }

  async #endAppend(): Promise<void> {
    if (this.#store.pending === null) return;
    const random = this.#random;
    const isFailing = this.#options.hasFailures && random.chance(0.3);
    this.#store.end(isFailing ? random.pick(["rejected", "rejected but kept"]) : "kept");
    await microtasks();
  }

  /** A Subscription comes or goes, or what has not been answered is asked for again. */
  #wander(): void {
    const wanderer = this.#wanderer;
    if (!wanderer.isConnected) return;
    const spell = wanderer.spells.at(-1)!;
    const isInForce = spell.topicFilter === WANDERING && spell.subackAt < Number.POSITIVE_INFINITY;
    if (isInForce && spell.unsubackAt === Number.POSITIVE_INFINITY) wanderer.unsubscribe(spell);
    else wanderer.subscribe(WANDERING, 2);
  }

  #comeOrGo(client: WorldClient): void {
    if (client.isAway) client.connect();
    else if (this.#random.chance(0.25)) client.drop();
    else if (this.#random.chance(0.1)) client.disconnect();
  }

  async #crash(): Promise<void> {
    const random = this.#random;
    // Bytes that have left the broker may still arrive.
    for (const client of this.#clients) if (random.chance(0.5)) client.turn();
    await microtasks();
    this.#checkStore();
    this.#store = this.#store.crash(random.chance(0.5));
    this.#store.isHeld = true;
    this.harness = this.#newHarness(this.harness.clock.wallMs() + random.pick([0, 0, 1000]));
    this.crashes++;
    for (const client of this.#clients) client.lost();
    await this.harness.broker.restore();
  }

  /** Nothing bad happens any more, until everybody has what he waits for. */
  async #calmDown(): Promise<void> {
    this.#store.isHeld = false;
    if (this.#store.pending !== null) this.#store.end("kept");
    for (const subscriber of this.#subscribers) subscriber.isQuick = true;
    for (let seconds = 0; seconds < 12; seconds++) {
      // Who has made a will and is away stays away.
      for (const client of this.#clients) if (client.isAway && client !== this.#testator) client.connect();
      for (const subscriber of this.#subscribers) subscriber.answer(Number.POSITIVE_INFINITY);
      this.#pass(1000);
      await this.#rest();
    }
    this.#checkStore();
    for (const publisher of this.#publishers) assert.ok(publisher.isDone, `${publisher.clientId} waits for ever`);
    for (const subscriber of this.#subscribers) assert.equal(subscriber.hasAnswers, false);
  }

  #judge(): void {
    const { ledger } = this;
    const below = (level: string) => (message: SentMessage) => message.topicName.startsWith(level);
    assertAllCame(ledger.acknowledged(below("t/")), 2, [this.#two.received]);
    assertAllCame(ledger.acknowledged(below("t/")), 1, [this.#one.received]);
    assertAllCame(ledger.acknowledged(below("t/1")), 2, [this.#wanderer.received]);
    assertAllCame(
      ledger.acknowledged(below("s/")),
      2,
      this.#members.map(({ received }) => received),
    );
    assertAllCame(
      ledger.acknowledged(below("s/")),
      1,
      this.#mixed.map(({ received }) => received),
    );
    // A Subscription that comes and goes may not have been there when a message was sent first, and be there when it is sent again;
    // and one that was refused, though its client did not hear of it, comes again after those that were taken later.
    const isOrdered = (message: SentMessage): boolean =>
      below("t/")(message) && (message.publisher === "p4" || !this.#options.hasFailures);
    for (const { received } of [this.#two, this.#one, this.#wanderer]) assertOrder(ledger, received, isOrdered);
    for (const { payload, qos } of ledger.refused(below("t/")))
      if (qos === 2) assert.equal(this.#two.received.count(payload), 0, `${payload} was refused and came`);
    this.#testator.judge(this.#two.received);
    this.#judgeWandering(ledger.acknowledged(below("w/")));
  }

  /** What was published while a Subscription was in force without doubt came, and nothing while it was not. */
  #judgeWandering(messages: readonly SentMessage[]): void {
    const { received, spells } = this.#wanderer;
    const wandering = spells.filter(({ topicFilter }) => topicFilter === WANDERING);
    for (const [i, { subackAt, unsubscribeAt, unsubackAt }] of wandering.entries()) {
      const during = messages.filter(
        ({ sentAt, acknowledgedAt }) => sentAt > subackAt && acknowledgedAt < unsubscribeAt,
      );
      assertAllCame(during, 2, [received]);
      const nextAt = wandering[i + 1]?.subscribeAt ?? Number.POSITIVE_INFINITY;
      for (const { sentAt, acknowledgedAt, payload } of messages) {
        if (sentAt > unsubackAt && acknowledgedAt < nextAt) assert.equal(received.count(payload), 0, payload);
      }
    }
  }

  /** Retained messages are the last ones, and when they and all Sessions are gone nothing is left. */
  async #end(): Promise<void> {
    const { harness } = this;
    harness.isHeld = false;
    const watcher = harness.connect("watcher");
    watcher.subscribe("r/#");
    const retained = new Map(watcher.publishes().map(({ topicName, payload }) => [topicName, textOf(payload)]));
    for (const topicName of RETAINED_TOPICS) this.#judgeRetained(topicName, retained.get(topicName));
    for (const topicName of RETAINED_TOPICS) watcher.publish(topicName, "", { retain: true });
    for (const client of this.#clients) {
      client.drop();
      const last = harness.open();
      last.connect(client.clientId, { cleanStart: true });
      await this.#rest();
      last.disconnect();
    }
    watcher.disconnect();
    await this.#rest();
    this.#checkStore();
    const { sessions, ledger, queueMemoryBytes } = harness.broker;
    assert.deepEqual(this.#store.holdings(), []);
    assert.deepEqual([sessions.count, ledger.outstanding, queueMemoryBytes], [0, 0, 0]);
  }

  #judgeRetained(topicName: string, payload: string | undefined): void {
    const last = this.ledger.acknowledged((message) => message.topicName === topicName).at(-1);
    const number = payload === undefined ? -1 : this.ledger.get(payload).number;
    assert.ok(number >= (last?.number ?? -1), `${topicName} retains ${payload}, and ${last?.payload} was acknowledged`);
  }

  #checkStore(): void {
    assert.deepEqual(this.#store.breaches, []);
  }
}

/** Lets promises that are ready get their turn. */
function microtasks(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
