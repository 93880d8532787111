// Histories that mosquitto and Lacewing are to see alike: random steps of five clients, each of which makes sense, or does nothing,
// after any other. What the brokers are known to do differently is left out, each with its reason.
import * as fc from "fast-check";
import type { Qos, Version } from "../../src/protocol/index.ts";

/** One step of a client. */
export type Step =
  | {
      readonly do: "connect";
      readonly id: string;
      readonly version: Version;
      readonly cleanStart: boolean;
      /** Of a 5.0 client; others keep their Session unless they start clean. */
      readonly expirySeconds: 0 | 1000;
      /** Whether it acknowledges by itself; the others do by steps. */
      readonly answers: boolean;
      readonly will: { readonly topic: string; readonly qos: Qos; readonly retain: boolean } | null;
    }
  /** Says goodbye; in 5.0 it may want its will published and change how long its Session lasts. */
  | {
      readonly do: "disconnect";
      readonly id: string;
      readonly withWill: boolean;
      readonly expirySeconds: 0 | 1000 | null;
    }
  | { readonly do: "drop"; readonly id: string }
  | {
      readonly do: "subscribe";
      readonly id: string;
      readonly filters: readonly string[];
      readonly qos: Qos;
      readonly noLocal: boolean;
      readonly retainAsPublished: boolean;
      readonly retainHandling: 0 | 1 | 2;
      readonly subscriptionId: number;
    }
  | { readonly do: "unsubscribe"; readonly id: string; readonly filters: readonly string[] }
  | {
      readonly do: "publish";
      readonly id: string;
      readonly topic: string;
      readonly qos: Qos;
      readonly retain: boolean;
      readonly isEmpty: boolean;
      /** At QoS 1 and 2 it is sent once more with DUP. */
      readonly isRepeated: boolean;
    }
  /** Acknowledges the oldest message of `qos`, at QoS 2 half of the way or all of it. */
  | { readonly do: "acknowledge"; readonly id: string; readonly qos: 1 | 2; readonly isHalf: boolean };

/** What histories of one kind have. */
export interface HistoryKind {
  readonly title: string;
  /** Of mosquitto.conf, and of mosquitto's alone. */
  readonly lines: readonly string[];
  readonly mosquittoLines: readonly string[];
  /**
   * Whether overlapping Subscriptions make a copy each at our broker too. Copies come in an order of their own, so they must be the
   * same: no Subscription Identifier, and RETAIN always cleared.
   */
  readonly hasCopies: boolean;
}

/** mosquitto 2.0 makes copies for overlapping Subscriptions of 5.0 clients; with this for those of all. */
const COPIES = "allow_duplicate_messages true";

export const KINDS: readonly HistoryKind[] = [
  {
    title: "in memory, a copy for each Subscription",
    // mosquitto 2.0 sends more than its window once the oldest message is acknowledged, so none may be full.
    lines: [COPIES, "max_inflight_messages 1000"],
    mosquittoLines: [],
    hasCopies: true,
  },
  {
    title: "with a store, a message for all Subscriptions",
    lines: ["persistence true", "persistence_location FOLDER/"],
    mosquittoLines: [COPIES],
    hasCopies: false,
  },
];

const CLIENTS = ["one", "two", "three", "four", "five"];
/** mosquitto 2.0 keeps these options when a Subscription is replaced, so each belongs to all Subscriptions of one client, which speaks 5.0. */
const NO_LOCAL = "four";
const AS_PUBLISHED = "five";
const TOPICS = ["a", "a/b", "a/c", "a/b/c", "b", "/", "will"];
const FILTERS = [...TOPICS, "#", "#", "a/#", "a/#", "+", "a/+", "+/b", "+/+", "a/b/#"];
const LEAST_STEPS = 10;
const MOST_STEPS = 40;

const id = fc.constantFrom(...CLIENTS);
const qos = fc.constantFrom<Qos[]>(0, 1, 2);
const topic = fc.constantFrom(...TOPICS);
const filter = fc.constantFrom(...FILTERS);
const filters = fc.uniqueArray(filter, { minLength: 1, maxLength: 2 });

/** `often` times in ten. */
function chance(often: number): fc.Arbitrary<boolean> {
  return fc.integer({ min: 1, max: 10 }).map((value) => value > 10 - often);
}

