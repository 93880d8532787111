/** An Explanation: a meaning in one language, with the number, name or line that led to it, ready to be shown or written as JSON. */
import { MEANINGS, type MeaningKey } from "./catalogue/meanings.ts";
import type { Space } from "./code.ts";
import type { Cause, Language, Text } from "./entry.ts";
import { type Found, SPACES } from "./spaces.ts";

/** One possible cause, in one language. */
export interface ExplainedCause {
  readonly why: string;
  /** A command that shows whether it is this one; words in capitals are the reader's to fill in. */
  readonly run: string | null;
  /** What to look for. */
  readonly see: string | null;
  readonly fix: string;
}

/** What something means. */
export interface Explanation {
  /** The meaning's name; it stays. */
  readonly key: MeaningKey;
  readonly language: Language;
  /** Where the number or name is from; null for a line or symptom. */
  readonly space: Space | null;
  /** `space` in words. */
  readonly spaceTitle: string | null;
  readonly code: number | null;
  readonly name: string | null;
  /** The text that programs print. */
  readonly says: string | null;
  /** The versions that have this number, when not all do. */
  readonly only: string | null;
  readonly title: string;
  /** What really happens. */
  readonly means: string;
  /** What is special about it here. */
  readonly note: string | null;
  /** The likeliest first. */
  readonly causes: readonly ExplainedCause[];
  /** What brokers and libraries do then. */
  readonly afterwards: string | null;
  readonly read: readonly string[];
  /** What the line at hand says: client, address, file, ... */
  readonly facts: Readonly<Record<string, string>>;
}

/** What an Explanation is made of beside its meaning. */
export interface Origin {
  readonly found?: Found | undefined;
  readonly facts?: Readonly<Record<string, string>>;
  /** As the line has it, when no row says it. */
  readonly says?: string | undefined;
}

/** The explanation of `key`, as met at `origin`. */
export function explained(key: MeaningKey, language: Language, { found, facts = {}, says }: Origin = {}): Explanation {
  const { title, means, causes, afterwards, read } = MEANINGS[key];
  const row = found?.row;
  const text = (texts: Text | undefined): string | null => texts?.[language] ?? null;
  return {
    key,
    language,
    space: found?.space ?? null,
    spaceTitle: found === undefined ? null : SPACES[found.space].title[language],
    code: row?.code ?? null,
    name: row?.name ?? null,
    says: row?.says ?? says ?? null,
    only: row?.only ?? null,
    title: title[language],
    means: means[language],
    note: text(row?.note),
    causes: causes.map((cause) => explainedCause(cause, language, facts)),
    afterwards: text(afterwards),
    read: read ?? [],
    facts,
  };
}

function explainedCause(cause: Cause, language: Language, facts: Readonly<Record<string, string>>): ExplainedCause {
  return {
    why: cause.why[language],
    run: cause.run === undefined ? null : filledIn(cause.run, facts),
    see: cause.see?.[language] ?? null,
    fix: cause.fix[language],
  };
}

/** Which fact of a line fills which placeholder of a command. */
const PLACEHOLDERS: readonly (readonly [placeholder: RegExp, fact: string])[] = [
  [/\bBROKER\b/g, "host"],
  [/\bPORT\b/g, "port"],
  [/\bADDRESS\b/g, "host"],
  [/\b(?:TOPIC|FILTER)\b/g, "topic"],
  [/\bUSER\b/g, "user"],
  [/\bCA\.crt\b/g, "caFile"],
  [/\bCLIENT\.crt\b/g, "certFile"],
  [/\bCLIENT\.key\b/g, "keyFile"],
  [/\bFILE\b/g, "file"],
];

/** Facts come from a log, that is from anybody: only what no shell reads otherwise is put into a command. */
const HARMLESS = /^(?!-)[\w.:@%/+,-]{1,253}$/;

function filledIn(command: string, facts: Readonly<Record<string, string>>): string {
  let filled = facts.port === undefined ? command : withPlace(command, facts.port, facts.caFile !== undefined);
  for (const [placeholder, fact] of PLACEHOLDERS) {
    const value = facts[fact];
    if (value !== undefined && HARMLESS.test(value)) filled = filled.replace(placeholder, () => value);
  }
  return filled;
}

/** A command that names a usual port, or leaves it out, with the port that is known, and with TLS where the port has it. */
function withPlace(command: string, port: string, isTls: boolean): string {
  const place = `${port === "1883" ? "" : " -p PORT"}${isTls ? " --cafile CA.crt" : ""}`;
  return command.replaceAll(/\bBROKER:\d+\b/g, "BROKER:PORT").replaceAll(/ -h BROKER\b/g, ` -h BROKER${place}`);
}

/** One line for an error message: what it means, and the likeliest cause with its fix. */
export function oneLine(explanation: Explanation): string {
  const { title, causes, language } = explanation;
  const [cause] = causes;
  if (cause === undefined) return title;
  return language === "zh"
    ? `${title}。最可能:${cause.why};处理:${cause.fix}`
    : `${title}. Likeliest: ${cause.why}. Fix: ${cause.fix}`;
}
