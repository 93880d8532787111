import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../test/support/random.ts";
import { isShared, parseShared, topicMatches } from "../protocol/index.ts";
import type { Broker } from "./broker.ts";
import { ALONE, type Mesh } from "./mesh.ts";
import { type Receiver, Router, type RouterOptions } from "./router.ts";
import { Session } from "./session.ts";
import { Subscription } from "./subscription.ts";

const OPTIONS: RouterOptions = {
  maximumTopicLevels: 8,
  routeCacheTopics: 1000,
  allowDuplicateMessages: false,
  keepsBirthCertificates: false,
};
const TOPICS = ["a", "b", "a/b", "a/c", "a/b/c", "$SYS/a"] as const;
const FILTERS = [
  "a",
  "b",
  "a/b",
  "a/+",
  "+/b",
  "#",
  "a/#",
  "+",
  "$SYS/#",
  "$share/g/a/b",
  "$share/h/a/+",
  "$share/g/b",
];

function session(clientId: string): Session {
  return new Session({} as Broker, clientId, null, 0);
}

/** What a Receiver asks for, as text. */
function described(receiver: Receiver | null): string {
  if (receiver === null) return "nobody";
  const {
    session: { clientId },
    qos,
    retainAsPublished,
    subscriptionIds,
    own,
  } = receiver;
  const ids = [...(subscriptionIds ?? [])].sort();
  return `${clientId} q${qos} ${retainAsPublished} ${ids} own: ${own === receiver ? "same" : described(own)}`;
}

/** The same from a plain search. */
function expected(subscriptions: readonly Subscription[], topicName: string, isEach: boolean): string[] {
  const matching = subscriptions.filter(
    ({ topicFilter }) => !isShared(topicFilter) && topicMatches(topicFilter, topicName),
  );
  const sets = isEach
    ? matching.map((subscription) => [subscription])
    : [...new Set(matching.map((subscription) => subscription.session))].map((of) =>
        matching.filter((subscription) => subscription.session === of),
      );
  return sets.map((set) => {
    const others = set.filter(({ noLocal }) => !noLocal);
    const own = others.length === set.length ? "same" : others.length === 0 ? "nobody" : `${joined(others)} own: same`;
    return `${joined(set)} own: ${own}`;
  });
}

function joined(set: readonly Subscription[]): string {
  const ids = set.flatMap(({ subscriptionId }) => (subscriptionId > 0 ? subscriptionId : [])).sort();
  const qos = Math.max(...set.map((subscription) => subscription.qos));
  return `${set[0]!.session.clientId} q${qos} ${set.some(({ retainAsPublished }) => retainAsPublished)} ${ids}`;
}

for (const options of [
  OPTIONS,
  { ...OPTIONS, routeCacheTopics: 2 },
  { ...OPTIONS, routeCacheTopics: 0 },
  { ...OPTIONS, allowDuplicateMessages: true },
]) {
  test(`routes are those of a plain search over random changes: ${JSON.stringify(options)}`, () => {
    for (let seed = 1; seed <= 10; seed++) new Changes(seed, options).run();
  });
}

/** A router under random changes. */
class Changes {
  readonly #seed: number;
  readonly #random: Random;
  readonly #options: RouterOptions;
  readonly #router: Router;
  readonly #sessions = ["s", "t", "u"].map(session);
  readonly #wanted: Map<string, number> = new Map();

  constructor(seed: number, options: RouterOptions) {
    this.#seed = seed;
    this.#random = new Random(seed);
    this.#options = options;
    const count = (filter: string, by: number): void =>
      void this.#wanted.set(filter, (this.#wanted.get(filter) ?? 0) + by);
    const mesh: Mesh = { ...ALONE, want: (filter) => count(filter, 1), unwant: (filter) => count(filter, -1) };
    this.#router = new Router(options, mesh);
  }

  run(): void {
    for (let i = 0; i < 150; i++) {
      this.#change();
      // Twice, so that what is remembered is asked too.
      for (const topicName of TOPICS) this.#check(topicName);
      for (const topicName of TOPICS) this.#check(topicName);
    }
    this.#checkMesh();
  }

  #change(): void {
    const random = this.#random;
    const of = random.pick(this.#sessions);
    const topicFilter = random.pick(FILTERS);
    const known = of.subscriptions.get(topicFilter);
    const noLocal = random.chance(0.3) && !isShared(topicFilter);
    const qos = random.pick([0, 1, 2] as const);
    if (known === undefined) {
      const made = new Subscription(of, topicFilter, qos, noLocal, random.chance(0.3), random.below(3));
      of.subscriptions.set(topicFilter, made);
      this.#router.add(made);
    } else if (random.chance(0.5)) {
      of.subscriptions.delete(topicFilter);
      this.#router.remove(known);
    } else {
      Object.assign(known, { qos, noLocal, subscriptionId: random.below(3) });
      this.#router.changed(known);
    }
  }

  get #subscriptions(): Subscription[] {
    return this.#sessions.flatMap(({ subscriptions }) => [...subscriptions.values()]);
  }

  #check(topicName: string): void {
    const { receivers, groups } = this.#router.route(topicName);
    const all = this.#subscriptions;
    assert.deepEqual(
      receivers.map(described).sort(),
      expected(all, topicName, this.#options.allowDuplicateMessages).sort(),
      `seed ${this.#seed}: ${topicName}`,
    );
    const shares = all.filter(
      ({ topicFilter }) => isShared(topicFilter) && topicMatches(parseShared(topicFilter)!.topicFilter, topicName),
    );
    assert.deepEqual(
      new Set(groups.map(({ name }) => name)),
      new Set(shares.map(({ topicFilter }) => topicFilter)),
      `seed ${this.#seed}: ${topicName}`,
    );
    for (const { name, members } of groups)
      assert.deepEqual(new Set(members), new Set(shares.filter(({ topicFilter }) => topicFilter === name)));
  }

  /** Each distinct filter is wanted once, that of a shared subscription without its share. */
  #checkMesh(): void {
    const filters = this.#subscriptions.map(({ topicFilter }) => parseShared(topicFilter)?.topicFilter ?? topicFilter);
    const wanted = [...this.#wanted].filter(([, count]) => count !== 0);
    assert.deepEqual(new Map(wanted), new Map(filters.map((filter) => [filter, 1])));
    assert.equal(this.#router.subscriptions, filters.length);
  }
}

test("a topic that is too deep or reserved is said to be", () => {
  const router = new Router(OPTIONS, ALONE);
  assert.equal(router.route("a/b/c/d/e/f/g/h").isTooDeep, false);
  assert.equal(router.route("a/b/c/d/e/f/g/h/i").isTooDeep, true);
  for (const topicName of ["$SYS", "$SYS/a"]) assert.equal(router.route(topicName).isReserved, true);
  for (const topicName of ["$SYSTEM", "a/$SYS", "$other"]) assert.equal(router.route(topicName).isReserved, false);
});

test("the number of remembered topics is bounded, and a topic without receivers counts too", () => {
  const router = new Router({ ...OPTIONS, routeCacheTopics: 10 }, ALONE);
  const routes = Array.from({ length: 100 }, (_, i) => router.route(`t${i}`));
  const isRemembered = (i: number): boolean => router.route(`t${i}`) === routes[i];
  assert.equal(isRemembered(99), true);
  assert.equal(isRemembered(90), true);
  assert.equal(isRemembered(0), false);
});
