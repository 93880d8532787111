/**
 * The process that has the LMDB environment, started by `store-process.ts`: it writes, syncs and reads while the broker's event loop goes
 * on. All of LMDB is used from here alone, so that what a broken disk does to native code ends this process and not the broker.
 */
import type { CallName, Calls, Request, Response, SentError } from "./calls.ts";
import { StoreError } from "./report.ts";
import { StoreFile } from "./store-file.ts";

const file = new StoreFile((report) => send({ report }));

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

process.on("message", (request: Request) => {
  void answer(request);
});
// Whoever started us is gone. Nothing is half done: a transaction ends before this is heard.
process.on("disconnect", () => process.exit());
// They are for the broker, which closes the store; a terminal sends them to both.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const) process.on(signal, () => {});

async function answer({ id, name, argument }: Request): Promise<void> {
  try {
    send({ id, result: await CALLS[name](argument as never) });
  } catch (error) {
    send({ id, error: sentError(error) });
  }
}

function send(response: Response): void {
  if (process.connected) process.send?.(response);
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
