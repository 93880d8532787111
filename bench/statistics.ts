// Medians, percentiles and spreads of measurements. Pure functions; knows nothing of brokers or clocks.

/** The middle of `values`, or NaN when there are none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  if (sorted.length % 2 === 1) return upper;
  return ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Half the distance of the extremes as a part of the median (0.05 is plus or minus 5 %); 0 for a single value. */
export function spread(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const middle = median(values);
  if (middle === 0) return 0;
  return Math.abs((Math.max(...values) - Math.min(...values)) / 2 / middle);
}

/** The value that `part` (0..1) of `sorted`, in rising order, do not exceed; 0 when it is empty. */
export function percentile(sorted: ArrayLike<number>, part: number): number {
  const index = Math.min(sorted.length - 1, Math.floor(sorted.length * part));
  return sorted[index] ?? 0;
}
