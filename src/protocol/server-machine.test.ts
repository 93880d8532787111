// The server's end on a clock that moves by hand: CONNECT first and once, its answer, deadlines, limits, AUTH, and the last word.
import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOfHex, hexOf } from "../../test/support/hex.ts";
import { decodePacket, encodePacket, isFault } from "./codec.ts";
import { MqttError } from "./errors.ts";
import { Framer } from "./framer.ts";
import { OutputPool } from "./output.ts";
import type { Auth, Connect, Packet, Version } from "./packet.ts";
import { publishOf } from "./packets/publish.ts";
import { NO_PROPERTIES, type Properties } from "./properties.ts";
import { ReasonCode } from "./reason-codes.ts";
import { END_REASONS, type EndReason } from "./reasons.ts";
import { type Acceptance, type ServerEvent, ServerMachine } from "./server-machine.ts";

const POOL = new OutputPool();

/** A machine at the time 1000 that takes a CONNECT of 1000 bytes within 5 s. */
function openMachine(): ServerMachine {
  return new ServerMachine({ maximumConnectBytes: 1000, connectTimeoutMs: 5000, pool: POOL }, 1000);
}

function connectOf(version: Version, properties: Properties = NO_PROPERTIES): Connect {
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
    properties,
  };
}

const ACCEPTANCE: Acceptance = {
  sessionPresent: false,
  properties: NO_PROPERTIES,
  keepAliveSeconds: 10,
  maximumPacketSize: 200,
  topicAliasMaximum: 2,
};

/** A machine whose client is connected; its CONNACK has been taken. */
function connected(version: Version, fields: Partial<Acceptance> = {}, properties?: Properties): ServerMachine {
  const machine = deciding(version, properties);
  machine.accept({ ...ACCEPTANCE, ...fields }, 1000);
  machine.takeOutput();
  return machine;
}

/** A machine that has handed its CONNECT over. */
function deciding(version: Version, properties?: Properties): ServerMachine {
  const machine = openMachine();
  machine.receive(encodePacket(connectOf(version, properties), version), 1000);
  assert.equal(machine.next()?.type, "CONNECT");
  return machine;
}

function eventsOf(machine: ServerMachine): ServerEvent[] {
  const events: ServerEvent[] = [];
  for (let event = machine.next(); event !== null; event = machine.next()) events.push(event);
  return events;
}

function output(machine: ServerMachine): string {
  return hexOf(new Uint8Array(Buffer.concat(machine.takeOutput()?.segments ?? [])));
}

/** What was written, packet by packet. */
function sent(machine: ServerMachine, version: Version): Packet[] {
  const framer = new Framer(1_000_000);
  framer.push(bytesOfHex(output(machine)));
  const packets: Packet[] = [];
  while (framer.next() === "packet") {
    const packet = decodePacket(framer.bytes, framer.start, framer.end, version, "server");
    assert.ok(!isFault(packet), "what the machine writes is legal");
    packets.push(packet);
  }
  return packets;
}

/** The reason of the end, which must be the only event left. */
function endOf(machine: ServerMachine): EndReason {
  const [event, ...more] = eventsOf(machine);
  assert.equal(event?.type, "ENDED");
  assert.deepEqual(more, []);
  return event.reason;
}

function publish(
  fields: { topicName?: string; payload?: Uint8Array; properties?: Properties },
  version: Version,
): Uint8Array {
  const { topicName = "t", payload = new Uint8Array(0), properties = NO_PROPERTIES } = fields;
  const packet = publishOf({ topicName, payload, qos: 0, retain: false, dup: false, packetId: 0, properties });
  return encodePacket(packet, version);
}

test("whatever comes first and is no CONNECT ends the connection at its first byte, without an answer", () => {
  for (let first = 0; first < 256; first++) {
    if (first >> 4 === 1 && first !== 0x16) continue;
    const machine = openMachine();
    machine.receive(new Uint8Array([first]), 1000);
    const isTls = first === 0x16;
    const [event] = eventsOf(machine);
    assert.equal(event?.type === "ENDED" && event.reason, isTls ? "malformed-packet" : "protocol-error");
    if (isTls) assert.match(String(event?.type === "ENDED" && event.fault?.message), /TLS handshake/);
    assert.equal(output(machine), "");
  }
});

