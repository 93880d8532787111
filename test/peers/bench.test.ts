// A smoke run of the benchmark with every broker that is here.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { findPeer } from "../support/peers.ts";
import { runProgram } from "../support/program.ts";
import { ROOT } from "../support/repository.ts";

const LIMIT_MS = 120_000;
/** A row of each scenario; rows of CPU time say nothing at counts so small. */
const ROWS = [
  "pair-q0",
  "pair-q1",
  "pair-q2",
  "fan-out-100: deliveries",
  "fan-out-100-16KiB: deliveries",
  "500-pairs-q0",
  "500-pairs-q1",
  "v5-pair-q2",
  "latency-10-q1: p99",
  "offline-q1: drain queues",
  "subscriptions: subscribe all",
  "idle: connects",
];

test("npm run bench -- --quick measures Lacewing beside those that are here", { timeout: LIMIT_MS }, async () => {
  const others = (["mosquitto", "aedes"] as const).filter((name) => findPeer(name) !== undefined);
  const args = [join(ROOT, "build/bench/run.js"), "--quick", "--brokers", ["lacewing", ...others].join(",")];
  const { code, out, errors } = await runProgram(process.execPath, args, { limitMs: LIMIT_MS });
  assert.equal(code, 0, errors);
  for (const row of ROWS)
    assert.match(
      out,
      new RegExp(`^\\| ${row.replaceAll(/[.*+?]/g, "\\$&")} +\\| \\S+ +\\| +[\\d,.]+ \\|`, "m"),
      errors,
    );
  for (const name of others) assert.match(out, new RegExp(`x ${name}`));
});
