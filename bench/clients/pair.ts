// One publisher and one subscriber of a client library in this process, and messages from the one to the other: what all
// libraries in JavaScript have in common. Must not know any of them.
import { performance } from "node:perf_hooks";

/** What every library is told. */
export interface PairOptions {
  readonly url: string;
  readonly topicName: string;
  readonly qos: 0 | 1 | 2;
  /** Most messages at QoS 1 and 2 that a library may have unacknowledged. */
  readonly window: number;
  /** Called for each message that the subscriber gets. */
  readonly onMessage: () => void;
}

/** A publisher and a subscriber that are connected, the latter subscribed. */
export interface Pair {
  publish(payload: Uint8Array): void;
  close(): Promise<void>;
}

/** Opens a pair with one library. */
export type OpenPair = (options: PairOptions) => Promise<Pair>;

/** What a run gives. */
export interface PairResult {
  readonly messages: number;
  readonly seconds: number;
  /** Processor time of this process. */
  readonly cpuSeconds: number;
  /** Whether not all messages came in time. */
  readonly timeout: boolean;
}

/** How a run goes. */
export interface PairPlan {
  readonly qos: 0 | 1 | 2;
  /** Most messages on their way from the publisher to the subscriber, at every QoS. */
  readonly window: number;
  /** How long is published. The run ends when all that was published has been received. */
  readonly seconds: number;
  /** The same before, which does not count: a just-in-time compiler works then. */
  readonly warmUpSeconds: number;
  readonly payloadBytes: number;
}

/** Time for what is still under way when nothing more is published. */
const LAST_MESSAGES_MS = 10_000;

/** Runs `plan` against the broker at `url`. */
export async function runPair(open: OpenPair, url: string, plan: PairPlan): Promise<PairResult> {
  const { qos, window, payloadBytes, warmUpSeconds, seconds } = plan;
  const payload = new Uint8Array(payloadBytes).fill(0x61);
  const flow = new Flow(window);
  const onMessage = (): void => flow.received();
  const pair = await open({ url, topicName: "bench/pair", qos, window, onMessage });
  const publish = (): void => pair.publish(payload);
  await flow.run(publish, warmUpSeconds);
  const result = await flow.run(publish, seconds);
  await pair.close();
  return result;
}

/** Publishes as long as the window has room, and again with each message that comes. */
class Flow {
  readonly #window: number;
  #sent = 0;
  #got = 0;
  #isSending = false;
  #publish: () => void = () => {};
  #over: (timeout: boolean) => void = () => {};

  constructor(window: number) {
    this.#window = window;
  }

  async run(publish: () => void, seconds: number): Promise<PairResult> {
    this.#sent = this.#got = 0;
    this.#publish = publish;
    this.#isSending = true;
    const over = new Promise<boolean>((resolve) => {
      this.#over = resolve;
    });
    const startedMs = performance.now();
    const cpu = process.cpuUsage();
    const stop = setTimeout(() => this.#stop(), seconds * 1000);
    const limit = setTimeout(() => this.#over(true), seconds * 1000 + LAST_MESSAGES_MS);
    this.#fill();
    const timeout = await over;
    clearTimeout(stop);
    clearTimeout(limit);
    const { user, system } = process.cpuUsage(cpu);
    const tookSeconds = (performance.now() - startedMs) / 1000;
    return { messages: this.#got, seconds: tookSeconds, cpuSeconds: (user + system) / 1e6, timeout };
  }

  received(): void {
    this.#got++;
    if (this.#isSending) this.#fill();
    else if (this.#got === this.#sent) this.#over(false);
  }

  #fill(): void {
    while (this.#sent - this.#got < this.#window) {
      this.#sent++;
      this.#publish();
    }
  }

  #stop(): void {
    this.#isSending = false;
    if (this.#got === this.#sent) this.#over(false);
  }
}
