/** The Session on its connections, without network: what is sent, in which order, and what the application is told. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Acknowledgement,
  type Connack,
  type Connect,
  decodePacket,
  encodePacket,
  Framer,
  isFault,
  MqttError,
  NO_PROPERTIES,
  OutputPool,
  type Packet,
  type Properties,
  publishOf,
  type Qos,
  type Version,
} from "../protocol/index.ts";
import { ClientConnection } from "./connection.ts";
import { ClientSession, DEFAULT_SESSION_LIMITS, type SessionLimits } from "./session.ts";

const utf8 = new TextEncoder();
const text = new TextDecoder();

/** A Session, its present connection, and the server's side of it, played by hand. */
class Rig {
  readonly version: Version;
  session: ClientSession;
  /** What the application was told. */
  readonly told: string[] = [];
  connection!: ClientConnection;
  nowMs = 0;
  readonly #limits: SessionLimits;
  #framer = new Framer(Number.POSITIVE_INFINITY);

  constructor(version: Version = 5, limits: Partial<SessionLimits> = {}) {
    this.version = version;
    this.#limits = { ...DEFAULT_SESSION_LIMITS, ...limits };
    this.session = this.newSession();
  }

  newSession(): ClientSession {
    const session = new ClientSession(this.version, this.#limits);
    session.listener = {
      message: ({ topicName, payload, qos }) => this.told.push(`message ${topicName}=${text.decode(payload)} q${qos}`),
      published: (mid, { reasonCode, refusal }) => this.told.push(`published ${mid} ${refusal ?? reasonCode}`),
      subscribed: (mid, codes) => this.told.push(`subscribed ${mid} ${codes}`),
      unsubscribed: (mid, codes) => this.told.push(`unsubscribed ${mid} ${codes}`),
      requestLost: (mid) => this.told.push(`lost ${mid}`),
    };
    return session;
  }

  /** A new connection, accepted. */
  connect(connack: Partial<Connack> = {}, cleanStart: boolean = false, topicAliases: number = 0): void {
    this.open(cleanStart, topicAliases);
    this.receive({ type: "CONNACK", sessionPresent: false, reasonCode: 0, properties: NO_PROPERTIES, ...connack });
  }

  open(cleanStart: boolean = false, topicAliases: number = 0): void {
    this.#framer = new Framer(Number.POSITIVE_INFINITY);
    const { version } = this;
    const connect: Connect = {
      type: "CONNECT",
      version,
      bridge: false,
      cleanStart,
      keepAliveSeconds: 60,
      clientId: "c",
      will: null,
      username: null,
      password: null,
      properties: NO_PROPERTIES,
    };
    this.connection = new ClientConnection(
      this.session,
      { connect, connackTimeoutMs: 30_000, topicAliases, pool: new OutputPool(), observer: () => null },
      {
        accepted: () => {},
        published: (mid, { refusal }) => this.told.push(`written ${mid}${refusal === null ? "" : ` ${refusal}`}`),
        drained: () => {},
        authenticating: () => false,
        ended: ({ reason, fault }) => this.told.push(`ended ${reason}${fault === null ? "" : ` ${fault.reasonCode}`}`),
      },
      this.nowMs,
    );
    this.connection.opened(this.nowMs);
    assert.deepEqual(this.sent(), ["CONNECT"]);
  }

  lose(): void {
    this.connection.closed(false, null);
    this.told.pop();
  }

  receive(...packets: Packet[]): void {
    for (const packet of packets) this.connection.receive(encodePacket(packet, this.version), this.nowMs);
  }

  acknowledge(type: Acknowledgement["type"], packetId: number, reasonCode: number = 0): void {
    this.receive({ type, packetId, reasonCode, properties: NO_PROPERTIES });
  }

  publishFrom(qos: Qos, packetId: number, payload: string): void {
    this.receive(
      publishOf({
        ...{ topicName: "in", payload: utf8.encode(payload), qos, retain: false, dup: false, packetId },
        properties: NO_PROPERTIES,
      }),
    );
  }

  publish(qos: Qos, payload: string = "x", topicName: string = "t"): number | string {
    return this.session.publish({
      topicName,
      payload: utf8.encode(payload),
      qos,
      retain: false,
      properties: NO_PROPERTIES,
    });
  }

  /** The packets that have been written since the last call, in short; the bytes count as written. */
  sent(): string[] {
    const packets: string[] = [];
    for (let taken = this.connection.takeOutput(); taken !== null; taken = this.connection.takeOutput()) {
      for (const segment of taken.segments) this.#framer.push(segment.slice());
      this.connection.written(0, this.nowMs);
    }
    while (this.#framer.next() === "packet") {
      const { bytes, start, end } = this.#framer;
      const packet = decodePacket(bytes, start, end, this.version, "client");
      assert.ok(!isFault(packet), JSON.stringify(packet));
      packets.push(inShort(packet));
    }
    return packets;
  }

  /** What the application has been told since the last call. */
  heard(): string[] {
    return this.told.splice(0);
  }
}

function inShort(packet: Packet): string {
  if (packet.type === "PUBLISH") {
    const { topicName, payload, qos, dup, packetId, properties } = packet;
    const alias = properties.topicAlias === undefined ? "" : ` a${properties.topicAlias}`;
    const expiry = properties.messageExpirySeconds === undefined ? "" : ` e${properties.messageExpirySeconds}`;
    return `PUBLISH ${topicName}=${text.decode(payload)} q${qos} m${packetId}${dup ? " dup" : ""}${alias}${expiry}`;
  }
  const code = "reasonCode" in packet && packet.reasonCode !== 0 ? ` ${packet.reasonCode}` : "";
  return `${packet.type}${"packetId" in packet ? ` m${packet.packetId}` : ""}${code}`;
}

const SUBSCRIPTION = {
  topicFilter: "in",
  qos: 2,
  noLocal: false,
  retainAsPublished: false,
  retainHandling: 0,
} as const;

for (const version of [3, 4, 5] as const) {
  test(`version ${version}: each QoS out, with one count of identifiers for everything`, () => {
    const rig = new Rig(version);
    rig.connect();
    assert.deepEqual(
      [rig.publish(0), rig.publish(1), rig.session.subscribe([SUBSCRIPTION]), rig.publish(2)],
      [1, 2, 3, 4],
    );
    assert.equal(rig.session.unsubscribe(["in"]), 5);
    assert.deepEqual(rig.sent(), [
      "PUBLISH t=x q0 m0",
      "PUBLISH t=x q1 m2",
      "SUBSCRIBE m3",
      "PUBLISH t=x q2 m4",
      "UNSUBSCRIBE m5",
    ]);
    assert.deepEqual(rig.heard(), ["written 1"]);
    rig.acknowledge("PUBACK", 2);
    rig.acknowledge("PUBREC", 4);
    assert.deepEqual(rig.sent(), ["PUBREL m4"]);
    rig.acknowledge("PUBCOMP", 4);
    rig.receive({ type: "SUBACK", packetId: 3, reasonCodes: [2], properties: NO_PROPERTIES });
    rig.receive({ type: "UNSUBACK", packetId: 5, reasonCodes: version === 5 ? [0] : [], properties: NO_PROPERTIES });
    assert.deepEqual(rig.heard(), [
      "published 2 0",
      "published 4 0",
      "subscribed 3 2",
      `unsubscribed 5 ${version === 5 ? "0" : ""}`,
    ]);
    assert.equal(rig.session.unacknowledgedMessages, 0);
  });

  test(`version ${version}: each QoS in; at QoS 2 the message comes with its PUBREL, and once`, () => {
    const rig = new Rig(version);
    rig.connect();
    rig.publishFrom(0, 0, "zero");
    rig.publishFrom(1, 1, "one");
    rig.publishFrom(2, 1, "two");
    assert.deepEqual(rig.heard(), ["message in=zero q0", "message in=one q1"]);
    rig.publishFrom(2, 1, "two");
    rig.acknowledge("PUBREL", 1);
    rig.acknowledge("PUBREL", 1);
    assert.deepEqual(rig.heard(), ["message in=two q2"]);
    const unknown = version === 5 ? "PUBCOMP m1 146" : "PUBCOMP m1";
    assert.deepEqual(rig.sent(), ["PUBACK m1", "PUBREC m1", "PUBREC m1", "PUBCOMP m1", unknown]);
  });
}

test("after a reconnection: in the old order, DUP for what was sent, PUBREL for what was received, then what waited", () => {
  const rig = new Rig(4, { maximumInflightMessages: 3 });
  rig.connect();
  for (const qos of [1, 2, 2, 1] as const) rig.publish(qos, `q${qos}`);
  rig.acknowledge("PUBREC", 3);
  rig.sent();
  rig.lose();
  assert.equal(rig.publish(2, "offline"), 5);
  rig.connect({ sessionPresent: true });
  assert.deepEqual(rig.sent(), ["PUBLISH t=q1 q1 m1 dup", "PUBLISH t=q2 q2 m2 dup", "PUBREL m3"]);
  rig.acknowledge("PUBACK", 1);
  rig.acknowledge("PUBCOMP", 3);
  assert.deepEqual(rig.sent(), ["PUBLISH t=q1 q1 m4", "PUBLISH t=offline q2 m5"]);
});

test("a PUBCOMP that says that a repeated PUBREL is not known is no refusal: the PUBREC was the server's word", () => {
  const rig = new Rig(5);
  rig.connect();
  rig.publish(2);
  rig.acknowledge("PUBREC", 1);
  rig.lose();
  rig.connect({ sessionPresent: true });
  rig.sent();
  rig.heard();
  rig.acknowledge("PUBCOMP", 1, 0x92);
  assert.deepEqual(rig.heard(), ["published 1 0"]);
});

test("what was written but has no answer is sent again only after a reconnection", () => {
  const rig = new Rig();
  rig.connect();
  rig.publish(1);
  assert.deepEqual(rig.sent(), ["PUBLISH t=x q1 m1"]);
  rig.nowMs = 50_000;
  rig.connection.tick(rig.nowMs);
  assert.deepEqual(rig.sent(), []);
});

test("a smaller window after a reconnection holds back the rest of what was in flight, and everything behind it", () => {
  const rig = new Rig();
  rig.connect();
  for (let i = 1; i <= 4; i++) rig.publish(1, String(i));
  rig.sent();
  rig.lose();
  rig.connect({ sessionPresent: true, properties: { receiveMaximum: 2 } });
  assert.deepEqual(rig.sent(), ["PUBLISH t=1 q1 m1 dup", "PUBLISH t=2 q1 m2 dup"]);
  assert.equal(rig.publish(1, "5"), 5);
  rig.acknowledge("PUBACK", 1);
  assert.deepEqual(rig.sent(), ["PUBLISH t=3 q1 m3 dup"]);
  for (const mid of [2, 3, 4]) rig.acknowledge("PUBACK", mid);
  assert.deepEqual(rig.sent(), ["PUBLISH t=4 q1 m4 dup", "PUBLISH t=5 q1 m5"]);
});

test("a lost Session: what was received is ours, and its identifiers are used anew", () => {
  const rig = new Rig();
  rig.connect();
  rig.publish(2, "released");
  rig.acknowledge("PUBREC", 1);
  rig.publish(1, "not yet");
  rig.publishFrom(2, 7, "held");
  rig.lose();
  rig.sent();
  rig.connect({ sessionPresent: false });
  assert.deepEqual(rig.heard(), ["message in=held q2", "published 1 0"]);
  assert.deepEqual(rig.sent(), ["PUBLISH t=not yet q1 m2 dup"]);
  rig.publishFrom(2, 7, "another");
  rig.acknowledge("PUBREL", 7);
  assert.deepEqual(rig.heard(), ["message in=another q2"]);
});

test("MQTT 3.1 does not say whether the Session is present: without clean start it is", () => {
  const rig = new Rig(3);
  rig.connect();
  rig.publishFrom(2, 7, "held");
  rig.lose();
  rig.connect();
  rig.publishFrom(2, 7, "held");
  assert.deepEqual(rig.heard(), []);
  rig.acknowledge("PUBREL", 7);
  assert.deepEqual(rig.heard(), ["message in=held q2"]);
});

test("a saved Session goes on in another program, as plain data", () => {
  const rig = new Rig(5, { maximumInflightMessages: 2 });
  rig.connect();
  for (const qos of [2, 1, 1] as const) rig.publish(qos, `q${qos}`);
  rig.acknowledge("PUBREC", 1);
  rig.publishFrom(2, 9, "held");
  const saved = structuredClone(rig.session.save());
  rig.session = rig.newSession();
  rig.session.restore(saved);
  assert.equal(rig.session.unacknowledgedMessages, 3);
  rig.heard();
  rig.connect({ sessionPresent: true });
  assert.deepEqual(rig.sent(), ["PUBREL m1", "PUBLISH t=q1 q1 m2 dup"]);
  assert.equal(rig.publish(1, "new"), 4, "identifiers in use are not given again");
  rig.acknowledge("PUBCOMP", 1);
  assert.deepEqual(rig.sent(), ["PUBLISH t=q1 q1 m3"]);
  rig.publishFrom(2, 9, "held");
  rig.acknowledge("PUBREL", 9);
  assert.deepEqual(rig.heard(), ["published 1 0", "message in=held q2"]);
});

test("without a connection QoS 0 and requests are refused, QoS 1 and 2 wait up to their bounds", () => {
  const rig = new Rig(4, { maximumQueuedMessages: 2, maximumQueuedBytes: 10 });
  assert.equal(rig.publish(0), "not-connected");
  assert.equal(rig.session.subscribe([SUBSCRIPTION]), "not-connected");
  assert.equal(rig.publish(1, "12345678901"), "queue-full");
  assert.equal(typeof rig.publish(1, "1234567890"), "number");
  assert.equal(rig.publish(1, "1"), "queue-full");
  assert.equal(typeof rig.publish(2, ""), "number");
  assert.equal(rig.publish(2, ""), "queue-full");
});

test("65,535 requests under way are the most; the next one is refused and takes nothing away", () => {
  const rig = new Rig(4);
  for (let i = 1; i <= 65_535; i++) assert.equal(rig.publish(1, ""), i);
  assert.equal(rig.publish(1, ""), "no-packet-identifier");
  rig.connect();
  rig.acknowledge("PUBACK", 5);
  assert.equal(rig.publish(1, ""), 5);
});

test("a request without an answer is lost with its connection, and its identifier is free", () => {
  const rig = new Rig();
  rig.connect();
  rig.session.subscribe([SUBSCRIPTION]);
  rig.lose();
  assert.deepEqual(rig.heard(), ["lost 1"]);
  rig.connect();
  rig.session.subscribe([SUBSCRIPTION]);
  rig.connection.closed(true, null);
  assert.deepEqual(rig.heard(), ["lost 2", "ended network-error"]);
});

test("limits of the server hold: QoS, retain, packet size, also for what waited for the connection", () => {
  const properties: Properties = { maximumQos: 1, retainAvailable: false, maximumPacketSize: 30 };
  const rig = new Rig();
  rig.publish(2, "waits");
  rig.connect({ properties });
  assert.deepEqual(rig.heard(), ["published 1 qos-not-supported"]);
  assert.equal(rig.publish(2), "qos-not-supported");
  assert.equal(rig.publish(1, "x".repeat(30)), "packet-too-large");
  assert.equal(rig.publish(0, "x".repeat(30)), "packet-too-large");
  const message = {
    topicName: "t",
    payload: new Uint8Array(0),
    qos: 0,
    retain: true,
    properties: NO_PROPERTIES,
  } as const;
  assert.equal(rig.session.publish(message), "retain-not-supported");
  assert.deepEqual(rig.sent(), []);
  assert.equal(typeof rig.publish(1, "x".repeat(20)), "number");
});

test("a refused message is done with the server's code, at QoS 2 with its PUBREC", () => {
  const rig = new Rig();
  rig.connect();
  rig.publish(1);
  rig.publish(2);
  rig.acknowledge("PUBACK", 1, 0x87);
  rig.acknowledge("PUBREC", 2, 0x97);
  assert.deepEqual(rig.heard(), ["published 1 135", "published 2 151"]);
  assert.deepEqual(rig.sent().slice(2), []);
});

test("topic aliases: the name with the first, the alias alone afterwards, everything anew on the next connection", () => {
  const rig = new Rig();
  const connack = { properties: { topicAliasMaximum: 1 } };
  rig.connect(connack, false, 10);
  rig.publish(1, "1");
  rig.publish(1, "2");
  rig.publish(1, "3", "other");
  assert.deepEqual(rig.sent(), ["PUBLISH t=1 q1 m1 a1", "PUBLISH =2 q1 m2 a1", "PUBLISH other=3 q1 m3"]);
  rig.acknowledge("PUBACK", 1);
  rig.lose();
  rig.connect({ ...connack, sessionPresent: true }, false, 10);
  assert.deepEqual(rig.sent(), ["PUBLISH t=2 q1 m2 dup a1", "PUBLISH other=3 q1 m3 dup"]);
});

test("a server that goes beyond our Receive Maximum is borne with as far as mosquitto goes, and then sent away with 0x93", () => {
  const rig = new Rig(5, { receiveMaximum: 2 });
  rig.connect();
  const most = 2002;
  for (let packetId = 1; packetId <= most + 1; packetId++) rig.publishFrom(2, packetId, "x");
  const taken = Array.from({ length: most }, (_, i) => `PUBREC m${i + 1}`);
  assert.deepEqual(rig.sent(), [...taken, "DISCONNECT 147"]);
  assert.deepEqual(rig.heard(), ["ended receive-maximum-exceeded 147"]);
});

test("an answer that does not fit its message ends the connection, one for nothing does not", () => {
  const rig = new Rig();
  rig.connect();
  rig.acknowledge("PUBACK", 9);
  rig.acknowledge("PUBREC", 9);
  rig.receive({ type: "SUBACK", packetId: 9, reasonCodes: [0], properties: NO_PROPERTIES });
  assert.deepEqual(rig.sent(), ["PUBREL m9 146"]);
  assert.deepEqual(rig.heard(), []);
  rig.publish(1);
  rig.acknowledge("PUBCOMP", 1);
  assert.deepEqual(rig.heard(), ["ended protocol-error 130"]);
});

for (const [why, fields] of [
  ["a wildcard", { topicName: "a/+" }],
  ["an empty topic", { topicName: "" }],
  ["U+0000", { topicName: "a\0b" }],
  ["half a surrogate pair", { topicName: "\ud800" }],
  ["a control character", { topicName: "a\tb" }],
  ["a noncharacter", { topicName: "a\ufffe" }],
  ["65,536 bytes of topic", { topicName: "é".repeat(32_768) }],
  ["a property before 5.0", { properties: { contentType: "text" } }],
] as const) {
  test(`${why} is the caller's mistake, found before anything is sent`, () => {
    const rig = new Rig(4);
    rig.connect();
    const message = {
      topicName: "t",
      payload: new Uint8Array(0),
      qos: 1,
      retain: false,
      properties: NO_PROPERTIES,
      ...fields,
    } as const;
    assert.throws(() => rig.session.publish(message), MqttError);
    assert.deepEqual(rig.sent(), []);
    assert.equal(rig.publish(1), 1);
  });
}

test("a filter that is not allowed is the caller's mistake", () => {
  const rig = new Rig();
  rig.connect();
  assert.throws(() => rig.session.subscribe([{ ...SUBSCRIPTION, topicFilter: "a/#/b" }]), MqttError);
  assert.throws(() => rig.session.unsubscribe(["a+"]), MqttError);
  assert.throws(() => rig.session.subscribe([{ ...SUBSCRIPTION, topicFilter: "a\u0001/#" }]), MqttError);
  assert.deepEqual(rig.sent(), []);
});

test("a message that waits loses time of its Message Expiry Interval, and is not sent when none is left", () => {
  const rig = new Rig(5);
  let nowMs = 0;
  const session = new ClientSession(5, DEFAULT_SESSION_LIMITS, { nowMs: () => nowMs });
  session.listener = {
    message: () => {},
    published: (mid, { refusal }) => rig.told.push(`published ${mid} ${refusal}`),
    subscribed: () => {},
    unsubscribed: () => {},
    requestLost: () => {},
  };
  rig.session = session;
  for (const messageExpirySeconds of [10, 11, 12]) {
    const payload = utf8.encode("x");
    session.publish({ topicName: "t", payload, qos: 1, retain: false, properties: { messageExpirySeconds } });
    nowMs += 500;
  }
  nowMs = 10_400;
  rig.connect();
  assert.deepEqual(rig.told, ["published 1 expired"]);
  assert.deepEqual(rig.sent(), ["PUBLISH t=x q1 m2 e2", "PUBLISH t=x q1 m3 e3"]);
});