test("a CONNECT is an event wherever its bytes are cut, and nothing else is until it is decided", () => {
  const bytes = encodePacket(connectOf(5), 5);
  const machine = openMachine();
  for (const byte of bytes.subarray(0, -1)) {
    machine.receive(new Uint8Array([byte]), 1000);
    assert.equal(machine.next(), null);
  }
  machine.receive(new Uint8Array([bytes.at(-1)!, 0xc0, 0x00]), 1000);
  assert.deepEqual(eventsOf(machine), [connectOf(5)]);
  machine.receive(bytesOfHex("c000"), 1000);
  assert.deepEqual(eventsOf(machine), []);
  machine.accept(ACCEPTANCE, 1000);
  assert.deepEqual(eventsOf(machine), [{ type: "PINGREQ" }, { type: "PINGREQ" }], "what came meanwhile is not lost");
});

test("a CONNECT that does not come in time ends the connection", () => {
  const machine = openMachine();
  machine.receive(bytesOfHex("10"), 5000);
  assert.equal(machine.deadlineMs(), 6000);
  machine.tick(5999);
  assert.equal(machine.next(), null);
  machine.tick(6000);
  assert.equal(endOf(machine), "connect-timeout");
  assert.equal(output(machine), "", "nobody has said which version to answer in");
  assert.equal(machine.deadlineMs(), Number.POSITIVE_INFINITY);
});

test("no deadline runs while others decide", () => {
  const machine = deciding(4);
  assert.equal(machine.deadlineMs(), Number.POSITIVE_INFINITY);
  machine.tick(1e9);
  assert.equal(machine.next(), null);
});

for (const [version, hex] of [
  [3, "20020000"],
  [4, "20020100"],
  [5, "2006010003210014"],
] as const)
  test(`CONNACK of version ${version}`, () => {
    const machine = deciding(version);
    machine.accept({ ...ACCEPTANCE, sessionPresent: true, properties: { receiveMaximum: 20 } }, 1000);
    assert.equal(output(machine), hex, "without what the version cannot tell");
    assert.equal(machine.isConnected, true);
  });

test("a client that takes no packet as large as its CONNACK is let go", () => {
  const machine = deciding(5, { maximumPacketSize: 4 });
  machine.accept(ACCEPTANCE, 1000);
  assert.equal(endOf(machine), "packet-too-large");
  assert.equal(output(machine), "");
});

/** What a client of each version is told when it is refused; "" is nothing. */
for (const [reason, return311, code5] of [
  ["not-authorized", "20020005", 0x87],
  ["bad-user-name-or-password", "20020005", 0x87],
  ["client-identifier-not-valid", "20020002", 0x85],
  ["server-unavailable", "20020003", 0x88],
  ["server-busy", "20020003", 0x89],
  ["unsupported-protocol-version", "20020001", 0x84],
  ["banned", "20020005", 0x8a],
  ["quota-exceeded", "20020003", 0x97],
  ["server-shutting-down", "", 0x88],
  ["bad-authentication-method", "", 0x8c],
  ["qos-not-supported", "", 0x9b],
  ["retain-not-supported", "", 0x9a],
  ["topic-name-invalid", "", 0x90],
  ["keep-alive-timeout", "", 0x80],
] as const satisfies readonly (readonly [EndReason, string, number])[])
  test(`a CONNECT is refused: ${reason}`, () => {
    for (const version of [3, 4] as const) {
      const machine = deciding(version);
      machine.refuse(reason, "why");
      assert.equal(endOf(machine), reason);
      assert.equal(output(machine), return311, `version ${version}`);
    }
    const machine = deciding(5);
    machine.refuse(reason, "why");
    assert.equal(endOf(machine), reason);
    assert.deepEqual(sent(machine, 5), [
      { type: "CONNACK", sessionPresent: false, reasonCode: code5, properties: { reasonString: "why" } },
    ]);
  });

test("no reason to refuse reads as an acceptance", () => {
  for (const reason of Object.keys(END_REASONS) as EndReason[])
    for (const version of [3, 4, 5] as const) {
      const machine = deciding(version);
      machine.refuse(reason);
      for (const packet of sent(machine, version))
        assert.notEqual("reasonCode" in packet && packet.reasonCode, 0, reason);
    }
});

test("a refusal that is too large for the client goes without its explanation", () => {
  const machine = deciding(5, { maximumPacketSize: 10 });
  machine.refuse("not-authorized", "a long explanation");
  assert.equal(output(machine), "2003008700");
});

