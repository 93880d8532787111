/** Sessions: clean start, expiry, takeover, session present; and what a Session keeps for a client that is away. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { EndReason, Version } from "../../src/protocol/index.ts";
import { MemoryStore } from "../../src/store/index.ts";
import { BrokerHarness } from "../support/broker-harness.ts";
import type { ConnectOptions, TestClient } from "../support/test-client.ts";

const VERSIONS = [3, 4, 5] as const;
const NEVER = 4_294_967_295;

/** Options of a CONNECT that wants its Session kept, for `seconds` in 5.0, for ever before. */
function lasting(version: Version, seconds: number = NEVER): ConnectOptions {
  return { version, cleanStart: false, ...(version === 5 && { properties: { sessionExpirySeconds: seconds } }) };
}

function isPresent(client: TestClient): boolean {
  return client.connack?.sessionPresent === true;
}

for (const version of VERSIONS) {
  test(`[5.0 MQTT-3.1.2-5] [5.0 MQTT-3.2.2-3] [3.1.1 MQTT-3.1.2-4] version ${version}: a kept Session is resumed with its Subscriptions`, () => {
    const harness = new BrokerHarness();
    const first = harness.connect("c", lasting(version));
    assert.equal(isPresent(first), false);
    first.subscribe("t");
    first.disconnect();
    harness.connect("pub").publish("t", "offline", { qos: 1 });
    const second = harness.connect("c", lasting(version));
    // MQTT 3.1 has no flag for it.
    assert.equal(isPresent(second), version !== 3);
    assert.deepEqual(second.payloads(), ["offline"]);
  });

  test(`[5.0 MQTT-3.1.2-4] [5.0 MQTT-3.2.2-2] [3.1.1 MQTT-3.1.2-6] version ${version}: a clean start discards what was there`, () => {
    const harness = new BrokerHarness();
    const first = harness.connect("c", lasting(version));
    first.subscribe("t");
    first.drop();
    harness.connect("pub").publish("t", "lost", { qos: 1 });
    const second = harness.connect("c", { version, cleanStart: true });
    assert.equal(isPresent(second), false);
    second.disconnect();
    const third = harness.connect("c", lasting(version));
    assert.equal(isPresent(third), false);
    harness.connect("pub").publish("t", "nobody", { qos: 1 });
    assert.deepEqual(third.trace(), []);
  });

  test(`version ${version}: persistent, then clean, then persistent again: the last subscription works`, () => {
    const harness = new BrokerHarness();
    for (const cleanStart of [false, true]) {
      const client = harness.connect("c", { ...lasting(version), cleanStart });
      client.subscribe("t", { qos: 1 });
      client.drop();
    }
    const client = harness.connect("c", lasting(version));
    client.subscribe("t", { qos: 1 });
    harness.connect("pub").publish("t", "hello", { qos: 1 });
    assert.deepEqual(client.payloads(), ["hello"]);
  });

  test(`[5.0 MQTT-3.1.4-3] [3.1.1 MQTT-3.1.4-2] version ${version}: a takeover closes the older connection, 5.0 is told 0x8E`, () => {
    const ends: EndReason[] = [];
    const harness = new BrokerHarness({ observer: { ended: (_, reason) => ends.push(reason) } });
    const first = harness.connect("c", lasting(version));
    first.subscribe("t");
    const second = harness.connect("c", lasting(version));
    assert.deepEqual(first.trace(), version === 5 ? ["DISCONNECT 0x8e"] : []);
    assert.deepEqual([first.isClosed, ends], [true, ["session-taken-over"]]);
    assert.equal(isPresent(second), version !== 3);
    assert.equal(harness.broker.connectedClients, 1);
    harness.connect("pub").publish("t", "x");
    assert.deepEqual(second.payloads(), ["x"]);
  });

  test(`[5.0 MQTT-4.1.0-2] [3.1.1 MQTT-3.1.2-6] version ${version}: a Session that is not kept ends with its connection, also by takeover`, () => {
    const harness = new BrokerHarness();
    harness.connect("c", { version }).subscribe("t");
    const second = harness.connect("c", lasting(version));
    assert.equal(isPresent(second), false);
    harness.connect("pub").publish("t", "x");
    assert.deepEqual(second.trace(), []);
  });
}

