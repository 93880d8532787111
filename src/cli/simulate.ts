/** `lacewing simulate`: devices that a file describes, connecting and publishing until somebody ends it. */
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { connectorOf } from "./broker-connector.ts";
import { Fleet, sayWhyNobodyConnects } from "./fleet.ts";
import { Interruption } from "./interruption.ts";
import { SIMULATE_COMMAND, type SimulateArguments, simulateArgumentsOf } from "./options/simulate-options.ts";
import type { ToolIo } from "./output.ts";
import { count, rounded, type Times, times, timesText } from "./quantities.ts";
import { type Device, devicesOf, Simulation } from "./simulation.ts";
import { parseSimulation, type SimulatedDevice, SimulationFileError } from "./simulation-file.ts";
import { runTool, type ToolOutput, withOutput } from "./tool.ts";

/** Something went wrong on the way, and the summary says what. */
const NOT_CLEAN = 2;

/** How long the last messages may take to be acknowledged, in milliseconds. */
const DRAIN_MS = 2000;
const LOOK_MS = 20;

/** Mistakes of a file that are shown. */
const MOST_MISTAKES = 20;

/** Runs `lacewing simulate` and returns its exit code. */
export function runSimulate(args: readonly string[], io: ToolIo): Promise<number> {
  return runTool(SIMULATE_COMMAND, args, io, (parsed) => {
    const wanted = simulateArgumentsOf(parsed);
    return withOutput(io, wanted.quiet, {}, async (output) => {
      const kinds = read(wanted.file, output);
      if (kinds === null) return 1;
      const devices = devicesOf(kinds);
      const twin = twinOf(devices);
      if (twin !== null) {
        output.complain(
          `Error: The client identifier '${twin}' is that of several devices, and they would throw each other out.`,
        );
        return 1;
      }
      if (wanted.isDryRun) return show(kinds, output);
      return simulate(wanted, devices, io, output);
    });
  });
}

function read(file: string, output: ToolOutput): readonly SimulatedDevice[] | null {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    output.complain(`Error: ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`);
    return null;
  }
  try {
    return parseSimulation(text, file);
  } catch (error) {
    if (!(error instanceof SimulationFileError)) throw error;
    const { mistakes } = error;
    for (const mistake of mistakes.slice(0, MOST_MISTAKES))
      output.complain(`Error: ${mistake}${mistake.endsWith("?") ? "" : "."}`);
    if (mistakes.length > MOST_MISTAKES) output.complain(`... and ${mistakes.length - MOST_MISTAKES} more.`);
    output.complain("'lacewing simulate --help' shows what a file may have in it.");
    return null;
  }
}

/** An identifier that several have, or null. */
function twinOf(devices: readonly Device[]): string | null {
  const seen = new Set<string>();
  for (const { clientId } of devices) {
    if (seen.has(clientId)) return clientId;
    seen.add(clientId);
  }
  return null;
}

/** What would be done, without doing it. */
function show(kinds: readonly SimulatedDevice[], { out }: ToolOutput): number {
  for (const kind of kinds) {
    const [device] = devicesOf([{ ...kind, count: 1 }]);
    if (device === undefined) continue;
    const last = kind.count === 1 ? [] : devicesOf([kind]).slice(-1);
    const ids = [device, ...last].map(({ clientId }) => clientId).join(" ... ");
    const perSecond = kind.messages.reduce((sum, { intervalMs }) => sum + (kind.count * 1000) / intervalMs, 0);
    out.write(`[device ${kind.name}] ${count(kind.count)}: ${ids}; ${rounded(perSecond)} messages a second\n`);
    for (const filter of kind.subscriptions) out.write(`  subscribes to ${filter.fill(device.values())}\n`);
    for (const message of [...(kind.birth === null ? [] : [kind.birth]), ...kind.messages]) {
      const { topic, payload, qos, retain } = message;
      const values = device.values(message);
      const flags = `QoS ${qos}${retain ? ", retained" : ""}`;
      out.write(`  ${topic.fill(values)} (${flags}): ${payload.fill(values)}\n`);
    }
  }
  return 0;
}

/** What `--json` shows. */
interface SimulateSummary {
  readonly devices: number;
  readonly seconds: number;
  readonly connecting: {
    readonly connected: number;
    readonly failures: number;
    readonly losses: number;
    readonly seconds: number;
    readonly ms: Times;
  };
  readonly published: number;
  readonly publishedPerSecond: number;
  readonly acknowledged: number;
  readonly refused: number;
  readonly missed: number;
  readonly received: number;
}

