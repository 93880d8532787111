/**
 * What every Store must do, as tests that take the store from whoever calls. How an adapter behaves when its disk fails is its own
 * test's matter; that the core copes is proved in `acknowledgement-rule.test.ts` and `crash.test.ts`.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Change, Store } from "../../src/core/index.ts";
import { Random } from "../support/random.ts";
import {
  deliverySet,
  FactModel,
  holdings,
  messageAdded,
  replayed,
  sessionSet,
  subscriptionSet,
  textOf,
  wholeQueue,
  willSet,
} from "./facts.ts";

/** A store with nothing in it, and its end. */
export interface StoreUnderTest {
  readonly store: Store;
  /** Lets go of the store and opens what it has kept, as the next broker would. */
  reopen(): Promise<Store>;
  /** Called once, after everything. */
  close(): Promise<void>;
}

/** Names that trouble a store which joins or cuts its keys. */
const NAMES: readonly string[] = [
  "a",
  "ab",
  "a/",
  "a/b",
  "A",
  "",
  " ",
  "\u0001",
  "a\u0001b",
  "ä",
  "a\u0308",
  "\u{1f600}",
  "\uffff",
  "$share/g/a",
  "x".repeat(511),
  "x".repeat(512),
  "x".repeat(65_535),
  `${"x".repeat(65_534)}y`,
];

/**
 * Declares the contract for the adapter called `name`, with so many random histories.
 * @param isWhole false: without what is about single names and ends, for an adapter that keeps them as another one does
 */
export function testStore(
  name: string,
  open: () => Promise<StoreUnderTest>,
  histories: number = 20,
  isWhole: boolean = true,
): void {
  const check = (title: string, run: (opened: StoreUnderTest) => Promise<void>): void => {
    test(`${name} store: ${title}`, async () => {
      const opened = await open();
      try {
        await run(opened);
      } finally {
        await opened.close();
      }
    });
  };
  if (isWhole) {
    testKeeping(check);
    testEdges(check);
  }
  testMessages(check);
  testQueues(check);
  testHistories(check, histories);
}

type Check = (title: string, run: (opened: StoreUnderTest) => Promise<void>) => void;

/** One fact of each kind that a store replays, in an order in which they could have been told. */
function everything(): Change[] {
  return [
    sessionSet("s", { principal: "someone", expirySeconds: 4_294_967_295 }),
    subscriptionSet("s", "a/+"),
    {
      ...subscriptionSet("s", "$share/g/b"),
      qos: 2,
      noLocal: true,
      retainAsPublished: true,
      subscriptionId: 268_435_455,
    },
    { ...messageAdded(1), expiresAtMs: 1_735_689_600_000, publisher: null },
    deliverySet("s", 1, 1, { packetId: 65_535, qos: 2, wait: "PUBREC", subscriptionIds: [1, 2], retain: true }),
    deliverySet("s", 2, null, { packetId: 1, qos: 2, wait: "PUBCOMP", payloadBytes: 0 }),
    deliverySet("s", 3, 1, { share: "$share/g/b" }),
    messageAdded(2),
    deliverySet("s", 4, 2),
    { kind: "received-set", clientId: "s", packetId: 65_535 },
    willSet("s", { dueAtMs: 1_735_689_600_001 }),
    messageAdded(3, new Uint8Array(0)),
    { kind: "share-set", share: "$share/g/b", order: 1, message: 3 },
    messageAdded(4),
    { kind: "retained-set", topicName: "t", message: 4 },
  ];
}

/** The ends of all that `everything` sets, the Session's own last. */
const ENDS: readonly Change[] = [
  { kind: "subscription-deleted", clientId: "s", topicFilter: "a/+" },
  { kind: "subscription-deleted", clientId: "s", topicFilter: "$share/g/b" },
  ...[1, 2, 3, 4].map((order): Change => ({ kind: "delivery-deleted", clientId: "s", order, message: null })),
  { kind: "received-deleted", clientId: "s", packetId: 65_535 },
  { kind: "will-deleted", clientId: "s" },
  { kind: "share-deleted", share: "$share/g/b", order: 1 },
  { kind: "retained-deleted", topicName: "t" },
  { kind: "session-deleted", clientId: "s" },
];

