/** Damaged records are moved out of the way, so that the rest can be served and somebody can still look at them. */
import { ByteWriter, uint32At, uint48At, uint48Key } from "./bytes.ts";
import { type Damage, NO_SUCH_MESSAGE } from "./damage.ts";
import { type Environment, isWhole, seal, uint32Value } from "./environment.ts";
import type { StoreReport } from "./report.ts";
import { CRC_BYTES, NO_MESSAGE, REFERRING } from "./schema.ts";

/** Moves records to "quarantine". What belongs to a Session whose own record is damaged is dropped with it. */
export function setAside(
  environment: Environment,
  damages: readonly Damage[],
  report: (event: StoreReport) => void,
): void {
  const { root, tables } = environment;
  root.transactionSync(() => {
    let next = 1;
    for (const key of tables.quarantine.getKeys({ reverse: true, limit: 1 })) next = uint48At(key, 0) + 1;
    for (const { database, key } of damages) {
      const value = tables[database].getBinary(key);
      if (value === undefined) continue;
      const quarantineKey = uint48Key(next++);
      void tables.quarantine.put(quarantineKey, quarantined(quarantineKey, database, key, value));
      void tables[database].remove(key);
      if (database === "sessions") void tables.dropped.put(key, sealedNothing(key));
    }
  });
  for (const { database, key, reason } of damages)
    report({ kind: "record-set-aside", database, key: Buffer.from(key).toString("hex"), reason });
}

function quarantined(quarantineKey: Uint8Array, database: string, key: Uint8Array, value: Uint8Array): Uint8Array {
  const to = new ByteWriter();
  to.sizedText(database);
  to.uint16(key.length);
  to.put(key);
  to.put(value);
  to.reserve(CRC_BYTES);
  const record = to.bytes.subarray(0, to.at + CRC_BYTES);
  seal(quarantineKey, record);
  return record;
}

function sealedNothing(key: Uint8Array): Uint8Array {
  const value = new Uint8Array(CRC_BYTES);
  seal(key, value);
  return value;
}

/**
 * Counts all references anew: messages that nothing refers to are removed, and what refers to a message that is not there is
 * returned, to be set aside.
 */
export function recount(environment: Environment): Damage[] {
  const { root, tables } = environment;
  return root.transactionSync(() => {
    const counts = countsOf(environment);
    const unwanted: Uint8Array[] = [];
    for (const key of tables.messages.getKeys({})) {
      const message = uint48At(key, 0);
      const count = counts.get(message) ?? 0;
      counts.delete(message);
      setCount(environment, key, count);
      if (count === 0) unwanted.push(key);
    }
    for (const key of unwanted) void tables.messages.remove(key);
    for (const message of counts.keys()) setCount(environment, uint48Key(message), 0);
    return danglingOf(environment, counts);
  });
}

function setCount({ tables }: Environment, key: Uint8Array, count: number): void {
  const stored = tables.references.getBinary(key);
  const before = stored !== undefined && isWhole(key, stored) ? uint32At(stored, 0) : undefined;
  if (count > 1 && before !== count) void tables.references.put(key, uint32Value(key, count));
  else if (count <= 1 && stored !== undefined) void tables.references.remove(key);
}

/** The records that refer to one of `missing`. */
function danglingOf({ tables }: Environment, missing: ReadonlyMap<number, number>): Damage[] {
  const dangling: Damage[] = [];
  if (missing.size === 0) return dangling;
  for (const database of REFERRING)
    for (const { key, value } of tables[database].getRange({}))
      if (missing.has(uint48At(value, 0))) dangling.push({ database, key, reason: NO_SUCH_MESSAGE });
  return dangling;
}

/** How many records refer to each message. */
function countsOf({ tables }: Environment): Map<number, number> {
  const counts = new Map<number, number>();
  for (const database of REFERRING)
    for (const { value } of tables[database].getRange({})) {
      const message = uint48At(value, 0);
      if (message !== NO_MESSAGE) counts.set(message, (counts.get(message) ?? 0) + 1);
    }
  return counts;
}

/** What is wrong with references, in words. */
export function* referenceProblems(environment: Environment): IterableIterator<string> {
  const { tables } = environment;
  const counts = countsOf(environment);
  for (const key of tables.messages.getKeys({})) {
    const message = uint48At(key, 0);
    const found = counts.get(message) ?? 0;
    const stored = tables.references.getBinaryFast(key);
    const counted = stored === undefined ? 1 : uint32At(stored, 0);
    if (found !== counted) yield `message ${message}: ${found} records refer to it, not ${counted}`;
    counts.delete(message);
  }
  for (const [message, count] of counts) yield `message ${message} is missing, and ${count} records refer to it`;
}
