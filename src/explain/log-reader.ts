/** Reads a log line by line and finds each problem once: how often, when first and last, for which clients. Its memory is bounded. */
import type { MeaningKey } from "./catalogue/meanings.ts";
import { ClientTrace } from "./client-trace.ts";
import type { Language } from "./entry.ts";
import { type Explanation, explained } from "./explanation.ts";
import { type Match, matchLine, matchOf } from "./matching.ts";
import type { Source } from "./spaces.ts";
import { type StampedLine, withoutStamp } from "./stamps.ts";

/** When a line was written. */
export interface Sighting {
  /** Milliseconds since 1970; null when the stamp does not say it in full. */
  readonly timeMs: number | null;
  /** For people: an ISO time where it is known, else the stamp. */
  readonly text: string;
}

/** One problem of a log. */
export interface Problem {
  readonly explanation: Explanation;
  /** The first line that shows it. */
  readonly line: string;
  readonly count: number;
  readonly first: Sighting | null;
  readonly last: Sighting | null;
  /** The first few that it happened to. */
  readonly clients: readonly string[];
  /** How many it happened to, up to a bound. */
  readonly clientCount: number;
}

/** What a log holds. */
export interface LogSummary {
  /** The most frequent first. */
  readonly problems: readonly Problem[];
  readonly lines: number;
  /** Lines that look like problems and are not in the catalogue, the first few. */
  readonly unexplained: readonly { readonly line: string; readonly count: number }[];
}

const MOST_CLIENTS_SHOWN = 5;
const MOST_CLIENTS_COUNTED = 10_000;
const MOST_UNEXPLAINED = 20;
const MOST_LINE_CHARACTERS = 300;

/** They say in a log that all is well. */
const NO_PROBLEM: ReadonlySet<MeaningKey> = new Set<MeaningKey>([
  "accepted",
  "disconnected",
  "granted",
  "publish-trace",
  "success",
  "connect-pending",
]);

const LOOKS_BAD = /\b(?:error|fail(?:ed|ure)?|denied|refused|fatal|unable|cannot|corrupt)\b/i;

interface Count {
  readonly match: Match;
  readonly line: string;
  count: number;
  readonly first: Sighting | null;
  last: Sighting | null;
  readonly clients: Set<string>;
}

/** Options of a LogReader. */
export interface LogReaderOptions {
  readonly from?: Source;
  readonly language?: Language;
}

/** Counts the problems of the lines that it is given. */
export class LogReader {
  readonly #from: Source | undefined;
  readonly #language: Language;
  readonly #problems: Map<MeaningKey, Count> = new Map();
  readonly #unexplained: Map<string, number> = new Map();
  readonly #trace = new ClientTrace();
  #lines = 0;
  #afterTls = false;
  /** The client whose end the next line says. */
  #detailOf: string | undefined;

  constructor({ from, language = "en" }: LogReaderOptions = {}) {
    this.#from = from;
    this.#language = language;
  }

  /** Takes the next line. */
  add(line: string): void {
    if (line.trim() === "") return;
    this.#lines += 1;
    const stamped = withoutStamp(line);
    const placed = this.#trace.next(stamped.message);
    const { matches, isHarmless, isDetail } =
      placed === null
        ? matchLine(stamped.message, { source: this.#from, isStamped: stamped.stamp !== null })
        : matchOf(placed);
    const [match] = matches;
    if (isHarmless || (match !== undefined && NO_PROBLEM.has(match.meaning))) return;
    if (match === undefined) this.#addUnexplained(stamped.message);
    else if (!this.#isEchoOfTls(match) && !this.#isEndOfDetail(stamped.message)) this.#count(match, stamped);
    if (isDetail === true) this.#detailOf = match?.facts?.client;
    this.#afterTls = match?.found?.space === "tls" || match?.found?.space === "x509";
  }

  /** The end of a connection of which the line before gave the rule: that one was counted. */
  #isEndOfDetail(message: string): boolean {
    const client = this.#detailOf;
    this.#detailOf = undefined;
    return client !== undefined && message.startsWith(`Client ${client} `) && message.includes(" disconnected");
  }

  /** After a failed handshake mosquitto complains of a protocol error too, which is none of MQTT. */
  #isEchoOfTls({ meaning }: Match): boolean {
    return this.#afterTls && (meaning === "not-mqtt" || meaning === "tls-failed" || meaning === "protocol-error");
  }

  #count(match: Match, stamped: StampedLine): void {
    const sighting = sightingOf(stamped);
    let count = this.#problems.get(match.meaning);
    if (count === undefined) {
      const line = stamped.message.slice(0, MOST_LINE_CHARACTERS);
      count = { match, line, count: 0, first: sighting, last: sighting, clients: new Set() };
      this.#problems.set(match.meaning, count);
    }
    count.count += 1;
    count.last = sighting ?? count.last;
    const client = match.facts?.client;
    if (client !== undefined && count.clients.size < MOST_CLIENTS_COUNTED) count.clients.add(client);
  }

  #addUnexplained(message: string): void {
    const line = message.slice(0, MOST_LINE_CHARACTERS);
    if (!LOOKS_BAD.test(line)) return;
    const count = this.#unexplained.get(line);
    if (count !== undefined || this.#unexplained.size < MOST_UNEXPLAINED) this.#unexplained.set(line, (count ?? 0) + 1);
  }

  /** What was found so far. */
  summary(): LogSummary {
    const problems = [...this.#problems.values()]
      .sort((a, b) => b.count - a.count)
      .map(({ match, clients, ...rest }) => ({
        ...rest,
        explanation: explained(match.meaning, this.#language, {
          found: match.found,
          ...(match.facts && { facts: match.facts }),
        }),
        clients: [...clients].slice(0, MOST_CLIENTS_SHOWN),
        clientCount: clients.size,
      }));
    const unexplained = [...this.#unexplained].map(([line, count]) => ({ line, count }));
    return { problems, lines: this.#lines, unexplained };
  }
}

function sightingOf({ timeMs, stamp }: StampedLine): Sighting | null {
  if (stamp === null) return null;
  return { timeMs, text: timeMs === null ? stamp : isoText(timeMs) };
}

const DAY_MS = 86_400_000;

/** As 2021-07-29T12:02:53Z. The class Date would do it, but this folder is free of clocks, and a test sees to that by its name. */
function isoText(timeMs: number): string {
  const days = Math.floor(timeMs / DAY_MS);
  const seconds = Math.floor((timeMs - days * DAY_MS) / 1000);
  // Years from March, so that the leap day is the last of its year.
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1;
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const two = (number: number): string => String(number).padStart(2, "0");
  const time = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map((part) => two(Math.floor(part)));
  return `${year}-${two(month)}-${two(day)}T${time.join(":")}Z`;
}
