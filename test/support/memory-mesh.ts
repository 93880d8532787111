/** Brokers in one process that work as one, without a network between them: messages wait until they are handed over. */
import type { Mesh } from "../../src/core/index.ts";
import { type PublishFields, topicMatches } from "../../src/protocol/index.ts";

interface Node {
  receive: ((message: PublishFields) => void) | null;
  /** Filters that are wanted, and how often: a broker should want each once. */
  readonly wanted: Map<string, number>;
  readonly waiting: PublishFields[];
}

/** What lies between the brokers. */
export class MemoryMesh {
  readonly #nodes: Node[] = [];

  /** The place of one more broker. */
  join(): Mesh {
    const node: Node = { receive: null, wanted: new Map(), waiting: [] };
    this.#nodes.push(node);
    const count = (topicFilter: string, by: number): void => {
      node.wanted.set(topicFilter, (node.wanted.get(topicFilter) ?? 0) + by);
    };
    return {
      want: (topicFilter) => count(topicFilter, 1),
      unwant: (topicFilter) => count(topicFilter, -1),
      publish: (message) => this.#publish(node, message),
      attach: (receive) => {
        node.receive = receive;
      },
    };
  }

  #publish(from: Node, message: PublishFields): void {
    for (const node of this.#nodes) {
      const isWanted = [...node.wanted].some(([filter, count]) => count > 0 && topicMatches(filter, message.topicName));
      if (node !== from && isWanted) node.waiting.push({ ...message, payload: message.payload.slice() });
    }
  }

  /** Hands over what waits; false when nothing did. */
  run(): boolean {
    const busy = this.#nodes.filter(({ waiting }) => waiting.length > 0);
    for (const { receive, waiting } of busy) for (const message of waiting.splice(0)) receive?.(message);
    return busy.length > 0;
  }
}
