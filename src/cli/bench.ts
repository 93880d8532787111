/** `lacewing bench`: connects, publishes and subscribes with many clients, and says how fast that was. */
import { setTimeout as delay } from "node:timers/promises";
import type { ClientError } from "../client/index.ts";
import { BenchLoad, type LoadCounts } from "./bench-load.ts";
import { type BenchSummary, summaryText } from "./bench-summary.ts";
import { connectorOf } from "./broker-connector.ts";
import { Fleet, sayWhyNobodyConnects } from "./fleet.ts";
import { Interruption } from "./interruption.ts";
import { BENCH_COMMAND, type BenchArguments, benchArgumentsOf } from "./options/bench-options.ts";
import type { ToolIo } from "./output.ts";
import type { Progress } from "./progress.ts";
import { count, rounded, times } from "./quantities.ts";
import { runTool, withOutput } from "./tool.ts";

/** Something went wrong on the way, and the summary says what. */
const NOT_CLEAN = 2;

/** How long to wait for deliveries that are on their way, while none comes, and at most. In milliseconds. */
const [QUIET_MS, LONGEST_DRAIN_MS] = [1000, 15_000];
const LOOK_MS = 20;

/** Runs `lacewing bench` and returns its exit code. */
export function runBench(args: readonly string[], io: ToolIo): Promise<number> {
  return runTool(BENCH_COMMAND, args, io, (parsed) => {
    const wanted = benchArgumentsOf(parsed);
    return withOutput(io, wanted.quiet, {}, async (output) => {
      const { out, complain, progress } = output;
      const fleet = new Fleet({
        ...{ connector: await connectorOf(wanted, io), out, rampUpMs: wanted.rampUpMs, retriesFirst: false },
      });
      const result = await new Bench(wanted, fleet).run(progress);
      if ("code" in result) return sayWhyNobodyConnects(result, wanted, output);
      out.write(wanted.json ? `${JSON.stringify(result)}\n` : summaryText(result));
      if (fleet.firstError !== null) complain(`The first that went wrong: ${fleet.firstError.message}.`);
      return result.interrupted ? Interruption.EXIT_CODE : isClean(result, wanted) ? 0 : NOT_CLEAN;
    });
  });
}

function isClean({ connecting, published, lost }: BenchSummary, { qos }: BenchArguments): boolean {
  return connecting.failures + connecting.losses + published.refused === 0 && (qos === 0 || (lost ?? 0) === 0);
}

/** One run. */
class Bench {
  readonly #args: BenchArguments;
  readonly #fleet: Fleet;
  readonly #load: BenchLoad;
  /** What had been counted when measuring began, and when that was. */
  #before: LoadCounts;
  #beganMs = 0;
  /** Messages of the time that is measured. */
  #measured: { readonly published: number; readonly received: number } = { published: 0, received: 0 };
  #shown: LoadCounts;
  #shownMs = performance.now();

  constructor(args: BenchArguments, fleet: Fleet) {
    this.#args = args;
    this.#fleet = fleet;
    this.#load = new BenchLoad(args, fleet);
    this.#before = this.#shown = this.#load.counts;
  }

