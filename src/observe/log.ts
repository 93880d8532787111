/** The log: lines of a kind, with the time before them as in mosquitto. Lines of one turn of the event loop leave in one write. */

/** Takes finished text. */
export type LogSink = (text: string) => void;

/** What of the log is wanted. */
export interface LogOptions<Type extends string> {
  readonly types: readonly Type[];
  /** Seconds since 1970 before each line. */
  readonly timestamp: boolean;
}

/** Text from clients is shown without what could forge a line or move a terminal's cursor. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/** `text` of a client, fit for a line of a log. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Writes lines of the kinds that are wanted. */
export class Log<Type extends string> {
  readonly #sink: LogSink;
  readonly #wanted: ReadonlySet<Type>;
  readonly #timestamp: boolean;
  #lines: string[] = [];

  constructor(options: LogOptions<Type>, sink: LogSink) {
    this.#wanted = new Set(options.types);
    this.#timestamp = options.timestamp;
    this.#sink = sink;
  }

  /** Whether lines of `type` are written: ask before building a line that costs something. */
  wants(type: Type): boolean {
    return this.#wanted.has(type);
  }

  write(type: Type, line: string): void {
    if (!this.#wanted.has(type)) return;
    if (this.#lines.length === 0) setImmediate(() => this.flush());
    this.#lines.push(this.#timestamp ? `${Math.floor(Date.now() / 1000)}: ${line}\n` : `${line}\n`);
  }

  /** Hands over what is written; to be called before the process ends. */
  flush(): void {
    if (this.#lines.length === 0) return;
    const text = this.#lines.join("");
    this.#lines = [];
    this.#sink(text);
  }
}
