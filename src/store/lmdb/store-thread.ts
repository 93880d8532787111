/**
 * The thread that has the LMDB environment, started by `lmdb-store.ts`: it writes, syncs and reads while the event loop of the broker
 * goes on. All of LMDB is used from here alone.
 */
import { parentPort, workerData } from "node:worker_threads";
import { type GuardBuffer, guarded } from "./exit-guard.ts";
import { StoreError } from "./report.ts";
import { StoreFile } from "./store-file.ts";
import type { CallName, Calls, Request, Response, SentError } from "./thread-protocol.ts";

const guard = workerData as GuardBuffer;
const file = new StoreFile(
  (report) => send({ report }),
  (work) => guarded(guard, work),
);

type Answerer<Name extends CallName> = (argument: Parameters<Calls[Name]>[0]) => Awaitable<ReturnType<Calls[Name]>>;
type Awaitable<Value> = Value | Promise<Value>;

const CALLS: { readonly [Name in CallName]: Answerer<Name> } = {
  open: (options) => file.open(options),
  append: (batch) => file.append(batch),
  flush: () => file.flush(),
  startReading: (what) => file.startReading(what),
  readOn: (reading) => file.readOn(reading),
  endReading: (reading) => file.endReading(reading),
  readQueue: (place) => file.readQueue(place),
  stats: () => file.stats(),
  check: () => file.check(),
  backup: (target) => file.backup(target),
  close: () => file.close(),
};

parentPort!.on("message", (request: Request) => {
  void answer(request);
});

async function answer({ id, name, argument }: Request): Promise<void> {
  try {
    const result: unknown = await guarded(guard, () => CALLS[name](argument as never));
    send({ id, result }, buffersOf(result));
  } catch (error) {
    send({ id, error: sentError(error) });
  }
}

function send(response: Response, transfer: ArrayBuffer[] = []): void {
  parentPort!.postMessage(response, transfer);
}

/** Buffers that go with an answer. */
function buffersOf(result: unknown): ArrayBuffer[] {
  if (typeof result !== "object" || result === null || !("buffer" in result)) return [];
  return result.buffer instanceof ArrayBuffer ? [result.buffer] : [];
}

function sentError(error: unknown): SentError {
  const message = error instanceof Error ? error.message : String(error);
  const { code } = error as { code?: unknown };
  return {
    message,
    code: typeof code === "string" || typeof code === "number" ? String(code) : undefined,
    fault: error instanceof StoreError ? error.fault : undefined,
  };
}
