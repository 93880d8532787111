/** One connection without network: being let in or not, the keep-alive, and every way to end. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Connack,
  encodePacket,
  NO_PROPERTIES,
  OutputPool,
  type Packet,
  publishOf,
  type Version,
} from "../protocol/index.ts";
import { ClientConnection, type ClientPacketObserver, type ConnectionEnd } from "./connection.ts";
import { ClientSession } from "./session.ts";

interface Opened {
  readonly connection: ClientConnection;
  readonly ends: ConnectionEnd[];
  readonly accepted: Connack[];
  readonly packets: string[];
  receive(packet: Packet): void;
}

function open(version: Version = 5, cleanStart: boolean = true): Opened {
  const packets: string[] = [];
  const observer: ClientPacketObserver = {
    sent: (packet, mid) => packets.push(`> ${packet.type}${mid === 0 ? "" : ` ${mid}`}`),
    received: (packet) => packets.push(`< ${packet.type}`),
    unknownPacketId: (type, packetId) => packets.push(`? ${type} ${packetId}`),
  };
  const ends: ConnectionEnd[] = [];
  const accepted: Connack[] = [];
  const connect = {
    ...({
      type: "CONNECT",
      version,
      bridge: false,
      cleanStart,
      keepAliveSeconds: 10,
      clientId: "c",
      will: null,
    } as const),
    ...{ username: null, password: null, properties: NO_PROPERTIES },
  };
  const connection = new ClientConnection(
    new ClientSession(version),
    { connect, connackTimeoutMs: 30_000, topicAliases: 0, pool: new OutputPool(), observer: () => observer },
    {
      accepted: (connack) => accepted.push(connack),
      published: () => {},
      drained: () => {},
      authenticating: () => false,
      ended: (end) => ends.push(end),
    },
    0,
  );
  connection.opened(0);
  written(connection, 0);
  return { connection, ends, accepted, packets, receive: (p) => connection.receive(encodePacket(p, version), 0) };
}

/** What has been written since, in hexadecimal. */
function written(connection: ClientConnection, nowMs: number): string {
  const taken = connection.takeOutput();
  if (taken === null) return "";
  connection.written(0, nowMs);
  return Buffer.concat(taken.segments).toString("hex");
}

const CONNACK: Connack = { type: "CONNACK", sessionPresent: false, reasonCode: 0, properties: NO_PROPERTIES };

test("let in: told once, and the server's keep-alive holds", () => {
  const { connection, accepted, packets, receive } = open();
  assert.equal(connection.isAccepted, false);
  receive({ ...CONNACK, properties: { serverKeepAliveSeconds: 3 } });
  assert.equal(connection.isAccepted, true);
  assert.equal(accepted.length, 1);
  assert.deepEqual(packets, ["> CONNECT", "< CONNACK"]);
  assert.equal(connection.deadlineMs(), 3000);
});

for (const [version, reasonCode, reason] of [
  [4, 1, "unsupported-protocol-version"],
  [4, 4, "bad-user-name-or-password"],
  [3, 5, "not-authorized"],
  [5, 0x87, "not-authorized"],
  [5, 0x8a, "banned"],
] as const) {
  test(`refused with ${reasonCode} in version ${version}`, () => {
    const { connection, ends, accepted, receive } = open(version);
    receive({ ...CONNACK, reasonCode });
    assert.deepEqual(accepted, []);
    assert.equal(ends.length, 1);
    const [{ connack, wasOpened, wasAccepted, ...end }] = ends as [ConnectionEnd];
    assert.deepEqual([end.reason, connack?.reasonCode, wasOpened, wasAccepted], [reason, reasonCode, true, false]);
    assert.equal(connection.isEnded, true);
    assert.equal(written(connection, 0), "", "nothing is said to a server that refused");
  });
}

test("a session that nobody can have after a clean start is the server's mistake", () => {
  const { connection, ends, receive } = open(5, true);
  receive({ ...CONNACK, sessionPresent: true });
  assert.equal(ends[0]?.fault?.reasonCode, 0x82);
  assert.equal(written(connection, 0), "e00182");
});

