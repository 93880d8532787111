// The table of properties is that of the specification, and the rules for reading and writing them hold for every row.
import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOfHex, hexOf } from "../../test/support/hex.ts";
import { MqttError } from "./errors.ts";
import {
  decodeProperties,
  encodeProperties,
  hasProperties,
  NO_PROPERTIES,
  PROPERTIES,
  type Properties,
  type PropertyPacket,
} from "./properties.ts";
import { Reader } from "./reader.ts";
import { Writer } from "./writer.ts";

/** [5.0 §2.2.2.2] Table 2-4: name, type and packets of each identifier. */
const SPECIFIED: Readonly<Record<number, readonly [name: string, kind: string, packets: string]>> = {
  1: ["Payload Format Indicator", "byte", "PUBLISH WILL"],
  2: ["Message Expiry Interval", "u32", "PUBLISH WILL"],
  3: ["Content Type", "utf8", "PUBLISH WILL"],
  8: ["Response Topic", "topic", "PUBLISH WILL"],
  9: ["Correlation Data", "binary", "PUBLISH WILL"],
  11: ["Subscription Identifier", "varint", "PUBLISH SUBSCRIBE"],
  17: ["Session Expiry Interval", "u32", "CONNECT CONNACK DISCONNECT"],
  18: ["Assigned Client Identifier", "utf8", "CONNACK"],
  19: ["Server Keep Alive", "u16", "CONNACK"],
  21: ["Authentication Method", "utf8", "CONNECT CONNACK AUTH"],
  22: ["Authentication Data", "binary", "CONNECT CONNACK AUTH"],
  23: ["Request Problem Information", "bool", "CONNECT"],
  24: ["Will Delay Interval", "u32", "WILL"],
  25: ["Request Response Information", "bool", "CONNECT"],
  26: ["Response Information", "utf8", "CONNACK"],
  28: ["Server Reference", "utf8", "CONNACK DISCONNECT"],
  31: ["Reason String", "utf8", "CONNACK PUBACK PUBREC PUBREL PUBCOMP SUBACK UNSUBACK DISCONNECT AUTH"],
  33: ["Receive Maximum", "u16", "CONNECT CONNACK"],
  34: ["Topic Alias Maximum", "u16", "CONNECT CONNACK"],
  35: ["Topic Alias", "u16", "PUBLISH"],
  36: ["Maximum QoS", "byte", "CONNACK"],
  37: ["Retain Available", "bool", "CONNACK"],
  38: [
    "User Property",
    "pair",
    "CONNECT CONNACK PUBLISH WILL PUBACK PUBREC PUBREL PUBCOMP SUBSCRIBE SUBACK UNSUBSCRIBE UNSUBACK DISCONNECT AUTH",
  ],
  39: ["Maximum Packet Size", "u32", "CONNECT CONNACK"],
  40: ["Wildcard Subscription Available", "bool", "CONNACK"],
  41: ["Subscription Identifier Available", "bool", "CONNACK"],
  42: ["Shared Subscription Available", "bool", "CONNACK"],
};

test("the table has the properties of the specification and no others", () => {
  const sorted = (packets: readonly string[]) => [...packets].sort().join(" ");
  const table = Object.fromEntries(PROPERTIES.map(({ id, name, kind, on }) => [id, [name, kind, sorted(on)]]));
  const specified = Object.entries(SPECIFIED).map(([id, row]) => [id, [row[0], row[1], sorted(row[2].split(" "))]]);
  assert.deepEqual(table, Object.fromEntries(specified));
  assert.equal(new Set(PROPERTIES.map(({ field }) => field)).size, PROPERTIES.length, "each has a field of its own");
});

test("what CONNACK has is in mosquitto 2.1's order", () => {
  const order = PROPERTIES.map(({ id }) => id).filter((id) =>
    [0x13, 0x22, 0x12, 0x15, 0x16, 0x25, 0x27, 0x21, 0x24].includes(id),
  );
  assert.deepEqual(order, [0x13, 0x22, 0x12, 0x15, 0x16, 0x25, 0x27, 0x21, 0x24]);
});

function encoded(packet: PropertyPacket, properties: Properties): string {
  const writer = new Writer();
  encodeProperties(writer, packet, properties);
  return hexOf(writer.fields());
}

function decoded(packet: PropertyPacket, hex: string): Properties | string {
  const bytes = bytesOfHex(hex);
  const reader = new Reader(bytes, 0, bytes.length);
  const properties = decodeProperties(reader, packet);
  return reader.fault === null ? properties : reader.fault.message;
}

test("no properties are one byte, and the shared object", () => {
  assert.equal(encoded("PUBLISH", NO_PROPERTIES), "00");
  assert.equal(encoded("PUBLISH", {}), "00");
  assert.equal(decoded("PUBLISH", "00"), NO_PROPERTIES);
  assert.ok(Object.isFrozen(NO_PROPERTIES));
});

test("hasProperties tells what there is to write", () => {
  for (const none of [NO_PROPERTIES, {}, { userProperties: [] }, { subscriptionIdentifiers: [] }])
    assert.equal(hasProperties(none), false);
  for (const some of [{ topicAliasMaximum: 0 }, { retainAvailable: false }, { contentType: "" }])
    assert.equal(hasProperties(some), true);
});

