// Client libraries beside each other: a publisher and a subscriber in one process, our own broker in another, medians of runs in
// turn; and what an idle client of ours costs. `node build/bench/clients.js [--runs N] [--only REGEX]`; npm run build first.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type RunningBroker, startBroker } from "./brokers/broker.ts";
import { lacewing } from "./brokers/lacewing.ts";
import { findLibraries, type Library } from "./clients/libraries.ts";
import type { PairResult } from "./clients/pair.ts";
import { runProgram } from "./clients/run-program.ts";
import type { Outcome } from "./measure.ts";
import { OURS, type Reported, reportLines, tableText } from "./report.ts";
import { machineText } from "./results-file.ts";

const HELP = `node build/bench/clients.js [OPTIONS]: measures our client library beside MQTT.js and libmosquitto
  --runs N         runs of each; the table has the medians [5]
  --only REGEX     only scenarios whose name matches, of pair-q0, pair-q1, pair-q2, idle
  --libraries A,B  of lacewing,mqttjs,libmosquitto [all]
  --window N       most messages under way [1000]
  --seconds N      how long each run publishes, after a warm-up of at most a second [2]
  --idle N,M       idle clients when the measuring of memory begins and when it ends [2000,10000]
  --help           this text
`;

const PAYLOAD_BYTES = 64;
const MOST_WARM_UP_SECONDS = 1;

/** How far we want to be ahead, at each QoS. */
const PAIR_ROWS: Reported["rows"] = [
  {
    ...{ metric: "perSecond", title: "", unit: "msg/s", better: "higher" },
    goals: [
      { kind: "times", broker: "mqttjs", factor: 3 },
      { kind: "times", broker: "libmosquitto", factor: 1 },
    ],
  },
  { metric: "cpuUsPerMessage", title: "CPU", unit: "us/msg", better: "lower", goals: [] },
];

const IDLE_ROWS: Reported["rows"] = [
  {
    ...{ metric: "kibPerClient", title: "memory of one more", unit: "KiB", better: "lower" },
    goals: [{ kind: "at most", value: 20 }],
  },
  { metric: "kibOfAll", title: "all of them, each", unit: "KiB", better: "lower", goals: [] },
];

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "5" },
    only: { type: "string", default: "" },
    libraries: { type: "string", default: "" },
    window: { type: "string", default: "1000" },
    seconds: { type: "string", default: "2" },
    idle: { type: "string", default: "2000,10000" },
    help: { type: "boolean", short: "h", default: false },
  },
});

type Figures = Readonly<Record<string, number>>;

/** What one run of a library says. */
type Run = (library: Library, broker: RunningBroker) => Promise<Figures>;

interface Measured extends Reported {
  readonly libraries: readonly Library[];
  readonly run: Run;
}

async function runPairOf(library: Library, broker: RunningBroker, qos: number): Promise<Figures> {
  const warmUp = Math.min(Number(values.seconds), MOST_WARM_UP_SECONDS);
  const args = [broker.port, qos, values.window, values.seconds, warmUp, PAYLOAD_BYTES].map(String);
  const { messages, seconds, cpuSeconds, timeout } = await runProgram<PairResult>([...library.pair, ...args]);
  if (timeout) throw new Error("TIMEOUT");
  return { perSecond: messages / seconds, cpuUsPerMessage: (cpuSeconds * 1e6) / messages };
}

async function runIdleOf(library: Library, broker: RunningBroker): Promise<Figures> {
  // What comes first is paid once, so the measuring begins when there are some.
  return runProgram<Figures>([...library.idle, String(broker.port), ...values.idle.split(",")]);
}

/** Runs a scenario with each library in turn, each time with a broker and a process of its own. */
async function measure({ name, libraries, run }: Measured, folder: string): Promise<readonly Outcome[]> {
  const grown = libraries.map((library) => ({
    figures: {} as Record<string, number[]>,
    failures: [] as string[],
    library,
  }));
  for (let round = 1; round <= Number(values.runs); round++) {
    for (const { library, figures, failures } of grown) {
      process.stderr.write(`${name}  run ${round} of ${values.runs}  ${library.name}\n`);
      const broker = await startBroker(lacewing, "fair", folder);
      try {
        for (const [metric, figure] of Object.entries(await run(library, broker))) {
          figures[metric] ??= [];
          figures[metric].push(figure);
        }
      } catch (error) {
        failures.push((error as Error).message);
      } finally {
        await broker.stop();
      }
    }
  }
  return grown.map(({ library, figures, failures }) => ({
    ...{ scenario: name, broker: library.name, settings: "fair", figures, failures },
  }));
}

async function main(): Promise<void> {
  const wanted = values.libraries.split(",").filter(Boolean);
  const libraries = findLibraries((text) => process.stderr.write(`${text}\n`)).filter(
    ({ name }) => wanted.length === 0 || wanted.includes(name),
  );
  const scenarios: readonly Measured[] = [
    ...[0, 1, 2].map((qos): Measured => {
      const run: Run = (library, broker) => runPairOf(library, broker, qos);
      return { name: `pair-q${qos}`, rows: PAIR_ROWS, libraries, run };
    }),
    { name: "idle", rows: IDLE_ROWS, libraries: libraries.filter(({ idle }) => idle.length > 0), run: runIdleOf },
  ].filter(({ name }) => new RegExp(values.only).test(name));
  const named = libraries.map(({ name, version }) => `${name} ${version}`).join(", ");
  console.log(`${machineText()}\n${named}\nWindow of ${values.window}, medians of ${values.runs}\n`);
  const folder = mkdtempSync(join(tmpdir(), "lacewing-clients-"));
  try {
    const outcomes: Outcome[] = [];
    for (const scenario of scenarios) outcomes.push(...(await measure(scenario, folder)));
    const lines = reportLines(scenarios, outcomes);
    console.log(
      tableText(
        lines,
        libraries.map(({ name }) => name),
      ),
    );
    for (const { scenario, broker, failures } of outcomes)
      if (failures.length > 0)
        process.stderr.write(`${scenario}  ${broker}: ${failures.length} failed: ${failures[0]}\n`);
    if (outcomes.some(({ broker, failures }) => broker === OURS && failures.length > 0)) process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (values.help) process.stdout.write(HELP);
else await main();