for (const [hex, answer, why] of [
  ["10 0d 0004 4d515454 04 03 003c 0001 63", "", "3.1.1 has no return code for a malformed CONNECT"],
  ["10 0e 0004 4d515454 05 03 003c 00 0001 63", "81", "the reserved flag in 5.0"],
  ["10 0e 0004 4d515454 85 03 003c 00 0001 63", "81", "the same from a bridge"],
  ["10 11 0004 4d515454 05 02 003c 03 21 0000 0001 63", "82", "receive maximum 0"],
  ["10 0d 0004 4d515454 06 02 003c 0001 63", "84", "a version beyond 5.0 is told so in the form of 5.0"],
  ["10 0d 0004 4d515454 02 02 003c 0001 63", "84", "so is a version that never was"],
  ["10 0f 0006 4d5149736470 02 02 003c 0001 63", "84", "by its old name too"],
  ["10 0d 0004 4d515454 03 02 003c 0001 63", "20020001", "3.1 by the new name is told so in the form of 3.1.1"],
  ["10 0f 0006 4d5149736470 04 02 003c 0001 63", "20020001", "3.1.1 by the old name too"],
  ["10 0d 0004 58585858 04 02 003c 0001 63", "", "another protocol"],
  ["10 0c 0003 4d5154 04 02 003c 0001 63", "", "a name that is too short"],
  ["10 0f 0004 4d515454 05 02 003c 00 0002 6101", "85", "a client identifier with a control character in 5.0"],
  ["10 0e 0004 4d515454 04 02 003c 0002 6101", "", "the same in 3.1.1"],
  ["10 0e 0004 4d515454 05 82 003c 00 0001 63", "", "a user name that is announced and missing"],
  ["10 12 0004 4d515454 05 82 003c 00 0001 63 0002 61ff", "", "a user name that is no UTF-8"],
  ["10 12 0004 4d515454 05 82 003c 00 0001 63 0002 6101", "", "a user name with a control character"],
  ["10 11 0004 4d515454 05 c2 003c 00 0001 63 0001 75", "", "a password that is announced and missing"],
  ["10 14 0004 4d515454 05 82 003c 00 0001 63 0001 75 0001 70", "81", "a password that is not announced"],
  ["10 ff ff 7f 0004 4d515454 05 02", "95", "too large, of 5.0"],
  ["10 ff ff 7f 0004 4d515454 04 02", "", "too large, of 3.1.1"],
  ["10 ff ff ff ff 04 4d515454 05 02", "", "a length of five bytes: where the name begins cannot be told"],
  ["10 00", "", "an empty CONNECT"],
] as const)
  test(`a CONNECT that cannot be taken: ${why}`, () => {
    const machine = openMachine();
    machine.receive(bytesOfHex(hex), 1000);
    endOf(machine);
    if (answer.length !== 2) assert.equal(output(machine), answer);
    else {
      const [packet, ...more] = sent(machine, 5);
      assert.deepEqual(more, []);
      assert.equal(packet?.type, "CONNACK");
      assert.equal(packet.reasonCode, Number.parseInt(answer, 16));
      assert.ok(packet.properties.reasonString, "with an explanation");
    }
  });

test("limits change with the acceptance", () => {
  const machine = connected(4);
  machine.receive(publish({ payload: new Uint8Array(194) }, 4), 1000);
  assert.equal(eventsOf(machine)[0]?.type, "PUBLISH", "200 bytes");
  machine.receive(publish({ payload: new Uint8Array(195) }, 4), 1000);
  assert.equal(endOf(machine), "packet-too-large", "201 bytes");
});

