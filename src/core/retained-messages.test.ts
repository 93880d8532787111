import assert from "node:assert/strict";
import { test } from "node:test";

import { Random } from "../../test/support/random.ts";
import { bytesOf } from "../../test/support/test-client.ts";
import { topicMatches } from "../protocol/index.ts";
import { Deadlines } from "./deadlines.ts";
import { Message } from "./message.ts";
import { RetainedMessages, type RetainedSearch } from "./retained-messages.ts";

const TOPICS = ["a", "a/b", "a/b/c", "b", "/", "a/", "$SYS", "$SYS/a", "b/$a"] as const;
const FILTERS = ["#", "+", "a/#", "a/+", "+/b", "+/+", "a/b/c", "$SYS/#", "/", "+/#", "a", "b/#", "nobody/#"] as const;

function message(topicName: string, payload: string, nowMs: number, messageExpirySeconds?: number): Message {
  const properties = messageExpirySeconds === undefined ? {} : { messageExpirySeconds };
  const fields = {
    topicName,
    payload: bytesOf(payload),
    qos: 0,
    retain: true,
    dup: false,
    packetId: 0,
    properties,
  } as const;
  return Message.made(fields, null, nowMs);
}

/** Everything that a search for `topicFilter` finds. */
function matching(retained: RetainedMessages, topicFilter: string, nowMs: number): Message[] {
  return [...found(retained.search(topicFilter), nowMs)];
}

function* found(search: RetainedSearch, nowMs: number): IterableIterator<Message> {
  while (!search.isAtEnd) {
    const next = search.next(nowMs);
    if (next !== null) yield next;
    search.take();
  }
}

test("it holds what a plain list holds, whatever is set, deleted and expires", () => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = new Random(seed);
    const deadlines = new Deadlines();
    const expired: Message[] = [];
    const retained = new RetainedMessages(deadlines, (gone) => expired.push(gone));
    const plain = new Map<string, Message>();
    for (let nowMs = 0; nowMs < 100_000; nowMs += 500) {
      const topicName = random.pick(TOPICS);
      if (random.chance(0.3)) {
        assert.equal(retained.delete(topicName), plain.get(topicName) ?? null, `seed ${seed}`);
        plain.delete(topicName);
      } else {
        const seconds = random.chance(0.5) ? 1 + random.below(10) : undefined;
        const next = message(topicName, "x".repeat(random.below(9)), nowMs, seconds);
        assert.equal(retained.set(next), plain.get(topicName) ?? null, `seed ${seed}`);
        plain.set(topicName, next);
      }
      const topicFilter = random.pick(FILTERS);
      const live = [...plain.values()].filter((each) => !each.isExpired(nowMs));
      const expected = live.filter((each) => topicMatches(topicFilter, each.topicName));
      assert.deepEqual(
        new Set(matching(retained, topicFilter, nowMs)),
        new Set(expected),
        `seed ${seed}: ${topicFilter}`,
      );
      deadlines.run(nowMs);
      const gone = [...plain.values()].filter((each) => each.isExpired(nowMs));
      assert.deepEqual(new Set(expired.splice(0)), new Set(gone), `seed ${seed}`);
      for (const each of gone) plain.delete(each.topicName);
      assert.deepEqual(new Set(retained), new Set(plain.values()), `seed ${seed}`);
      assert.equal(retained.count, plain.size);
      assert.equal(
        retained.payloadBytes,
        [...plain.values()].reduce((sum, each) => sum + each.payloadBytes, 0),
      );
    }
  }
});

test("a message that was replaced or deleted does not take the next one of its topic along when its time is over", () => {
  const deadlines = new Deadlines();
  const retained = new RetainedMessages(deadlines, () => assert.fail());
  retained.set(message("t", "old", 0, 1));
  retained.set(message("t", "new", 0));
  deadlines.run(2000);
  retained.set(message("u/v", "old", 0, 5));
  retained.delete("u/v");
  retained.set(message("u/v", "new", 0));
  deadlines.run(9000);
  assert.equal(retained.count, 2);
});

test("the deepest topic that fits into a packet costs no stack", () => {
  const retained = new RetainedMessages(new Deadlines(), () => assert.fail());
  const deepest = "/".repeat(65_535);
  retained.set(message(deepest, "deep", 0));
  assert.equal(matching(retained, "#", 0).length, 1);
  assert.equal(matching(retained, `${"+/".repeat(65_534)}#`, 0).length, 1);
  assert.equal([...retained].length, 1);
  assert.notEqual(retained.delete(deepest), null);
  assert.equal(matching(retained, "#", 0).length, 0);
});

test("a search goes on where it was: what is retained meanwhile it does not find, what is deleted neither, the rest once", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = new Random(seed);
    const retained = new RetainedMessages(new Deadlines(), () => {});
    const before = new Map<string, Message>();
    for (const topicName of TOPICS) {
      if (random.chance(0.2)) continue;
      before.set(topicName, message(topicName, "before", 0));
      retained.set(before.get(topicName)!);
    }
    const topicFilter = random.pick(FILTERS);
    const expected = new Set([...before.keys()].filter((topicName) => topicMatches(topicFilter, topicName)));
    const [changed, seen] = [new Set<string>(), new Set<string>()];
    for (const next of found(retained.search(topicFilter), 0)) {
      const { topicName } = next;
      assert.ok(before.get(topicName) === next && !changed.has(topicName) && !seen.has(topicName), `seed ${seed}`);
      seen.add(topicName);
      for (const other of TOPICS.filter(() => random.chance(0.15))) {
        changed.add(other);
        if (random.chance(0.5)) retained.delete(other);
        else retained.set(message(other, "later", 0));
      }
    }
    for (const topicName of expected) assert.ok(seen.has(topicName) || changed.has(topicName), `seed ${seed}`);
    assert.ok(
      [...seen].every((topicName) => expected.has(topicName)),
      `seed ${seed}`,
    );
  }
});

test("a search that finds nothing among many topics lets others have their turn", () => {
  const retained = new RetainedMessages(new Deadlines(), () => assert.fail());
  for (let i = 0; i < 25_000; i++) retained.set(message(`t/${i}`, "", 0));
  const search = retained.search("+/+/nobody");
  let turns = 0;
  for (; !search.isAtEnd; turns++) assert.equal(search.next(0), null);
  assert.equal(turns, 3);
});
