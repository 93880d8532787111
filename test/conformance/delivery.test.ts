/** The flows of QoS 0, 1 and 2 from a publisher to a subscriber: acknowledgements, duplicates, order, reason codes, limits. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_PROPERTIES, publishOf } from "../../src/protocol/index.ts";
import { BrokerHarness } from "../support/broker-harness.ts";
import { bytesOf } from "../support/test-client.ts";

const VERSIONS = [3, 4, 5] as const;

for (const version of VERSIONS) {
  test(`[5.0 MQTT-4.3.1-1] [5.0 MQTT-4.3.2-4] [5.0 MQTT-4.3.3-8] [5.0 MQTT-4.3.3-11] [3.1.1 §4.3] version ${version}: each QoS is answered as it asks`, () => {
    const harness = new BrokerHarness();
    harness.connect("sub").subscribe("t");
    const pub = harness.connect("pub", { version, acknowledges: false });
    pub.publish("t", "0");
    assert.deepEqual(pub.trace(), []);
    pub.publish("t", "1", { qos: 1, packetId: 65_535 });
    assert.deepEqual(pub.trace(), ["PUBACK m65535"]);
    pub.publish("t", "2", { qos: 2, packetId: 65_535 });
    assert.deepEqual(pub.trace(), ["PUBREC m65535"]);
    pub.acknowledge("PUBREL", 65_535);
    assert.deepEqual(pub.trace(), ["PUBCOMP m65535"]);
  });

  test(`version ${version}: who gets its own message at QoS 2 back gets the PUBREC first, unless that waits for the store`, () => {
    const harness = new BrokerHarness();
    const other = harness.connect("other");
    other.subscribe("t");
    const client = harness.connect("c", { version, acknowledges: false });
    client.subscribe(["t"], { qos: 2 });
    client.publish("t", "x", { qos: 2, packetId: 7 });
    assert.deepEqual(client.trace(), ["PUBREC m7", "PUBLISH t=x q2 m1"]);
    client.publish("nobody", "y", { qos: 2, packetId: 8 });
    assert.deepEqual(client.trace(), ["PUBREC m8"]);
    assert.deepEqual(other.payloads(), ["x"]);
    const copies = new BrokerHarness({ options: { allowDuplicateMessages: true } }).connect("c", { version });
    copies.subscribe(["t", "#"], { qos: 0 });
    copies.publish("t", "x", { qos: 2 });
    assert.deepEqual(copies.payloads(), ["x", "x"]);
  });

  test(`[5.0 MQTT-4.3.3-10] [3.1.1 MQTT-4.3.3-2] version ${version}: a QoS 2 message sent twice is delivered once`, () => {
    const harness = new BrokerHarness();
    const sub = harness.connect("sub");
    sub.subscribe("t");
    const pub = harness.connect("pub", { version, acknowledges: false });
    pub.publish("t", "x", { qos: 2, packetId: 9 });
    pub.publish("t", "x", { qos: 2, packetId: 9, dup: true });
    assert.deepEqual(pub.trace(), ["PUBREC m9", "PUBREC m9"]);
    assert.deepEqual(sub.payloads(), ["x"]);
    pub.acknowledge("PUBREL", 9);
    pub.acknowledge("PUBREL", 9);
    assert.deepEqual(pub.trace(), ["PUBCOMP m9", "PUBCOMP m9"]);
  });

  test(`[5.0 MQTT-4.4.0-1] version ${version}: a QoS 2 message that comes a third time on one connection ends it`, () => {
    const harness = new BrokerHarness();
    const lasting = {
      version,
      cleanStart: false,
      acknowledges: false,
      properties: version === 5 ? { sessionExpirySeconds: 100 } : NO_PROPERTIES,
    };
    const first = harness.connect("pub", lasting);
    for (const dup of [false, true, true]) first.publish("t", "x", { qos: 2, packetId: 9, dup });
    assert.deepEqual(first.trace(), ["PUBREC m9", "PUBREC m9", ...(version === 5 ? ["DISCONNECT 0x82"] : [])]);
    assert.ok(first.isClosed);
    const second = harness.connect("pub", lasting);
    for (const dup of [true, false, true]) {
      second.publish("t", "x", { qos: 2, packetId: 9, dup });
      second.acknowledge("PUBREL", 9);
      assert.deepEqual(second.trace(), ["PUBREC m9", "PUBCOMP m9"]);
    }
  });

  test(`[5.0 §4.3.3] version ${version}: other messages under an identifier that is not released are all answered, and not delivered`, () => {
    const harness = new BrokerHarness();
    const sub = harness.connect("sub");
    sub.subscribe("#");
    const pub = harness.connect("pub", { version, acknowledges: false });
    const long = "x".repeat(10_000);
    for (const [topic, payload] of [
      ["t", ""],
      ["t", "p"],
      ["t", ""],
      ["u", ""],
      ["t", long],
      ["t", `${long}x`],
    ] as const)
      pub.publish(topic, payload, { qos: 2, packetId: 9 });
    assert.deepEqual(pub.trace(), new Array(6).fill("PUBREC m9"));
    assert.deepEqual([sub.payloads(), pub.isClosed], [[""], false]);
  });

  test(`[5.0 MQTT-4.3.3-12] [5.0 MQTT-4.3.2-5] version ${version}: an identifier is free again after PUBACK and PUBCOMP, DUP or not`, () => {
    const harness = new BrokerHarness();
    const sub = harness.connect("sub");
    sub.subscribe("t");
    const pub = harness.connect("pub", { version });
    for (const qos of [1, 1, 2, 2] as const) pub.publish("t", String(qos), { qos, packetId: 1, dup: true });
    assert.deepEqual(sub.payloads(), ["1", "1", "2", "2"]);
  });

  test(`[5.0 MQTT-3.3.1-1] [5.0 MQTT-3.3.1-3] [3.1.1 MQTT-3.3.1-3] version ${version}: DUP of a publisher is not passed on`, () => {
    const harness = new BrokerHarness();
    const sub = harness.connect("sub", { version });
    sub.subscribe("t");
    const pub = harness.connect("pub", { version });
    pub.publish("t", "x", { qos: 1, dup: true });
    assert.deepEqual(sub.trace(), ["PUBLISH t=x q1 m1"]);
  });

  test(`[5.0 MQTT-4.3.3-10] [3.1.1 MQTT-4.4.0-1] version ${version}: a QoS 2 identifier outlives the connection in a Session that is kept`, () => {
    const harness = new BrokerHarness();
    const sub = harness.connect("sub");
    sub.subscribe("t");
    const lasting = {
      version,
      cleanStart: false,
      acknowledges: false,
      properties: version === 5 ? { sessionExpirySeconds: 100 } : NO_PROPERTIES,
    };
    const first = harness.connect("pub", lasting);
    first.publish("t", "x", { qos: 2, packetId: 5 });
    first.drop();
    const second = harness.connect("pub", lasting);
    second.publish("t", "x", { qos: 2, packetId: 5, dup: true });
    second.acknowledge("PUBREL", 5);
    assert.deepEqual(second.trace(), ["PUBREC m5", "PUBCOMP m5"]);
    assert.deepEqual(sub.payloads(), ["x"]);
  });

  test(`[5.0 MQTT-4.6.0-2] [5.0 MQTT-4.6.0-3] [5.0 MQTT-4.6.0-4] [3.1.1 MQTT-4.6.0-2] version ${version}: acknowledgements leave in the order of what they answer`, () => {
    const harness = new BrokerHarness();
    const pub = harness.connect("pub", { version, acknowledges: false });
    const sub = harness.connect("sub", { acknowledges: false });
    sub.subscribe("t");
    for (const [qos, packetId] of [
      [2, 3],
      [1, 1],
      [2, 2],
    ] as const)
      pub.publish("t", "x", { qos, packetId });
    pub.acknowledge("PUBREL", 2);
    pub.acknowledge("PUBREL", 3);
    assert.deepEqual(pub.trace(), ["PUBREC m3", "PUBACK m1", "PUBREC m2", "PUBCOMP m2", "PUBCOMP m3"]);
    sub.trace();
    sub.acknowledge("PUBREC", 3);
    sub.acknowledge("PUBREC", 1);
    assert.deepEqual(sub.trace(), ["PUBREL m3", "PUBREL m1"]);
  });

  test(`[5.0 MQTT-4.6.0-5] [3.1.1 MQTT-4.6.0-6] version ${version}: messages of one topic and QoS arrive in their order, whatever the window`, () => {
    const harness = new BrokerHarness({ options: { maximumInflightMessages: 3 } });
    const sub = harness.connect("sub", { version });
    sub.subscribe("t");
    const pub = harness.connect("pub", { version });
    harness.isHeld = true;
    const sent = Array.from({ length: 60 }, (_, i) => [1, 2, 0][i % 3] as 0 | 1 | 2).map((qos, i) => {
      pub.publish("t", `${qos}:${i}`, { qos });
      return `${qos}:${i}`;
    });
    harness.isHeld = false;
    harness.settle();
    const got = sub.payloads();
    for (const qos of ["0", "1", "2"]) {
      const only = (all: readonly string[]): string[] => all.filter((text) => text.startsWith(qos));
      assert.deepEqual(only(got), only(sent));
    }
  });

  test(`version ${version}: a client receives what it publishes itself, after or before its acknowledgement`, () => {
    const client = new BrokerHarness().connect("c", { version });
    client.subscribe("t");
    client.publish("t", "1", { qos: 1 });
    client.publish("t", "2", { qos: 2 });
    assert.deepEqual(client.trace().sort(), [
      "PUBACK m2",
      "PUBCOMP m3",
      "PUBLISH t=1 q1 m1",
      "PUBLISH t=2 q2 m2",
      "PUBREC m3",
      "PUBREL m2",
    ]);
  });
}

test("[5.0 §3.4.2.1] [5.0 §3.5.2.1] without a matching Subscription PUBACK says 0x10; PUBREC, and both before 5.0, nothing", () => {
  const harness = new BrokerHarness();
  const pub = harness.connect("pub", { acknowledges: false });
  pub.publish("nobody", "", { qos: 1 });
  pub.publish("nobody", "", { qos: 2 });
  pub.acknowledge("PUBREL", 2);
  assert.deepEqual(pub.trace(), ["PUBACK m1 0x10", "PUBREC m2", "PUBCOMP m2"]);
  const old = harness.connect("old", { version: 4 });
  old.hex();
  old.publish("nobody", "", { qos: 1 });
  assert.equal(old.hex(), "40020001");
});

test("[5.0 §3.4.2.1] [3.1.1 MQTT-3.3.5-2] a PUBLISH that is denied is answered with 0x87, before 5.0 as if it were taken, and goes nowhere", () => {
  const policy = {
    allowsAll: false,
    canSubscribe: () => true,
    canReceive: () => true,
    canPublish: (topicName: string) => topicName !== "denied",
  };
  const denied: string[] = [];
  const harness = new BrokerHarness({
    authenticator: { authenticate: () => ({ kind: "accepted", policy, principal: null }) },
    observer: { publishDenied: (_, { topicName }) => denied.push(topicName) },
  });
  const sub = harness.connect("sub");
  sub.subscribe("#");
  for (const version of [4, 5] as const) {
    const pub = harness.connect("pub", { version, acknowledges: false });
    for (const qos of [0, 1, 2] as const) pub.publish("denied", "x", { qos, retain: true });
    const code = version === 5 ? " 0x87" : "";
    assert.deepEqual(pub.trace(), [`PUBACK m1${code}`, `PUBREC m2${code}`]);
  }
  assert.deepEqual([sub.trace(), harness.broker.retained.count, denied.length], [[], 0, 6]);
});

test("a message that the receiver may not read is dropped and counted, live, queued and retained", () => {
  let isAllowed = true;
  const policy = {
    allowsAll: false,
    canSubscribe: () => true,
    canReceive: () => isAllowed,
    canPublish: () => true,
  };
  const harness = new BrokerHarness({
    authenticator: { authenticate: () => ({ kind: "accepted", policy, principal: null }) },
  });
  const lasting = { cleanStart: false, properties: { sessionExpirySeconds: 100 } };
  const first = harness.connect("sub", lasting);
  first.subscribe("t");
  first.drop();
  const pub = harness.connect("pub");
  pub.publish("t", "queued", { qos: 1 });
  isAllowed = false;
  const sub = harness.connect("sub", lasting);
  pub.publish("t", "live", { retain: true });
  sub.subscribe("t");
  assert.deepEqual([sub.trace(), harness.broker.counters.dropped["receive-denied"]], [[], 3]);
});

for (const version of [3, 4, 5] as const) {
  test(`[5.0 §4.3.3] [3.1.1 §4.3.3] version ${version}: a PUBREC of what the broker does not know is answered, so that its sender comes to its end`, () => {
    const client = new BrokerHarness().connect("c", { version });
    client.acknowledge("PUBREC", 77);
    assert.deepEqual(client.trace(), ["PUBREL m77"]);
    client.acknowledge("PUBACK", 78);
    client.acknowledge("PUBCOMP", 79);
    if (version === 5) client.acknowledge("PUBREC", 80, 0x80);
    assert.deepEqual([client.trace(), client.isClosed], [[], false]);
  });
}

for (const [qos, wrong] of [
  [1, "PUBREC"],
  [1, "PUBCOMP"],
  [2, "PUBACK"],
  [2, "PUBCOMP"],
] as const) {
  test(`[5.0 §4.3] ${wrong} for a QoS ${qos} message that waits for something else is a protocol error`, () => {
    const harness = new BrokerHarness();
    const sub = harness.connect("sub", { acknowledges: false });
    sub.subscribe("t");
    harness.connect("pub").publish("t", "x", { qos });
    sub.trace();
    sub.acknowledge(wrong, 1);
    assert.deepEqual([sub.trace(), sub.isClosed], [["DISCONNECT 0x82"], true]);
  });
}

test("[5.0 MQTT-3.3.4-7] more QoS 2 messages unreleased than the broker's Receive Maximum: the excess gets DISCONNECT 0x93", () => {
  const harness = new BrokerHarness();
  const sub = harness.connect("sub");
  sub.subscribe("t");
  const pub = harness.connect("pub", { acknowledges: false });
  assert.equal(pub.connack?.properties.receiveMaximum, 20);
  pub.send(
    ...Array.from({ length: 21 }, (_, i) =>
      publishOf({
        topicName: "t",
        payload: bytesOf(String(i)),
        qos: 2,
        retain: false,
        dup: false,
        packetId: i + 1,
        properties: NO_PROPERTIES,
      }),
    ),
  );
  const trace = pub.trace();
  assert.deepEqual([trace.length, trace.at(-1), pub.isClosed], [21, "DISCONNECT 0x93", true]);
  assert.equal(sub.payloads().length, 20);
});

test("[5.0 §4.9] PUBREL gives the room back; a repeated PUBLISH takes none", () => {
  const harness = new BrokerHarness({ options: { receiveMaximum: 2 } });
  harness.connect("sub").subscribe("t");
  const pub = harness.connect("pub", { acknowledges: false });
  for (const packetId of [1, 2, 2, 1]) pub.publish("t", "x", { qos: 2, packetId });
  pub.acknowledge("PUBREL", 1);
  pub.publish("t", "x", { qos: 2, packetId: 3 });
  pub.publish("t", "x", { qos: 1, packetId: 4 });
  assert.equal(pub.isClosed, false);
});

test("[3.1.1 §4.3.3] before 5.0 the PUBREC of one message too many waits until another is released, and nothing else waits", () => {
  const harness = new BrokerHarness({ options: { receiveMaximum: 2 } });
  const sub = harness.connect("sub");
  sub.subscribe("t");
  const lasting = { version: 4, cleanStart: false, acknowledges: false } as const;
  const pub = harness.connect("pub", lasting);
  for (const packetId of [1, 2, 3, 4, 5]) pub.publish("t", `${packetId}`, { qos: 2, packetId });
  pub.publish("t", "again", { qos: 2, packetId: 3, dup: true });
  pub.publish("t", "at once", { qos: 1, packetId: 9 });
  assert.deepEqual(pub.trace(), ["PUBREC m1", "PUBREC m2", "PUBACK m9"]);
  assert.deepEqual(sub.payloads(), ["1", "2", "3", "4", "5", "at once"]);
  pub.acknowledge("PUBREL", 2);
  assert.deepEqual(pub.trace(), ["PUBCOMP m2", "PUBREC m3"]);
  pub.acknowledge("PUBREL", 77);
  assert.deepEqual(pub.trace(), ["PUBCOMP m77"]);
  pub.acknowledge("PUBREL", 4);
  assert.deepEqual(pub.trace(), ["PUBCOMP m4"]);
  pub.acknowledge("PUBREL", 1);
  assert.deepEqual(pub.trace(), ["PUBCOMP m1", "PUBREC m5"]);
  pub.drop();
  // What is left over from earlier is nobody's hindrance: a client that lost its own state will never release it.
  const next = harness.connect("pub", lasting);
  for (const packetId of [11, 12, 13]) next.publish("t", "x", { qos: 2, packetId });
  assert.deepEqual(next.trace(), ["PUBREC m11", "PUBREC m12"]);
});

test("[3.1.1 §4.3.3] a client that asks again for the PUBREC of one message too many, however often, gets it in the end", () => {
  const harness = new BrokerHarness({ options: { receiveMaximum: 1 } });
  const pub = harness.connect("pub", { version: 4, acknowledges: false });
  for (const packetId of [1, 2]) pub.publish("t", `${packetId}`, { qos: 2, packetId });
  for (let times = 0; times < 3; times++) pub.publish("t", "2", { qos: 2, packetId: 2, dup: true });
  assert.deepEqual([pub.isClosed, pub.trace()], [false, ["PUBREC m1"]]);
  pub.acknowledge("PUBREL", 1);
  assert.deepEqual(pub.trace(), ["PUBCOMP m1", "PUBREC m2"]);
});

test("[5.0 §4.9] any number of QoS 1 messages in one chunk is taken when nothing has to wait", () => {
  const harness = new BrokerHarness();
  harness.connect("sub").subscribe("t");
  const pub = harness.connect("pub");
  harness.isHeld = true;
  for (let i = 0; i < 500; i++) pub.publish("t", "x", { qos: 1 });
  harness.isHeld = false;
  harness.settle();
  assert.deepEqual([pub.trace().length, pub.isClosed], [500, false]);
});

test("[5.0 MQTT-3.2.2-11] a PUBLISH above the maximum QoS ends the connection with 0x9B", () => {
  const harness = new BrokerHarness({ entrance: { maximumQos: 0 } });
  for (const qos of [1, 2] as const) {
    const client = harness.connect("c");
    client.publish("t", "x", { qos });
    assert.deepEqual([client.trace(), client.isClosed], [["DISCONNECT 0x9b"], true]);
  }
  const old = harness.connect("old", { version: 4 });
  old.publish("t", "x", { qos: 1 });
  assert.equal(old.isClosed, true);
});

test("payloads of all sizes arrive whole, in every pair of versions and QoS", () => {
  const harness = new BrokerHarness();
  for (const from of VERSIONS) {
    for (const to of VERSIONS) {
      const sub = harness.connect("sub", { version: to });
      sub.subscribe("t");
      const pub = harness.connect("pub", { version: from });
      for (const bytes of [0, 1, 47, 48, 49, 127, 128, 2047, 2048, 8191, 8192, 16_384, 100_000, 1_100_000]) {
        const payload = Uint8Array.from({ length: bytes }, (_, i) => i & 255);
        for (const qos of [0, 1, 2] as const) {
          pub.publish("t", payload, { qos });
          const [message] = sub.publishes();
          assert.ok(message !== undefined && Buffer.compare(message.payload, payload) === 0, `${bytes} at QoS ${qos}`);
        }
      }
    }
  }
});

test("a queued message is the one that was sent, though its chunk is long gone", () => {
  const harness = new BrokerHarness();
  const lasting = { version: 4, cleanStart: false } as const;
  const away = harness.connect("away", lasting);
  away.subscribe("t");
  away.drop();
  const pub = harness.connect("pub", { version: 4 });
  const sent = Array.from({ length: 300 }, (_, i) => String(i).repeat(1 + (i % 200)));
  for (const text of sent) pub.publish("t", text, { qos: 1 });
  assert.deepEqual(harness.connect("away", lasting).payloads(), sent);
});
