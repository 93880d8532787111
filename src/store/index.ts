/** Where durable facts are kept: adapters of the core's Store. */
export { type Durability, LmdbStore, type LmdbStoreOptions, openLmdbStore } from "./lmdb/lmdb-store.ts";
export { StoreError, type StoreFault, type StoreReport } from "./lmdb/report.ts";
export { MemoryStore } from "./memory.ts";
