/**
 * Command lines as mosquitto's tools read them, from tables: an option is declared once, and parsing, help text and types come from
 * there. An option that takes a value takes the next argument, whatever it looks like, as in `-m -5` and `-m ''`; options are not
 * joined (`-dv`) and not written with "=". Arguments that do not begin with "-" fill the table's operands in their order. The lines
 * of an options file are read by the same table. Prints nothing and reads no files.
 */
import { nearest } from "../protocol/index.ts";

/** What all options have. */
interface OptionBase {
  /** The heading in the help text. */
  readonly group: string;
  /** One letter, given as `-h`. */
  readonly short?: string;
  /** Given as `--host`. */
  readonly long?: string;
  /** A sentence for the help text. */
  readonly help: string;
  /** What is said when it is given again. Without it the last one counts. */
  readonly again?: string;
}

/** Present or not. */
interface FlagOption extends OptionBase {
  readonly type: "flag";
  /** Whether what comes after it is not looked at, as after --help. */
  readonly isFinal?: true;
}

/** What all options with a value have. */
interface ValueOptionBase extends OptionBase {
  /** What the value is, in small letters as in "will topic": for messages and help. */
  readonly argument: string;
  /** Whether each time it is given counts, instead of the last. */
  readonly repeatable?: true;
  /** Said when there is no value, where "-p argument given but no port specified." is not mosquitto's wording. */
  readonly missing?: string;
  /** Said of a value that is not allowed, when "Invalid port given: 99999" would not do. */
  readonly invalid?: string;
  /** Said below that: what is allowed. */
  readonly allowed?: string;
}

/** Any text. */
export interface TextOption extends ValueOptionBase {
  readonly type: "text";
  readonly default?: string;
  /**
   * What it gives to other options, at its place: what stands further right can still change it.
   * @throws CommandLineError when the value is not allowed
   */
  readonly gives?: (text: string) => Given;
}

/** Several arguments that belong together. */
interface WordsOption extends ValueOptionBase {
  readonly type: "words";
  /** How many arguments there must be, by the first ones. */
  readonly countOf: (words: readonly string[]) => number;
  /** Said when there are fewer. */
  readonly tooFew: string;
  /** As of a text. */
  readonly gives?: (words: readonly string[]) => Given;
}

/** Values by the names of rows. Where a row is repeatable, its value is added. */
export type Given = Readonly<Record<string, string | number | boolean>>;

interface IntegerOption extends ValueOptionBase {
  readonly type: "integer";
  readonly min: number;
  readonly max: number;
  readonly default?: number;
}

/** One of some words, each standing for a value. */
interface ChoiceOption extends ValueOptionBase {
  readonly type: "choice";
  readonly choices: Readonly<Record<string, number | string>>;
  readonly default?: number | string;
}

/** Given by its place instead of a name. */
interface OperandOption {
  readonly group: string;
  readonly help: string;
  readonly type: "operand";
  /** What it is, in small letters. */
  readonly argument: string;
  /** Whether there must be one. */
  readonly isRequired?: true;
  readonly default?: string;
  /** Whether it takes all that are left; then "--" ends the options, and -2 is a number. */
  readonly repeatable?: true;
}

/** A row of the table. */
export type Option = FlagOption | TextOption | WordsOption | IntegerOption | ChoiceOption | OperandOption;

/** Options by the name that the program knows them by. Write it `as const` to get the types of the values. */
export type OptionTable = Readonly<Record<string, Option>>;

/** A command with its options. */
export interface Command<Table extends OptionTable> {
  /** As typed, for instance "lacewing pub". */
  readonly name: string;
  /** One sentence: what it does. */
  readonly summary: string;
  /** What comes after the name, one entry for each way of calling it. */
  readonly usage: readonly string[];
  readonly options: Table;
  /** Whether all after the first operand are operands too, whatever they look like. */
  readonly operandsComeLast?: true;
  /** Whether by mosquitto's name it says of an error only mosquitto's line: its usage is not named there. */
  readonly isTerse?: true;
  /** Name of the file of options in the user's folder for configuration. */
  readonly configName?: string;
  /** Lines for the end of the help text. */
  readonly notes?: readonly string[];
  /** What it is used for most: what somebody wants, and what to type after the name. */
  readonly examples?: readonly (readonly [wants: string, args: string])[];
}

