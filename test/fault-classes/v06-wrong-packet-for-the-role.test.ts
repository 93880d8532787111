// V6: packets that only a server sends, types that there are not, and flags that are reserved: before and after CONNECT, in each
// version. Each is the end of its connection, told with 0x81 or 0x82 where 5.0 can.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Version } from "../../src/protocol/index.ts";
import { BrokerHarness } from "../support/broker-harness.ts";
import { WireClient } from "../support/wire-client.ts";
import { startConfigured } from "./configured-broker.ts";
import { RawSocket } from "./raw-socket.ts";

const VERSIONS = [3, 4, 5] as const satisfies readonly Version[];

/** What only a server may send, legal in itself. */
function serverOnly(version: Version): readonly string[] {
  const isFive = version === 5;
  return [
    isFive ? "20 03 00 00 00" : "20 02 00 00", // CONNACK
    isFive ? "90 04 0001 00 00" : "90 03 0001 00", // SUBACK
    isFive ? "b0 04 0001 00 00" : "b0 02 0001", // UNSUBACK
    "d0 00", // PINGRESP
    "00 00", // type 0
    ...(isFive ? [] : ["f0 00"]), // AUTH is of 5.0
  ];
}

/** Each type of a client's packet, with a body that is legal with the right flags. */
const BODIES: Readonly<Record<string, string>> = {
  "1": "0d 0004 4d515454 04 02 003c 0001 63",
  "4": "02 0001",
  "5": "02 0001",
  "6": "02 0001",
  "7": "02 0001",
  "8": "06 0001 0001 74 00",
  a: "05 0001 0001 74",
  c: "00",
  e: "00",
};

/** All flags that are not those of the type. */
function* reservedFlags(version: Version): Iterable<string> {
  yield* ["36 05 0001 74 0001", "37 05 0001 74 0001", "3e 05 0001 74 0001", "3f 05 0001 74 0001"]; // QoS 3
  // 3.1 reserves none of them.
  if (version === 3) return;
  for (const [type, body] of Object.entries(BODIES)) {
    const right = ["6", "8", "a"].includes(type) ? 2 : 0;
    for (let flags = 0; flags < 16; flags++) {
      if (flags === right) continue;
      yield `${type}${flags.toString(16)} ${body}`;
    }
  }
}

for (const version of VERSIONS) {
  test(`version ${version}: after CONNECT each ends the connection, and 5.0 is told`, () => {
    let count = 0;
    for (const hex of [...serverOnly(version), ...reservedFlags(version)]) {
      const harness = new BrokerHarness();
      const client = harness.connect("c", { version });
      client.sendHex(hex);
      assert.equal(client.isClosed, true, hex);
      const last = client.trace().at(-1);
      if (version === 5) assert.match(last ?? "", /^DISCONNECT 0x8[12]$/, hex);
      else assert.equal(last, undefined, hex);
      assert.equal(harness.broker.connections.size, 0);
      count++;
    }
    assert.ok(count >= (version === 3 ? 10 : 100), `${count}`);
  });

  test(`version ${version}: before CONNECT each is closed without an answer`, () => {
    const harness = new BrokerHarness();
    for (const hex of [...serverOnly(version), ...reservedFlags(version)]) {
      if (hex.startsWith("1")) continue;
      const client = harness.open(version);
      client.sendHex(hex);
      assert.deepEqual([client.isClosed, client.hex()], [true, ""], hex);
    }
    assert.equal(harness.broker.connections.size, 0);
  });
}

test("reserved bits of CONNECT, SUBSCRIBE and a will of QoS 3", () => {
  for (const [hex, code] of [
    ["10 0e 0004 4d515454 05 03 003c 00 0001 63", 0x81], // the reserved connect flag
    ["10 14 0004 4d515454 05 1e 003c 00 0001 63 00 0001 74 0000", 0x81], // will QoS 3
    ["10 0e 0004 4d515454 05 0a 003c 00 0001 63", 0x81], // will QoS without a will
    ["10 0e 0004 4d515454 05 22 003c 00 0001 63", 0x81], // will retain without a will
  ] as const) {
    const client = new BrokerHarness().open(5);
    client.sendHex(hex);
    assert.deepEqual([client.isClosed, client.connack?.reasonCode], [true, code], hex);
  }
  for (const [options, code] of [
    ["03", 0x82], // QoS 3
    ["40", 0x82],
    ["80", 0x82],
    ["30", 0x82], // retain handling 3
  ] as const) {
    const client = new BrokerHarness().connect("c");
    client.sendHex(`82 07 0001 00 0001 74 ${options}`);
    assert.equal(client.isClosed, true);
    assert.match(client.trace().at(-1) ?? "", /^DISCONNECT 0x8[12]$/, `${options}, ${code}`);
  }
});

test("a client that plays the server, over a socket, while another is served", async (context) => {
  const broker = await startConfigured(context, ["allow_anonymous true"]);
  const witness = await WireClient.connect(broker.address, "witness");
  for (const hex of ["20020000", "9003000100", "b0020001", "d000", "2003000000"]) {
    const alone = await RawSocket.lastWords(broker.address, Buffer.from(hex, "hex"));
    assert.equal(alone.length, 0, hex);
    const hello = "100d00044d5154540402003c000163";
    const after = await RawSocket.lastWords(broker.address, Buffer.from(hello + hex, "hex"));
    assert.equal(after.toString("hex"), "20020000", hex);
    await witness.settled();
  }
  assert.equal(
    broker.server.broker.counters.ended["protocol-error"] + broker.server.broker.counters.ended["malformed-packet"],
    10,
  );
});
