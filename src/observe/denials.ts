/** Which denials are worth a line of the log: the first of each client and kind of topic, and no flood of them. */

/** What was denied. */
export type DeniedAccess = "publish" | "receive";

/** How a denial is told. */
export interface Telling {
  /** Topics that are counted together with this one, as a Topic Filter. */
  readonly pattern: string;
  /** Denials that were kept out of the log since the last that was told, as there were too many; of whatever client. */
  readonly untold: number;
}

/** Client, access and pattern that are remembered; the oldest are forgotten, and told anew. */
const MOST_KNOWN = 1000;
/** The same of whole topics, which spare looking for their pattern; all are forgotten at once, and long ones are not remembered. */
const MOST_TOPICS = 10_000;
const LONGEST_KEY = 250;
/** Lines in each such time, all clients together. */
const MOST_TOLD = 10;
const WINDOW_MS = 10_000;
/** Levels of a pattern; what is deeper counts as one. */
const MOST_LEVELS = 8;
const LONGEST_LEVEL = 40;

/** Remembers what was told. Its memory is bounded, whatever clients send. */
export class Denials {
  readonly #known: Set<string> = new Set();
  readonly #knownTopics: Set<string> = new Set();
  #windowStartMs = Number.NEGATIVE_INFINITY;
  #told = 0;
  #untold = 0;

  /** Returns how to tell of it, or null when that was done before, or others are told of enough already. */
  noteworthy(clientId: string, access: DeniedAccess, topicName: string, nowMs: number): Telling | null {
    const topicKey = `${access} ${topicName}\0${clientId}`;
    if (this.#knownTopics.has(topicKey)) return null;
    const pattern = topicPattern(topicName);
    const key = `${access} ${pattern}\0${clientId}`;
    if (this.#known.has(key)) {
      this.#rememberTopic(topicKey);
      return null;
    }
    if (nowMs - this.#windowStartMs >= WINDOW_MS) {
      this.#windowStartMs = nowMs;
      this.#told = 0;
    }
    if (this.#told === MOST_TOLD) {
      this.#untold += 1;
      return null;
    }
    this.#remember(key);
    this.#told += 1;
    const untold = this.#untold;
    this.#untold = 0;
    return { pattern, untold };
  }

  #rememberTopic(topicKey: string): void {
    if (topicKey.length > LONGEST_KEY) return;
    if (this.#knownTopics.size === MOST_TOPICS) this.#knownTopics.clear();
    this.#knownTopics.add(topicKey);
  }

  #remember(key: string): void {
    if (this.#known.size === MOST_KNOWN) {
      const [oldest] = this.#known;
      this.#known.delete(oldest!);
    }
    this.#known.add(key);
  }
}

/** A filter for all topics that differ from `topicName` only in levels that look like numbers, names of devices or moments. */
export function topicPattern(topicName: string): string {
  const levels = topicName.split("/", MOST_LEVELS + 1);
  const kept = levels.slice(0, MOST_LEVELS).map((level) => (isName(level) ? level : "+"));
  return levels.length > MOST_LEVELS ? `${kept.join("/")}/#` : kept.join("/");
}

function isName(level: string): boolean {
  return level.length <= LONGEST_LEVEL && !/\d/.test(level);
}
