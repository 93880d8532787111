/** Wills: when they go out, when they do not, and as what. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BrokerHarness } from "../support/broker-harness.ts";
import { bytesOfHex, hexOf } from "../support/hex.ts";
import type { ConnectOptions, TestClient } from "../support/test-client.ts";

const VERSIONS = [3, 4, 5] as const;

/** A harness in which "watching" subscribes to the will's topic. */
function watched(): { harness: BrokerHarness; watching: TestClient } {
  const harness = new BrokerHarness();
  const watching = harness.connect("watching");
  watching.subscribe("will", { retainAsPublished: true });
  return { harness, watching };
}

/** A 5.0 CONNECT with a will that waits `delay` seconds in a Session that is kept for `expiry`. */
function delayed(delay: number, expiry: number, cleanStart: boolean = false): ConnectOptions {
  return {
    cleanStart,
    properties: { sessionExpirySeconds: expiry },
    will: { qos: 1, properties: { willDelaySeconds: delay } },
  };
}

for (const version of VERSIONS) {
  test(`[5.0 MQTT-3.1.2-8] [3.1.1 MQTT-3.1.2-8] version ${version}: the will goes out when the network is gone`, () => {
    for (const qos of [0, 1, 2] as const) {
      const { harness, watching } = watched();
      harness.connect("c", { version, will: { payload: "bye", qos } }).drop();
      assert.deepEqual(
        watching.publishes().map((publish) => [publish.topicName, publish.qos, publish.retain]),
        [["will", qos, false]],
      );
    }
  });

  test(`[5.0 MQTT-3.14.4-3] [5.0 MQTT-3.1.2-10] [3.1.1 MQTT-3.14.4-3] version ${version}: DISCONNECT deletes it`, () => {
    const { harness, watching } = watched();
    harness.connect("c", { version, will: {} }).disconnect();
    harness.advance(10_000);
    assert.deepEqual(watching.trace(), []);
  });

  test(`[5.0 MQTT-3.1.2-22] [3.1.1 MQTT-3.1.2-24] version ${version}: silence for one and a half keep-alives ends the connection, and the will goes out`, () => {
    const { harness, watching } = watched();
    const client = harness.connect("c", { version, keepAliveSeconds: 10, will: {} });
    harness.advance(14_000);
    client.send({ type: "PINGREQ" });
    harness.advance(14_900);
    assert.equal(client.isClosed, false);
    harness.advance(1000);
    assert.equal(client.isClosed, true);
    assert.deepEqual(client.trace(), version === 5 ? ["PINGRESP", "DISCONNECT 0x8d"] : ["PINGRESP"]);
    assert.deepEqual(watching.payloads(), ["gone"]);
  });

  test(`[3.1.1 MQTT-3.1.2-8] version ${version}: the will goes out when the broker ends the connection for a protocol error`, () => {
    const { harness, watching } = watched();
    harness.connect("c", { version, will: {} }).sendHex("ff 00");
    assert.deepEqual(watching.payloads(), ["gone"]);
  });

  test(`[5.0 MQTT-3.1.2-15] [3.1.1 MQTT-3.1.2-17] version ${version}: a will with will retain is retained, an empty one deletes`, () => {
    const { harness, watching } = watched();
    harness.connect("c", { version, will: { payload: "kept", retain: true } }).drop();
    assert.equal(watching.publishes()[0]?.retain, true);
    const late = harness.connect("late");
    late.subscribe("will");
    assert.deepEqual(late.payloads(), ["kept"]);
    harness.connect("c", { version, will: { payload: "", retain: true } }).drop();
    assert.equal(harness.broker.retained.count, 0);
  });

  test(`[3.1.1 MQTT-3.1.2-8] [5.0 §3.1.3.2.2] version ${version}: a will without delay goes out on takeover`, () => {
    const { harness, watching } = watched();
    harness.connect("c", { version, cleanStart: false, will: {} });
    harness.connect("c", { version, cleanStart: false });
    assert.deepEqual(watching.payloads(), ["gone"]);
  });

  test(`version ${version}: a will belongs to its connection: the next one's will, or none, takes its place`, () => {
    const { harness, watching } = watched();
    const lasting = { version, cleanStart: false };
    harness.connect("c", { ...lasting, will: { payload: "first" } }).disconnect();
    harness.connect("c", { ...lasting, will: { payload: "second" } }).drop();
    harness.connect("c", lasting).drop();
    assert.deepEqual(watching.payloads(), ["second"]);
  });
}

test("[5.0 MQTT-3.1.2-8] DISCONNECT with 0x04, or with an error code, leaves the will to be published", () => {
  const { harness, watching } = watched();
  for (const code of [0x04, 0x80, 0x81, 0x82, 0x93, 0x98])
    harness.connect("c", { will: { payload: String(code) } }).disconnect(code);
  assert.deepEqual(watching.payloads(), ["4", "128", "129", "130", "147", "152"]);
});

