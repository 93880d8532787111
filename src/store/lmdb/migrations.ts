/** From the layouts of earlier releases to the present one, step by step. */
import { uint32At } from "./bytes.ts";
import { type Environment, uint32Value } from "./environment.ts";
import { SCHEMA_KEY, SCHEMA_VERSION } from "./schema.ts";

/** Makes layout `to` of the one before it. Runs within one transaction. */
export interface Migration {
  readonly to: number;
  migrate(environment: Environment): void;
}

/** In order. */
const MIGRATIONS: readonly Migration[] = [
  // Messages may have a source, which a flag says: those of layout 1 have none.
  { to: 2, migrate() {} },
  // Sessions may have a last packet identifier, which a flag says: those of layout 2 have none.
  { to: 3, migrate() {} },
];

/** Brings a file to the present layout; a new one has it at once. Returns the layout that it had, or null. */
export function migrate(environment: Environment, migrations: readonly Migration[] = MIGRATIONS): number | null {
  const { root, tables } = environment;
  return root.transactionSync(() => {
    const stored = tables.meta.getBinary(SCHEMA_KEY);
    const before = stored === undefined ? null : uint32At(stored, 0);
    const newest = migrations.at(-1)?.to ?? SCHEMA_VERSION;
    if (before !== null) for (const step of migrations) if (step.to > before) step.migrate(environment);
    if (before !== newest) void tables.meta.put(SCHEMA_KEY, uint32Value(SCHEMA_KEY, newest));
    return before;
  });
}
