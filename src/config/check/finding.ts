/** What a check of a configuration has found. */

/** One thing: where, what, and what to do about it. */
export interface Finding {
  /** "error": the broker would not start. "warning": a danger, or something without effect. "note": worth knowing. */
  readonly level: "error" | "warning" | "note";
  /** "FILE:LINE" or a file; null: nowhere in particular. */
  readonly place: string | null;
  readonly text: string;
  /** What to do; "": the text says it. */
  readonly advice: string;
}

/** Builds one. */
export function finding(level: Finding["level"], place: string | null, text: string, advice: string = ""): Finding {
  return { level, place, text, advice };
}
