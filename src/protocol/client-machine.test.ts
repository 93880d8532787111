// The client's end on a clock that moves by hand: CONNECT and its answer, PINGREQ, what the server may not send, and goodbye.
import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOfHex, hexOf } from "../../test/support/hex.ts";
import { type ClientEvent, ClientMachine } from "./client-machine.ts";
import { encodePacket } from "./codec.ts";
import { MqttError } from "./errors.ts";
import { OutputPool } from "./output.ts";
import type { Connect, Version } from "./packet.ts";
import { NO_PROPERTIES, type Properties } from "./properties.ts";
import { ReasonCode } from "./reason-codes.ts";
import type { EndReason } from "./reasons.ts";

const POOL = new OutputPool();

function newMachine(topicAliases = 5): ClientMachine {
  return new ClientMachine({ maximumPacketSize: 100, connackTimeoutMs: 3000, topicAliases, pool: POOL }, 1000);
}

function connectOf(version: Version, fields: Partial<Connect> = {}): Connect {
  return {
    type: "CONNECT",
    version,
    bridge: false,
    cleanStart: true,
    keepAliveSeconds: 10,
    clientId: "c",
    will: null,
    username: null,
    password: null,
    properties: NO_PROPERTIES,
    ...fields,
  };
}

/** A machine whose CONNECT is out. */
function opened(version: Version, fields?: Partial<Connect>): ClientMachine {
  const machine = newMachine();
  machine.open(connectOf(version, fields), 1000);
  machine.takeOutput();
  return machine;
}

function connack(version: Version, properties: Properties = NO_PROPERTIES): Uint8Array {
  return encodePacket({ type: "CONNACK", sessionPresent: false, reasonCode: 0, properties }, version);
}

/** A machine that has been let in at the time 1000. */
function connected(version: Version, fields?: Partial<Connect>, properties?: Properties): ClientMachine {
  const machine = opened(version, fields);
  machine.receive(connack(version, properties), 1000);
  assert.equal(machine.next()?.type, "CONNACK");
  assert.equal(machine.isConnected, true);
  return machine;
}

function eventsOf(machine: ClientMachine): ClientEvent[] {
  const events: ClientEvent[] = [];
  for (let event = machine.next(); event !== null; event = machine.next()) events.push(event);
  return events;
}

function endOf(machine: ClientMachine): EndReason {
  const [event, ...more] = eventsOf(machine);
  assert.equal(event?.type, "ENDED");
  assert.deepEqual(more, []);
  assert.equal(machine.isConnected, false);
  return event.reason;
}

function output(machine: ClientMachine): string {
  return hexOf(new Uint8Array(Buffer.concat(machine.takeOutput()?.segments ?? [])));
}

test("nothing happens before the CONNECT", () => {
  const machine = newMachine();
  machine.receive(bytesOfHex("d000"), 1000);
  assert.equal(machine.next(), null);
  assert.equal(machine.deadlineMs(), Number.POSITIVE_INFINITY);
  machine.disconnect();
  assert.equal(output(machine), "", "no packet comes before CONNECT [5.0 MQTT-3.1.0-1]");
  assert.equal(endOf(machine), "client-disconnected");
});

for (const version of [3, 4, 5] as const)
  test(`a CONNECT of version ${version} goes out, once`, () => {
    const machine = newMachine();
    machine.open(connectOf(version), 1000);
    assert.equal(output(machine), hexOf(encodePacket(connectOf(version), version)));
    assert.throws(() => machine.open(connectOf(version), 1000), MqttError);
    assert.equal(output(machine), "");
  });

test("a CONNECT that is not legal leaves the machine as it was", () => {
  const machine = newMachine();
  assert.throws(() => machine.open(connectOf(4, { keepAliveSeconds: 70_000 }), 1000), MqttError);
  assert.equal(output(machine), "");
  machine.open(connectOf(4), 1000);
  assert.notEqual(output(machine), "");
});

test("a CONNACK that does not come in time ends the connection", () => {
  const machine = opened(4);
  assert.equal(machine.deadlineMs(), 4000);
  machine.tick(3999);
  assert.equal(machine.next(), null);
  machine.tick(4000);
  assert.equal(endOf(machine), "connect-timeout");
});

test("what the server grants is in force", () => {
  const machine = connected(
    5,
    {},
    {
      receiveMaximum: 7,
      maximumPacketSize: 20,
      serverKeepAliveSeconds: 4,
      topicAliasMaximum: 2,
    },
  );
  assert.deepEqual([machine.receiveMaximum, machine.peerMaximumPacketSize, machine.keepAliveSeconds], [7, 20, 4]);
  assert.equal(machine.deadlineMs(), 5000);
  assert.deepEqual(
    ["a", "b", "c"].map((topic) => machine.aliases?.for(topic)?.alias),
    [1, 2, undefined],
  );
  const puback = { type: "PUBACK", packetId: 1, reasonCode: 0 } as const;
  assert.equal(machine.send({ ...puback, properties: { reasonString: "x".repeat(20) } }), false);
});

