// Aliases of both directions [5.0 §3.3.2.3.4].
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { parameters } from "../../test/support/property.ts";
import { InboundAliases, OutboundAliases } from "./topic-aliases.ts";

test("an alias stands for the last topic that it came with", () => {
  const aliases = new InboundAliases(2);
  assert.equal(aliases.resolve(1, ""), "", "nothing yet");
  assert.equal(aliases.resolve(1, "a"), "a");
  assert.equal(aliases.resolve(2, "b"), "b");
  assert.equal(aliases.resolve(1, ""), "a");
  assert.equal(aliases.resolve(1, "c"), "c");
  assert.equal(aliases.resolve(1, ""), "c");
  assert.equal(aliases.resolve(2, ""), "b");
});

test("an alias out of range is refused, also with a topic", () => {
  for (const [maximum, alias] of [
    [0, 1],
    [10, 0],
    [10, 11],
    [65_535, 65_536],
  ] as const)
    for (const topicName of ["", "a"]) assert.equal(new InboundAliases(maximum).resolve(alias, topicName), null);
  assert.equal(new InboundAliases(65_535).resolve(65_535, "a"), "a");
});

test("the first topics get the aliases, and their names go out until the caller says that they went", () => {
  const aliases = new OutboundAliases(2);
  assert.deepEqual(aliases.for("a"), { alias: 1, isNew: true });
  assert.deepEqual(aliases.for("a"), { alias: 1, isNew: true }, "nothing went out");
  aliases.for("a")!.isNew = false;
  assert.deepEqual(aliases.for("a"), { alias: 1, isNew: false });
  assert.deepEqual(aliases.for("b"), { alias: 2, isNew: true });
  assert.equal(aliases.for("c"), null, "none is left");
  assert.deepEqual(aliases.for("a"), { alias: 1, isNew: false });
});

test("what one side gives out the other understands", () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom("a", "b", "c", "d", "e")),
      fc.integer({ min: 1, max: 5 }),
      (topics, maximum) => {
        const outbound = new OutboundAliases(maximum);
        const inbound = new InboundAliases(maximum);
        for (const topic of topics) {
          const given = outbound.for(topic);
          if (given === null) continue;
          assert.equal(inbound.resolve(given.alias, given.isNew ? topic : ""), topic);
          given.isNew = false;
        }
      },
    ),
    parameters(500),
  );
});
