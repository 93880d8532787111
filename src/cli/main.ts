#!/usr/bin/env node
/** The command `lacewing`: the broker by itself, or the tool that the first argument names, or the name that it is called by. */
import { basename } from "node:path";
import { commandLineErrorText } from "./command-line.ts";
import { COMMANDS, commandNamed, LINKS } from "./commands.ts";
import type { ToolIo } from "./output.ts";

async function main(path: string, args: readonly string[]): Promise<number> {
  const { stdin, stdout, stderr, env } = process;
  const io: ToolIo = { stdin, stdout, stderr, env };
  const calledAs = basename(path);
  if (Object.hasOwn(LINKS, calledAs)) return commandNamed(LINKS[calledAs]!)!.run(args, { ...io, calledAs });
  if (calledAs === "mosquitto") return (await import("./broker.ts")).runBroker(args, calledAs);
  const [first, ...rest] = args;
  if (first === "--help") return commandNamed("help")!.run([], io);
  if (first === "--version" && rest.length === 0) return showVersion();
  if (first === undefined || first.startsWith("-")) return (await import("./broker.ts")).runBroker(args);
  const command = commandNamed(first);
  return command === undefined ? unknown(first) : command.run(rest, io);
}

/** As the broker does; without loading it, which takes longer than all else. */
async function showVersion(): Promise<number> {
  const { version } = await import("../config/version.ts");
  process.stdout.write(`lacewing version ${version()}\n`);
  return 0;
}

async function unknown(name: string): Promise<number> {
  const { unknownCommand } = await import("./help.ts");
  process.stderr.write(commandLineErrorText({ name: "lacewing" }, unknownCommand(name, Object.keys(COMMANDS))));
  return 1;
}

/** Whatever nobody expected: one sentence and the place, and not a broker that goes on in an unknown state. */
function failed(error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`Error: lacewing has a fault and ends. Please report this:\n${text}\n`);
  process.exit(70);
}

process.on("uncaughtException", failed);
process.on("unhandledRejection", failed);
process.exitCode = await main(process.argv[1] ?? "", process.argv.slice(2));
