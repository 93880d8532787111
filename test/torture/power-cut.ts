// F3: the power goes. Under load the broker is stopped, everything that it said is booked, the disk as it is then is copied, and a
// broker that starts on the copy must have whatever was acknowledged.
import { join } from "node:path";
import { type BrokerKind, BrokerProcess } from "./broker-process.ts";
import { Crowd, pause } from "./crowd.ts";
import { DiskImage } from "./disk-image.ts";
import { Random } from "./random.ts";
import { faultsOf, type Progress, type Round, roundText, secondsText, sumsOf } from "./report.ts";
import { retainedFaults } from "./retained.ts";

export interface PowerCutOptions {
  readonly name: string;
  readonly kind: BrokerKind;
  readonly rounds: number;
  readonly seed: number;
  /** For images and mounts. */
  readonly folder: string;
  readonly longestMs?: number;
  /** After so long no further round is begun: a slow machine does fewer. */
  readonly budgetMs?: number;
  /** As of the crowd: a control that is to lose need not wait as long. */
  readonly quietMs?: number;
  readonly progress: Progress;
}

const IMAGE_MEGABYTES = 1024;
const SHORTEST_MS = 300;
const LONGEST_MS = 3000;
/** The power stays until so many messages are acknowledged, on a machine that is slow; but not for ever. */
const LEAST_ACKED = 2000;
const LEAST_LIMIT_MS = 5000;
/** What was on its way through the loopback when the broker stopped has arrived after this. */
const QUIET_MS = 100;

export async function powerCuts(options: PowerCutOptions): Promise<Round[]> {
  const { rounds, seed, name, progress, budgetMs = Number.POSITIVE_INFINITY } = options;
  const endMs = performance.now() + budgetMs;
  const found: Round[] = [];
  for (let number = 0; number < rounds && performance.now() < endMs; number++) {
    const round = await powerCut(options, seed + number);
    found.push(round);
    progress(roundText(name, number + 1, rounds, round));
  }
  return found;
}

async function powerCut(options: PowerCutOptions, seed: number): Promise<Round> {
  const name = `${options.name}-${seed}`;
  const [before, after] = ["before", "after"].map((when) => new DiskImage(join(options.folder, `${name}-${when}`)));
  try {
    return await withDisks(options, name, before as DiskImage, after as DiskImage, new Random(seed));
  } finally {
    before?.remove();
    after?.remove();
  }
}

async function withDisks(
  options: PowerCutOptions,
  name: string,
  before: DiskImage,
  after: DiskImage,
  random: Random,
): Promise<Round> {
  const { kind, longestMs = LONGEST_MS, quietMs } = options;
  const qos = random.pick([1, 2] as const);
  before.make(IMAGE_MEGABYTES);
  before.mount();
  const shape = { publishers: 8, window: 64, online: 2, offline: 2, payload: { least: 8, most: 120 } };
  const crowd = new Crowd({ name, qos, ...shape, ...(quietMs !== undefined && { quietMs }) }, random);
  const broker = await BrokerProcess.on(kind, join(before.folder, "data"));
  try {
    await broker.start();
    await crowd.subscribe(broker.address);
    await crowd.join(broker.address, false);
    crowd.setSending(true);
    const loadMs = random.between(SHORTEST_MS, longestMs);
    await pause(loadMs);
    const limitMs = performance.now() + LEAST_LIMIT_MS;
    while (crowd.ledger.acknowledged < LEAST_ACKED && performance.now() < limitMs) await pause(random.between(1, 20));
    await freeze(broker, crowd);
    before.copyTo(after);
    const queued = crowd.ledger.acknowledged;
    crowd.kill();
    await broker.kill();
    after.mount();
    broker.folder = join(after.folder, "data");
    const backMs = await broker.start();
    const retained = await retainedFaults(crowd, broker.address);
    crowd.setSending(false);
    await crowd.join(broker.address, true);
    await crowd.settle();
    const verdict = crowd.ledger.verdict();
    const figures = { qos: `${qos}`, load: secondsText(loadMs), ...sumsOf(verdict), queued, back: secondsText(backMs) };
    return { figures, faults: [...faultsOf(verdict), ...retained] };
  } finally {
    crowd.end();
    if (broker.isRunning) await broker.kill();
  }
}

/** Stops the broker, and books what it had said until then. */
async function freeze(broker: BrokerProcess, crowd: Crowd): Promise<void> {
  crowd.expectsLoss = true;
  await broker.freeze();
  crowd.setSending(false);
  for (let sum = -1; sum !== crowd.events; await pause(QUIET_MS)) sum = crowd.events;
}
