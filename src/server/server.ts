/** From a Config to a running broker: the one place that chooses adapters, and the order of starting and stopping. */
import { setImmediate } from "node:timers/promises";
import { getHeapStatistics } from "node:v8";
import { BrokerControl, ControlService, Taps } from "../admin/index.ts";
import { type Config, type ListenerConfig, type LogType, type Notice, restartReasons } from "../config/index.ts";
import { version } from "../config/version.ts";
import type { Broker, Observer } from "../core/index.ts";
import {
  BrokerLog,
  type BrokerLogType,
  everyOf,
  FlightRecorder,
  type Log,
  type LogDestination,
  type LogSink,
  printable,
  SysTopics,
} from "../observe/index.ts";
import type { AccessControl } from "../security/index.ts";
import { type InheritedSocket, type Listener, Patience } from "../transport/index.ts";
import { Bridges } from "./bridges.ts";
import { EventLoop, SYSTEM_CLOCK } from "./event-loop.ts";
import { Guards } from "./guards.ts";
import { keyLogTo } from "./key-log.ts";
import { type GivenToListeners, Listeners } from "./listeners.ts";
import { OpenLog } from "./open-log.ts";
import { type OpenStore, openStore } from "./open-store.ts";
import { SysClock } from "./sys-clock.ts";

/** A broker that runs. */
export interface Server {
  readonly broker: Broker;
  /** Where clients can come in. */
  readonly listeners: readonly Listener[];
  readonly log: Log<BrokerLogType>;
  /**
   * Goes over to another Config, with its files read anew, and opens log files again. What only a start can change is told of in the log.
   * @throws StartError, SecurityError or TransportError when something of it cannot be used; nothing has changed then
   */
  reload(config: Config): Promise<void>;
  /** Resolves when the store has all that has happened until now. */
  save(): Promise<void>;
  /**
   * Says goodbye to all clients and stops. Resolves when every connection is closed, with whether the store has everything: one that
   * does not answer is waited for no longer than `storeTimeoutMs`, twice.
   */
  close(): Promise<boolean>;
}

/** What a start may be given besides its Config. */
export interface StartOptions {
  /** What the reader of the Config had to say, for the log. */
  readonly notices?: readonly Notice[];
  /** Told of what happens, beside the log. It may not listen to packets. */
  readonly observer?: Omit<Observer, "packets">;
  /** Gets all lines of the log, wherever else they go. */
  readonly logListener?: LogDestination<LogType>;
  /** Sockets of its listeners that are open already; see `reserveLowPorts`. */
  readonly sockets?: readonly InheritedSocket[];
}

/**
 * Starts a broker.
 * @param sink takes the log's text, in place of what the Config names
 * @throws StartError when a log file cannot be written
 * @throws StoreError when the store cannot be used
 * @throws SecurityError when a file of users or rules cannot be used
 * @throws ListenError when an address cannot be had; nothing runs then
 */
export async function startServer(
  config: Config,
  sink: LogSink | null = null,
  { notices = [], observer: given = {}, logListener, sockets = [] }: StartOptions = {},
): Promise<Server> {
  const openLog = new OpenLog(config.log, sink, logListener ?? null);
  const { log } = openLog;
  log.write("information", `lacewing version ${version()} starting.`);
  for (const { place, type, text } of notices) log.write(type, place === null ? text : `${text} (${place})`);
  const recorder = new FlightRecorder(SYSTEM_CLOCK);
  const taps = new Taps(SYSTEM_CLOCK);
  const brokerLog = new BrokerLog(log, SYSTEM_CLOCK, config.log);
  const observer = everyOf(brokerLog, recorder, taps, given);
  const { tlsKeyLog } = config.process;
  const onKeyLog = tlsKeyLog === null ? null : keyLogTo(tlsKeyLog);
  const opened = await openStore(config.persistence, log).catch((error: unknown) => {
    logFailure(log, config.log, error);
    throw error;
  });
  const loop = new EventLoop({ options: config.broker, store: opened.store, observer });
  new ControlService(loop.broker, recorder, taps, (type, line) => log.write(type, printable(line)));
  openLog.attach(loop.broker);
  const running = new RunningServer(config, loop, openLog, brokerLog, opened, { sockets, onKeyLog });
  try {
    await running.restore();
    await running.open(config.listeners);
    running.begin();
  } catch (error) {
    logFailure(log, config.log, error);
    await running.close();
    throw error;
  }
  return running;
}

/** Whoever called says on standard error why there is no start; a log elsewhere would end without a word of it. */
function logFailure(log: Log<BrokerLogType>, { destinations }: Config["log"], error: unknown): void {
  if (destinations.some(({ kind }) => kind === "stderr")) return;
  log.write("error", printable(`Error: ${error instanceof Error ? error.message : String(error)}`));
  log.flush();
}

class RunningServer implements Server {
  readonly log: Log<BrokerLogType>;
  readonly #openLog: OpenLog;
  readonly #brokerLog: BrokerLog;
  readonly #sys: SysClock;
  #config: Config;
  readonly #loop: EventLoop;
  readonly #store: OpenStore;
  readonly #guards: Guards;
  readonly #listeners: Listeners;
  readonly #bridges: Bridges;
  readonly #brokerControl: BrokerControl;
  #closing: Promise<boolean> | null = null;

