/** Answers "what does this mean?" for a number, a name, a pasted line or a symptom in words. */

import { MEANINGS, type MeaningKey } from "./catalogue/meanings.ts";
import { ClientTrace } from "./client-trace.ts";
import type { Space } from "./code.ts";
import type { Language } from "./entry.ts";
import { type Explanation, explained } from "./explanation.ts";
import { type Match, matchesOf, matchLine, matchNumber, matchOf } from "./matching.ts";
import { placesOf, rowsNamed, rowsOf, type Source, SPACES } from "./spaces.ts";
import { withoutStamp } from "./stamps.ts";
import { matchWords } from "./words.ts";

/** How to explain. */
export interface ExplainOptions {
  /** Where the number was met. */
  readonly from?: Source;
  readonly language?: Language;
}

/** A meaning that is near what was asked. */
export interface NearMeaning {
  readonly key: MeaningKey;
  readonly title: string;
}

/** An answer. */
export interface Answer {
  /** What it can mean, the likeliest first; empty when nothing is known. */
  readonly explanations: readonly Explanation[];
  /** When nothing is known: what comes near. */
  readonly nearest: readonly NearMeaning[];
}

/** Share of a question's words that a meaning must have. */
const LEAST_SCORE = 0.45;
/** Meanings by words that are nearly as good as the best. */
const NEARLY = 0.85;
const MOST_BY_WORDS = 3;

const ONE_NUMBER = /^(?:(?:rc|code|error|err|ret|mosq)\s{0,3}[=:]?\s{0,3})?([-+]?0x[0-9a-fA-F]{1,8}|[-+]?\d{1,6})$/i;

/** What `query` means. Any text is an allowed question; this throws for none. */
export function explain(query: string, { from, language = "en" }: ExplainOptions = {}): Answer {
  const matches = matchesFor(query, from);
  if (matches.length > 0)
    return { explanations: matches.map((match) => explanationOfMatch(match, language)), nearest: [] };
  // Words that share a number with a text have nothing to do with it.
  const byWords = ONE_NUMBER.test(query.trim()) ? [] : matchWords(query);
  const best = byWords[0]?.score ?? 0;
  const good = best < LEAST_SCORE ? [] : byWords.filter(({ score }) => score >= best * NEARLY).slice(0, MOST_BY_WORDS);
  return {
    explanations: good.map(({ meaning }) => explained(meaning, language)),
    nearest: good.length > 0 ? [] : byWords.slice(0, MOST_BY_WORDS).map(({ meaning }) => near(meaning, language)),
  };
}

function near(key: MeaningKey, language: Language): NearMeaning {
  return { key, title: MEANINGS[key].title[language] };
}

function matchesFor(query: string, from: Source | undefined): readonly Match[] {
  const text = query.slice(0, MOST_CHARACTERS).trim();
  const number = ONE_NUMBER.exec(text)?.[1];
  // A number that the place does not have may have been met elsewhere.
  if (number !== undefined) return firstFound(matchNumber(number, from), () => matchNumber(number));
  const key = text.toLowerCase();
  const named = fromFirst(matchesOf(rowsNamed(text)), from);
  if (named.length > 0) return named;
  if (Object.hasOwn(MEANINGS, key)) return [{ meaning: key as MeaningKey }];
  const all: Match[] = [];
  const trace = new ClientTrace();
  for (const line of text.split("\n").slice(0, MOST_LINES)) {
    const { message, stamp } = withoutStamp(line.trim());
    const placed = trace.next(message);
    const { matches } =
      placed === null ? matchLine(message, { source: from, isStamped: stamp !== null }) : matchOf(placed);
    for (const match of matches) if (!all.some(({ meaning }) => meaning === match.meaning)) all.push(match);
  }
  return mostTelling(all);
}

/** Most characters of a question that are looked at. */
const MOST_CHARACTERS = 100_000;
/** Most lines of a pasted text that are looked at. */
const MOST_LINES = 200;

function firstFound(matches: readonly Match[], otherwise: () => readonly Match[]): readonly Match[] {
  return matches.length > 0 ? matches : otherwise();
}

/** Those of the spaces that `from` has go first. */
function fromFirst(matches: readonly Match[], from: Source | undefined): Match[] {
  if (from === undefined) return [...matches];
  const spaces = placesOf(from).map(({ space }) => space);
  const rank = ({ found }: Match) => (found !== undefined && spaces.includes(found.space) ? 0 : 1);
  return [...matches].sort((a, b) => rank(a) - rank(b));
}

/** In a text of several lines those that only say that something failed go behind those that say why. */
const VAGUE: ReadonlySet<MeaningKey> = new Set<MeaningKey>([
  "tls-failed",
  "certificate-verify-failed",
  "key-file-unreadable",
  "system-call-failed",
  "protocol-error",
  "exact-reason-unknown",
]);

/** They say that all is well, and count only where nothing else is said. */
const WELL: ReadonlySet<MeaningKey> = new Set<MeaningKey>(["publish-trace", "granted", "success", "accepted"]);

function mostTelling(matches: readonly Match[]): readonly Match[] {
  const bad = matches.filter(({ meaning }) => !WELL.has(meaning));
  const telling = bad.filter(({ meaning }) => !VAGUE.has(meaning));
  if (bad.length === 0) return matches;
  const [first, ...others] = [...telling, ...bad.filter((match) => !telling.includes(match))];
  // What one line names, as a file, another may say what is wrong with.
  const facts = Object.assign({}, ...matches.map((match) => match.facts ?? {}), first?.facts ?? {});
  return first === undefined ? [] : [{ ...first, facts }, ...others];
}

function explanationOfMatch({ meaning, found, facts }: Match, language: Language): Explanation {
  return explained(meaning, language, { found, ...(facts && { facts }) });
}

/** A number or name in a known space. */
export interface CodeQuestion {
  readonly space: Space;
  readonly code: number | string;
  /** For reason codes: the packet that carried it. */
  readonly packet?: string;
}

/** What a number or name of a known space means; null when the space does not have it. */
export function explanationOf({ space, code, packet }: CodeQuestion, language: Language = "en"): Explanation | null {
  const rows =
    typeof code === "number"
      ? [...rowsOf({ space, ...(packet !== undefined && { packet }) }, code), ...rowsOf({ space }, code)]
      : rowsNamed(code).filter((found) => found.space === space);
  const [found] = rows;
  return found === undefined ? null : explained(found.row.meaning, language, { found });
}

/** The names of all numbers and names of a space, for lists and completion. */
export function codesOf(space: Space): readonly { readonly code: number | null; readonly name: string }[] {
  return SPACES[space].codes.map(({ code, name }) => ({ code, name }));
}
