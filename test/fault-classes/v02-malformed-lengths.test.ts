// V2: every length of every packet that a client may send is made 0, one less, one more, as large as can be, and of too many bytes,
// and every packet is cut at each byte. All of it ends in a reason code, in the end of the connection, or in waiting for more.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Packet, Version } from "../../src/protocol/index.ts";
import { BrokerHarness } from "../support/broker-harness.ts";
import type { TestClient } from "../support/test-client.ts";
import { type Row, readRows } from "../vectors/row.ts";

/** Longer vectors add time and no field. */
const MOST_BYTES = 300;
const LEGAL = readRows().filter(
  (row) => row.sender === "client" && row.packet !== null && row.bytes.length <= MOST_BYTES,
);
const TYPES: readonly Packet["type"][] = [
  "CONNECT",
  "PUBLISH",
  "PUBACK",
  "PUBREC",
  "PUBREL",
  "PUBCOMP",
  "SUBSCRIBE",
  "UNSUBSCRIBE",
  "DISCONNECT",
  "AUTH",
];

/** Where the Remaining Length ends. */
function bodyStart(bytes: Uint8Array): number {
  let at = 1;
  while (((bytes[at] ?? 0) & 0x80) !== 0) at++;
  return at + 1;
}

/** The packet with another body, and a Remaining Length that is right for it. */
function withBody(first: number, body: readonly number[]): Uint8Array {
  const length: number[] = [];
  let rest = body.length;
  do {
    length.push((rest & 0x7f) | (rest > 127 ? 0x80 : 0));
    rest >>= 7;
  } while (rest > 0);
  return Uint8Array.from([first, ...length, ...body]);
}

/** What a Remaining Length can be that is not what follows. */
function* otherLengths({ bytes }: Row): Iterable<Uint8Array> {
  const body = [...bytes.subarray(bodyStart(bytes))];
  const first = bytes[0] ?? 0;
  const honest = [...withBody(first, body)].slice(1, -body.length || undefined);
  const [lowest = 0, ...higher] = honest;
  for (const length of [
    [0],
    [Math.max(0, (lowest & 0x7f) - 1) | (lowest & 0x80), ...higher],
    [Math.min(0x7f, (lowest & 0x7f) + 1) | (lowest & 0x80), ...higher],
    [0xff, 0xff, 0xff, 0x7f],
    [0xff, 0xff, 0xff, 0xff, 0x01],
    [0x80, 0x80, 0x80, 0x80, 0x00],
    [lowest | 0x80, ...higher.map((byte) => byte | 0x80), 0x00],
  ])
    yield Uint8Array.from([first, ...length, ...body]);
}

/** Each byte of the body as if a length of one byte, of two, or of several began there. */
function* otherFields({ bytes }: Row): Iterable<Uint8Array> {
  const first = bytes[0] ?? 0;
  const body = [...bytes.subarray(bodyStart(bytes))];
  for (const [at, byte] of body.entries()) {
    for (const value of [0, byte - 1, byte + 1, 0x7f, 0xff]) yield withBody(first, body.with(at, value & 0xff));
    if (at + 1 < body.length) yield withBody(first, body.with(at, 0xff).with(at + 1, 0xff));
    yield withBody(first, [...body.slice(0, at), 0xff, 0xff, 0xff, 0xff, 0x7f, ...body.slice(at + 1)]);
    yield withBody(first, body.slice(0, at));
  }
}

/** The version that the bytes of a CONNECT ask for, which is what its answer is in. */
function versionOf(bytes: Uint8Array, otherwise: Version): Version {
  const body = bodyStart(bytes);
  const level = bytes[body + 2 + (((bytes[body] ?? 0) << 8) | (bytes[body + 1] ?? 0))];
  if (level === undefined) return otherwise;
  // A bridge of mosquitto adds 128.
  const asked = level & 0x7f;
  return asked === 3 || asked === 4 ? asked : 5;
}

/** A connection on which `row` can be sent, or `bytes` in place of it. */
function clientFor(harness: BrokerHarness, row: Row, bytes: Uint8Array): TestClient {
  if (row.packet?.type === "CONNECT") return harness.open(versionOf(bytes, row.version));
  return harness.connect("mutant", { version: row.version });
}

/** Sends bytes and says how it ended: "throws" is what must not be. */
function fate(harness: BrokerHarness, row: Row, bytes: Uint8Array): "ended" | "answered" | "waits" {
  const client = clientFor(harness, row, bytes);
  const before = client.received.length;
  try {
    client.sendBytes(bytes);
  } catch (error) {
    throw new Error(`${row.title}: ${Buffer.from(bytes).toString("hex")} threw`, { cause: error });
  }
  const isClosed = client.isClosed;
  const isAnswered = client.received.length > before;
  if (!isClosed) client.drop();
  return isClosed ? "ended" : isAnswered ? "answered" : "waits";
}

for (const version of [3, 4, 5] as const satisfies readonly Version[]) {
  test(`version ${version}: no length that lies throws, and no other client notices`, (context) => {
    const fates = { ended: 0, answered: 0, waits: 0 };
    const seen = new Set<string>();
    for (const row of LEGAL.filter((each) => each.version === version)) {
      seen.add(row.packet?.type ?? "");
      const harness = new BrokerHarness();
      const witness = harness.connect("witness");
      witness.subscribe("only/for/the/witness");
      for (const bytes of [...otherLengths(row), ...otherFields(row)]) {
        fates[fate(harness, row, bytes)]++;
        // The mutants that are gone: the harness would go on looking after them.
        harness.clients.length = 1;
      }
      witness.publish("only/for/the/witness", "x", { qos: 1 });
      assert.deepEqual([witness.payloads(), witness.isClosed], [["x"], false]);
      assert.equal(harness.broker.connections.size, 1);
    }
    const types = TYPES.filter((type) => type !== "AUTH" || version === 5);
    assert.deepEqual(
      types.filter((type) => !seen.has(type)),
      [],
    );
    context.diagnostic(JSON.stringify(fates));
    assert.ok(fates.ended > 500 && fates.waits > 20, JSON.stringify(fates));
  });

  test(`version ${version}: a packet that is cut at any byte is waited for, and its rest completes it`, () => {
    const harness = new BrokerHarness();
    for (const row of LEGAL.filter((each) => each.version === version && each.machine === null)) {
      if (row.packet?.type === "DISCONNECT" || row.packet?.type === "AUTH" || row.packet?.type === "CONNECT") continue;
      const whole = outcome(harness, row, [row.bytes]);
      for (let at = 1; at < row.bytes.length; at++) {
        const parts = [row.bytes.subarray(0, at), row.bytes.subarray(at)];
        assert.deepEqual(outcome(harness, row, parts), whole, `${row.title}, cut at ${at}`);
        harness.clients.length = 0;
      }
    }
  });
}

/** What comes back for a packet that arrives in parts. */
function outcome(harness: BrokerHarness, row: Row, parts: readonly Uint8Array[]): readonly string[] {
  const client = clientFor(harness, row, row.bytes);
  client.received.length = 0;
  for (const part of parts) {
    const isLast = part === parts.at(-1);
    client.sendBytes(part);
    if (!isLast) assert.deepEqual([client.received.length, client.isClosed], [0, false], row.title);
  }
  const trace = [...client.trace(), client.isClosed ? "closed" : "open"];
  client.received.length = 0;
  if (!client.isClosed) client.drop();
  return trace;
}