/** What a 5.0 client is told before it is let go for its own fault; earlier versions are told nothing. */
for (const [reason, code, hex, why] of [
  ["malformed-packet", 0x81, "3600", "QoS 3"],
  ["protocol-error", 0x82, "0000", "a reserved type"],
  ["protocol-error", 0x82, "0ac0", "a reserved type, before its length is there"],
  ["protocol-error", 0x82, "00ffffffff", "a reserved type with a length of five bytes"],
  ["protocol-error", 0x82, "20020000", "a CONNACK"],
  ["protocol-error", 0x82, "100e00044d5154540502003c00000163", "a second CONNECT"],
  ["unsupported-protocol-version", 0x82, "100e00044d5154540902003c00000163", "a second CONNECT of an unknown version"],
  ["topic-name-invalid", 0x81, "300400012b00", "a wildcard in a topic"],
  ["topic-filter-invalid", 0x81, "8208000100000261 2300", "a filter that is not well-formed"],
  ["packet-too-large", 0x95, "30ff7f", "a packet larger than 200 bytes, at its header"],
  ["topic-alias-invalid", 0x94, "30070001 74 03 230000", "alias 0"],
  ["topic-alias-invalid", 0x94, "30070001 74 03 230003", "an alias beyond the maximum"],
  ["topic-alias-invalid", 0x94, "30060000 03 230003", "an alias beyond the maximum, without topic"],
  ["protocol-error", 0x82, "30060000 03 230001", "an alias that stands for nothing"],
] as const)
  test(`DISCONNECT 0x${code.toString(16)}: ${why}`, () => {
    const machine = connected(5);
    machine.receive(bytesOfHex(hex), 1000);
    assert.equal(endOf(machine), reason);
    const [packet, ...more] = sent(machine, 5);
    assert.deepEqual(more, []);
    assert.equal(packet?.type, "DISCONNECT");
    assert.equal(packet.reasonCode, code);
    assert.equal(packet.properties.reasonString, machine.ended?.fault?.message);
    if (hex.startsWith("30")) return; // PUBLISH and SUBSCRIBE differ before 5.0
    for (const version of [3, 4] as const) {
      const before = connected(version);
      before.receive(bytesOfHex(hex), 1000);
      endOf(before);
      assert.equal(output(before), "", `version ${version}`);
    }
  });

for (const [reason, hex, why] of [
  ["malformed-packet", "30ffffffff", "a length of five bytes"],
  ["malformed-packet", "c00100", "a PINGREQ with a body"],
  ["protocol-error", "e001a2", "a DISCONNECT with a reason code of servers"],
] as const)
  test(`closed without a word: ${why}`, () => {
    const machine = connected(5);
    machine.receive(bytesOfHex(hex), 1000);
    assert.equal(endOf(machine), reason);
    assert.ok(machine.ended?.fault, "the log can tell what it was");
    assert.equal(output(machine), "");
  });

test("aliases stand for their topics", () => {
  const machine = connected(5);
  const properties = { topicAlias: 2 };
  machine.receive(publish({ topicName: "a", properties }, 5), 1000);
  machine.receive(publish({ topicName: "", properties }, 5), 1000);
  machine.receive(publish({ topicName: "b", properties }, 5), 1000);
  machine.receive(publish({ topicName: "", properties }, 5), 1000);
  const topics = eventsOf(machine).map((event) => event.type === "PUBLISH" && event.topicName);
  assert.deepEqual(topics, ["a", "a", "b", "b"]);
});

test("a server that allows no aliases gets none", () => {
  const machine = connected(5, { topicAliasMaximum: 0 });
  machine.receive(publish({ topicName: "a", properties: { topicAlias: 1 } }, 5), 1000);
  assert.equal(endOf(machine), "topic-alias-invalid");
});

test("an explanation is not sent to a client that wants none, nor to one that takes no packet that large", () => {
  for (const properties of [{ requestProblemInformation: false }, { maximumPacketSize: 20 }] satisfies Properties[]) {
    const machine = connected(5, {}, properties);
    machine.receive(bytesOfHex("3600"), 1000);
    endOf(machine);
    assert.match(output(machine), /^e001(81)$/, JSON.stringify(properties));
  }
  assert.equal(connected(5, {}, { requestProblemInformation: false }).problemInformation, false);
  assert.equal(connected(5).problemInformation, true);
});

for (const version of [3, 4, 5] as const)
  test(`silence of one and a half keep-alives ends a connection of version ${version}`, () => {
    const machine = connected(version);
    assert.equal(machine.deadlineMs(), 16_000);
    machine.tick(15_999);
    assert.equal(machine.next(), null);
    machine.receive(bytesOfHex("c000"), 15_999);
    eventsOf(machine);
    assert.equal(machine.deadlineMs(), 30_999, "a packet is a sign of life");
    machine.receive(bytesOfHex("c0"), 30_000);
    eventsOf(machine);
    assert.equal(machine.deadlineMs(), 30_999, "a byte is not");
    machine.tick(30_999);
    assert.equal(endOf(machine), "keep-alive-timeout");
    assert.equal(output(machine), version === 5 ? "e0018d" : "");
  });