test("what follows the properties is left for the next to read", () => {
  const bytes = bytesOfHex("03 21 0014 ff");
  const reader = new Reader(bytes, 0, bytes.length);
  assert.deepEqual(decodeProperties(reader, "CONNECT"), { receiveMaximum: 20 });
  assert.equal(reader.u8(), 0xff);
});

const ILLEGAL: readonly (readonly [packet: PropertyPacket, properties: Properties, message: RegExp])[] = [
  ["CONNECT", { receiveMaximum: 0 }, /Receive Maximum is 0; allowed are 1 to 65535/],
  ["CONNECT", { receiveMaximum: 65_536 }, /Receive Maximum is 65536/],
  ["CONNECT", { receiveMaximum: 1.5 }, /Receive Maximum is 1.5/],
  ["CONNECT", { receiveMaximum: Number.NaN }, /Receive Maximum is NaN/],
  ["CONNECT", { maximumPacketSize: 0 }, /Maximum Packet Size is 0/],
  ["CONNECT", { sessionExpirySeconds: -1 }, /Session Expiry Interval is -1/],
  ["CONNECT", { sessionExpirySeconds: 4_294_967_296 }, /Session Expiry Interval is 4294967296/],
  ["CONNECT", { topicAliasMaximum: 65_536 }, /Topic Alias Maximum is 65536/],
  ["PUBLISH", { topicAlias: 0 }, /Topic Alias is 0/],
  ["PUBLISH", { messageExpirySeconds: 0.5 }, /Message Expiry Interval is 0.5/],
  ["PUBLISH", { payloadFormatIndicator: 2 as 1 }, /Payload Format Indicator is 2; allowed are 0 to 1/],
  ["PUBLISH", { subscriptionIdentifiers: [1, 0] }, /Subscription Identifier is 0/],
  ["PUBLISH", { subscriptionIdentifiers: [268_435_456] }, /Subscription Identifier is 268435456/],
  ["SUBSCRIBE", { subscriptionIdentifiers: [1, 2] }, /Subscription Identifier more than once/],
  ["CONNACK", { maximumQos: 2 as 1 }, /Maximum QoS is 2/],
  ["PUBLISH", { responseTopic: "" }, /Response Topic: topic name is empty/],
  ["WILL", { responseTopic: "a/#" }, /Response Topic: topic name contains "#"/],
  ["PUBLISH", { contentType: "a\0" }, /U\+0000/],
  ["PUBLISH", { contentType: "x".repeat(65_536) }, /65536 bytes/],
  ["PUBLISH", { correlationData: new Uint8Array(65_536) }, /65536 bytes/],
  ["PUBLISH", { userProperties: [["\ud800", ""]] }, /lone surrogate/],
];

for (const [packet, properties, message] of ILLEGAL)
  test(`${packet} refuses to write ${Object.keys(properties)[0]}: ${message.source}`, () =>
    assert.throws(
      () => encoded(packet, properties),
      (error) => error instanceof MqttError && message.test(error.message),
    ));

/** A legal value of each field. */
const SAMPLE: Required<Properties> = {
  payloadFormatIndicator: 1,
  messageExpirySeconds: 4_294_967_295,
  contentType: "text",
  responseTopic: "r",
  correlationData: bytesOfHex("00ff"),
  subscriptionIdentifiers: [268_435_455],
  sessionExpirySeconds: 0,
  assignedClientId: "id",
  serverKeepAliveSeconds: 65_535,
  authenticationMethod: "m",
  authenticationData: new Uint8Array(0),
  requestProblemInformation: false,
  willDelaySeconds: 1,
  requestResponseInformation: true,
  responseInformation: "",
  serverReference: "s",
  reasonString: "é",
  receiveMaximum: 1,
  topicAliasMaximum: 0,
  topicAlias: 65_535,
  maximumQos: 0,
  retainAvailable: true,
  userProperties: [
    ["k", "1"],
    ["k", "2"],
    ["", ""],
  ],
  maximumPacketSize: 1,
  wildcardSubscriptionAvailable: false,
  subscriptionIdentifierAvailable: true,
  sharedSubscriptionAvailable: false,
};

for (const packet of SPECIFIED[38]![2].split(" ") as PropertyPacket[])
  test(`${packet}: every property that belongs there round trips, and no other is written or read`, () => {
    for (const { field, on, name } of PROPERTIES) {
      const properties: Properties = { [field]: SAMPLE[field] };
      if (on.includes(packet)) assert.deepEqual(decoded(packet, encoded(packet, properties)), properties);
      else {
        assert.throws(() => encoded(packet, properties), MqttError);
        assert.match(String(decoded(packet, encoded(on[0]!, properties))), new RegExp(`${name} does not belong in`));
      }
    }
    const all = Object.fromEntries(
      PROPERTIES.filter(({ on }) => on.includes(packet)).map(({ field }) => [field, SAMPLE[field]]),
    );
    assert.deepEqual(decoded(packet, encoded(packet, all)), all, "all at once");
  });
