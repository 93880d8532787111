/** The ways in of one broker: opened in order, renewed together, and watched. */
import { type BrokerFacts, HttpApi, type HttpReception, type OpenListener } from "../admin/index.ts";
import type { ListenerConfig } from "../config/index.ts";
import type { Authenticator, Broker } from "../core/index.ts";
import { type BrokerLogType, type Log, printable } from "../observe/index.ts";
import { readPskFile, SecurityError, tellOfReaders } from "../security/index.ts";
import {
  type HttpOptions,
  type InheritedSocket,
  InheritedSockets,
  type Listener,
  type PreparedListener,
  prepareListener,
  watchDescriptors,
} from "../transport/index.ts";
import type { KeyLog } from "./key-log.ts";
import { ListenError } from "./listen-error.ts";
import { listenerOptions, type PskHolder, placeOf } from "./listener-options.ts";
import { StartError } from "./start-error.ts";

/** How often the files of TLS are looked at, in milliseconds. */
const LOOK_MS = 10_000;

type Current = { -readonly [Key in "entrance" | "allowAnonymous" | "security"]: ListenerConfig[Key] };

interface Opened {
  readonly config: ListenerConfig;
  /** What is in force for its connections; a reload may replace it. */
  readonly current: Current;
  readonly listener: Listener;
  readonly psk: PskHolder;
}

/** A listener that is to be opened, and who decides who may come in there. */
export interface WantedListener {
  readonly config: ListenerConfig;
  readonly authenticator: Authenticator;
}

/** One that only has to be opened. */
interface Ready extends Omit<Opened, "listener"> {
  readonly prepared: PreparedListener;
}

type OwnFacts = Omit<BrokerFacts, "listeners">;

/** What whoever starts the broker has for its listeners. */
export interface GivenToListeners {
  /** Sockets that are open already. */
  readonly sockets: readonly InheritedSocket[];
  /** Gets the secrets of TLS; null: nobody does. */
  readonly onKeyLog: KeyLog | null;
}

/** All of them. */
export class Listeners {
  readonly #broker: Broker;
  readonly #log: Log<BrokerLogType>;
  readonly #opened: Opened[] = [];
  readonly #timer: NodeJS.Timeout;
  readonly #stopWatching: () => void;
  readonly #facts: OwnFacts;
  readonly #given: GivenToListeners;
  #inherited: InheritedSockets | null = null;

  /**
   * @param facts what an HTTP listener tells of the broker, besides its listeners
   */
  constructor(broker: Broker, log: Log<BrokerLogType>, facts: OwnFacts, given: GivenToListeners) {
    this.#broker = broker;
    this.#log = log;
    this.#facts = facts;
    this.#given = given;
    this.#timer = setInterval(() => void this.#renewChanged(), LOOK_MS).unref();
    this.#stopWatching = watchDescriptors((isExhausted) => this.#tellOfDescriptors(isExhausted));
  }

  get all(): readonly Listener[] {
    return this.#opened.map(({ listener }) => listener);
  }

  /** All of them, as requests are told of them. */
  get facts(): readonly OpenListener[] {
    return this.#opened.map(({ config, current, listener }) => ({ config, current, port: listener.port }));
  }

  /**
   * Opens all of `wanted`, in order. What takes time is done before the first is open: whoever has reached one finds the others.
   * @returns one for each; null: it cannot be had, and the broker goes on without it
   * @throws ListenError when one cannot be had; SecurityError when its keys cannot
   */
  async open(wanted: readonly WantedListener[]): Promise<readonly (Listener | null)[]> {
    const inherited = await this.#takeInherited();
    const ready: (Ready | null)[] = [];
    for (const each of wanted)
      ready.push(await this.#orWithout(each.config, each.config.port, () => this.#prepare(each, inherited)));
    const opened = await this.#openAll(ready);
    for (const address of inherited.closeUnclaimed())
      this.#log.write(
        "warning",
        `The socket ${address} was handed over to the broker, but no listener is set for it: closed.`,
      );
    return opened;
  }