test("a silent server: PINGREQ after the keep-alive, the end after another", () => {
  const { connection, ends, packets, receive } = open(4);
  receive(CONNACK);
  connection.tick(9999);
  assert.equal(written(connection, 9999), "");
  connection.tick(10_000);
  assert.equal(written(connection, 10_000), "c000");
  assert.deepEqual(packets.slice(2), ["> PINGREQ"]);
  connection.tick(20_000);
  assert.deepEqual(
    ends.map(({ reason }) => reason),
    ["keep-alive-timeout"],
  );
});

test("a server that does not answer CONNECT", () => {
  const { connection, ends } = open();
  connection.tick(30_000);
  assert.deepEqual(
    ends.map(({ reason, wasAccepted }) => [reason, wasAccepted]),
    [["connect-timeout", false]],
  );
});

test("the server says goodbye, with its reason", () => {
  const { ends, receive } = open();
  receive(CONNACK);
  receive({ type: "DISCONNECT", reasonCode: 0x8e, properties: { reasonString: "there is another" } });
  assert.equal(ends[0]?.reason, "session-taken-over");
  assert.equal(ends[0]?.disconnect?.properties.reasonString, "there is another");
});

test("we say goodbye: DISCONNECT is the last packet, and nothing is handed on any more", () => {
  const { connection, ends, packets, receive } = open();
  receive(CONNACK);
  connection.disconnect(0x04, NO_PROPERTIES);
  assert.equal(written(connection, 0), "e00104");
  receive(
    publishOf({
      topicName: "t",
      payload: new Uint8Array(0),
      qos: 1,
      retain: false,
      dup: false,
      packetId: 1,
      properties: NO_PROPERTIES,
    }),
  );
  connection.disconnect(0, NO_PROPERTIES);
  connection.closed(true, new Error("late"));
  assert.equal(written(connection, 0), "");
  assert.deepEqual(
    ends.map(({ reason }) => reason),
    ["client-disconnected"],
  );
  assert.deepEqual(packets.slice(2), ["> DISCONNECT"]);
});

test("before it is let in, a goodbye says nothing", () => {
  const { connection, ends } = open();
  connection.disconnect(0, NO_PROPERTIES);
  assert.equal(written(connection, 0), "");
  assert.deepEqual(
    ends.map(({ reason }) => reason),
    ["client-disconnected"],
  );
});

test("the network goes: the error is kept", () => {
  const { connection, ends } = open();
  const error = Object.assign(new Error("reset"), { code: "ECONNRESET" });
  connection.closed(true, error);
  assert.deepEqual(
    ends.map((end) => [end.reason, end.error]),
    [["network-error", error]],
  );
});

test("bytes that are not MQTT end it with the reason, which a 5.0 server is told", () => {
  const { connection, ends, receive } = open();
  receive(CONNACK);
  connection.receive(new Uint8Array([0x00, 0x00]), 0);
  assert.equal(ends[0]?.fault?.reasonCode, 0x82);
  assert.equal(written(connection, 0), "e00182");
});

test("AUTH that nobody asked for is the server's mistake", () => {
  const { ends, receive } = open();
  receive({ type: "AUTH", reasonCode: 0x18, properties: { authenticationMethod: "m" } });
  assert.equal(ends[0]?.fault?.reasonCode, 0x82);
});

test("QoS 0 is told as written when the bytes have left, not before", () => {
  const told: number[] = [];
  const session = new ClientSession(4);
  const connect = {
    ...({
      type: "CONNECT",
      version: 4,
      bridge: false,
      cleanStart: true,
      keepAliveSeconds: 0,
      clientId: "",
      will: null,
    } as const),
    ...{ username: null, password: null, properties: NO_PROPERTIES },
  };
  const connection = new ClientConnection(
    session,
    { connect, connackTimeoutMs: 1, topicAliases: 0, pool: new OutputPool(), observer: () => null },
    {
      accepted: () => {},
      published: (mid) => told.push(mid),
      drained: () => {},
      authenticating: () => false,
      ended: () => {},
    },
    0,
  );
  connection.opened(0);
  connection.receive(encodePacket(CONNACK, 4), 0);
  const message = {
    topicName: "t",
    payload: new Uint8Array(10),
    qos: 0,
    retain: false,
    properties: NO_PROPERTIES,
  } as const;
  session.publish(message);
  connection.takeOutput();
  connection.written(26, 0);
  session.publish(message);
  assert.deepEqual(told, []);
  connection.drained();
  assert.deepEqual(told, [1]);
  connection.takeOutput();
  connection.written(0, 0);
  assert.deepEqual(told, [1, 2]);
});
