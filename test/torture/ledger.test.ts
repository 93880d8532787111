// The book sees what it is for: a ledger that finds nothing would make every other test here worthless.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Ledger } from "./ledger.ts";
import { Payloads } from "./payload.ts";

/** A publisher of three messages, all acknowledged, with what a subscriber received. */
function verdictOn(qos: 1 | 2, received: readonly number[], restarts = 0) {
  const ledger = new Ledger(1, [{ qos }]);
  for (let count = 0; count < 3; count++) ledger.acknowledge(0, ledger.send(0));
  for (let count = 0; count < restarts; count++) ledger.restartSubscriber(0);
  for (const sequence of received) ledger.receive(0, 0, sequence);
  return ledger.verdict();
}

for (const [qos, received, restarts, expected] of [
  [1, [1, 2, 3], 0, {}],
  [1, [1, 2], 0, { lost: [1] }],
  [1, [], 0, { lost: [3] }],
  [1, [1, 2, 2, 3], 1, {}],
  [1, [1, 2, 2, 3], 0, { rewound: [1] }],
  [1, [1, 2, 3, 1, 2, 3], 1, {}],
  [1, [1, 3, 2], 1, { disordered: [1] }],
  [2, [1, 2, 3], 0, {}],
  [2, [1, 2, 2, 3], 1, { doubled: [1] }],
  [1, [1, 2, 3, 4], 0, { altered: [1] }],
] as const) {
  test(`received ${received.join(" ")} of 1 2 3 at QoS ${qos} over ${restarts} reconnects`, () => {
    const verdict = verdictOn(qos, received, restarts);
    assert.equal(verdict.isClean, Object.keys(expected).length === 0);
    const nothing = { lost: [0], doubled: [0], disordered: [0], rewound: [0], altered: [0], ...expected };
    for (const [name, counts] of Object.entries(nothing)) assert.deepEqual(verdict[name as "lost"], counts, name);
  });
}

test("what was not acknowledged may be missing; what was refused is counted", () => {
  const ledger = new Ledger(1, [{ qos: 1 }]);
  ledger.acknowledge(0, ledger.send(0));
  ledger.send(0);
  ledger.refuse(0);
  ledger.receive(0, 0, 1);
  const { isClean, sent, acknowledged, refused } = ledger.verdict();
  assert.deepEqual({ isClean, sent, acknowledged, refused }, { isClean: true, sent: 2, acknowledged: 1, refused: 1 });
});

test("a message that comes again after its round was settled is a repetition, at QoS 2 a fault", () => {
  const ledger = new Ledger(1, [{ qos: 1 }, { qos: 2 }]);
  ledger.acknowledge(0, ledger.send(0));
  for (const subscriber of [0, 1]) ledger.receive(subscriber, 0, 1);
  ledger.settle();
  for (const subscriber of [0, 1]) {
    ledger.restartSubscriber(subscriber);
    ledger.receive(subscriber, 0, 1);
  }
  assert.deepEqual(ledger.verdict().doubled, [0, 1]);
  assert.deepEqual(ledger.verdict().lost, [0, 0]);
});

test("the members of a group share a row: any order, nothing lost, at QoS 2 nothing twice", () => {
  const ledger = new Ledger(1, [{ qos: 2, isGroup: true }]);
  for (let count = 0; count < 3; count++) ledger.acknowledge(0, ledger.send(0));
  for (const sequence of [3, 1]) ledger.receive(0, 0, sequence);
  assert.deepEqual(ledger.verdict().lost, [1]);
  ledger.receive(0, 0, 2);
  assert.equal(ledger.verdict().isClean, true);
  ledger.receive(0, 0, 3);
  assert.deepEqual(ledger.verdict().doubled, [1]);
});

test("what was given up as lost and comes in a later round is said to be late, once", () => {
  const ledger = new Ledger(1, [{ qos: 1 }]);
  for (let count = 0; count < 2; count++) ledger.acknowledge(0, ledger.send(0));
  ledger.receive(0, 0, 2);
  assert.deepEqual(ledger.verdict().lost, [1]);
  ledger.settle();
  assert.equal(ledger.verdict().isClean, true);
  for (let count = 0; count < 2; count++) ledger.receive(0, 0, 1);
  assert.deepEqual([ledger.verdict().late, ledger.verdict().isClean], [1, false]);
});

test("a lost session and a fault in words are not clean", () => {
  const [session, words] = [new Ledger(1, [{ qos: 1 }]), new Ledger(1, [{ qos: 1 }])];
  session.loseSession();
  words.fault("it exited");
  assert.equal(session.verdict().isClean, false);
  assert.equal(words.verdict().isClean, false);
});

test("a payload is known again, and any changed byte is seen", () => {
  const payloads = new Payloads(7, { least: 0, most: 40 });
  fc.assert(
    fc.property(fc.nat(500), fc.integer({ min: 1, max: 1e6 }), fc.nat(), (publisher, sequence, place) => {
      const payload = payloads.make(publisher, sequence);
      assert.equal(payloads.sequenceOf(payload, 0, payload.length), sequence);
      assert.equal(payloads.publisherOf(payload, 0), publisher);
      const at = 4 + (place % (payload.length - 4));
      payload[at] = (payload[at] as number) ^ 1;
      assert.notEqual(payloads.sequenceOf(payload, 0, payload.length), sequence);
    }),
  );
});