test("without properties nothing is limited and no alias is used", () => {
  for (const version of [3, 4, 5] as const) {
    const machine = connected(version);
    assert.deepEqual([machine.receiveMaximum, machine.keepAliveSeconds, machine.aliases], [65_535, 10, null]);
    assert.equal(machine.peerMaximumPacketSize, Number.POSITIVE_INFINITY);
  }
});

for (const [version, code, reason] of [
  [3, 1, "unsupported-protocol-version"],
  [4, 1, "unsupported-protocol-version"],
  [4, 2, "client-identifier-not-valid"],
  [4, 3, "server-unavailable"],
  [4, 4, "bad-user-name-or-password"],
  [4, 5, "not-authorized"],
  [5, 0x84, "unsupported-protocol-version"],
  [5, 0x86, "bad-user-name-or-password"],
  [5, 0x87, "not-authorized"],
  [5, 0x97, "quota-exceeded"],
  [5, 0x9f, "connection-rate-exceeded"],
] as const)
  test(`a CONNACK of version ${version} with code ${code} is an event, and then the end: ${reason}`, () => {
    const machine = opened(version);
    const refusal = { type: "CONNACK", sessionPresent: false, reasonCode: code, properties: NO_PROPERTIES } as const;
    machine.receive(encodePacket(refusal, version), 1000);
    machine.receive(connack(version), 1000);
    assert.deepEqual(machine.next(), refusal);
    assert.equal(endOf(machine), reason);
    assert.equal(output(machine), "");
  });

test("a server of 3.1.1 refuses a client of 5.0 in its own form", () => {
  const machine = opened(5);
  machine.receive(bytesOfHex("20020001"), 1000);
  assert.equal(machine.next()?.type, "CONNACK");
  assert.equal(endOf(machine), "unsupported-protocol-version");
});

test("nothing but AUTH may come before the CONNACK", () => {
  for (const hex of ["d000", "40020001", "3003000174", "e000"]) {
    const machine = opened(hex === "e000" ? 5 : 4);
    machine.receive(bytesOfHex(hex), 1000);
    assert.equal(endOf(machine), "protocol-error");
    assert.equal(output(machine), "", "the server does not count us as connected");
  }
});

/** What the server is told before it is left for its fault; before 5.0 nothing. */
for (const [hex, code, why] of [
  ["2003000000", 0x82, "a second CONNACK"],
  ["c000", 0x82, "a PINGREQ"],
  ["82 08 0001 00 0002 6161 00", 0x82, "a SUBSCRIBE"],
  ["3600", 0x81, "QoS 3"],
  ["3064", 0x95, "a packet of 102 bytes"],
  ["30 07 0001 61 03 230004", 0x94, "an alias beyond the maximum"],
  ["30 06 0000 03 230001", 0x82, "an alias that stands for nothing"],
] as const)
  test(`DISCONNECT 0x${code.toString(16)} answers ${why}`, () => {
    const machine = connected(5, { properties: { topicAliasMaximum: 3 } });
    machine.receive(bytesOfHex(hex), 1000);
    endOf(machine);
    assert.equal(output(machine), `e001${code.toString(16)}`);
  });

test("before 5.0 a fault only closes", () => {
  const machine = connected(4);
  machine.receive(bytesOfHex("20020000"), 1000);
  assert.equal(endOf(machine), "protocol-error");
  assert.equal(output(machine), "");
});

test("the server's aliases stand for their topics", () => {
  const machine = connected(5, { properties: { topicAliasMaximum: 3 } });
  machine.receive(bytesOfHex("30070001610323000330060000032300 03"), 1000);
  const topics = eventsOf(machine).map((event) => event.type === "PUBLISH" && event.topicName);
  assert.deepEqual(topics, ["a", "a"]);
});

test("a client that has announced no aliases takes none", () => {
  const machine = connected(5);
  machine.receive(bytesOfHex("30 07 0001 61 03 230001"), 1000);
  assert.equal(endOf(machine), "topic-alias-invalid");
});

test("the server's DISCONNECT is an event, and then the end", () => {
  for (const [code, reason] of [
    [0x00, "server-disconnected"],
    [0x8b, "server-shutting-down"],
    [0x8e, "session-taken-over"],
    [0x9d, "server-disconnected"],
  ] as const) {
    const machine = connected(5);
    const packet = { type: "DISCONNECT", reasonCode: code, properties: NO_PROPERTIES } as const;
    machine.receive(encodePacket(packet, 5), 1000);
    machine.receive(bytesOfHex("d000"), 1000);
    assert.deepEqual(machine.next(), packet);
    assert.equal(endOf(machine), reason);
    assert.equal(output(machine), "", "nothing is said to one who has gone");
  }
});

