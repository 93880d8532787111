// What torture tells: a line for each round, a sum for each fault test, and the words for a verdict. Pure: prints nothing.
import type { Verdict } from "./ledger.ts";

/** What one round found. */
export interface Round {
  /** Figures of this round in the order in which they are told. */
  readonly figures: Readonly<Record<string, number | string>>;
  /** Nothing when all is well. */
  readonly faults: readonly string[];
}

/** Told of each step, for people who wait. */
export type Progress = (text: string) => void;

export function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

export function countText(value: number): string {
  return value.toLocaleString("en-US");
}

/** What is not as it must be, one sentence each. */
export function faultsOf(verdict: Verdict): string[] {
  const rows: readonly (readonly [readonly number[], string])[] = [
    [verdict.lost, "acknowledged and not delivered"],
    [verdict.doubled, "delivered twice at QoS 2"],
    [verdict.disordered, "out of order"],
    [verdict.rewound, "sequences that began anew without a lost connection"],
    [verdict.altered, "changed or never sent"],
  ];
  const faults = rows.flatMap(([counts, what]) =>
    total(counts) === 0 ? [] : [`${countText(total(counts))} ${what}, by subscriber ${counts.join(" ")}`],
  );
  if (verdict.late > 0)
    faults.push(`${countText(verdict.late)} came that had been given up as lost in an earlier round`);
  if (verdict.sessionsLost > 0) faults.push(`${verdict.sessionsLost} sessions lost`);
  return [...faults, ...verdict.faults];
}

/** The book in figures. */
export function sumsOf(verdict: Verdict): Record<string, number> {
  const { acknowledged, refused, delivered, repeated, lost, doubled, disordered } = verdict;
  return {
    acked: acknowledged,
    ...(refused > 0 && { refused }),
    delivered,
    repeated,
    lost: total(lost),
    doubled: total(doubled),
    disordered: total(disordered),
  };
}

export function secondsText(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

/** "sent 1,000  acked 900  ...". */
export function figuresText(figures: Round["figures"]): string {
  return Object.entries(figures)
    .map(([name, value]) => `${name} ${typeof value === "number" ? countText(value) : value}`)
    .join("  ");
}

export function roundText(name: string, number: number, rounds: number, round: Round): string {
  const place = `${name} ${String(number).padStart(String(rounds).length)}/${rounds}`;
  const lines = [`${place}  ${figuresText(round.figures)}`, ...round.faults.map((fault) => `    FAULT: ${fault}`)];
  return lines.join("\n");
}

/** Sums of the figures that are numbers. */
export function sumOf(rounds: readonly Round[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { figures } of rounds) {
    for (const [name, value] of Object.entries(figures)) {
      if (typeof value === "number") sums[name] = (sums[name] ?? 0) + value;
    }
  }
  return sums;
}
