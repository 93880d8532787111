/** What is due when: many things, with one timer. */

interface Entry<Item> {
  readonly dueMs: number;
  readonly item: Item;
}

/** Things in the order of their time; times are milliseconds of any one clock. */
export class Schedule<Item> {
  /** A binary heap: each entry is due no later than the two at twice its place. */
  readonly #heap: Entry<Item>[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** When the next is due; Infinity when there is none. */
  get nextMs(): number {
    return this.#heap[0]?.dueMs ?? Number.POSITIVE_INFINITY;
  }

  add(dueMs: number, item: Item): void {
    const heap = this.#heap;
    const entry = { dueMs, item };
    let at = heap.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (heap[above]!.dueMs <= dueMs) break;
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = entry;
  }

  /** Takes the next one out when it is due by `nowMs`. */
  take(nowMs: number): Item | undefined {
    const heap = this.#heap;
    const [first] = heap;
    if (first === undefined || first.dueMs > nowMs) return undefined;
    const last = heap.pop()!;
    if (heap.length > 0) this.#sink(last);
    return first.item;
  }

  #sink(entry: Entry<Item>): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && heap[below + 1]!.dueMs < heap[below]!.dueMs) below++;
      if (heap[below]!.dueMs >= entry.dueMs) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = entry;
  }
}
