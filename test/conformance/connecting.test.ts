/** CONNECT and its answer: versions, client identifiers, what the CONNACK says, and what is refused with which reason. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Authenticator } from "../../src/core/index.ts";
import { ALLOW_ALL } from "../../src/core/index.ts";
import { type EndReason, encodePacket, type Properties, type Version } from "../../src/protocol/index.ts";
import { BrokerHarness } from "../support/broker-harness.ts";
import { connectOf } from "../support/test-client.ts";

const VERSIONS = [3, 4, 5] as const;

/** A harness that notes why connections end. */
function watched(parts: ConstructorParameters<typeof BrokerHarness>[0] = {}): {
  harness: BrokerHarness;
  ends: EndReason[];
} {
  const ends: EndReason[] = [];
  const harness = new BrokerHarness({ ...parts, observer: { ended: (_, reason) => ends.push(reason) } });
  return { harness, ends };
}

test("[5.0 §3.2.2.3] the CONNACK of 5.0 is mosquitto 2.1's, byte for byte", () => {
  const client = new BrokerHarness().open(5);
  client.connect("c");
  assert.equal(client.hex(), "200e" + "0000" + "0b" + "22000a" + "27001e8480" + "210014");
});

for (const version of [3, 4] as const) {
  test(`[3.1.1 §3.2] the CONNACK of version ${version} has no properties`, () => {
    const client = new BrokerHarness().open(version);
    client.connect("c");
    assert.equal(client.hex(), "20020000");
  });
}

for (const version of VERSIONS) {
  test(`[5.0 MQTT-3.12.4-1] [3.1.1 MQTT-3.12.4-1] version ${version}: PINGREQ is answered`, () => {
    const client = new BrokerHarness().connect("c", { version });
    client.send({ type: "PINGREQ" });
    assert.deepEqual(client.trace(), ["PINGRESP"]);
  });

  test(`[5.0 MQTT-3.1.4-3] [3.1.1 MQTT-3.1.4-2] version ${version}: packets sent with the CONNECT in one go are handled`, () => {
    const client = new BrokerHarness().open(version);
    client.send(connectOf(version, "c"), { type: "PINGREQ" }, { type: "PINGREQ" });
    assert.deepEqual(client.trace(), ["CONNACK 0x00", "PINGRESP", "PINGRESP"]);
  });

  test(`[5.0 MQTT-3.1.0-1] [3.1.1 MQTT-3.1.0-1] version ${version}: a first packet other than CONNECT closes the connection`, () => {
    const { harness, ends } = watched();
    const client = harness.open(version);
    client.send({ type: "PINGREQ" });
    assert.deepEqual([client.isClosed, client.hex(), ends], [true, "", ["protocol-error"]]);
  });

  test(`[5.0 MQTT-3.1.0-2] [3.1.1 MQTT-3.1.0-2] version ${version}: a second CONNECT is a protocol error`, () => {
    const { harness, ends } = watched();
    const client = harness.connect("c", { version });
    client.send(connectOf(version, "c"));
    assert.deepEqual(client.trace(), version === 5 ? ["DISCONNECT 0x82"] : []);
    assert.deepEqual([client.isClosed, ends], [true, ["protocol-error"]]);
  });
}

test("[5.0 MQTT-3.1.2-1] [3.1.1 MQTT-3.1.2-1] an unknown protocol name is closed without a word", () => {
  const client = new BrokerHarness().open(4);
  client.sendHex("10 0e 0002 686a 04 02 0000 0004 61626364");
  assert.deepEqual([client.hex(), client.isClosed], ["", true]);
});

test("[5.0 MQTT-3.1.2-2] a protocol level that is none is refused with 0x84", () => {
  const { harness, ends } = watched();
  for (const hex of [
    "10 0d 0004 4d515454 02 02 0000 0001 63",
    "10 0d 0004 4d515454 07 02 0000 0001 63",
    "10 0f 0006 4d5149736470 06 02 0000 0001 63",
  ]) {
    const client = harness.open(5);
    client.sendHex(hex);
    assert.deepEqual([client.trace(), client.isClosed], [["CONNACK 0x84"], true], hex);
  }
  assert.deepEqual(ends, new Array(3).fill("unsupported-protocol-version"));
});

test("[3.1.1 MQTT-3.1.2-2] a protocol level that belongs to another name is refused with return code 1", () => {
  const { harness, ends } = watched();
  for (const hex of ["10 0d 0004 4d515454 03 02 0000 0001 63", "10 0f 0006 4d5149736470 04 02 0000 0001 63"]) {
    const client = harness.open(4);
    client.sendHex(hex);
    assert.deepEqual([client.hex(), client.isClosed], ["20020001", true], hex);
  }
  assert.deepEqual(ends, new Array(2).fill("unsupported-protocol-version"));
});

