/** 100,000 mutated packets through in-memory connections: nothing throws, what the broker says stays legal, others are served. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Connection, Link } from "../../src/core/index.ts";
import {
  decodePacket,
  encodePacket,
  Framer,
  isFault,
  NO_PROPERTIES,
  type Packet,
  type Properties,
  publishOf,
  type Qos,
  type Taken,
  type Version,
} from "../../src/protocol/index.ts";
import { BrokerHarness } from "../support/broker-harness.ts";
import { mutated } from "../support/mutated.ts";
import { Random } from "../support/random.ts";
import { bytesOf, connectOf, type TestClient } from "../support/test-client.ts";

const BATCHES = 20;
const PACKETS_PER_BATCH = 5000;
/** Packets after which a client that knows how to behave must be served. */
const CANARY_EVERY = 100;
const LONGEST_LIFE = 12;

const SOME_PROPERTIES: Properties = {
  messageExpirySeconds: 5,
  contentType: "c",
  responseTopic: "r/t",
  correlationData: bytesOf("d"),
  userProperties: [["k", "v"]],
};

/** Legal packets of a client, the seeds of the mutations. */
function legalPackets(version: Version): Uint8Array[] {
  const is5 = version === 5;
  const none = NO_PROPERTIES;
  const options = { noLocal: is5, retainAsPublished: is5, retainHandling: is5 ? 1 : 0 } as const;
  const publishes = ([0, 1, 2] as const).flatMap((qos) => [
    publish("a/b", qos, none),
    publish("a/ä/c", qos, is5 ? { ...SOME_PROPERTIES, topicAlias: 3 } : none, true),
  ]);
  const filters = ["a/+", "#", ...(is5 ? [] : ["$share/g/a/#"])];
  const packets: Packet[] = [
    ...publishes,
    ...(["PUBACK", "PUBREC", "PUBREL", "PUBCOMP"] as const).map((type) => ({
      type,
      packetId: 7,
      reasonCode: 0,
      properties: is5 ? { reasonString: "because" } : none,
    })),
    {
      type: "SUBSCRIBE",
      packetId: 9,
      subscriptions: filters.map((topicFilter) => ({ topicFilter, qos: 1, ...options })),
      properties: is5 ? { subscriptionIdentifiers: [300] } : none,
    },
    { type: "UNSUBSCRIBE", packetId: 10, topicFilters: ["a/+", "b"], properties: none },
    { type: "PINGREQ" },
    { type: "DISCONNECT", reasonCode: is5 ? 4 : 0, properties: is5 ? { sessionExpirySeconds: 3 } : none },
    ...(is5
      ? [{ type: "AUTH", reasonCode: 0x19, properties: { authenticationMethod: "m" } } as const satisfies Packet]
      : []),
    ...connects(version),
  ];
  return packets.map((packet) => encodePacket(packet, version));
}

function publish(topicName: string, qos: Qos, properties: Properties, retain: boolean = false): Packet {
  return publishOf({
    topicName,
    payload: bytesOf("payload"),
    qos,
    retain,
    dup: false,
    packetId: qos === 0 ? 0 : 5,
    properties,
  });
}

function connects(version: Version): Packet[] {
  const properties = { sessionExpirySeconds: 60, receiveMaximum: 3, topicAliasMaximum: 4, maximumPacketSize: 300 };
  return [
    connectOf(version, "mutant"),
    connectOf(version, "mutant", {
      cleanStart: false,
      keepAliveSeconds: 30,
      username: "u",
      password: "p",
      will: { topicName: "w", qos: 1, retain: true, ...(version === 5 && { properties: { willDelaySeconds: 1 } }) },
      ...(version === 5 && { properties }),
    }),
  ];
}

const CORPUS = { 3: legalPackets(3), 4: legalPackets(4), 5: legalPackets(5) };
const CONNECTS = {
  3: connects(3).map((packet) => encodePacket(packet, 3)),
  4: connects(4).map((packet) => encodePacket(packet, 4)),
  5: connects(5).map((packet) => encodePacket(packet, 5)),
};

