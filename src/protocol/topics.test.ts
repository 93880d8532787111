// Names and filters: what is well-formed, and what matches, checked against a matcher so plain that it is evidently right.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { parameters } from "../../test/support/property.ts";
import { isShared, parseShared, topicFilterFault, topicLevels, topicMatches, topicNameFault } from "./topics.ts";

for (const topicName of [
  "a",
  "/",
  "//",
  "a/b/c",
  "/a",
  "a/",
  "a//b",
  " ",
  "a b",
  "$SYS/x",
  "é/日本/\u{1f600}",
  "\ufeff",
  "\u0001",
])
  test(`${JSON.stringify(topicName)} is a topic name, and a filter too`, () => {
    assert.equal(topicNameFault(topicName), null);
    assert.equal(topicFilterFault(topicName), null);
  });

for (const [topicName, fault] of [
  ["", /empty/],
  ["+", /"\+" at 1/],
  ["a/#", /"#" at 3/],
  ["a+b", /"\+" at 2/],
  ["a\0", /U\+0000 .* at 2/],
  ["\ud800", /lone surrogate at 1/],
  ["a\udc00b", /lone surrogate at 2/],
  ["\ud800\ud800\udc00", /lone surrogate at 1/],
  ["\u{1f600}\udc00", /lone surrogate at 3/],
] as const)
  test(`${JSON.stringify(topicName)} is no topic name`, () => assert.match(String(topicNameFault(topicName)), fault));

for (const topicFilter of [
  "#",
  "+",
  "+/+",
  "/+",
  "+/",
  "a/#",
  "a/+/b",
  "+/a/#",
  "/#",
  "$SYS/#",
  "$share/g/#",
  "$share/g/+/a",
  "$share/g//",
  "$shared/a",
])
  test(`${topicFilter} is a topic filter`, () => assert.equal(topicFilterFault(topicFilter), null));

for (const [topicFilter, fault] of [
  ["", /empty/],
  ["a#", /"#" at 2/],
  ["#/a", /"#" at 1/],
  ["a/#/b", /"#" at 3/],
  ["##", /"#" at 1/],
  ["a+", /"\+" at 2/],
  ["+a", /"\+" at 1/],
  ["a/b+/c", /"\+" at 4/],
  ["++", /"\+" at 1/],
  ["a\0", /U\+0000/],
  ["a/\udc00", /lone surrogate/],
  ["$share", /\$share\/NAME\/FILTER/],
  ["$share/", /\$share\/NAME\/FILTER/],
  ["$share/g", /\$share\/NAME\/FILTER/],
  ["$share/g/", /\$share\/NAME\/FILTER/],
  ["$share//a", /\$share\/NAME\/FILTER/],
  ["$share/+/a", /\$share\/NAME\/FILTER/],
  ["$share/g#/a", /\$share\/NAME\/FILTER/],
  ["$share/g/a#", /"#" at 2/],
] as const)
  test(`${JSON.stringify(topicFilter)} is no topic filter`, () =>
    assert.match(String(topicFilterFault(topicFilter)), fault));

test("depth has a bound, for the filter of a shared subscription without its $share/NAME/", () => {
  const deep = (levels: number) => Array.from({ length: levels }, () => "a").join("/");
  assert.equal(topicLevels(deep(201)), 201);
  assert.equal(topicNameFault(deep(201)), null);
  assert.match(String(topicNameFault(deep(202))), /202 levels; at most 201/);
  assert.equal(topicFilterFault(deep(201)), null);
  assert.match(String(topicFilterFault(deep(202))), /202 levels; at most 201/);
  assert.equal(topicFilterFault(`$share/g/${deep(201)}`), null);
  assert.match(String(topicFilterFault(`$share/g/${deep(202)}`)), /202 levels/);
  assert.match(String(topicNameFault("a/b/c", 2)), /3 levels; at most 2/);
  assert.equal(topicNameFault("/".repeat(65_534), Number.POSITIVE_INFINITY), null, "the deepest that fits a packet");
  assert.equal(topicMatches("+/".repeat(30_000), "a/".repeat(30_000)), true, "no stack is needed");
});

