import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Ledger } from "./ledger.ts";
import { type Batch, type Fact, Obligation } from "./obligation.ts";
import type { Change, Store } from "./store.ts";

const TIMEOUT_MS = 5000;

/** A store whose appends end when the test says so. */
class HeldStore implements Store {
  readonly survives = "power-loss";
  readonly batches: number[][] = [];
  #resolve: (() => void) | null = null;
  #reject: ((error: Error) => void) | null = null;

  append(changes: readonly Change[]): Promise<void> {
    assert.equal(this.#resolve, null, "appends overlap");
    this.batches.push(changes.map((change) => (change.kind === "received-set" ? change.packetId : -1)));
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  async keep(): Promise<void> {
    const resolve = this.#resolve!;
    this.#resolve = null;
    resolve();
    await turn();
  }

  async reject(): Promise<void> {
    const reject = this.#reject!;
    this.#resolve = null;
    reject(new Error("no"));
    await turn();
  }

  async *replay() {}
  readQueue() {
    return Promise.resolve([]);
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A fact that tests know by its number. */
function fact(packetId: number): Change {
  return { kind: "received-set", clientId: "c", packetId };
}

/** A fact with a message that fills the ledger. */
class LargeFact implements Fact {
  readonly #message: number;

  constructor(message: number) {
    this.#message = message;
  }

  tell({ changes }: Batch): void {
    const publish = new Uint8Array(this.wait());
    changes.push({ kind: "message-added", message: this.#message, publish, expiresAtMs: null, publisher: null });
  }

  wait(): number {
    return 64 * 1024 * 1024;
  }

  leave(): number {
    return this.wait();
  }
}

let nowMs: number;
let states: string[];
let store: HeldStore;
let ledger: Ledger;

beforeEach(() => {
  nowMs = 1000;
  states = [];
  store = new HeldStore();
  ledger = newLedger(store);
  ledger.tick(nowMs);
});

function newLedger(of: Store): Ledger {
  return new Ledger(
    of,
    {
      beginTurn: () => nowMs,
      turnMs: () => nowMs,
      requestTick() {},
      storeState: (state) => states.push(state),
    },
    TIMEOUT_MS,
  );
}

function tickAt(ms: number): void {
  nowMs = ms;
  ledger.tick(ms);
}

/** Records facts that one acknowledgement waits for, and notes in `log` when it may leave. */
function owe(log: string[], name: string, ...packetIds: number[]): ReturnType<Ledger["owe"]>[] {
  ledger.beginObligation();
  const entries = packetIds.map((packetId) => ledger.owe(fact(packetId)));
  ledger.endObligation()!.whenMet({ obligationMet: () => log.push(name) });
  return entries;
}

test("an obligation is met when all its facts are settled, and tells at once when it is met already", () => {
  const obligation = new Obligation();
  assert.equal(obligation.isMet, true);
  obligation.add();
  obligation.add();
  let met = 0;
  const obligationMet = () => met++;
  obligation.whenMet({ obligationMet });
  obligation.settle();
  assert.equal(met, 0);
  obligation.settle();
  assert.equal(met, 1);
  obligation.whenMet({ obligationMet });
  assert.equal(met, 2);
});

test("a batch waits two milliseconds for more facts, and one that is full does not wait", async () => {
  ledger.note(fact(1));
  assert.equal(ledger.deadlineMs(), 1002);
  tickAt(1001);
  ledger.note(fact(2));
  tickAt(1001.9);
  assert.deepEqual(store.batches, []);
  tickAt(1002);
  assert.deepEqual(store.batches, [[1, 2]]);
  await store.keep();
  for (let i = 0; i < 511; i++) ledger.note(fact(i));
  ledger.tick(1002);
  assert.equal(store.batches.length, 1);
  ledger.note(fact(511));
  ledger.tick(1002);
  assert.deepEqual(
    store.batches.map(({ length }) => length),
    [2, 512],
  );
});

test("while an append is under way facts gather, and nothing is due but to notice that it takes too long", async () => {
  ledger.note(fact(1));
  tickAt(1002);
  for (let i = 2; i < 2000; i++) ledger.note(fact(i));
  tickAt(1001 + TIMEOUT_MS);
  assert.equal(ledger.deadlineMs(), 1002 + TIMEOUT_MS);
  assert.equal(store.batches.length, 1);
  await store.keep();
  ledger.tick(nowMs);
  assert.deepEqual(
    store.batches.map(({ length }) => length),
    [1, 1998],
  );
});

test("what waits for a batch is released in the order in which it was recorded", async () => {
  const log: string[] = [];
  owe(log, "first", 1, 2);
  ledger.whenKept(() => log.push("kept 1"));
  owe(log, "second", 3);
  tickAt(1002);
  owe(log, "third", 4);
  ledger.whenKept(() => log.push("kept 2"));
  await store.keep();
  assert.deepEqual(log, ["first", "kept 1", "second"]);
  tickAt(ledger.deadlineMs());
  await store.keep();
  assert.deepEqual(log, ["first", "kept 1", "second", "third", "kept 2"]);
  ledger.whenKept(() => log.push("at once"));
  assert.equal(log.at(-1), "at once");
});

test("obligations may lie within each other, and what nobody is asked about is noted", () => {
  ledger.beginObligation();
  ledger.owe(fact(1));
  ledger.beginObligation();
  assert.equal(ledger.endObligation(), null);
  ledger.owe(fact(2));
  const outer = ledger.endObligation()!;
  outer.settle();
  assert.equal(outer.isMet, false);
  outer.settle();
  assert.equal(outer.isMet, true);
  ledger.owe(fact(3));
  ledger.beginObligation();
  assert.equal(ledger.endObligation(), null);
});

test("a discharged fact releases at once; withdrawn before its batch goes it does not go, afterwards it stays", async () => {
  const log: string[] = [];
  const [one, two] = owe(log, "met", 1, 2);
  one!.settle();
  ledger.withdraw(one!);
  two!.settle();
  assert.deepEqual(log, ["met"]);
  tickAt(1002);
  assert.deepEqual(store.batches, [[2]]);
  ledger.withdraw(two!);
  await store.reject();
  tickAt(1102);
  assert.deepEqual(store.batches, [[2], [2]]);
  await store.keep();
});

test("what is withdrawn without being discharged is released with its batch, also when nothing else is in it", async () => {
  const log: string[] = [];
  ledger.withdraw(owe(log, "a", 1)[0]!);
  tickAt(1001);
  assert.deepEqual(log, []);
  tickAt(1002);
  assert.deepEqual([store.batches, log], [[], ["a"]]);
  assert.equal(ledger.outstanding, 0);
});

test("a fact that takes the place of one that was handed over discharges that one too", async () => {
  const log: string[] = [];
  const [one] = owe(log, "a", 1);
  tickAt(1002);
  const later = ledger.note(fact(1), one);
  assert.equal(later.isOwed, true);
  later.settle();
  assert.deepEqual(log, ["a"]);
  await store.keep();
  assert.deepEqual(log, ["a"]);
});

test("a rejected batch is tried again as it was, later and later, and what waits for it goes on waiting", async () => {
  const log: string[] = [];
  owe(log, "a", 1);
  tickAt(1002);
  const pauses: number[] = [];
  for (let i = 0; i < 8; i++) {
    nowMs += 50;
    await store.reject();
    ledger.note(fact(2 + i));
    pauses.push(ledger.deadlineMs() - nowMs);
    tickAt(ledger.deadlineMs() - 1);
    assert.equal(store.batches.length, i + 1);
    tickAt(ledger.deadlineMs());
  }
  assert.deepEqual(pauses, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
  assert.deepEqual(new Set(store.batches.flat()), new Set([1]));
  assert.deepEqual([states, log], [["failing"], []]);
  await store.keep();
  assert.deepEqual([states, log], [["failing", "up"], ["a"]]);
  ledger.tick(nowMs);
  assert.deepEqual(store.batches.at(-1), [2, 3, 4, 5, 6, 7, 8, 9]);
});

test("an append that takes too long is a store that fails, until it ends; it is not tried again meanwhile", async () => {
  const log: string[] = [];
  owe(log, "a", 1);
  tickAt(1002);
  assert.equal(ledger.deadlineMs(), 1002 + TIMEOUT_MS);
  tickAt(1001 + TIMEOUT_MS);
  assert.deepEqual(states, []);
  tickAt(1002 + TIMEOUT_MS);
  assert.deepEqual(states, ["failing"]);
  ledger.note(fact(2));
  tickAt(100_000);
  assert.equal(ledger.deadlineMs(), Number.POSITIVE_INFINITY);
  assert.deepEqual([ledger.unwritten, store.batches, log], [2, [[1]], []]);
  await store.reject();
  assert.equal(ledger.deadlineMs(), 100_100);
  tickAt(100_100);
  tickAt(100_100 + TIMEOUT_MS);
  await store.keep();
  assert.deepEqual([ledger.unwritten, states, log], [1, ["failing", "up"], ["a"]]);
  tickAt(100_200 + TIMEOUT_MS);
  await store.keep();
  assert.deepEqual([ledger.unwritten, states], [0, ["failing", "up"]]);
});

test("a store that throws is a store that rejects", async () => {
  ledger = newLedger({
    ...store,
    survives: "process",
    replay: () => store.replay(),
    readQueue: () => store.readQueue(),
    append() {
      throw new Error("at once");
    },
  });
  ledger.note(fact(1));
  tickAt(1002);
  await turn();
  assert.deepEqual(states, ["failing"]);
});

test("discharged facts do not gather while an append hangs, and those still owed are not let go", async () => {
  const log: string[] = [];
  ledger.note(fact(1));
  tickAt(1002);
  ledger.withdraw(owe(log, "withdrawn", 2)[0]!);
  ledger.whenKept(() => log.push("kept"));
  for (let i = 0; i < 300_000; i++) {
    const [entry] = owe([], "", 3);
    entry!.settle();
    ledger.withdraw(entry!);
  }
  assert.equal(ledger.outstanding, 3);
  assert.equal(ledger.isFull, false);
  ledger.note(fact(4));
  await store.keep();
  tickAt(ledger.deadlineMs());
  assert.deepEqual(store.batches, [[1], [4]]);
  await store.keep();
  assert.deepEqual(log, ["withdrawn", "kept"]);
});

test("it is full by the number of facts or the bytes of messages, and tells when there is room", async () => {
  const large = ledger.owe(new LargeFact(1));
  assert.equal(ledger.isFull, true);
  ledger.withdraw(large);
  assert.equal(ledger.isFull, false);
  ledger.owe(new LargeFact(2));
  tickAt(1002);
  assert.equal(ledger.isFull, true);
  let hasRoom = false;
  ledger.whenRoom(() => {
    hasRoom = true;
  });
  for (let i = 0; i < 262_144; i++) ledger.note(fact(i));
  await store.keep();
  assert.deepEqual([ledger.isFull, hasRoom], [true, false]);
  ledger.tick(nowMs);
  await store.keep();
  assert.deepEqual([ledger.isFull, hasRoom], [false, true]);
});
