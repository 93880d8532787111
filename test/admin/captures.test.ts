/** Captures: what is written can be read, by us and by tshark, and replay names the rule that was broken and who broke it. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { CaptureError, CaptureWriter, type Replayed, replay, segmentsOf } from "../../src/observe/index.ts";
import {
  encodePacket,
  NO_PROPERTIES,
  type Packet,
  type Properties,
  publishOf,
  type Version,
} from "../../src/protocol/index.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startPeer, testWithPeers } from "../support/peers.ts";

const AT_MS = 1_735_689_600_000;

type Step = readonly ["client" | "server", Uint8Array];

const CONNECT: Extract<Packet, { type: "CONNECT" }> = {
  type: "CONNECT",
  version: 5,
  bridge: false,
  cleanStart: true,
  keepAliveSeconds: 60,
  clientId: "c1",
  will: null,
  username: null,
  password: null,
  properties: NO_PROPERTIES,
};
const CONNACK: Packet = { type: "CONNACK", sessionPresent: false, reasonCode: 0, properties: NO_PROPERTIES };

function client(packet: Packet, version: Version = 5): Step {
  return ["client", encodePacket(packet, version)];
}

function server(packet: Packet, version: Version = 5): Step {
  return ["server", encodePacket(packet, version)];
}

function publish(topicName: string, properties: Properties = NO_PROPERTIES): Packet {
  return publishOf({
    topicName,
    payload: new Uint8Array(3),
    qos: 1,
    retain: false,
    dup: false,
    packetId: 1,
    properties,
  });
}

/** A capture of one connection, a millisecond between the steps. */
function captureOf(steps: readonly Step[], remoteAddress: string = "10.0.0.7:50000"): Uint8Array {
  const pieces: Uint8Array[] = [];
  const writer = new CaptureWriter((bytes) => pieces.push(bytes), "test");
  writer.open({ remoteAddress, number: 1 }, AT_MS);
  for (const [i, [by, bytes]] of steps.entries())
    writer.data(1, by === "client" ? "received" : "sent", bytes, AT_MS + i + 1);
  writer.close(1, AT_MS + steps.length, "the end");
  return Buffer.concat(pieces);
}

function judged(steps: readonly Step[]): Replayed {
  const [first, ...others] = replay(captureOf(steps));
  assert.deepEqual(others, []);
  return first!;
}

const GREETING: readonly Step[] = [client(CONNECT), server(CONNACK)];

test("a connection that keeps all rules: its packets, in order, with their times", () => {
  const subscription = {
    topicFilter: "t",
    qos: 1,
    noLocal: false,
    retainAsPublished: false,
    retainHandling: 0,
  } as const;
  const {
    packets,
    broken,
    client: from,
  } = judged([
    ...GREETING,
    client({ type: "SUBSCRIBE", packetId: 1, subscriptions: [subscription], properties: NO_PROPERTIES }),
    server({ type: "SUBACK", packetId: 1, reasonCodes: [1], properties: NO_PROPERTIES }),
    server(publish("t")),
    client({ type: "PUBACK", packetId: 1, reasonCode: 0, properties: NO_PROPERTIES }),
    client({ type: "PINGREQ" }),
    server({ type: "PINGRESP" }),
    client({ type: "DISCONNECT", reasonCode: 0, properties: NO_PROPERTIES }),
  ]);
  assert.equal(broken, null);
  assert.equal(from, "10.0.0.7:50000");
  assert.deepEqual(
    packets.map(({ by, packet, atMs }) => `${atMs - AT_MS} ${by} ${packet.type}`),
    [
      "1 client CONNECT",
      "2 server CONNACK",
      "3 client SUBSCRIBE",
      "4 server SUBACK",
      "5 server PUBLISH",
      "6 client PUBACK",
      "7 client PINGREQ",
      "8 server PINGRESP",
      "9 client DISCONNECT",
    ],
  );
});

for (const [name, step, by, rule] of [
  ["a second CONNECT", client(CONNECT), "client", /multiple CONNECT/],
  ["a SUBSCRIBE that is cut off", ["client", Uint8Array.of(0x82, 0)], "client", /ends within a field/],
  ["a packet of a server from the client", ["client", Uint8Array.of(0xd0, 0)], "client", /PINGRESP/],
  ["a topic alias beyond what was allowed", client(publish("t", { topicAlias: 9 })), "client", /alias/],
  ["a packet larger than the server takes", client(publish("t".repeat(300))), "client", /larger than 200/],
  ["a second CONNACK", server(CONNACK), "server", /CONNACK/],
  ["a PUBLISH with a wildcard", ["server", Uint8Array.of(0x30, 4, 0, 1, 0x23, 0)], "server", /topic name/],
] as const satisfies readonly (readonly [string, Step, string, RegExp])[]) {
  test(`${name} is named, with who sent it`, () => {
    const limited = server({ ...CONNACK, properties: { maximumPacketSize: 200 } } as Packet);
    const { broken } = judged([client(CONNECT), limited, step]);
    assert.equal(broken?.by, by);
    assert.match(broken.fault.message, rule);
    assert.equal(broken.atMs, AT_MS + 3);
  });
}

