import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { topicMatches } from "../protocol/index.ts";
import { commonFilter, holdsFilter, withNames } from "./filter-sets.ts";
import { TopicTree } from "./topic-tree.ts";

const NAMES = { clientId: "c", username: "u" };

function matched(filters: readonly string[], topicName: string, hasPatterns: boolean = false): string[] {
  const tree = new TopicTree<string>(hasPatterns);
  for (const filter of filters) tree.add(filter, filter);
  const found: string[] = [];
  tree.match(topicName, NAMES, (rule) => found.push(rule));
  return found.sort();
}

const level = fc.constantFrom("a", "b", "", "$x");
const topicName = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join("/") || "a");
const topicFilter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant("+")), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([levels, isDeep]) => [...levels, ...(isDeep ? ["#"] : [])].join("/") || "+");

test("a tree finds the rules whose filter matches, and no others", () => {
  fc.assert(
    fc.property(fc.uniqueArray(topicFilter, { maxLength: 12 }), topicName, (filters, name) => {
      const expected = filters.filter((filter) => topicMatches(filter, name)).sort();
      assert.deepEqual(matched(filters, name), expected);
    }),
  );
});

for (const [filter, name, isMatch] of [
  ["%c/a", "c/a", true],
  ["%u/a", "u/a", true],
  ["%u/a", "%u/a", false],
  ["%c/a", "d/a", false],
  ["a/%c/#", "a/c", true],
  ["x%c", "xc", false],
  ["x%c", "x%c", true],
  ["%c/#", "$SYS/c", false],
] as const) {
  test(`pattern ${filter} ${isMatch ? "matches" : "does not match"} ${name}`, () => {
    assert.equal(matched([filter], name, true).length, isMatch ? 1 : 0);
  });
}

test("what two filters have in common is what both match", () => {
  fc.assert(
    fc.property(topicFilter, topicFilter, topicName, (one, other, name) => {
      const common = commonFilter(one, other);
      const isInBoth = topicMatches(one, name) && topicMatches(other, name);
      assert.equal(common !== null && topicMatches(common, name), isInBoth);
      assert.equal(common, commonFilter(other, one));
      if (holdsFilter(one, other) && topicMatches(other, name)) assert.ok(topicMatches(one, name));
    }),
  );
});

test("names take the place of whole levels, and of nothing when they would be several", () => {
  assert.equal(withNames("a/%c/%u/x%c", "c", "u"), "a/c/u/x%c");
  assert.equal(withNames("a/%u", "c", null), null);
  assert.equal(withNames("a/%c", "c/d", null), null);
  assert.equal(withNames("a/b", "c/d", null), "a/b");
});
