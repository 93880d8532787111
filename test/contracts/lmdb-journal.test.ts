// The contract of a Store at LMDB, batches in its journal between two commits.
import { testLmdbStore } from "./lmdb-store-contract.ts";

testLmdbStore({ intervalMs: 5 });