test("a shared filter is taken apart", () => {
  assert.deepEqual(parseShared("$share/g/a/#"), { shareName: "g", topicFilter: "a/#" });
  assert.deepEqual(parseShared("$share/g//"), { shareName: "g", topicFilter: "/" });
  assert.equal(parseShared("$shared/g/a"), null);
  assert.equal(parseShared("a"), null);
  assert.deepEqual(["$share/g/a", "$share", "$shared/a", "a/$share/b"].map(isShared), [true, true, false, false]);
});

for (const [topicFilter, topicName, matches] of [
  ["a/b", "a/b", true],
  ["a/b", "a/B", false],
  ["a/b", "a", false],
  ["a", "a/b", false],
  ["a/b", "a/bc", false],
  ["a/bc", "a/b", false],
  ["a", "a/", false],
  ["a/", "a", false],
  ["+", "a", true],
  ["+", "/", false],
  ["+/+", "/", true],
  ["/+", "/", true],
  ["+/", "a/", true],
  ["+", "a/b", false],
  ["a/+/c", "a/b/c", true],
  ["a/+/c", "a//c", true],
  ["a/+", "a", false],
  ["a/+", "a/", true],
  ["#", "a/b/c", true],
  ["#", "/", true],
  ["a/#", "a", true],
  ["a/#", "a/", true],
  ["a/#", "a/b/c", true],
  ["a/#", "ab", false],
  ["a/#", "ab/c", false],
  ["+/#", "a", true],
  ["/#", "a", false],
  ["/#", "/a", true],
  ["a/+/#", "a", false],
  ["a/+/#", "a/b", true],
  ["#", "$SYS/a", false],
  ["+/a", "$SYS/a", false],
  ["+", "$SYS", false],
  ["$SYS/#", "$SYS/a", true],
  ["$SYS/+", "$SYS/a", true],
  ["/#", "/$SYS", true],
  ["a/#", "a/$b", true],
  ["+/+", "a/$b", true],
] as const)
  test(`${topicFilter} ${matches ? "matches" : "does not match"} ${topicName} [5.0 §4.7] [3.1.1 §4.7]`, () =>
    assert.equal(topicMatches(topicFilter, topicName), matches));

/** The rules of [5.0 §4.7] said once more, level by level. */
function plainlyMatches(filter: readonly string[], name: readonly string[]): boolean {
  if (filter[0] === "#") return true;
  if (filter.length === 0 || name.length === 0) return filter.length === name.length;
  if (filter[0] !== "+" && filter[0] !== name[0]) return false;
  if (filter.length === 2 && filter[1] === "#" && name.length === 1) return true;
  return plainlyMatches(filter.slice(1), name.slice(1));
}

function referenceMatches(topicFilter: string, topicName: string): boolean {
  if (topicName.startsWith("$") && /^[+#]/.test(topicFilter)) return false;
  return plainlyMatches(topicFilter.split("/"), topicName.split("/"));
}

test("matching agrees with the reference on random pairs", () => {
  const level = fc.constantFrom("", "a", "b", "ab", "$a", "é");
  const name = fc.array(level, { minLength: 1, maxLength: 5 }).map((levels) => levels.join("/"));
  const filter = fc
    .tuple(fc.array(fc.oneof(level, fc.constant("+")), { maxLength: 5 }), fc.constantFrom("a", "", "+", "#"))
    .map(([levels, last]) => [...levels, last].join("/"));
  const usable = (topic: string) => topic !== "";
  let matched = 0;
  fc.assert(
    fc.property(filter.filter(usable), name.filter(usable), (topicFilter, topicName) => {
      const expected = referenceMatches(topicFilter, topicName);
      if (expected) matched++;
      assert.equal(topicMatches(topicFilter, topicName), expected);
    }),
    parameters(20_000),
  );
  assert.ok(matched > 500, `only ${matched} pairs matched: the property proves little`);
});

test("a name matches itself as a filter", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 20 }), (topic) => {
      if (topicNameFault(topic) === null) assert.ok(topicMatches(topic, topic));
    }),
    parameters(1000),
  );
});
