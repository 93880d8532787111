// F1 and F2: the broker is killed while everybody is at work, and again while it recovers or drains; publishers and subscribers die
// too and come back with what they remember. Then everybody is let finish, and the book is read.
import { join } from "node:path";
import { type BrokerKind, BrokerProcess } from "./broker-process.ts";
import { Crowd, pause } from "./crowd.ts";
import type { PayloadSize } from "./payload.ts";
import { Random } from "./random.ts";
import { faultsOf, type Progress, type Round, roundText, secondsText, sumsOf } from "./report.ts";
import { retainedFaults } from "./retained.ts";
import { SessionChurner } from "./session-churner.ts";
import { SubscriptionChurner } from "./subscription-churner.ts";

export interface KillOptions {
  readonly name: string;
  /** One of them is chosen for each few rounds. */
  readonly kinds: readonly BrokerKind[];
  readonly qos: 1 | 2;
  readonly rounds: number;
  readonly seed: number;
  /** Where brokers keep their data; a folder for each few rounds is made in it. */
  readonly folder: string;
  /** Whether clients die too. */
  readonly killsPeers: boolean;
  /** One of them is chosen for each few rounds. */
  readonly payloads?: readonly PayloadSize[];
  /** Longest time until the kill; 2 s unless told. */
  readonly longestMs?: number;
  /** After so long no further round is begun: a slow machine does fewer. */
  readonly budgetMs?: number;
  /** As of the crowd: a control that is to lose need not wait as long. */
  readonly quietMs?: number;
  readonly progress: Progress;
}

/** So many rounds go on with the same data. */
const ROUNDS_PER_FOLDER = 5;
const SHORTEST_MS = 200;
/** The kill waits until so many messages are acknowledged, on a machine that is slow; but not for ever. */
const LEAST_ACKED = 2000;
const LEAST_LIMIT_MS = 5000;
const LONGEST_MS = 2000;
const SMALL: PayloadSize = { least: 8, most: 120 };
const PUBLISHERS = 8;
const WINDOW = 64;
const ONLINE = 4;
const OFFLINE = 4;
const GROUP = 3;
/** Chance that the broker is killed again, while it starts or while it drains. */
const CHANCE_IN_START = 0.2;
const CHANCE_IN_DRAIN = 0.5;
const LONGEST_START_MS = 300;

/** Runs the rounds and returns what each found. */
export async function killRounds(options: KillOptions): Promise<Round[]> {
  const { rounds, seed, name, progress, budgetMs = Number.POSITIVE_INFINITY } = options;
  const endMs = performance.now() + budgetMs;
  const found: Round[] = [];
  for (let first = 0; first < rounds && performance.now() < endMs; first += ROUNDS_PER_FOLDER) {
    const series = await Series.begin(options, seed + first);
    try {
      const end = Math.min(first + ROUNDS_PER_FOLDER, rounds);
      for (let number = first; number < end && performance.now() < endMs; number++) {
        const round = await series.round(new Random(seed + number));
        found.push(round);
        progress(roundText(name, number + 1, rounds, round));
      }
    } finally {
      await series.end();
    }
  }
  return found;
}

/** Rounds on one folder with one crowd. */
class Series {
  readonly #options: KillOptions;
  readonly #broker: BrokerProcess;
  readonly #crowd: Crowd;
  readonly #subscriptions: SubscriptionChurner;
  readonly #sessions: SessionChurner;

  private constructor(options: KillOptions, broker: BrokerProcess, crowd: Crowd, random: Random) {
    this.#options = options;
    this.#broker = broker;
    this.#crowd = crowd;
    this.#subscriptions = new SubscriptionChurner(`${crowd.options.name}-subscriptions`, random);
    this.#sessions = new SessionChurner(`${crowd.options.name}-sessions`, random);
  }

  static async begin(options: KillOptions, seed: number): Promise<Series> {
    const name = `${options.name}-${seed}`;
    const random = new Random(seed);
    const kind = random.pick(options.kinds);
    const broker = await BrokerProcess.on(kind, join(options.folder, name));
    const payload = random.pick(options.payloads ?? [SMALL]);
    const shape = { publishers: PUBLISHERS, window: WINDOW, online: ONLINE, offline: OFFLINE, group: GROUP };
    options.progress(`${options.name}: ${kind.name}, payloads of up to ${payload.most} bytes`);
    const { qos, quietMs } = options;
    const crowd = new Crowd({ name, qos, payload, ...shape, ...(quietMs !== undefined && { quietMs }) }, random);
    const series = new Series(options, broker, crowd, random);
    await broker.start();
    await crowd.subscribe(broker.address);
    return series;
  }

