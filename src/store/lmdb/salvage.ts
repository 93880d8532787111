/** Makes a new file of what can still be read of one whose structure is broken: every record that matches its checksum. */
import { join } from "node:path";
import { uint48At, uint48Key } from "./bytes.ts";
import { type Environment, openEnvironment, seal } from "./environment.ts";
import { DATA_FILE, isWholeRecord } from "./inspection.ts";
import { migrate } from "./migrations.ts";
import { PageFile } from "./page-file.ts";
import { recount, setAside } from "./quarantine.ts";
import type { StoreReport } from "./report.ts";
import { CRC_BYTES, DATABASES, type DatabaseName, OF_SESSIONS } from "./schema.ts";

/** Records, and bytes of them, that are written at once. */
const BATCH_RECORDS = 5000;
const BATCH_BYTES = 16_777_216;
/** Databases that are made anew. */
const DERIVED: readonly DatabaseName[] = ["references"];

/** What a store is there for; the others say something about these. */
const COUNTED: readonly DatabaseName[] = [...OF_SESSIONS, "sessions", "shares", "retained", "messages"];

/** What came of it. */
export interface Salvaged {
  /** 0: nothing of worth could be read. */
  readonly records: number;
  /** What was wrong with the file, and how often. */
  readonly faults: number;
}

/**
 * Salvages the file in `from` into the folder `to`, which is new.
 * @throws PageFault when not even its head can be read
 */
export async function salvage(from: string, to: string, report: (event: StoreReport) => void): Promise<Salvaged> {
  let faults = 0;
  const file = new PageFile(join(from, DATA_FILE), () => {
    faults++;
  });
  try {
    const environment = openEnvironment(to);
    try {
      const writer = new Writer(environment);
      for (const database of DATABASES) {
        const tree = DERIVED.includes(database) ? undefined : file.trees().get(database);
        if (tree === undefined) continue;
        file.walk(tree, (bytes, keyAt, keyEnd, valueAt, valueEnd) => {
          if (isWholeRecord(bytes, keyAt, keyEnd, valueAt, valueEnd))
            writer.put(database, bytes.slice(keyAt, keyEnd), bytes.slice(valueAt, valueEnd));
          else faults++;
        });
      }
      writer.flush();
      migrate(environment);
      dropOrphans(environment);
      setAside(environment, recount(environment), report);
      return { records: writer.records, faults };
    } finally {
      await environment.root.close();
    }
  } finally {
    file.close();
  }
}

/** Puts records into an environment, many at once. */
class Writer {
  readonly #environment: Environment;
  #batch: [DatabaseName, Uint8Array, Uint8Array][] = [];
  #bytes = 0;
  records = 0;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  put(database: DatabaseName, key: Uint8Array, value: Uint8Array): void {
    this.#batch.push([database, key, value]);
    this.#bytes += key.length + value.length;
    if (COUNTED.includes(database)) this.records++;
    if (this.#batch.length >= BATCH_RECORDS || this.#bytes >= BATCH_BYTES) this.flush();
  }

  flush(): void {
    const { root, tables } = this.#environment;
    root.transactionSync(() => {
      for (const [database, key, value] of this.#batch) void tables[database].put(key, value);
    });
    this.#batch = [];
    this.#bytes = 0;
  }
}

/** What belongs to a Session that is lost goes as if that had ended, or a later one with its number would have it. */
function dropOrphans({ root, tables }: Environment): void {
  const orphans = new Set<number>();
  for (const database of OF_SESSIONS) {
    for (const key of tables[database].getKeys({})) {
      const session = uint48At(key, 0);
      if (!orphans.has(session) && tables.sessions.getBinary(uint48Key(session)) === undefined) orphans.add(session);
    }
  }
  root.transactionSync(() => {
    for (const session of orphans) {
      const key = uint48Key(session);
      const value = new Uint8Array(CRC_BYTES);
      seal(key, value);
      void tables.dropped.put(key, value);
    }
  });
}
