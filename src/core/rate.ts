/**
 * How fast something may come: so many a second, and what has not come for a while may come at once, up to one second's worth. All that
 * is remembered is one moment, at which everything that came would have been due at an even pace.
 */

/** How far ahead of an even pace one may be, in milliseconds. */
const BURST_MS = 1000;

/** When all is due, with `amount` more that came at `nowMs`. @param dueMs what this returned before; 0 at first */
export function dueWith(dueMs: number, nowMs: number, amount: number, perSecond: number): number {
  return Math.max(dueMs, nowMs) + (amount * 1000) / perSecond;
}

/** How long to wait before more may come, in milliseconds; 0: not at all. */
export function waitMs(dueMs: number, nowMs: number): number {
  return Math.max(0, dueMs - nowMs - BURST_MS);
}