for (const [version, answer] of [
  [3, "20020001"],
  [4, "20020001"],
  [5, "84"],
] as const) {
  test(`[5.0 MQTT-3.1.2-2] version ${version} that is switched off is refused with 0x84, before 5.0 with 1`, () => {
    const versions = VERSIONS.filter((other) => other !== version);
    const { harness, ends } = watched({ entrance: { versions } });
    const client = harness.open(version);
    client.connect("c");
    assert.ok(version === 5 ? client.connack?.reasonCode === 0x84 : client.hex() === answer);
    assert.deepEqual([client.isClosed, ends], [true, ["unsupported-protocol-version"]]);
  });
}

test("[5.0 MQTT-3.1.3-6] [5.0 MQTT-3.1.3-7] [5.0 MQTT-3.2.2-16] a 5.0 client without identifier gets one, also with Clean Start 0", () => {
  const harness = new BrokerHarness({ entrance: { autoIdPrefix: "auto-" } });
  const ids = [true, false].map((cleanStart) => {
    const client = harness.open(5);
    return client.connect("", { cleanStart })?.properties.assignedClientId;
  });
  assert.deepEqual(ids, ["auto-random-1", "auto-random-2"]);
  assert.equal(harness.connect("own").connack?.properties.assignedClientId, undefined);
});

test("[5.0 MQTT-3.2.2-16] an assigned identifier is not one that a Session has", () => {
  const harness = new BrokerHarness();
  harness.connect("auto-random-1");
  const client = harness.open(5);
  assert.equal(client.connect("")?.properties.assignedClientId, "auto-random-2");
});

test("[3.1.1 MQTT-3.1.3-6] [3.1.1 MQTT-3.1.3-7] [3.1.1 MQTT-3.1.3-8] an empty identifier needs a clean session in 3.1.1", () => {
  const { harness, ends } = watched();
  assert.equal(harness.open(4).connect("", { cleanStart: true })?.reasonCode, 0);
  const refused = harness.open(4);
  refused.sendHex("10 0c 0004 4d515454 04 00 0000 0000");
  assert.deepEqual([refused.hex(), refused.isClosed, ends], ["20020002", true, ["client-identifier-not-valid"]]);
});

test("MQTT 3.1 allows no empty identifier", () => {
  const client = new BrokerHarness().open(3);
  client.sendHex("10 0e 0006 4d5149736470 03 02 0000 0000");
  assert.deepEqual([client.hex(), client.isClosed], ["20020002", true]);
});

test("[5.0 MQTT-3.1.3-5] [3.1.1 MQTT-3.1.3-5] long identifiers and those with any character are taken", () => {
  const harness = new BrokerHarness();
  for (const [version, id] of [
    [3, "x".repeat(200)],
    [4, "+/#"],
    [5, "ä€😀"],
  ] as const)
    assert.equal(harness.open(version).connect(id)?.reasonCode, 0);
});

/** Refuses everybody with `reason`. */
function refusing(reason: EndReason, reasonString?: string): Authenticator {
  return { authenticate: () => ({ kind: "refused", reason, ...(reasonString !== undefined && { reasonString }) }) };
}

for (const [reason, v5, v311] of [
  ["bad-user-name-or-password", 0x87, 5],
  ["not-authorized", 0x87, 5],
  ["client-identifier-not-valid", 0x85, 2],
  ["server-unavailable", 0x88, 3],
  ["server-busy", 0x89, 3],
  ["banned", 0x8a, 5],
  ["quota-exceeded", 0x97, 3],
] as const satisfies readonly (readonly [EndReason, number, number])[]) {
  test(`[5.0 MQTT-3.2.2-7] [3.1.1 MQTT-3.2.2-5] a refusal by ${reason} is 0x${v5.toString(16)}, before 5.0 ${v311}, and closes`, () => {
    for (const version of VERSIONS) {
      const { harness, ends } = watched({ authenticator: refusing(reason) });
      const client = harness.open(version);
      const connack = client.connect("c", { username: "u", password: "wrong" });
      assert.deepEqual([connack?.reasonCode, connack?.sessionPresent], [version === 5 ? v5 : v311, false]);
      assert.deepEqual([client.isClosed, ends], [true, [reason]]);
    }
  });
}

