/** What a source of rules answers, and the Policy that asks one or several of them and remembers what they said. */
import type { Policy } from "../core/index.ts";

/** An answer: true and false decide; null leaves it to the next source, and the last one's null denies. */
export type Answer = boolean | null;

/** What one source of rules says of one client. Answers depend on nothing but the topic and the source's content. */
export interface Rules {
  publish(topicName: string): Answer;
  receive(topicName: string): Answer;
  subscribe(topicFilter: string): Answer;
  unsubscribe(topicFilter: string): Answer;
}

/** Something that changes now and then, so that what was made of it is made anew. */
export class Revision {
  #number = 0;

  get number(): number {
    return this.#number;
  }

  /** Tells that all that was remembered is stale. */
  advance(): void {
    this.#number++;
  }
}

/** Topics for which each client's answers are remembered, before all are forgotten. */
const MOST_REMEMBERED = 256;

/** Asks sources of rules, in order; without any everything is allowed. */
export class RulesPolicy implements Policy {
  readonly isFleeting: boolean;
  readonly #sources: () => readonly Rules[];
  readonly #revision: Revision;
  #seen: number;
  #rules: readonly Rules[];
  #lastPublished: string | null = null;
  #mayPublish = false;
  #lastReceived: string | null = null;
  #mayReceive = false;
  #published: Map<string, boolean> | null = null;
  #received: Map<string, boolean> | null = null;

  /**
   * @param sources the rules as they are now; asked again after each change
   * @param revision advances with each change
   * @param isFleeting as `Policy.isFleeting`
   */
  constructor(sources: () => readonly Rules[], revision: Revision, isFleeting: boolean = false) {
    this.isFleeting = isFleeting;
    this.#sources = sources;
    this.#revision = revision;
    this.#seen = revision.number;
    this.#rules = sources();
  }

  get allowsAll(): boolean {
    if (this.#revision.number !== this.#seen) this.#refresh();
    return this.#rules.length === 0;
  }

  #refresh(): void {
    this.#seen = this.#revision.number;
    this.#rules = this.#sources();
    this.#lastPublished = this.#lastReceived = this.#published = this.#received = null;
  }

  canPublish(topicName: string): boolean {
    if (this.#revision.number !== this.#seen) this.#refresh();
    // A publisher's topic rarely changes, and then it is the same string.
    if (topicName === this.#lastPublished) return this.#mayPublish;
    const known = this.#published?.get(topicName);
    const may = known ?? this.#decide((rules) => rules.publish(topicName));
    if (known === undefined) remember((this.#published ??= new Map()), topicName, may);
    this.#lastPublished = topicName;
    this.#mayPublish = may;
    return may;
  }

  canReceive(topicName: string): boolean {
    if (this.#revision.number !== this.#seen) this.#refresh();
    if (topicName === this.#lastReceived) return this.#mayReceive;
    const known = this.#received?.get(topicName);
    const may = known ?? this.#decide((rules) => rules.receive(topicName));
    if (known === undefined) remember((this.#received ??= new Map()), topicName, may);
    this.#lastReceived = topicName;
    this.#mayReceive = may;
    return may;
  }

  canSubscribe(topicFilter: string): boolean {
    if (this.#revision.number !== this.#seen) this.#refresh();
    return this.#decide((rules) => rules.subscribe(topicFilter));
  }

  canUnsubscribe(topicFilter: string): boolean {
    if (this.#revision.number !== this.#seen) this.#refresh();
    return this.#decide((rules) => rules.unsubscribe(topicFilter));
  }

  #decide(ask: (rules: Rules) => Answer): boolean {
    for (const rules of this.#rules) {
      const answer = ask(rules);
      if (answer !== null) return answer;
    }
    return this.#rules.length === 0;
  }
}

function remember(answers: Map<string, boolean>, topicName: string, may: boolean): void {
  if (answers.size >= MOST_REMEMBERED) answers.clear();
  answers.set(topicName, may);
}
