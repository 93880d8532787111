// That a script fails, and says why, when a client sends other bytes than it asks for.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { type Script, scriptedDoors } from "./script.ts";

/** What a script says about a client that sends these bytes, each at a connection of its own, and goes; null: nothing is wrong. */
async function verdict(context: Parameters<typeof scriptedDoors>[0], script: Script, ...sent: readonly string[]) {
  const doors = await scriptedDoors(context, 5);
  for (const bytes of sent) connect(doors.port(), "127.0.0.1").end(Buffer.from(bytes, "hex")).resume();
  try {
    await doors.play(script);
    await doors.end();
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

const PINGREQ: Script = ["1 > c0[]", "1 closed"];

for (const [what, sent, said] of [
  ["what it asks for", "c000", null],
  [
    "another byte",
    "c001",
    "1. 1 > c0[]\nthe client sent other bytes: 2 bytes expected, 2 came, byte 1 is the first that differs\n  expected  c0 00   ..\n  came      c0 01   ..\n               ^^",
  ],
  [
    "a byte too few",
    "c0",
    "1. 1 > c0[]\nthe client went before it had sent them: 2 bytes expected, 1 came, byte 1 is the first that differs\n  expected  c0 00   ..\n  came      c0   .\n               ^^",
  ],
  [
    "a byte too many",
    "c00000",
    "2. 1 closed\nthe client sent too much: 0 bytes expected, 1 came, byte 0 is the first that differs\n  expected     \n  came      00   .\n            ^^",
  ],
] as const) {
  test(`a client that sends ${what}`, async (context) => {
    const message = await verdict(context, PINGREQ, sent);
    // What had come and was not asked for is shown too.
    assert.equal(message?.replace(/\n {2}not asked for.*/, "") ?? null, said);
  });
}

test("a connection too many, and bytes after the last line", async (context) => {
  assert.match(
    (await verdict(context, ["1 > c0[]"], "c000", "c000")) ?? "",
    /^after the last line, at 2: the client sent too/,
  );
  assert.match(
    (await verdict(context, ["1 > c0[]"], "c000d000")) ?? "",
    /^after the last line, at 1: the client sent too/,
  );
});

test("far from the beginning, what is around the difference is shown", async (context) => {
  const right = `31[ 't' {} ${"00".repeat(500)} ]`;
  const message = await verdict(context, [`1 > ${right}`], `31f803000174${"00".repeat(401)}07${"00".repeat(99)}`);
  assert.match(message ?? "", /byte 407 is the first/);
  assert.match(message ?? "", /came {6}\.\.\. (00 ){20}07 (00 ){19}\.\.\. /);
});

test("a line that is none", async (context) => {
  assert.match((await verdict(context, ["1 says c0[]"])) ?? "", /no line of a script/);
  assert.match((await verdict(context, ["1 > 3g"])) ?? "", /no notation of bytes: 3g/);
});
