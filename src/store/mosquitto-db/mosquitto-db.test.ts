// Files built byte by byte: what other machines and other versions write, and everything that a file must not be.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { digestOf } from "../../../test/support/fact-digest.ts";
import { ROOT } from "../../../test/support/repository.ts";
import type { Change } from "../../core/index.ts";
import { fillStore } from "../exchange/fill-store.ts";
import { ImportError } from "../import-source.ts";
import { MemoryStore } from "../memory.ts";
import { openImport } from "../open-import.ts";

const folder = mkdtempSync(join(tmpdir(), "lacewing-"));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, "mosquitto.db");

const NOW_MS = 1_800_000_000_000;
const NEVER = 0xffff_ffff;

/** Numbers as mosquitto writes them: of so many bytes, big-endian, or as a PC has them. */
const big = (bytes: number, value: number): Buffer => {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntBE(value, 0, bytes);
  return buffer;
};
const native = (value: bigint): Buffer => {
  const buffer = Buffer.alloc(8);
  buffer.writeBigInt64LE(value);
  return buffer;
};
const joined = (...parts: (Uint8Array | string)[]): Buffer => Buffer.concat(parts.map((part) => Buffer.from(part)));

const chunk = (type: number, ...parts: (Uint8Array | string)[]): Buffer => {
  const body = joined(...parts);
  return joined(big(4, type), big(4, body.length), body);
};

const file = (...chunks: Uint8Array[]): Buffer => fileOf(6, ...chunks);
const fileOf = (format: number, ...chunks: Uint8Array[]): Buffer =>
  joined(Buffer.from("00b500", "hex"), "mosquitto db", big(4, 0), big(4, format), ...chunks);

const CONFIGURATION = chunk(1, native(9n), Buffer.from("0108000000000000", "hex"));

interface MessageParts {
  readonly topic?: string;
  readonly payload?: string;
  readonly publisher?: string;
  readonly qos?: number;
  readonly retain?: number;
  readonly expires?: bigint;
  readonly properties?: Uint8Array;
  readonly payloadBytes?: number;
}

const message = (id: bigint, parts: MessageParts = {}): Buffer => {
  const { topic = "t", payload = `payload ${id}`, publisher = "", qos = 2, retain = 0, expires = 0n } = parts;
  const lengths = [publisher.length, 4, Buffer.byteLength(topic), 1883].map((value) => big(2, value));
  return chunk(
    2,
    native(id),
    native(expires),
    big(4, parts.payloadBytes ?? payload.length),
    big(2, 1),
    ...lengths,
    big(1, qos),
    big(1, retain),
    publisher,
    "user",
    topic,
    payload,
    parts.properties ?? "",
  );
};

const client = (id: string, expiry: number = NEVER, expires: bigint = 0n, padding: number = 4): Buffer =>
  chunk(
    6,
    native(expires),
    big(4, expiry),
    big(2, 1),
    big(2, id.length),
    big(2, 1883),
    big(2, 3),
    Buffer.alloc(padding),
    id,
    "joe",
  );

/** `what` is QoS, state, RETAIN and DUP, direction. */
const clientMessage = (
  id: string,
  of: bigint,
  packetId: number,
  what: readonly number[],
  properties: string = "",
): Buffer =>
  chunk(3, native(of), big(2, packetId), big(2, id.length), Uint8Array.from(what), id, Buffer.from(properties, "hex"));

const subscription = (
  id: string,
  filter: string,
  qos: number = 2,
  options: number = 0,
  subscriptionId: number = 0,
): Buffer =>
  chunk(
    5,
    big(4, subscriptionId),
    big(2, id.length),
    big(2, filter.length),
    big(1, qos),
    big(1, options),
    big(2, 0),
    id,
    filter,
  );

const retained = (id: bigint): Buffer => chunk(4, native(id));

const OUT = 1;
const IN = 0;

async function read(bytes: Uint8Array): Promise<Record<string, string[]>> {
  writeFileSync(path, bytes);
  const source = await openImport(path, { nowMs: NOW_MS, keepsUsers: true });
  const facts: Change[] = [];
  for await (const fact of source.facts()) facts.push(fact);
  await source.close();
  return digestOf(facts);
}

test("format 5, without user names", async () => {
  const old = chunk(6, native(0n), big(4, NEVER), big(2, 1), big(2, 1), "c");
  assert.deepEqual(await read(fileOf(5, CONFIGURATION, old, subscription("c", "a"))), {
    c: ["never expires", "subscribes a q2"],
  });
});

test("a 32-bit PC, which pads nothing", async () => {
  const short = chunk(1, native(9n), Buffer.from("01080000", "hex"));
  assert.deepEqual(await read(file(short, client("c", NEVER, 0n, 0))), { c: ["of joe, never expires"] });
});

