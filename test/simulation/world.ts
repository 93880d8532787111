/** A broker, some clients, the networks between them and one clock; everything that happens comes from a seed. */
import assert from "node:assert/strict";
import type { Connection } from "../../src/core/index.ts";
import type { Qos, Version } from "../../src/protocol/index.ts";
import { BrokerHarness } from "../support/broker-harness.ts";
import { Random } from "../support/random.ts";
import { SimulatedClient } from "./simulated-client.ts";
import type { SimulatedLink } from "./simulated-link.ts";
import { Timeline } from "./timeline.ts";

/** How much goes wrong. */
export interface Conditions {
  /** Networks that stall or are cut. */
  readonly networkFaults: number;
  /** Clients that die and start again from what they had saved. */
  readonly restarts: number;
}

/** How long things go wrong and messages are published, in milliseconds. */
const BUSY_MS = 20_000;

/** Longest time for everything to come to rest, in milliseconds. */
const LONGEST_REST_MS = 600_000;

const BURSTS_PER_CLIENT = 5;
const LARGEST_BURST = 4;
const TOPICS = ["t/a", "t/b"];
const CLIENTS = 3;

/** One message as the check sees it. */
export interface Sent {
  readonly text: string;
  /** Publisher, topic and QoS: within these the order is kept. */
  readonly stream: string;
  readonly qos: Qos;
}

/** The world of one seed. */
export class World {
  readonly timeline: Timeline = new Timeline();
  readonly clients: readonly SimulatedClient[];
  /** In the order of publishing. */
  readonly sent: Sent[] = [];
  readonly #harness: BrokerHarness;
  readonly #random: Random;

  constructor(seed: number, conditions: Conditions) {
    this.#random = new Random(seed);
    const pick = (bound: number): number => 1 + this.#random.below(bound);
    this.#harness = new BrokerHarness({ options: { receiveMaximum: pick(20), maximumInflightMessages: pick(20) } });
    this.clients = Array.from({ length: CLIENTS }, (_, index) => {
      return new SimulatedClient(this, this.#random, {
        clientId: `client-${index}`,
        version: this.#random.pick<Version>([3, 4, 5]),
        receiveMaximum: pick(5),
        maximumInflightMessages: pick(20),
        topicAliases: this.#random.below(3),
        topicFilter: "t/+",
      });
    });
    for (const client of this.clients) client.connect();
    this.#runUntil(() => this.clients.every((client) => client.isSubscribed), "subscribed");
    this.#plan(conditions);
  }

  /** The broker takes a connection. */
  accept(link: SimulatedLink): Connection {
    return this.#harness.broker.accept(link, this.#harness.authenticator);
  }

  #plan({ networkFaults, restarts }: Conditions): void {
    const sometime = (run: () => void): void => this.timeline.after(this.#random.below(BUSY_MS), run);
    for (const client of this.clients) {
      for (let i = 0; i < BURSTS_PER_CLIENT; i++) {
        sometime(() => {
          for (let n = 1 + this.#random.below(LARGEST_BURST); n > 0; n--) this.publish(client);
        });
      }
    }
    for (let i = 0; i < networkFaults; i++) sometime(() => this.#random.pick(this.clients).suffer());
    for (let i = 0; i < restarts; i++) sometime(() => this.#random.pick(this.clients).restart());
  }

  /** Has `client` publish a message that is like no other. */
  publish(client: SimulatedClient): void {
    const topicName = this.#random.pick(TOPICS);
    const qos = this.#random.pick<Qos>([1, 2]);
    const stream = `${client.traits.clientId} ${topicName} q${qos}`;
    const text = `${stream} #${this.sent.length}`;
    this.sent.push({ text, stream, qos });
    client.publish(topicName, qos, text);
  }

  /** Lets everything happen, and then come to rest. */
  run(): void {
    const endMs = this.timeline.nowMs + BUSY_MS;
    this.#runUntil(() => this.timeline.nowMs >= endMs, "over");
    this.#runUntil(() => this.clients.every((client) => client.isAtRest && this.#hasAll(client)), "at rest");
    // Whatever is sent twice now would come too late to be seen.
    const lateMs = this.timeline.nowMs + 20_000;
    this.#runUntil(() => this.timeline.nowMs >= lateMs, "over");
  }

  #hasAll(client: SimulatedClient): boolean {
    return client.received.length >= this.sent.length && new Set(client.received).size >= this.sent.length;
  }

  #runUntil(isReached: () => boolean, what: string): void {
    const limitMs = this.timeline.nowMs + LONGEST_REST_MS;
    while (!isReached()) {
      const missing = (): string =>
        this.clients.map((client) => `${client.received.length}/${this.sent.length}`).join(" ");
      assert.ok(this.timeline.nowMs < limitMs, `not ${what} after ${LONGEST_REST_MS / 1000} s; received ${missing()}`);
      this.#step();
    }
  }

  #step(): void {
    const { timeline } = this;
    const harness = this.#harness;
    const deadlines = this.clients.map((client) => client.deadlineMs);
    const nextMs = Math.max(Math.min(timeline.nextMs, ...deadlines, timeline.nowMs + 1000), timeline.nowMs);
    harness.advance(nextMs - timeline.nowMs);
    timeline.nowMs = nextMs;
    timeline.runDue();
    for (const client of this.clients) if (client.deadlineMs <= nextMs) client.tick(nextMs);
    harness.settle();
  }
}
