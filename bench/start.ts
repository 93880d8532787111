// How long the command-line tools take to start and do their work, beside `node -e 0`, which does nothing.
// `node build/bench/start.js [--runs N]`; npm run build first.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startBroker } from "./brokers/broker.ts";
import { lacewing } from "./brokers/lacewing.ts";
import { ROOT } from "./root.ts";
import { median, spread } from "./statistics.ts";

/** The goal: times `node -e 0`. */
const GOAL = 1.7;

const PROGRAM = join(ROOT, "dist/bin/lacewing.js");

/** The first is what the others are compared with. */
const NOTHING = "node -e 0";

function commands(port: number, folder: string): ReadonlyMap<string, readonly string[]> {
  const to = ["-h", "127.0.0.1", "-p", String(port)];
  return new Map([
    [NOTHING, ["-e", "0"]],
    ["lacewing pub --help", [PROGRAM, "pub", "--help"]],
    ["lacewing pub -m x -t x", [PROGRAM, "pub", ...to, "-m", "x", "-t", "x"]],
    ["lacewing sub -C 1 -W 1 -t kept", [PROGRAM, "sub", ...to, "-C", "1", "-W", "1", "-t", "kept"]],
    ["lacewing passwd -b -c FILE ann secret", [PROGRAM, "passwd", "-b", "-c", join(folder, "users"), "ann", "secret"]],
  ]);
}

/** Runs a command to its end and returns how long it took, in milliseconds. */
function timed(args: readonly string[]): number {
  const startedMs = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"], encoding: "utf8" });
  const tookMs = performance.now() - startedMs;
  if (status !== 0) throw new Error(`${args.join(" ")} ended with ${status}: ${stderr}`);
  return tookMs;
}

const { values } = parseArgs({ options: { runs: { type: "string", default: "40" } } });
const runs = Number(values.runs);
const folder = mkdtempSync(join(tmpdir(), "lacewing-start-"));
const broker = await startBroker(lacewing, "fair", folder);
try {
  timed([PROGRAM, "pub", "-h", "127.0.0.1", "-p", String(broker.port), "-t", "kept", "-m", "x", "-r", "-q", "1"]);
  const table = [...commands(broker.port, folder)].map(([name, args]) => ({ name, args, tookMs: [] as number[] }));
  // They take turns, so that what else the machine does meets all of them.
  for (let run = 0; run < runs; run++) for (const row of table) row.tookMs.push(timed(row.args));
  const nothingMs = median(table[0]!.tookMs);
  console.log(`Medians of ${runs} runs, Node ${process.version}; the goal is ${GOAL} times ${NOTHING}\n`);
  for (const { name, tookMs } of table) {
    const times = median(tookMs) / nothingMs;
    const verdict = name === NOTHING ? "" : times <= GOAL ? "met" : "NOT met";
    const figures = `${median(tookMs).toFixed(1).padStart(8)} ms ±${(spread(tookMs) * 100).toFixed(0).padStart(3)} %`;
    console.log(`${name.padEnd(40)}${figures}${times.toFixed(2).padStart(8)} ${verdict}`.trimEnd());
  }
} finally {
  await broker.stop();
  rmSync(folder, { recursive: true, force: true });
}