test("PINGREQ goes when nothing was sent or received for the keep-alive, and its answer is awaited as long", () => {
  const machine = connected(4);
  assert.equal(machine.deadlineMs(), 11_000);
  machine.tick(10_999);
  assert.equal(output(machine), "");
  machine.tick(11_000);
  assert.equal(output(machine), "c000");
  assert.equal(machine.deadlineMs(), 21_000);
  machine.tick(20_999);
  assert.equal(output(machine), "", "one is under way");
  machine.receive(bytesOfHex("d000"), 20_999);
  assert.deepEqual(eventsOf(machine), [{ type: "PINGRESP" }]);
  machine.tick(21_000);
  assert.equal(output(machine), "c000", "nothing but the PINGREQ was sent for the keep-alive");
  machine.tick(31_000);
  assert.equal(endOf(machine), "keep-alive-timeout");
});

test("sending alone or receiving alone does not put the PINGREQ off", () => {
  const machine = connected(4);
  machine.sentAt(9000);
  assert.equal(machine.deadlineMs(), 11_000, "nothing was received");
  machine.receive(bytesOfHex("40020001"), 8000);
  eventsOf(machine);
  assert.equal(machine.deadlineMs(), 18_000, "the longer silence counts");
});

test("keep-alive 0 sends no PINGREQ", () => {
  const machine = connected(4, { keepAliveSeconds: 0 });
  assert.equal(machine.deadlineMs(), Number.POSITIVE_INFINITY);
  machine.tick(1e9);
  assert.equal(output(machine), "");
});

test("goodbye", () => {
  for (const [version, code, properties, hex, reason] of [
    [4, 0, NO_PROPERTIES, "e000", "client-disconnected"],
    [5, 0, NO_PROPERTIES, "e000", "client-disconnected"],
    [5, 4, NO_PROPERTIES, "e00104", "disconnected-with-will"],
    [5, 0, { sessionExpirySeconds: 0 }, "e00700051100000000", "client-disconnected"],
  ] as const) {
    const machine = connected(version);
    machine.disconnect(code, properties);
    assert.equal(output(machine), hex);
    assert.equal(endOf(machine), reason);
    machine.disconnect();
    assert.equal(output(machine), "");
  }
});

test("a goodbye that a client may not say throws and leaves the connection as it is", () => {
  for (const [version, code, properties] of [
    [4, ReasonCode.DisconnectWithWill, NO_PROPERTIES],
    [4, 0, { sessionExpirySeconds: 1 }],
    [5, ReasonCode.ServerShuttingDown, NO_PROPERTIES],
    [5, ReasonCode.NoSubscriptionExisted, NO_PROPERTIES],
    [5, 0, { receiveMaximum: 1 }],
  ] as const) {
    const machine = connected(version);
    assert.throws(() => machine.disconnect(code, properties), MqttError);
    assert.equal(machine.isConnected, true);
    assert.equal(output(machine), "");
  }
});

// AUTH [5.0 §4.12]

const METHOD = { authenticationMethod: "m" };

function auth(reasonCode: number, properties: Properties = METHOD): Uint8Array {
  return encodePacket({ type: "AUTH", reasonCode, properties }, 5);
}

test("AUTH with the method of CONNECT is an event before and after the CONNACK", () => {
  const machine = opened(5, { properties: METHOD });
  machine.receive(auth(0x18), 1000);
  assert.equal(machine.next()?.type, "AUTH");
  machine.receive(connack(5, METHOD), 1000);
  assert.equal(machine.next()?.type, "CONNACK");
  machine.receive(auth(0x18), 1000);
  machine.receive(auth(0), 1000);
  assert.deepEqual(
    eventsOf(machine).map(({ type }) => type),
    ["AUTH", "AUTH"],
  );
});

test("AUTH that CONNECT did not ask for is a protocol error", () => {
  for (const [properties, packet] of [
    [NO_PROPERTIES, auth(0x18)],
    [METHOD, auth(0x18, { authenticationMethod: "other" })],
    [METHOD, auth(0)],
  ] as const) {
    const machine = opened(5, { properties });
    machine.receive(packet, 1000);
    assert.equal(endOf(machine), "protocol-error");
  }
  const machine = connected(5);
  machine.receive(auth(0x18), 1000);
  assert.equal(endOf(machine), "protocol-error");
  assert.equal(output(machine), "e00182");
});