test("[3.1.1 MQTT-3.1.2-5] a Session of 3.1.1 lasts for ever unless the broker limits it", () => {
  const harness = new BrokerHarness();
  harness.connect("c", lasting(4)).disconnect();
  harness.advance(400 * 86_400_000);
  assert.equal(isPresent(harness.connect("c", lasting(4))), true);

  const limited = new BrokerHarness({ options: { maximumSessionExpirySeconds: 60 } });
  limited.connect("c", lasting(4)).disconnect();
  limited.advance(61_000);
  assert.equal(isPresent(limited.connect("c", lasting(4))), false);
});

test("[5.0 §3.1.2.11.2] without Session Expiry Interval a Session of 5.0 ends with its connection", () => {
  const harness = new BrokerHarness();
  harness.connect("c", { cleanStart: false }).disconnect();
  assert.equal(harness.broker.sessions.count, 0);
  assert.equal(isPresent(harness.connect("c", { cleanStart: false })), false);
});

test("[5.0 MQTT-3.1.2-23] [5.0 MQTT-4.1.0-2] a Session is there until its expiry is over, counted from the end of the connection", () => {
  const harness = new BrokerHarness();
  harness.connect("c", lasting(5, 5));
  harness.advance(20_000);
  const second = harness.connect("c", lasting(5, 5));
  assert.equal(isPresent(second), true);
  second.drop();
  harness.advance(4900);
  const third = harness.connect("c", lasting(5, 5));
  assert.equal(isPresent(third), true);
  third.disconnect();
  harness.advance(5100);
  assert.equal(harness.broker.sessions.count, 0);
  assert.equal(isPresent(harness.connect("c", lasting(5, 5))), false);
});

test("[5.0 MQTT-4.1.0-1] no Session expires while its client is connected, whatever an earlier connection asked for", () => {
  const harness = new BrokerHarness();
  harness.connect("c", lasting(5, 5)).drop();
  harness.advance(1000);
  const client = harness.connect("c", lasting(5, 5));
  client.subscribe("t");
  harness.advance(60_000);
  harness.connect("pub").publish("t", "x");
  assert.deepEqual(client.payloads(), ["x"]);
});

test("[5.0 MQTT-3.1.2-23] the expiry counts from the moment at which the network went, though nothing else happened for a while", () => {
  const harness = new BrokerHarness();
  const client = harness.connect("c", lasting(5, 1));
  harness.advance(400);
  client.drop();
  harness.advance(950);
  assert.equal(harness.broker.sessions.count, 1);
  harness.advance(100);
  assert.equal(harness.broker.sessions.count, 0);
});

test("[5.0 §3.1.2.11.2] the expiry 0xFFFFFFFF means never", () => {
  const harness = new BrokerHarness();
  harness.connect("c", lasting(5)).drop();
  harness.advance(200 * 365 * 86_400_000);
  assert.equal(isPresent(harness.connect("c", lasting(5))), true);
});

test("[5.0 §3.14.2.2.2] DISCONNECT changes the expiry, also to 0 and for ever", () => {
  const harness = new BrokerHarness();
  harness.connect("longer", lasting(5, 1)).disconnect(0, { sessionExpirySeconds: 100 });
  harness.connect("shorter", lasting(5, 100)).disconnect(0, { sessionExpirySeconds: 1 });
  harness.connect("over", lasting(5, 100)).disconnect(0, { sessionExpirySeconds: 0 });
  harness.connect("ever", lasting(5, 1)).disconnect(0, { sessionExpirySeconds: NEVER });
  assert.equal(harness.broker.sessions.get("over"), undefined);
  harness.advance(50_000);
  assert.deepEqual([...harness.broker.sessions].map(({ clientId }) => clientId).sort(), ["ever", "longer"]);
});

