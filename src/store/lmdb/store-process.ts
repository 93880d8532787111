/**
 * The process that has the LMDB file, as functions that promise an answer. When it ends by itself, as native code does when a disk fails
 * under a mapped file, what was asked is refused with the reason, and the next call starts another.
 */
import { type ChildProcess, fork } from "node:child_process";
import type { CallName, Calls, Opened, OpenOptions, Response, SentError } from "./calls.ts";
import { ProcessEnded, StoreError, type StoreReport } from "./report.ts";

/** Of what it says on standard error, so many characters are kept for the reason of its end. */
const LAST_WORDS = 500;
/** Wait before another is started although nobody asks for it. */
const RESTART_MS = 1000;

export interface StoreProcessOptions extends OpenOptions {
  readonly report: (event: StoreReport) => void;
  /** Told of each process that is started, and waited for before it touches a file. */
  readonly onStarted: (pid: number) => Promise<void>;
  /** Called when one has opened the file, and waited for. */
  readonly onOpened: (opened: Opened) => Promise<void>;
}

/** A process of its own for one store, and its successors. */
export class StoreProcess {
  readonly #options: StoreProcessOptions;
  #child: Child | null = null;
  /** The one that was started last, whether or not it has the file open. */
  #latest: Child | null = null;
  #opening: Promise<Child> | null = null;
  #isEnded = false;

  constructor(options: StoreProcessOptions) {
    this.#options = options;
  }

  /** Asks for something. Calls are answered in their order, but for those that wait for the disk or a copy. */
  call<Name extends CallName>(
    name: Name,
    argument: Parameters<Calls[Name]>[0],
  ): Promise<Awaited<ReturnType<Calls[Name]>>> {
    const child = this.#child;
    if (child !== null && !child.hasEnded) return child.call(name, argument);
    return this.ready().then((started) => started.call(name, argument));
  }

  /** Resolves when there is a process that has the file open, which may be a new one. */
  ready(): Promise<Child> {
    if (this.#isEnded) return Promise.reject(new Error("the store is closed"));
    if (this.#child !== null && !this.#child.hasEnded) return Promise.resolve(this.#child);
    this.#opening ??= this.#open().finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }

  async #open(): Promise<Child> {
    const { report, folder, intervalMs, onStarted, onOpened } = this.#options;
    const child = new Child(report, (reason) => this.#ended(child, reason));
    this.#latest = child;
    try {
      await onStarted(child.pid);
      await onOpened(await child.call("open", { folder, intervalMs }));
    } catch (error) {
      await child.end();
      throw error;
    }
    this.#child = child;
    return child;
  }

  /** One has ended although nobody told it to. */
  #ended(child: Child, reason: string): void {
    // Before the file was open, whoever opens it hears of it.
    if (this.#isEnded || child !== this.#child) return;
    this.#options.report({ kind: "process-ended", reason });
    setTimeout(() => this.ready().catch(() => {}), RESTART_MS).unref();
  }

  async end(): Promise<void> {
    this.#isEnded = true;
    await this.#opening?.catch(() => {});
    await this.#child?.end();
  }

  /** Ends it at once, whatever it does, and waits for nothing. */
  abandon(): void {
    this.#isEnded = true;
    this.#latest?.kill();
  }
}

/** One process. */
export class Child {
  readonly #process: ChildProcess;
  readonly #pending: Map<number, { resolve(result: unknown): void; reject(error: unknown): void }> = new Map();
  readonly #exited: Promise<void>;
  #nextId = 1;
  #end: Error | null = null;
  #isTold = false;
  #lastWords = "";

  constructor(report: (event: StoreReport) => void, onEnded: (reason: string) => void) {
    // Options of this process, such as a test runner's, are not for that one. LMDB may have something to say on standard error.
    this.#process = fork(new URL("./store-child.js", import.meta.url), [], {
      execArgv: [],
      serialization: "advanced",
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#unref();
    (this.#process.stderr as unknown as { unref(): void }).unref();
    this.#process.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.#lastWords = (this.#lastWords + text).slice(-LAST_WORDS);
    });
    this.#process.on("message", (response: Response) => {
      if ("report" in response) report(response.report);
      else this.#answer(response);
    });
    this.#exited = new Promise((resolve) => {
      const ended = (how: string): void => {
        resolve();
        if (this.#end !== null) return;
        const words = this.#lastWords.trim();
        const reason = `${how}${words === "" ? "" : `: ${words}`}`;
        this.#fail(new ProcessEnded(`the process that has the store's file ended by ${reason}`));
        if (!this.#isTold) onEnded(reason);
      };
      this.#process.on("error", (error) => ended(error.message));
      this.#process.on("exit", (code, signal) => ended(signal ?? `exit code ${code}`));
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get hasEnded(): boolean {
    return this.#end !== null;
  }

  call<Name extends CallName>(
    name: Name,
    argument: Parameters<Calls[Name]>[0],
  ): Promise<Awaited<ReturnType<Calls[Name]>>> {
    if (this.#end !== null) return Promise.reject(this.#end);
    // We do not end while we wait for an answer.
    if (this.#pending.size === 0) this.#ref();
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve: resolve as (result: unknown) => void, reject });
      this.#process.send({ id, name, argument }, () => {
        // When it cannot be sent, the process has ended, and that is told below.
      });
    });
  }

  #answer(response: Exclude<Response, { report: unknown }>): void {
    const pending = this.#pending.get(response.id);
    this.#pending.delete(response.id);
    if (this.#pending.size === 0) this.#unref();
    if ("error" in response) pending?.reject(errorFrom(response.error));
    else pending?.resolve(response.result);
  }

  #fail(error: Error): void {
    this.#end = error;
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }

  #ref(): void {
    this.#process.ref();
    this.#process.channel?.ref();
  }

  #unref(): void {
    this.#process.unref();
    this.#process.channel?.unref();
  }

  /** What was asked of it is refused. */
  kill(): void {
    this.#isTold = true;
    this.#process.kill("SIGKILL");
    this.#fail(new Error("the store is closed"));
    this.#unref();
  }

  /** Tells it to end, and waits. */
  async end(): Promise<void> {
    this.#isTold = true;
    if (this.#end === null) {
      this.#ref();
      if (this.#process.connected) this.#process.disconnect();
    }
    await this.#exited;
  }
}

function errorFrom({ message, code, fault }: SentError): Error {
  if (fault !== undefined) return new StoreError(fault, message);
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}
