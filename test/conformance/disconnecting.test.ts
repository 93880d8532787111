/** How connections end: DISCONNECT both ways, keep-alive, faults with their reason codes, the shutdown. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { END_REASONS, type EndReason, type Fault, type Version } from "../../src/protocol/index.ts";
import { BrokerHarness } from "../support/broker-harness.ts";
import type { TestClient } from "../support/test-client.ts";

const VERSIONS = [3, 4, 5] as const;

/** A connected client and how its connection ended. */
function connected(version: Version): {
  client: TestClient;
  harness: BrokerHarness;
  ends: [EndReason, Fault | null][];
} {
  const ends: [EndReason, Fault | null][] = [];
  const harness = new BrokerHarness({ observer: { ended: (_, reason, fault) => ends.push([reason, fault]) } });
  return { client: harness.connect("c", { version }), harness, ends };
}

for (const version of VERSIONS) {
  test(`[5.0 MQTT-3.14.4-2] [3.1.1 MQTT-3.14.4-1] version ${version}: DISCONNECT closes, and nothing that follows is handled`, () => {
    const { client, harness, ends } = connected(version);
    client.send({ type: "DISCONNECT", reasonCode: 0, properties: {} }, { type: "PINGREQ" });
    assert.deepEqual([client.trace(), client.isClosed, ends], [[], true, [["client-disconnected", null]]]);
    assert.deepEqual([harness.broker.connections.size, harness.broker.connectedClients], [0, 0]);
  });

  test(`version ${version}: a network that is gone is told from one that fails`, () => {
    const { client, harness, ends } = connected(version);
    client.drop();
    harness.connect("d", { version }).connection.closed(true);
    assert.deepEqual(
      ends.map(([reason]) => reason),
      ["connection-closed", "network-error"],
    );
  });

  test(`[5.0 MQTT-3.1.2-22] [3.1.1 MQTT-3.1.2-24] version ${version}: keep-alive 0 never ends a connection, and any packet counts`, () => {
    const harness = new BrokerHarness();
    const silent = harness.connect("silent", { version });
    const talking = harness.connect("talking", { version, keepAliveSeconds: 4 });
    for (let i = 0; i < 5; i++) {
      harness.advance(5000);
      talking.publish("t");
    }
    harness.advance(5000);
    assert.deepEqual([silent.isClosed, talking.isClosed], [false, false]);
    harness.advance(2000);
    assert.deepEqual([silent.isClosed, talking.isClosed], [false, true]);
  });

  test(`[5.0 §4.13.2] version ${version}: at a shutdown 5.0 clients are told 0x8B`, async () => {
    const { client, harness, ends } = connected(version);
    const unborn = harness.open(version);
    const done = harness.broker.shutdown();
    harness.settle();
    await done;
    assert.deepEqual(client.trace(), version === 5 ? ["DISCONNECT 0x8b"] : []);
    assert.deepEqual([client.isClosed, unborn.isClosed, unborn.hex()], [true, true, ""]);
    assert.equal(ends[0]?.[0], "server-shutting-down");
  });
}

test("what is received of a large packet counts as a sign of life; a few bytes do not", () => {
  const { client, harness } = connected(5);
  const slow = harness.connect("slow", { keepAliveSeconds: 10 });
  const dribbling = harness.connect("dribbling", { keepAliveSeconds: 10 });
  slow.sendHex("30 a0 8d 06");
  dribbling.sendHex("30 a0 8d 06");
  for (let i = 0; i < 10; i++) {
    slow.sendBytes(new Uint8Array(1000).fill(0x61));
    dribbling.sendBytes(new Uint8Array(1).fill(0x61));
    harness.advance(5000);
  }
  assert.deepEqual([client.isClosed, slow.isClosed, dribbling.isClosed], [false, false, true]);
});

test("[5.0 MQTT-3.1.2-21] a server keep-alive shorter than the client's is told and holds, for a client without one too", () => {
  const harness = new BrokerHarness({ options: { maximumKeepAliveSeconds: 60 } });
  for (const [asked, told] of [
    [120, 60],
    [0, 60],
    [60, undefined],
    [30, undefined],
  ] as const) {
    const client = harness.connect(`c${asked}`, { keepAliveSeconds: asked });
    assert.equal(client.connack?.properties.serverKeepAliveSeconds, told);
    harness.advance(((told ?? asked) * 3 * 1000) / 2 - 100);
    assert.equal(client.isClosed, false);
    harness.advance(700);
    assert.deepEqual(client.trace(), ["DISCONNECT 0x8d"]);
  }
});

