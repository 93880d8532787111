// What a publish costs the broker with 100 subscriptions and with N, held by 100 clients; exact, "+" and "#" filters
// mixed. Every published topic matches exactly one subscription: both sizes deliver the same, only the search differs.
// The goal is judged with all N topics in turn; "few topics" publishes the first 100 only, which a cache may answer.
import type { LoadConnection } from "./connection.ts";
import { Flow, type FlowCounts } from "./flow.ts";
import { CONNECT_LIMIT_SECONDS } from "./messages.ts";
import type { LoadOptions } from "./options.ts";
import { cpuSeconds, isMeasurable, residentKib } from "./process-figures.ts";
import type { LoadResult } from "./result.ts";
import { type Swarm, within } from "./swarm.ts";
import { type PublishTemplate, publishTemplate, type Version } from "./wire.ts";

const CLIENTS = 100;
const SITES = 50;
/** Visits the topics in an order that no cache foresees; prime, so it visits all unless their number is a multiple. */
const STRIDE = 61_843;
const WARM_UP_PART = 0.3;

/** Subscription number `i`, whose filter is exact, or has a "+" or a "#". */
export function filterOf(i: number): string {
  const site = i % SITES;
  if (i % 3 === 0) return `bench/site${site}/device${i}/state`;
  if (i % 3 === 1) return `bench/+/device${i}/state`;
  return `bench/site${site}/device${i}/#`;
}

/** The one topic in use that subscription number `i` matches. */
export function topicOf(i: number): string {
  return `bench/site${i % SITES}/device${i}/state`;
}

interface Cost extends FlowCounts {
  readonly cpuUs: number;
}

export async function runSubscriptions(options: LoadOptions, swarm: Swarm): Promise<LoadResult> {
  const many = options.subscriptions;
  const clients = await within(CONNECT_LIMIT_SECONDS, "connecting", swarm.connect("s", CLIENTS));
  const publishers = await within(CONNECT_LIMIT_SECONDS, "connecting", swarm.connect("p", 1));
  const templates = templatesFor(options, many);
  const measure = (topics: number): Promise<Cost> => costOf(options, swarm, clients, publishers, templates, topics);

  await changeAll(options, swarm, clients, 0, CLIENTS, "subscribe");
  const few = await measure(CLIENTS);
  const kibFew = residentKib(options.pid);
  const subscribeSeconds = await changeAll(options, swarm, clients, CLIENTS, many, "subscribe");
  const kibMany = residentKib(options.pid);
  const fewTopics = await measure(CLIENTS);
  const allTopics = await measure(many);
  const unsubscribeSeconds = await changeAll(options, swarm, clients, 0, many, "unsubscribe");
  const costs = [few, fewTopics, allTopics];
  return {
    generator: "load",
    mode: "subscriptions",
    timeout: costs.some((cost) => cost.timeout),
    disordered: 0,
    metrics: {
      subscriptions: many,
      subscribeSeconds,
      unsubscribeSeconds,
      fewPerSecond: few.sent / few.seconds,
      manyPerSecond: allTopics.sent / allTopics.seconds,
      rateRatio: few.sent / few.seconds / (allTopics.sent / allTopics.seconds),
      // In a run too short for the clock of /proc there is no ratio, and 0 would pass for a good one.
      ...(few.cpuUs > 0
        ? { cpuRatio: allTopics.cpuUs / few.cpuUs, fewTopicsCpuRatio: fewTopics.cpuUs / few.cpuUs }
        : {}),
      ...(isMeasurable(options.pid)
        ? {
            fewCpuUs: few.cpuUs,
            manyCpuUs: allTopics.cpuUs,
            kibPerSubscription: (kibMany - kibFew) / Math.max(1, many - CLIENTS),
          }
        : {}),
    },
  };
}

/** Every topic once and encoded before the clock runs: the generator's own caches should not show. */
function templatesFor(options: LoadOptions, count: number): readonly PublishTemplate[] {
  const version = options.version as Version;
  return Array.from({ length: count }, (_, i) =>
    publishTemplate(version, topicOf(i), options.qos, false, options.payload),
  );
}

/** CPU and rate with topics 0..`topics`-1; the first part of the time is a warm-up. */
async function costOf(
  options: LoadOptions,
  swarm: Swarm,
  subscribers: readonly LoadConnection[],
  publishers: readonly LoadConnection[],
  templates: readonly PublishTemplate[],
  topics: number,
): Promise<Cost> {
  let next = 0;
  const flow = (part: number): Flow =>
    new Flow({
      publishers,
      subscribers,
      qos: options.qos,
      messages: Math.ceil(options.messages * part),
      durationSeconds: options.duration * part,
      deliveriesPerMessage: 1,
      window: options.window,
      rate: options.rate,
      limitSeconds: options.limit,
      template: () => templates[(next++ * STRIDE) % topics] as PublishTemplate,
      checksOrder: false,
    });
  await swarm.orFault(flow(WARM_UP_PART).run());
  const cpuBefore = cpuSeconds(options.pid);
  const counts = await swarm.orFault(flow(1).run());
  const cpu = cpuSeconds(options.pid) - cpuBefore;
  return { ...counts, cpuUs: (cpu * 1e6) / Math.max(1, counts.sent) };
}

/** Client k holds subscriptions k, k + 100, ...: (un)subscribes those from..to-1 and returns the seconds. */
async function changeAll(
  options: LoadOptions,
  swarm: Swarm,
  clients: readonly LoadConnection[],
  from: number,
  to: number,
  change: "subscribe" | "unsubscribe",
): Promise<number> {
  const filters = clients.map((): string[] => []);
  for (let i = from; i < to; i++) filters[i % CLIENTS]?.push(filterOf(i));
  const start = performance.now();
  const changed = clients.map((client, k) => {
    const own = filters[k] ?? [];
    return change === "subscribe" ? client.subscribe(own, options.qos) : client.unsubscribe(own);
  });
  await within(options.limit, change, swarm.orFault(Promise.all(changed)));
  return (performance.now() - start) / 1000;
}
