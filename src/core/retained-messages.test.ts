import assert from "node:assert/strict";
import { test } from "node:test";

import { Random } from "../../test/support/random.ts";
import { bytesOf } from "../../test/support/test-client.ts";
import { topicMatches } from "../protocol/index.ts";
import { Deadlines } from "./deadlines.ts";
import { Message } from "./message.ts";
import { RetainedMessages } from "./retained-messages.ts";

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
      assert.deepEqual(new Set(retained.match(topicFilter, nowMs)), new Set(expected), `seed ${seed}: ${topicFilter}`);
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
  assert.equal(retained.match("#", 0).length, 1);
  assert.equal(retained.match(`${"+/".repeat(65_534)}#`, 0).length, 1);
  assert.equal([...retained].length, 1);
  assert.notEqual(retained.delete(deepest), null);
  assert.equal(retained.match("#", 0).length, 0);
});
