// Every row of the vectors: whole, byte by byte and with bytes behind it; read, written and back; by itself and through
// the machine of whoever receives it.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ClientMachine,
  type Connect,
  decodePacket,
  encodePacket,
  Framer,
  isFault,
  MqttError,
  NO_PROPERTIES,
  OutputPool,
  type Packet,
  ReasonCode,
  ServerMachine,
  type Taken,
} from "../../src/protocol/index.ts";
import { bytesOfHex, hexOf } from "../support/hex.ts";
import { fieldsOf, type Row, readRows } from "./row.ts";

const LARGEST_PACKET = 268_435_460;
const POOL = new OutputPool();

/** What was read: packets by their fields, and the reason code that ended it. */
interface Reading {
  readonly packets: object[];
  readonly fault: number | null;
}

/** Bytes as they came, in these chunks. */
function chunksOf(bytes: Uint8Array, size: number): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.slice(at, at + size));
  return chunks;
}

/** Reads with the framer and the decoder alone. */
function decode(row: Row, chunks: readonly Uint8Array[]): Reading {
  const framer = new Framer(row.limit);
  const packets: object[] = [];
  for (const chunk of chunks) {
    framer.push(chunk);
    for (let framed = framer.next(); framed !== "more"; framed = framer.next()) {
      if (framed !== "packet") return { packets, fault: framed === "too large" ? 0x95 : 0x81 };
      const decoded = decodePacket(framer.bytes, framer.start, framer.end, row.version, row.sender);
      if (isFault(decoded)) return { packets, fault: decoded.reasonCode };
      packets.push(fieldsOf(decoded));
    }
  }
  return { packets, fault: null };
}

/** What a row says by itself. */
function meaningOf(row: Row): Reading {
  return { packets: row.packet === null ? [] : [fieldsOf(row.packet)], fault: row.fault };
}

function checkDecoding(row: Row): void {
  const expected = meaningOf(row);
  assert.deepEqual(decode(row, [row.bytes]), expected, "whole");
  assert.deepEqual(decode(row, chunksOf(row.bytes, 1)), expected, "byte by byte");
  if (row.packet === null && row.fault === null) return;
  // What follows must not matter, nor be lost.
  const next = row.sender === "client" ? "PINGREQ" : "PINGRESP";
  const behind = encodePacket({ type: next }, row.version);
  const joined = new Uint8Array([...row.bytes, ...behind]);
  const both = { ...expected, packets: row.fault === null ? [...expected.packets, { type: next }] : [] };
  assert.deepEqual(decode(row, [joined]), both, "with a packet behind it");
  assert.deepEqual(decode(row, chunksOf(joined, 3)), both, "with a packet behind it, by threes");
}

function checkEncoding(row: Row, packet: Packet): void {
  if (row.encoding === "refused") {
    assert.throws(() => encodePacket(packet, row.version), MqttError);
    return;
  }
  const bytes = encodePacket(packet, row.version);
  const isSame = hexOf(bytes) === hexOf(row.bytes);
  assert.equal(isSame, row.encoding === "same", `encodes to ${hexOf(bytes)}`);
  assert.deepEqual(decode(row, [bytes]), meaningOf(row), "and back");
}

/** A CONNECT of the row's version that allows what the rows need. */
function connectOf(row: Row): Connect {
  const authenticationMethod = "m";
  return {
    type: "CONNECT",
    version: row.version,
    bridge: false,
    cleanStart: true,
    keepAliveSeconds: 60,
    clientId: "c",
    will: null,
    username: null,
    password: null,
    properties: row.version === 5 ? { authenticationMethod, topicAliasMaximum: 10 } : NO_PROPERTIES,
  };
}

