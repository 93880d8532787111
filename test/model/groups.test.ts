/**
 * Random histories with shared subscriptions. Which member gets a message is the broker's choice, so what is checked is what holds
 * whatever it chooses: nothing gets lost while somebody could have it, and nothing comes twice unless a member went in between.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { BrokerOptions } from "../../src/core/index.ts";
import type { Qos } from "../../src/protocol/index.ts";
import { BrokerHarness } from "../support/broker-harness.ts";
import { Random } from "../support/random.ts";
import { type TestClient, textOf } from "../support/test-client.ts";
import { PromptHarness, PromptStore } from "./prompt-store.ts";

const HISTORIES = 1000;
const STEPS = 60;
const CLIENTS = ["one", "two", "three", "four"];
/** Groups by Subscription Identifier. */
const GROUPS = ["", "$share/g/t", "$share/h/+"] as const;

/** One message on its way through one group. */
interface Passage {
  readonly payload: string;
  readonly group: number;
  readonly qos: Qos;
  /** Clients that have received it, and at which QoS; each once however often it was sent to them again. */
  readonly receivers: Map<string, Qos>;
  /** Whether there was a moment at which nobody could have it, or at which whoever had it might have been the last. */
  mayBeLost: boolean;
  /** Whether the group had a member whose Session is stored when it was published. */
  readonly isStored: boolean;
  /** How many members went that had it at QoS 1 and may not have acknowledged it. */
  returned: number;
}

/** Where queues are: in memory only; in memory and in a store; in a store but for their first deliveries. */
type Memory = "only" | "ample" | "scarce";

class Play {
  readonly #isStored: boolean;
  readonly #store: PromptStore = new PromptStore();
  #harness: BrokerHarness;
  #publisher: TestClient;
  readonly #online: Map<string, TestClient> = new Map();
  /** Sessions with their groups, and whether they outlive their connection. */
  readonly #sessions: Map<string, { groups: Map<number, Qos>; isDurable: boolean }> = new Map();
  readonly #passages: Passage[] = [];
  readonly #unacknowledged: Map<TestClient, { packetId: number; qos: Qos }[]> = new Map();
  readonly #random: Random;
  readonly #options: Partial<BrokerOptions>;

