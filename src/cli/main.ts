#!/usr/bin/env node
/** The command `lacewing`: the broker by itself, or the tool that the first argument names. */
import { CommandLineError, commandLineErrorText } from "./command-line.ts";
import { nearest } from "./nearest.ts";

type Tool = (args: readonly string[]) => Promise<number>;

// Each is loaded when it is asked for: a tool starts faster without the broker.
const TOOLS: Readonly<Record<string, Tool>> = {
  pub: async (args) => (await import("./pub.ts")).runPub(args, process),
  store: async (args) => (await import("./store.ts")).runStore(args, process),
  sub: async (args) => (await import("./sub.ts")).runSub(args, process),
};

const BROKER: Tool = async (args) => (await import("./broker.ts")).runBroker(args);

function unknownTool(name: string): number {
  const close = nearest(name, Object.keys(TOOLS));
  const error = new CommandLineError(
    `Unknown command '${name}'; there are ${Object.keys(TOOLS).join(", ")}.${close === null ? "" : ` Did you mean '${close}'?`}`,
  );
  process.stderr.write(commandLineErrorText({ name: "lacewing" }, error));
  return 1;
}

async function main([first, ...rest]: readonly string[]): Promise<number> {
  if (first === undefined || first.startsWith("-")) return BROKER(first === undefined ? [] : [first, ...rest]);
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
