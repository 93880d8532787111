// Opens many connections that then say nothing, and reports what each costs the broker in memory.
import type { LoadOptions } from "./options.ts";
import { cpuSeconds, isMeasurable, settledKib } from "./process-figures.ts";
import type { LoadResult } from "./result.ts";
import { type Swarm, within } from "./swarm.ts";

export async function runIdle(options: LoadOptions, swarm: Swarm): Promise<LoadResult> {
  const { pid, idle } = options;
  const settleSeconds = pid === 0 ? 0 : options.settle;
  const kibBefore = await settledKib(pid, settleSeconds); // a fresh process may still be growing
  const cpuBefore = cpuSeconds(pid);
  const start = performance.now();
  await within(options.limit, "connecting", swarm.connect("i", idle));
  const seconds = (performance.now() - start) / 1000;
  const cpu = cpuSeconds(pid) - cpuBefore;
  const kib = (await swarm.orFault(settledKib(pid, settleSeconds))) - kibBefore;
  return {
    generator: "load",
    mode: "idle",
    timeout: false,
    disordered: 0,
    metrics: {
      connections: idle,
      connectsPerSecond: idle / seconds,
      ...(isMeasurable(pid) ? { kibPerConnection: kib / idle, cpuUsPerConnect: (cpu * 1e6) / idle } : {}),
    },
  };
}