test("[5.0 §3.1.3.2.2] a will waits for its delay", () => {
  const { harness, watching } = watched();
  harness.connect("c", delayed(3, 100)).drop();
  harness.advance(2900);
  assert.deepEqual(watching.trace(), []);
  harness.advance(200);
  assert.deepEqual(watching.payloads(), ["gone"]);
  harness.advance(200_000);
  assert.deepEqual(watching.trace(), []);
});

test("[5.0 §3.1.3.2.2] a will goes out at the smaller of will delay and session expiry", () => {
  for (const [delay, expiry, afterMs] of [
    [5, 2, 2000],
    [2, 5, 2000],
    [3, 3, 3000],
  ] as const) {
    const { harness, watching } = watched();
    harness.connect("c", delayed(delay, expiry)).drop();
    harness.advance(afterMs - 100);
    assert.deepEqual(watching.trace(), [], `delay ${delay}, expiry ${expiry}`);
    harness.advance(200);
    assert.deepEqual(watching.payloads(), ["gone"], `delay ${delay}, expiry ${expiry}`);
  }
});

test("[5.0 MQTT-3.1.2-8] a will waits for its delay, as in mosquitto, though its Session ends with the connection", () => {
  for (const cleanStart of [true, false]) {
    const { harness, watching } = watched();
    const client = harness.connect("c", delayed(5, 0, cleanStart));
    client.subscribe("will");
    client.drop();
    assert.equal(harness.broker.sessions.get("c"), undefined);
    harness.advance(4900);
    assert.deepEqual(watching.trace(), []);
    harness.advance(200);
    assert.deepEqual(watching.payloads(), ["gone"]);
    harness.advance(60_000);
    assert.deepEqual(watching.trace(), []);
  }
});

test("[5.0 MQTT-3.1.3-9] [5.0 MQTT-3.1.2-8] a client that is back before the delay is over takes its will away", () => {
  for (const expiry of [0, 100])
    for (const cleanStart of [true, false]) {
      const { harness, watching } = watched();
      harness.connect("c", delayed(10, expiry)).drop();
      harness.advance(9000);
      harness.connect("c", { cleanStart, properties: { sessionExpirySeconds: 100 } });
      harness.advance(60_000);
      assert.deepEqual(watching.trace(), [], `expiry ${expiry}, clean start ${cleanStart}`);
    }
});

test("a broker that shuts down lets the wills go that wait without a Session: after a restart nobody would know of them", async () => {
  const { harness, watching } = watched();
  for (const topicName of ["gone", "here"]) {
    const options = delayed(10, 0);
    const client = harness.connect(topicName, { ...options, will: { ...options.will, topicName, retain: true } });
    if (topicName === "gone") client.drop();
  }
  const kept = (): boolean[] => ["gone", "here"].map((topicName) => harness.broker.retained.has(topicName));
  assert.deepEqual([kept(), watching.trace()], [[false, false], []]);
  const done = harness.broker.shutdown();
  harness.settle();
  await done;
  assert.deepEqual(kept(), [true, true]);
});

test("wills that wait without a Session take a bounded room; the next one goes out at once", () => {
  const { harness, watching } = watched();
  const options = delayed(10, 0);
  const payload = "x".repeat(60_000);
  let left = 0;
  while (watching.payloads().length === 0) {
    assert.ok(left < 1000, "they stop waiting");
    harness.connect(`c${left++}`, { ...options, will: { ...options.will, payload } }).drop();
  }
  assert.ok(left > 200, `${left} waited`);
  harness.advance(10_100);
  assert.equal(watching.payloads().length, left - 1);
});

test("[5.0 §3.1.3.2.2] on takeover a delayed will is taken away, unless Clean Start 1 ends the Session", () => {
  const { harness, watching } = watched();
  harness.connect("c", delayed(10, 100));
  harness.connect("c", delayed(10, 100));
  harness.advance(20_000);
  assert.deepEqual(watching.trace(), []);
  harness.connect("c", delayed(10, 100, true));
  assert.deepEqual(watching.payloads(), ["gone"]);
  harness.connect("c", delayed(10, 0)).disconnect(0x04);
  for (const cleanStart of [false, true]) harness.connect("c", delayed(10, 0, cleanStart));
  assert.deepEqual(watching.payloads(), ["gone"]);
  harness.advance(20_000);
  assert.deepEqual(watching.trace(), []);
});

