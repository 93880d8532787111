#!/usr/bin/env node
/** The command `lacewing`: the broker by itself, or the tool that the first argument names. */
import { runBroker } from "./broker.ts";
import { CommandLineError, commandLineErrorText } from "./command-line.ts";
import { nearest } from "./nearest.ts";

type Tool = (args: readonly string[]) => Promise<number>;

const TOOLS: Readonly<Record<string, Tool>> = {};

function unknownTool(name: string): number {
  const close = nearest(name, Object.keys(TOOLS));
  const error = new CommandLineError(
    `Unknown command '${name}'; there are ${Object.keys(TOOLS).join(" and ")}.${close === null ? "" : ` Did you mean '${close}'?`}`,
  );
  process.stderr.write(commandLineErrorText({ name: "lacewing" }, error));
  return 1;
}

async function main([first, ...rest]: readonly string[]): Promise<number> {
  if (first === undefined || first.startsWith("-")) return runBroker(first === undefined ? [] : [first, ...rest]);
  const tool = Object.hasOwn(TOOLS, first) ? TOOLS[first] : undefined;
  return tool === undefined ? unknownTool(first) : tool(rest);
}

/** Whatever nobody expected: one sentence and the place, and not a broker that goes on in an unknown state. */
function failed(error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`Error: lacewing has a fault and ends. Please report this:\n${text}\n`);
  process.exit(70);
}

process.on("uncaughtException", failed);
process.on("unhandledRejection", failed);
process.exitCode = await main(process.argv.slice(2));
