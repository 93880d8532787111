// DISCONNECT and AUTH are as short as they can be, and refused when they say what they cannot.
import assert from "node:assert/strict";
import { test } from "node:test";
import { hexOf } from "../../../test/support/hex.ts";
import { MqttError } from "../errors.ts";
import type { Auth, Disconnect, Version } from "../packet.ts";
import { NO_PROPERTIES } from "../properties.ts";
import { disconnectFault, encodeAuth, encodeDisconnect } from "./disconnect.ts";

function disconnectOf(fields: Partial<Disconnect>): Disconnect {
  return { type: "DISCONNECT", reasonCode: 0, properties: NO_PROPERTIES, ...fields };
}

function authOf(fields: Partial<Auth>): Auth {
  return { type: "AUTH", reasonCode: 0x18, properties: { authenticationMethod: "m" }, ...fields };
}

const MISTAKES: readonly (readonly [Version, Partial<Disconnect>, RegExp])[] = [
  [4, { reasonCode: 4 }, /reason code 0x4 cannot be told before 5.0/],
  [5, { reasonCode: 1 }, /reason code 0x1 does not belong here/],
  [5, { reasonCode: 0x84 }, /reason code 0x84 does not belong here/],
  [4, { properties: { sessionExpirySeconds: 1 } }, /no properties before 5.0/],
  [5, { properties: { receiveMaximum: 1 } }, /Receive Maximum does not belong/],
];

for (const [version, fields, message] of MISTAKES)
  test(`a DISCONNECT of version ${version} is refused: ${message.source}`, () =>
    assert.throws(
      () => encodeDisconnect(disconnectOf(fields), version),
      (error) => error instanceof MqttError && message.test(error.message),
    ));

const AUTH_MISTAKES: readonly (readonly [Version, Partial<Auth>, RegExp])[] = [
  [4, {}, /none before 5.0/],
  [5, { reasonCode: 0x87 }, /reason code 0x87 does not belong here/],
  [5, { properties: NO_PROPERTIES }, /no Authentication Method/],
  [5, { properties: { authenticationMethod: "m", receiveMaximum: 1 } }, /Receive Maximum does not belong/],
];

for (const [version, fields, message] of AUTH_MISTAKES)
  test(`an AUTH of version ${version} is refused: ${message.source}`, () =>
    assert.throws(
      () => encodeAuth(authOf(fields), version),
      (error) => error instanceof MqttError && message.test(error.message),
    ));

test("what can be left out is left out", () => {
  assert.equal(hexOf(encodeDisconnect(disconnectOf({}), 4)), "e000");
  assert.equal(hexOf(encodeDisconnect(disconnectOf({ properties: {} }), 5)), "e000");
  assert.equal(hexOf(encodeDisconnect(disconnectOf({ reasonCode: 4, properties: {} }), 5)), "e00104");
  assert.equal(
    hexOf(encodeDisconnect(disconnectOf({ properties: { sessionExpirySeconds: 1 } }), 5)),
    "e00700051100000001",
  );
});

test("what is for one side to say the other may not", () => {
  assert.equal(disconnectFault(0, NO_PROPERTIES, "client"), null);
  assert.equal(disconnectFault(4, { sessionExpirySeconds: 1 }, "client"), null);
  assert.match(String(disconnectFault(0x8e, NO_PROPERTIES, "client")), /0x8e is for servers/);
  assert.equal(disconnectFault(0x8e, NO_PROPERTIES, "server"), null);
  assert.match(String(disconnectFault(4, NO_PROPERTIES, "server")), /0x4 is for clients/);
  assert.match(String(disconnectFault(0, { sessionExpirySeconds: 1 }, "server")), /Session Expiry Interval/);
});