test("a packet larger than the client said in its CONNECT is the server's mistake", () => {
  const connect = client({ ...CONNECT, properties: { maximumPacketSize: 50 } } as Packet);
  const { broken } = judged([connect, server(CONNACK), server(publish("t".repeat(100)))]);
  assert.equal(broken?.by, "server");
  assert.match(broken.fault.message, /larger than 50 bytes/);
});

test("a packet within which the capture ends is named, with its length: so ends one that the broker does not take", () => {
  const [by, bytes] = client(publish("t".repeat(300)));
  const result = judged([client(CONNECT), server(CONNACK), [by, bytes.subarray(0, 100)]]);
  assert.deepEqual(
    [result.broken, result.unfinished],
    [null, { by: "client", firstByte: 0x32, bytes: bytes.length, cameBytes: 100 }],
  );
  assert.equal(judged([...GREETING, client(publish("t"))]).unfinished, null);
});

test("segments that come twice, late or in pieces are put in their order; what is missing is counted", () => {
  const bytes = Buffer.concat([...GREETING, client(publish("t")), client(publish("u"))].map(([, b]) => b));
  assert.ok(bytes.length > 0);
  const capture = captureOf([client(CONNECT), server(CONNACK), client(publish("t"))]);
  const blocks = blocksOf(capture);
  const twice = Buffer.concat([...blocks, ...blocks.slice(4)]);
  assert.equal(replay(twice)[0]?.packets.length, 3);
  const [late, onTime] = [blocks[6]!, blocks.filter((_, i) => i !== 6)];
  assert.equal(replay(Buffer.concat([...onTime, late]))[0]?.packets.length, 3);
  const withHole = captureOf([client(CONNECT), server(CONNACK), client(publish("t")), client(publish("u"))]);
  const holed = blocksOf(withHole).filter((_, i) => i !== 6);
  const [result] = replay(Buffer.concat(holed));
  assert.deepEqual([result?.packets.length, result?.missingBytes], [2, client(publish("u"))[1].length]);
});

/** The blocks of a pcapng file: header, interface, SYN, SYN and ACK, then one for each step. */
function blocksOf(capture: Uint8Array): Buffer[] {
  const bytes = Buffer.from(capture);
  const blocks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += bytes.readUInt32LE(at + 4))
    blocks.push(bytes.subarray(at, at + bytes.readUInt32LE(at + 4)));
  return blocks;
}

test("what is no capture is told so, and no bytes whatever make it throw anything else", () => {
  assert.throws(() => replay(Buffer.from("GIF89a, and then some more bytes that are no capture")), CaptureError);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(), (noise, place) => {
      const capture = Buffer.from(captureOf([...GREETING, client(publish("t"))]));
      capture.set(noise.subarray(0, 8), place % (capture.length - 8));
      for (const file of [noise, capture]) {
        try {
          replay(file);
        } catch (error) {
          assert.ok(error instanceof CaptureError, String(error));
        }
      }
    }),
  );
});

test("whatever passes, both sides' bytes come back as they were, over IPv4 and IPv6", () => {
  const step = fc.tuple(
    fc.constantFrom("client" as const, "server" as const),
    fc.uint8Array({ minLength: 1, maxLength: 70_000 }),
  );
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 6 }),
      fc.constantFrom("10.0.0.7:50000", "[2001:db8::7]:50000", "unix"),
      (steps, from) => {
        const segments = segmentsOf(captureOf(steps, from)).filter(({ bytes }) => bytes.length > 0);
        for (const side of ["client", "server"] as const) {
          const said = steps.filter(([by]) => by === side).map(([, bytes]) => bytes);
          const read = segments
            .filter(({ to }) => to.endsWith(":1883") === (side === "client"))
            .map(({ bytes }) => bytes);
          assert.ok(Buffer.concat(said).equals(Buffer.concat(read)));
        }
      },
    ),
    { numRuns: 30 },
  );
});

testWithPeers("tshark decodes what is written as MQTT, with the comments", ["tshark"], async (context) => {
  const file = join(temporaryFolder(context), "capture.pcapng");
  writeFileSync(file, captureOf([...GREETING, client(publish("sensors/1"))], "[2001:db8::7]:50000"));
  const fields = ["-T", "fields", "-e", "mqtt.msgtype", "-e", "mqtt.topic", "-e", "frame.comment"];
  const { out } = await startPeer("tshark", ["-r", file, ...fields]).end();
  const rows = out.split("\n").map((line) => line.split("\t"));
  assert.deepEqual(rows.map(([type]) => type).filter(Boolean), ["1", "2", "3"]);
  assert.ok(rows.some(([, topic]) => topic === "sensors/1"));
  assert.ok(rows.some(([, , comment]) => comment?.includes("the end")));
});
