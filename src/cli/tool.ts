/** What all tools do alike: arguments, help, errors, output. */

import { version } from "../config/version.ts";
import type { Language } from "../explain/index.ts";
import {
  type Command,
  CommandLineError,
  commandLineErrorText,
  helpText,
  lineOf,
  type OptionTable,
  type ParsedOptions,
  parseCommandLine,
} from "./command-line.ts";
import { languageOf } from "./language.ts";
import { type Environment, optionLines } from "./options-file.ts";
import { Output, type OutputListener, type ToolIo } from "./output.ts";
import { Progress } from "./progress.ts";
import { SetUpError } from "./set-up-error.ts";
import { errorPaint, textLayout } from "./text-layout.ts";

/** The two outputs of a running tool. */
export interface ToolOutput {
  readonly out: Output;
  /** Writes a line to standard error, unless --quiet. */
  complain(text: string): void;
  readonly progress: Progress;
}

type WithHelp = OptionTable & {
  readonly help: { readonly type: "flag" };
  readonly showVersion: { readonly type: "flag" };
};

/**
 * Runs a tool: reads its arguments, answers --help and --version, says what is wrong with the arguments.
 * @param run does the work and returns the exit code
 */
export async function runTool<Table extends WithHelp>(
  command: Command<Table>,
  args: readonly string[],
  io: ToolIo,
  run: (parsed: ParsedOptions<Table>) => Promise<number>,
): Promise<number> {
  const name = io.calledAs ?? command.name;
  try {
    const parsed = parseCommandLine(command, args);
    const { help, showVersion, optionsFile } = parsed as { help: boolean; showVersion: boolean; optionsFile?: string };
    if (help || showVersion) {
      io.stdout.write(help ? helpText({ ...command, name }, textLayout(io)) : `${name} version ${version()}\n`);
      return 0;
    }
    const lines = optionLines(optionsFile, command.configName, io.env ?? {});
    const all = lines.length === 0 ? parsed : parseCommandLine(command, args, lines);
    const wanted = inLanguage(all, io.env ?? {});
    return await run("lang" in command.options ? wanted : all).catch((error: unknown) => saySetUp(error, wanted, io));
  } catch (error) {
    if (!(error instanceof CommandLineError)) throw error;
    const isTerse = command.isTerse === true && io.calledAs !== undefined;
    io.stderr.write(errorPaint(io)(isTerse ? `${lineOf(error)}\n` : commandLineErrorText({ name }, error)));
    return 1;
  }
}

/** Says what was found out before the first byte was sent, and returns the exit code. */
function saySetUp(error: unknown, wanted: { readonly lang: Language; readonly quiet?: boolean }, io: ToolIo): number {
  if (!(error instanceof SetUpError)) throw error;
  const paint = errorPaint(io);
  if (wanted.quiet !== true)
    for (const line of [error.message, error.advice[wanted.lang]]) io.stderr.write(`${paint(line)}\n`);
  return 1;
}

/** What --lang says, or else the locale. */
function inLanguage<Parsed extends object>(parsed: Parsed, env: Environment): Parsed & { readonly lang: Language } {
  const { lang } = parsed as { readonly lang?: Language };
  return { ...parsed, lang: languageOf(lang, env) };
}

/** Runs `work` with the tool's outputs and sees that everything written has left before it returns. */
export async function withOutput(
  io: ToolIo,
  quiet: boolean,
  listener: OutputListener,
  work: (output: ToolOutput) => Promise<number>,
): Promise<number> {
  const out = new Output(io.stdout, listener);
  const errors = new Output(io.stderr);
  const progress = new Progress(io, !quiet);
  const paint = errorPaint(io);
  const complain = (text: string): void => {
    if (quiet) return;
    progress.clear();
    errors.write(`${paint(text)}\n`);
  };
  try {
    return await work({ out, complain, progress });
  } finally {
    progress.stop();
    await out.end();
    await errors.end();
  }
}
