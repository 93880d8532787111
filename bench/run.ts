// The command behind `npm run bench`: finds brokers and generators, measures, prints the tables, stores the medians.
// Exit: 0 all of Lacewing's runs went well (whether or not goals are met), 1 some did not, 2 wrong options or nothing
// to run, 130 interrupted.
import { aedes } from "./brokers/aedes.ts";
import type { BrokerKind, Settings } from "./brokers/broker.ts";
import { lacewing, OPEN_LACEWING, UNRECORDED_LACEWING } from "./brokers/lacewing.ts";
import { mosquitto } from "./brokers/mosquitto.ts";
import { NODE_TLS } from "./brokers/node-tls.ts";
import { findGenerators } from "./generator.ts";
import { measure, type Outcome } from "./measure.ts";
import { type Line, OURS, reportLines, tableText } from "./report.ts";
import { machineText, saveResults } from "./results-file.ts";
import { HELP, parseRunOptions, type RunOptions } from "./run-options.ts";
import { SCENARIOS, type Scenario } from "./scenarios.ts";

const KINDS: readonly BrokerKind[] = [lacewing, mosquitto, aedes, ...NODE_TLS, OPEN_LACEWING, UNRECORDED_LACEWING];
const INTERRUPTED = 130;

type Found = { readonly kind: BrokerKind; readonly version: string };

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function findBrokers(names: readonly string[]): readonly Found[] {
  return KINDS.filter((kind) => names.includes(kind.name)).flatMap((kind) => {
    const version = kind.find();
    if (version !== undefined) return [{ kind, version }];
    say(`${kind.name} is absent${kind.name === OURS ? " (build it first)" : ""}: its columns are left out.`);
    return [];
  });
}

/** For figures that mean nothing. */
function withoutGoals(scenario: Scenario): Scenario {
  return { ...scenario, rows: scenario.rows.map((row) => ({ ...row, goals: [] })) };
}

async function runBench(options: RunOptions): Promise<number> {
  const brokers = findBrokers(options.brokers);
  const scenarios = SCENARIOS.filter((scenario) => options.only.test(scenario.name));
  if (brokers.length === 0 || scenarios.length === 0) {
    say(brokers.length === 0 ? "No broker to measure." : `No scenario matches ${options.only}.`);
    return 2;
  }
  const generators = findGenerators();
  if (generators.note !== undefined) say(generators.note);
  const isPossible = ({ way }: Scenario): boolean => way === undefined || generators.ways.includes(way);
  const impossible = scenarios.filter((scenario) => !isPossible(scenario)).map(({ name }) => name);
  if (impossible.length > 0)
    say(`Left out: ${impossible.join(", ")}. They need mload, compiled with a C compiler and for TLS with libssl-dev.`);
  const versions = Object.fromEntries(brokers.map(({ kind, version }) => [kind.name, version]));
  const named = brokers.map(({ kind, version }) => `${kind.name} ${version}`).join(", ");
  process.stdout.write(`${machineText()}\n${named}\n`);
  const tables: { settings: Settings; lines: readonly Line[] }[] = [];
  const failed: Outcome[] = [];
  for (const settings of options.settings) {
    const chosen = scenarios.filter((scenario) => scenario.settings.includes(settings) && isPossible(scenario));
    if (chosen.length === 0) continue;
    const { runs, quick } = options;
    const kinds = brokers.map(({ kind }) => kind);
    const outcomes = await measure({
      scenarios: chosen,
      brokers: kinds,
      settings,
      runs,
      quick,
      generators,
      progress: say,
    });
    failed.push(...outcomes.filter((outcome) => outcome.failures.length > 0));
    const lines = reportLines(quick ? chosen.map(withoutGoals) : chosen, outcomes);
    tables.push({ settings, lines });
    const title = quick ? `Quick, ${settings}: the figures mean nothing` : `Settings: ${settings}, medians of ${runs}`;
    process.stdout.write(`\n${title}\n\n${tableText(lines, Object.keys(versions))}\n`);
  }
  for (const { settings, scenario, broker, failures } of failed) {
    say(`${settings}  ${scenario}  ${broker}: ${failures.length} failed: ${failures[0]}`);
  }
  if (options.saves) {
    const generator = generators.note === undefined ? "mload" : "load";
    const stored = { date: new Date(), versions, runs: options.runs, only: options.only.source, generator, tables };
    say(`Stored in ${saveResults(stored)}`);
  }
  return failed.some((outcome) => outcome.broker === OURS) ? 1 : 0;
}

// The children end with us: brokers and generators are killed on "exit".
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(INTERRUPTED));

try {
  const options = parseRunOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(HELP);
  else process.exitCode = await runBench(options);
} catch (error) {
  say(`bench: ${(error as Error).message}`);
  process.exitCode = 2;
}