/** The server's end, ready for the row: before the CONNECT when it is one, else connected. */
function serverMachine(row: Row): ServerMachine {
  const isConnect = row.bytes[0]! >> 4 === 1;
  const maximumConnectBytes = isConnect ? row.limit : LARGEST_PACKET;
  const machine = new ServerMachine({ maximumConnectBytes, connectTimeoutMs: 1000, pool: POOL }, 0);
  if (isConnect) return machine;
  machine.receive(encodePacket(connectOf(row), row.version), 0);
  assert.equal(machine.next()?.type, "CONNECT");
  const granted = { sessionPresent: false, properties: NO_PROPERTIES, keepAliveSeconds: 60, topicAliasMaximum: 10 };
  machine.accept({ ...granted, maximumPacketSize: row.limit }, 0);
  machine.takeOutput();
  return machine;
}

/** The client's end, ready for the row: before the CONNACK when it is one, else connected. */
function clientMachine(row: Row): ClientMachine {
  const options = { maximumPacketSize: row.limit, connackTimeoutMs: 1000, topicAliases: 0, pool: POOL };
  const machine = new ClientMachine(options, 0);
  machine.open(connectOf(row), 0);
  if (row.bytes[0]! >> 4 !== 2) {
    machine.receive(bytesOfHex(row.version === 5 ? "2003000000" : "20020000"), 0);
    assert.equal(machine.next()?.type, "CONNACK");
  }
  machine.takeOutput();
  return machine;
}

/** Reads with the machine of the row's receiver, which by then writes what it has to say. */
function receive(row: Row, chunks: readonly Uint8Array[]): Reading & { readonly answer: Packet | null } {
  const machine = row.sender === "client" ? serverMachine(row) : clientMachine(row);
  const packets: object[] = [];
  let fault: number | null = null;
  for (const chunk of chunks) {
    machine.receive(chunk, 1);
    for (let event = machine.next(); event !== null; event = machine.next()) {
      if (event.type !== "ENDED") packets.push(fieldsOf(event));
      else fault = event.fault?.reasonCode ?? null;
    }
  }
  return { packets, fault, answer: answerOf(row, machine.takeOutput()) };
}

function answerOf(row: Row, taken: Taken | null): Packet | null {
  if (taken === null) return null;
  const bytes = new Uint8Array(Buffer.concat(taken.segments));
  const answer = decodePacket(bytes, 0, bytes.length, row.version, row.sender === "client" ? "server" : "client");
  assert.ok(!isFault(answer), "the machine's own output is legal");
  return answer;
}

function checkMachine(row: Row): void {
  const meaning = meaningOf(row);
  const expected = row.machine === null ? meaning : { packets: [], fault: row.machine };
  for (const size of [Number.POSITIVE_INFINITY, 1]) {
    const { packets, fault, answer } = receive(row, chunksOf(row.bytes, Math.min(size, row.bytes.length)));
    assert.deepEqual({ packets, fault }, expected, `through the machine, ${size} bytes at a time`);
    checkAnswer(row, expected.fault, answer);
  }
}

/** A fault is answered where the version has an answer: DISCONNECT, or CONNACK to a CONNECT. */
function checkAnswer(row: Row, fault: number | null, answer: Packet | null): void {
  if (fault === null || (row.sender === "client" && row.bytes[0]! >> 4 === 1)) return;
  const isConnack = row.bytes[0]! >> 4 === 2;
  if (row.version !== 5 || isConnack || !row.isAnswered) assert.equal(answer, null, "nothing is answered");
  else
    assert.deepEqual(
      { ...answer, properties: {} },
      { type: "DISCONNECT", reasonCode: toldOf(row, fault), properties: {} },
    );
}

/** The server says of a bad topic, as mosquitto 2.1, that the packet is malformed. */
function toldOf(row: Row, fault: number): number {
  const isTopic = fault === ReasonCode.TopicNameInvalid || fault === ReasonCode.TopicFilterInvalid;
  return isTopic && row.sender === "client" ? ReasonCode.MalformedPacket : fault;
}

for (const row of readRows()) {
  test(`${row.file}: ${row.title}`, () => {
    checkDecoding(row);
    if (row.packet !== null) checkEncoding(row, row.packet);
    checkMachine(row);
  });
}
