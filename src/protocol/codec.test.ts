// What all packets share: who sends them, in which version, and that a packet is told from a fault.
import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOfHex, hexOf } from "../../test/support/hex.ts";
import { decodePacket, encodePacket, isFault } from "./codec.ts";
import { MqttError } from "./errors.ts";
import { type PacketName, PacketType, type Version } from "./packet.ts";
import { MAXIMUM_LIST_ENTRIES } from "./reader.ts";
import { ReasonCode } from "./reason-codes.ts";
import { putVarint, varintBytes } from "./writer.ts";

/** Who sends each type [5.0 §2.1.2]. */
const SENDERS: Readonly<Record<PacketName, string>> = {
  CONNECT: "client",
  CONNACK: "server",
  PUBLISH: "client server",
  PUBACK: "client server",
  PUBREC: "client server",
  PUBREL: "client server",
  PUBCOMP: "client server",
  SUBSCRIBE: "client",
  SUBACK: "server",
  UNSUBSCRIBE: "client",
  UNSUBACK: "server",
  // A server to a bridge.
  PINGREQ: "client server",
  PINGRESP: "server",
  DISCONNECT: "client server",
  AUTH: "client server",
};

for (const [name, senders] of Object.entries(SENDERS) as [PacketName, string][])
  test(`${name} is sent by ${senders}`, () => {
    const flags = name === "PUBREL" || name === "SUBSCRIBE" || name === "UNSUBSCRIBE" ? 2 : 0;
    const bytes = new Uint8Array([(PacketType[name] << 4) | flags, 0]);
    for (const sender of ["client", "server"] as const) {
      const decoded = decodePacket(bytes, 0, 2, 5, sender);
      const isSenders = isFault(decoded) && /only a (client|server) sends it/.test(decoded.message);
      assert.equal(isSenders, !senders.includes(sender), sender);
      if (isSenders) assert.equal(isFault(decoded) && decoded.reasonCode, ReasonCode.ProtocolError);
    }
  });

test("types 0, and 15 before 5.0, are reserved", () => {
  for (const [first, version] of [
    [0x00, 3],
    [0x00, 4],
    [0x00, 5],
    [0x0f, 5],
    [0xf0, 3],
    [0xf0, 4],
  ] as const) {
    const decoded = decodePacket(new Uint8Array([first, 0]), 0, 2, version, "client");
    assert.ok(isFault(decoded));
    assert.equal(decoded.reasonCode, ReasonCode.ProtocolError);
    assert.match(decoded.message, /is reserved/);
  }
});

test("a packet is decoded amid other bytes", () => {
  const bytes = bytesOfHex("ffff 40020007 ffff");
  assert.deepEqual(decodePacket(bytes, 2, 6, 4, "server"), {
    type: "PUBACK",
    packetId: 7,
    reasonCode: 0,
    properties: {},
  });
});

test("a fault says what was wrong against which rule", () => {
  const decoded = decodePacket(bytesOfHex("3203 0001 61"), 0, 5, 4, "client");
  assert.ok(isFault(decoded));
  assert.deepEqual(Object.keys(decoded), ["reasonCode", "message"]);
  assert.match(decoded.message, /the packet ends within a field/);
});

test("PINGREQ and PINGRESP are two bytes in every version", () => {
  for (const version of [3, 4, 5] satisfies Version[]) {
    assert.equal(hexOf(encodePacket({ type: "PINGREQ" }, version)), "c000");
    assert.equal(hexOf(encodePacket({ type: "PINGRESP" }, version)), "d000");
  }
});

test("a caller's mistake is an MqttError with what a peer would have answered", () => {
  const error = new MqttError(ReasonCode.ProtocolError, "why");
  assert.deepEqual([error.name, error.reasonCode, error.message], ["MqttError", 0x82, "why"]);
  assert.ok(error instanceof Error);
});

/** A packet with a list of `count` entries, each of the bytes `entry`. */
function longList(first: number, head: string, entry: string, count: number, isProperties: boolean): Uint8Array {
  const list = bytesOfHex(entry.repeat(count));
  const before = bytesOfHex(head);
  const length = new Uint8Array(isProperties ? varintBytes(list.length) : 0);
  if (isProperties) putVarint(length, 0, list.length);
  const remaining = before.length + length.length + list.length;
  const header = new Uint8Array(1 + varintBytes(remaining));
  header[0] = first;
  putVarint(header, 1, remaining);
  return new Uint8Array(Buffer.concat([header, before, length, list]));
}

for (const [name, sender, first, head, entry, isProperties] of [
  ["topic filters of SUBSCRIBE", "client", 0x82, "000100", "00016100", false],
  ["codes of SUBACK", "server", 0x90, "000100", "00", false],
  ["topic filters of UNSUBSCRIBE", "client", 0xa2, "000100", "000161", false],
  ["codes of UNSUBACK", "server", 0xb0, "000100", "00", false],
  ["user properties", "client", 0x30, "000161", "2600000000", true],
  ["subscription identifiers", "server", 0x30, "000161", "0b01", true],
] as const)
  test(`${name} have a bound in one packet, so that none keeps others waiting`, () => {
    const most = longList(first, head, entry, MAXIMUM_LIST_ENTRIES, isProperties);
    assert.ok(!isFault(decodePacket(most, 0, most.length, 5, sender)));
    const more = longList(first, head, entry, MAXIMUM_LIST_ENTRIES + 1, isProperties);
    const fault = decodePacket(more, 0, more.length, 5, sender);
    assert.equal(isFault(fault) && fault.reasonCode, ReasonCode.QuotaExceeded);
  });