test("[5.0 §3.2.2.3.9] a refusal says why as a Reason String", () => {
  const harness = new BrokerHarness({ authenticator: refusing("not-authorized", "no such user") });
  const client = harness.open(5);
  assert.equal(client.connect("c")?.properties.reasonString, "no such user");
});

test("[5.0 MQTT-3.1.4-6] nothing that follows a refused CONNECT is handled", () => {
  const harness = new BrokerHarness({ authenticator: refusing("not-authorized") });
  const client = harness.open(5);
  client.send(connectOf(5, "c"), { type: "PINGREQ" });
  assert.deepEqual(client.trace(), ["CONNACK 0x87"]);
});

test("an authenticator that fails lets nobody in", async () => {
  const failing: Authenticator = { authenticate: () => Promise.reject(new Error("out of order")) };
  const throwing: Authenticator = {
    authenticate: () => {
      throw new Error("out of order");
    },
  };
  for (const authenticator of [failing, throwing]) {
    const { harness, ends } = watched({ authenticator });
    const client = harness.open(5);
    client.connect("c");
    await harness.rest();
    assert.deepEqual([client.connack?.reasonCode, client.isClosed, ends], [0x88, true, ["server-unavailable"]]);
  }
});

test("a CONNACK does not wait for the end of the turn, and leaves in one write with the answers to what came with the CONNECT", () => {
  const harness = new BrokerHarness();
  harness.isHeld = true;
  const writes: string[] = [];
  const { link } = harness.open(4);
  const connection = harness.broker.accept(
    {
      ...link,
      write: ({ segments }) => {
        writes.push(Buffer.concat(segments).toString("hex"));
        return 0;
      },
    },
    harness.authenticator,
  );
  const packets = [connectOf(4, "c"), { type: "PINGREQ" }] as const;
  connection.receive(Buffer.concat(packets.map((packet) => encodePacket(packet, 4))));
  assert.deepEqual(writes, ["20020000d000"]);
  connection.receive(encodePacket({ type: "PINGREQ" }, 4));
  assert.equal(writes.length, 1, "what follows waits for the end of the turn");
  harness.settle();
  assert.deepEqual(writes.slice(1), ["d000"]);
});

test("[5.0 MQTT-3.2.0-1] [3.1.1 MQTT-3.2.0-1] while the authenticator thinks, what follows waits and the CONNACK comes first", async () => {
  for (const version of VERSIONS) {
    const authenticator: Authenticator = {
      authenticate: async () => ({ kind: "accepted", policy: ALLOW_ALL, principal: null }),
    };
    const harness = new BrokerHarness({ authenticator });
    const client = harness.open(version);
    client.send(connectOf(version, "c"), { type: "PINGREQ" });
    assert.deepEqual(client.trace(), []);
    client.send({ type: "PINGREQ" });
    await harness.rest();
    assert.deepEqual(client.trace(), ["CONNACK 0x00", "PINGRESP", "PINGRESP"]);
  }
});

test("a client that goes while the authenticator thinks is gone", async () => {
  const authenticator: Authenticator = {
    authenticate: async () => ({ kind: "accepted", policy: ALLOW_ALL, principal: null }),
  };
  const harness = new BrokerHarness({ authenticator });
  const client = harness.open(5);
  client.connect("c");
  client.drop();
  await harness.rest();
  assert.deepEqual([harness.broker.connectedClients, harness.broker.sessions.count], [0, 0]);
});

test("a connection without a whole CONNECT ends at the connect timeout, however its bytes dribble in", () => {
  const { harness, ends } = watched({ options: { connectTimeoutMs: 5000 } });
  const silent = harness.open(4);
  const slow = harness.open(4);
  const bytes = encodePacket(connectOf(4, "slow"), 4);
  for (let i = 0; i < 8; i++) {
    slow.sendBytes(bytes.subarray(i, i + 1));
    harness.advance(1000);
  }
  assert.deepEqual([silent.isClosed, slow.isClosed, slow.hex()], [true, true, ""]);
  assert.deepEqual(ends, ["connect-timeout", "connect-timeout"]);
});

test("[5.0 MQTT-3.1.4-1] a CONNECT larger than allowed for strangers is closed by its fixed header", () => {
  const { harness, ends } = watched({ options: { maximumConnectBytes: 1000 } });
  const client = harness.open(5);
  client.sendHex("10 8080 40");
  assert.deepEqual([client.isClosed, ends], [true, ["packet-too-large"]]);
});

