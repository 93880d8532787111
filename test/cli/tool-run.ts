// Our tools run in this process, with streams of the test's own.
import { PassThrough } from "node:stream";
import { runBench } from "../../src/cli/bench.ts";
import { runClients } from "../../src/cli/clients.ts";
import { runCompletion } from "../../src/cli/completion.ts";
import { runConfig } from "../../src/cli/config.ts";
import { runDoctor } from "../../src/cli/doctor.ts";
import { runExplain } from "../../src/cli/explain.ts";
import { runHelp } from "../../src/cli/help.ts";
import type { Environment } from "../../src/cli/options-file.ts";
import { runPasswd } from "../../src/cli/passwd.ts";
import { runPub } from "../../src/cli/pub.ts";
import { runRecord } from "../../src/cli/record.ts";
import { runReplay } from "../../src/cli/replay.ts";
import { runRr } from "../../src/cli/rr.ts";
import { runSimulate } from "../../src/cli/simulate.ts";
import { runSub } from "../../src/cli/sub.ts";
import { runTop } from "../../src/cli/top.ts";
import { runWhy } from "../../src/cli/why.ts";
import { runWhyNot } from "../../src/cli/why-not.ts";
import type { Ended } from "../support/program.ts";

/** Those that mosquitto has too. */
const MOSQUITTO_TOOLS = { passwd: runPasswd, pub: runPub, rr: runRr, sub: runSub } as const;

export type ToolName = keyof typeof MOSQUITTO_TOOLS;

const TOOLS = {
  ...MOSQUITTO_TOOLS,
  bench: runBench,
  clients: runClients,
  completion: runCompletion,
  config: runConfig,
  doctor: runDoctor,
  explain: runExplain,
  help: runHelp,
  record: runRecord,
  replay: runReplay,
  simulate: runSimulate,
  top: runTop,
  why: runWhy,
  "why-not": runWhyNot,
} as const;

export type CommandName = keyof typeof TOOLS;

/** One run of a tool. */
export class ToolRun {
  readonly stdin: PassThrough = new PassThrough();
  readonly stdout: PassThrough = new PassThrough();
  readonly stderr: PassThrough = new PassThrough();
  readonly env: Environment;
  readonly ended: Promise<Ended>;
  #out: Buffer[] = [];
  #errors = "";
  #waiting: (() => void)[] = [];

  /** @param input standard input; null leaves it open */
  constructor(tool: CommandName, args: readonly string[], input: string | Buffer | null = "", env: Environment = {}) {
    this.env = env;
    this.stdout.on("data", (bytes: Buffer) => {
      this.#out.push(bytes);
      for (const look of this.#waiting.splice(0)) look();
    });
    this.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#errors += text;
      for (const look of this.#waiting.splice(0)) look();
    });
    if (input !== null) this.stdin.end(input);
    this.ended = TOOLS[tool](args, this).then((code) => {
      // A last turn for what is still between the two ends of a stream.
      return new Promise((resolve) =>
        setImmediate(() => resolve({ code, signal: null, out: this.out, errors: this.#errors })),
      );
    });
  }

  get outBytes(): Buffer {
    return Buffer.concat(this.#out);
  }

  get out(): string {
    return this.outBytes.toString();
  }

  /** Resolves once standard output matches. */
  printed(pattern: RegExp): Promise<void> {
    return this.#untilIn(() => this.out, pattern);
  }

  /** Resolves once standard error matches. */
  complained(pattern: RegExp): Promise<void> {
    return this.#untilIn(() => this.#errors, pattern);
  }

  async #untilIn(text: () => string, pattern: RegExp): Promise<void> {
    while (!pattern.test(text())) {
      const more = new Promise<boolean>((resolve) => this.#waiting.push(() => resolve(true)));
      const isAlive = await Promise.race([more, this.ended.then(() => false)]);
      if (!isAlive) throw new Error(`it ended before ${pattern}: ${this.out}${this.#errors}`);
    }
  }
}

/** Runs a tool to its end. */
export function runTool(
  tool: CommandName,
  args: readonly string[],
  input: string | Buffer = "",
  env: Environment = {},
): Promise<Ended> {
  return new ToolRun(tool, args, input, env).ended;
}