  /** Returns the summary, or why nobody could connect. */
  async run(progress: Progress): Promise<BenchSummary | ClientError> {
    const interruption = new Interruption();
    progress.start(() => this.#progressText());
    try {
      const refused = await Promise.race([this.#fleet.start(), interruption.happened]);
      if (refused !== null) return refused;
      const seconds = interruption.hasHappened ? 0 : await this.#measure(interruption);
      return this.#summary(seconds, interruption.hasHappened);
    } finally {
      progress.stop();
      this.#fleet.end();
      interruption.end();
    }
  }

  /** Returns how long it measured, in seconds. */
  async #measure(interruption: Interruption): Promise<number> {
    const { publishers, warmUpMs, durationMs, mostMessages } = this.#args;
    const isLimited = mostMessages !== Number.POSITIVE_INFINITY;
    const load = this.#load;
    const enough = load.enough();
    await Promise.race([load.subscribed(), interruption.happened]);
    load.begin();
    // Whoever counts messages wants to see all of them.
    if (publishers > 0 && warmUpMs > 0 && !isLimited) await passed(warmUpMs, interruption.happened);
    this.#before = load.counts;
    this.#beganMs = performance.now();
    load.measure();
    await passed(durationMs, interruption.happened, enough);
    load.stop();
    // All that is counted of a fixed number has arrived only then.
    if (isLimited) await this.#drained();
    const seconds = (performance.now() - this.#beganMs) / 1000;
    const { published, received } = load.counts;
    this.#measured = { published: published - this.#before.published, received: received - this.#before.received };
    if (!isLimited) await this.#drained();
    return seconds;
  }
  /** What is on its way arrives, or does not. */
  async #drained(): Promise<void> {
    const endMs = performance.now() + LONGEST_DRAIN_MS;
    let last = this.#load.counts;
    let quietSinceMs = performance.now();
    while (performance.now() < endMs && performance.now() - quietSinceMs < QUIET_MS) {
      const now = this.#load.counts;
      const isAcknowledged = now.acknowledged + now.refused >= now.published;
      if (isAcknowledged && now.due !== null && now.received >= now.due) return;
      if (now.received !== last.received || now.acknowledged !== last.acknowledged) quietSinceMs = performance.now();
      last = now;
      await delay(LOOK_MS);
    }
  }

  #summary(seconds: number, interrupted: boolean): BenchSummary {
    const { publishers, subscribers, connections, qos, payloadBytes, messagesPerSecond, version } = this.#args;
    const { due, received, refused } = this.#load.counts;
    const { connected, failures, losses, startedMs, connecting } = this.#fleet;
    const rate = (messages: number): number => (seconds === 0 ? 0 : rounded(messages / seconds));
    const { published, received: arrived } = this.#measured;
    return {
      ...{ publishers, subscribers, connections, qos, payloadBytes, messagesPerSecond },
      version: ({ 3: "3.1", 4: "3.1.1", 5: "5.0" } as const)[version],
      server: this.#args.unixPath ?? `${this.#args.host}:${this.#args.port}`,
      ...{ interrupted, seconds: rounded(seconds) },
      connecting: { connected, failures, losses, seconds: rounded(startedMs / 1000), ms: times(connecting) },
      published: { messages: published, perSecond: rate(published), refused },
      received: { messages: arrived, perSecond: rate(arrived) },
      lost: due === null ? null : Math.max(0, due - received),
      latencyMs: times(this.#load.latency),
    };
  }

  #progressText(): string {
    const { connected, size, startedMs, failures, losses } = this.#fleet;
    const trouble = failures + losses === 0 ? "" : `, ${count(failures)} failed, ${count(losses)} lost`;
    if (startedMs === 0) return `connecting: ${count(connected)} of ${count(size)}${trouble}`;
    const [nowMs, now] = [performance.now(), this.#load.counts];
    const perSecond = (field: "published" | "received"): string =>
      count(((now[field] - this.#shown[field]) * 1000) / (nowMs - this.#shownMs));
    const [published, received] = [perSecond("published"), perSecond("received")];
    this.#shown = now;
    this.#shownMs = nowMs;
    const phase = this.#beganMs === 0 ? "warming up" : `${((nowMs - this.#beganMs) / 1000).toFixed(0)} s`;
    const p99 = this.#load.latency.percentile(99).toFixed(2);
    return `${phase}: ${published}/s published, ${received}/s received, 99 % in ${p99} ms, ${count(connected)} connected${trouble}`;
  }
}

/** Resolves after a time, or with the first of `ends`; then nothing is left that would keep the process alive. */
async function passed(ms: number, ...ends: readonly Promise<unknown>[]): Promise<void> {
  const over = new AbortController();
  await Promise.race([delay(ms, undefined, { signal: over.signal }).catch(() => {}), ...ends]);
  over.abort();
}