test("a large packet under way is a sign of life", () => {
  const machine = connected(4, { maximumPacketSize: 100_000 });
  machine.receive(bytesOfHex(`30ffff01${"00".repeat(1100)}`), 9000);
  eventsOf(machine);
  assert.equal(machine.deadlineMs(), 24_000);
});

test("keep-alive 0 waits for ever, and silence can be excused", () => {
  assert.equal(connected(4, { keepAliveSeconds: 0 }).deadlineMs(), Number.POSITIVE_INFINITY);
  const machine = connected(4);
  machine.excuseSilence(50_000);
  assert.equal(machine.deadlineMs(), 65_000);
});

test("what the server ends it says to a 5.0 client alone, and what the client ends it does not", () => {
  for (const [reason, hex] of [
    ["session-taken-over", "e0018e"],
    ["server-shutting-down", "e0018b"],
    ["administrative-action", "e00198"],
    ["not-authorized", "e00187"],
    ["server-unavailable", "e00189"],
    ["banned", "e00198"],
    ["client-identifier-not-valid", "e00180"],
    ["client-disconnected", ""],
    ["disconnected-with-will", ""],
    ["connection-closed", ""],
    ["network-error", ""],
    ["write-stalled", ""],
  ] as const satisfies readonly (readonly [EndReason, string])[]) {
    for (const version of [4, 5] as const) {
      const machine = connected(version);
      machine.end(reason);
      assert.equal(endOf(machine), reason);
      assert.equal(output(machine), version === 5 ? hex : "", reason);
    }
  }
});

test("after the end nothing is received or sent, and what was written before still leaves", () => {
  const machine = connected(5);
  machine.receive(bytesOfHex("c000 3600 c000"), 1000);
  assert.deepEqual(machine.next(), { type: "PINGREQ" });
  machine.send({ type: "PINGRESP" });
  assert.equal(machine.next()?.type, "ENDED");
  assert.equal(machine.next(), null);
  machine.receive(bytesOfHex("c000"), 1000);
  assert.equal(machine.next(), null);
  assert.equal(machine.send({ type: "PINGRESP" }), false);
  machine.end("server-shutting-down");
  assert.equal(machine.ended?.reason, "malformed-packet");
  machine.accept(ACCEPTANCE, 1000);
  machine.refuse("banned");
  assert.match(output(machine), /^d000e0..81/);
});

test("a packet larger than the client takes is not sent [5.0 MQTT-3.1.2-24]", () => {
  const machine = connected(5, {}, { maximumPacketSize: 10 });
  const puback = { type: "PUBACK", packetId: 1, reasonCode: 0 } as const;
  assert.equal(machine.send({ ...puback, properties: { reasonString: "long" } }), false);
  assert.equal(machine.send({ ...puback, properties: { reasonString: "" } }), true, "9 bytes");
  machine.sendShortAcknowledgement("PUBREL", 258);
  assert.equal(output(machine), `4007000100031f0000${"62020102"}`);
});

test("a caller's mistake throws and writes nothing", () => {
  const machine = connected(5);
  const puback = { type: "PUBACK", packetId: 0, reasonCode: 0, properties: NO_PROPERTIES } as const;
  assert.throws(() => machine.send(puback), MqttError);
  assert.equal(machine.ended, null);
  assert.equal(output(machine), "");
});

// AUTH [5.0 §4.12]

const METHOD = { authenticationMethod: "m" };

function auth(reasonCode: number, properties: Properties = METHOD): Uint8Array {
  return encodePacket({ type: "AUTH", reasonCode, properties }, 5);
}

/** A machine that has asked its client for more and waits until the time 3000. */
function challenged(): ServerMachine {
  const machine = deciding(5, METHOD);
  assert.equal(machine.canChallenge, true);
  machine.challenge(bytesOfHex("0102"), 3000);
  return machine;
}

