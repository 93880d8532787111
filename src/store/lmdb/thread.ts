/** The thread that has the LMDB file, as functions that promise an answer. */
import { Worker } from "node:worker_threads";
import { awaitRest, type GuardBuffer, newGuardBuffer } from "./exit-guard.ts";
import { StoreError, type StoreReport } from "./report.ts";
import type { CallName, Calls, Response, SentError } from "./thread-protocol.ts";

/** A thread of its own for one store. */
export class StoreThread {
  readonly #worker: Worker;
  readonly #pending: Map<number, { resolve(result: unknown): void; reject(error: unknown): void }> = new Map();
  #nextId = 1;
  #end: Error | null = null;
  readonly #guard: GuardBuffer = newGuardBuffer();
  readonly #onExit = (): void => awaitRest(this.#guard);

  constructor(report: (event: StoreReport) => void) {
    // Options of the main thread, such as a test runner's, are not for this one.
    this.#worker = new Worker(new URL("./store-thread.js", import.meta.url), { execArgv: [], workerData: this.#guard });
    this.#worker.unref();
    process.on("exit", this.#onExit);
    this.#worker.on("message", (response: Response) => {
      if ("report" in response) report(response.report);
      else this.#answer(response);
    });
    this.#worker.on("error", (error) => this.#ended(error));
    this.#worker.on("exit", () => this.#ended(new Error("the store's thread has ended")));
  }

  /** Calls are answered in their order, but for those that wait for the disk or a copy. Buffers in `transfer` are gone. */
  call<Name extends CallName>(
    name: Name,
    argument: Parameters<Calls[Name]>[0],
    transfer: ArrayBuffer[] = [],
  ): Promise<ReturnType<Calls[Name]>> {
    if (this.#end !== null) return Promise.reject(this.#end);
    // A process that waits for an answer does not end meanwhile.
    if (this.#pending.size === 0) this.#worker.ref();
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve: resolve as (result: unknown) => void, reject });
      this.#worker.postMessage({ id, name, argument }, transfer);
    });
  }

  #answer(response: Exclude<Response, { report: unknown }>): void {
    const pending = this.#pending.get(response.id);
    this.#pending.delete(response.id);
    if (this.#pending.size === 0) this.#worker.unref();
    if ("error" in response) pending?.reject(errorFrom(response.error));
    else pending?.resolve(response.result);
  }

  #ended(error: Error): void {
    this.#end ??= error;
    for (const { reject } of this.#pending.values()) reject(this.#end);
    this.#pending.clear();
  }

  async end(): Promise<void> {
    process.removeListener("exit", this.#onExit);
    awaitRest(this.#guard);
    await this.#worker.terminate();
  }
}

function errorFrom({ message, code, fault }: SentError): Error {
  if (fault !== undefined) return new StoreError(fault, message);
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}
