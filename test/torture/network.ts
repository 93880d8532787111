// F6: bad networks. A crowd works through a proxy that is cut, slow, narrow or crumbles packets to bytes: nothing acknowledged is
// lost, nothing at QoS 2 comes twice.
import { join } from "node:path";
import { BadLine, type Weather } from "./bad-line.ts";
import { type BrokerKind, BrokerProcess } from "./broker-process.ts";
import { Crowd, pause } from "./crowd.ts";
import { Random } from "./random.ts";
import { faultsOf, type Progress, type Round, roundText, secondsText, sumsOf } from "./report.ts";

export interface NetworkOptions {
  readonly name: string;
  readonly kind: BrokerKind;
  readonly rounds: number;
  readonly seed: number;
  readonly folder: string;
  /** How long everybody works in each weather. */
  readonly workMs: number;
  readonly progress: Progress;
}

const WEATHERS: Readonly<Record<string, Weather>> = {
  "200 ms and jitter": { delayMs: 200, jitterMs: 100 },
  "1 Mbit/s": { bytesPerSecond: 125_000 },
  "pieces of 1 byte": { pieceBytes: 1 },
  "pieces of 7 bytes, jitter": { pieceBytes: 7, jitterMs: 1 },
  fair: {},
};
/** Between two cuts. */
const SHORTEST_CUT_MS = 20;
const LONGEST_CUT_MS = 400;
const LONGEST_DOWN_MS = 100;

export async function badNetworks(options: NetworkOptions): Promise<Round[]> {
  const { rounds, seed, name, progress } = options;
  const broker = await BrokerProcess.on(options.kind, join(options.folder, name));
  const found: Round[] = [];
  await broker.start();
  try {
    for (let number = 0; number < rounds; number++) {
      const round = await badNetwork(options, broker, new Random(seed + number), number);
      found.push(round);
      progress(roundText(name, number + 1, rounds, round));
    }
  } finally {
    await broker.kill();
  }
  return found;
}

async function badNetwork(
  { name, workMs }: NetworkOptions,
  broker: BrokerProcess,
  random: Random,
  number: number,
): Promise<Round> {
  const weathers = Object.keys(WEATHERS);
  const weather = weathers[number % weathers.length] as keyof typeof WEATHERS;
  const qos = random.pick([1, 2] as const);
  const shape = { publishers: 4, window: 32, online: 2, offline: 1, payload: { least: 8, most: 300 } };
  const crowd = new Crowd({ name: `${name}-${number}`, qos, ...shape }, random);
  const proxy = await BadLine.before(broker.address, () => random.next());
  try {
    await crowd.subscribe(broker.address);
    proxy.weather = WEATHERS[weather] ?? {};
    await crowd.join(proxy.address, false);
    crowd.setSending(true);
    crowd.expectsLoss = true;
    const cuts = await cutNowAndThen(proxy, crowd, random, workMs);
    proxy.weather = {};
    crowd.setSending(false);
    await crowd.join(proxy.address, true);
    await crowd.settle();
    const verdict = crowd.ledger.verdict();
    return {
      figures: { weather, qos: `${qos}`, cuts, for: secondsText(workMs), ...sumsOf(verdict) },
      faults: faultsOf(verdict),
    };
  } finally {
    crowd.end();
    await proxy.close();
  }
}

async function cutNowAndThen(proxy: BadLine, crowd: Crowd, random: Random, workMs: number): Promise<number> {
  const endMs = performance.now() + workMs;
  let cuts = 0;
  for (let left = workMs; left > 0; left = endMs - performance.now()) {
    await pause(Math.min(left, random.between(SHORTEST_CUT_MS, LONGEST_CUT_MS)));
    cuts++;
    proxy.isDown = true;
    proxy.cut();
    await pause(random.between(0, LONGEST_DOWN_MS));
    proxy.isDown = false;
    crowd.beginJoining(proxy.address);
  }
  return cuts;
}
