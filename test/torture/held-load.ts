// F15: load that is held. Many connections that mostly wait, a steady rate of messages at QoS 1 to all of them in turn. None may be
// lost, doubled or out of order, no connection may end, and the broker's heap may not grow once it is warm. Latency and memory are told.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { memoryKib } from "../support/memory.ts";
import { type BrokerKind, BrokerProcess } from "./broker-process.ts";
import { pause } from "./crowd.ts";
import { HeldDevice, HeldPublisher, type Latencies, newLatencies, percentileMs, SysWatcher } from "./held-peers.ts";
import { countText, type Progress, type Round, roundText } from "./report.ts";

export interface HeldLoadOptions {
  readonly name: string;
  readonly kind: BrokerKind;
  readonly rounds: number;
  readonly folder: string;
  readonly connections: number;
  readonly messagesPerSecond: number;
  readonly seconds: number;
  readonly progress: Progress;
}

const PUBLISHERS = 8;
const AT_ONCE = 50;
/** Every so manieth device has a durable Session, so that its messages go to the disk. */
const DURABLE_EVERY = 10;
/** Messages are sent so often; each device pings twice in its keep-alive of 60 s. */
const BEAT_MS = 10;
const PING_EVERY_MS = 30_000;
const REST_MS = 2000;
const LIMIT_MS = 60_000;
/** From the first half of the time to the second, without what it takes to warm up: some 40 bytes for each message of 10 minutes. */
const MOST_GROWTH_BYTES = 16 * 1024 * 1024;

export async function heldLoads(options: HeldLoadOptions): Promise<Round[]> {
  const { name, rounds, progress } = options;
  const found: Round[] = [];
  for (let number = 0; number < rounds; number++) {
    const folder = join(options.folder, `${name}-${number}`);
    mkdirSync(folder, { recursive: true });
    const broker = await BrokerProcess.on(options.kind, folder);
    await broker.start();
    const load = new HeldLoad(options, broker);
    try {
      const round = await load.hold();
      found.push(round);
      progress(roundText(name, number + 1, rounds, round));
    } finally {
      load.end();
      await broker.kill();
    }
  }
  return found;
}

class HeldLoad {
  readonly #options: HeldLoadOptions;
  readonly #broker: BrokerProcess;
  readonly #devices: HeldDevice[] = [];
  readonly #publishers: HeldPublisher[] = [];
  readonly #watcher: SysWatcher = new SysWatcher();
  readonly #latencies: Latencies = newLatencies();
  #sent = 0;

  constructor(options: HeldLoadOptions, broker: BrokerProcess) {
    this.#options = options;
    this.#broker = broker;
  }

