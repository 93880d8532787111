// The options of `npm run bench`. Pure: reads no files and starts nothing.
import { parseArgs } from "node:util";
import type { Settings } from "./brokers/broker.ts";

export interface RunOptions {
  /** Runs of each scenario and broker; the median is reported. */
  readonly runs: number;
  /** Names of the scenarios to run. */
  readonly only: RegExp;
  readonly quick: boolean;
  readonly brokers: readonly string[];
  readonly settings: readonly Settings[];
  readonly saves: boolean;
  readonly help: boolean;
}

export const HELP = `npm run bench -- [OPTIONS]: measures Lacewing beside mosquitto and aedes
  --runs N             runs of each scenario and broker; the table has the medians [5]
  --only REGEX         only scenarios whose name matches
  --brokers A,B        of lacewing,mosquitto,aedes [all], of what no broker on Node can exceed: node-tls,node-tls-2-threads, and
                       lacewing-open, which has no rules under the settings users, and lacewing-unrecorded, without flight recorder
  --settings A,B       of fair,defaults,durable,synced,tls,websocket,users: so many tables [all]
  --quick              tiny counts, one run, fair and synced: does everything work? The figures mean nothing
  --no-save            do not write bench/results/
  --help               this text
`;

const SETTINGS: readonly Settings[] = ["fair", "defaults", "durable", "synced", "tls", "websocket", "users"];
const BROKERS = ["lacewing", "mosquitto", "aedes"];
/** What Node's TLS costs by itself, and our broker without users and rules, or without its flight recorder. */
const BARE = ["node-tls", "node-tls-2-threads", "lacewing-open", "lacewing-unrecorded"];

/** Reads command-line arguments; throws an Error whose message is for the user. */
export function parseRunOptions(args: readonly string[]): RunOptions {
  const { values } = parseArgs({
    args: [...args],
    strict: true,
    options: {
      runs: { type: "string" },
      only: { type: "string", default: "" },
      brokers: { type: "string", default: BROKERS.join(",") },
      settings: { type: "string" },
      quick: { type: "boolean", default: false },
      "no-save": { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const brokers = values.brokers.split(",");
  const known = [...BROKERS, ...BARE];
  const unknown = brokers.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`--brokers: ${JSON.stringify(unknown)} is none of ${known.join(", ")}`);
  return {
    runs: runsOf(values.runs ?? (values.quick ? "1" : "5")),
    only: new RegExp(values.only),
    quick: values.quick,
    brokers,
    settings: settingsOf(values.settings, values.quick),
    saves: !values["no-save"] && !values.quick,
    help: values.help,
  };
}

function runsOf(text: string): number {
  const runs = Number(text);
  if (Number.isInteger(runs) && runs >= 1 && runs <= 1000) return runs;
  throw new Error(`--runs is ${JSON.stringify(text)}; allowed is 1 to 1000`);
}

function settingsOf(text: string | undefined, quick: boolean): readonly Settings[] {
  if (text === undefined) return quick ? ["fair", "synced"] : SETTINGS;
  return text.split(",").map((name) => {
    const settings = SETTINGS.find((each) => each === name);
    if (settings !== undefined) return settings;
    throw new Error(`--settings: ${JSON.stringify(name)} is none of ${SETTINGS.join(", ")}`);
  });
}
