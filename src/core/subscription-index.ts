/**
 * Which Topic Filters match a Topic Name: a tree whose nodes each stand for one level of a filter, or for several in a row at which no
 * other filter branches off or ends. So it has at most two nodes for each filter, however deep these are. Searches and removals are
 * loops, so the depth of a topic costs no stack. It knows nothing of what hangs at its nodes.
 */

/** Levels of one or more filters. Items that are kept by their owner name it, so that removing them needs no search. */
export class FilterNode<Item> {
  parent: FilterNode<Item> | null;
  /** From the parent to here: one or more, but for the root. */
  levels: readonly string[];
  /** By their first level. */
  children: Map<string, FilterNode<Item>> | null = null;
  /** Most nodes hold one item; the others are in `more`. */
  first: Item | null = null;
  more: Set<Item> | null = null;

  constructor(parent: FilterNode<Item> | null, levels: readonly string[]) {
    this.parent = parent;
    this.levels = levels;
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
  readonly #root: FilterNode<Item> = new FilterNode<Item>(null, []);
  // The search's stack, kept between searches: nodes and the level each stands at.
  readonly #nodes: FilterNode<Item>[] = [];
  readonly #depths: number[] = [];
  /** Nodes that searches have come to; whoever measures them sets it back. */
  searchedNodes = 0;

  /** Adds `item` under a well-formed filter (that of a shared subscription without its share) and returns where it hangs. */
  add(topicFilter: string, item: Item): FilterNode<Item> {
    const levels = topicFilter.split("/");
    let node = this.#root;
    for (let depth = 0; depth < levels.length; ) {
      node.children ??= new Map();
      const level = levels[depth]!;
      const child = node.children.get(level);
      if (child === undefined) {
        const leaf = new FilterNode(node, levels.slice(depth));
        node.children.set(level, leaf);
        node = leaf;
        break;
      }
      const shared = sharedLevels(child.levels, levels, depth);
      node = shared === child.levels.length ? child : split(child, shared);
      depth += shared;
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
      parent.children!.delete(node.levels[0]!);
      if (parent.children!.size === 0) parent.children = null;
      node = parent;
    }
    if (node.first === null && node.parent !== null && node.children!.size === 1) join(node);
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
      if (depth === levels.length) node.collect(found);
      const { children } = node;
      if (children === null) continue;
      const isSystem = depth === 0 && topicName.startsWith("$");
      if (!isSystem) this.#visit(children.get("#"), levels, depth, found);
      if (depth === levels.length) continue;
      if (!isSystem) this.#visit(children.get("+"), levels, depth, found);
      // In a Topic Name neither wildcard occurs, so this cannot find the same node twice.
      this.#visit(children.get(levels[depth]!), levels, depth, found);
    }
    return found;
  }

  /** Goes on at `node` if its levels match those of the name from `depth` on. */
  #visit(node: FilterNode<Item> | undefined, levels: readonly string[], depth: number, found: Item[]): void {
    if (node === undefined) return;
    this.searchedNodes++;
    let at = depth;
    for (const level of node.levels) {
      if (level === "#") {
        // It takes any number of levels, also none: "a/#" matches "a" [5.0 §4.7.1.2].
        node.collect(found);
        return;
      }
      if (at === levels.length || (level !== "+" && level !== levels[at])) return;
      at++;
    }
    this.#nodes.push(node);
    this.#depths.push(at);
  }
}

/** How many of a node's levels are those of a filter from `depth` on. */
function sharedLevels(own: readonly string[], levels: readonly string[], depth: number): number {
  let shared = 0;
  while (shared < own.length && own[shared] === levels[depth + shared]) shared++;
  return shared;
}

/** Puts a node for the first `count` levels of `node` above it, and returns that. */
function split<Item>(node: FilterNode<Item>, count: number): FilterNode<Item> {
  const upper = new FilterNode(node.parent, node.levels.slice(0, count));
  node.parent!.children!.set(upper.levels[0]!, upper);
  node.levels = node.levels.slice(count);
  node.parent = upper;
  upper.children = new Map([[node.levels[0]!, node]]);
  return upper;
}

/** Takes out a node at which nothing ends or branches off any more: its one child stands for its levels too. */
function join<Item>({ parent, levels, children }: FilterNode<Item>): void {
  for (const child of children!.values()) {
    child.levels = levels.concat(child.levels);
    child.parent = parent;
    parent!.children!.set(levels[0]!, child);
  }
}
