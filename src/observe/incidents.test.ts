import assert from "node:assert/strict";
import { test } from "node:test";
import { Incidents } from "./incidents.ts";

test("incidents are counted by kind and topic, the latest last, and what was given out does not change", () => {
  const incidents = new Incidents();
  incidents.note("queue-full", "a", 1);
  incidents.note("publish-denied", "a", 2);
  incidents.note("queue-full", "a", 3);
  const list = incidents.list();
  incidents.note("queue-full", "a", 4);
  assert.deepEqual(list, [
    { kind: "publish-denied", topic: "a", count: 1, lastMs: 2 },
    { kind: "queue-full", topic: "a", count: 2, lastMs: 3 },
  ]);
});

test("of too many the one that is longest ago is forgotten", () => {
  const incidents = new Incidents();
  for (let i = 0; i < 32; i++) incidents.note("queue-full", `t${i}`, i);
  incidents.note("queue-full", "t0", 100);
  for (let i = 0; i < 5; i++) incidents.note("receive-denied", `n${i}`, 200 + i);
  const topics = incidents.list().map(({ topic }) => topic);
  assert.equal(topics.length, 32);
  assert.ok(topics.includes("t0") && topics.includes("n4"));
  for (const gone of ["t1", "t2", "t3", "t4", "t5"]) assert.ok(!topics.includes(gone), gone);
});
