/** What clients may do, as data: a history is a list of steps, each of which makes sense, or does nothing, after any other. */
import type { Qos, Version } from "../../src/protocol/index.ts";
import type { Random } from "../support/random.ts";

/** One step. Times are in seconds. */
export type Step =
  | {
      readonly do: "connect";
      readonly id: string;
      readonly version: Version;
      readonly cleanStart: boolean;
      readonly expiry: number;
      readonly window: number;
      readonly isManual: boolean;
      /** Topic aliases that the client allows the broker. */
      readonly aliases: number;
      readonly will: { readonly qos: Qos; readonly retain: boolean; readonly delay: number } | null;
    }
  | { readonly do: "disconnect"; readonly id: string; readonly withWill: boolean; readonly expiry: number | null }
  | { readonly do: "drop"; readonly id: string }
  | {
      readonly do: "subscribe";
      readonly id: string;
      readonly filter: string;
      readonly qos: Qos;
      readonly noLocal: boolean;
      readonly retainAsPublished: boolean;
      readonly retainHandling: 0 | 1 | 2;
      readonly subscriptionId: number;
    }
  | { readonly do: "unsubscribe"; readonly id: string; readonly filter: string }
  | {
      readonly do: "publish";
      readonly id: string;
      readonly topic: string;
      readonly qos: Qos;
      readonly retain: boolean;
      readonly isEmpty: boolean;
      readonly expiry: number | null;
      /** Whether a client of 5.0 gives the topic an alias, or uses the one it has. */
      readonly isAliased: boolean;
    }
  /** The client sends its oldest QoS 2 message that it has not released once more, or releases it. */
  | { readonly do: "repeat"; readonly id: string }
  | { readonly do: "release"; readonly id: string }
  /** The client acknowledges a message: half of the way (PUBREC), all of it, or as one that it refuses. */
  | {
      readonly do: "acknowledge";
      readonly id: string;
      readonly how: "half" | "whole" | "refusal";
      readonly nth: number;
    }
  | { readonly do: "advance"; readonly seconds: number }
  /** The broker ends as by a loss of power and is started again on what its store kept. */
  | { readonly do: "restart" };

/** What histories of one kind have. */
export interface Profile {
  readonly name: string;
  readonly maximumQueued: number;
  readonly hasWills: boolean;
  /** Whether there is a store, and the broker is restarted now and then. */
  readonly isStored: boolean;
  /** Topics that retained messages are published to. With one, no Subscription gets two at once, whose order nothing says. */
  readonly retainedTopics: readonly string[];
}

/** Topics that clients publish to. */
export const TOPICS: readonly string[] = ["a", "a/b", "a/c", "a/b/c", "b", "$a/b", "/"];

/** Histories with everything but tight queues, with those, and each over restarts. */
export const PROFILES: readonly Profile[] = [
  { name: "wide", maximumQueued: 1000, hasWills: true, retainedTopics: TOPICS, isStored: false },
  { name: "tight", maximumQueued: 3, hasWills: false, retainedTopics: ["a/b"], isStored: false },
  { name: "wide and stored", maximumQueued: 1000, hasWills: true, retainedTopics: TOPICS, isStored: true },
  { name: "tight and stored", maximumQueued: 3, hasWills: false, retainedTopics: ["a/b"], isStored: true },
];

const CLIENTS = ["one", "two", "three"];
const FILTERS = [...TOPICS, "#", "a/#", "+", "a/+", "+/b", "+/+", "$a/#", "a/b/#", "will/+"];

/** How often each kind of step comes up. */
const WEIGHTS: readonly (readonly [Step["do"], number])[] = [
  ["connect", 14],
  ["disconnect", 5],
  ["drop", 6],
  ["subscribe", 16],
  ["unsubscribe", 5],
  ["publish", 36],
  ["repeat", 3],
  ["release", 5],
  ["acknowledge", 16],
  ["advance", 6],
  ["restart", 3],
];
const ALL_WEIGHTS = WEIGHTS.reduce((sum, [, weight]) => sum + weight, 0);

/** A history of `length` steps. */
export function randomHistory(random: Random, profile: Profile, length: number): Step[] {
  return Array.from({ length }, () => randomStep(random, profile));
}

function randomStep(random: Random, profile: Profile): Step {
  let at = random.below(ALL_WEIGHTS);
  const kind = WEIGHTS.find(([, weight]) => (at -= weight) < 0)![0];
  const id = random.pick(CLIENTS);
  switch (kind) {
    case "connect":
      return randomConnect(random, profile, id);
    case "disconnect":
      return { do: kind, id, withWill: random.chance(0.3), expiry: random.pick([null, null, 0, 3, 100]) };
    case "subscribe":
      return {
        do: kind,
        id,
        filter: random.pick(FILTERS),
        qos: random.pick([0, 1, 2]),
        noLocal: random.chance(0.2),
        retainAsPublished: random.chance(0.3),
        retainHandling: random.pick([0, 0, 1, 2]),
        subscriptionId: random.pick([0, 0, 1, 2, 300, 268_435_455]),
      };
    case "unsubscribe":
      return { do: kind, id, filter: random.pick(FILTERS) };
    case "publish":
      return randomPublish(random, profile, id);
    case "acknowledge":
      return { do: kind, id, how: random.pick(["whole", "whole", "half", "refusal"]), nth: random.pick([0, 0, 0, 1]) };
    case "advance":
      return { do: kind, seconds: random.pick([1, 1, 2, 5, 50]) };
    case "restart":
      return profile.isStored ? { do: kind } : { do: "advance", seconds: 1 };
    default:
      return { do: kind, id };
  }
}

function randomConnect(random: Random, profile: Profile, id: string): Step {
  const version = random.pick([3, 4, 5, 5] as const);
  const cleanStart = random.chance(0.3);
  const hasWill = profile.hasWills && random.chance(0.4);
  return {
    do: "connect",
    id,
    version,
    cleanStart,
    expiry: version === 5 ? random.pick([0, 3, 100]) : cleanStart ? 0 : Number.POSITIVE_INFINITY,
    window: version === 5 ? random.pick([1, 2, 20]) : 20,
    isManual: random.chance(0.5),
    aliases: random.pick([0, 1, 10]),
    will: hasWill
      ? { qos: random.pick([0, 1, 2]), retain: random.chance(0.3), delay: version === 5 ? random.pick([0, 2, 10]) : 0 }
      : null,
  };
}

function randomPublish(random: Random, profile: Profile, id: string): Step {
  const retain = random.chance(0.25);
  return {
    do: "publish",
    id,
    topic: random.pick(retain ? profile.retainedTopics : TOPICS),
    qos: random.pick([0, 1, 1, 2]),
    retain,
    isEmpty: random.chance(0.1),
    expiry: random.pick([null, null, null, 1, 4, 60]),
    isAliased: random.chance(0.3),
  };
}
