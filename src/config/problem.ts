/** What is wrong with a configuration, and what is only worth saying. */

/** When mosquitto finds that something is wrong, which decides about the exit code that it ends with. */
export type FoundWhen = "reading" | "loading" | "listening";

/** Something wrong: mosquitto's words first, where it has any, then what is allowed and what to do. */
export interface Problem {
  /** "FILE:LINE", or where else the option was given; null: nowhere in particular. */
  readonly place: string | null;
  readonly text: string;
  readonly foundWhen?: FoundWhen;
}

/** Something that the operator should hear of at the start, as log lines. */
export interface Notice {
  readonly place: string | null;
  readonly type: "warning" | "notice" | "information";
  readonly text: string;
}

/** A configuration that cannot be used. All that is wrong with it is in `problems`. */
export class ConfigError extends Error {
  override readonly name: string = "ConfigError";
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(({ place, text }) => (place === null ? text : `${text} (${place})`)).join("\n"));
    this.problems = problems;
  }
}

/** One value, or its place, is not allowed: becomes a Problem at the line that is being read. */
export class OptionError extends Error {
  override readonly name: string = "OptionError";
  readonly foundWhen: FoundWhen;

  constructor(message: string, foundWhen: FoundWhen = "reading") {
    super(message);
    this.foundWhen = foundWhen;
  }
}
