// The catalogue of reason codes is that of the specification [5.0 §2.4].
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  connackReturnCode,
  isReasonCodeOn,
  nearestReasonCode,
  REASON_CODES,
  ReasonCode,
  type ReasonPacket,
  reasonCodeName,
  reasonCodeOfReturnCode,
} from "./reason-codes.ts";

/** [5.0 §2.4] Table 2-6: the packets of each code, by their initials below. */
const SPECIFIED: Readonly<Record<number, string>> = {
  0: "C A R L P U D S H",
  1: "S",
  2: "S",
  4: "D",
  16: "A R",
  17: "U",
  24: "H",
  25: "H",
  128: "C A R S U D",
  129: "C D",
  130: "C D",
  131: "C A R S U D",
  132: "C",
  133: "C",
  134: "C",
  135: "C A R S U D",
  136: "C",
  137: "C D",
  138: "C",
  139: "D",
  140: "C D",
  141: "D",
  142: "D",
  143: "S U D",
  144: "C A R D",
  145: "A R S U",
  146: "L P",
  147: "D",
  148: "D",
  149: "C A R D",
  150: "D",
  151: "C A R S D",
  152: "D",
  153: "C A R D",
  154: "C D",
  155: "C D",
  156: "C D",
  157: "C D",
  158: "S D",
  159: "C D",
  160: "D",
  161: "S D",
  162: "S D",
};
const PACKETS: Readonly<Record<string, ReasonPacket>> = {
  C: "CONNACK",
  A: "PUBACK",
  R: "PUBREC",
  L: "PUBREL",
  P: "PUBCOMP",
  S: "SUBACK",
  U: "UNSUBACK",
  D: "DISCONNECT",
  H: "AUTH",
};

test("each code is on the packets that the specification names, and nowhere else", () => {
  for (let code = 0; code < 256; code++) {
    const specified = SPECIFIED[code]?.split(" ") ?? [];
    for (const [initial, packet] of Object.entries(PACKETS))
      assert.equal(isReasonCodeOn(packet, code), specified.includes(initial), `0x${code.toString(16)} on ${packet}`);
  }
});

test("every code has a name for each packet, and a key of its own", () => {
  assert.equal(Object.keys(ReasonCode).length, REASON_CODES.length);
  for (const { code, key, name, on } of REASON_CODES) {
    assert.equal(ReasonCode[key], code);
    for (const packet of on) assert.equal(reasonCodeName(code, packet), name);
  }
  assert.equal(reasonCodeName(0, "SUBACK"), "Granted QoS 0");
  assert.equal(reasonCodeName(0, "DISCONNECT"), "Normal disconnection");
  assert.equal(reasonCodeName(0), "Success");
  assert.equal(reasonCodeName(3), "0x03");
  assert.equal(reasonCodeName(1, "CONNACK"), "0x01", "a code that the packet does not have");
});

test("return codes of 3.1 and 3.1.1 [3.1.1 §3.2.2.3]", () => {
  for (const [code, returnCode] of [
    [ReasonCode.Success, 0],
    [ReasonCode.UnsupportedProtocolVersion, 1],
    [ReasonCode.ClientIdentifierNotValid, 2],
    [ReasonCode.ServerUnavailable, 3],
    [ReasonCode.BadUserNameOrPassword, 4],
    [ReasonCode.NotAuthorized, 5],
  ] as const) {
    assert.equal(connackReturnCode(code), returnCode);
    assert.equal(reasonCodeOfReturnCode(returnCode), code);
  }
  assert.equal(connackReturnCode(ReasonCode.MalformedPacket), null, "the connection is only closed");
  assert.equal(reasonCodeOfReturnCode(6), ReasonCode.UnspecifiedError);
  for (const { code } of REASON_CODES) {
    const returnCode = connackReturnCode(code);
    assert.ok(returnCode === null || (returnCode >= 0 && returnCode <= 5));
  }
});

test("whatever a connection ends by has a code for CONNACK and one for DISCONNECT", () => {
  for (const { code } of REASON_CODES)
    for (const packet of ["CONNACK", "DISCONNECT"] as const) {
      const nearest = nearestReasonCode(packet, code);
      assert.ok(isReasonCodeOn(packet, nearest), `0x${code.toString(16)} on ${packet}`);
      if (isReasonCodeOn(packet, code)) assert.equal(nearest, code);
      else assert.ok(nearest >= 0x80, "never success for want of a code");
    }
  assert.equal(nearestReasonCode("DISCONNECT", ReasonCode.UnsupportedProtocolVersion), ReasonCode.ProtocolError);
  assert.equal(nearestReasonCode("CONNACK", ReasonCode.ServerShuttingDown), ReasonCode.ServerUnavailable);
});