test("[5.0 §4.13.1] a CONNECT of 5.0 with a fault is told its reason code, one of 3.1.1 is only closed", () => {
  const { harness, ends } = watched();
  const reserved = harness.open(5);
  reserved.sendHex("10 0e 0004 4d515454 05 03 0000 00 0001 63");
  assert.equal(reserved.connack?.reasonCode, 0x81);
  const older = harness.open(4);
  older.sendHex("10 0d 0004 4d515454 04 03 0000 0001 63");
  assert.deepEqual([older.hex(), older.isClosed], ["", true]);
  assert.deepEqual(ends, ["malformed-packet", "malformed-packet"]);
});

for (const version of VERSIONS) {
  for (const parts of [{ options: { maximumConnections: 2 } }, { entrance: { maximumConnections: 2 } }]) {
    const [kind] = Object.keys(parts);
    test(`version ${version}: more connections than the ${kind} allow are closed without a word until one goes`, () => {
      const { harness, ends } = watched(parts);
      const first = harness.connect("a", { version });
      harness.connect("b", { version });
      const third = harness.open(version);
      assert.deepEqual([third.hex(), third.isClosed, ends], ["", true, ["too-many-connections"]]);
      first.disconnect();
      assert.equal(harness.open(version as Version).connect("c")?.reasonCode, 0);
    });
  }

  test(`version ${version}: more sessions than allowed are refused, and let in again when one ends`, () => {
    const { harness, ends } = watched({ options: { maximumClients: 2 } });
    const durable: Properties = version === 5 ? { sessionExpirySeconds: 60 } : {};
    harness.connect("a", { version, cleanStart: false, properties: durable }).drop();
    const second = harness.connect("b", { version });
    assert.equal(harness.open(version).connect("c")?.reasonCode, version === 5 ? 0x89 : 3);
    assert.ok(ends.includes("server-busy"));
    second.disconnect();
    assert.equal(harness.open(version).connect("c")?.reasonCode, 0);
    assert.equal(harness.open(version).connect("a", { cleanStart: false })?.reasonCode, 0);
  });

  test(`version ${version}: client identifiers without the prefix are refused`, () => {
    const { harness } = watched({ options: { clientIdPrefix: "secure-" } });
    assert.equal(harness.open(version).connect("insecure")?.reasonCode, version === 5 ? 0x87 : 5);
    assert.equal(harness.open(version).connect("secure-1")?.reasonCode, 0);
  });

  test(`version ${version}: the user name is the client identifier where that is set, and must be there`, () => {
    const { harness } = watched({ entrance: { usernameAsClientId: true } });
    assert.equal(harness.open(version).connect("any")?.reasonCode, version === 5 ? 0x87 : 5);
    harness.connect("any", { version, username: "ann" });
    assert.ok(harness.broker.sessions.get("ann") !== undefined);
    assert.equal(harness.broker.sessions.get("any"), undefined);
  });
}

test("[5.0 §3.2.2.3.15] Response Information is given only to those who ask [5.0 MQTT-3.1.2-28]", () => {
  const harness = new BrokerHarness({ options: { responseInformation: "responses/" } });
  const asking = harness.connect("a", { properties: { requestResponseInformation: true } });
  assert.equal(asking.connack?.properties.responseInformation, "responses/a");
  const denying = harness.connect("b", { properties: { requestResponseInformation: false } });
  assert.equal(denying.connack?.properties.responseInformation, undefined);
  assert.equal(harness.connect("c").connack?.properties.responseInformation, undefined);
});

test("[5.0 MQTT-3.1.2-24] a client whose maximum packet size the CONNACK exceeds is not sent it, and let go", () => {
  const { harness, ends } = watched();
  const client = harness.open(5);
  assert.equal(client.connect("c", { properties: { maximumPacketSize: 8 } }), null);
  assert.deepEqual([client.isClosed, ends], [true, ["packet-too-large"]]);
  assert.equal(harness.broker.connectedClients, 0);
});

test("a zero-length client identifier is refused where that is set, before 5.0 with 2", () => {
  const { harness } = watched({ entrance: { allowZeroLengthClientId: false } });
  assert.equal(harness.open(4).connect("")?.reasonCode, 2);
  assert.equal(harness.open(5).connect("")?.reasonCode, 0x80);
});

test("without Reason Strings refusals and ends are the bare codes that mosquitto sends", () => {
  const { harness } = watched({ entrance: { allowZeroLengthClientId: false }, options: { reasonStrings: false } });
  const refused = harness.open(5);
  refused.connect("");
  assert.deepEqual(refused.connack?.properties, {});
  const client = harness.connect("c", { version: 5 });
  client.send(connectOf(5, "c"));
  assert.ok(client.hex().endsWith("e00182"));
});
