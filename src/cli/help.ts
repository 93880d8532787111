/** `lacewing help`: all commands, or one of them. */

import { nearest } from "../protocol/index.ts";
import { CommandLineError, helpText, wrap } from "./command-line.ts";
import { type AnyCommand, COMMANDS, commandNamed } from "./commands.ts";
import { HELP_COMMAND } from "./options/help-options.ts";
import type { ToolIo } from "./output.ts";
import { textLayout } from "./text-layout.ts";
import { runTool } from "./tool.ts";

/** Runs `lacewing help` and returns its exit code. */
export function runHelp(args: readonly string[], io: ToolIo): Promise<number> {
  return runTool(HELP_COMMAND, args, io, async ({ command, part }) => {
    io.stdout.write(command === undefined ? await overview(io) : helpText(await found(command, part), textLayout(io)));
    return 0;
  });
}

async function found(name: string, part: string | undefined): Promise<AnyCommand> {
  if (name === "broker") return (await import("./broker-options.ts")).BROKER_COMMAND;
  const entry = commandNamed(name);
  if (entry === undefined) throw unknownCommand(name, ["broker", ...Object.keys(COMMANDS)]);
  if (part === undefined) return entry.describe();
  const parts = (await entry.parts?.()) ?? {};
  if (Object.hasOwn(parts, part)) return parts[part]!;
  throw unknownCommand(part, Object.keys(parts), `'${name}' has `);
}

/** What to say of a name that no command has. */
export function unknownCommand(name: string, known: readonly string[], start: string = "there are "): CommandLineError {
  const close = nearest(name, known);
  const list = known.length === 0 ? "none" : known.join(", ");
  const guess = close === null ? "" : ` Did you mean '${close}'?`;
  return new CommandLineError(`Unknown command '${name}'; ${start}${list}.${guess}`);
}

/** Width of the names of commands, in characters. */
const NAME_COLUMN = 24;

/** All commands with a sentence each. */
async function overview(io: ToolIo): Promise<string> {
  const { width, style } = textLayout(io);
  const heading = style?.heading ?? ((text: string) => text);
  const groups = new Map<string, string[]>();
  for (const [name, { group, describe }] of Object.entries(COMMANDS)) {
    const lines = groups.get(group) ?? [];
    groups.set(group, lines);
    const [first, ...more] = wrap((await describe()).summary, width - NAME_COLUMN);
    lines.push(`  lacewing ${name}`.padEnd(NAME_COLUMN) + first, ...more.map((line) => " ".repeat(NAME_COLUMN) + line));
  }
  const sections = [...groups].map(([title, lines]) => [heading(`${title}:`), ...lines].join("\n"));
  return `${[
    "Lacewing: an MQTT broker, and tools that talk to brokers and say what is wrong.",
    `${heading("Run a broker:")}\n  lacewing [OPTIONS]    in front of you, on port 1883 of this machine; see lacewing help broker`,
    ...sections,
    "lacewing help COMMAND, or lacewing COMMAND --help, shows the options and examples of one.",
  ].join("\n\n")}\n`;
}
