/** Numbers of measurements, for people and for programs. */
import type { Histogram } from "./histogram.ts";

/** Times in milliseconds: percentiles and what they lie between. */
export interface Times {
  readonly count: number;
  readonly min: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly p9999: number;
  readonly max: number;
}

/** What `histogram` has counted, to the microsecond. */
export function times(histogram: Histogram): Times {
  const { count, minimum, mean, maximum } = histogram;
  const at = (percent: number): number => rounded(histogram.percentile(percent));
  return {
    ...{ count, min: rounded(minimum), mean: rounded(mean) },
    ...{ p50: at(50), p90: at(90), p99: at(99), p999: at(99.9), p9999: at(99.99), max: rounded(maximum) },
  };
}

/** To a thousandth. */
export function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** A whole number, with its thousands apart. */
export function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** "1 session", "2 sessions", "1,000 sessions". */
export function counted(value: number, what: string): string {
  return `${count(value)} ${what}${value === 1 ? "" : "s"}`;
}

/** Times as a line; "none measured" when there are none. */
export function timesText({ count: measured, min, mean, p50, p90, p99, p999, max }: Times): string {
  if (measured === 0) return "none measured";
  const shown = [
    ["min", min],
    ["mean", mean],
    ["50 %", p50],
    ["90 %", p90],
    ["99 %", p99],
    ["99.9 %", p999],
    ["max", max],
  ] as const;
  return `${shown.map(([name, ms]) => `${name} ${milliseconds(ms)}`).join(", ")} ms`;
}

/** Three digits that count. */
function milliseconds(ms: number): string {
  return ms >= 100 ? count(ms) : ms.toFixed(ms >= 10 ? 1 : ms >= 1 ? 2 : 3);
}

/** Bytes a second. */
export function bandwidth(bytesPerSecond: number): string {
  const units = ["B/s", "kB/s", "MB/s", "GB/s"];
  let value = bytesPerSecond;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value >= 100 || unit === 0 ? value.toFixed(0) : value.toFixed(1)} ${units[unit]}`;
}
