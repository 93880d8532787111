import assert from "node:assert/strict";
import { test } from "node:test";
import { Denials, topicPattern } from "./denials.ts";

test("levels with digits and very long ones are any level; deep topics end in #", () => {
  const rows: readonly (readonly [string, string])[] = [
    ["home/kitchen/temperature", "home/kitchen/temperature"],
    ["devices/17/state", "devices/+/state"],
    ["log/2026-11-25T08:30/sensor-a", "log/+/sensor-a"],
    [`key/${"x".repeat(41)}`, "key/+"],
    ["/", "/"],
    ["a/b/c/d/e/f/g/h", "a/b/c/d/e/f/g/h"],
    ["a/b/c/d/e/f/g/h/i", "a/b/c/d/e/f/g/h/#"],
  ];
  for (const [topic, pattern] of rows) assert.equal(topicPattern(topic), pattern);
});

test("each client, access and pattern is told once", () => {
  const denials = new Denials();
  assert.deepEqual(denials.noteworthy("a", "publish", "devices/1", 0), { pattern: "devices/+", untold: 0 });
  assert.equal(denials.noteworthy("a", "publish", "devices/2", 60_000), null);
  assert.ok(denials.noteworthy("a", "receive", "devices/2", 60_000) !== null);
  assert.ok(denials.noteworthy("b", "publish", "devices/1", 60_000) !== null);
  assert.ok(denials.noteworthy("a", "publish", "house", 60_000) !== null);
});

test("a flood is told ten times in ten seconds, and then how many were not", () => {
  const denials = new Denials();
  const told = Array.from({ length: 25 }, (_, i) => denials.noteworthy(`client ${i}`, "publish", "t", i));
  assert.equal(told.filter((telling) => telling !== null).length, 10);
  assert.equal(denials.noteworthy("late", "publish", "t", 10_000)?.untold, 15);
  assert.ok(
    denials.noteworthy("client 20", "publish", "t", 10_001) !== null,
    "what was not told is told when it comes again",
  );
});

test("the oldest of a thousand are forgotten", () => {
  const denials = new Denials();
  for (let i = 0; i <= 1000; i++) assert.ok(denials.noteworthy(`client ${i}`, "publish", "t", i * 10_000) !== null);
  assert.equal(denials.noteworthy("client 1000", "publish", "t", 1e9), null);
  assert.ok(denials.noteworthy("client 0", "publish", "t", 1e9) !== null);
});
