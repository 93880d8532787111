/** What was refused or lost, counted by kind and topic: the latest ones, as a flood of them must cost next to nothing. */
import type { DropReason } from "../protocol/index.ts";

/** Kinds remembered; beyond them the one that is longest ago is forgotten. */
const MOST_INCIDENTS = 32;

/** Something that was refused or lost, and when it last was. Times are wall time in milliseconds since 1970. */
export interface Incident {
  readonly kind: "publish-denied" | "subscribe-denied" | DropReason;
  readonly topic: string;
  readonly count: number;
  readonly lastMs: number;
}

type Counted = { -readonly [Field in keyof Incident]: Incident[Field] };

/** The incidents of one connection or Session. */
export class Incidents {
  readonly #counted: Counted[] = [];
  /** Where the last one is: most are followed by their like. */
  #at = 0;

  /** Counts one more. */
  note(kind: Incident["kind"], topic: string, nowMs: number): void {
    let counted = this.#counted[this.#at];
    if (counted === undefined || counted.kind !== kind || counted.topic !== topic) counted = this.#find(kind, topic);
    counted.count++;
    counted.lastMs = nowMs;
  }

  #find(kind: Incident["kind"], topic: string): Counted {
    const counted = this.#counted;
    this.#at = counted.findIndex((each) => each.kind === kind && each.topic === topic);
    if (this.#at < 0) this.#at = counted.length < MOST_INCIDENTS ? counted.length : this.#oldest();
    else return counted[this.#at]!;
    return (counted[this.#at] = { kind, topic, count: 0, lastMs: 0 });
  }

  #oldest(): number {
    let oldest = 0;
    for (const [at, { lastMs }] of this.#counted.entries()) if (lastMs < this.#counted[oldest]!.lastMs) oldest = at;
    return oldest;
  }

  /** A copy of all, the latest last. */
  list(): readonly Incident[] {
    return this.#counted.map((counted) => ({ ...counted })).sort((a, b) => a.lastMs - b.lastMs);
  }
}
