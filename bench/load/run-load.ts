// Chooses the mode of a run, gives it its connections and takes them away again.
import { readFileSync } from "node:fs";
import type { Target } from "./connection.ts";
import { runIdle } from "./idle.ts";
import { runMessages } from "./messages.ts";
import { runOffline } from "./offline.ts";
import type { LoadOptions } from "./options.ts";
import type { LoadResult } from "./result.ts";
import { runSubscriptions } from "./subscriptions.ts";
import { Swarm } from "./swarm.ts";
import type { Version } from "./wire.ts";

/** Throws when the broker refuses something or goes away. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const swarm = new Swarm(targetOf(options));
  try {
    return await modeOf(options)(options, swarm);
  } finally {
    swarm.destroy();
  }
}

function modeOf(options: LoadOptions): (options: LoadOptions, swarm: Swarm) => Promise<LoadResult> {
  if (options.idle > 0) return runIdle;
  if (options.subscriptions > 0) return runSubscriptions;
  if (options.offline) return runOffline;
  return runMessages;
}

function targetOf(options: LoadOptions): Target {
  const { host, port } = options;
  const ca = options.ca === "" ? undefined : readFileSync(options.ca);
  const tls = options.tls ? { ca, insecure: options.insecure } : undefined;
  return { host, port, version: options.version as Version, tls };
}