  end(): void {
    for (const peer of [...this.#devices, ...this.#publishers, this.#watcher]) peer.cut();
  }

  async hold(): Promise<Round> {
    const { connections, seconds } = this.#options;
    const { address } = this.#broker;
    // What the first ones cost is the broker that warms up.
    const first = Math.ceil(connections / 10);
    await this.#connectUpTo(first);
    const before = await this.#memoryAtRest();
    await this.#connectUpTo(connections);
    const after = await this.#memoryAtRest();
    for (let index = 0; index < PUBLISHERS; index++)
      this.#publishers.push(await HeldPublisher.connect(address, this.#options.name, index));
    await this.#watcher.connect(address, "$SYS/broker/heap/current");
    const startedMs = performance.now();
    await this.#send();
    const tookMs = performance.now() - startedMs;
    const isSettled = await this.#settle();
    const heap = heapOf(this.#watcher.values);
    const figures = {
      connections,
      seconds,
      sent: this.#sent,
      delivered: this.#delivered,
      "a second": Math.round((this.#delivered / tookMs) * 1000),
      "KiB for a connection": ((after - before) / (connections - first)).toFixed(1),
      p50: `${percentileMs(this.#latencies, 0.5)} ms`,
      p99: `${percentileMs(this.#latencies, 0.99)} ms`,
      "heap slope": `${heap.slopeMegabytesPerHour.toFixed(1)} MB/h`,
      "heap grew by": `${(heap.grownBytes / 1e6).toFixed(1)} MB`,
      MiB: Math.round(memoryKib(this.#broker.pid) / 1024),
    };
    return { figures, faults: this.#faults(isSettled, heap.grownBytes) };
  }

  get #delivered(): number {
    return this.#devices.reduce((sum, { received }) => sum + received, 0);
  }

  async #connectUpTo(count: number): Promise<void> {
    const worker = async (): Promise<void> => {
      while (this.#devices.length < count) {
        const index = this.#devices.length;
        const own = { name: this.#options.name, index, isDurable: index % DURABLE_EVERY === 0 };
        const device = new HeldDevice(own, this.#latencies);
        this.#devices.push(device);
        await device.connect(this.#broker.address);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }

  async #memoryAtRest(): Promise<number> {
    await pause(REST_MS);
    return memoryKib(this.#broker.pid);
  }

  /** Sends at the rate that is asked for, to all devices in turn; each has the same publisher always. */
  async #send(): Promise<void> {
    const { messagesPerSecond, seconds } = this.#options;
    const startedMs = performance.now();
    let pinged = 0;
    for (;;) {
      const elapsedMs = performance.now() - startedMs;
      const isOver = elapsedMs >= seconds * 1000;
      const due = Math.floor((Math.min(elapsedMs, seconds * 1000) * messagesPerSecond) / 1000);
      for (; this.#sent < due; this.#sent++) {
        const index = this.#sent % this.#devices.length;
        const sequence = Math.floor(this.#sent / this.#devices.length) + 1;
        this.#publishers[index % PUBLISHERS]?.publish(index, sequence);
      }
      for (const publisher of this.#publishers) publisher.flush();
      const pings = Math.floor((elapsedMs * this.#devices.length) / PING_EVERY_MS);
      for (; pinged < pings; pinged++) this.#devices[pinged % this.#devices.length]?.ping();
      if (isOver) return;
      await pause(BEAT_MS);
    }
  }

  /** Resolves with whether everything came. */
  async #settle(): Promise<boolean> {
    const startedMs = performance.now();
    const isSettled = (): boolean =>
      this.#publishers.reduce((sum, { acknowledged }) => sum + acknowledged, 0) === this.#sent &&
      this.#delivered === this.#sent;
    while (!isSettled() && performance.now() - startedMs < LIMIT_MS) await pause(BEAT_MS);
    return isSettled();
  }

  #faults(isSettled: boolean, grownBytes: number): string[] {
    const faults: string[] = [];
    const peers = [...this.#devices, ...this.#publishers];
    const ended = peers.filter(({ end }) => end !== null);
    for (const reason of new Set(ended.map(({ end }) => end)))
      faults.push(`${ended.filter(({ end }) => end === reason).length} connections ended: ${reason}`);
    const wrong = this.#devices.reduce((sum, device) => sum + device.wrong, 0);
    if (wrong > 0) faults.push(`${countText(wrong)} messages lost, doubled or out of order`);
    if (!isSettled) faults.push(`${countText(this.#delivered)} came of ${countText(this.#sent)}`);
    if (this.#watcher.values.length === 0) faults.push("the broker said nothing of its heap");
    if (grownBytes > MOST_GROWTH_BYTES) faults.push(`the heap grew by ${countText(grownBytes)} bytes once it was warm`);
    return faults;
  }
}

/** Windows of whose samples the least counts, as a heap has garbage in it most of the time. */
const WINDOWS = 30;

/** What is left of the heap's growth when the first third of the time, in which the broker warms up, is left out. */
function heapOf(samples: readonly { readonly atMs: number; readonly value: number }[]): {
  readonly slopeMegabytesPerHour: number;
  readonly grownBytes: number;
} {
  const warm = samples.slice(Math.floor(samples.length / 3));
  const size = Math.max(1, Math.ceil(warm.length / WINDOWS));
  const least = Array.from({ length: Math.ceil(warm.length / size) }, (_, window) =>
    warm.slice(window * size, (window + 1) * size).reduce((one, other) => (other.value < one.value ? other : one)),
  );
  const half = Math.ceil(least.length / 2);
  const lowest = (part: typeof least): number => Math.min(...part.map(({ value }) => value));
  const grownBytes = least.length < 2 ? 0 : lowest(least.slice(half)) - lowest(least.slice(0, half));
  return { slopeMegabytesPerHour: (slopeOf(least) * 3_600_000) / 1e6, grownBytes };
}

/** Of the line that fits best: value per millisecond. */
function slopeOf(points: readonly { readonly atMs: number; readonly value: number }[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [atMs, value] = [mean(points.map((point) => point.atMs)), mean(points.map((point) => point.value))];
  const above = points.reduce((sum, point) => sum + (point.atMs - atMs) * (point.value - value), 0);
  const below = points.reduce((sum, point) => sum + (point.atMs - atMs) ** 2, 0);
  return below === 0 ? 0 : above / below;
}