  constructor(
    config: Config,
    loop: EventLoop,
    openLog: OpenLog,
    brokerLog: BrokerLog,
    store: OpenStore,
    given: GivenToListeners,
  ) {
    const { log } = openLog;
    this.#config = config;
    this.#loop = loop;
    this.#openLog = openLog;
    this.#brokerLog = brokerLog;
    this.log = log;
    const facts = { version: `lacewing version ${version()}`, heapBytes };
    const topics = new SysTopics(loop.broker, facts);
    this.#sys = new SysClock(topics);
    this.#store = store;
    const write = (type: LogType, line: string): void => log.write(type, printable(line));
    this.#listeners = new Listeners(loop.broker, log, { version: version(), figures: () => topics.figures() }, given);
    this.#guards = new Guards(loop.broker, write);
    this.#brokerControl = new BrokerControl(loop.broker, () => this.#listeners.facts, write);
    this.#brokerControl.enable(config.enableControlApi);
    loop.broker.sourceJudge = (...asked) => this.#guards.mayPublish(...asked);
    this.#bridges = new Bridges(loop.broker, this.#guards, config.persistence, {
      write,
      wantsDebug: () => log.wants("debug"),
    });
  }

  get broker(): Broker {
    return this.#loop.broker;
  }

  get listeners(): readonly Listener[] {
    return this.#listeners.all;
  }

  /** Opens the listeners. What is needed to answer their first client is there before. */
  async open(configs: readonly ListenerConfig[]): Promise<void> {
    const wanted: { readonly config: ListenerConfig; readonly authenticator: AccessControl }[] = [];
    for (const config of configs) wanted.push({ config, authenticator: await this.#guards.open(config) });
    await this.#bridges.prepare(this.#config.bridges);
    const opened = await this.#listeners.open(wanted);
    for (const [at, { authenticator }] of wanted.entries()) this.#tellWhereNobodyMay(opened[at] ?? null, authenticator);
  }

  #tellWhereNobodyMay(listener: Listener | null, authenticator: AccessControl): void {
    if (listener === null || authenticator.knowsAnybody) return;
    this.log.write(
      "warning",
      `Nobody may connect to ${listener.address}: nothing says which users may, and allow_anonymous is not true (on the command line: --allow-anonymous).`,
    );
  }

  /** Begins what goes on beside the clients. */
  begin(): void {
    this.#bridges.start();
    this.#sys.start(this.#config.sysIntervalSeconds);
  }

  reload(config: Config): Promise<void> {
    return this.#guards.whileReloading(() => this.#reload(config));
  }

  async #reload(config: Config): Promise<void> {
    const listeners = this.#listeners.matching(config.listeners);
    const applyLog = this.#openLog.prepare(config.log);
    const applyListeners = await this.#listeners.prepareReload(listeners);
    // Last, as plugins are open from then on.
    const applyGuards = await this.#guards.prepareReload(listeners);
    const { broker, log } = this;
    const restart = restartReasons(this.#config, config);
    applyLog();
    broker.change(config.broker);
    this.#brokerLog.change(config.log);
    broker.packetObserver = this.#brokerLog.packets ?? null;
    applyListeners();
    applyGuards();
    this.#sys.start(config.sysIntervalSeconds);
    this.#brokerControl.enable(config.enableControlApi);
    this.#bridges.change(config.bridges);
    this.#config = config;
    for (const reason of restart) log.write("warning", `${reason} has changed, which only a restart puts in force.`);
  }

  save(): Promise<void> {
    return new Promise((resolve) => this.broker.ledger.whenKept(resolve));
  }

  /** Takes back what the store has kept. */
  async restore(): Promise<void> {
    const { broker } = this;
    await broker.restore();
    const { sessions, retained } = broker;
    if (sessions.count + retained.count === 0) return;
    const queued = [...sessions].reduce((sum, session) => sum + session.queuedMessages, 0);
    const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;
    const parts = [counted(sessions.count, "session"), counted(queued, "queued message")];
    this.log.write("information", `Restored ${parts.join(", ")} and ${counted(retained.count, "retained message")}.`);
  }

  close(): Promise<boolean> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<boolean> {
    await this.#bridges.stop();
    const closed = this.#listeners.close();
    await whatHasArrived();
    const unwritten = await this.broker.shutdown();
    await closed;
    this.#guards.close();
    this.#sys.stop();
    this.#loop.stop();
    const trouble = unwritten > 0 ? `has not taken the last ${unwritten} changes` : await this.#closeStore();
    if (trouble !== null) {
      this.log.write(
        "error",
        `The store ${trouble}. Nothing that was acknowledged is lost, but messages may be delivered again.`,
      );
      this.#store.abandon();
    }
    this.log.close();
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

/** Resolves when what clients have sent until now is read: who said goodbye has not been shut out. */
async function whatHasArrived(): Promise<void> {
  // The first may come before the sockets are looked at again, the second comes after.
  await setImmediate();
  await setImmediate();
}

/** Not of `process.memoryUsage`, which needs a file descriptor and throws when there is none left. */
function heapBytes(): number {
  return getHeapStatistics().used_heap_size;
}

/** @throws when `promise` takes longer */
function within(limitMs: number, promise: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const patience = new Patience(limitMs, () => reject(new Error(`it has not answered for ${limitMs} ms`)));
    promise.then(resolve, reject).finally(() => patience.cancel());
  });
}
