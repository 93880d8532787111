/**
 * Which Topic Filters match a Topic Name: a tree with a level of the filter at each node. Both searches and removals are loops,
 * so the depth of a topic costs no stack. It knows nothing of what hangs at its nodes.
 */

/** A level of one or more filters. Items that are kept by their owner name it, so that removing them needs no search. */
export class FilterNode<Item> {
  readonly parent: FilterNode<Item> | null;
  readonly level: string;
  children: Map<string, FilterNode<Item>> | null = null;
  /** Most nodes hold one item; the others are in `more`. */
  first: Item | null = null;
  more: Set<Item> | null = null;

  constructor(parent: FilterNode<Item> | null, level: string) {
    this.parent = parent;
    this.level = level;
  }

  add(item: Item): void {
    if (this.first === null) this.first = item;
    else (this.more ??= new Set()).add(item);
  }

  remove(item: Item): void {
    if (this.first !== item) {
      this.more?.delete(item);
    } else {
      this.first = null;
      if (this.more !== null) {
        for (const next of this.more) {
          this.first = next;
          this.more.delete(next);
          break;
        }
      }
    }
    if (this.more?.size === 0) this.more = null;
  }

  get isEmpty(): boolean {
    return this.first === null && this.children === null;
  }

  collect(into: Item[]): void {
    if (this.first !== null) into.push(this.first);
    if (this.more !== null) for (const item of this.more) into.push(item);
  }
}

/** The filters of all Subscriptions. */
export class SubscriptionIndex<Item> {
  readonly #root: FilterNode<Item> = new FilterNode<Item>(null, "");
  // The search's stack, kept between searches: nodes and the level each stands at.
  readonly #nodes: FilterNode<Item>[] = [];
  readonly #depths: number[] = [];
  /** Nodes that searches have come to; whoever measures them sets it back. */
  searchedNodes = 0;

  /** Adds `item` under a well-formed filter (that of a shared subscription without its share) and returns where it hangs. */
  add(topicFilter: string, item: Item): FilterNode<Item> {
    let node = this.#root;
    for (const level of topicFilter.split("/")) {
      node.children ??= new Map();
      let child = node.children.get(level);
      if (child === undefined) {
        child = new FilterNode(node, level);
        node.children.set(level, child);
      }
      node = child;
    }
    node.add(item);
    return node;
  }

  /** Removes `item` from the node that `add` returned, and the branches that are empty now. */
  remove(place: FilterNode<Item>, item: Item): void {
    place.remove(item);
    let node = place;
    while (node.isEmpty && node.parent !== null) {
      const { parent } = node;
      parent.children!.delete(node.level);
      if (parent.children!.size === 0) parent.children = null;
      node = parent;
    }
  }

  /**
   * The items of all filters that match a well-formed Topic Name, each once for each filter. A filter that begins with a wildcard
   * does not match a name that begins with `$` [5.0 MQTT-4.7.2-1] [3.1.1 MQTT-4.7.2-1].
   */
  match(topicName: string): Item[] {
    const levels = topicName.split("/");
    const found: Item[] = [];
    const nodes = this.#nodes;
    const depths = this.#depths;
    nodes.push(this.#root);
    depths.push(0);
    while (nodes.length > 0) {
      const node = nodes.pop()!;
      const depth = depths.pop()!;
      this.searchedNodes++;
      if (depth === levels.length) node.collect(found);
      const { children } = node;
      if (children === null) continue;
      const isSystem = depth === 0 && topicName.startsWith("$");
      // "#" takes any number of levels, also none: "a/#" matches "a" [5.0 §4.7.1.2].
      if (!isSystem) children.get("#")?.collect(found);
      if (depth === levels.length) continue;
      const level = levels[depth]!;
      this.#visit(isSystem ? undefined : children.get("+"), depth + 1);
      // In a Topic Name neither wildcard occurs, so this cannot find the same node twice.
      this.#visit(children.get(level), depth + 1);
    }
    return found;
  }

  #visit(node: FilterNode<Item> | undefined, depth: number): void {
    if (node === undefined) return;
    this.#nodes.push(node);
    this.#depths.push(depth);
  }
}