function testKeeping(check: Check): void {
  check("says that it keeps something, and holds nothing at first", async ({ store }) => {
    assert.notEqual(store.survives, "nothing");
    assert.deepEqual(await holdings(store), []);
  });

  check("gives every kind of fact back, also to the next broker", async ({ store, reopen }) => {
    await store.append(everything());
    const expected = modelOf(everything());
    assert.deepEqual(await holdings(store), expected);
    assert.deepEqual(await holdings(await reopen()), expected);
  });

  check("keeps what it was last told of the clock, and tells it before any moment", async ({ store, reopen }) => {
    await store.append([
      ...everything(),
      { kind: "clock-set", aheadMs: 5 },
      { kind: "clock-set", aheadMs: -87_600 * 3_600_000 },
    ]);
    const first = (await replayed(await reopen())).find(({ kind }) => kind !== "next-message");
    assert.deepEqual(first, { kind: "clock-set", aheadMs: -87_600 * 3_600_000 });
  });

  check("replays facts in an order in which each can be applied", async ({ store, reopen }) => {
    await store.append([sessionSet("other"), ...everything(), subscriptionSet("other", "b")]);
    assertOrder(await replayed(store));
    assertOrder(await replayed(await reopen()));
  });

  check("replaces a fact and changes nothing else", async ({ store, reopen }) => {
    await store.append(everything());
    const replacing: Change[] = [
      sessionSet("s", { disconnectedAtMs: 1_735_689_600_000, expirySeconds: 0 }),
      subscriptionSet("s", "$share/g/b"),
      deliverySet("s", 1, 2, { packetId: 7 }),
      deliverySet("s", 4, 2, { packetId: 8 }),
      willSet("s", { delaySeconds: 0 }),
      { kind: "retained-set", topicName: "t", message: 2 },
    ];
    await store.append(replacing);
    assert.deepEqual(await holdings(await reopen()), modelOf(everything(), replacing));
  });

  for (const end of ENDS) {
    check(`ends what ${textOf(end)} names, once or again, and nothing else`, async ({ store, reopen }) => {
      await store.append(everything());
      await store.append([end]);
      await store.append([end]);
      assert.deepEqual(await holdings(await reopen()), modelOf(everything(), [end]));
    });
  }

  check("does no harm when what it is to end is not there", async ({ store, reopen }) => {
    await store.append(ENDS);
    await store.append([sessionSet("s")]);
    await store.append(ENDS.slice(0, -1));
    assert.deepEqual(await holdings(await reopen()), modelOf([sessionSet("s")]));
  });

  check("is empty again when all has ended one by one", async ({ store, reopen }) => {
    await store.append(everything());
    for (const end of ENDS) await store.append([end]);
    assert.deepEqual(await holdings(await reopen()), []);
  });

  check("may be given a batch again that it has", async ({ store, reopen }) => {
    const batch = [...everything(), ...ENDS.slice(0, 4), sessionSet("s", { expirySeconds: 9 })];
    await store.append(batch);
    await store.append(batch);
    assert.deepEqual(await holdings(store), modelOf(batch));
    await store.append(ENDS);
    assert.deepEqual(await holdings(await reopen()), [], "no reference was counted twice");
  });
}

function modelOf(...batches: (readonly Change[])[]): string[] {
  const model = new FactModel();
  for (const batch of batches) model.apply(batch);
  return model.holdings();
}

function assertOrder(facts: Awaited<ReturnType<typeof replayed>>): void {
  const known = new Set<string>();
  let isPastSubscriptions = false;
  const lastOrder = new Map<string, number>();
  for (const fact of facts) {
    if ("clientId" in fact && fact.kind !== "session-set")
      assert.ok(known.has(`session ${fact.clientId}`), textOf(fact));
    if (fact.kind === "session-set") known.add(`session ${fact.clientId}`);
    else if (fact.kind === "message-added") known.add(`message ${fact.message}`);
    else if (fact.kind === "delivery-set" || fact.kind === "share-set" || fact.kind === "retained-set")
      assert.ok(fact.message === null || known.has(`message ${fact.message}`), textOf(fact));
    if (fact.kind === "session-set" || fact.kind === "subscription-set") assert.equal(isPastSubscriptions, false);
    else if (fact.kind !== "next-message" && fact.kind !== "message-added") isPastSubscriptions = true;
    if (fact.kind !== "delivery-set") continue;
    assert.ok(fact.order > (lastOrder.get(fact.clientId) ?? 0), textOf(fact));
    lastOrder.set(fact.clientId, fact.order);
  }
}