/**
 * Histories of `kind`. Left out, as nothing that is random would say more than its situation in `situations/`, or its reason:
 * - time: expiries, will delays, keep-alive. The clocks of two processes are two clocks;
 * - mistakes, Topic Aliases, other properties, `$SYS`, `$share`, limits of queues: situations;
 * - a PUBLISH at QoS 2 that is not released: mosquitto delivers at PUBREL, Lacewing when it comes, so whatever happened in between would tell.
 */
export function historiesOf(kind: HistoryKind): fc.Arbitrary<readonly Step[]> {
  const anyConnect = fc.record({
    do: fc.constant("connect" as const),
    version: fc.constantFrom<Version[]>(3, 4, 4, 5, 5, 5),
    cleanStart: chance(2),
    expirySeconds: fc.constantFrom<(0 | 1000)[]>(0, 1000, 1000),
    // With copies to be joined, nothing may wait for an acknowledgement: copies that come at different times are not told from others.
    answers: kind.hasCopies ? chance(6) : fc.constant(true),
    will: fc.option(fc.record({ topic, qos, retain: chance(3) }), { freq: 2 }),
  });
  const connect = (client: fc.Arbitrary<string>): fc.Arbitrary<Step> =>
    fc.tuple(anyConnect, client).map(([step, own]) => {
      const version = own === NO_LOCAL || own === AS_PUBLISHED ? 5 : step.version;
      return { ...step, id: own, version };
    });
  const disconnect = fc.record({
    do: fc.constant("disconnect" as const),
    id,
    withWill: chance(3),
    expirySeconds: fc.constantFrom<(0 | 1000 | null)[]>(null, null, 0, 1000),
  });
  const subscribe = fc.record({
    do: fc.constant("subscribe" as const),
    // A retained message comes for each filter, and is not to be joined.
    filters: kind.hasCopies ? filters : fc.tuple(filter),
    qos,
    retainHandling: fc.constantFrom<(0 | 1 | 2)[]>(0, 0, 1, 2),
    subscriptionId: kind.hasCopies ? fc.constant(0) : fc.constantFrom(0, 0, 1, 300, 268_435_455),
  });
  const subscribed = (client: fc.Arbitrary<string>): fc.Arbitrary<Step> =>
    fc.tuple(subscribe, client).map(([step, own]) => ({
      ...step,
      id: own,
      noLocal: own === NO_LOCAL,
      // A copy at QoS 0 does not wait for a client that is away, and so mosquitto's others do not tell of its Subscription.
      subscriptionId: step.qos === 0 ? 0 : step.subscriptionId,
      retainAsPublished: own === AS_PUBLISHED && !kind.hasCopies,
      // What a client itself had retained mosquitto sends it all the same.
      retainHandling: own === NO_LOCAL ? (2 as const) : step.retainHandling,
    }));
  const publish = fc.record({
    do: fc.constant("publish" as const),
    id,
    topic,
    qos,
    retain: chance(3),
    isEmpty: chance(1),
    isRepeated: chance(1),
  });
  // Only their payload tells messages of one topic apart, so where copies are to be joined none that is empty may be queued.
  const published = kind.hasCopies
    ? publish
    : publish.map((step) => (step.isEmpty ? { ...step, qos: 0 as const } : step));
  const acknowledge = fc.record({
    do: fc.constant("acknowledge" as const),
    id,
    qos: fc.constantFrom<(1 | 2)[]>(1, 2),
    isHalf: fc.boolean(),
  });
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 10, arbitrary: connect(id) },
    { weight: 5, arbitrary: disconnect },
    { weight: 5, arbitrary: fc.record({ do: fc.constant("drop" as const), id }) },
    { weight: 16, arbitrary: subscribed(id) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("unsubscribe" as const), id, filters }) },
    { weight: 34, arbitrary: published },
    { weight: kind.hasCopies ? 12 : 0, arbitrary: acknowledge },
  );
  // Everybody is there to begin with and has a Subscription, as most steps do nothing otherwise.
  const opening = CLIENTS.flatMap((client) => [connect(fc.constant(client)), subscribed(fc.constant(client))]);
  const rest = fc.array(step, { minLength: LEAST_STEPS, maxLength: MOST_STEPS, size: "max" });
  return fc.tuple(fc.tuple(...opening), rest).map(([first, later]) => [...first, ...later]);
}
