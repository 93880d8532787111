/** Values as mosquitto.conf writes them. What is not understood is an OptionError that says what is allowed. */
import { OptionError } from "./problem.ts";

/** Reads what stands after the name of an option. */
export interface ValueKind<Value> {
  /** What a value looks like, for messages and documentation. */
  readonly form: string;
  /** @throws OptionError */
  read(name: string, rest: string): Value;
}

/** Words, as separated by spaces. */
export function wordsOf(rest: string): readonly string[] {
  return rest.split(/[ \t]+/).filter((word) => word !== "");
}

/** The first word; mosquitto ignores what follows. */
function firstWord(name: string, rest: string, form: string): string {
  const [word] = wordsOf(rest);
  if (word === undefined) throw empty(name, form);
  return word;
}

/** "Empty value", in mosquitto's words. */
export function empty(name: string, form: string): OptionError {
  return new OptionError(`Error: Empty '${name}' value in configuration. Allowed is ${form}.`);
}

/** true or false. */
export const SWITCH: ValueKind<boolean> = {
  form: "true or false",
  read(name, rest) {
    const word = firstWord(name, rest, this.form);
    if (word === "true" || word === "1") return true;
    if (word === "false" || word === "0") return false;
    throw new OptionError(`Error: Invalid '${name}' value (${word}). Allowed is ${this.form}.`);
  },
};

/** A number as C reads it: also hexadecimal with 0x and octal with 0. */
const NUMBER = /^([+-]?)(0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)$/i;

function numberOf(word: string): number | null {
  const match = NUMBER.exec(word);
  if (match === null) return null;
  const [, sign, digits = ""] = match;
  const value = /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits);
  return sign === "-" ? -value : value;
}

/** What numbers are about, and what becomes of those that are out of range. */
export interface NumberRules {
  readonly unit?: string;
  /** What numbers below `min` count as, as mosquitto takes them; absent: they are refused. */
  readonly below?: number;
  /** mosquitto's words for a number that is refused; `{}` stands for it. */
  readonly refusal?: string;
}

/** A whole number from `min` to `max`. */
export function integer(min: number, max: number, rules: NumberRules = {}): ValueKind<number> {
  const { unit, below, refusal } = rules;
  const form = `a whole number${unit === undefined ? "" : ` of ${unit}`} from ${min} to ${max}`;
  return {
    form,
    read(name, rest) {
      const word = firstWord(name, rest, form);
      const value = numberOf(word);
      if (value === null) throw new OptionError(`Error: '${name}' value not a number. Allowed is ${form}.`);
      if (value < min && below !== undefined) return below;
      if (value >= min && value <= max) return value;
      const words = (refusal ?? `Error: '${name}' value out of range.`).replace("{}", () => word);
      throw new OptionError(`${words} Allowed is ${form}.`);
    },
  };
}

/** Everything after the name, without blanks around it. */
export function text(form: string): ValueKind<string> {
  return {
    form,
    read(name, rest) {
      const value = rest.trim();
      if (value === "") throw empty(name, form);
      return value;
    },
  };
}

/** Path of a file. */
export const FILE: ValueKind<string> = text("the path of a file");

/** Path of a folder. */
export const FOLDER: ValueKind<string> = text("a folder");

/** One of some words. */
export function choice<Word extends string>(words: readonly Word[], refusal: string): ValueKind<Word> {
  const form = words.length === 1 ? words[0]! : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
  return {
    form,
    read(name, rest) {
      const word = firstWord(name, rest, form);
      const known = words.find((candidate) => candidate === word);
      if (known === undefined) throw new OptionError(`${refusal.replace("{}", () => word)} Allowed is ${form}.`);
      return known;
    },
  };
}

const SECONDS_PER_UNIT: ReadonlyMap<string, number> = new Map([
  ["s", 1],
  ["h", 3600],
  ["d", 86_400],
  ["w", 604_800],
  ["m", 2_592_000],
  ["y", 31_536_000],
]);

/** A number and a unit, as "2w", in seconds below `limit`. */
export function duration(limit: number): ValueKind<number> {
  const form = "a number with a unit: s, h, d, w, m (30 days) or y, as in 14d";
  return {
    form,
    read(name, rest) {
      const word = firstWord(name, rest, form);
      const match = /^(\d{1,9})([shdwmy])$/.exec(word);
      const seconds = match === null ? 0 : Number(match[1]) * (SECONDS_PER_UNIT.get(match[2] ?? "") ?? 0);
      if (seconds > 0 && seconds < limit) return seconds;
      throw new OptionError(`Error: Invalid '${name}' duration in configuration. Allowed is ${form}.`);
    },
  };
}