  constructor(random: Random, memory: Memory) {
    this.#random = random;
    this.#isStored = memory !== "only";
    this.#options = memory === "scarce" ? { maximumQueueMemoryBytes: 1 } : {};
    this.#harness = this.#isStored
      ? new PromptHarness({ store: this.#store, options: this.#options })
      : new BrokerHarness();
    this.#publisher = this.#harness.connect("publisher");
  }

  async run(): Promise<void> {
    for (let step = 0; step < STEPS; step++) {
      if (this.#isStored && this.#random.chance(0.04)) await this.#restart();
      else await this.#step(step);
      await this.#rest();
    }
    await this.#finish();
    for (const passage of this.#passages) this.#check(passage);
  }

  /** Lets everybody have what waits: those who are away come back, and all acknowledge everything. */
  async #finish(): Promise<void> {
    for (const id of this.#sessions.keys()) if (!this.#online.has(id)) await this.#connect(id, true, false, 20);
    for (const client of this.#online.values()) client.acknowledges = true;
    await this.#rest();
    for (const client of this.#online.values()) while (this.#acknowledge(client)) await this.#rest();
  }

  /** Lets queues be read back from the store, and notes what everybody has received. */
  async #rest(): Promise<void> {
    if (this.#isStored) await this.#harness.rest();
    this.#look();
  }

  async #step(step: number): Promise<void> {
    const random = this.#random;
    const id = random.pick(CLIENTS);
    const client = this.#online.get(id);
    const kind = random.below(20);
    if (kind < 8) this.#publish(`m${step}`, random.pick([0, 1, 1, 2]));
    else if (kind < 11) await this.#connect(id, random.chance(0.7), random.chance(0.6), random.pick([1, 2, 20]));
    else if (client === undefined) return;
    else if (kind < 13) this.#gone(id);
    else if (kind < 17) this.#subscribe(id, client, random.pick([1, 2]), random.pick([0, 1, 2, 2]));
    else if (kind < 18) this.#unsubscribe(id, client, random.pick([1, 2]));
    else this.#acknowledge(client);
  }

  /** The broker ends as by a loss of power, and is back with what it stored. */
  async #restart(): Promise<void> {
    for (const passage of this.#passages) {
      if (!passage.isStored) passage.mayBeLost = true;
      // Whoever had it and had not acknowledged it is no longer known, unless its Session is.
      for (const [id, client] of this.#online)
        if (passage.receivers.has(id) && !client.acknowledges) passage.returned++;
    }
    this.#online.clear();
    for (const [id, { isDurable }] of this.#sessions) if (!isDurable) this.#sessions.delete(id);
    this.#excuse();
    this.#harness = new PromptHarness({ store: this.#store, options: this.#options, clock: this.#harness.clock });
    await this.#harness.broker.restore();
    this.#harness.settle();
    this.#publisher = this.#harness.connect("publisher");
  }

  #publish(payload: string, qos: Qos): void {
    for (const group of [1, 2]) {
      const members = [...this.#sessions.values()].filter(({ groups }) => groups.has(group));
      if (members.length === 0) continue;
      const mayBeLost = !this.#couldHave(group, qos);
      const isStored = qos > 0 && members.some(({ isDurable }) => isDurable);
      this.#passages.push({ payload, group, qos, receivers: new Map(), mayBeLost, isStored, returned: 0 });
    }
    this.#publisher.publish("t", payload, { qos });
    this.#publisher.trace();
  }

  /** Whether anybody could have a message of `qos` by `group` now. */
  #couldHave(group: number, qos: Qos): boolean {
    return [...this.#sessions].some(([id, { groups, isDurable }]) => {
      const granted = groups.get(group);
      return granted !== undefined && (this.#online.has(id) || (isDurable && granted > 0 && qos > 0));
    });
  }

  async #connect(id: string, isDurable: boolean, isManual: boolean, receiveMaximum: number): Promise<void> {
    if (this.#online.has(id)) this.#gone(id);
    const properties = { receiveMaximum, sessionExpirySeconds: isDurable ? 1000 : 0 };
    const client = this.#harness.open();
    client.connect(id, { cleanStart: false, properties, acknowledges: !isManual });
    // What an earlier Session of it held for others, they are given first.
    if (this.#isStored) await this.#harness.rest();
    const { reasonCode } = client.connack ?? client.expect("CONNACK");
    assert.equal(reasonCode, 0, `${id} was not let in`);
    this.#sessions.set(id, { groups: this.#sessions.get(id)?.groups ?? new Map(), isDurable });
    this.#online.set(id, client);
  }

  #gone(id: string): void {
    const client = this.#online.get(id)!;
    this.#look();
    for (const passage of this.#passages)
      if (passage.receivers.get(id) === 1 && !client.acknowledges) passage.returned++;
    this.#online.delete(id);
    if (!this.#sessions.get(id)!.isDurable) this.#sessions.delete(id);
    this.#excuse();
    client.drop();
  }

  #subscribe(id: string, client: TestClient, group: number, qos: Qos): void {
    this.#sessions.get(id)!.groups.set(group, qos);
    this.#excuse();
    client.subscribe(GROUPS[group]!, { qos, id: group });
  }

  #unsubscribe(id: string, client: TestClient, group: number): void {
    this.#sessions.get(id)!.groups.delete(group);
    this.#excuse();
    client.unsubscribe(GROUPS[group]!);
  }

  /** Messages that nobody can have now may be lost when the one who has them goes. */
  #excuse(): void {
    for (const passage of this.#passages) if (!this.#couldHave(passage.group, passage.qos)) passage.mayBeLost = true;
  }

  /** The client acknowledges the first message that it has received and not acknowledged; false when there is none. */
  #acknowledge(client: TestClient): boolean {
    const first = this.#unacknowledged.get(client)?.shift();
    if (first === undefined) return false;
    client.acknowledge(first.qos === 1 ? "PUBACK" : "PUBREC", first.packetId);
    if (first.qos === 2 && !client.acknowledges) client.acknowledge("PUBCOMP", first.packetId);
    return true;
  }

  /** Notes what everybody has received. */
  #look(): void {
    for (const [id, client] of this.#online) {
      for (const { payload, properties, qos, packetId } of client.publishes()) {
        const [group] = properties.subscriptionIdentifiers ?? [];
        const passage = this.#passages.find((other) => other.payload === textOf(payload) && other.group === group);
        assert.ok(
          passage !== undefined,
          `${id} got ${textOf(payload)} by group ${group}, which nobody published to it`,
        );
        passage.receivers.set(id, qos);
        if (client.acknowledges || qos === 0) continue;
        const unacknowledged = this.#unacknowledged.get(client) ?? [];
        this.#unacknowledged.set(client, unacknowledged);
        unacknowledged.push({ packetId, qos });
      }
    }
  }

  #check({ payload, group, qos, receivers, mayBeLost, returned }: Passage): void {
    const got = `${payload} at QoS ${qos} by group ${group} came to ${[...receivers.keys()].join(", ") || "nobody"}`;
    assert.ok(receivers.size > 0 || mayBeLost, got);
    assert.ok(receivers.size <= 1 + (qos === 0 ? 0 : returned), got);
  }
}

const KINDS: Readonly<Record<Memory, string>> = {
  only: "",
  ample: "over restarts ",
  scarce: "over restarts with little memory ",
};

for (const [memory, kind] of Object.entries(KINDS) as [Memory, string][])
  test(`${HISTORIES} random histories of shared subscriptions ${kind}lose nothing and double nothing`, () =>
    playAll(memory));

async function playAll(memory: Memory): Promise<void> {
  const only = process.env.LACEWING_SEED;
  const first = only === undefined ? 1 : Number(only);
  const last = only === undefined ? HISTORIES : first;
  for (let seed = first; seed <= last; seed++) {
    try {
      await new Play(new Random(seed), memory).run();
    } catch (error) {
      assert.fail(`LACEWING_SEED=${seed}: ${(error as Error).message}`);
    }
  }
}
