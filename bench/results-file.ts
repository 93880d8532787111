// The medians of a run as a file in bench/results/, so that later ones can be compared with it.
import { mkdirSync, writeFileSync } from "node:fs";
import { arch, cpus, release, totalmem, type } from "node:os";
import { join } from "node:path";
import type { Settings } from "./brokers/broker.ts";
import type { Line } from "./report.ts";
import { ROOT } from "./root.ts";

const FORMAT = 1;

export interface StoredRun {
  readonly date: Date;
  /** By broker, in the order of the table. */
  readonly versions: Readonly<Record<string, string>>;
  readonly runs: number;
  readonly only: string;
  readonly generator: string;
  readonly tables: readonly { readonly settings: Settings; readonly lines: readonly Line[] }[];
}

/** Writes the file and returns its path within the repository. */
export function saveResults(run: StoredRun): string {
  const version = run.versions.lacewing ?? "none";
  const stamp = run.date.toISOString().slice(0, 16).replace("T", "-").replace(":", "");
  const path = `bench/results/${stamp}-lacewing-${version}.json`;
  mkdirSync(join(ROOT, "bench/results"), { recursive: true });
  writeFileSync(join(ROOT, path), `${JSON.stringify(storedForm(run), null, 2)}\n`);
  return path;
}

export function machineText(): string {
  const [cpu] = cpus();
  const gib = Math.round(totalmem() / 2 ** 30);
  const model = cpu?.model.trim() ?? arch();
  return `${model}, ${cpus().length} cores, ${gib} GiB, ${type()} ${release()}, Node ${process.versions.node}`;
}

function storedForm(run: StoredRun): object {
  return {
    format: FORMAT,
    date: run.date.toISOString(),
    versions: run.versions,
    machine: {
      cpu: cpus()[0]?.model.trim() ?? "",
      cores: cpus().length,
      system: `${type()} ${release()}`,
      node: process.versions.node,
    },
    runs: run.runs,
    only: run.only,
    generator: run.generator,
    tables: run.tables.map(({ settings, lines }) => ({ settings, rows: lines.map(storedLine) })),
  };
}

function storedLine(line: Line): object {
  const { scenario, metric, unit, timesBetter, goals } = line;
  const medians: Record<string, number | null> = {};
  const spreads: Record<string, number> = {};
  const failures: Record<string, readonly string[]> = {};
  for (const [broker, cell] of Object.entries(line.cells)) {
    medians[broker] = cell.median === undefined ? null : Number(cell.median.toPrecision(5));
    spreads[broker] = Number(cell.spread.toFixed(3));
    if (cell.failures.length > 0) failures[broker] = cell.failures;
  }
  const rounded = Object.fromEntries(
    Object.entries(timesBetter).map(([name, times]) => [name, Number(times.toPrecision(4))]),
  );
  return { scenario, metric, unit, medians, spreads, timesBetter: rounded, goals, failures };
}
