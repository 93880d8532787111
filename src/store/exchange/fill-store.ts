/** Puts the facts of a source into a store, in batches that a store can keep whole. */
import type { Change, Store } from "../../core/index.ts";
import { ImportError, type ImportSource } from "../import-source.ts";

/** Changes, and bytes of messages, in one batch; roughly. */
const BATCH_CHANGES = 2000;
const BATCH_BYTES = 4_194_304;

/** How many facts of each kind there were. */
export interface Filled {
  readonly sessions: number;
  readonly subscriptions: number;
  readonly messages: number;
  /** Deliveries that wait, and those that are in flight. */
  readonly queued: number;
  readonly inflight: number;
  /** Packet identifiers received at QoS 2. */
  readonly received: number;
  readonly retained: number;
}

/** Whether the store holds nothing; what its clock says does not count. */
export async function isEmpty(store: Store): Promise<boolean> {
  for await (const { kind } of store.replay()) if (kind !== "next-message" && kind !== "clock-set") return false;
  return true;
}

/**
 * Fills an empty store. What the store rejects with is passed on; then some batches may be in it already.
 * @throws ImportError when the store is not empty
 */
export async function fillStore(store: Store, source: ImportSource): Promise<Filled> {
  if (!(await isEmpty(store))) throw new ImportError("the store is not empty");
  const count = { sessions: 0, subscriptions: 0, messages: 0, queued: 0, inflight: 0, received: 0, retained: 0 };
  // The moments of the source are on the wall clock unless it says otherwise itself, whatever clock the store had.
  let batch: Change[] = (await hasClock(store)) ? [{ kind: "clock-set", aheadMs: 0 }] : [];
  let batchBytes = 0;
  for await (const fact of source.facts()) {
    batch.push(fact);
    add(count, fact);
    // A message goes in one batch with what refers to it first, or the store would forget it.
    if (fact.kind === "message-added") {
      batchBytes += fact.publish.length;
      continue;
    }
    if (batch.length < BATCH_CHANGES && batchBytes < BATCH_BYTES) continue;
    await store.append(batch);
    batch = [];
    batchBytes = 0;
  }
  if (batch.length > 0) await store.append(batch);
  return count;
}

async function hasClock(store: Store): Promise<boolean> {
  for await (const { kind } of store.replay()) if (kind === "clock-set") return true;
  return false;
}

type Writable<Type> = { -readonly [Field in keyof Type]: Type[Field] };

function add(count: Writable<Filled>, fact: Change): void {
  switch (fact.kind) {
    case "session-set":
      count.sessions++;
      break;
    case "subscription-set":
      count.subscriptions++;
      break;
    case "message-added":
      count.messages++;
      break;
    case "delivery-set":
      if (fact.packetId === 0) count.queued++;
      else count.inflight++;
      break;
    case "received-set":
      count.received++;
      break;
    case "retained-set":
      count.retained++;
  }
}
