import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../test/support/random.ts";
import { Deque } from "./deque.ts";

test("what goes in comes out in the same order, however it is used", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new Random(seed);
    const deque = new Deque<number>();
    let plain: number[] = [];
    // Long runs of one kind, so that it grows past the point from which on it is moved, and empties again.
    for (let run = 0; run < 40; run++) {
      const isFilling = random.chance(0.5);
      for (let count = random.below(2000); count > 0; count--) {
        if (isFilling) {
          deque.push(count);
          plain.push(count);
        } else {
          assert.equal(deque.peek(), plain[0], `seed ${seed}`);
          assert.equal(deque.shift(), plain.shift(), `seed ${seed}`);
        }
      }
      assert.equal(deque.size, plain.length, `seed ${seed}`);
      assert.deepEqual([...deque], plain, `seed ${seed}`);
      if (random.chance(0.1)) {
        assert.deepEqual(deque.drain(), plain, `seed ${seed}`);
        plain = [];
      }
    }
  }
});

test("an empty one has nothing to give", () => {
  const deque = new Deque<string>();
  assert.deepEqual([deque.shift(), deque.peek(), deque.size, deque.drain()], [undefined, undefined, 0, []]);
});