test("before 5.0 a client with a longer keep-alive than allowed is refused with 2, as mosquitto does", () => {
  const harness = new BrokerHarness({ options: { maximumKeepAliveSeconds: 60 } });
  for (const [keepAliveSeconds, code] of [
    [61, 2],
    [0, 2],
    [60, 0],
  ] as const)
    assert.equal(harness.open(4).connect("c", { keepAliveSeconds })?.reasonCode, code);
});

/** Bytes that end a connection of 5.0: hexadecimal, the code of the DISCONNECT, and the rule. */
const FAULTS: readonly (readonly [hex: string, code: number, why: string])[] = [
  ["00 00", 0x82, "packet type 0 [5.0 §2.1.2]"],
  ["31 00", 0x81, "PUBLISH without topic"],
  ["36 06 0001 61 0001 00", 0x81, "QoS 3 [5.0 MQTT-3.3.1-4]"],
  ["38 04 0001 61 00", 0x81, "DUP at QoS 0 [5.0 MQTT-3.3.1-2]"],
  ["32 06 0001 61 0000 00", 0x82, "packet identifier 0 [5.0 MQTT-2.2.1-3]"],
  ["30 04 0001 2b 00", 0x81, "a wildcard in a topic name [5.0 MQTT-3.3.2-2]"],
  ["30 04 0001 00 00", 0x81, "U+0000 in a topic name [5.0 MQTT-1.5.4-2]"],
  ["30 04 0001 07 00", 0x81, "a control character in a topic name [5.0 §1.5.4]"],
  ["30 04 0001 ff 00", 0x81, "a topic name that is no UTF-8 [5.0 MQTT-1.5.4-1]"],
  ["30 03 0000 00", 0x81, "no topic name and no alias [5.0 §3.3.2.1]"],
  ["30 06 0001 61 02 01 02", 0x82, "payload format 2 [5.0 §3.3.2.3.2]"],
  ["30 06 0001 61 02 17 00", 0x82, "a property that does not belong in PUBLISH [5.0 §2.2.2.2]"],
  ["30 08 0001 61 04 01 01 01 01", 0x82, "a property given twice [5.0 §2.2.2.2]"],
  ["60 02 0001", 0x81, "PUBREL with flags 0 [5.0 MQTT-3.6.1-1]"],
  ["80 06 0001 00 0001 61 00", 0x81, "SUBSCRIBE with flags 0 [5.0 MQTT-3.8.1-1]"],
  ["82 03 0001 00", 0x81, "SUBSCRIBE without filter [5.0 MQTT-3.8.3-2]"],
  ["82 07 0000 00 0001 61 00", 0x81, "SUBSCRIBE with packet identifier 0 [5.0 MQTT-2.2.1-3]"],
  ["82 09 0001 02 1700 0001 61 00", 0x81, "a property that does not belong in SUBSCRIBE [5.0 §2.2.2.2]"],
  ["82 09 0001 02 2402 0001 61 00", 0x81, "one with an illegal value besides [5.0 §2.2.2.2]"],
  ["82 09 0001 02 0b00 0001 61 00", 0x81, "subscription identifier 0 [5.0 §3.8.2.1.2]"],
  ["82 0b 0001 04 0b01 0b01 0001 61 00", 0x82, "two subscription identifiers [5.0 §3.8.2.1.2]"],
  ["82 0e 0001 00 0008 2473686172652f67 00", 0x82, "a share without filter [5.0 MQTT-4.8.2-1]"],
  ["82 10 0001 00 000a 2473686172652f2b2f74 00", 0x82, "a wildcard as share name [5.0 MQTT-4.8.2-2]"],
  ["82 07 0001 00 0001 61 40", 0x81, "reserved subscription options [5.0 MQTT-3.8.3-5]"],
  ["82 07 0001 00 0001 61 03", 0x81, "SUBSCRIBE with QoS 3 [5.0 §3.8.3.1]"],
  ["82 07 0001 00 0001 61 30", 0x81, "retain handling 3 [5.0 §3.8.3.1]"],
  ["a0 06 0001 00 0001 61", 0x81, "UNSUBSCRIBE with flags 0 [5.0 MQTT-3.10.1-1]"],
  ["a2 03 0001 00", 0x81, "UNSUBSCRIBE without filter [5.0 MQTT-3.10.3-2]"],
  ["a2 06 0000 00 0001 61", 0x81, "UNSUBSCRIBE with packet identifier 0 [5.0 MQTT-2.2.1-3]"],
  ["a2 08 0001 02 0b01 0001 61", 0x81, "a property that does not belong in UNSUBSCRIBE [5.0 §2.2.2.2]"],
  ["c1 00", 0x81, "PINGREQ with flags"],
  ["20 03 00 00 00", 0x82, "CONNACK from a client"],
  ["90 04 0001 00 00", 0x82, "SUBACK from a client"],
  ["91 04 0001 00 00", 0x81, "SUBACK from a client, with flags"],
  ["b4 04 0001 00 00", 0x81, "UNSUBACK from a client, with flags"],
  ["d0 00", 0x82, "PINGRESP from a client"],
];

