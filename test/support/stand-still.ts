// A process that gets no time: stopped, moved to another machine, or beside others that take it all.

/** Has this thread do nothing for `milliseconds`, its event loop included; what is sent to it meanwhile waits in the system's buffers. */
export function standStill(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
