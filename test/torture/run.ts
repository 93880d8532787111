// The command behind `npm run torture`: does the fault tests as long as one likes and prints the ledger of each round. Exit: 0 all is
// well, 1 something was lost, doubled or otherwise wrong, 2 wrong options or nothing to do, 130 interrupted.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ROOT } from "../support/repository.ts";
import { FAULTS, type Fault } from "./faults.ts";
import { countText, figuresText, type Round, sumOf } from "./report.ts";

const INTERRUPTED = 130;
const DEFAULT_ROUNDS = 20;
const LARGEST_SEED = 2 ** 31;

const HELP = `npm run torture -- [--rounds N] [--only f1,f2,...] [--seed N] [--folder FOLDER]

Kills the broker, its clients, its disk and its network while messages flow, and counts what became of each message.

  --rounds N       so many rounds [${DEFAULT_ROUNDS}]; the slower tests do fewer, as said below
  --only NAMES     only these tests, by commas
  --seed N         the first round's seed; the next rounds count on. Repeats choices, not the moments of threads and disks
  --folder FOLDER  on the disk to be tested [build/ of this repository]

${FAULTS.map(({ name, title, oneOf }) => `  ${name.padEnd(4)} ${title}${oneOf > 1 ? ` (one round of ${oneOf})` : ""}`).join("\n")}
`;

class OptionError extends Error {}

interface Options {
  readonly rounds: number;
  readonly seed: number;
  readonly faults: readonly Fault[];
  readonly folder: string;
}

function parse(): Options | null {
  const text = { type: "string" } as const;
  const options = {
    rounds: text,
    only: text,
    seed: text,
    folder: text,
    help: { type: "boolean", short: "h" },
  } as const;
  let values: ReturnType<typeof parseArgs<{ options: typeof options }>>["values"];
  try {
    ({ values } = parseArgs({ options }));
  } catch (error) {
    throw new OptionError((error as Error).message);
  }
  if (values.help) return null;
  const names = values.only?.toLowerCase().split(",");
  const unknown = names?.filter((name) => !FAULTS.some((fault) => fault.name === name)) ?? [];
  if (unknown.length > 0)
    throw new OptionError(`--only ${unknown.join(",")}: there are ${FAULTS.map(({ name }) => name).join(",")}`);
  return {
    rounds: wholeNumber("rounds", values.rounds, DEFAULT_ROUNDS),
    seed: wholeNumber("seed", values.seed, Math.floor(Math.random() * LARGEST_SEED)),
    faults: FAULTS.filter(({ name }) => names?.includes(name) ?? true),
    folder: values.folder ?? join(ROOT, "build"),
  };
}

function wholeNumber(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > LARGEST_SEED)
    throw new OptionError(`--${name} is ${JSON.stringify(text)}; allowed is 1 to ${LARGEST_SEED}`);
  return value;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function torture({ rounds, seed, faults, folder: parent }: Options): Promise<boolean> {
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, "torture-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  say(`Seed ${seed}, ${countText(rounds)} rounds.`);
  const summaries: string[] = [];
  let isWell = true;
  for (const fault of faults) {
    const reason = fault.missing(folder);
    if (reason !== undefined) {
      summaries.push(`${fault.name.padEnd(4)} skipped: ${reason}`);
      continue;
    }
    say(`\n${fault.name}: ${fault.title}`);
    const found = await endured(fault, { rounds: Math.ceil(rounds / fault.oneOf), seed, folder });
    isWell &&= found.every(({ faults: wrong }) => wrong.length === 0);
    summaries.push(summary(fault, found));
  }
  say(`\n${summaries.join("\n")}\n${isWell ? "All is well." : "NOT all is well: see FAULT above."}`);
  return isWell;
}

/** What could not be done to its end is a fault too. */
async function endured(fault: Fault, context: { rounds: number; seed: number; folder: string }): Promise<Round[]> {
  try {
    return await fault.run({ ...context, progress: say });
  } catch (error) {
    const text = (error as Error).stack ?? String(error);
    say(`    FAULT: ${text}`);
    return [{ figures: {}, faults: [text] }];
  }
}

function summary({ name }: Fault, found: readonly Round[]): string {
  const wrong = found.filter(({ faults }) => faults.length > 0).length;
  const verdict = wrong === 0 ? "well" : `${wrong} NOT WELL`;
  return `${name.padEnd(4)} ${countText(found.length)} rounds, ${verdict}  ${figuresText(sumOf(found))}`;
}

// The brokers end with us, and file systems are unmounted: on "exit".
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => {
    say(`${signal}: ended before the end.`);
    process.exit(INTERRUPTED);
  });
}

try {
  const options = parse();
  if (options === null) say(HELP);
  else if (!(await torture(options))) process.exitCode = 1;
} catch (error) {
  process.stderr.write(`torture: ${error instanceof OptionError ? error.message : (error as Error).stack}\n`);
  process.exitCode = 2;
}
process.exit();
