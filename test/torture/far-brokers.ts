// F6, the coarse part: the broker is behind a network that is cut for a while, or loses, delays and narrows what crosses it. The clients
// are our library's, which must find that out and come back by themselves. All kinds of network beside each other, as most is waiting.
import { join } from "node:path";
import { type BrokerKind, BrokerProcess } from "./broker-process.ts";
import { pause } from "./crowd.ts";
import { DeviceCrowd } from "./device-crowd.ts";
import { FarNetwork, type FarWeather } from "./far-network.ts";
import { Random } from "./random.ts";
import { faultsOf, type Progress, type Round, roundText, secondsText, sumsOf } from "./report.ts";

export interface FarBrokerOptions {
  readonly name: string;
  readonly kind: BrokerKind;
  readonly rounds: number;
  readonly seed: number;
  readonly folder: string;
  /** How long the network is cut, in seconds, each in a network of its own. */
  readonly cutsSeconds: readonly number[];
  /** How long every other weather lasts. */
  readonly workMs: number;
  readonly progress: Progress;
}

const WEATHERS: Readonly<Record<string, FarWeather>> = {
  "5 % loss": { loss: 0.05 },
  "20 % loss": { loss: 0.2 },
  "1 Mbit/s": { bytesPerSecond: 125_000 },
  "200 ms and jitter of 100 ms, so out of order": { delayMs: 200, jitterMs: 100 },
};
const FAIR_MS = 500;
/** Not to be met by the best of networks, but a client that is not back then has a fault; the promise is 5 s. */
const BACK_LIMIT_MS = 30_000;

interface Trial {
  readonly what: string;
  readonly weather: FarWeather;
  readonly ms: number;
}

export async function farBrokers(options: FarBrokerOptions): Promise<Round[]> {
  const { rounds, name, progress, cutsSeconds, workMs } = options;
  const trials: Trial[] = [
    ...cutsSeconds.map((seconds) => ({ what: `cut for ${seconds} s`, weather: { cut: true }, ms: seconds * 1000 })),
    ...Object.entries(WEATHERS).map(([what, weather]) => ({ what, weather, ms: workMs })),
  ];
  const found: Round[] = [];
  for (let number = 0; number < rounds; number++) {
    const seed = options.seed + number * trials.length;
    const some = await Promise.all(trials.map((trial, index) => farBroker(options, trial, seed + index)));
    for (const round of some) progress(roundText(name, number + 1, rounds, round));
    found.push(...some);
  }
  return found;
}

async function farBroker(options: FarBrokerOptions, { what, weather, ms }: Trial, seed: number): Promise<Round> {
  const name = `${options.name}-${seed}`;
  const qos = new Random(seed).pick([1, 2] as const);
  const network = await FarNetwork.make(seed);
  const broker = await BrokerProcess.on(options.kind, join(options.folder, name), network);
  let crowd: DeviceCrowd | undefined;
  try {
    await broker.start();
    crowd = new DeviceCrowd(broker.address, { name, qos, seed });
    await crowd.begin();
    await pause(FAIR_MS);
    network.weather = weather;
    await pause(ms);
    network.weather = {};
    const backMs = await crowd.allWork(performance.now(), BACK_LIMIT_MS);
    await pause(FAIR_MS);
    await crowd.settle();
    const verdict = crowd.ledger.verdict();
    const figures = { network: what, qos: `${qos}`, reconnects: crowd.reconnects, back: secondsText(backMs) };
    return { figures: { ...figures, ...sumsOf(verdict) }, faults: faultsOf(verdict) };
  } finally {
    await crowd?.end();
    if (broker.isRunning) await broker.kill();
    await network.remove();
  }
}