  async #takeInherited(): Promise<InheritedSockets> {
    try {
      this.#inherited = await InheritedSockets.take(process.env, this.#given.sockets);
      return this.#inherited;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new StartError(`LISTEN_FDS names what is no listening socket: ${why}.`, error);
    }
  }

  async #prepare({ config, authenticator }: WantedListener, inherited: InheritedSockets): Promise<Ready> {
    const { entrance, allowAnonymous, security } = config;
    const psk: PskHolder = { keys: await keysOf(config, this.#log) };
    const current: Current = { entrance, allowAnonymous, security };
    const reception = {
      broker: this.#broker,
      authenticator,
      get entrance() {
        return current.entrance;
      },
      onAcceptError: (error: Error) => this.#log.write("error", `A connection could not be taken: ${error.message}.`),
    };
    const options = {
      ...listenerOptions(config, psk, this.#given.onKeyLog),
      http: config.protocol === "http_api" ? this.#httpOptions(config, reception) : null,
      inherited,
    };
    return { config, current, psk, prepared: await prepareListener(options, reception) };
  }

  /** Together, so that next to no time lies between the first and the last; but what others got decides which free port one takes. */
  async #openAll(ready: readonly (Ready | null)[]): Promise<readonly (Listener | null)[]> {
    const takesAny = ready.some((each) => each?.config.port === 0 && each.config.unixPath === null);
    if (!takesAny) return this.#openTogether(ready);
    const opened: (Listener | null)[] = [];
    for (const each of ready) opened.push(...(await this.#openTogether([each])));
    return opened;
  }

  /** Begins with all of them before it waits for one. */
  async #openTogether(ready: readonly (Ready | null)[]): Promise<readonly (Listener | null)[]> {
    const attempts = ready.map((each) => (each === null ? null : this.#open(each)));
    // Also when one has failed, as the others are to be closed then.
    for (const one of await Promise.allSettled(attempts)) {
      if (one.status === "rejected" || one.value === null) continue;
      this.#opened.push(one.value);
      this.#tellOf(one.value.config, one.value.listener);
    }
    return (await Promise.all(attempts)).map((opened) => opened?.listener ?? null);
  }

  #open({ config, current, psk, prepared }: Ready): Promise<Opened | null> {
    const port = config.port === 0 && config.unixPath === null ? this.#portBeside(config) : config.port;
    return this.#orWithout(config, port, async () => ({
      config,
      current,
      psk,
      listener: await prepared.open(port),
    }));
  }

  /** What `step` gives; null: it has failed for a listener that the broker can do without. */
  async #orWithout<Result>(config: ListenerConfig, port: number, step: () => Promise<Result>): Promise<Result | null> {
    try {
      return await step();
    } catch (error) {
      if (error instanceof SecurityError) throw error;
      const failure = new ListenError(placeOf(config, port), port, error);
      if (!config.isOptional) throw failure;
      this.#log.write("warning", `${failure.message} Going on without it.`);
      return null;
    }
  }

  #httpOptions({ webSocket }: ListenerConfig, reception: HttpReception): HttpOptions {
    const { origins, httpDir: httpFolder, maximumHeaderBytes } = webSocket;
    const facts: BrokerFacts = { ...this.#facts, listeners: () => this.facts };
    const service = new HttpApi(reception, facts, (type, line) => this.#log.write(type, printable(line)));
    return { service, origins, httpFolder, maximumHeaderBytes };
  }

  /** With any free port asked for at several addresses, all of them get the same one; 0: there is none yet. */
  #portBeside({ host }: ListenerConfig): number {
    // Beside all addresses there is no other.
    if (host === null) return 0;
    const beside = this.#opened.find(
      ({ config, listener }) => listener.port !== 0 && config.host !== null && config.host !== host,
    );
    return beside?.listener.port ?? 0;
  }

  /** In mosquitto's words. */
  #tellOf({ unixPath, protocol, webSocket }: ListenerConfig, { addresses, port }: Listener): void {
    const isHttp = protocol === "http_api";
    for (const address of addresses) {
      const kind = isHttp ? "http api" : address.startsWith("[") ? "ipv6" : "ipv4";
      const what =
        unixPath === null ? `${kind} listen socket on port ${port}` : `unix listen socket on path ${address}`;
      this.#log.write("information", `Opening ${what}.`);
    }
    if (isHttp && webSocket.httpDir !== null) this.#log.write("information", `Using http_dir ${webSocket.httpDir}`);
  }

  #tellOfDescriptors(isExhausted: boolean): void {
    if (isExhausted) {
      const advice = 'Try increasing "ulimit -n" or equivalent';
      const what = "Unable to accept new connection, system socket count has been exceeded";
      this.#log.write("warning", `${what}. ${advice}.`);
    } else {
      this.#log.write("notice", "There are file descriptors again: new connections are taken.");
    }
  }

  /**
   * Those of `configs` that belong to what is open, in its order.
   * @throws StartError when one is missing, or one is new
   */
  matching(configs: readonly ListenerConfig[]): readonly ListenerConfig[] {
    const byName = new Map(configs.map((config) => [config.entrance.name, config]));
    const missing = this.#opened.find(({ config }) => !byName.has(config.entrance.name));
    const known = new Set(this.#opened.map(({ config }) => config.entrance.name));
    const added = configs.find(({ entrance, isOptional }) => !known.has(entrance.name) && !isOptional);
    if (missing !== undefined || added !== undefined) {
      const which = added === undefined ? `${missing?.config.entrance.name} is gone` : `${added.entrance.name} is new`;
      throw new StartError(
        `It is not currently possible to add/remove listeners when reloading the config file: ${which}. Restart the broker for that.`,
      );
    }
    return this.#opened.map(({ config }) => byName.get(config.entrance.name) ?? config);
  }

  /**
   * Reads certificates, keys and lists again, of all listeners, and returns what has them used.
   * @param configs what the listeners are set to from now on, in the order in which they were opened
   * @throws TransportError or SecurityError when a file cannot be used; nothing has changed then
   */
  async prepareReload(configs: readonly ListenerConfig[]): Promise<() => void> {
    const changes = await Promise.all(
      this.#opened.map((opened, at) => prepared(opened, configs[at] ?? opened.config, this.#log)),
    );
    return () => {
      for (const change of changes) change();
      for (const [at, { current }] of this.#opened.entries()) {
        const { entrance, allowAnonymous, security } = configs[at] ?? current;
        Object.assign(current, { entrance, allowAnonymous, security });
      }
    };
  }

  async #renewChanged(): Promise<void> {
    for (const opened of this.#opened) {
      const { listener } = opened;
      if (!(await listener.hasChanged())) continue;
      try {
        (await listener.prepareReload())();
        this.#log.write("notice", `The files of TLS have changed: ${listener.address} uses the new ones from now on.`);
      } catch (error) {
        this.#log.write(
          "error",
          `The files of TLS have changed, but ${listener.address} keeps what it has: ${(error as Error).message}`,
        );
      }
    }
  }

  /** Takes no connections any more. Resolves when all have ended. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopWatching();
    // Of a start that has failed some may be left.
    this.#inherited?.closeUnclaimed();
    await Promise.all(this.all.map((listener) => listener.close()));
  }
}

async function keysOf({ psk, security }: ListenerConfig, log: Log<BrokerLogType>): Promise<PskHolder["keys"]> {
  if (psk === null || security.pskFile === null) return new Map();
  await tellOfReaders(security.pskFile, (type, line) => log.write(type, line));
  return readPskFile(security.pskFile);
}

async function prepared(
  { listener, psk }: Opened,
  config: ListenerConfig,
  log: Log<BrokerLogType>,
): Promise<() => void> {
  const keys = await keysOf(config, log);
  const change = await listener.prepareReload();
  return () => {
    psk.keys = keys;
    change();
  };
}
