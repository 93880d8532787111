// Formats of -F beyond what the comparison with mosquitto 2.0 covers: floats, groups of digits, and what is no format.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatTime } from "../observe/index.ts";
import { NO_PROPERTIES, type Properties, publishOf } from "../protocol/index.ts";
import { CommandLineError } from "./command-line.ts";
import { parseFormat, writeFormatted } from "./format.ts";

const MOMENT = { date: new Date(2024, 1, 29, 3, 4, 5), nanoseconds: 6_000_700 };

interface Shown {
  readonly out: string;
  readonly complaints: readonly string[];
}

function show(format: string, payload: Uint8Array | string, properties: Properties = NO_PROPERTIES): Shown {
  const bytes = typeof payload === "string" ? Buffer.from(payload) : payload;
  const message = publishOf({
    topicName: "a/b",
    payload: bytes,
    qos: 1,
    retain: false,
    dup: false,
    packetId: 7,
    properties,
  });
  const pieces: Buffer[] = [];
  const complaints: string[] = [];
  const sink = {
    write: (piece: string | Uint8Array) => pieces.push(Buffer.from(piece as Uint8Array)),
    complain: (text: string) => complaints.push(text),
  };
  writeFormatted(parseFormat(format), message, MOMENT, false, sink);
  return { out: Buffer.concat(pieces).toString(), complaints };
}

function float(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

function double(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

for (const [format, payload, expected] of [
  ["%f", float(1.5), "1.500000"],
  ["%.2f|%8.1f|%-8.1f|%08.1f", float(-2.25), "-2.25|    -2.3|-2.3    |-00002.3"],
  ["%d|%.0d", double(12345.678), "12345.678000|12346"],
  ["%.1d", double(1e22), "10000000000000000000000.0"],
  ["%5d|%05d", double(Number.NaN), "  nan|  nan"],
  ["%d", double(Number.NEGATIVE_INFINITY), "-inf"],
  ["%.2x", "hi!", "68 69 21"],
  ["%.4:x|%.2-X", "jkl", "6a6b:6c|6A-6B-6C"],
  ["%8x|%-8x|%08X|%2x", "hi", "    6869|6869    |00006869|6869"],
  ["%2x", "hello", "6865"],
  ["%3p|%5p|%-5p.", "hello", "hel|hello|hello."],
  ["%t|%q%r%m%l", "hello", "a/b|1075"],
  ["%E", "", ""],
] as const) {
  test(`-F ${format}`, () => assert.deepEqual(show(format, payload), { out: expected, complaints: [] }));
}

test("a payload that is no float is complained about", () => {
  assert.deepEqual(show("<%f>", "12345").complaints, ["requested float printing, but non-float data received"]);
  assert.deepEqual(show("<%d>", "1234"), {
    out: "<>",
    complaints: ["requested double printing, but non-double data received"],
  });
});

test("%j and %J keep bytes, order and repetition, and user properties as 2.1 has them", () => {
  const userProperties = [
    ["k", "v"],
    ["k", 'w"'],
  ] as const;
  const { out } = show("%J", '{"2":1,"1":2,"2":[]}', { contentType: "é", userProperties });
  assert.match(
    out,
    /"retain":false,"payloadlen":20,"mid":7,"properties":\{"content-type":"é","user-properties":\[\{"k":"v"\},\{"k":"w\\""\}\]\},"payload":\{"2":1,"1":2,"2":\[\]\}\}$/,
  );
  assert.match(out, /^\{"tst":"2024-02-29T03:04:05\.006000[+-]\d{4}","topic":"a\/b","qos":1,/);
  assert.match(show("%j", "").out, /"payload":null\}$/);
  assert.deepEqual(show("%J", "{]").complaints, ["Error: Message payload is not valid JSON on topic a/b."]);
});

test("%j is JSON whatever text the payload is, and %J whatever JSON", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", minLength: 1 }), (text) => {
      assert.equal((JSON.parse(show("%j", text).out) as { payload: string }).payload, text.toWellFormed());
    }),
  );
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      const wanted = JSON.parse(JSON.stringify(value).replaceAll(/-0(?=[,\]}]|$)/g, "0")) as unknown;
      const { payload } = JSON.parse(show("%J", JSON.stringify(value)).out) as { payload: unknown };
      assert.ok(isNear(payload, wanted), JSON.stringify([payload, wanted]));
    }),
  );
});

/** cJSON rounds numbers to 15 digits when these are near enough. */
function isNear(one: unknown, other: unknown): boolean {
  if (typeof one === "number" && typeof other === "number") {
    return Math.abs(one - other) <= Math.max(Math.abs(one), Math.abs(other)) * Number.EPSILON;
  }
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return one === other;
  const [keys, others] = [Object.keys(one), Object.keys(other)];
  if (keys.length !== others.length) return false;
  return keys.every((key) => isNear((one as Record<string, unknown>)[key], (other as Record<string, unknown>)[key]));
}

for (const [format, message] of [
  ["%", "Incomplete format specifier."],
  ["%-", "Incomplete format specifier."],
  ["%5.", "Incomplete format specifier."],
  ["a%z", "Invalid format specifier 'z'."],
  ["%-05é", "Invalid format specifier 'é'."],
  ["@", "Incomplete format specifier."],
  ["\\", "Incomplete escape specifier."],
  ["\\x", "Invalid escape specifier 'x'."],
] as const) {
  test(`-F ${format} is none`, () => assert.throws(() => parseFormat(format), new CommandLineError(message)));
}

test("any text is a format or is refused", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."%@\\-0.5:xXptfdjJzé ") }), (format) => {
      try {
        show(format, "payload");
      } catch (error) {
        assert.ok(error instanceof CommandLineError);
      }
    }),
  );
});

for (const [day, U, W, V, G, j] of [
  // Of GNU date.
  ["2024-01-01", "00", "01", "01", "2024", "001"],
  ["2023-01-01", "01", "00", "52", "2022", "001"],
  ["2020-12-31", "52", "52", "53", "2020", "366"],
  ["2021-01-03", "01", "00", "53", "2020", "003"],
] as const) {
  test(`weeks of ${day}`, () => {
    const [year, month, date] = day.split("-").map(Number) as [number, number, number];
    const moment = { date: new Date(year, month - 1, date, 12), nanoseconds: 0 };
    assert.deepEqual(
      ["U", "W", "V", "G", "j"].map((letter) => formatTime(letter, moment)),
      [U, W, V, G, j],
    );
  });
}
