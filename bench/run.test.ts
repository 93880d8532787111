// The command as a user starts it, with tiny counts.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const RUN = fileURLToPath(new URL("./run.js", import.meta.url));

type Ended = { status: number | null; out: string; errors: string };

function bench(args: string, env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return start(args, env).ended;
}

function start(args: string, env: Readonly<Record<string, string>>): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [RUN, ...args.split(" ")], { env: { ...process.env, ...env } });
  let [out, errors] = ["", ""];
  child.stdout.on("data", (text: Buffer) => {
    out += text.toString();
  });
  child.stderr.on("data", (text: Buffer) => {
    errors += text.toString();
  });
  const ended = new Promise<Ended>((resolve) => child.once("close", (status) => resolve({ status, out, errors })));
  return { child, ended };
}

test("--quick runs every scenario and judges none", async () => {
  const { status, out, errors } = await bench("--quick --brokers aedes");
  assert.equal(status, 0, errors);
  for (const row of [
    "pair-q2 ",
    "fan-out-100-16KiB: deliveries",
    "latency-10-q1: p99",
    "offline-q1: drain queues",
    "idle: connects",
  ])
    assert.match(out, new RegExp(`\\| ${row}[^|]*\\|[^|]*\\| +[\\d,.]+ \\|`), errors);
  assert.doesNotMatch(out, /failed|TIMEOUT|>=|<=/);
});

test("without a C compiler it says so and goes on", async () => {
  const { status, out, errors } = await bench("--quick --brokers aedes --only ^pair", { CC: "no-such-compiler" });
  assert.match(errors, /The C compiler "no-such-compiler" is not installed; the generator in TypeScript stands in/);
  assert.match(out, /pair-q1 +\| msg\/s +\| +[\d,.]+ \|/);
  assert.equal(status, 0);
});

test("what Node's TLS costs by itself is measured when it is asked for, and only by what it can answer", async (context) => {
  const { out, errors } = await bench("--quick --settings tls --brokers node-tls,node-tls-2-threads");
  if (errors.includes("Left out:")) return context.skip("mload cannot be compiled with TLS here");
  assert.match(out, /\| tls-connects: opened and closed +\| 1\/s +\| +[\d,.]+ \| +[\d,.]+ \|/, errors);
  assert.match(out, /\| tls-pair-q0 +\| msg\/s +\| +- \| +- \|/);
  assert.doesNotMatch(errors, /failed/);
});

/** Processes whose working folder is in `folder`, as that of every broker is. */
function processesIn(folder: string): readonly string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/cwd`).startsWith(folder);
    } catch {
      return false; // it has ended, or is not ours
    }
  });
}

/** Asks again and again until `signal`, that of the test, says that its time is over. */
async function until(condition: () => boolean, signal: AbortSignal): Promise<void> {
  while (!condition()) await setTimeout(5, undefined, { signal });
}

const noProc = process.platform === "linux" ? false : "needs /proc";
test("an interrupt takes the broker and its files along", { skip: noProc, timeout: 30_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "lacewing-bench-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const { child, ended } = start("--no-save --brokers aedes --only ^latency-1-q0", { TMPDIR: folder });
  await until(() => processesIn(folder).length > 0, t.signal);
  child.kill("SIGINT");
  const { status, out } = await ended;
  assert.equal(status, 130);
  assert.doesNotMatch(out, /latency/);
  await until(() => processesIn(folder).length === 0, t.signal);
  assert.deepEqual(readdirSync(folder), []);
});

for (const args of ["--only no-such-scenario", "--brokers hivemq", "--runs 0"])
  test(`${args} ends with 2`, async () => assert.equal((await bench(args)).status, 2));
