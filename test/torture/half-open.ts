// F7: peers that vanish without a word. Their wills come exactly once and their sockets are given back, and this also when the broker
// is killed meanwhile: then those of durable Sessions.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { BadLine } from "./bad-line.ts";
import { type BrokerKind, BrokerProcess } from "./broker-process.ts";
import { pause } from "./crowd.ts";
import { Ledger } from "./ledger.ts";
import { type Address, Link } from "./link.ts";
import { Payloads } from "./payload.ts";
import { Random } from "./random.ts";
import { faultsOf, type Progress, type Round, roundText, secondsText, sumsOf } from "./report.ts";
import { Subscriber } from "./subscriber.ts";
import * as wire from "./wire.ts";

export interface HalfOpenOptions {
  readonly name: string;
  readonly kind: BrokerKind;
  readonly rounds: number;
  readonly seed: number;
  readonly folder: string;
  readonly clients: number;
  readonly progress: Progress;
}

const KEEP_ALIVE_SECONDS = 1;
/** A broker looks at its connections when it likes: allowed beyond one and a half times the keep-alive. */
const ALLOWED_MS = 5000;
const AT_ONCE = 50;
const LOOK_MS = 10;
/** Wills of 5.0 clients wait so long. */
const DELAY_SECONDS = 1;
/** A will that comes a second time comes within this. */
const REPEAT_MS = 500;

export async function halfOpen(options: HalfOpenOptions): Promise<Round[]> {
  const { rounds, seed, name, progress } = options;
  const found: Round[] = [];
  for (let number = 0; number < rounds; number++) {
    const round = await vanish(options, new Random(seed + number), number % 2 === 1, `${name}-${number}`);
    found.push(round);
    progress(roundText(name, number + 1, rounds, round));
  }
  return found;
}

async function vanish(options: HalfOpenOptions, random: Random, isKilled: boolean, name: string): Promise<Round> {
  const { clients } = options;
  const broker = await BrokerProcess.on(options.kind, join(options.folder, name));
  const ledger = new Ledger(clients, [{ qos: 2 }]);
  const payloads = new Payloads(random.integer(1, 2 ** 31), { least: 0, most: 20 });
  const own = { index: 0, clientId: `${name}-wills`, version: 5, qos: 2, receiveMaximum: 0 } as const;
  const watcher = new Subscriber({ topicFilter: `${name}/+`, ...own }, ledger, payloads);
  await broker.start();
  const proxy = await BadLine.before(broker.address);
  try {
    await watcher.connect(broker.address);
    const before = isKilled ? 0 : sockets(broker.pid);
    await open(proxy.address, name, ledger, payloads, isKilled);
    proxy.silence();
    if (isKilled) {
      await pause(random.between(0, 3000));
      await broker.kill();
      await broker.start();
      await watcher.connect(broker.address);
    }
    const startedMs = performance.now();
    const limitMs = KEEP_ALIVE_SECONDS * 1500 + DELAY_SECONDS * 1000 + ALLOWED_MS;
    while (ledger.delivered(0) < clients && performance.now() - startedMs < limitMs) await pause(LOOK_MS);
    const tookMs = performance.now() - startedMs;
    await pause(REPEAT_MS);
    const verdict = ledger.verdict();
    const left = isKilled ? 0 : sockets(broker.pid) - before;
    const faults = left > 0 ? [`${left} sockets are still open in the broker`] : [];
    const figures = { vanished: clients, broker: isKilled ? "killed" : "lives", after: secondsText(tookMs) };
    return { figures: { ...figures, ...sumsOf(verdict) }, faults: [...faultsOf(verdict), ...faults] };
  } finally {
    watcher.kill();
    await proxy.close();
    await broker.kill();
  }
}

function sockets(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Opens a connection for each publisher of the ledger; its will is the one message that it promises. */
async function open(
  address: Address,
  name: string,
  ledger: Ledger,
  payloads: Payloads,
  isDurable: boolean,
): Promise<void> {
  const { publishers } = ledger;
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < publishers) {
      const index = next++;
      const version = index % 2 === 0 ? 4 : 5;
      const sequence = ledger.send(index);
      const payload = payloads.make(index, sequence);
      const will = { topicName: `${name}/${index}`, payload, qos: 2, delaySeconds: DELAY_SECONDS } as const;
      await accepted(address, {
        version,
        clientId: `${name}-${index}`,
        isClean: !isDurable,
        keepAliveSeconds: KEEP_ALIVE_SECONDS,
        will,
      });
      ledger.acknowledge(index, sequence);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

function accepted(address: Address, fields: wire.ConnectFields): Promise<void> {
  return new Promise((resolve, reject) => {
    const link = new Link(address, {
      onPacket(head, bytes, body) {
        if (head >> 4 === wire.CONNACK && bytes[body + 1] === 0) resolve();
        else reject(new Error(`packet ${head >> 4} in place of a CONNACK`));
      },
      onTurn() {},
      onGone: (reason) => reject(new Error(reason)),
    });
    link.write(wire.encodeConnect(fields));
    link.flush();
  });
}
