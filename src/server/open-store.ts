/** The store that a Config asks for, and what its start and its troubles look like in the log. */
import { existsSync } from "node:fs";
import type { PersistenceConfig } from "../config/index.ts";
import { NO_STORE, type Store } from "../core/index.ts";
import type { BrokerLogType, Log } from "../observe/index.ts";
import { heedStandIn, isEmpty, isStandIn, makeStandIn, openLmdbStore, type StoreReport } from "../store/index.ts";

/** A store and how it is let go. */
export interface OpenStore {
  readonly store: Store;
  /** @throws when something of it could not be written */
  close(): Promise<void>;
  /** Lets go of one that does not answer. */
  abandon(): void;
}

const KEPT_IN_MEMORY: OpenStore = { store: NO_STORE, close: () => Promise.resolve(), abandon() {} };

/**
 * Opens the store.
 * @throws StoreError when its folder cannot be used; the message says why and what to do
 */
export async function openStore(config: PersistenceConfig, log: Log<BrokerLogType>): Promise<OpenStore> {
  if (!config.enabled) {
    log.write(
      "information",
      "Persistence is off: sessions and messages are in memory and end with this process. 'persistence true' keeps them on disk.",
    );
    return KEPT_IN_MEMORY;
  }
  const { location: folder, durability } = config;
  if (config.hasStandIn) await heedRemoval(config, log);
  const store = await openLmdbStore({
    folder,
    durability: durability.mode === "interval" ? { intervalMs: durability.intervalMs } : durability.mode,
    report: (event) => log.write("error", reportLine(event)),
  });
  log.write("information", `Sessions and messages are kept in ${folder}: ${promiseOf(config)}.`);
  await tellOfMosquittoFile(config, store, log);
  // The start does not wait for the disk to have it.
  const isMade = keepStandIn(config, log);
  const close = async (): Promise<void> => {
    await isMade;
    await store.close();
    // Removed meanwhile it says nothing: mosquitto, too, writes its file at the end.
    await keepStandIn(config, log);
  };
  return { store, close, abandon: () => store.abandon() };
}

/** Who removes the file that stands for the store wants a broker that knows nothing. */
async function heedRemoval({ location, mosquittoFile }: PersistenceConfig, log: Log<BrokerLogType>): Promise<void> {
  const aside = await heedStandIn(location, mosquittoFile, Date.now());
  if (aside === null) return;
  log.write(
    "warning",
    `Warning: ${mosquittoFile} was removed, so the broker begins anew. What it knew is in ${aside}; to have it back, stop the broker and move the files there to ${location}.`,
  );
}

/** The store does without it. */
async function keepStandIn(
  { location, mosquittoFile, hasStandIn }: PersistenceConfig,
  log: Log<BrokerLogType>,
): Promise<void> {
  if (!hasStandIn) return;
  try {
    await makeStandIn(location, mosquittoFile);
  } catch (error) {
    const { message } = error as Error;
    log.write("warning", `Warning: The file that stands for the store in ${location} cannot be made: ${message}.`);
  }
}

/** Who comes from mosquitto and has not imported its database would find out by what is missing. */
async function tellOfMosquittoFile(
  { location, mosquittoFile }: PersistenceConfig,
  store: Store,
  log: Log<BrokerLogType>,
): Promise<void> {
  if (!existsSync(mosquittoFile) || isStandIn(mosquittoFile) || !(await isEmpty(store))) return;
  log.write(
    "warning",
    `Warning: The store is empty, and sessions and messages of mosquitto are in ${mosquittoFile}. To take them over, stop this broker and: lacewing store import ${mosquittoFile} --to ${location}`,
  );
}

function promiseOf({ durability }: PersistenceConfig): string {
  switch (durability.mode) {
    case "always":
      return "what is acknowledged is on disk";
    case "interval":
      return `what is acknowledged is on disk at most ${durability.intervalMs} ms later; a power cut may lose that`;
    default:
      return "what is acknowledged survives the end of this process, but perhaps not a power cut";
  }
}

function reportLine(event: StoreReport): string {
  if (event.kind === "record-set-aside") {
    return `A damaged record of the store was set aside (${event.database}, ${event.key}): ${event.reason}.`;
  }
  if (event.kind === "process-ended")
    return `The process that has the store's file ended by ${event.reason}; another takes its place.`;
  const free = `${Math.floor(event.freeBytes / 1_048_576)} of ${Math.floor(event.totalBytes / 1_048_576)} MiB`;
  return event.state === "low"
    ? `The store's disk is nearly full: ${free} are free.`
    : `The store's disk has room again: ${free} are free.`;
}
