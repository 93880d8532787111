/** The retained message of each topic [5.0 §3.3.1.3], found by Topic Filter. Expired ones are never given out. */
import type { Deadline, Deadlines } from "./deadlines.ts";
import type { Message } from "./message.ts";

/** Topics looked at in one go: a search among many that do not match must not stop the event loop. */
export const MOST_SEARCH_STEPS = 10_000;

class TopicNode {
  readonly parent: TopicNode | null;
  readonly level: string;
  children: Map<string, TopicNode> | null = null;
  message: Message | null = null;
  /** When it was retained, in `RetainedMessages`' own count. */
  age = 0;
  expiry: Deadline | null = null;

  constructor(parent: TopicNode | null, level: string) {
    this.parent = parent;
    this.level = level;
  }
}

/** A tree of topics with a level at each node; searches are loops, so depth costs no stack. */
export class RetainedMessages {
  readonly #root: TopicNode = new TopicNode(null, "");
  readonly #deadlines: Deadlines;
  readonly #onExpired: (message: Message) => void;
  /** Messages held. */
  count = 0;
  /** Their payloads together. */
  payloadBytes = 0;
  #age = 0;

  /** @param onExpired told of each message that is gone because its time is over */
  constructor(deadlines: Deadlines, onExpired: (message: Message) => void) {
    this.#deadlines = deadlines;
    this.#onExpired = onExpired;
  }

  /** Keeps `message` for its topic, at most until `lastMs` on the monotonic clock, and returns the one it replaces. */
  set(message: Message, lastMs: number = Number.POSITIVE_INFINITY): Message | null {
    let node = this.#root;
    for (const level of message.topicName.split("/")) {
      node.children ??= new Map();
      let child = node.children.get(level);
      if (child === undefined) {
        child = new TopicNode(node, level);
        node.children.set(level, child);
      }
      node = child;
    }
    const replaced = this.#take(node);
    node.message = message;
    node.age = ++this.#age;
    this.count++;
    this.payloadBytes += message.payloadBytes;
    const endMs = Math.min(message.expiresAtMs, lastMs);
    if (endMs !== Number.POSITIVE_INFINITY) {
      node.expiry = this.#deadlines.add(endMs, () => {
        const expired = this.#take(node);
        this.#prune(node);
        if (expired !== null) this.#onExpired(expired);
      });
    }
    return replaced;
  }

  /** Forgets the message of `topicName` and returns it. */
  delete(topicName: string): Message | null {
    const node = this.#find(topicName);
    if (node === null) return null;
    const message = this.#take(node);
    this.#prune(node);
    return message;
  }

  /** Whether there is a message of `topicName`. */
  has(topicName: string): boolean {
    return (this.#find(topicName)?.message ?? null) !== null;
  }

  #find(topicName: string): TopicNode | null {
    let node: TopicNode | undefined = this.#root;
    for (const level of topicName.split("/")) {
      node = node.children?.get(level);
      if (node === undefined) return null;
    }
    return node;
  }

  #take(node: TopicNode): Message | null {
    const { message } = node;
    if (message === null) return null;
    node.expiry?.cancel();
    node.expiry = node.message = null;
    this.count--;
    this.payloadBytes -= message.payloadBytes;
    return message;
  }

  #prune(leaf: TopicNode): void {
    let node = leaf;
    while (node.message === null && node.children === null && node.parent !== null) {
      const { parent } = node;
      parent.children!.delete(node.level);
      if (parent.children!.size === 0) parent.children = null;
      node = parent;
    }
  }

  /** Looks for the messages whose topics a well-formed filter, not a shared one, matches. */
  search(topicFilter: string): RetainedSearch {
    return new RetainedSearch(this.#root, topicFilter, this.#age);
  }

  /** Every message held. */
  *[Symbol.iterator](): IterableIterator<Message> {
    const nodes: TopicNode[] = [this.#root];
    while (nodes.length > 0) {
      const node = nodes.pop()!;
      if (node.message !== null) yield node.message;
      if (node.children !== null) for (const child of node.children.values()) nodes.push(child);
    }
  }
}

/**
 * A search that goes on where it was, however much is retained and deleted meanwhile. What is retained after it began it does not find:
 * the Subscription that it is for is sent that anyway.
 */
export class RetainedSearch {
  readonly #levels: readonly string[];
  readonly #isWildFirst: boolean;
  readonly #until: number;
  /** Where nodes are taken from, and at which level of the filter these are; the last is the deepest. */
  readonly #open: Iterator<TopicNode>[] = [];
  readonly #depths: number[] = [];
  #found: TopicNode | null = null;
  /** Topics that the last `next` has looked at. */
  steps = 0;

  constructor(root: TopicNode, topicFilter: string, until: number) {
    this.#levels = topicFilter.split("/");
    this.#isWildFirst = this.#levels[0] === "#" || this.#levels[0] === "+";
    this.#until = until;
    this.#openAt(root, 0);
  }

  /** Whether there is nothing more to be found. */
  get isAtEnd(): boolean {
    return this.#found === null && this.#open.length === 0;
  }

  /**
   * The next message, which stays the next until `take`; null: none, or `isAtEnd` is false and the search is to be continued.
   * @param most topics to look at in this go
   */
  next(nowMs: number, most: number = MOST_SEARCH_STEPS): Message | null {
    for (this.steps = 0; this.steps < most; this.steps++) {
      const message = this.#found?.message ?? null;
      if (message !== null && this.#found!.age <= this.#until && !message.isExpired(nowMs)) return message;
      this.#found = null;
      if (this.#open.length === 0) break;
      this.#step();
    }
    return null;
  }

  /** The next message is another one. */
  take(): void {
    this.#found = null;
  }

  #step(): void {
    const depth = this.#depths.at(-1)!;
    const { value: node, done } = this.#open.at(-1)!.next();
    if (done) {
      this.#open.pop();
      this.#depths.pop();
      return;
    }
    // Wildcards at the start match no topic that begins with "$" [5.0 MQTT-4.7.2-1].
    if (node.level.startsWith("$") && node.parent?.parent === null && this.#isWildFirst) return;
    const level = this.#levels[depth];
    // "a/#" matches "a" too [5.0 §4.7.1.2].
    if (level === undefined || level === "#") this.#found = node;
    if (level !== undefined) this.#openAt(node, depth);
  }

  /** Goes on with the children of `node`, which `levels[depth]` is about. */
  #openAt(node: TopicNode, depth: number): void {
    const { children } = node;
    if (children === null) return;
    const level = this.#levels[depth]!;
    if (level === "#" || level === "+") {
      this.#open.push(children.values());
      this.#depths.push(level === "#" ? depth : depth + 1);
    } else {
      const child = children.get(level);
      if (child === undefined) return;
      this.#open.push([child].values());
      this.#depths.push(depth + 1);
    }
  }
}