/** The first six of each corpus: what may be sent at any time. */
const PUBLISHES = { 3: CORPUS[3].slice(0, 6), 4: CORPUS[4].slice(0, 6), 5: CORPUS[5].slice(0, 6) };

/** A connection whose peer sends anything. */
class Mutant implements Link {
  readonly remoteAddress = "127.0.0.1:6666";
  readonly connection: Connection;
  isClosed = false;
  readonly #framer: Framer = new Framer(Number.POSITIVE_INFINITY);

  constructor(harness: BrokerHarness) {
    this.connection = harness.broker.accept(this, harness.authenticator);
  }

  write({ segments, spent }: Taken): number {
    for (const segment of segments) this.#framer.push(segment.slice());
    if (spent !== null) this.connection.recycle(spent);
    return 0;
  }

  close(): void {
    this.isClosed = true;
  }

  pause(): void {}
  resume(): void {}

  /** Throws when the broker has said something that no broker may say. */
  check(): void {
    for (let framed = this.#framer.next(); framed !== "more"; framed = this.#framer.next()) {
      assert.equal(framed, "packet");
      const { bytes, start, end } = this.#framer;
      const packet = decodePacket(bytes, start, end, this.connection.version, "server");
      assert.ok(!isFault(packet), `the broker said ${Buffer.from(bytes.subarray(start, end)).toString("hex")}`);
    }
  }
}

class Batch {
  readonly #harness: BrokerHarness = new BrokerHarness();
  readonly #random: Random;
  readonly #canary: TestClient;
  #mutant: Mutant | null = null;
  #life = 0;
  #version: Version = 5;

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.#canary = this.#harness.connect("canary", { version: 4 });
    this.#canary.subscribe("canary/+");
  }

  run(): void {
    for (let i = 1; i <= PACKETS_PER_BATCH; i++) {
      this.#sendOne();
      if (i % CANARY_EVERY !== 0) continue;
      this.#canary.publish("canary/sings", String(i), { qos: 2 });
      assert.deepEqual(this.#canary.payloads(), [String(i)], "the canary was not served");
      this.#harness.advance(1000);
    }
    this.#mutant?.connection.closed(true);
    this.#harness.settle();
    const { connections, connectedClients } = this.#harness.broker;
    assert.deepEqual([connections.size, connectedClients, this.#canary.isClosed], [1, 1, false]);
  }

  #sendOne(): void {
    const random = this.#random;
    const mutant = this.#mutant ?? this.#newMutant();
    const corpus = CORPUS[this.#version];
    const bytes = mutated(random.pick(corpus), random.pick(corpus), random);
    // Legal packets in between bring connections into states that mutants alone do not reach.
    if (random.chance(0.5)) mutant.connection.receive(random.pick(PUBLISHES[this.#version]).slice());
    if (mutant.isClosed) return this.#bury(mutant);
    const cut = random.chance(0.2) ? random.below(bytes.length + 1) : bytes.length;
    for (const chunk of [bytes.slice(0, cut), bytes.slice(cut)]) {
      mutant.connection.receive(chunk);
      this.#harness.settle();
      mutant.check();
    }
    if (--this.#life <= 0 || mutant.isClosed) this.#bury(mutant);
  }

  #bury(mutant: Mutant): void {
    mutant.connection.closed(this.#random.chance(0.5));
    this.#harness.settle();
    this.#mutant = null;
  }

  #newMutant(): Mutant {
    const random = this.#random;
    this.#version = random.pick([3, 4, 5]);
    this.#life = 1 + random.below(LONGEST_LIFE);
    const mutant = new Mutant(this.#harness);
    this.#mutant = mutant;
    if (random.chance(0.8)) mutant.connection.receive(random.pick(CONNECTS[this.#version]).slice());
    return mutant;
  }
}

test(`${BATCHES * PACKETS_PER_BATCH} mutated packets end in nothing but closed connections`, () => {
  const only = process.env.LACEWING_SEED;
  const first = only === undefined ? 1 : Number(only);
  const last = only === undefined ? BATCHES : first;
  for (let seed = first; seed <= last; seed++) {
    try {
      new Batch(seed).run();
    } catch (error) {
      assert.fail(`LACEWING_SEED=${seed}: ${(error as Error).stack}`);
    }
  }
});