  async end(): Promise<void> {
    this.#crowd.end();
    if (this.#broker.isRunning) await this.#broker.kill();
  }

  async round(random: Random): Promise<Round> {
    const crowd = this.#crowd;
    const loadMs = random.between(SHORTEST_MS, this.#options.longestMs ?? LONGEST_MS);
    await crowd.join(this.#broker.address, false);
    await this.#subscriptions.begin(this.#broker.address);
    this.#sessions.begin(this.#broker.address);
    crowd.setSending(true);
    await this.#work(loadMs, random);
    const limitMs = performance.now() + LEAST_LIMIT_MS;
    while (crowd.ledger.acknowledged < LEAST_ACKED && performance.now() < limitMs)
      await this.#work(random.between(1, 20), random);
    await this.#kill();
    this.#subscriptions.end();
    await this.#sessions.end();
    const queued = crowd.ledger.acknowledged;
    let kills = 1;
    if (random.chance(CHANCE_IN_START)) {
      await this.#killInStart(random.between(0, LONGEST_START_MS));
      kills++;
    }
    let backMs = await this.#start();
    // Before anybody publishes again and so mends what is not there.
    const retained = await retainedFaults(crowd, this.#broker.address);
    if (random.chance(CHANCE_IN_DRAIN)) {
      crowd.setSending(random.chance(0.5));
      crowd.beginJoining(this.#broker.address);
      for (const peer of crowd.offline) crowd.beginComing(peer, this.#broker.address);
      await this.#work(random.between(0, loadMs), random);
      await this.#kill();
      kills++;
      backMs = Math.max(backMs, await this.#start());
    }
    const startedMs = performance.now();
    crowd.setSending(false);
    await crowd.join(this.#broker.address, true);
    await crowd.settle();
    const settleMs = performance.now() - startedMs;
    const round = await this.#judge({ kills, queued, loadMs, backMs, settleMs }, retained);
    await Promise.all(crowd.offline.map((subscriber) => subscriber.disconnect()));
    return round;
  }

  /** Lets everybody work for so long; now and then one of them dies and comes back. */
  async #work(ms: number, random: Random): Promise<void> {
    const crowd = this.#crowd;
    const endMs = performance.now() + ms;
    if (!this.#options.killsPeers) {
      await pause(ms);
      return;
    }
    for (let left = ms; left > 0; left = endMs - performance.now()) {
      await pause(Math.min(left, random.between(10, 150)));
      const peer = random.pick(crowd.peers.filter(({ isConnected }) => isConnected).concat(crowd.publishers));
      peer.kill();
      crowd.beginComing(peer, this.#broker.address);
    }
  }

  async #kill(): Promise<void> {
    this.#crowd.expectsLoss = true;
    await this.#broker.kill();
  }

  async #killInStart(ms: number): Promise<void> {
    const starting = this.#broker.start().catch(() => {});
    await pause(ms);
    await this.#broker.kill();
    await starting;
  }

  async #start(): Promise<number> {
    const ms = await this.#broker.start();
    this.#crowd.expectsLoss = false;
    return ms;
  }

  /** The verdict on this round, and on what is not in the ledger; `others`: faults that are known already. */
  async #judge(
    times: Record<"kills" | "queued" | "loadMs" | "backMs" | "settleMs", number>,
    others: string[],
  ): Promise<Round> {
    const { ledger } = this.#crowd;
    others.push(...(await this.#subscriptions.faults(this.#broker.address)));
    others.push(...(await this.#sessions.faults(this.#broker.address)));
    const verdict = ledger.verdict();
    ledger.settle();
    return {
      figures: {
        load: secondsText(times.loadMs),
        kills: times.kills,
        ...sumsOf(verdict),
        back: secondsText(times.backMs),
        queued: times.queued,
        settled: secondsText(times.settleMs),
      },
      faults: [...faultsOf(verdict), ...others],
    };
  }
}