test("an authentication goes to and fro before the CONNACK", () => {
  const machine = challenged();
  const properties = { ...METHOD, authenticationData: bytesOfHex("0102") };
  assert.deepEqual(sent(machine, 5), [{ type: "AUTH", reasonCode: 0x18, properties }]);
  assert.equal(machine.deadlineMs(), 3000);
  machine.receive(auth(0x18, { ...METHOD, authenticationData: bytesOfHex("03") }), 2000);
  const event = machine.next() as Auth;
  assert.deepEqual([event.type, hexOf(event.properties.authenticationData!)], ["AUTH", "03"]);
  assert.equal(machine.deadlineMs(), Number.POSITIVE_INFINITY, "others decide again");
  machine.challenge(undefined, 9000);
  machine.receive(auth(0x18), 2000);
  assert.equal(machine.next()?.type, "AUTH");
  machine.accept({ ...ACCEPTANCE, properties: METHOD }, 2000);
  assert.deepEqual(
    sent(machine, 5).map(({ type }) => type),
    ["AUTH", "CONNACK"],
  );
});

test("an AUTH that does not come in time ends the connection", () => {
  const machine = challenged();
  machine.tick(2999);
  assert.equal(machine.next(), null);
  machine.tick(3000);
  assert.equal(endOf(machine), "connect-timeout");
});

for (const [hex, code, why] of [
  [hexOf(publish({}, 5)), 0x82, "a PUBLISH [5.0 MQTT-3.1.2-30]"],
  [hexOf(encodePacket(connectOf(5), 5)), 0x82, "a second CONNECT"],
  [hexOf(auth(0x18, { authenticationMethod: "other" })), 0x82, "another method [5.0 MQTT-4.12.0-5]"],
  [hexOf(auth(0x19)), 0x82, "a re-authentication before there was an authentication"],
  ["f0021801", 0x81, "an AUTH that is not well-formed"],
] as const)
  test(`amid an authentication CONNACK 0x${code.toString(16)} answers ${why}`, () => {
    const machine = challenged();
    machine.takeOutput();
    machine.receive(bytesOfHex(hex), 2000);
    endOf(machine);
    const [packet] = sent(machine, 5);
    assert.equal(packet?.type, "CONNACK");
    assert.equal(packet.reasonCode, code);
  });

test("a client may give up amid its authentication", () => {
  const machine = challenged();
  machine.receive(bytesOfHex("e000"), 2000);
  assert.equal(machine.next()?.type, "DISCONNECT");
});

test("a client without a method cannot be asked for more [5.0 MQTT-4.12.0-6]", () => {
  for (const version of [4, 5] as const) {
    const machine = deciding(version);
    assert.equal(machine.canChallenge, false);
    assert.throws(() => machine.challenge(undefined, 3000), MqttError);
    assert.equal(output(machine), "");
  }
});

test("a connected client authenticates once more, and goes on publishing meanwhile [5.0 §4.12.1]", () => {
  const machine = connected(5, {}, METHOD);
  machine.receive(auth(0x19), 1000);
  assert.equal(machine.next()?.type, "AUTH");
  machine.challenge(bytesOfHex("07"), 5000);
  assert.equal(machine.deadlineMs(), 16_000, "keep-alive is what runs");
  machine.receive(publish({}, 5), 1000);
  machine.receive(auth(0x18), 1000);
  assert.deepEqual(
    eventsOf(machine).map(({ type }) => type),
    ["PUBLISH", "AUTH"],
  );
  machine.reauthenticated(undefined);
  assert.deepEqual(
    sent(machine, 5).map((packet) => "reasonCode" in packet && packet.reasonCode),
    [0x18, 0],
  );
  machine.receive(auth(0x19), 1000);
  assert.equal(machine.next()?.type, "AUTH", "and again");
});

test("an AUTH that nobody asked for is a protocol error", () => {
  for (const [properties, packet] of [
    [METHOD, auth(0x18)],
    [METHOD, auth(0x19, { authenticationMethod: "other" })],
    [NO_PROPERTIES, auth(0x19)],
  ] as const) {
    const machine = connected(5, {}, properties);
    machine.receive(packet, 1000);
    assert.equal(endOf(machine), "protocol-error");
    assert.equal(sent(machine, 5)[0]?.type, "DISCONNECT");
  }
  const machine = connected(5, {}, METHOD);
  machine.receive(auth(0x19), 1000);
  machine.receive(auth(0x19), 1000);
  assert.equal(machine.next()?.type, "AUTH");
  assert.equal(endOf(machine), "protocol-error", "a second one before the first is decided");
});

test("a fault while others decide is answered by CONNACK", () => {
  const machine = deciding(5);
  machine.fail({ reasonCode: ReasonCode.ProtocolError, message: "why" });
  assert.deepEqual(
    sent(machine, 5).map(({ type }) => type),
    ["CONNACK"],
  );
});
