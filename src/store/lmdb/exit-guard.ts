/**
 * Keeps a process from ending while the store's thread is in the middle of a transaction: the thread would be stopped with LMDB's lock
 * in its hands, and lmdb-js would wait for that lock for ever when it clears up. Shared by both threads.
 */

/** Indexes into the shared numbers. */
const IS_BUSY = 0;
const IS_ENDING = 1;
/** A disk that takes longer than this is not waited for. */
const LONGEST_WAIT_MS = 30_000;

export type GuardBuffer = SharedArrayBuffer;

export function newGuardBuffer(): GuardBuffer {
  return new SharedArrayBuffer(8);
}

/** Runs `work` in the store's thread, unless the process is ending: then the thread stops here. */
export function guarded<Result>(buffer: GuardBuffer, work: () => Result): Result {
  const flags = new Int32Array(buffer);
  // Within other such work the process does not end anyway.
  if (Atomics.load(flags, IS_BUSY) === 1) return work();
  Atomics.store(flags, IS_BUSY, 1);
  try {
    if (Atomics.load(flags, IS_ENDING) === 1) throw new Error("the process is ending");
    return work();
  } finally {
    Atomics.store(flags, IS_BUSY, 0);
    Atomics.notify(flags, IS_BUSY);
  }
}

/** Waits in the main thread until the store's thread is at rest, where it stays from now on. */
export function awaitRest(buffer: GuardBuffer): void {
  const flags = new Int32Array(buffer);
  Atomics.store(flags, IS_ENDING, 1);
  Atomics.wait(flags, IS_BUSY, 1, LONGEST_WAIT_MS);
}
