/** The subscriptions and retained messages of a broker as a tree, as mosquitto prints them on SIGUSR2. */
import type { Broker } from "../core/index.ts";
import { printable } from "../observe/index.ts";
import { parseShared } from "../protocol/index.ts";

interface Node {
  readonly children: Map<string, Node>;
  readonly notes: string[];
}

/** Most lines that are printed: more would keep everybody waiting. */
const MOST_LINES = 100_000;

/** One level on a line, indented; behind it who subscribes with which QoS, and (r) where a message is retained. */
export function subscriptionTree(broker: Broker): string {
  const root = newNode();
  for (const { clientId, subscriptions } of broker.sessions) {
    for (const { topicFilter, qos } of subscriptions.values()) {
      const shared = parseShared(topicFilter);
      const share = shared === null ? "" : `, ${shared.shareName}`;
      nodeAt(root, shared?.topicFilter ?? topicFilter).notes.push(`(${printable(clientId)}, ${qos}${share})`);
    }
  }
  for (const { topicName } of broker.retained) nodeAt(root, topicName).notes.push("(r)");
  const lines: string[] = [];
  write(root, 0, lines);
  return `${lines.join("\n")}\n`;
}

function newNode(): Node {
  return { children: new Map(), notes: [] };
}

function nodeAt(root: Node, topic: string): Node {
  let node = root;
  for (const level of topic.split("/")) {
    let child = node.children.get(level);
    if (child === undefined) node.children.set(level, (child = newNode()));
    node = child;
  }
  return node;
}

/** Without recursion: a topic may have any depth. */
function write(root: Node, depth: number, lines: string[]): void {
  const rest: { name: string; node: Node; depth: number }[] = [];
  const add = (node: Node, at: number): void => {
    for (const [name, child] of [...node.children].reverse()) rest.push({ name, node: child, depth: at });
  };
  add(root, depth);
  for (let next = rest.pop(); next !== undefined && lines.length < MOST_LINES; next = rest.pop()) {
    lines.push(["  ".repeat(next.depth) + printable(next.name), ...next.node.notes].join(" "));
    add(next.node, next.depth + 1);
  }
}
