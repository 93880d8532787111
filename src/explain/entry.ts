/**
 * What the catalogue is made of. A Meaning is one thing that can be wrong, with its causes; a row of a table of numbers, a pattern
 * of a log line or a symptom leads to one. Every text is there in every language, or it does not compile.
 */

/** Languages of the texts. */
export const LANGUAGES = ["en", "zh"] as const;

/** A language of the texts. */
export type Language = (typeof LANGUAGES)[number];

/** A text in all languages. */
export type Text = Readonly<Record<Language, string>>;

/** One possible cause, with how to find out whether it is this one, and what to do then. */
export interface Cause {
  readonly why: Text;
  /** A command that can be run; words in capitals, as BROKER, stand for what only the reader knows. */
  readonly run?: string;
  /** What to look for, in the output of `run` if there is one. */
  readonly see?: Text;
  readonly fix: Text;
}

/** One thing that can be wrong, or a state that looks like it. */
export interface Meaning {
  /** A few words, without a full stop. */
  readonly title: Text;
  /** What really happens. */
  readonly means: Text;
  /** The likeliest first; empty where nothing is wrong. */
  readonly causes: readonly Cause[];
  /** What brokers and libraries do then. */
  readonly afterwards?: Text;
  /** Where to read more: sections of specifications, manual pages. */
  readonly read?: readonly string[];
}

/** Meanings by their keys. */
export type Meanings<Key extends string> = Readonly<Record<Key, Meaning>>;
