// A program as a child process: its lines as they come, limits of time for everything, and none outlives the test.
import { type ChildProcess, spawn } from "node:child_process";
import { Socket } from "node:net";

/** How long a program may take to print what is awaited, or to end. */
const LIMIT_MS = 20_000;

/** How a program ended. */
export interface Ended {
  /** The exit code; null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly errors: string;
}

export interface ProgramOptions {
  readonly cwd?: string;
  /** Added to the environment; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Standard input, which is closed after it. */
  readonly input?: string;
  /** Leaves standard input open after it, for `write`. */
  readonly keepsInput?: boolean;
}

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
// A file of tests that takes too long is ended by this signal, which alone would not lead to "exit".
process.once("SIGTERM", () => process.exit(1));

/** Enough of an output to see what went wrong. */
function lastOf(output: string): string {
  const most = 2000;
  return output.length > most ? `...${output.slice(-most)}` : output;
}

/** A running program. */
export class Program {
  /** Resolves when the program has ended and all of its output is here; rejects when it cannot be started. */
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  readonly #name: string;
  #out = "";
  #errors = "";
  #onOutput: Set<() => void> = new Set();

  constructor(program: string, args: readonly string[], options: ProgramOptions = {}) {
    const env = { ...process.env, ...options.env };
    this.#name = [program, ...args].join(" ");
    this.#child = spawn(program, args, { cwd: options.cwd, env, stdio: "pipe" });
    running.add(this.#child);
    this.#child.stdin?.on("error", () => {}); // it ended before it read everything
    this.#child.stdin?.write(options.input ?? "");
    if (options.keepsInput !== true) this.#child.stdin?.end();
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => this.#heard((this.#out += text)));
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => this.#heard((this.#errors += text)));
    this.ended = new Promise((resolve, reject) => {
      this.#child.once("error", (error) => reject(new Error(`${this.#name}: ${error.message}`)));
      this.#child.once("close", (code, signal) => resolve({ code, signal, out: this.#out, errors: this.#errors }));
    });
    // What a failed test left running is killed at the end and must not put that off.
    for (const handle of this.#handles()) handle.unref?.();
    const forget = () => {
      running.delete(this.#child);
      this.#heard();
    };
    this.ended.then(forget, forget);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Standard output so far. */
  get out(): string {
    return this.#out;
  }

  /** Standard error so far. */
  get errors(): string {
    return this.#errors;
  }

  /** What can keep this process going: the program and its pipes, which are sockets. */
  #handles(): readonly { ref?: () => void; unref?: () => void }[] {
    const pipes = this.#child.stdio.filter((pipe) => pipe instanceof Socket);
    return [this.#child, ...pipes];
  }

  #heard(_output?: string): void {
    for (const listener of [...this.#onOutput]) listener();
  }

  /** Resolves with the match of `pattern` in standard output or standard error, now or later. */
  printed(pattern: RegExp, limitMs: number = LIMIT_MS): Promise<RegExpExecArray> {
    return this.when(() => pattern.exec(this.#out) ?? pattern.exec(this.#errors), String(pattern), limitMs);
  }

  /**
   * Resolves with what `look` returns as soon as it returns something; it is asked anew after each output.
   * Rejects with the output so far when the program ends first or `limitMs` have passed.
   */
  when<Found>(look: () => Found | null | undefined | false, what: string, limitMs: number = LIMIT_MS): Promise<Found> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void) => {
        clearTimeout(timer);
        this.#onOutput.delete(listener);
        settle();
      };
      const fail = (why: string) =>
        finish(() =>
          reject(new Error(`${this.#name}: ${why} before ${what}.\n${lastOf(this.#out)}\n${lastOf(this.#errors)}`)),
        );
      const timer = setTimeout(() => fail(`${limitMs / 1000} s passed`), limitMs);
      const listener = () => {
        const found = look();
        if (found) finish(() => resolve(found));
        else if (!running.has(this.#child)) fail("it ended");
      };
      this.#onOutput.add(listener);
      listener();
    });
  }

  /** Writes to the standard input of a program that was started with `keepsInput`. */
  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends the program with `signal` and resolves when it has ended; what does not obey is killed and rejects. */
  stop(signal: NodeJS.Signals = "SIGTERM"): Promise<Ended> {
    this.signal(signal);
    return this.end();
  }

  /** Resolves when the program has ended by itself; after `limitMs` it is killed and this rejects. */
  async end(limitMs: number = LIMIT_MS): Promise<Ended> {
    let isLate = false;
    for (const handle of this.#handles()) handle.ref?.();
    const timer = setTimeout(() => {
      isLate = true;
      this.signal("SIGKILL");
    }, limitMs);
    const ended = await this.ended.finally(() => clearTimeout(timer));
    if (!isLate) return ended;
    throw new Error(
      `${this.#name} did not end within ${limitMs / 1000} s.\n${lastOf(ended.out)}\n${lastOf(ended.errors)}`,
    );
  }
}

/** Runs a program to its end. */
export function runProgram(
  program: string,
  args: readonly string[],
  options: ProgramOptions & { readonly limitMs?: number } = {},
): Promise<Ended> {
  return new Program(program, args, options).end(options.limitMs);
}
