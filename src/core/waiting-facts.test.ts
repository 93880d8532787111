// Which facts the store is given when: urgent ones soon, patient ones later, none before an earlier one.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { type Batch, Entry, type Fact, type Haste } from "./obligation.ts";
import { WaitingFacts } from "./waiting-facts.ts";

/** A fact that tests know by its number. */
class NumberedFact implements Fact {
  readonly number: number;
  readonly #bytes: number;

  constructor(number: number, bytes: number) {
    this.number = number;
    this.#bytes = bytes;
  }

  tell(_: Batch): void {}

  wait(): number {
    return this.#bytes;
  }

  leave(): number {
    return this.#bytes;
  }
}

let facts: WaitingFacts;
let nowMs: number;

beforeEach(() => {
  facts = new WaitingFacts();
  nowMs = 1000;
});

function add(number: number, haste: Haste, bytes: number = 0): Entry {
  const entry = new Entry(new NumberedFact(number, bytes), facts.lot(nowMs), haste, null, null, null);
  facts.push(entry);
  return entry;
}

const urgent = (number: number) => add(number, "urgent");
const patient = (number: number) => add(number, "patient");
const idle = (number: number) => add(number, "idle");

/** Ends the turn at `ms` and returns the facts that are taken, turn by turn. */
function takenAt(ms: number): number[][] {
  nowMs = ms;
  facts.endTurn(ms);
  return facts
    .takeDue(ms)
    .map(({ entries }) =>
      entries.filter(({ state }) => state === "waiting").map(({ fact }) => (fact as NumberedFact).number),
    );
}

test("an urgent fact is due two milliseconds after its turn began, a patient one ten after it ended", () => {
  urgent(1);
  assert.equal(facts.dueMs, 1002);
  assert.deepEqual(takenAt(1001), []);
  assert.deepEqual(takenAt(1002), [[1]]);
  assert.equal(facts.dueMs, Number.POSITIVE_INFINITY);
  patient(2);
  assert.deepEqual(takenAt(1004), []);
  assert.equal(facts.dueMs, 1014);
  assert.deepEqual(takenAt(1013), []);
  assert.deepEqual(takenAt(1014), [[2]]);
});

test("an urgent fact takes along the patient ones before it, and not the fresh ones behind it", () => {
  patient(1);
  takenAt(1000.5);
  urgent(2);
  takenAt(1001);
  patient(3);
  assert.deepEqual(takenAt(1002.5), [[1], [2]]);
  assert.equal(facts.size, 1);
  assert.equal(facts.dueMs, 1012.5);
});

test("urgent ones behind one that is due join it, up to the first turn with a patient one", () => {
  urgent(1);
  takenAt(1001);
  urgent(2);
  takenAt(1001.5);
  patient(3);
  urgent(4);
  assert.deepEqual(takenAt(1002), [[1], [2]]);
  assert.equal(facts.dueMs, 1003.5);
  assert.deepEqual(takenAt(1003.5), [[3, 4]]);
});

test("512 urgent facts go at once, patient ones only when there are 16,384 or 8 MiB of messages", () => {
  for (let i = 0; i < 511; i++) urgent(i);
  for (let i = 0; i < 15_000; i++) patient(i);
  assert.deepEqual(takenAt(1000), []);
  urgent(511);
  assert.equal(takenAt(1000).flat().length, 15_512);
  for (let i = 0; i < 16_383; i++) patient(i);
  assert.deepEqual(takenAt(1000), []);
  patient(0);
  assert.equal(takenAt(1000).flat().length, 16_384);
  add(1, "patient", 8_388_607);
  assert.deepEqual(takenAt(1000), []);
  add(2, "patient", 1);
  assert.deepEqual(takenAt(1000), [[1], [2]]);
  assert.deepEqual([facts.size, facts.bytes], [0, 0]);
});

test("what has been withdrawn counts for nothing and is not waited for", () => {
  const many = Array.from({ length: 600 }, (_, i) => urgent(i));
  const large = add(600, "patient", 8_388_608);
  for (const entry of [...many.slice(1), large]) facts.withdraw(entry);
  assert.deepEqual([facts.size, facts.bytes], [1, 0]);
  assert.deepEqual(takenAt(1001), []);
  facts.withdraw(many[0]!);
  assert.deepEqual(takenAt(1002), []);
  assert.equal(facts.dueMs, Number.POSITIVE_INFINITY);
});

test("a patient fact that is left of many is taken alone, however many came and went behind it", () => {
  patient(1);
  takenAt(1000);
  for (let i = 0; i < 100_000; i++) {
    facts.withdraw(patient(2));
    if (i % 1000 === 0) assert.deepEqual(takenAt(1000 + i / 20_000), []);
  }
  assert.equal(facts.size, 1);
  assert.deepEqual(takenAt(1010).flat(), [1]);
});

test("an idle fact waits thirty milliseconds, unless others that are due take it along", () => {
  idle(1);
  assert.deepEqual(takenAt(1001), []);
  assert.equal(facts.dueMs, 1031);
  patient(2);
  takenAt(1003);
  idle(3);
  takenAt(1004);
  assert.equal(facts.dueMs, 1013);
  patient(4);
  assert.deepEqual(takenAt(1013), [[1], [2], [3]]);
  assert.equal(facts.dueMs, 1023);
  idle(5);
  takenAt(1014);
  facts.withdraw(patient(6));
  assert.deepEqual(takenAt(1023).flat(), [4, 5]);
  assert.equal(facts.dueMs, Number.POSITIVE_INFINITY);
});

test("a patient fact that has been withdrawn hurries no idle one", () => {
  const withdrawn = patient(1);
  idle(2);
  takenAt(1000);
  facts.withdraw(withdrawn);
  assert.deepEqual(takenAt(1010), []);
  assert.equal(facts.dueMs, 1030);
  assert.deepEqual(takenAt(1030), [[2]]);
});

test("4,096 idle facts go at once, up to the first turn with a patient one", () => {
  for (let i = 0; i < 4000; i++) idle(i);
  assert.deepEqual(takenAt(1001), []);
  const first = patient(4000);
  assert.deepEqual(takenAt(1002), []);
  for (let i = 0; i < 96; i++) idle(i);
  assert.equal(takenAt(1003).flat().length, 4000);
  for (let i = 0; i < 4000; i++) idle(i);
  assert.deepEqual(takenAt(1004), [], "the patient one is before them");
  facts.withdraw(first);
  assert.equal(takenAt(1005).flat().length, 4096);
  assert.equal(facts.size, 0);
});
