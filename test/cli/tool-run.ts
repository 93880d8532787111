// Our tools run in this process, with streams of the test's own.
import { PassThrough } from "node:stream";
import type { Environment } from "../../src/cli/options-file.ts";
import { runPasswd } from "../../src/cli/passwd.ts";
import { runPub } from "../../src/cli/pub.ts";
import { runRr } from "../../src/cli/rr.ts";
import { runSub } from "../../src/cli/sub.ts";
import type { Ended } from "../support/program.ts";

export type ToolName = keyof typeof TOOLS;

const TOOLS = { passwd: runPasswd, pub: runPub, rr: runRr, sub: runSub } as const;

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
  constructor(tool: ToolName, args: readonly string[], input: string | Buffer | null = "", env: Environment = {}) {
    this.env = env;
    this.stdout.on("data", (bytes: Buffer) => {
      this.#out.push(bytes);
      for (const look of this.#waiting.splice(0)) look();
    });
    this.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#errors += text;
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
  async printed(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.out)) {
      const more = new Promise<boolean>((resolve) => this.#waiting.push(() => resolve(true)));
      const isAlive = await Promise.race([more, this.ended.then(() => false)]);
      if (!isAlive) throw new Error(`it ended before ${pattern}: ${this.out}${this.#errors}`);
    }
  }
}

/** Runs a tool to its end. */
export function runTool(
  tool: ToolName,
  args: readonly string[],
  input: string | Buffer = "",
  env: Environment = {},
): Promise<Ended> {
  return new ToolRun(tool, args, input, env).ended;
}
