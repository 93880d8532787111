/**
 * The log: lines of a kind, with the time before them as in mosquitto. Lines of one turn of the event loop leave in one write, and so do
 * those of a few milliseconds when there are many: each write costs as much as a good part of a client that connects.
 */
import { formatTime, now } from "./format-time.ts";

/** Takes finished text. */
export type LogSink = (text: string) => void;

/** One line. */
export interface LogLine<Type extends string> {
  readonly type: Type;
  /** What is said, without the time. */
  readonly text: string;
  /** As files and terminals get it, with its end of line. */
  readonly line: string;
}

/** Where lines go. */
export interface LogDestination<Type extends string> {
  write(lines: readonly LogLine<Type>[]): void;
  /**
   * Opens its file again, which may have been moved away.
   * @throws Error when it cannot; lines go on to the old one then
   */
  reopen?(): void;
  /** To be called before the process ends. */
  close?(): void;
}

/** What of the log is wanted. */
export interface LogOptions<Type extends string> {
  readonly types: readonly Type[];
  /** Whether each line begins with the time. */
  readonly timestamp: boolean;
  /** Of strftime; null: seconds since 1970. */
  readonly timestampFormat?: string | null;
  /** Lines for people, or one JSON object a line. */
  readonly format?: "text" | "json";
}

/** Lines that come sooner after a write than this wait for the next one, in milliseconds; what an operator must see does not. */
const PAUSE_MS = 5;

/** Kinds that leave at the end of the turn at the latest: whatever they tell of may be the last that is told. */
const URGENT: ReadonlySet<string> = new Set(["error", "warning"]);

/** Text from clients is shown without what could forge a line or move a terminal's cursor. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/** `text` of a client, fit for a line of a log. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A destination that hands text to `sink`. */
export function textDestination<Type extends string>(sink: LogSink): LogDestination<Type> {
  return { write: (lines) => sink(lines.map(({ line }) => line).join("")) };
}

/** Writes lines of the kinds that are wanted. */
export class Log<Type extends string> {
  #destinations: readonly LogDestination<Type>[];
  #options: LogOptions<Type>;
  #wanted: ReadonlySet<Type>;
  #lines: LogLine<Type>[] = [];
  #isFlushDue = false;
  #pause: NodeJS.Timeout | null = null;
  /** On the monotonic clock. */
  #flushedAtMs = Number.NEGATIVE_INFINITY;

  /** @param destinations where lines go; a function takes them as text */
  constructor(options: LogOptions<Type>, destinations: LogSink | readonly LogDestination<Type>[]) {
    this.#options = options;
    this.#wanted = new Set(options.types);
    this.#destinations = typeof destinations === "function" ? [textDestination(destinations)] : destinations;
  }

  /** Whether lines of `type` are written: ask before building a line that costs something. */
  wants(type: Type): boolean {
    return this.#wanted.has(type);
  }

  write(type: Type, text: string): void {
    if (!this.#wanted.has(type)) return;
    this.#lines.push({ type, text, line: this.#lineOf(type, text) });
    if (!this.#isFlushDue) this.#askForFlush(URGENT.has(type));
  }

  #askForFlush(isUrgent: boolean): void {
    if (this.#pause !== null && !isUrgent) return;
    const restMs = isUrgent ? 0 : this.#flushedAtMs + PAUSE_MS - performance.now();
    if (restMs > 0) {
      this.#pause = setTimeout(() => this.flush(), restMs);
    } else {
      this.#isFlushDue = true;
      setImmediate(() => this.flush());
    }
  }

  #lineOf(type: Type, text: string): string {
    const { timestamp, timestampFormat, format } = this.#options;
    if (format === "json") return `${JSON.stringify({ time: new Date().toISOString(), type, text })}\n`;
    if (!timestamp) return `${text}\n`;
    return `${timestampFormat == null ? Math.floor(Date.now() / 1000) : timeText(timestampFormat)}: ${text}\n`;
  }

  /** Hands over what is written; to be called before the process ends. */
  flush(): void {
    this.#isFlushDue = false;
    if (this.#pause !== null) clearTimeout(this.#pause);
    this.#pause = null;
    if (this.#lines.length === 0) return;
    this.#flushedAtMs = performance.now();
    const lines = this.#lines;
    this.#lines = [];
    for (const destination of this.#destinations) destination.write(lines);
  }

  /** Logs differently from now on: to other places too, when `destinations` are given; the old ones are closed. */
  change(options: LogOptions<Type>, destinations?: readonly LogDestination<Type>[]): void {
    this.flush();
    this.#options = options;
    this.#wanted = new Set(options.types);
    if (destinations === undefined) return;
    for (const destination of this.#destinations) destination.close?.();
    this.#destinations = destinations;
  }

  /** Opens files again, which may have been moved away, and returns why some cannot be. */
  reopen(): readonly Error[] {
    this.flush();
    const failures: Error[] = [];
    for (const destination of this.#destinations) {
      try {
        destination.reopen?.();
      } catch (error) {
        failures.push(error as Error);
      }
    }
    return failures;
  }

  /** Writes what is left and lets go of everything. */
  close(): void {
    this.flush();
    for (const destination of this.#destinations) destination.close?.();
  }
}

function timeText(format: string): string {
  const moment = now();
  return format.replace(/%([a-zA-Z%])/g, (_, letter: string) => formatTime(letter, moment));
}
