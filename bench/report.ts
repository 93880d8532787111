// From figures to a table for people, and to data for a file: medians, spreads, ratios, goals. Pure: prints nothing.
import type { Outcome } from "./measure.ts";
import type { Goal, Row, Scenario } from "./scenarios.ts";
import { median, spread } from "./statistics.ts";

/** The broker that is judged. */
export const OURS = "lacewing";

export interface Cell {
  readonly median: number | undefined;
  /** Half the distance of the extremes as a part of the median. */
  readonly spread: number;
  /** Runs that the median is of. */
  readonly runs: number;
  readonly failures: readonly string[];
}

export interface JudgedGoal {
  readonly text: string;
  /** Undefined when a figure that it needs is absent. */
  readonly isMet: boolean | undefined;
}

export interface Line {
  readonly scenario: string;
  readonly metric: string;
  readonly title: string;
  readonly unit: string;
  /** By broker; a broker that does not speak the scenario's version has none. */
  readonly cells: Readonly<Record<string, Cell>>;
  /** How many times better Lacewing is than each other broker: above 1 it wins, whichever way the metric points. */
  readonly timesBetter: Readonly<Record<string, number>>;
  readonly goals: readonly JudgedGoal[];
}

/** What is reported: a name and its rows. */
export type Reported = Pick<Scenario, "name" | "rows">;

export function reportLines(scenarios: readonly Reported[], outcomes: readonly Outcome[]): readonly Line[] {
  return scenarios.flatMap((scenario) => {
    const own = outcomes.filter((outcome) => outcome.scenario === scenario.name);
    return scenario.rows.map((row) => lineOf(scenario, row, own));
  });
}

function lineOf(scenario: Reported, row: Row, outcomes: readonly Outcome[]): Line {
  const cells: Record<string, Cell> = {};
  for (const { broker, figures, failures } of outcomes) {
    const values = figures[row.metric] ?? [];
    const middle = values.length > 0 ? median(values) : undefined;
    cells[broker] = { median: middle, spread: spread(values), runs: values.length, failures };
  }
  const timesBetter: Record<string, number> = {};
  for (const { broker } of outcomes) {
    if (broker === OURS) continue;
    const times = ratioOf(row, cells[OURS]?.median, cells[broker]?.median);
    if (times !== undefined) timesBetter[broker] = times;
  }
  const goals = row.goals.map((goal) => judge(row, goal, cells[OURS], timesBetter));
  return { scenario: scenario.name, metric: row.metric, title: row.title, unit: row.unit, cells, timesBetter, goals };
}

function ratioOf(row: Row, ours: number | undefined, theirs: number | undefined): number | undefined {
  if (ours === undefined || theirs === undefined) return undefined;
  const [better, worse] = row.better === "higher" ? [ours, theirs] : [theirs, ours];
  return worse > 0 ? better / worse : undefined;
}

function judge(
  row: Row,
  goal: Goal,
  ours: Cell | undefined,
  timesBetter: Readonly<Record<string, number>>,
): JudgedGoal {
  const failed = (ours?.failures.length ?? 0) > 0;
  if (goal.kind === "times") {
    const times = timesBetter[goal.broker];
    const isMet = failed ? false : times === undefined ? undefined : times >= goal.factor;
    return { text: `>= ${goal.factor}x ${goal.broker}`, isMet };
  }
  const isMost = goal.kind === "at most";
  const isGood = (figure: number): boolean => (isMost ? figure <= goal.value : figure >= goal.value);
  const isMet = failed ? false : ours?.median === undefined ? undefined : isGood(ours.median);
  return { text: `${isMost ? "<=" : ">="} ${goal.value.toLocaleString("en-US")} ${row.unit}`, isMet };
}

/** The table as lines of Markdown with aligned columns. */
export function tableText(lines: readonly Line[], brokers: readonly string[]): string {
  const others = brokers.filter((broker) => broker !== OURS);
  const compares = brokers.includes(OURS);
  const judges = lines.some((line) => line.goals.length > 0);
  const head = [
    "scenario",
    "unit",
    ...brokers,
    ...(compares ? others.map((broker) => `x ${broker}`) : []),
    ...(judges ? ["goal", "met"] : []),
  ];
  const body = lines.map((line) => [
    `${line.scenario}${line.title === "" ? "" : `: ${line.title}`}`,
    line.unit,
    ...brokers.map((broker) => cellText(line.cells[broker])),
    ...(compares ? others.map((broker) => timesText(line.timesBetter[broker])) : []),
    ...(judges ? goalTexts(line) : []),
  ]);
  return aligned(head, body);
}

function goalTexts({ goals }: Line): readonly string[] {
  const met = goals.map((goal) => (goal.isMet === undefined ? "?" : goal.isMet ? "yes" : "NO"));
  return [goals.map((goal) => goal.text).join(", "), met.join(", ")];
}

function cellText(cell: Cell | undefined): string {
  // A run can go well without a figure, as the ratio of CPU times too short to be seen.
  if (cell === undefined || (cell.median === undefined && cell.failures.length === 0)) return "-";
  if (cell.median === undefined) return cell.failures[0]?.includes("TIMEOUT") ? "TIMEOUT" : "failed";
  const failed = cell.failures.length > 0 ? ` (${cell.failures.length} failed)` : "";
  const around = cell.runs > 1 ? ` ±${Math.round(cell.spread * 100)}%` : "";
  return `${numberText(cell.median)}${around}${failed}`;
}

function timesText(times: number | undefined): string {
  return times === undefined ? "-" : `${times.toFixed(times < 10 ? 2 : 1)}`;
}

/** Three significant digits or whole numbers with thousands marked. */
export function numberText(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en-US");
  return value.toPrecision(3);
}

const TEXT_COLUMNS = ["scenario", "unit", "goal", "met"];

/** Text columns to the left, figures to the right. */
function aligned(head: readonly string[], body: readonly (readonly string[])[]): string {
  const isText = (column: number): boolean => TEXT_COLUMNS.includes(head[column] ?? "");
  const widths = head.map((title, column) =>
    Math.max(...[head, ...body].map((row) => row[column]?.length ?? 0), title.length),
  );
  const lineText = (row: readonly string[]): string => {
    const cells = row.map((cell, k) => (isText(k) ? cell.padEnd(widths[k] ?? 0) : cell.padStart(widths[k] ?? 0)));
    return `| ${cells.join(" | ")} |`;
  };
  const rule = widths.map((width, column) => (isText(column) ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  return [lineText(head), lineText(rule), ...body.map(lineText)].join("\n");
}