test("[5.0 §3.14.2.2.2] an expiry changed at DISCONNECT counts for the will too", () => {
  const { harness, watching } = watched();
  harness.connect("c", delayed(50, 100)).disconnect(0x04, { sessionExpirySeconds: 1 });
  harness.advance(1100);
  assert.deepEqual(watching.payloads(), ["gone"]);
  harness.connect("c", delayed(50, 100)).disconnect(0x04, { sessionExpirySeconds: 0 });
  harness.advance(49_000);
  assert.deepEqual(watching.trace(), []);
  harness.advance(2000);
  assert.deepEqual(watching.payloads(), ["gone"]);
});

test("[5.0 MQTT-3.1.2-9] [5.0 §3.1.3.2] a will carries its properties, and its expiry counts from its publishing", () => {
  const { harness, watching } = watched();
  const properties = {
    messageExpirySeconds: 60,
    payloadFormatIndicator: 1,
    contentType: "text",
    responseTopic: "r",
    correlationData: new Uint8Array([7]),
    userProperties: [
      ["a", "2"],
      ["c", "3"],
    ],
  } as const;
  const { properties: connect } = delayed(0, 100);
  const will = { properties: { ...properties, willDelaySeconds: 20 } };
  harness.connect("c", { properties: connect!, will }).drop();
  harness.advance(20_000);
  assert.deepEqual(watching.publishes()[0]?.properties, properties);
});

test("[5.0 MQTT-3.3.2-18] the properties of a will reach its receivers in the order in which they came, as from mosquitto", () => {
  const name = (text: string) => `26 0001 ${text} 0001 ${text}`;
  const [delay, type, format] = ["18 00000000", "03 0001 74", "01 01"];
  const passed = [name("61"), "08 0001 72", "09 0001 63", format, type, name("62")];
  const properties = [...passed.slice(0, 3), delay, ...passed.slice(3)].join(" ");
  const { harness, watching } = watched();
  const client = harness.open(5);
  const length = (hex: string) => bytesOfHex(hex).length.toString(16).padStart(2, "0");
  const rest = `0004 4d515454 05 06 0000 00 0001 63 ${length(properties)} ${properties} 0004 77696c6c 0000`;
  client.sendHex(`10 ${length(rest)} ${rest}`);
  client.drop();
  const publish = `0004 77696c6c ${length(passed.join(" "))} ${passed.join(" ")}`;
  const came = watching.hex();
  assert.ok(came.endsWith(hexOf(bytesOfHex(`30 ${length(publish)} ${publish}`))), came);
});

test("a will that nobody receives at first waits for a Session as any message", () => {
  const harness = new BrokerHarness();
  const lasting = { cleanStart: false, properties: { sessionExpirySeconds: 1000 } };
  const away = harness.connect("away", lasting);
  away.subscribe("will");
  away.drop();
  harness.connect("c", { will: { qos: 1 } }).drop();
  assert.deepEqual(harness.connect("away", lasting).payloads(), ["gone"]);
});

test("[5.0 MQTT-3.2.2-12] a will above the maximum QoS is refused with 0x9B", () => {
  const harness = new BrokerHarness({ entrance: { maximumQos: 1 } });
  assert.equal(harness.open(5).connect("c", { will: { qos: 2 } })?.reasonCode, 0x9b);
  const old = harness.open(4);
  assert.deepEqual([old.connect("c", { will: { qos: 2 } }), old.isClosed], [null, true]);
});

test("a will deeper than allowed is refused with 0x90", () => {
  const harness = new BrokerHarness({ options: { maximumTopicLevels: 2 } });
  assert.equal(harness.open(5).connect("c", { will: { topicName: "a/b/c" } })?.reasonCode, 0x90);
});

test("a will below $SYS, which only the broker writes, is refused: 0x87, before 5.0 code 5", () => {
  const harness = new BrokerHarness();
  for (const version of VERSIONS) {
    const client = harness.open(version);
    const connack = client.connect("c", { will: { topicName: "$SYS/broker/version" } });
    assert.deepEqual([connack?.reasonCode, client.isClosed], [version === 5 ? 0x87 : 5, true]);
  }
});

test("a will to a topic that its client may not write is not published", () => {
  const policy = {
    allowsAll: false,
    canSubscribe: () => true,
    canReceive: () => true,
    canPublish: (topicName: string) => topicName !== "will",
  };
  const harness = new BrokerHarness({
    authenticator: { authenticate: () => ({ kind: "accepted", policy, principal: null }) },
  });
  const watching = harness.connect("watching");
  watching.subscribe("#");
  harness.connect("c", { will: {} }).drop();
  assert.deepEqual(watching.trace(), []);
});

test("no local also holds for a will of the same client", () => {
  const harness = new BrokerHarness();
  const options = { cleanStart: false, properties: { sessionExpirySeconds: 100 }, will: { qos: 1 } } as const;
  const client = harness.connect("c", options);
  client.subscribe("will", { noLocal: true });
  client.drop();
  assert.deepEqual(harness.connect("c", { ...options }).trace(), []);
});
