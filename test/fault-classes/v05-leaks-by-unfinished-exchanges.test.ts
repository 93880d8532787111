// V5: exchanges that nobody ends: CONNECTs that fail late, QoS 2 messages that are never released, authentications that stop in the
// middle. Their clients go, and nothing of them is left.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Authenticator } from "../../src/core/index.ts";
import { BrokerHarness } from "../support/broker-harness.ts";
import { usedBytes } from "../support/memory.ts";
import type { TestClient } from "../support/test-client.ts";

const MOST_GROWTH_BYTES = 10_000_000;

/** How much memory `round` leaves behind, after a first one. */
function growth(rounds: number, round: () => void): number {
  round();
  const before = usedBytes();
  for (let times = 0; times < rounds; times++) round();
  return usedBytes() - before;
}

/** The harness remembers its clients; a leak must be the broker's. */
function forget(harness: BrokerHarness): void {
  harness.settle();
  harness.clients.length = 0;
}

test("10,000 CONNECTs with a will that is no will, or that is refused", (context) => {
  const harness = new BrokerHarness();
  /** A CONNECT with that behind its client identifier. */
  const bad = (hex: string): void => {
    const rest = Buffer.from(`00044d5154540506003c00000163${hex.replaceAll(" ", "")}`, "hex");
    harness.open(5).sendBytes(Buffer.concat([Buffer.of(0x10, rest.length), rest]));
  };
  const grown = growth(1, () => {
    for (let i = 0; i < 1250; i++) {
      // Will properties: one twice, one that does not belong there, a length that runs over.
      bad("0a 18 00000001 18 00000002 0001 74 0001 78");
      bad("05 11 00000001 0001 74 0001 78");
      bad("ff01 18 00000001 0001 74 0001 78");
      harness.open(5).connect("c", { will: { topicName: "$SYS/x", payload: "x".repeat(1000) } });
    }
    forget(harness);
  });
  const { broker } = harness;
  assert.deepEqual([broker.connections.size, broker.sessions.count, broker.connectedClients], [0, 0, 0]);
  context.diagnostic(`${grown} bytes more`);
  assert.ok(grown < MOST_GROWTH_BYTES, `${grown} bytes`);
  assert.ok(broker.counters.ended["malformed-packet"] + broker.counters.ended["protocol-error"] >= 7500);
  assert.ok(broker.counters.ended["not-authorized"] >= 2500);
});

for (const [version, identifiers] of [
  [4, 10_000],
  [5, 65_535],
] as const) {
  test(`version ${version}: QoS 2 that is never released, with ${identifiers} identifiers, by one client after the other`, (context) => {
    const harness = new BrokerHarness({ options: { receiveMaximum: 65_535 } });
    const open = (): TestClient => {
      const client = harness.connect("c", { version, acknowledges: false });
      harness.isHeld = true;
      for (let packetId = 1; packetId <= identifiers; packetId++) {
        client.publish("nobody/listens", "x", { qos: 2, packetId });
        if (packetId % 5000 === 0) harness.settle();
        client.received.length = 0;
      }
      harness.isHeld = false;
      harness.settle();
      assert.equal(client.connection.session?.receivedMessages, identifiers);
      return client;
    };
    const grown = growth(1, () => {
      open().drop();
      forget(harness);
    });
    context.diagnostic(`${grown} bytes more`);
    assert.ok(grown < MOST_GROWTH_BYTES, `${grown} bytes`);
    assert.equal(harness.broker.sessions.count, 0);
  });
}

test("a 5.0 client may not leave more unreleased than it was told", () => {
  const harness = new BrokerHarness({ options: { receiveMaximum: 20 } });
  const client = harness.connect("c", { acknowledges: false });
  for (let packetId = 1; packetId <= 21; packetId++)
    if (!client.isClosed) client.publish("t", "x", { qos: 2, packetId });
  assert.equal(client.trace().at(-1), "DISCONNECT 0x93");
  assert.equal(harness.broker.sessions.count, 0);
});

test("messages that a receiver never acknowledges are given back when it goes", (context) => {
  const harness = new BrokerHarness({ options: { maximumInflightMessages: 0, maximumQueuedMessages: 0 } });
  const payload = new Uint8Array(10_000);
  const grown = growth(2, () => {
    const receiver = harness.connect("receiver", { acknowledges: false });
    receiver.subscribe("t");
    const publisher = harness.connect("publisher");
    for (let i = 0; i < 500; i++) publisher.publish("t", payload, { qos: i % 2 === 0 ? 1 : 2 });
    assert.equal(receiver.connection.session?.inflightMessages, 500);
    receiver.drop();
    publisher.drop();
    forget(harness);
  });
  context.diagnostic(`${grown} bytes more`);
  assert.ok(grown < MOST_GROWTH_BYTES, `${grown} bytes`);
  assert.deepEqual([harness.broker.sessions.count, harness.broker.queueMemoryBytes], [0, 0]);
});

test("authentications that stop in the middle", (context) => {
  const authenticator: Authenticator = {
    authenticate: () => ({
      kind: "challenge",
      data: new Uint8Array(1000),
      next: () => ({ kind: "refused", reason: "not-authorized" }),
    }),
  };
  const harness = new BrokerHarness({ authenticator });
  const grown = growth(2, () => {
    for (let i = 0; i < 500; i++) {
      const client = harness.open(5);
      client.connect(`c${i}`, { properties: { authenticationMethod: "m" } });
      client.drop();
    }
    forget(harness);
  });
  context.diagnostic(`${grown} bytes more`);
  assert.ok(grown < MOST_GROWTH_BYTES, `${grown} bytes`);
  assert.equal(harness.broker.connections.size, 0);
});
