// PROXY headers of both versions: what they tell, cut at each byte, wrong in each way, and mutated.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parameters } from "../../test/support/property.ts";
import { type ProxyHeader, parseProxyHeader } from "./proxy-header.ts";

const SIGNATURE = "0d0a0d0a000d0a515549540a";

function v1(text: string): Buffer {
  return Buffer.from(text, "latin1");
}

function v2(hex: string): Buffer {
  return Buffer.from(SIGNATURE + hex.replaceAll(" ", ""), "hex");
}

function attribute(type: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.of(type, value.length >> 8, value.length & 0xff), value]);
}

/** A header of version 2 for 192.0.2.1:50000 to 192.0.2.2:1883 with attributes. */
function withAttributes(...attributes: readonly Buffer[]): Buffer {
  const body = Buffer.concat([Buffer.from("c0000201c0000202c350075b", "hex"), ...attributes]);
  return Buffer.concat([v2("2111"), Buffer.of(body.length >> 8, body.length & 0xff), body]);
}

function ssl(client: number, verify: number, ...within: readonly Buffer[]): Buffer {
  const fixed = Buffer.alloc(5);
  fixed[0] = client;
  fixed.writeUInt32BE(verify, 1);
  return attribute(0x20, Buffer.concat([fixed, ...within]));
}

function commonName(value: Buffer): Buffer {
  return attribute(0x22, value);
}

const PLAIN = { isLocal: false, isTls: false, hasCertificate: false, commonName: null, cipher: null };
const UNIX = v2(`2131 00d8 ${Buffer.from("/run/x").toString("hex").padEnd(216, "0")}${"0".repeat(216)}`);

const GOOD: readonly (readonly [1 | 2, Buffer, Omit<ProxyHeader, "length">])[] = [
  [
    1,
    v1("PROXY TCP4 192.0.2.1 192.0.2.2 50000 1883\r\n"),
    { source: { address: "192.0.2.1", port: 50_000 }, ...PLAIN },
  ],
  [1, v1("PROXY TCP6 2001:db8::1 ::1 65535 1\r\n"), { source: { address: "2001:db8::1", port: 65_535 }, ...PLAIN }],
  [1, v1("PROXY UNKNOWN\r\n"), { source: null, ...PLAIN }],
  [1, v1(`PROXY UNKNOWN ${"f".repeat(91)}\r\n`), { source: null, ...PLAIN }],
  [2, v2("2111 000c c0000201 c0000202 c350 075b"), { source: { address: "192.0.2.1", port: 50_000 }, ...PLAIN }],
  [
    2,
    v2("2121 0024 20010db8000000000000000000000001 00000000000000000000000000000001 ffff 0001"),
    { source: { address: "2001:db8::1", port: 65_535 }, ...PLAIN },
  ],
  [2, UNIX, { source: { address: "/run/x", port: 0 }, ...PLAIN }],
  [2, v2("2131 0006 2f72756e2f78"), { ...PLAIN, source: { address: "/run/x", port: 0 } }],
  [2, v2("2000 0000"), { ...PLAIN, isLocal: true, source: null }],
  [2, v2("2011 000c c0000201 c0000202 c350 075b"), { ...PLAIN, isLocal: true, source: null }],
  [
    2,
    withAttributes(ssl(1, 0, attribute(0x21, Buffer.from("TLSv1.3")), attribute(0x23, Buffer.from("AES")))),
    {
      ...PLAIN,
      source: { address: "192.0.2.1", port: 50_000 },
      isTls: true,
      cipher: { version: "TLSv1.3", name: "AES" },
    },
  ],
  // One alone says too little, and without TLS both say nothing.
  [
    2,
    withAttributes(ssl(1, 0, attribute(0x23, Buffer.from("AES")))),
    { ...PLAIN, source: { address: "192.0.2.1", port: 50_000 }, isTls: true },
  ],
  [
    2,
    withAttributes(ssl(0, 0, attribute(0x21, Buffer.from("TLSv1.3")), attribute(0x23, Buffer.from("AES")))),
    { ...PLAIN, source: { address: "192.0.2.1", port: 50_000 } },
  ],
  [2, withAttributes(attribute(4, Buffer.alloc(300))), { source: { address: "192.0.2.1", port: 50_000 }, ...PLAIN }],
  [
    2,
    withAttributes(attribute(1, Buffer.from("mqtt")), ssl(5, 0, commonName(Buffer.from("gerät-7")))),
    {
      ...PLAIN,
      source: { address: "192.0.2.1", port: 50_000 },
      isTls: true,
      hasCertificate: true,
      commonName: "gerät-7",
    },
  ],
  // Not verified, only for this connection, not UTF-8: no identity.
  ...([ssl(5, 1, commonName(Buffer.from("x"))), ssl(3, 0, commonName(Buffer.from("x"))), ssl(1, 0)] as const).map(
    (attributes): readonly [2, Buffer, Omit<ProxyHeader, "length">] => [
      2,
      withAttributes(attributes),
      { ...PLAIN, source: { address: "192.0.2.1", port: 50_000 }, isTls: true },
    ],
  ),
  [
    2,
    withAttributes(ssl(5, 0, commonName(Buffer.of(0xff)))),
    { ...PLAIN, source: { address: "192.0.2.1", port: 50_000 }, isTls: true, hasCertificate: true },
  ],
  [
    2,
    withAttributes(ssl(4, 0, commonName(Buffer.from("x")))),
    { source: { address: "192.0.2.1", port: 50_000 }, ...PLAIN },
  ],
];

