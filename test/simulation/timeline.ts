/** What is to happen when, in a world whose clock moves by hand. */

interface Planned {
  readonly atMs: number;
  readonly run: () => void;
}

/** Plans and carries out. */
export class Timeline {
  /** The last one comes first. */
  readonly #planned: Planned[] = [];
  nowMs = 0;

  /** When the next thing happens. */
  get nextMs(): number {
    return this.#planned.at(-1)?.atMs ?? Number.POSITIVE_INFINITY;
  }

  /** Plans `run` for `atMs`, behind what is planned for the same moment. */
  at(atMs: number, run: () => void): void {
    let index = this.#planned.length;
    while (index > 0 && this.#planned[index - 1]!.atMs <= atMs) index--;
    this.#planned.splice(index, 0, { atMs, run });
  }

  after(ms: number, run: () => void): void {
    this.at(this.nowMs + ms, run);
  }

  /** Carries out what is due. */
  runDue(): void {
    while (this.nextMs <= this.nowMs) this.#planned.pop()!.run();
  }
}
