// The everyday run: publishers and subscribers (pairs, fan-out or one shared group), as fast as the window allows or at
// a rate.
import type { LoadConnection } from "./connection.ts";
import { Flow } from "./flow.ts";
import type { LoadOptions } from "./options.ts";
import { cpuSeconds, isMeasurable, residentKib } from "./process-figures.ts";
import type { LoadResult } from "./result.ts";
import { type Swarm, within } from "./swarm.ts";
import { type PublishTemplate, publishTemplate, type Version } from "./wire.ts";

export const CONNECT_LIMIT_SECONDS = 30;

/** The topic of a publisher, as in mload.c. */
export function topicOf(publisher: number): string {
  return `bench/load/site${publisher % 7}/device${publisher}`;
}

/** The topic filters of subscriber `index`. */
export function filtersOf(options: LoadOptions, index: number): string[] {
  if (options.shared) return ["$share/g/bench/load/#"];
  if (options["fan-out"]) return [options.wildcard ? "bench/+/+/#" : "bench/load/#"];
  const filters: string[] = [];
  for (let i = index; i < options.publishers; i += options.subscribers) filters.push(topicOf(i));
  return filters;
}

export function deliveriesPerMessage(options: LoadOptions): number {
  if (options["fan-out"]) return options.subscribers;
  return options.subscribers > 0 ? 1 : 0;
}

/** One encoded PUBLISH for each topic of each publisher. */
export function templates(options: LoadOptions): (k: number, publisher: LoadConnection) => PublishTemplate {
  const { publishers, topics, qos, retain, payload } = options;
  const encode = (topicName: string): PublishTemplate =>
    publishTemplate(options.version as Version, topicName, qos, retain, payload);
  if (topics === 1) {
    const made = Array.from({ length: publishers }, (_, i) => encode(topicOf(i)));
    return (_, publisher) => made[publisher.index] as PublishTemplate;
  }
  const made = Array.from({ length: publishers * topics }, (_, i) => encode(`${topicOf(i % publishers)}/${i}`));
  return (_, { index, sent }) => made[index + (sent % topics) * publishers] as PublishTemplate;
}

export async function runMessages(options: LoadOptions, swarm: Swarm): Promise<LoadResult> {
  const kind = options.durable ? { clean: false, durable: true } : {};
  const subscribers = await within(CONNECT_LIMIT_SECONDS, "connecting", swarm.connect("s", options.subscribers, kind));
  const publishers = await within(CONNECT_LIMIT_SECONDS, "connecting", swarm.connect("p", options.publishers));
  const subscribed = subscribers.map((subscriber) =>
    subscriber.subscribe(filtersOf(options, subscriber.index), options.qos),
  );
  await within(CONNECT_LIMIT_SECONDS, "subscribing", swarm.orFault(Promise.all(subscribed)));
  const flow = new Flow({
    publishers,
    subscribers,
    qos: options.qos,
    messages: options.messages,
    durationSeconds: options.duration,
    deliveriesPerMessage: deliveriesPerMessage(options),
    window: options.window,
    rate: options.rate,
    limitSeconds: options.limit,
    template: templates(options),
    checksOrder: true,
  });
  const cpuBefore = cpuSeconds(options.pid);
  const { timeout, disordered, ...counts } = await swarm.orFault(flow.run());
  const cpu = cpuSeconds(options.pid) - cpuBefore;
  const own = process.cpuUsage();
  if (options.durable) await forgetSessions(options, swarm);
  return {
    generator: "load",
    mode: modeOf(options),
    timeout,
    disordered,
    metrics: {
      ...counts,
      inPerSecond: counts.sent / counts.seconds,
      outPerSecond: counts.delivered / counts.seconds,
      generatorCpuSeconds: (own.user + own.system) / 1e6,
      ...(isMeasurable(options.pid)
        ? {
            brokerCpuUsPerMessage: (cpu * 1e6) / Math.max(1, counts.sent + counts.delivered),
            brokerRssKib: residentKib(options.pid),
          }
        : {}),
    },
  };
}

/** Takes the subscribers' Sessions over with clean ones, which end with their connections. */
export async function forgetSessions(options: LoadOptions, swarm: Swarm): Promise<void> {
  swarm.destroy();
  const last = await within(CONNECT_LIMIT_SECONDS, "connecting", swarm.connect("s", options.subscribers));
  await within(CONNECT_LIMIT_SECONDS, "disconnecting", Promise.all(last.map((subscriber) => subscriber.disconnect())));
}

function modeOf(options: LoadOptions): string {
  if (options["fan-out"]) return options.wildcard ? "fanout-wild" : "fanout";
  return options.shared ? "shared" : "pairs";
}
