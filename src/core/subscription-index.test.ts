import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../test/support/random.ts";
import { topicMatches } from "../protocol/index.ts";
import { type FilterNode, SubscriptionIndex } from "./subscription-index.ts";

const LEVELS = ["", "a", "b", "$a"] as const;

function randomTopic(random: Random): string {
  const levels = Array.from({ length: 1 + random.below(4) }, () => random.pick(LEVELS));
  return levels.join("/") || "a";
}

function randomFilter(random: Random): string {
  const levels: string[] = Array.from({ length: 1 + random.below(4) }, () => random.pick([...LEVELS, "+"]));
  if (random.chance(0.3)) levels[levels.length - 1] = "#";
  return levels.join("/") || "#";
}

test("it finds what a plain search finds, whatever is added and removed", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = new Random(seed);
    const index = new SubscriptionIndex<{ topicFilter: string }>();
    const plain = new Map<{ topicFilter: string }, FilterNode<{ topicFilter: string }>>();
    for (let i = 0; i < 200; i++) {
      const random_ = random.pick([...plain.keys(), undefined]);
      if (random_ !== undefined && random.chance(0.6)) {
        index.remove(plain.get(random_)!, random_);
        plain.delete(random_);
      } else {
        const item = { topicFilter: randomFilter(random) };
        plain.set(item, index.add(item.topicFilter, item));
      }
      const topicName = randomTopic(random);
      const found = index.match(topicName);
      const expected = [...plain.keys()].filter(({ topicFilter }) => topicMatches(topicFilter, topicName));
      assert.equal(found.length, expected.length, `seed ${seed}: ${topicName}`);
      assert.deepEqual(new Set(found), new Set(expected), `seed ${seed}: ${topicName}`);
    }
  }
});

test("nothing is left of it when everything has been removed", () => {
  const random = new Random(1);
  const index = new SubscriptionIndex<number>();
  const places = Array.from({ length: 500 }, (_, item) => index.add(randomFilter(random), item));
  let root = places[0]!;
  while (root.parent !== null) root = root.parent;
  for (const [item, place] of places.entries()) index.remove(place, item);
  assert.equal(root.children, null);
});

/** Nodes of the tree that has `place`, the root aside. */
function nodesOf<Item>(place: FilterNode<Item>): FilterNode<Item>[] {
  let root = place;
  while (root.parent !== null) root = root.parent;
  const nodes = [root];
  for (const node of nodes) nodes.push(...(node.children?.values() ?? []));
  return nodes.slice(1);
}

test("however deep filters are, there are at most two nodes for each, and none that neither ends nor branches", () => {
  const random = new Random(2);
  const index = new SubscriptionIndex<number>();
  const anchor = index.add("anchor", -1);
  const places = new Map<number, FilterNode<number>>();
  for (let item = 0; item < 400; item++) {
    if (random.chance(0.6)) {
      const levels = Array.from({ length: 1 + random.below(100) }, () => random.pick(["a", "b", "+"]));
      places.set(item, index.add(levels.slice(0, 8).join("/") + "/x".repeat(random.below(100)), item));
    } else {
      for (const [removed, place] of places) {
        index.remove(place, removed);
        places.delete(removed);
        break;
      }
    }
    const nodes = nodesOf(anchor);
    assert.ok(nodes.length <= 2 * (places.size + 1), `${nodes.length} nodes for ${places.size} filters`);
    assert.ok(nodes.every(({ first, children }) => first !== null || (children?.size ?? 0) > 1));
  }
  assert.ok(places.size > 50);
});

test("removing one item of a filter leaves the others, first or not", () => {
  const index = new SubscriptionIndex<string>();
  for (const removed of ["one", "two", "three"]) {
    const places = ["one", "two", "three"].map((item) => index.add("a/+", item));
    index.remove(places[0]!, removed);
    assert.deepEqual(new Set(index.match("a/b")), new Set(["one", "two", "three"].filter((item) => item !== removed)));
    index.remove(places[0]!, "nobody");
    for (const item of ["one", "two", "three"]) if (item !== removed) index.remove(places[0]!, item);
    assert.deepEqual(index.match("a/b"), []);
  }
});

test("the deepest topic that fits into a packet costs no stack", () => {
  const index = new SubscriptionIndex<string>();
  const deepest = "/".repeat(65_535);
  const place = index.add(deepest, "deep");
  index.add("#", "all");
  assert.deepEqual(new Set(index.match(deepest)), new Set(["deep", "all"]));
  index.remove(place, "deep");
  assert.deepEqual(index.match(deepest), ["all"]);
});
