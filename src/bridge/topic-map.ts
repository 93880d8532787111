/** Which topics cross a bridge, in which direction, and what they are called at the other end. */
import { lowerQos, type Qos, topicMatches } from "../protocol/index.ts";
import type { BridgedTopic } from "./bridge-options.ts";

/** A topic at the other end. */
export interface MappedTopic {
  readonly topicName: string;
  readonly qos: Qos;
}

/** What is subscribed to at one end. */
export interface Wanted {
  readonly filter: string;
  readonly qos: Qos;
}

interface Way extends Wanted {
  readonly fromPrefix: string;
  readonly toPrefix: string;
}

/** The `topic` lines of one bridge. */
export class TopicMap {
  readonly #out: readonly Way[];
  readonly #in: readonly Way[];
  /** What to subscribe to here, each filter once. */
  readonly localFilters: readonly Wanted[];
  /** What to subscribe to there, each filter once. */
  readonly remoteFilters: readonly Wanted[];
  /** Remote filters of topics that only go out. */
  readonly outOnlyFilters: readonly string[];

  constructor(topics: readonly BridgedTopic[]) {
    const outgoing = topics.filter(({ direction }) => direction !== "in");
    const incoming = topics.filter(({ direction }) => direction !== "out");
    this.#out = outgoing.map((topic) => wayOf(topic, topic.localPrefix, topic.remotePrefix));
    this.#in = incoming.map((topic) => wayOf(topic, topic.remotePrefix, topic.localPrefix));
    this.localFilters = highest(this.#out);
    this.remoteFilters = highest(this.#in);
    const wanted = new Set(this.remoteFilters.map(({ filter }) => filter));
    const outOnly = outgoing.map(({ remotePrefix, pattern }) => remotePrefix + pattern);
    this.outOnlyFilters = [...new Set(outOnly)].filter((filter) => !wanted.has(filter));
  }

  /** What a message of here is called there; null: it does not cross. */
  outward(topicName: string, qos: Qos): MappedTopic | null {
    return mapped(this.#out, topicName, qos);
  }

  /** What a message of there is called here; null: it does not cross. */
  inward(topicName: string, qos: Qos): MappedTopic | null {
    return mapped(this.#in, topicName, qos);
  }
}

function wayOf({ pattern, qos }: BridgedTopic, fromPrefix: string, toPrefix: string): Way {
  return { filter: fromPrefix + pattern, fromPrefix, toPrefix, qos };
}

/** Each filter once, with the highest of its QoS. */
function highest(ways: readonly Way[]): readonly Wanted[] {
  const filters = new Map<string, Qos>();
  for (const { filter, qos } of ways)
    filters.set(filter, qos > (filters.get(filter) ?? 0) ? qos : (filters.get(filter) ?? qos));
  return [...filters].map(([filter, qos]) => ({ filter, qos }));
}

/** By the first line that fits, as in mosquitto. */
function mapped(ways: readonly Way[], topicName: string, qos: Qos): MappedTopic | null {
  for (const { filter, fromPrefix, toPrefix, qos: most } of ways) {
    if (!topicMatches(filter, topicName)) continue;
    return { topicName: toPrefix + topicName.slice(fromPrefix.length), qos: lowerQos(qos, most) };
  }
  return null;
}
