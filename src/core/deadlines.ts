/** Moments at which something is to be done, the earliest first. The owner asks for the next one; nothing here waits. */

/** One moment; `cancel` it when it no longer matters. */
export class Deadline {
  readonly atMs: number;
  #run: (() => void) | null;

  constructor(atMs: number, run: () => void) {
    this.atMs = atMs;
    this.#run = run;
  }

  get isCancelled(): boolean {
    return this.#run === null;
  }

  cancel(): void {
    this.#run = null;
  }

  /** Does what was to be done, once. */
  run(): void {
    const run = this.#run;
    this.#run = null;
    run?.();
  }
}

/** A binary heap of deadlines. Cancelled ones are dropped when they come up, or all at once when they are most of it. */
export class Deadlines {
  #heap: Deadline[] = [];

  /** Number held, cancelled ones included. */
  get size(): number {
    return this.#heap.length;
  }

  add(atMs: number, run: () => void): Deadline {
    const deadline = new Deadline(atMs, run);
    this.#heap.push(deadline);
    this.#rise(this.#heap.length - 1);
    if (this.#heap.length > 1024 && this.#heap.length % 1024 === 0) this.#sweep();
    return deadline;
  }

  /** When the next one is due; Infinity when there is none. */
  nextMs(): number {
    while (this.#heap.length > 0 && this.#heap[0]!.isCancelled) this.#removeFirst();
    return this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  /** Runs everything that is due. What is added meanwhile waits for the next call unless it is due too. */
  run(nowMs: number): void {
    while (this.nextMs() <= nowMs) this.#removeFirst().run();
  }

  #removeFirst(): Deadline {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length > 0) {
      heap[0] = last;
      this.#sink(0);
    }
    return first;
  }

  #rise(index: number): void {
    const heap = this.#heap;
    let at = index;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent]!.atMs <= heap[at]!.atMs) return;
      [heap[parent], heap[at]] = [heap[at]!, heap[parent]!];
      at = parent;
    }
  }

  #sink(index: number): void {
    const heap = this.#heap;
    let at = index;
    for (;;) {
      const left = at * 2 + 1;
      if (left >= heap.length) return;
      const child = left + 1 < heap.length && heap[left + 1]!.atMs < heap[left]!.atMs ? left + 1 : left;
      if (heap[at]!.atMs <= heap[child]!.atMs) return;
      [heap[child], heap[at]] = [heap[at]!, heap[child]!];
      at = child;
    }
  }

  /** Drops cancelled ones when they are more than half. */
  #sweep(): void {
    const live = this.#heap.filter((deadline) => !deadline.isCancelled);
    if (live.length * 2 > this.#heap.length) return;
    this.#heap = live.sort((a, b) => a.atMs - b.atMs);
  }
}
