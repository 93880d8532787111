/** All commands of `lacewing`: what runs each and what describes it. Both are loaded when they are asked for, so that a tool starts fast. */
import type { Command, OptionTable } from "./command-line.ts";
import type { ToolIo } from "./output.ts";

/** Runs a command and returns its exit code. */
type Run = (args: readonly string[], io: ToolIo) => Promise<number>;

/** A command with its options. */
export type AnyCommand = Command<OptionTable>;

/** One command. */
export interface CommandEntry {
  /** The heading in the list of commands. */
  readonly group: string;
  readonly run: Run;
  readonly describe: () => Promise<AnyCommand>;
  /** Commands of the command. */
  readonly parts?: () => Promise<Readonly<Record<string, AnyCommand>>>;
}

const TALK = "Talk to a broker";
const LOAD = "Put load on a broker";
const UNDERSTAND = "Understand what went wrong";
const LOOK_AFTER = "Look after a broker";
const HELP = "Help";

/** The commands by their names. */
export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  pub: {
    group: TALK,
    run: async (args, io) => (await import("./pub.ts")).runPub(args, io),
    describe: async () => (await import("./options/publish-options.ts")).PUB_COMMAND,
  },
  sub: {
    group: TALK,
    run: async (args, io) => (await import("./sub.ts")).runSub(args, io),
    describe: async () => (await import("./options/subscribe-options.ts")).SUB_COMMAND,
  },
  rr: {
    group: TALK,
    run: async (args, io) => (await import("./rr.ts")).runRr(args, io),
    describe: async () => (await import("./options/request-options.ts")).RR_COMMAND,
  },
  bench: {
    group: LOAD,
    run: async (args, io) => (await import("./bench.ts")).runBench(args, io),
    describe: async () => (await import("./options/bench-options.ts")).BENCH_COMMAND,
  },
  simulate: {
    group: LOAD,
    run: async (args, io) => (await import("./simulate.ts")).runSimulate(args, io),
    describe: async () => (await import("./options/simulate-options.ts")).SIMULATE_COMMAND,
  },
  explain: {
    group: UNDERSTAND,
    run: async (args, io) => (await import("./explain.ts")).runExplain(args, io),
    describe: async () => (await import("./options/explain-options.ts")).EXPLAIN_COMMAND,
  },
  doctor: {
    group: UNDERSTAND,
    run: async (args, io) => (await import("./doctor.ts")).runDoctor(args, io),
    describe: async () => (await import("./options/doctor-options.ts")).DOCTOR_COMMAND,
  },
  why: {
    group: UNDERSTAND,
    run: async (args, io) => (await import("./why.ts")).runWhy(args, io),
    describe: async () => (await import("./options/ask-options.ts")).WHY_COMMAND,
  },
  "why-not": {
    group: UNDERSTAND,
    run: async (args, io) => (await import("./why-not.ts")).runWhyNot(args, io),
    describe: async () => (await import("./options/ask-options.ts")).WHY_NOT_COMMAND,
  },
  record: {
    group: UNDERSTAND,
    run: async (args, io) => (await import("./record.ts")).runRecord(args, io),
    describe: async () => (await import("./options/ask-options.ts")).RECORD_COMMAND,
  },
  replay: {
    group: UNDERSTAND,
    run: async (args, io) => (await import("./replay.ts")).runReplay(args, io),
    describe: async () => (await import("./options/replay-options.ts")).REPLAY_COMMAND,
  },
  clients: {
    group: LOOK_AFTER,
    run: async (args, io) => (await import("./clients.ts")).runClients(args, io),
    describe: async () => (await import("./options/ask-options.ts")).CLIENTS_COMMAND,
  },
  top: {
    group: LOOK_AFTER,
    run: async (args, io) => (await import("./top.ts")).runTop(args, io),
    describe: async () => (await import("./options/ask-options.ts")).TOP_COMMAND,
  },
  config: {
    group: LOOK_AFTER,
    run: async (args, io) => (await import("./config.ts")).runConfig(args, io),
    describe: async () => (await import("./options/config-options.ts")).CONFIG_COMMAND,
    parts: async () => (await import("./options/config-options.ts")).CONFIG_COMMANDS,
  },
  passwd: {
    group: LOOK_AFTER,
    run: async (args, io) => (await import("./passwd.ts")).runPasswd(args, io),
    describe: async () => (await import("./options/password-options.ts")).PASSWD_COMMAND,
  },
  store: {
    group: LOOK_AFTER,
    run: async (args, io) => (await import("./store.ts")).runStore(args, io),
    describe: async () => (await import("./options/store-options.ts")).STORE_COMMAND,
    parts: async () => (await import("./options/store-options.ts")).STORE_COMMANDS,
  },
  help: {
    group: HELP,
    run: async (args, io) => (await import("./help.ts")).runHelp(args, io),
    describe: async () => (await import("./options/help-options.ts")).HELP_COMMAND,
  },
  completion: {
    group: HELP,
    run: async (args, io) => (await import("./completion.ts")).runCompletion(args, io),
    describe: async () => (await import("./options/help-options.ts")).COMPLETION_COMMAND,
  },
};

/** Names of links to this program that stand for a command, so that scripts for mosquitto's need no change. */
export const LINKS: Readonly<Record<string, string>> = {
  mosquitto_passwd: "passwd",
  mosquitto_pub: "pub",
  mosquitto_rr: "rr",
  mosquitto_sub: "sub",
};

/** The command that somebody typed, if there is one. */
export function commandNamed(name: string): CommandEntry | undefined {
  return Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
}
