import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { linesOf } from "./lines.ts";

async function lines(...chunks: (string | Buffer)[]): Promise<string[][]> {
  const found: string[][] = [];
  for await (const group of linesOf(Readable.from(chunks)))
    found.push(group.map((line) => Buffer.from(line).toString()));
  return found;
}

for (const [chunks, expected] of [
  [[], []],
  [["a\nb\n"], [["a", "b"]]],
  [["a\nb"], [["a"], ["b"]]],
  [
    ["a", "b\nc", "d", "\n"],
    [["ab"], ["cd"]],
  ],
  [["\n\n"], [["", ""]]],
  [["a\r\n"], [["a\r"]]],
  [
    ["a\n", "\n"],
    [["a"], [""]],
  ],
] as const) {
  test(`lines of ${JSON.stringify(chunks)}`, async () => assert.deepEqual(await lines(...chunks), expected));
}

test("a character that is split between two chunks stays whole", async () => {
  const bytes = Buffer.from("ä\n");
  assert.deepEqual(await lines(bytes.subarray(0, 1), bytes.subarray(1)), [["ä"]]);
});
