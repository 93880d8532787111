/** Where durable facts are kept: adapters of the core's Store, and how facts come in from elsewhere and go out. */
export { type Exported, exportLines } from "./exchange/export-lines.ts";
export { type Filled, fillStore, isEmpty } from "./exchange/fill-store.ts";
export { ImportError, type ImportSource } from "./import-source.ts";
export type { CheckResult, LmdbStats } from "./lmdb/calls.ts";
export { type Durability, type LmdbStore, type LmdbStoreOptions, openLmdbStore } from "./lmdb/lmdb-store.ts";
export { StoreError, type StoreFault, type StoreReport } from "./lmdb/report.ts";
export { MemoryStore } from "./memory.ts";
export type { ReadingOptions } from "./mosquitto-db/contents.ts";
export { openImport } from "./open-import.ts";
export { heedStandIn, isStandIn, makeStandIn } from "./stand-in.ts";
export { type ClientSummary, type StoreSummary, summarize } from "./summary.ts";
export {
  type BackedUp,
  backupStore,
  type Compacted,
  checkStore,
  compactStore,
  hasStore,
  leaveToFolderOwner,
  moveStoreAside,
  type Repaired,
  repairStore,
  type StoreCheck,
} from "./upkeep.ts";
