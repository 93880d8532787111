// The contract of a Store at LMDB, each batch on disk before it is acknowledged.
import { testLmdbStore } from "./lmdb-store-contract.ts";

testLmdbStore("always");