test("each state of a message for a client, and each of one from it", async () => {
  const states = [
    [1, 2],
    [1, 3],
    [1, 11],
    [2, 4],
    [2, 5],
    [2, 6],
    [2, 9],
    [2, 11],
  ].map(([qos, state], i) => clientMessage("c", 1n, i + 1, [qos!, state!, 0x11, OUT]));
  const from = [7, 8, 10, 11].map((state, i) => clientMessage("c", 2n, i + 1, [2, state, 0, IN]));
  const digest = await read(file(CONFIGURATION, message(1n), message(2n), client("c"), ...from, ...states));
  assert.deepEqual(digest.c, [
    "of joe, never expires",
    "owed payload 1 q1 retain, sent as 1, waits for PUBACK",
    "owed payload 1 q1 retain, sent as 2, waits for PUBACK",
    "owed payload 1 q1 retain",
    "owed payload 1 q2 retain, sent as 4, waits for PUBREC",
    "owed payload 1 q2 retain, sent as 5, waits for PUBREC",
    "owed nothing q2, sent as 6, waits for PUBCOMP",
    "owed nothing q2, sent as 7, waits for PUBCOMP",
    "owed payload 1 q2 retain",
    "received 1",
    "received 2",
    "received 3",
    "received 4",
  ]);
});

test("what mosquitto held is passed on: by QoS, options, groups and owners, oldest first", async () => {
  const digest = await read(
    file(
      CONFIGURATION,
      message(5n, { topic: "a/b", publisher: "p", retain: 1, payload: "second" }),
      message(4n, { topic: "a/b", publisher: "p", payload: "first" }),
      message(6n, { topic: "$SYS/x", publisher: "p", payload: "system" }),
      message(7n, { topic: "r", publisher: "p", payload: "", retain: 1 }),
      message(8n, { topic: "r", retain: 1 }),
      client("p"),
      ...[4n, 5n, 6n, 7n].map((id) => clientMessage("p", id, Number(id), [2, 7, 0, IN])),
      client("q"),
      client("over", 0),
      subscription("p", "#", 2, 4),
      subscription("p", "a/b", 1, 8, 3),
      subscription("q", "a/+", 0),
      subscription("q", "$share/g/a/b"),
      subscription("p", "$share/g/a/b"),
      subscription("q", "$SYS/#", 1),
      subscription("over", "#"),
      retained(8n),
    ),
  );
  assert.deepEqual(digest.p?.slice(4), [
    "owed first q1 ids 3",
    "owed first q2 by $share/g/a/b",
    "owed second q1 retain ids 3",
    "owed second q2 by $share/g/a/b",
    "received 4",
    "received 5",
    "received 6",
    "received 7",
  ]);
  // A group's message goes to one of its members only.
  assert.deepEqual(digest.q?.slice(4), ["owed system q1"]);
  assert.deepEqual(digest[""], ["retained a/b second"]);
});

test("one message of many queues is kept once, in the batch of the first that is owed it", async () => {
  const clients = Array.from({ length: 50 }, (_, i) => `client-${i}`);
  const chunks = clients.flatMap((id) => [client(id), clientMessage(id, 1n, 0, [1, 11, 0, OUT])]);
  writeFileSync(path, file(CONFIGURATION, message(1n), message(2n), ...chunks));
  const store = new MemoryStore();
  const source = await openImport(path, { nowMs: NOW_MS, keepsUsers: true });
  const filled = await fillStore(store, source);
  await source.close();
  assert.deepEqual([store.messages, filled.messages, filled.queued, filled.sessions], [1, 1, 50, 50]);
});

const C = client("c");
const M = message(1n);

