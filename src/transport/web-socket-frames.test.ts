// Frames taken apart in place: the same whole, cut at each byte and together, and judged as the library ws judges them.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as ws from "ws";
import { parameters } from "../../test/support/property.ts";
import { FrameReader, type FrameSink, frameHead, Opcode } from "./web-socket-frames.ts";

/** What a reader found, as lines; neighbouring payloads are one, wherever they were cut. */
class Found implements FrameSink {
  readonly lines: string[] = [];

  onData(payload: Uint8Array): void {
    const text = Buffer.from(payload).toString("hex");
    const last = this.lines.at(-1);
    if (last?.startsWith("data ")) this.lines[this.lines.length - 1] = last + text;
    else this.lines.push(`data ${text}`);
  }

  onPing(payload: Uint8Array): void {
    this.lines.push(`ping ${Buffer.from(payload).toString("hex")}`);
  }

  onClose(code: number | null): void {
    this.lines.push(`close ${code}`);
  }

  onFault(code: number): void {
    this.lines.push(`fault ${code}`);
  }
}

function frame(opcode: number, payload: Uint8Array, isFinal: boolean = true, mask: number = 0x1badb002): Buffer {
  const head = frameHead(opcode, payload.length);
  head[0] = (isFinal ? 0x80 : 0) | opcode;
  head[1]! |= 0x80;
  const key = Buffer.alloc(4);
  key.writeUInt32BE(mask);
  return Buffer.concat([head, key, payload.map((byte, at) => byte ^ key[at & 3]!)]);
}

function read(...chunks: readonly Uint8Array[]): readonly string[] {
  const found = new Found();
  const reader = new FrameReader(found);
  for (const chunk of chunks) reader.push(Uint8Array.from(chunk));
  return found.lines;
}

function bytesTo(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => at * 7);
}

test("payloads of any length, whole and cut anywhere", () => {
  for (const length of [0, 1, 2, 3, 4, 5, 125, 126, 127, 200, 65_535, 65_536, 70_001]) {
    const payload = bytesTo(length);
    const bytes = frame(Opcode.binary, payload);
    const expected = length === 0 ? [] : [`data ${Buffer.from(payload).toString("hex")}`];
    assert.deepEqual(read(bytes), expected, `${length} bytes`);
    const cuts = length < 300 ? Array.from(bytes, (_, at) => at) : [1, 2, 3, 9, 13, 14, 15, length];
    for (const cut of cuts)
      assert.deepEqual(read(bytes.subarray(0, cut), bytes.subarray(cut)), expected, `cut at ${cut}`);
  }
});

test("frames of one chunk come as one payload, which lies in the chunk", () => {
  const chunk = new Uint8Array(Buffer.concat([1, 2, 70, 300].map((length) => frame(Opcode.binary, bytesTo(length)))));
  const payloads: Uint8Array[] = [];
  const sink = Object.assign(new Found(), { onData: (payload: Uint8Array) => payloads.push(payload) });
  new FrameReader(sink).push(chunk);
  assert.equal(payloads.length, 1);
  assert.equal(payloads[0]!.buffer, chunk.buffer);
  assert.deepEqual(
    [...payloads[0]!],
    [1, 2, 70, 300].flatMap((length) => [...bytesTo(length)]),
  );
});

test("fragments with control frames between them, in their order", () => {
  const bytes = Buffer.concat([
    frame(Opcode.binary, Buffer.from("ab"), false),
    frame(Opcode.ping, Buffer.from("?")),
    frame(Opcode.continuation, Buffer.from("c"), false),
    frame(Opcode.continuation, Buffer.alloc(0), false),
    frame(Opcode.pong, Buffer.from("ignored")),
    frame(Opcode.continuation, Buffer.from("d")),
    frame(Opcode.close, Buffer.from([0x03, 0xe9])),
    frame(Opcode.binary, Buffer.from("too late")),
  ]);
  const expected = ["data 6162", "ping 3f", "data 6364", "close 1001"];
  assert.deepEqual(read(bytes), expected);
  assert.deepEqual(read(...Array.from(bytes, (byte) => Uint8Array.of(byte))), expected);
});

