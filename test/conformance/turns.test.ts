// P6 of RELIABILITY.md: whatever a client sends, the others get their turn. What takes long is done in pieces; counted in what was done
// by the end of a turn, not in time.
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodePacket, NO_PROPERTIES, publishOf, type SubscriptionRequest } from "../../src/protocol/index.ts";
import { MemoryStore } from "../../src/store/index.ts";
import { BrokerHarness } from "../support/broker-harness.ts";
import { type TestClient, textOf } from "../support/test-client.ts";

/** As many as a packet may have. */
const MOST_FILTERS = 8192;
const NAMES = Array.from({ length: MOST_FILTERS }, (_, index) => `${index}${"/a".repeat(20)}`);

function requests(topicFilters: readonly string[]): SubscriptionRequest[] {
  const options = { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
  return topicFilters.map((topicFilter) => ({ topicFilter, ...options }));
}

function subscribe(topicFilters: readonly string[], packetId: number = 1): Uint8Array {
  const subscriptions = requests(topicFilters);
  return encodePacket({ type: "SUBSCRIBE", packetId, properties: NO_PROPERTIES, subscriptions }, 5);
}

function unsubscribe(topicFilters: readonly string[], packetId: number): Uint8Array {
  return encodePacket({ type: "UNSUBSCRIBE", packetId, properties: NO_PROPERTIES, topicFilters }, 5);
}

function publish(topicName: string, payload: string): Uint8Array {
  const fields = { topicName, payload: Buffer.from(payload), qos: 0, retain: false, dup: false, packetId: 0 } as const;
  return encodePacket(publishOf({ ...fields, properties: NO_PROPERTIES }), 5);
}

const PING = encodePacket({ type: "PINGREQ" }, 5);

function typesOf({ received }: TestClient): string[] {
  return received.map(({ type }) => type);
}

/** Turns until nothing is to be done, in each of which `other` pings and must be answered. */
async function turnsUntil(harness: BrokerHarness, other: TestClient, isDone: () => boolean): Promise<number> {
  for (let turns = 1; turns < 10_000; turns++) {
    other.received.splice(0);
    other.connection.receive(PING);
    harness.broker.flush();
    while (other.turn());
    assert.deepEqual(typesOf(other), ["PINGRESP"]);
    await Promise.resolve();
    if (isDone()) return turns;
  }
  throw new Error("it does not end");
}

for (const isDurable of [false, true]) {
  test(`a SUBSCRIBE and an UNSUBSCRIBE with ${MOST_FILTERS} filters are done in pieces, ${isDurable ? "" : "not "}durable`, async () => {
    const harness = new BrokerHarness(isDurable ? { store: new MemoryStore() } : {});
    const { broker } = harness;
    const other = harness.connect("other");
    const many = harness.open();
    many.connect("many", { properties: { sessionExpirySeconds: isDurable ? 60 : 0 } });
    for (; many.connack === null; await Promise.resolve()) harness.advance(2);
    many.received.splice(0);
    harness.isHeld = true;
    for (const [packetId, bytes, type, left] of [
      [1, subscribe(NAMES), "SUBACK", MOST_FILTERS],
      [2, unsubscribe(NAMES, 2), "UNSUBACK", 0],
    ] as const) {
      many.connection.receive(Buffer.concat([bytes, PING]));
      assert.ok(Math.abs(broker.router.subscriptions - left) > MOST_FILTERS / 2, "not all of it in the first turn");
      const isDone = (): boolean => {
        while (many.turn());
        harness.clock.advance(2);
        broker.tick();
        return typesOf(many).length === 2;
      };
      assert.ok((await turnsUntil(harness, other, isDone)) >= 5);
      assert.equal(broker.router.subscriptions, left);
      // What waits for the store comes after the answer to a ping.
      assert.deepEqual(typesOf(many), isDurable ? ["PINGRESP", type] : [type, "PINGRESP"]);
      const answer = many.received.splice(0).find((packet) => packet.type === type);
      assert.ok(answer?.type === "SUBACK" || answer?.type === "UNSUBACK");
      assert.deepEqual([answer.packetId, answer.reasonCodes.length], [packetId, MOST_FILTERS]);
    }
  });
}

test("a client that goes while its SUBSCRIBE is being done leaves nothing behind", async () => {
  const harness = new BrokerHarness();
  const many = harness.connect("many");
  harness.isHeld = true;
  many.connection.receive(subscribe(NAMES));
  const { subscriptions } = harness.broker.router;
  assert.ok(subscriptions > 0 && subscriptions < MOST_FILTERS);
  many.drop();
  harness.settle();
  assert.equal(harness.broker.router.subscriptions, 0);
});

test("a client that comes back while its SUBSCRIBE is being done is not given the rest, nor its answer", async () => {
  const harness = new BrokerHarness();
  const properties = { sessionExpirySeconds: 60 };
  const many = harness.connect("many", { properties });
  harness.isHeld = true;
  many.connection.receive(subscribe(NAMES));
  const { subscriptions } = harness.broker.router;
  const again = harness.open();
  again.connect("many", { cleanStart: false, properties });
  while (again.turn());
  harness.settle();
  harness.isHeld = false;
  assert.equal(again.connack?.sessionPresent, true);
  again.received.splice(0);
  assert.ok(subscriptions < MOST_FILTERS && harness.broker.router.subscriptions === subscriptions);
  assert.deepEqual(again.received, []);
  again.publish(NAMES[0] ?? "", "x");
  assert.equal(again.received.length, 1);
});

test("what a chunk full of messages asks for is done in pieces when each goes to many or is searched for long", async () => {
  const harness = new BrokerHarness();
  const other = harness.connect("other");
  const from = harness.connect("from");
  const all = harness.connect("all");
  // Every way through 12 levels of "a" and "+": each new topic is searched for in all of them.
  const filters = Array.from({ length: 4096 }, (_, bits) =>
    Array.from({ length: 12 }, (_, level) => ((bits >> level) & 1 ? "a" : "+")).join("/"),
  );
  all.subscribe(`${filters[0]}/#`, { qos: 0 });
  all.connection.receive(subscribe(filters.map((filter) => `${filter}/none`)));
  harness.settle();
  all.received.splice(0);
  harness.isHeld = true;
  const topics = Array.from({ length: 200 }, (_, index) => `${"a/".repeat(12)}${index}`);
  from.connection.receive(Buffer.concat(topics.map((topicName) => publish(topicName, topicName))));
  assert.equal(from.isPaused, true);
  const isDone = (): boolean => {
    while (all.turn());
    from.turn();
    return all.received.length === topics.length;
  };
  assert.ok((await turnsUntil(harness, other, isDone)) >= 3);
  const got = all.received.map((packet) => (packet.type === "PUBLISH" ? textOf(packet.payload) : packet.type));
  assert.deepEqual(got, topics);
  harness.settle();
  assert.equal(from.isPaused, false);
});

test("the retained messages of thousands of filters are searched for in pieces", async () => {
  const harness = new BrokerHarness();
  const other = harness.connect("other");
  const from = harness.connect("from");
  for (let index = 0; index < 300; index++) from.publish(`t/${index}/x`, `${index}`, { retain: true });
  const many = harness.connect("many");
  harness.isHeld = true;
  many.connection.receive(subscribe([...Array.from({ length: 500 }, (_, index) => `+/+/${index}`), "t/299/x"]));
  const isDone = (): boolean => {
    while (many.turn());
    return typesOf(many).includes("PUBLISH");
  };
  // 500 filters with 300 topics each to look at.
  assert.ok((await turnsUntil(harness, other, isDone)) >= 10);
  assert.deepEqual(typesOf(many), ["SUBACK", "PUBLISH"]);
});