for (const [version, bytes, expected] of GOOD) {
  test(`version ${version}: ${bytes
    .toString("latin1")
    .slice(0, 40)
    .replace(/[^ -~]/g, ".")} is read, and cut it is waited for`, () => {
    const header = { length: bytes.length, ...expected };
    assert.deepEqual(parseProxyHeader(Buffer.concat([bytes, Buffer.from("MQTT")]), version), header);
    for (let end = 0; end < bytes.length; end++)
      assert.equal(parseProxyHeader(bytes.subarray(0, end), version), null, `${end} bytes`);
  });
}

for (const [version, bytes, words] of [
  [1, v1("\x10\x0c\x00\x04MQTT"), /no PROXY header at all/],
  [1, v2("2111 000c"), /no PROXY header at all/],
  [1, v1("PROXZ"), /no PROXY header at all/],
  [1, v1("PROXY TCP5 1.2.3.4 1.2.3.4 1 1\r\n"), /neither TCP4 nor TCP6/],
  [1, v1("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n"), /a port/],
  [1, v1("PROXY TCP4 1.2.3.4 1.2.3.4 0 1\r\n"), /a port/],
  [1, v1("PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n"), /a port/],
  [1, v1("PROXY TCP4 1.2.3.4 1.2.3.4 1 1 1\r\n"), /not two addresses/],
  [1, v1("PROXY TCP4  1.2.3.4 1.2.3.4 1 1\r\n"), /not two addresses/],
  [1, v1("PROXY TCP4 1.2.3.256 1.2.3.4 1 1\r\n"), /not two addresses/],
  [1, v1("PROXY TCP4 ::1 ::1 1 1\r\n"), /not two addresses/],
  [1, v1("PROXY TCP6 1.2.3.4 ::1 1 1\r\n"), /not two addresses/],
  [1, v1(`PROXY UNKNOWN ${"f".repeat(100)}`), /no line end within 107 bytes/],
  [2, v1("PROXY TCP4 1.2.3.4 1.2.3.4 1 1\r\n"), /no PROXY header at all/],
  [2, v2("1111 000c"), /not version 2/],
  [2, v2("2211 000c"), /a command that is unknown/],
  [2, v2("2111 01f5"), /longer than 500 bytes/],
  [2, v2("2131 0000"), /too short/],
  [2, v2("2112 000c c0000201 c0000202 c350 075b"), /neither TCP nor/],
  [2, v2("2100 0000"), /neither TCP nor/],
  [2, v2("2111 000b c0000201 c0000202 c350 07"), /too short/],
  [2, withAttributes(Buffer.of(4, 0)), /cut/],
  [2, withAttributes(Buffer.of(4, 0, 2, 0)), /cut/],
  [2, withAttributes(attribute(0x20, Buffer.alloc(4))), /too short/],
  [2, withAttributes(attribute(0x20, Buffer.alloc(6))), /cut/],
] as const) {
  test(`version ${version}: refused, ${words.source}: ${bytes
    .toString("latin1")
    .slice(0, 40)
    .replace(/[^ -~]/g, ".")}`, () => {
    assert.throws(() => parseProxyHeader(bytes, version), words);
  });
}

test("mutated headers are read, waited for or refused, never more; and a longer one never says less", () => {
  const headers = GOOD.map(([, bytes]) => bytes);
  fc.assert(
    fc.property(
      fc.constantFrom(...headers),
      fc.array(fc.tuple(fc.nat(520), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
      fc.constantFrom<1 | 2>(1, 2),
      (header, changes, version) => {
        const bytes = Buffer.from(header);
        for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
        const outcome = (end: number): string => {
          try {
            const parsed = parseProxyHeader(bytes.subarray(0, end), version);
            assert.ok(parsed === null || (parsed.length > 0 && parsed.length <= end));
            return JSON.stringify(parsed);
          } catch (error) {
            assert.ok(error instanceof RangeError);
            return "refused";
          }
        };
        const whole = outcome(bytes.length);
        for (let end = 0; end < bytes.length; end++) {
          const early = outcome(end);
          if (early !== "null") assert.equal(early, whole);
        }
      },
    ),
    parameters(300),
  );
});