test("each mistake has its code, and ends it", () => {
  const binary = frame(Opcode.binary, Buffer.from("x"));
  for (const [bytes, code, why] of [
    [Buffer.from("c2810000000078", "hex"), 1002, "a reserved bit"],
    [Buffer.from("820178", "hex"), 1002, "no mask"],
    [frame(3, Buffer.from("x")), 1002, "a data frame of no kind"],
    [frame(11, Buffer.from("x")), 1002, "a control frame of no kind"],
    [frame(Opcode.text, Buffer.from("x")), 1003, "text"],
    [frame(Opcode.continuation, Buffer.from("x")), 1002, "a continuation of nothing"],
    [frame(Opcode.ping, Buffer.from("x"), false), 1002, "a ping in pieces"],
    [frame(Opcode.ping, Buffer.alloc(126)), 1002, "a long ping"],
    [frame(Opcode.close, Buffer.from("x")), 1002, "half a code"],
    [
      Buffer.concat([frame(Opcode.binary, Buffer.from("x"), false), binary]).subarray(7),
      1002,
      "a message within another",
    ],
    [Buffer.from("82ff7fffffffffffffff01020304", "hex"), 1009, "2^63-1 bytes"],
    [Buffer.from("82ff000000010000000001020304", "hex"), 1009, "4 GiB"],
  ] as const) {
    const first = why.startsWith("a message") ? frame(Opcode.binary, Buffer.from("x"), false) : Buffer.alloc(0);
    assert.equal(read(first, bytes, binary).at(-1), `fault ${code}`, why);
  }
});

const anyFrame = fc
  .record({
    opcode: fc.constantFrom(0, 2, 2, 2, 8, 9, 10, 1, 5),
    payload: fc.uint8Array({ maxLength: 140 }),
    isFinal: fc.boolean(),
    mask: fc.integer({ min: 0, max: 0xffff_ffff }),
  })
  .map(({ opcode, payload, isFinal, mask }) => frame(opcode, payload, isFinal, mask));

/** What the receiver of ws makes of the same bytes, up to its first fault. */
async function readByWs(bytes: Buffer): Promise<readonly string[]> {
  const { Receiver } = ws as unknown as { Receiver: new (options: object) => NodeJS.WritableStream };
  const receiver = new Receiver({ isServer: true, binaryType: "fragments", maxPayload: 0xffff_ffff });
  const found = new Found();
  receiver.on("message", (pieces: Buffer[] | Buffer, isBinary: boolean) => {
    if (!isBinary) found.lines.push("fault 1003");
    else if (Array.isArray(pieces)) for (const piece of pieces) found.onData(piece);
  });
  receiver.on("ping", (payload: Buffer) => found.onPing(payload));
  receiver.on("conclude", (code: number) => found.onClose(code === 1005 ? null : code));
  receiver.on("error", () => found.lines.push("fault"));
  await new Promise((resolve) => {
    receiver.on("error", resolve).on("conclude", resolve);
    receiver.write(bytes, resolve);
  });
  return found.lines;
}

/** Text and faults end it; ws goes on after text, knows more close codes that are wrong, and hands on whole messages only. */
function comparable(lines: readonly string[]): readonly string[] {
  const end = lines.findIndex((line) => /^(fault|close)/.test(line));
  const controls = lines.slice(0, end < 0 ? lines.length : end).filter((line) => line.startsWith("ping"));
  return [...controls, end < 0 ? "open" : lines[end]!.split(" ")[0]!];
}

test("random frames are judged as ws judges them", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyFrame, { maxLength: 8 }), async (frames) => {
      const bytes = Buffer.concat(frames);
      const ours = read(bytes);
      // ws says that text is not UTF-8, and that a code is not allowed, where we look at neither.
      fc.pre(!ours.includes("fault 1003") && !ours.some((line) => line.startsWith("close") && line !== "close null"));
      assert.deepEqual(comparable(ours), comparable(await readByWs(bytes)));
    }),
    parameters(300),
  );
});

test("any bytes, cut anywhere, give the same and throw nothing", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(anyFrame, fc.uint8Array({ maxLength: 20 })), { maxLength: 6 }),
      fc.array(fc.nat(400), { maxLength: 5 }),
      (pieces, cuts) => {
        const bytes = Buffer.concat(pieces);
        const at = [
          0,
          ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((one, other) => one - other),
          bytes.length,
        ];
        const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        assert.deepEqual(read(...chunks), read(bytes));
      },
    ),
    parameters(500),
  );
});

test("the head of a frame is as short as its length allows", () => {
  for (const [length, hex] of [
    [0, "8200"],
    [125, "827d"],
    [126, "827e007e"],
    [65_535, "827effff"],
    [65_536, "827f0000000000010000"],
  ] as const)
    assert.equal(Buffer.from(frameHead(Opcode.binary, length)).toString("hex"), hex);
});