function testMessages(check: Check): void {
  check("keeps a message as long as anything refers to it", async ({ store }) => {
    await store.append([
      ...["s", "q"].map((clientId) => sessionSet(clientId)),
      messageAdded(1),
      deliverySet("s", 1, 1, { packetId: 1 }),
      deliverySet("q", 1, 1),
      { kind: "share-set", share: "$share/g/t", order: 1, message: 1 },
      { kind: "retained-set", topicName: "t", message: 1 },
    ]);
    const isKept = async (): Promise<boolean> => (await holdings(store)).includes(textOf(messageAdded(1)));
    const ends: Change[] = [
      deliverySet("s", 1, null, { packetId: 1, wait: "PUBCOMP" }),
      { kind: "retained-deleted", topicName: "t" },
      { kind: "share-deleted", share: "$share/g/t", order: 1 },
    ];
    for (const end of ends) {
      await store.append([end]);
      assert.equal(await isKept(), true, textOf(end));
    }
    await store.append([{ kind: "session-deleted", clientId: "q" }]);
    assert.equal(await isKept(), false);
  });

  check("judges references at the end of a batch", async ({ store, reopen }) => {
    const first = [sessionSet("s"), messageAdded(1), deliverySet("s", 1, 1)];
    await store.append(first);
    const moved: Change[] = [
      { kind: "session-deleted", clientId: "s" },
      messageAdded(2),
      sessionSet("t"),
      deliverySet("t", 1, 1),
    ];
    await store.append(moved);
    assert.deepEqual(await holdings(await reopen()), modelOf(first, moved), "1 is wanted again, 2 never was");
  });

  check("tells where the numbering of messages goes on", async ({ store, reopen }) => {
    await store.append([sessionSet("s"), messageAdded(41), deliverySet("s", 1, 41)]);
    const assertNext = async (replaying: Store): Promise<void> => {
      const next = (await replayed(replaying)).filter((fact) => fact.kind === "next-message");
      assert.equal(next.length, 1);
      assert.ok(next[0]!.message > 41, `${next[0]!.message}`);
    };
    await assertNext(store);
    await assertNext(await reopen());
  });
}

function testQueues(check: Check): void {
  check("sums a queue up and gives it in pages", async ({ store, reopen }) => {
    const batch: Change[] = [sessionSet("s"), sessionSet("s2"), messageAdded(1, "shared")];
    for (let order = 1; order <= 25; order++) {
      batch.push(messageAdded(order + 1), deliverySet("s", order, order + 1), deliverySet("s2", order, 1));
    }
    await store.append(batch);
    const reopened = await reopen();
    assert.deepEqual(await holdings(reopened, 7), modelOf(batch));
    const page = await reopened.readQueue("s", 10, 3);
    assert.deepEqual(
      page.map(({ delivery, message }) => [delivery.order, textOf(message)]),
      [11, 12, 13].map((order) => [order, textOf(messageAdded(order + 1))]),
    );
    assert.deepEqual(await reopened.readQueue("s", 25, 3), []);
    assert.deepEqual(await reopened.readQueue("nobody", 0, 3), []);
  });

  check("does not count what was sent to a queue, and says how much of one came by shares", async ({ store }) => {
    const batch = [
      sessionSet("s"),
      messageAdded(1),
      ...[1, 2, 3, 4, 5].map((order) => deliverySet("s", order, 1)),
      deliverySet("s", 2, 1, { packetId: 2 }),
      deliverySet("s", 4, 1, { share: "$share/g/t" }),
    ];
    await store.append(batch);
    assert.deepEqual(await holdings(store), modelOf(batch));
    assert.deepEqual(
      (await wholeQueue(store, "s", 2)).map(({ delivery }) => delivery.order),
      [1, 3, 4, 5],
    );
  });

  check("gives a queue of large messages to its end, in pages that memory can hold", async ({ store }) => {
    const batch: Change[] = [sessionSet("s")];
    for (let i = 1; i <= 12; i++) batch.push(messageAdded(i, new Uint8Array(150_000).fill(i)), deliverySet("s", i, i));
    await store.append(batch);
    assert.deepEqual(await holdings(store), modelOf(batch));
  });

  check("keeps the order of a queue whose places are large or come in any order", async ({ store, reopen }) => {
    const orders = [9, 10, 2, 2 ** 32 + 1, 2 ** 32 - 1, 2 ** 45, 99, 100];
    await store.append([sessionSet("s"), messageAdded(1), ...orders.map((order) => deliverySet("s", order, 1))]);
    const queue = await wholeQueue(await reopen(), "s", 3);
    assert.deepEqual(
      queue.map(({ delivery }) => delivery.order),
      [...orders].sort((a, b) => a - b),
    );
  });
}

