/** What shells need to know of commands, taken from the tables of options. */
import type { Option } from "../command-line.ts";
import { type AnyCommand, COMMANDS } from "../commands.ts";
import { SHELLS } from "../options/help-options.ts";

/** What may be typed for a value: nothing when there is none, "any" where nobody can guess. */
export type Value = "nothing" | "any" | "file" | "folder" | "host" | readonly string[];

/** An option. */
export interface CompletableOption {
  /** With their dashes. */
  readonly names: readonly string[];
  /** Arguments that it takes. */
  readonly count: number;
  readonly value: Value;
  readonly help: string;
}

/** A command. */
export interface Completable {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly CompletableOption[];
  /** What its operands may be. */
  readonly operand: Value;
}

/** Names of commands that have commands of their own. */
export function withParts(commands: readonly Completable[]): readonly string[] {
  return [...new Set(commands.filter(({ name }) => name.includes(" ")).map(({ name }) => name.split(" ")[0]!))];
}

/** All commands; those of another, as of `store`, have its name before theirs, as in "store check". */
export async function completables(): Promise<readonly Completable[]> {
  const all: Completable[] = [];
  for (const [name, { describe, parts }] of Object.entries(COMMANDS)) {
    const command = await describe();
    const commandsOf = (await parts?.()) ?? {};
    const words =
      name === "help" ? Object.keys(COMMANDS) : name === "completion" ? [...SHELLS] : Object.keys(commandsOf);
    all.push(completable(name, command, words.length === 0 ? undefined : words));
    for (const [part, its] of Object.entries(commandsOf)) all.push(completable(`${name} ${part}`, its));
  }
  return all;
}

function completable(name: string, { summary, options }: AnyCommand, words?: readonly string[]): Completable {
  const rows = Object.values(options);
  const operand = rows.find(({ type }) => type === "operand");
  return {
    name,
    summary,
    options: rows.filter(({ type }) => type !== "operand").map(completableOption),
    operand: words ?? (operand === undefined ? "nothing" : valueKind(operand)),
  };
}

function completableOption(option: Option): CompletableOption {
  const { short, long } = option as { readonly short?: string; readonly long?: string };
  return {
    names: [...(short === undefined ? [] : [`-${short}`]), ...(long === undefined ? [] : [`--${long}`])],
    count: option.type === "flag" ? 0 : option.type === "words" ? 3 : 1,
    value: valueKind(option),
    help: option.help,
  };
}

/** Most values that are offered for a number. */
const MOST_NUMBERS = 5;

function valueKind(option: Option): Value {
  switch (option.type) {
    case "flag":
      return "nothing";
    case "choice":
      return Object.keys(option.choices);
    case "integer": {
      const count = option.max - option.min + 1;
      return count > MOST_NUMBERS ? "any" : Array.from({ length: count }, (_, index) => String(option.min + index));
    }
    default: {
      const kind = /(file|socket path)$|^(folder|directory|host)$/.exec(option.argument)?.[0];
      return kind === undefined
        ? "any"
        : kind === "host"
          ? "host"
          : /^(folder|directory)$/.test(kind)
            ? "folder"
            : "file";
    }
  }
}
