#!/usr/bin/env node
/** The command `lacewing`: the broker by itself, or the tool that the first argument names, or the name that it is called by. */
import { basename } from "node:path";
import { CommandLineError, commandLineErrorText } from "./command-line.ts";
import { nearest } from "./nearest.ts";
import type { ToolIo } from "./output.ts";

type Tool = (args: readonly string[], io: ToolIo) => Promise<number>;

// Each is loaded when it is asked for: a tool starts faster without the broker.
const TOOLS: Readonly<Record<string, Tool>> = {
  clients: async (args, io) => (await import("./clients.ts")).runClients(args, io),
  explain: async (args, io) => (await import("./explain.ts")).runExplain(args, io),
  record: async (args, io) => (await import("./record.ts")).runRecord(args, io),
  replay: async (args, io) => (await import("./replay.ts")).runReplay(args, io),
  top: async (args, io) => (await import("./clients.ts")).runTop(args, io),
  why: async (args, io) => (await import("./why.ts")).runWhy(args, io),
  "why-not": async (args, io) => (await import("./why-not.ts")).runWhyNot(args, io),
  passwd: async (args, io) => (await import("./passwd.ts")).runPasswd(args, io),
  pub: async (args, io) => (await import("./pub.ts")).runPub(args, io),
  rr: async (args, io) => (await import("./rr.ts")).runRr(args, io),
  store: async (args, io) => (await import("./store.ts")).runStore(args, io),
  sub: async (args, io) => (await import("./sub.ts")).runSub(args, io),
};

/** Names of links to this program that stand for a tool, so that scripts for mosquitto's need no change. */
const LINKS: Readonly<Record<string, string>> = {
  mosquitto_passwd: "passwd",
  mosquitto_pub: "pub",
  mosquitto_rr: "rr",
  mosquitto_sub: "sub",
};

async function runBroker(args: readonly string[]): Promise<number> {
  return (await import("./broker.ts")).runBroker(args);
}

function unknownTool(name: string): number {
  const close = nearest(name, Object.keys(TOOLS));
  const error = new CommandLineError(
    `Unknown command '${name}'; there are ${Object.keys(TOOLS).join(", ")}.${close === null ? "" : ` Did you mean '${close}'?`}`,
  );
  process.stderr.write(commandLineErrorText({ name: "lacewing" }, error));
  return 1;
}

async function main(path: string, args: readonly string[]): Promise<number> {
  const calledAs = basename(path);
  const linked = Object.hasOwn(LINKS, calledAs) ? LINKS[calledAs] : undefined;
  const { stdin, stdout, stderr, env } = process;
  if (linked !== undefined) return TOOLS[linked]!(args, { stdin, stdout, stderr, env, calledAs });
  const [first, ...rest] = args;
  if (first === undefined || first.startsWith("-")) return runBroker(args);
  const tool = Object.hasOwn(TOOLS, first) ? TOOLS[first] : undefined;
  return tool === undefined ? unknownTool(first) : tool(rest, { stdin, stdout, stderr, env });
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