async function simulate(
  args: SimulateArguments,
  devices: readonly Device[],
  io: ToolIo,
  output: ToolOutput,
): Promise<number> {
  const { out, complain, progress } = output;
  const connector = await connectorOf(args, io);
  const fleet = new Fleet({ connector, out, rampUpMs: args.rampUpMs, retriesFirst: true });
  const simulation = new Simulation(args, fleet, devices);
  const interruption = new Interruption();
  const beganMs = performance.now();
  progress.start(progressText(fleet, simulation));
  const over = new AbortController();
  try {
    const failure = await Promise.race([fleet.start(), interruption.happened]);
    if (failure !== null) return await sayWhyNobodyConnects(failure, args, output);
    const { durationMs } = args;
    const timer = durationMs === null ? [] : [delay(durationMs, null, { signal: over.signal }).catch(() => {})];
    await Promise.race([interruption.happened, ...timer]);
    simulation.stop();
    const seconds = (performance.now() - beganMs) / 1000;
    await acknowledged(simulation);
    const summary = summaryOf(fleet, simulation, seconds);
    progress.stop();
    out.write(args.json ? `${JSON.stringify(summary)}\n` : summaryText(summary));
    if (fleet.firstError !== null) complain(`The first that went wrong: ${fleet.firstError.message}.`);
    const { failures, losses } = summary.connecting;
    return failures + losses + summary.refused === 0 ? 0 : NOT_CLEAN;
  } finally {
    over.abort();
    progress.stop();
    simulation.stop();
    fleet.end();
    interruption.end();
  }
}

/** What was published arrives, or takes too long. */
async function acknowledged(simulation: Simulation): Promise<void> {
  const endMs = performance.now() + DRAIN_MS;
  while (simulation.acknowledged + simulation.refused < simulation.published && performance.now() < endMs) {
    await delay(LOOK_MS);
  }
}

function summaryOf(fleet: Fleet, simulation: Simulation, seconds: number): SimulateSummary {
  const { connected, failures, losses, startedMs, connecting, size } = fleet;
  const { published, acknowledged, refused, missed, received } = simulation;
  return {
    ...{ devices: size, seconds: rounded(seconds) },
    connecting: { connected, failures, losses, seconds: rounded(startedMs / 1000), ms: times(connecting) },
    ...{ published, publishedPerSecond: rounded(published / seconds), acknowledged, refused, missed, received },
  };
}

function summaryText(summary: SimulateSummary): string {
  const { devices, seconds, connecting, published, publishedPerSecond, acknowledged, refused, missed, received } =
    summary;
  const { connected, failures, losses, ms } = connecting;
  const trouble =
    failures + losses === 0 ? "" : `, ${count(failures)} attempts failed, ${count(losses)} connections lost`;
  const lines = [
    `${count(devices)} devices, ${seconds.toFixed(1)} s`,
    "",
    `Connected     ${count(connected)} in ${connecting.seconds.toFixed(2)} s${trouble}`,
    `              ${timesText(ms)}`,
    `Published     ${count(published)}, ${count(publishedPerSecond)}/s`,
    `Acknowledged  ${count(acknowledged)}${refused === 0 ? "" : `, ${count(refused)} refused`}`,
  ];
  if (missed > 0) lines.push(`Missed        ${count(missed)}, due while their device was not connected`);
  if (received > 0) lines.push(`Received      ${count(received)}`);
  return `${lines.join("\n")}\n`;
}

function progressText(fleet: Fleet, simulation: Simulation): () => string {
  let [shownMs, shown] = [performance.now(), 0];
  return () => {
    const { connected, size, failures, losses } = fleet;
    const { published, received, missed } = simulation;
    const nowMs = performance.now();
    const perSecond = ((published - shown) * 1000) / (nowMs - shownMs);
    [shownMs, shown] = [nowMs, published];
    const trouble =
      failures + losses + missed === 0
        ? ""
        : `, ${count(failures + losses)} connections failed, ${count(missed)} messages missed`;
    return `${count(connected)} of ${count(size)} connected, ${count(published)} published, ${count(perSecond)}/s, ${count(received)} received${trouble}`;
  };
}
