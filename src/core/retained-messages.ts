/** The retained message of each topic [5.0 §3.3.1.3], found by Topic Filter. Expired ones are never given out. */
import type { Deadline, Deadlines } from "./deadlines.ts";
import type { Message } from "./message.ts";

class TopicNode {
  readonly parent: TopicNode | null;
  readonly level: string;
  children: Map<string, TopicNode> | null = null;
  message: Message | null = null;
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

  /** @param onExpired told of each message that is gone because its time is over */
  constructor(deadlines: Deadlines, onExpired: (message: Message) => void) {
    this.#deadlines = deadlines;
    this.#onExpired = onExpired;
  }

  /** Keeps `message` for its topic and returns the one it replaces. */
  set(message: Message): Message | null {
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
    this.count++;
    this.payloadBytes += message.payloadBytes;
    if (message.expiresAtMs !== Number.POSITIVE_INFINITY) {
      node.expiry = this.#deadlines.add(message.expiresAtMs, () => {
        const expired = this.#take(node);
        this.#prune(node);
        if (expired !== null) this.#onExpired(expired);
      });
    }
    return replaced;
  }

  /** Forgets the message of `topicName` and returns it. */
  delete(topicName: string): Message | null {
    let node: TopicNode | undefined = this.#root;
    for (const level of topicName.split("/")) {
      node = node.children?.get(level);
      if (node === undefined) return null;
    }
    const message = this.#take(node);
    this.#prune(node);
    return message;
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

  /** Every message whose topic a well-formed filter (not a shared one) matches and that has not expired. */
  match(topicFilter: string, nowMs: number): Message[] {
    const levels = topicFilter.split("/");
    const found: Message[] = [];
    const nodes: TopicNode[] = [this.#root];
    const depths: number[] = [0];
    while (nodes.length > 0) {
      const node = nodes.pop()!;
      const depth = depths.pop()!;
      const level = levels[depth];
      if (level === undefined || level === "#") {
        // "a/#" matches "a" too [5.0 §4.7.1.2].
        if (node.message !== null && !node.message.isExpired(nowMs)) found.push(node.message);
        if (level === undefined) continue;
      }
      if (node.children === null) continue;
      if (level === "#" || level === "+") {
        const next = level === "#" ? depth : depth + 1;
        for (const child of node.children.values()) {
          if (depth === 0 && node === this.#root && child.level.startsWith("$")) continue;
          nodes.push(child);
          depths.push(next);
        }
      } else {
        const child = node.children.get(level!);
        if (child === undefined) continue;
        nodes.push(child);
        depths.push(depth + 1);
      }
    }
    return found;
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