for (const [hex, code, why] of FAULTS) {
  test(`[5.0 §4.13] ${hex} ends the connection with 0x${code.toString(16)}: ${why}`, () => {
    const { client, ends } = connected(5);
    client.sendHex(hex);
    const { reasonCode, properties } = client.expect("DISCONNECT");
    assert.deepEqual([reasonCode, client.isClosed, client.received], [code, true, []]);
    const [reason, fault] = ends[0]!;
    // Of a topic the client is told that the packet is malformed.
    assert.equal(reason === "topic-name-invalid" ? 0x81 : END_REASONS[reason].code, code);
    assert.equal(properties.reasonString, fault?.message);
  });
}

for (const [hex, why] of [
  ["30 ff ff ff ff 01", "a fifth length byte [5.0 §1.5.5]"],
  ["c0 01 00", "PINGREQ with a body"],
  ["e0 02 8e 00", "DISCONNECT with a code that only servers send [5.0 §3.14.2.1]"],
] as const)
  test(`[5.0 MQTT-4.13.1-1] ${hex} is closed without a word, as by mosquitto: ${why}`, () => {
    const { client, ends } = connected(5);
    client.sendHex(hex);
    assert.deepEqual([client.received, client.isClosed, ends.length], [[], true, 1]);
    assert.ok(ends[0]?.[1], "the log can tell what it was");
  });

test("[5.0 MQTT-3.1.2-29] a client that wants no problem information gets no reason string in DISCONNECT", () => {
  const client = new BrokerHarness().connect("c", { properties: { requestProblemInformation: false } });
  client.sendHex("00 00");
  assert.deepEqual(client.expect("DISCONNECT").properties, {});
});

test("[5.0 MQTT-3.14.2-3] a reason string that makes DISCONNECT too large for the client is left out", () => {
  const client = new BrokerHarness().connect("c", { properties: { maximumPacketSize: 20 } });
  client.sendHex("00 00");
  const { reasonCode, properties } = client.expect("DISCONNECT");
  assert.deepEqual([reasonCode, properties], [0x82, {}]);
});

test("[3.1.1 §4.8] before 5.0 the same faults only close the connection", () => {
  for (const version of [3, 4] as const) {
    for (const hex of ["00 00", "36 05 0001 61 0001", "30 03 0001 2b", "20 02 00 00", "f0 00"]) {
      const { client, ends } = connected(version);
      client.hex();
      client.sendHex(hex);
      assert.deepEqual([client.hex(), client.isClosed, ends.length], ["", true, 1], hex);
    }
  }
});

test("[5.0 MQTT-3.14.4-1] a fault does not keep earlier packets of the same chunk from being handled, and later ones are not", () => {
  const { client, harness } = connected(5);
  const sub = harness.connect("sub");
  sub.subscribe("#");
  client.sendHex("30 05 0001 61 00 31" + "c0 00" + "c1 00" + "30 05 0001 61 00 32");
  assert.deepEqual(client.trace(), ["PINGRESP", "DISCONNECT 0x81"]);
  assert.deepEqual(sub.payloads(), ["1"]);
});

test("a client kicked by an operator is told 0x98, and its Session stays", () => {
  const harness = new BrokerHarness();
  const options = { cleanStart: false, properties: { sessionExpirySeconds: 100 } };
  const client = harness.connect("c", options);
  client.connection.close("administrative-action");
  harness.settle();
  assert.deepEqual([client.trace(), client.isClosed], [["DISCONNECT 0x98"], true]);
  assert.equal(harness.connect("c", options).connack?.sessionPresent, true);
});
