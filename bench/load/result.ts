// What a run of a generator reports, ours or mload.c: the same JSON line. Pure data and text.

export interface LoadResult {
  readonly generator: string;
  readonly mode: string;
  /** True when messages were missing at the time limit. */
  readonly timeout: boolean;
  /** Messages that came twice, out of order or from elsewhere. */
  readonly disordered: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** Reads one line of JSON; throws an Error for anything that is not a result. */
export function parseResult(line: string): LoadResult {
  const value = JSON.parse(line) as Partial<LoadResult> | null;
  const isResult =
    typeof value?.generator === "string" &&
    typeof value.mode === "string" &&
    typeof value.timeout === "boolean" &&
    typeof value.disordered === "number" &&
    typeof value.metrics === "object" &&
    Object.values(value.metrics ?? {}).every((metric) => typeof metric === "number");
  if (!isResult) throw new Error(`not the result of a generator: ${line.slice(0, 200)}`);
  return value as LoadResult;
}

/** One line for people. */
export function resultText(label: string, result: LoadResult): string {
  const figures = Object.entries(result.metrics).map(([name, value]) => `${name}=${shortNumber(value)}`);
  const trouble = [
    result.timeout ? ["TIMEOUT"] : [],
    result.disordered > 0 ? [`DISORDER of ${result.disordered} messages`] : [],
  ].flat();
  return [label, result.mode, ...trouble, ...figures].filter((part) => part !== "").join("  ");
}

function shortNumber(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 1000) return value.toFixed(0);
  return value.toFixed(value < 1 ? 3 : 2);
}
