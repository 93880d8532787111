// F6, the fine part: one exchange of a client with the broker is cut after its first byte, after its second, and so on, in one
// direction; each time the client comes back and goes on. CONNECT, PUBLISH and each acknowledgement are met in their middle.
import { join } from "node:path";
import { BadLine, type CutAfter } from "./bad-line.ts";
import { type BrokerKind, BrokerProcess } from "./broker-process.ts";
import { Crowd, type Peer, pause } from "./crowd.ts";
import type { Publisher } from "./publisher.ts";
import { Random } from "./random.ts";
import { faultsOf, type Round, sumsOf } from "./report.ts";
import { Subscriber } from "./subscriber.ts";

export interface ByteCutOptions {
  readonly name: string;
  readonly kind: BrokerKind;
  readonly folder: string;
  readonly qos: 1 | 2;
  /** Bytes of the client, or of the broker. */
  readonly direction: keyof CutAfter;
  /** One of so many bytes is enough, from the `first` on; each unless told. */
  readonly every?: number;
  readonly first?: number;
}

const LOOK_MS = 1;
/** No exchange takes longer, nor has more bytes. */
const LIMIT_MS = 5000;
const MOST_BYTES = 1000;

export async function cutAtEachByte(options: ByteCutOptions): Promise<Round> {
  const { name, kind, folder, qos, direction } = options;
  const label = `${name}-q${qos}-${direction}`;
  const broker = await BrokerProcess.on(kind, join(folder, label));
  const shape = { publishers: 2, window: 1, online: 2, offline: 0, payload: { least: 8, most: 8 } };
  const crowd = new Crowd({ name: label, qos, ...shape }, new Random(1));
  await broker.start();
  const proxy = await BadLine.before(broker.address);
  try {
    await crowd.subscribe(broker.address);
    crowd.expectsLoss = true;
    for (const publisher of crowd.publishers) publisher.credit = 0;
    crowd.setSending(true);
    let cuts = 0;
    for (const peer of crowd.peers) cuts += await cutOften(crowd, proxy, peer, options);
    await crowd.settle();
    const verdict = crowd.ledger.verdict();
    return { figures: { cuts, by: direction, qos: `${qos}`, ...sumsOf(verdict) }, faults: faultsOf(verdict) };
  } finally {
    crowd.end();
    await proxy.close();
    await broker.kill();
  }
}

/** Cuts exchanges of `peer` later and later until one is whole; returns how many were cut. */
async function cutOften(crowd: Crowd, proxy: BadLine, peer: Peer, options: ByteCutOptions): Promise<number> {
  const { direction, every = 1, first = 0 } = options;
  const others = crowd.peers.filter((other) => other !== peer);
  let cuts = 0;
  for (let bytes = first; bytes < MOST_BYTES; bytes += every) {
    await Promise.all(others.map((other) => crowd.come(other, proxy.address)));
    peer.kill();
    proxy.cutAfter = { [direction]: bytes };
    const isWhole = await exchange(crowd, proxy, peer);
    proxy.cutAfter = undefined;
    // Even a whole exchange may have left little of what its connection may carry.
    peer.kill();
    await crowd.come(peer, proxy.address);
    await until(() => crowd.isSettled);
    if (isWhole) return cuts;
    cuts++;
  }
  throw new Error(`an exchange has more than ${MOST_BYTES} bytes`);
}

/** Connects, has one message published, and ends with a PINGRESP; returns whether all of that came about. */
async function exchange(crowd: Crowd, proxy: BadLine, peer: Peer): Promise<boolean> {
  let isGone = false;
  const onGoneDo = peer.onGoneDo;
  peer.onGoneDo = () => {
    isGone = true;
  };
  try {
    await peer.connect(proxy.address).catch(() => {});
    const publisher = peer instanceof Subscriber ? (crowd.publishers[0] as Publisher) : peer;
    publisher.credit = 1;
    publisher.pump();
    await until(() => isGone || (crowd.isSettled && !(peer instanceof Subscriber && peer.isHolding)));
    const pongs = peer.pongs;
    peer.ping();
    await until(() => isGone || peer.pongs > pongs);
    return !isGone;
  } finally {
    peer.onGoneDo = onGoneDo;
  }
}

async function until(condition: () => boolean): Promise<void> {
  const startedMs = performance.now();
  while (!condition()) {
    if (performance.now() - startedMs > LIMIT_MS) throw new Error("an exchange does not end");
    await pause(LOOK_MS);
  }
}
