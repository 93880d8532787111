// Durable subscribers go away, publishers fill their queues, the subscribers come back and take it all: two rates.
// A broker that bounds its queues below -n drops messages and so ends in TIMEOUT: a finding, not a fault of the run.
import type { Listener } from "./connection.ts";
import { Flow, type FlowPlan } from "./flow.ts";
import { CONNECT_LIMIT_SECONDS, deliveriesPerMessage, filtersOf, forgetSessions, templates } from "./messages.ts";
import type { LoadOptions } from "./options.ts";
import { cpuSeconds, isMeasurable, residentKib } from "./process-figures.ts";
import type { LoadResult } from "./result.ts";
import { type Swarm, within } from "./swarm.ts";
import { Tally } from "./tally.ts";

export async function runOffline(options: LoadOptions, swarm: Swarm): Promise<LoadResult> {
  await leaveDurableSubscriptions(options, swarm);
  const publishers = await within(CONNECT_LIMIT_SECONDS, "connecting", swarm.connect("p", options.publishers));
  const plan: FlowPlan = {
    publishers,
    subscribers: [],
    qos: options.qos,
    messages: options.messages,
    durationSeconds: options.duration,
    deliveriesPerMessage: 0,
    window: options.window,
    rate: options.rate,
    limitSeconds: options.limit,
    template: templates(options),
    checksOrder: false,
  };
  const cpuAtFill = cpuSeconds(options.pid);
  const fill = await swarm.orFault(new Flow(plan).run());
  const cpuAtDrain = cpuSeconds(options.pid);
  const kibFull = residentKib(options.pid);
  const sent = options.duration > 0 ? fill.sent : options.messages;
  const expected = sent * deliveriesPerMessage(options);
  const drain = await drainQueues(options, swarm, expected);
  const cpuAtEnd = cpuSeconds(options.pid);
  await forgetSessions(options, swarm);
  return {
    generator: "load",
    mode: "offline",
    timeout: fill.timeout || drain.timeout,
    disordered: drain.tally.disordered,
    metrics: {
      sent: fill.sent,
      acknowledged: fill.acknowledged,
      delivered: drain.tally.delivered,
      expected,
      fillSeconds: fill.seconds,
      fillPerSecond: fill.acknowledged / fill.seconds,
      drainSeconds: drain.seconds,
      drainPerSecond: drain.tally.delivered / drain.seconds,
      drainPerFill: drain.tally.delivered / drain.seconds / (fill.acknowledged / fill.seconds),
      ackP50Ms: fill.ackP50Ms,
      ackP99Ms: fill.ackP99Ms,
      ...(isMeasurable(options.pid)
        ? {
            fillCpuUsPerMessage: ((cpuAtDrain - cpuAtFill) * 1e6) / Math.max(1, fill.sent),
            drainCpuUsPerMessage: ((cpuAtEnd - cpuAtDrain) * 1e6) / Math.max(1, drain.tally.delivered),
            brokerRssKib: kibFull,
          }
        : {}),
    },
  };
}

async function leaveDurableSubscriptions(options: LoadOptions, swarm: Swarm): Promise<void> {
  const kind = { clean: false, durable: true };
  const first = await within(CONNECT_LIMIT_SECONDS, "connecting", swarm.connect("s", options.subscribers, kind));
  const subscribed = first.map((subscriber) => subscriber.subscribe(filtersOf(options, subscriber.index), options.qos));
  await within(CONNECT_LIMIT_SECONDS, "subscribing", swarm.orFault(Promise.all(subscribed)));
  await within(CONNECT_LIMIT_SECONDS, "disconnecting", Promise.all(first.map((subscriber) => subscriber.disconnect())));
}

interface Drain {
  readonly tally: Tally;
  readonly seconds: number;
  readonly timeout: boolean;
}

/** The clock begins with the connections: coming back is a part of draining. */
async function drainQueues(options: LoadOptions, swarm: Swarm, expected: number): Promise<Drain> {
  const tally = new Tally(expected, options.subscribers, options.publishers);
  let finish: () => void = () => {};
  const drained = new Promise<false>((resolve) => {
    finish = () => resolve(false);
  });
  const listener: Listener = {
    onMessage: (connection, bytes, payloadAt, end) => tally.count(connection.index, bytes, payloadAt, end),
    onAcknowledged() {},
    onTurn() {
      if (tally.delivered >= expected) finish();
    },
  };
  const start = performance.now();
  const kind = { clean: false, durable: true, listener };
  await within(CONNECT_LIMIT_SECONDS, "connecting", swarm.connect("s", options.subscribers, kind));
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<true>((resolve) => {
    timer = setTimeout(() => resolve(true), options.limit * 1000);
  });
  const timeout = await swarm.orFault(Promise.race([drained, late]));
  clearTimeout(timer);
  return { tally, seconds: (performance.now() - start) / 1000, timeout };
}
