/**
 * Rules by topic filter, so that those for one topic are found in one walk however many there are. A level that is exactly `%c` or
 * `%u` stands for the client identifier or the user name of who is asked about, so all clients share one tree.
 */

/** Who `%c` and `%u` stand for. */
export interface Names {
  readonly clientId: string;
  /** null: `%u` matches nothing. */
  readonly username: string | null;
}

interface Node<Rule> {
  readonly children: Map<string, Node<Rule>>;
  /** Rules that end here. */
  readonly rules: Rule[];
  /** Rules that end with `#` below here. */
  readonly deep: Rule[];
}

function newNode<Rule>(): Node<Rule> {
  return { children: new Map(), rules: [], deep: [] };
}

/** The keys of levels that are no plain text: no level of a topic name can be one of them, as it has no "+" or "/". */
const ANY = "+";
const CLIENT = "/c";
const USER = "/u";

/** Rules by topic filter. */
export class TopicTree<Rule> {
  readonly #root: Node<Rule> = newNode();
  readonly #hasPatterns: boolean;
  #size = 0;

  /** @param hasPatterns whether levels that are `%c` and `%u` stand for names */
  constructor(hasPatterns: boolean) {
    this.#hasPatterns = hasPatterns;
  }

  /** Number of rules. */
  get size(): number {
    return this.#size;
  }

  /** Adds a rule for a well-formed topic filter. */
  add(topicFilter: string, rule: Rule): void {
    this.#size++;
    let node = this.#root;
    for (const level of topicFilter.split("/")) {
      if (level === "#") {
        node.deep.push(rule);
        return;
      }
      const key = this.#keyOf(level);
      let next = node.children.get(key);
      if (next === undefined) node.children.set(key, (next = newNode()));
      node = next;
    }
    node.rules.push(rule);
  }

  #keyOf(level: string): string {
    if (!this.#hasPatterns) return level;
    return level === "%c" ? CLIENT : level === "%u" ? USER : level;
  }

  /** Calls `visit` with each rule whose filter matches `topicName`, in no order. */
  match(topicName: string, names: Names, visit: (rule: Rule) => void): void {
    this.#walk(this.#root, topicName, 0, names, visit);
  }

  #walk(node: Node<Rule>, topicName: string, start: number, names: Names, visit: (rule: Rule) => void): void {
    // What begins with "$" is matched by nothing but the same text [5.0 MQTT-4.7.2-1].
    const isSpecial = start === 0 && topicName.startsWith("$");
    if (!isSpecial) for (const rule of node.deep) visit(rule);
    if (start > topicName.length) {
      for (const rule of node.rules) visit(rule);
      return;
    }
    const slash = topicName.indexOf("/", start);
    const end = slash < 0 ? topicName.length : slash;
    const level = topicName.slice(start, end);
    const { children } = node;
    const down = (key: string): void => {
      const next = children.get(key);
      if (next !== undefined) this.#walk(next, topicName, end + 1, names, visit);
    };
    down(level);
    if (isSpecial) return;
    down(ANY);
    if (!this.#hasPatterns || level === "") return;
    if (level === names.clientId) down(CLIENT);
    if (level === names.username) down(USER);
  }
}
