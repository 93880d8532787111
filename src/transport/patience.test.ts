/** A limit of time at sockets whose process stands still while it runs out. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { socketPair } from "../../test/support/socket-pair.ts";
import { standStill } from "../../test/support/stand-still.ts";
import { Patience } from "./patience.ts";

const LIMIT_MS = 10;

test("what came in time is read before the end is told of, and may cancel it", async (context) => {
  const [here, there] = await socketPair(context);
  const told: string[] = [];
  there.write("in time");
  const cancelled = new Patience(LIMIT_MS, () => told.push("too late"));
  const other = new Promise<void>((resolve) => {
    new Patience(LIMIT_MS, () => {
      told.push("end");
      resolve();
    });
  });
  here.once("data", (bytes) => {
    told.push(String(bytes));
    cancelled.cancel();
  });
  standStill(2 * LIMIT_MS);
  await other;
  assert.deepEqual(told, ["in time", "end"]);
});

test("one that is cancelled before its time tells of nothing", async () => {
  const told: string[] = [];
  new Patience(1, () => told.push("cancelled")).cancel();
  await new Promise<void>((resolve) => {
    new Patience(LIMIT_MS, resolve);
  });
  assert.deepEqual(told, []);
});
