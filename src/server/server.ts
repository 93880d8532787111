/** From a Config to a running broker: the one place that chooses adapters, and the order of starting and stopping. */

import { ControlService, Taps } from "../admin/index.ts";
import type { Config, ListenerConfig } from "../config/index.ts";
import type { Broker } from "../core/index.ts";
import {
  BrokerLog,
  type BrokerLogType,
  everyOf,
  FlightRecorder,
  Log,
  type LogSink,
  printable,
} from "../observe/index.ts";
import type { Listener } from "../transport/index.ts";
import { EventLoop, SYSTEM_CLOCK } from "./event-loop.ts";
import { Guards } from "./guards.ts";
import { Listeners } from "./listeners.ts";
import { type OpenStore, openStore } from "./open-store.ts";

/** A broker that runs. */
export interface Server {
  readonly broker: Broker;
  /** Where clients can come in. */
  readonly listeners: readonly Listener[];
  readonly log: Log<BrokerLogType>;
  /**
   * Says goodbye to all clients and stops. Resolves when every connection is closed, with whether the store has everything: one that
   * does not answer is waited for no longer than `storeTimeoutMs`, twice.
   */
  close(): Promise<boolean>;
}

/**
 * Starts a broker.
 * @param sink takes the log's text
 * @throws StoreError when the store cannot be used
 * @throws SecurityError when a file of users or rules cannot be used
 * @throws ListenError when an address cannot be had; nothing runs then
 */
export async function startServer(config: Config, sink: LogSink): Promise<Server> {
  const log = new Log<BrokerLogType>(config.log, sink);
  const recorder = new FlightRecorder(SYSTEM_CLOCK);
  const taps = new Taps(SYSTEM_CLOCK);
  const observer = everyOf(new BrokerLog(log, config.log), recorder, taps);
  const opened = await openStore(config.persistence, log);
  const loop = new EventLoop({ options: config.broker, store: opened.store, observer });
  new ControlService(loop.broker, recorder, taps);
  const running = new RunningServer(loop, log, opened);
  try {
    await running.restore();
    await running.listen(config.listeners);
  } catch (error) {
    await running.close();
    throw error;
  }
  return running;
}

class RunningServer implements Server {
  readonly log: Log<BrokerLogType>;
  readonly #loop: EventLoop;
  readonly #store: OpenStore;
  readonly #guards: Guards;
  readonly #listeners: Listeners;
  #closing: Promise<boolean> | null = null;

  constructor(loop: EventLoop, log: Log<BrokerLogType>, store: OpenStore) {
    this.#loop = loop;
    this.log = log;
    this.#store = store;
    this.#listeners = new Listeners(loop.broker, log);
    this.#guards = new Guards(loop.broker, (type, line) => log.write(type, printable(line)));
  }

  get broker(): Broker {
    return this.#loop.broker;
  }

  get listeners(): readonly Listener[] {
    return this.#listeners.all;
  }

  async listen(configs: readonly ListenerConfig[]): Promise<void> {
    for (const config of configs) await this.#listen(config);
    this.#listeners.allOpened();
  }

  async #listen(config: ListenerConfig): Promise<void> {
    const authenticator = await this.#guards.open(config);
    const listener = await this.#listeners.open(config, authenticator);
    if (listener === null || authenticator.knowsAnybody) return;
    this.log.write(
      "warning",
      `Nobody may connect to ${listener.address}: it is not only for this machine, and --allow-anonymous is not set.`,
    );
  }

  /** Takes back what the store has kept. */
  async restore(): Promise<void> {
    const { broker } = this;
    await broker.restore();
    const { sessions, retained } = broker;
    if (sessions.count + retained.count === 0) return;
    const queued = [...sessions].reduce((sum, session) => sum + session.queuedMessages, 0);
    this.log.write(
      "information",
      `Restored ${sessions.count} sessions, ${queued} queued messages and ${retained.count} retained messages.`,
    );
  }

  close(): Promise<boolean> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<boolean> {
    const closed = this.#listeners.close();
    const unwritten = await this.broker.shutdown();
    await closed;
    this.#guards.close();
    this.#loop.stop();
    const trouble = unwritten > 0 ? `has not taken the last ${unwritten} changes` : await this.#closeStore();
    if (trouble !== null) {
      this.log.write(
        "error",
        `The store ${trouble}. Nothing that was acknowledged is lost, but messages may be delivered again.`,
      );
      this.#store.abandon();
    }
    this.log.flush();
    return trouble === null;
  }

  /** Returns why it could not be closed, or null. */
  async #closeStore(): Promise<string | null> {
    try {
      await within(this.broker.options.storeTimeoutMs, this.#store.close());
      return null;
    } catch (error) {
      return `could not be closed: ${(error as Error).message}`;
    }
  }
}

/** @throws when `promise` takes longer */
function within(limitMs: number, promise: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`it has not answered for ${limitMs} ms`)), limitMs);
    promise.then(resolve, reject).finally(() => clearTimeout(late));
  });
}