function testEdges(check: Check): void {
  check("tells every legal name from every other", async ({ store, reopen }) => {
    const batch: Change[] = [];
    for (const [i, name] of NAMES.entries()) {
      batch.push(
        sessionSet(name, { principal: name }),
        subscriptionSet(name, NAMES[(i + 1) % NAMES.length]!),
        messageAdded(i + 1),
        deliverySet(name, 1, i + 1),
        { kind: "received-set", clientId: name, packetId: i + 1 },
        willSet(name),
        { kind: "retained-set", topicName: name, message: i + 1 },
        { kind: "share-set", share: `$share/g/${name}`, order: 1, message: i + 1 },
      );
    }
    await store.append(batch);
    assert.deepEqual(await holdings(await reopen()), modelOf(batch));
  });

  for (const name of NAMES.slice(0, 9)) {
    check(`ends the session ${JSON.stringify(name)} and none whose name is like it`, async ({ store, reopen }) => {
      const batch = NAMES.flatMap((clientId) => [
        sessionSet(clientId),
        subscriptionSet(clientId, "f"),
        willSet(clientId),
      ]);
      const end: Change = { kind: "session-deleted", clientId: name };
      await store.append(batch);
      await store.append([end]);
      assert.deepEqual(await holdings(await reopen()), modelOf(batch, [end]));
    });
  }

  check("keeps large messages and large batches whole", async ({ store, reopen }) => {
    const batch: Change[] = [
      sessionSet("s"),
      messageAdded(1, new Uint8Array(2_000_000).fill(7)),
      deliverySet("s", 1, 1),
    ];
    for (let i = 2; i <= 3000; i++) batch.push(messageAdded(i), deliverySet("s", i, i, { packetId: i }));
    await store.append(batch);
    assert.deepEqual(await holdings(await reopen()), modelOf(batch));
  });
}

function testHistories(check: Check, histories: number): void {
  for (let seed = 1; seed <= histories; seed++) {
    check(`agrees with the model over the random history ${seed}`, async (opened) => {
      const random = new Random(seed);
      const model = new FactModel();
      const history = new History(random);
      let { store } = opened;
      for (let batches = 0; batches < 30; batches++) {
        const batch = Array.from({ length: 1 + random.below(12) }, () => history.next()).flat();
        for (let times = random.chance(0.2) ? 2 : 1; times > 0; times--) await store.append(batch);
        model.apply(batch);
        if (random.chance(0.2)) store = await opened.reopen();
        assert.deepEqual(
          await holdings(store, 1 + random.below(4)),
          model.holdings(),
          `seed ${seed}, batch ${batches}`,
        );
      }
    });
  }
}

/** Random changes that the core could make. */
class History {
  readonly #random: Random;
  readonly #sessions: Set<string> = new Set();
  /** What each delivery was last set with. */
  readonly #owed: Map<number, number> = new Map();
  #message = 0;
  #order = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  next(): Change[] {
    const random = this.#random;
    const clientId = random.pick(["a", "b", "ab"]);
    const topicName = random.pick(["t", "t/u"]);
    const order = 1 + random.below(this.#order + 1);
    if (!this.#sessions.has(clientId) || random.chance(0.1)) {
      this.#sessions.add(clientId);
      return [sessionSet(clientId, { expirySeconds: random.below(100) })];
    }
    switch (random.below(10)) {
      case 0:
        return [
          random.chance(0.5)
            ? subscriptionSet(clientId, topicName)
            : { kind: "subscription-deleted", clientId, topicFilter: topicName },
        ];
      case 1:
        if (random.chance(0.5)) return [{ kind: "received-set", clientId, packetId: 1 + random.below(3) }];
        return [{ kind: "received-deleted", clientId, packetId: 1 + random.below(3) }];
      case 2:
        return [random.chance(0.5) ? willSet(clientId, { delaySeconds: order }) : { kind: "will-deleted", clientId }];
      case 3:
        return [{ kind: "retained-deleted", topicName }];
      case 4:
        this.#sessions.delete(clientId);
        return [{ kind: "session-deleted", clientId }];
      case 5:
        return [{ kind: "share-deleted", share: "$share/g/t", order }];
      case 6:
      case 7:
        return [
          { kind: "delivery-deleted", clientId, order, message: random.pick([this.#owed.get(order) ?? null, null]) },
        ];
      default:
        return this.#publish(topicName);
    }
  }

  /** A message and facts that refer to it. */
  #publish(topicName: string): Change[] {
    const random = this.#random;
    const message = ++this.#message;
    const batch: Change[] = [messageAdded(message)];
    for (const clientId of this.#sessions) {
      const order = ++this.#order;
      const packetId = random.chance(0.5) ? 0 : 1 + random.below(9);
      batch.push(deliverySet(clientId, order, message, { packetId, share: random.chance(0.2) ? "$share/g/t" : null }));
      if (random.chance(0.3)) batch.push(deliverySet(clientId, order, null, { packetId: 3, wait: "PUBCOMP" }));
      else this.#owed.set(order, message);
    }
    if (random.chance(0.3)) batch.push({ kind: "share-set", share: "$share/g/t", order: ++this.#order, message });
    if (random.chance(0.3)) batch.push({ kind: "retained-set", topicName, message });
    return batch;
  }
}
