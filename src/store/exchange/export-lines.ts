/** Writes everything that a store holds as lines. */
import type { Change, QueueSummary, Store } from "../../core/index.ts";
import { FIRST_KIND, factLine, LAST_KIND, LINES_VERSION } from "./fact-lines.ts";

/** Deliveries of a queue that are read at once. */
const PAGE_MESSAGES = 1000;
/** Text that is gathered before it is handed on, in characters. */
const PIECE_CHARACTERS = 262_144;

/** What came of it. */
export interface Exported {
  readonly lines: number;
  /** Deliveries that the store counts and cannot give: their records are damaged. */
  readonly missing: number;
}

/**
 * Exports `store`.
 * @param write takes the next piece of text; when it returns a promise, that is waited for
 */
export async function exportLines(store: Store, write: (text: string) => void | Promise<void>): Promise<Exported> {
  const writer = new LineWriter(write);
  let missing = 0;
  await writer.add(JSON.stringify({ kind: FIRST_KIND, version: LINES_VERSION }));
  for await (const fact of store.replay()) {
    if (fact.kind === "queue") missing += await writer.queue(store, fact);
    else if (fact.kind !== "next-message") await writer.fact(fact);
  }
  const lines = writer.lines + 1;
  await writer.add(JSON.stringify({ kind: LAST_KIND, lines }));
  await writer.end();
  return { lines, missing };
}

class LineWriter {
  readonly #write: (text: string) => void | Promise<void>;
  /** Keys of messages that have their line. */
  readonly #written: Set<number> = new Set();
  /** Messages that nothing has referred to yet. */
  readonly #held: Map<number, Extract<Change, { kind: "message-added" }>> = new Map();
  #text = "";
  lines = 0;

  constructor(write: (text: string) => void | Promise<void>) {
    this.#write = write;
  }

  async add(line: string): Promise<void> {
    this.lines++;
    this.#text += `${line}\n`;
    if (this.#text.length >= PIECE_CHARACTERS) await this.end();
  }

  /** Hands on what is gathered. */
  async end(): Promise<void> {
    const text = this.#text;
    this.#text = "";
    await this.#write(text);
  }

  /** Writes a fact, and before it the message that it refers to unless that has its line already. */
  async fact(fact: Change): Promise<void> {
    if (fact.kind === "message-added") {
      if (!this.#written.has(fact.message)) this.#held.set(fact.message, fact);
      return;
    }
    const held = "message" in fact && fact.message !== null ? this.#held.get(fact.message) : undefined;
    if (held !== undefined) {
      this.#held.delete(held.message);
      this.#written.add(held.message);
      await this.add(factLine(held));
    }
    await this.add(factLine(fact));
  }

  /** Writes what waits in a queue and returns how much of it could not be read. */
  async queue(store: Store, { clientId, messages, firstOrder }: QueueSummary): Promise<number> {
    let left = messages;
    let afterOrder = firstOrder - 1;
    while (left > 0) {
      const page = await store.readQueue(clientId, afterOrder, PAGE_MESSAGES);
      for (const { delivery, message } of page) {
        await this.fact(message);
        await this.fact(delivery);
        afterOrder = delivery.order;
      }
      left -= page.length;
      if (page.length === 0) break;
    }
    return Math.max(0, left);
  }
}
