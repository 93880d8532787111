// A CONNECT that is not legal is refused before its first byte is written; what is read is in test/vectors/connect.json.
import assert from "node:assert/strict";
import { test } from "node:test";
import { hexOf } from "../../../test/support/hex.ts";
import { MqttError } from "../errors.ts";
import type { Connect, Version } from "../packet.ts";
import { NO_PROPERTIES } from "../properties.ts";
import { ReasonCode } from "../reason-codes.ts";
import { encodeConnect } from "./connect.ts";

function connectOf(version: Version, fields: Partial<Connect>): Connect {
  return {
    type: "CONNECT",
    version,
    bridge: false,
    cleanStart: true,
    keepAliveSeconds: 60,
    clientId: "c",
    will: null,
    username: null,
    password: null,
    properties: NO_PROPERTIES,
    ...fields,
  };
}

const NOTHING = new Uint8Array(0);
const WILL = { topicName: "w", payload: NOTHING, qos: 0, retain: false, properties: NO_PROPERTIES } as const;

const MISTAKES: readonly (readonly [Version, Partial<Connect>, ReasonCode, RegExp])[] = [
  [4, { version: 6 as 5 }, ReasonCode.UnsupportedProtocolVersion, /protocol level 6; 3, 4 and 5 are spoken here/],
  [4, { keepAliveSeconds: -1 }, ReasonCode.ProtocolError, /keep-alive -1; allowed are 0 to 65,535 seconds/],
  [4, { keepAliveSeconds: 65_536 }, ReasonCode.ProtocolError, /keep-alive 65536/],
  [4, { keepAliveSeconds: 1.5 }, ReasonCode.ProtocolError, /keep-alive 1.5/],
  [4, { keepAliveSeconds: Number.NaN }, ReasonCode.ProtocolError, /keep-alive NaN/],
  [3, { clientId: "" }, ReasonCode.ClientIdentifierNotValid, /empty client identifier/],
  [4, { clientId: "", cleanStart: false }, ReasonCode.ClientIdentifierNotValid, /needs a clean session/],
  [4, { clientId: "a\0" }, ReasonCode.MalformedPacket, /U\+0000/],
  [4, { clientId: "\ud800" }, ReasonCode.MalformedPacket, /lone surrogate/],
  [4, { clientId: "x".repeat(65_536) }, ReasonCode.MalformedPacket, /65536 bytes/],
  [3, { password: NOTHING }, ReasonCode.ProtocolError, /password without a user name needs 5.0/],
  [4, { password: NOTHING }, ReasonCode.ProtocolError, /password without a user name needs 5.0/],
  [4, { username: "\0" }, ReasonCode.MalformedPacket, /U\+0000/],
  [4, { username: "u", password: new Uint8Array(65_536) }, ReasonCode.MalformedPacket, /65536 bytes/],
  [4, { will: { ...WILL, topicName: "" } }, ReasonCode.TopicNameInvalid, /will topic name is empty/],
  [5, { will: { ...WILL, topicName: "a/+" } }, ReasonCode.TopicNameInvalid, /will topic name contains "\+"/],
  [5, { will: { ...WILL, qos: 3 as 2 } }, ReasonCode.ProtocolError, /QoS 3; allowed are 0, 1 and 2/],
  [5, { will: { ...WILL, payload: new Uint8Array(65_536) } }, ReasonCode.MalformedPacket, /65536 bytes/],
  [4, { will: { ...WILL, properties: { willDelaySeconds: 1 } } }, ReasonCode.ProtocolError, /no properties before 5.0/],
  [5, { will: { ...WILL, properties: { topicAlias: 1 } } }, ReasonCode.MalformedPacket, /Topic Alias does not belong/],
  [3, { properties: { receiveMaximum: 1 } }, ReasonCode.ProtocolError, /no properties before 5.0/],
  [4, { properties: { receiveMaximum: 1 } }, ReasonCode.ProtocolError, /no properties before 5.0/],
  [5, { properties: { reasonString: "" } }, ReasonCode.MalformedPacket, /Reason String does not belong/],
  [5, { properties: { authenticationData: NOTHING } }, ReasonCode.ProtocolError, /without Authentication Method/],
];

for (const [version, fields, reasonCode, message] of MISTAKES)
  test(`a CONNECT of version ${version} is refused: ${message.source}`, () =>
    assert.throws(
      () => encodeConnect(connectOf(version, fields)),
      (error) => error instanceof MqttError && error.reasonCode === reasonCode && message.test(error.message),
    ));

test("properties without content are none, also before 5.0", () => {
  assert.equal(hexOf(encodeConnect(connectOf(4, { properties: {} }))), "100d00044d5154540402003c000163");
  assert.equal(hexOf(encodeConnect(connectOf(5, { properties: {} }))), "100e00044d5154540502003c00000163");
});
