// Runs the scenarios: for each, the brokers take turns (A B C A B C ...), each time as a fresh process, so that a
// machine that slows down slows all of them. Gathers the figures; does not judge or print them.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type BrokerKind, type RunningBroker, type Settings, startBroker } from "./brokers/broker.ts";
import { type Generators, runGenerator } from "./generator.ts";
import type { LoadResult } from "./load/result.ts";
import { ROOT } from "./root.ts";
import type { Scenario } from "./scenarios.ts";

/** What the runs of one scenario with one broker gave. */
export interface Outcome {
  readonly scenario: string;
  readonly broker: string;
  readonly settings: Settings;
  /** By metric, a figure for each run that went well. */
  readonly figures: Readonly<Record<string, readonly number[]>>;
  /** Why runs did not go well, one entry each. */
  readonly failures: readonly string[];
}

export interface Plan {
  readonly scenarios: readonly Scenario[];
  readonly brokers: readonly BrokerKind[];
  readonly settings: Settings;
  readonly runs: number;
  readonly quick: boolean;
  readonly generators: Generators;
  /** Told of each step, for people who wait. */
  readonly progress: (text: string) => void;
}

type Growing = {
  scenario: string;
  broker: string;
  settings: Settings;
  figures: Record<string, number[]>;
  failures: string[];
};

export async function measure(plan: Plan): Promise<readonly Outcome[]> {
  // Beside what is built unless told: the system's folder for temporary files may be memory, and is no disk then.
  const parent = process.env.TMPDIR ?? join(ROOT, "build");
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, "bench-data-"));
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true });
  process.once("exit", removeFolder);
  try {
    return await (plan.quick ? measureQuickly(plan, folder) : measureInTurn(plan, folder));
  } finally {
    removeFolder();
    process.off("exit", removeFolder);
  }
}

async function measureInTurn(plan: Plan, folder: string): Promise<readonly Outcome[]> {
  const outcomes: Growing[] = [];
  for (const scenario of plan.scenarios) {
    const kinds = plan.brokers.filter((kind) => takesPart(kind, scenario) && hasSettings(kind, plan));
    const grown = kinds.map((kind) => emptyOutcome(scenario, kind, plan.settings));
    outcomes.push(...grown);
    for (let run = 1; run <= plan.runs; run++) {
      for (const [k, kind] of kinds.entries()) {
        plan.progress(`${plan.settings}  ${scenario.name}  run ${run} of ${plan.runs}  ${kind.name}`);
        const outcome = grown[k] as Growing;
        await withBroker(kind, plan.settings, folder, outcome, async (broker) => {
          const { warmUp, warmUpRounds = 1 } = scenario;
          for (let round = 0; warmUp !== undefined && round < warmUpRounds; round++)
            await generate(plan, scenario, warmUp, broker);
          take(outcome, await generate(plan, scenario, scenario.amount, broker));
        });
      }
    }
  }
  return outcomes;
}

/** One process for each broker, which meets all scenarios: says whether everything works, and no more. */
async function measureQuickly(plan: Plan, folder: string): Promise<readonly Outcome[]> {
  const outcomes: Growing[] = [];
  for (const kind of plan.brokers.filter((each) => hasSettings(each, plan))) {
    plan.progress(`quick  ${kind.name}`);
    const scenarios = plan.scenarios.filter((scenario) => takesPart(kind, scenario));
    const grown = scenarios.map((scenario) => emptyOutcome(scenario, kind, plan.settings));
    outcomes.push(...grown);
    const start: Growing = { scenario: "start", broker: kind.name, settings: plan.settings, figures: {}, failures: [] };
    await withBroker(kind, plan.settings, folder, start, async (broker) => {
      for (const [k, scenario] of scenarios.entries()) {
        const outcome = grown[k] as Growing;
        await noting(outcome, async () => take(outcome, await generate(plan, scenario, scenario.quick, broker)));
      }
    });
    for (const outcome of grown) outcome.failures.push(...start.failures);
  }
  return outcomes;
}

function takesPart({ versions, scenarios }: BrokerKind, { version, name }: Scenario): boolean {
  return versions.includes(version) && scenarios?.test(name) !== false;
}

/** Whether a broker has the settings of `plan` at all. */
function hasSettings(kind: BrokerKind, { settings }: Plan): boolean {
  return kind.settings.includes(settings);
}

function emptyOutcome(scenario: Scenario, kind: BrokerKind, settings: Settings): Growing {
  return { scenario: scenario.name, broker: kind.name, settings, figures: {}, failures: [] };
}

async function withBroker(
  kind: BrokerKind,
  settings: Settings,
  folder: string,
  outcome: Growing,
  work: (broker: RunningBroker) => Promise<void>,
): Promise<void> {
  await noting(outcome, async () => {
    const broker = await startBroker(kind, settings, folder);
    try {
      await work(broker);
    } finally {
      await broker.stop();
    }
  });
}

/** A failure of one run is a finding about that broker: the other runs go on. */
async function noting(outcome: Growing, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    outcome.failures.push((error as Error).message);
  }
}

function generate(
  plan: Plan,
  scenario: Scenario,
  amount: readonly string[],
  broker: RunningBroker,
): Promise<LoadResult> {
  return runGenerator(plan.generators[scenario.generator], [...scenario.args, ...amount], broker);
}

function take(outcome: Growing, result: LoadResult): void {
  if (result.timeout) throw new Error(timeoutText(result.metrics));
  if (result.disordered > 0) throw new Error(`DISORDER: ${result.disordered} messages twice or out of order`);
  for (const [metric, value] of Object.entries(result.metrics)) {
    const values = outcome.figures[metric] ?? [];
    outcome.figures[metric] = values;
    values.push(value);
  }
}

function timeoutText({ delivered, expected }: LoadResult["metrics"]): string {
  return delivered === undefined ? "TIMEOUT" : `TIMEOUT: ${delivered} of ${expected} delivered`;
}