test("[5.0 §3.14.2.2.2] an expiry of 0 in CONNECT cannot be prolonged in DISCONNECT: 0x82", () => {
  const harness = new BrokerHarness();
  for (const properties of [{}, { sessionExpirySeconds: 0 }]) {
    const client = harness.connect("c", { properties });
    client.disconnect(0, { sessionExpirySeconds: 10 });
    assert.deepEqual(client.trace(), ["DISCONNECT 0x82"]);
    assert.equal(harness.broker.sessions.count, 0);
  }
});

test("[5.0 §3.2.2.3.2] an expiry that the broker cuts is told in the CONNACK, one that it grants is not", () => {
  const harness = new BrokerHarness({ options: { maximumSessionExpirySeconds: 60 } });
  const cut = harness.connect("a", lasting(5, 1000));
  assert.equal(cut.connack?.properties.sessionExpirySeconds, 60);
  const granted = harness.connect("b", lasting(5, 50));
  assert.equal(granted.connack?.properties.sessionExpirySeconds, undefined);
  cut.disconnect(0, { sessionExpirySeconds: 1000 });
  harness.advance(61_000);
  assert.equal(harness.broker.sessions.get("a"), undefined);
});

test("[5.0 §3.1.2.11.2] Clean Start 1 with an expiry begins a Session that is kept", () => {
  const harness = new BrokerHarness();
  const properties = { sessionExpirySeconds: 100 };
  harness.connect("c", { cleanStart: true, properties }).disconnect();
  assert.equal(isPresent(harness.connect("c", { cleanStart: false, properties })), true);
});

test("a resumed Session takes the expiry of its new CONNECT", () => {
  const harness = new BrokerHarness();
  harness.connect("c", lasting(5, 1000)).drop();
  const second = harness.connect("c", { cleanStart: false });
  assert.equal(isPresent(second), true);
  second.drop();
  assert.equal(harness.broker.sessions.count, 0);
});

test("[5.0 MQTT-3.1.3-2] a Session goes from version to version with its client", () => {
  const harness = new BrokerHarness();
  const first = harness.connect("c", lasting(4));
  first.subscribe("t", { qos: 1 });
  first.drop();
  harness.connect("pub").publish("t", "x", { qos: 1, properties: { contentType: "text" } });
  const second = harness.connect("c", lasting(5));
  const [message] = second.publishes();
  assert.equal(message?.properties.contentType, "text");
});

test("a Session belongs to its principal: another one is refused with 0x85, and it stays", () => {
  const harness = new BrokerHarness({
    authenticator: {
      authenticate: ({ connect }) => ({
        kind: "accepted",
        policy: { allowsAll: true, canPublish: () => true, canSubscribe: () => true, canReceive: () => true },
        principal: connect.username,
      }),
    },
  });
  const owner = harness.connect("c", { ...lasting(5), username: "alice" });
  const thief = harness.open(5);
  assert.equal(thief.connect("c", { ...lasting(5), username: "mallory" })?.reasonCode, 0x85);
  assert.deepEqual([thief.isClosed, owner.isClosed], [true, false]);
});

test("[3.1.1 MQTT-3.1.2-7] retained messages are no part of a Session", () => {
  const harness = new BrokerHarness();
  harness.connect("pub", { version: 4 }).publish("t", "stays", { retain: true });
  harness.connect("pub", { version: 4, cleanStart: true }).disconnect();
  const sub = harness.connect("sub", { version: 4 });
  sub.subscribe("t");
  assert.deepEqual(sub.payloads(), ["stays"]);
});

test("a Session that was to be kept and no longer is still gets messages at each QoS", async () => {
  const harness = new BrokerHarness({ store: new MemoryStore() });
  const kept = harness.open(5);
  kept.connect("c", { cleanStart: false, properties: { sessionExpirySeconds: 100 } });
  await harness.rest(2);
  const client = harness.open(5);
  client.connect("c", { cleanStart: false });
  await harness.rest(2);
  client.trace();
  client.sendSubscribe("t");
  await harness.rest(2);
  client.trace();
  const pub = harness.connect("pub");
  for (const qos of [0, 1, 2] as const) pub.publish("t", String(qos), { qos });
  await harness.rest(2);
  assert.deepEqual(client.payloads(), ["0", "1", "2"]);
});