for (const [what, bytes, said] of [
  ["a format too old", fileOf(4, CONFIGURATION), /format 4 of an old mosquitto; .* mosquitto 2.0/],
  ["a format too new", fileOf(7, CONFIGURATION), /format 7, which is newer than this program/],
  ["a head cut off", file().subarray(0, 20), /ends after 20 bytes, within its head/],
  ["half a chunk header", joined(file(CONFIGURATION), "123"), /byte 47 goes 5 bytes beyond the end/],
  ["a chunk beyond the end", file(CONFIGURATION, C).subarray(0, -1), /byte 47 goes 1 byte beyond the end/],
  ["a huge chunk", file(joined(big(4, 6), big(4, 0xffff_fff0))), /byte 23 goes 4294967280 bytes beyond/],
  ["an unknown kind", file(chunk(7, "x")), /byte 23 is of the unknown kind 7/],
  ["kind 0", file(chunk(0, "x")), /unknown kind 0/],
  ["a chunk that is too long", file(chunk(6, Buffer.alloc(300_000))), /has 300000 bytes, more than its kind can have/],
  ["a short client", file(chunk(6, "short")), /has 5 bytes, fewer than its kind needs/],
  ["a client with bytes too many", file(joined(client("c", NEVER, 0n, 7))), /not what its parts have together/],
  ["a client without identifier", file(client("")), /empty client identifier/],
  ["a client of broken UTF-8", file(client("\u00ff").fill(0xff, 31)), /no well-formed UTF-8|which is not what/],
  ["a client twice", file(C, C), /byte 59 has the client "c" for the second time/],
  ["a time of another order of bytes", file(client("c", 60, 0x6543_2100_0000_0000n)), /another order of bytes/],
  ["identifiers of 4 bytes", file(chunk(1, native(1n), "\u0001\u0004")), /have 4 bytes; 8 can be read/],
  ["a message twice", file(M, M), /has the message 1 for the second time/],
  ["a message of QoS 3", file(message(1n, { qos: 3 })), /QoS 3/],
  ["a topic with a wildcard", file(message(1n, { topic: "a/#" })), /contains "#" at 3/],
  ["an empty topic", file(message(1n, { topic: "" })), /neither topic name nor topic alias/],
  ["a payload beyond the chunk", file(message(1n, { payloadBytes: 99 })), /fewer than its parts together/],
  ["a payload of 4 GB", file(message(1n, { payloadBytes: 0xffff_ffff })), /fewer than its parts together/],
  ["properties that are none", file(message(1n, { properties: Buffer.from("027f00", "hex") })), /0x7f/],
  ["more than properties", file(message(1n, { properties: Buffer.from("0000", "hex") })), /bytes after its properties/],
  [
    "a message for nobody",
    file(M, clientMessage("c", 1n, 1, [1, 3, 0, OUT])),
    /the client "c", which the file does not/,
  ],
  [
    "no such message",
    file(C, clientMessage("c", 1n, 1, [1, 3, 0, OUT])),
    /the message 1, which the file does not have/,
  ],
  [
    "a state of another QoS",
    file(M, C, clientMessage("c", 1n, 1, [1, 5, 0, OUT])),
    /state 5 in the direction 1 at QoS 1/,
  ],
  ["a state of another direction", file(M, C, clientMessage("c", 1n, 1, [2, 7, 0, OUT])), /state 7 in the direction 1/],
  ["a third direction", file(M, C, clientMessage("c", 1n, 1, [2, 7, 0, 2])), /direction 2/],
  ["packet identifier 0", file(M, C, clientMessage("c", 1n, 0, [1, 3, 0, OUT])), /packet identifier 0/],
  [
    "a packet identifier twice",
    file(M, C, clientMessage("c", 1n, 5, [1, 3, 0, OUT]), clientMessage("c", 1n, 5, [2, 5, 0, OUT])),
    /packet identifier 5 for "c" for the second time/,
  ],
  [
    "a received identifier twice",
    file(M, C, clientMessage("c", 1n, 5, [2, 7, 0, IN]), clientMessage("c", 1n, 5, [2, 7, 0, IN])),
    /packet identifier 5 that "c" chose for the second time/,
  ],
  ["a filter that cannot be", file(C, subscription("c", "a#")), /topic filter that cannot be/],
  ["a subscription twice", file(C, subscription("c", "a"), subscription("c", "a")), /"c" to "a" for the second time/],
  ["a subscription of nobody", file(subscription("c", "a")), /the client "c"/],
  ["a subscription of QoS 3", file(C, subscription("c", "a", 3)), /QoS 3/],
  ["unknown options", file(C, subscription("c", "a", 1, 0x40)), /more than a subscription can have/],
  ["a subscription identifier too large", file(C, subscription("c", "a", 1, 0, NEVER)), /identifier 4294967295/],
  ["retained but not there", file(retained(3n)), /the message 3/],
  ["retained with more", file(M, chunk(4, native(1n), "x")), /more than its kind can have/],
] as const) {
  test(`refused: ${what}`, () =>
    assert.rejects(read(bytes), (error: Error) => {
      assert.ok(error instanceof ImportError, error.stack);
      assert.match(error.message, said);
      return true;
    }));
}

test("an altered file is refused with our error, or taken", async () => {
  const whole = readFileSync(join(ROOT, "test/fixtures/mosquitto-db/2.0.11.db"));
  const change = fc.record({ at: fc.nat(whole.length - 1), byte: fc.constantFrom(0, 1, 2, 7, 0x7f, 0x80, 0xff) });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
      const altered = Buffer.from(whole);
      for (const { at, byte } of changes) altered[at] = byte;
      await read(altered).catch((error: Error) => assert.ok(error instanceof ImportError, error.stack));
    }),
    { numRuns: 1000 },
  );
});