type ValueOf<Row extends Option> = Row extends { type: "flag" }
  ? boolean
  : Row extends { type: "integer" }
    ? number
    : Row extends { type: "choice"; choices: infer Choices }
      ? Choices[keyof Choices]
      : Row extends { type: "words" }
        ? readonly string[]
        : string;

/** What a command line says: for each row its value, all its values, or what holds when it was not given. */
export type ParsedOptions<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends { repeatable: true }
    ? readonly ValueOf<Table[Name]>[]
    : Table[Name] extends { type: "flag" } | { default: number | string } | { isRequired: true }
      ? ValueOf<Table[Name]>
      : ValueOf<Table[Name]> | undefined;
};

/** A command line that cannot be followed. The message is one line for the user, without "Error: ". */
export class CommandLineError extends Error {
  override readonly name: string = "CommandLineError";
  /** What is allowed, as a line below it. */
  readonly allowed: string | null;

  constructor(message: string, allowed: string | null = null) {
    super(message);
    this.allowed = allowed;
  }
}

/**
 * What to print on stderr for `error`.
 * @param help the command that shows how it is right
 */
export function commandLineErrorText(
  { name }: Pick<Command<OptionTable>, "name">,
  error: CommandLineError,
  help: string = `${name} --help`,
): string {
  const allowed = error.allowed === null ? "" : `\n${error.allowed}`;
  return `${lineOf(error)}${allowed}\n\nUse '${help}' to see usage.\n`;
}

/** The error's one line. */
export function lineOf({ message }: CommandLineError): string {
  return message.startsWith("Error in ") ? message : `Error: ${message}`;
}

/** One line of an options file. */
export interface OptionLine {
  /** Where it stands, for messages. */
  readonly place: string;
  readonly text: string;
}

/**
 * Reads the arguments of a command.
 * @param lines of an options file: defaults, that the arguments change; what may be repeated is added
 * @throws CommandLineError for an unknown option, and a value or an operand that is missing or not allowed
 */
export function parseCommandLine<Table extends OptionTable>(
  command: Pick<Command<Table>, "options" | "operandsComeLast">,
  args: readonly string[],
  lines: readonly OptionLine[] = [],
): ParsedOptions<Table> {
  const reading = new Reading(command.options, command.operandsComeLast === true);
  for (const line of lines) reading.readLine(line);
  reading.read(args);
  return reading.finish() as ParsedOptions<Table>;
}

type Value = string | number | boolean | readonly string[];
type Values = Record<string, Value | Value[] | undefined>;
type ReadOption = Exclude<Option, FlagOption | OperandOption>;

/** Values as they come together. */
class Reading {
  readonly #table: OptionTable;
  readonly #values: Values;
  readonly #names: Map<string, string>;
  readonly #operands: readonly (readonly [string, Option])[];
  readonly #operandsComeLast: boolean;
  readonly #given: Set<string> = new Set();
  #operandsGiven = 0;
  #isFinal = false;

  constructor(table: OptionTable, operandsComeLast: boolean) {
    this.#table = table;
    this.#operandsComeLast = operandsComeLast;
    this.#values = initialValues(table);
    this.#names = namesOf(table);
    this.#operands = Object.entries(table).filter(([, option]) => option.type === "operand");
  }

  readLine({ place, text }: OptionLine): void {
    try {
      this.read(this.#wordsOf(text));
    } catch (error) {
      throw error instanceof CommandLineError ? new CommandLineError(`${place}: ${error.message}`) : error;
    }
  }

  /** An option and, after one space, its value, which may hold more of them. */
  #wordsOf(text: string): string[] {
    const [, name, value] = /^ *([^ ]+)(?: (.*))?$/s.exec(text)!;
    if (value === undefined) return [name!];
    const option = this.#table[this.#names.get(name!) ?? ""];
    return [name!, ...(option?.type === "words" ? value.split(" ").filter((word) => word !== "") : [value])];
  }

  read(args: readonly string[]): void {
    for (let index = 0; index < args.length && !this.#isFinal; index++) {
      const argument = args[index]!;
      if (argument === "--" && this.#takesWords) {
        for (const word of args.slice(index + 1)) this.#takeOperand(word);
        return;
      }
      const name = this.#mayBeOption ? this.#names.get(argument) : undefined;
      if (name === undefined) this.#readOperand(argument);
      else index += this.#readOption(name, argument, args.slice(index + 1, index + 1 + MOST_WORDS));
    }
  }

  get #mayBeOption(): boolean {
    return !this.#operandsComeLast || this.#operandsGiven === 0;
  }

  #readOperand(argument: string): void {
    const isNumber = this.#takesWords && /^-\d/.test(argument);
    const looksLikeOption = argument.startsWith("-") && argument !== "-" && !isNumber;
    if (this.#mayBeOption && looksLikeOption) throw unknownOption(argument, this.#names.keys());
    this.#takeOperand(argument);
  }

  /** Whether the last operand takes all that are left. */
  get #takesWords(): boolean {
    return "repeatable" in (this.#operands.at(-1)?.[1] ?? {});
  }

  #takeOperand(argument: string): void {
    const place = this.#takesWords ? Math.min(this.#operandsGiven, this.#operands.length - 1) : this.#operandsGiven;
    const operand = this.#operands[place];
    if (operand === undefined) throw unknownOption(argument, this.#names.keys());
    this.#operandsGiven++;
    this.#take(operand[0], argument);
  }

  /** Returns how many arguments after its own it took. */
  #readOption(name: string, argument: string, rest: readonly string[]): number {
    const option = this.#table[name] as Exclude<Option, OperandOption>;
    if (option.again !== undefined && this.#given.has(name)) throw new CommandLineError(option.again);
    this.#given.add(name);
    if (option.type === "flag") {
      this.#values[name] = true;
      this.#isFinal = option.isFinal === true;
      return 0;
    }
    if (option.type === "words") {
      const count = option.countOf(rest);
      if (rest.length < count) throw new CommandLineError(option.tooFew);
      const words = rest.slice(0, count);
      this.#take(name, words);
      this.#give(option.gives?.(words));
      return count;
    }
    const text = rest[0];
    if (text === undefined) {
      throw new CommandLineError(option.missing ?? `${argument} argument given but no ${option.argument} specified.`);
    }
    this.#take(name, readValue(option, text));
    if (option.type === "text") this.#give(option.gives?.(text));
    return 1;
  }

  #take(name: string, value: Value): void {
    const option = this.#table[name]!;
    if ("repeatable" in option) (this.#values[name] as Value[]).push(value);
    else this.#values[name] = value;
  }

  #give(given: Given = {}): void {
    for (const [name, value] of Object.entries(given)) if (name in this.#table) this.#take(name, value);
  }

  finish(): Values {
    if (this.#isFinal) return this.#values;
    for (const [, option] of this.#operands.slice(this.#operandsGiven))
      if ("isRequired" in option) throw new CommandLineError(`No ${(option as OperandOption).argument} given.`);
    return this.#values;
  }
}

/** Most arguments that belong to one option. */
const MOST_WORDS = 8;

function initialValues(table: OptionTable): Values {
  const values: Values = {};
  for (const [name, option] of Object.entries(table)) {
    if (option.type === "flag") values[name] = false;
    else values[name] = "repeatable" in option ? [] : "default" in option ? option.default : undefined;
  }
  return values;
}

/** From what is typed to the row's name. */
function namesOf(table: OptionTable): Map<string, string> {
  const names = new Map<string, string>();
  for (const [name, option] of Object.entries(table)) for (const typed of typedNames(option)) names.set(typed, name);
  return names;
}

function typedNames(option: Option): string[] {
  if (option.type === "operand") return [];
  const { short, long } = option;
  return [...(short === undefined ? [] : [`-${short}`]), ...(long === undefined ? [] : [`--${long}`])];
}

function unknownOption(argument: string, known: Iterable<string>): CommandLineError {
  const suggestion = suggestionFor(argument, new Set(known));
  return new CommandLineError(
    `Unknown option '${argument}'.${suggestion === null ? "" : ` Did you mean ${suggestion}?`}`,
  );
}

function suggestionFor(argument: string, known: ReadonlySet<string>): string | null {
  const written = /^(--[^=]+)=(.*)$/.exec(argument);
  if (written !== null && known.has(written[1]!)) return `'${written[1]} ${written[2]}'`;
  if (known.has(`-${argument}`)) return `'-${argument}'`;
  const isShort = /^-[^-]/.test(argument);
  const short = argument.slice(0, 2);
  if (isShort && argument.length > 2 && known.has(short)) return `'${short} ${argument.slice(2)}'`;
  // All options of one letter are near each other; none of them is meant more than the others.
  const close = isShort && argument.length === 2 ? null : nearest(argument, known);
  return close === null ? null : `'${close}'`;
}

function readValue(option: Exclude<ReadOption, WordsOption>, text: string): string | number {
  switch (option.type) {
    case "text":
      return text;
    case "integer": {
      const value = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      if (value >= option.min && value <= option.max) return value;
      break;
    }
    case "choice":
      if (Object.hasOwn(option.choices, text)) return option.choices[text]!;
  }
  const fallback = `Invalid ${option.argument} given: {}; allowed is ${allowed(option)}.`;
  const message = (option.invalid ?? fallback).replace("{}", () => text);
  throw new CommandLineError(message, option.allowed ?? null);
}

function allowed(option: IntegerOption | ChoiceOption): string {
  return option.type === "integer" ? `${option.min} to ${option.max}` : Object.keys(option.choices).join(", ");
}

/** Width of the options' column, in characters; longer options push their sentence to the next line. */
const OPTION_COLUMN = 28;

/** Title of the group of options that are there so that scripts for mosquitto's tools run; it comes last. */
const LAST_GROUP = "Accepted for scripts";

/** How a help text is laid out. */
export interface HelpLayout {
  /** Most characters on a line. */
  readonly width: number;
  readonly style?: { readonly heading: (text: string) => string; readonly command: (text: string) => string };
}

const PLAIN = { heading: (text: string): string => text, command: (text: string): string => text };

/** The text that --help prints. */
export function helpText(command: Command<OptionTable>, { width, style = PLAIN }: HelpLayout = { width: 100 }): string {
  const { name, examples = [] } = command;
  const usage = command.usage.map((line, index) =>
    `${index === 0 ? style.heading("Usage:") : "      "} ${name} ${line}`.trimEnd(),
  );
  const groups = [...groupsOf(Object.values(command.options), width)];
  const sections = [
    [command.summary],
    usage,
    ...(examples.length === 0 ? [] : [[style.heading("Examples:"), ...exampleLines(name, examples, style.command)]]),
    ...groups.map(([title, lines]) => [style.heading(`${title}:`), ...lines]),
  ];
  if (command.notes !== undefined) sections.push([...command.notes]);
  return `${sections.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function exampleLines(
  name: string,
  examples: NonNullable<Command<OptionTable>["examples"]>,
  paint: (text: string) => string,
): string[] {
  return examples.flatMap(([wants, args]) => [`  ${wants}:`, `    ${paint(`${name} ${args}`)}`]);
}

function groupsOf(options: readonly Option[], width: number): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  const last = options.filter(({ group }) => group === LAST_GROUP);
  for (const option of [...options.filter((each) => !last.includes(each)), ...last]) {
    const lines = groups.get(option.group) ?? [];
    groups.set(option.group, lines);
    lines.push(...optionHelp(option, width));
  }
  return groups;
}

function optionHelp(option: Option, width: number): string[] {
  const names = typedNames(option).join(", ");
  const indented = option.type === "operand" || option.short !== undefined ? names : `    ${names}`;
  const argument = option.type === "flag" ? "" : option.argument.toUpperCase().replaceAll(" ", separatorOf(option));
  const head = `  ${[indented, argument].filter((part) => part !== "").join(" ")}`;
  const sentence = wrap(option.help + suffix(option), width - OPTION_COLUMN);
  const fits = head.length < OPTION_COLUMN;
  const first = fits ? [head.padEnd(OPTION_COLUMN) + sentence.shift()!] : [head];
  return [...first, ...sentence.map((line) => " ".repeat(OPTION_COLUMN) + line)];
}

/** One argument is one word. */
function separatorOf({ type }: Option): string {
  return type === "words" ? " " : "-";
}

function suffix(option: Option): string {
  if (option.type === "flag") return "";
  const repeated = "repeatable" in option ? " May be given several times." : "";
  if (option.type === "words" || option.default === undefined) return repeated;
  return `${repeated} Defaults to ${option.type === "choice" ? wordFor(option, option.default) : option.default}.`;
}

function wordFor(option: ChoiceOption, value: string | number): string {
  return Object.keys(option.choices).find((word) => option.choices[word] === value) ?? String(value);
}

/** Breaks a text between its words, so that no line is longer than `width` characters, unless a word is. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = "";
    }
    line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
