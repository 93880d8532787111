/** `createBroker`: from typed options to a running broker. */
import { EventEmitter } from "node:events";
import { type Config, type ReadConfig, readConfig } from "../config/index.ts";
import type { LogSink } from "../observe/index.ts";
import type { SecurityConfig, SecurityPlugin } from "../security/index.ts";
import { startServer } from "../server/index.ts";
import { bridgeLines } from "./bridge-lines.ts";
import { type BrokerEvents, eventObserver } from "./broker-events.ts";
import { type EmbeddedBroker, RunningBroker } from "./embedded-broker.ts";
import { pluginsOf } from "./given-users.ts";
import { brokerLines, looseListener } from "./option-lines.ts";
import type { CreateBrokerOptions, ListenerSettings } from "./options.ts";

/**
 * Starts a broker. Without options it listens on a free port of 127.0.0.1, lets everybody of this machine in, keeps everything in memory
 * and logs nothing.
 * @throws ConfigError when an option is not allowed, ListenError when an address cannot be had, SecurityError when a file of users or
 *   rules cannot be used, StoreError when the store cannot; nothing runs then
 */
export async function createBroker(options: CreateBrokerOptions = {}): Promise<EmbeddedBroker> {
  const { config, notices } = configOf(options);
  const emitter = new EventEmitter<BrokerEvents>();
  const { log } = options;
  const server = await startServer(config, sinkOf(options), {
    notices,
    observer: eventObserver(emitter),
    logListener: {
      write(lines) {
        for (const { type, text } of lines) {
          if (typeof log === "function") log({ type, text });
          emitter.emit("log", type, text);
        }
      },
    },
  });
  return new RunningBroker(server, config, emitter);
}

/** Where the log goes; null: where its settings say. */
function sinkOf({ log, configFile }: CreateBrokerOptions): LogSink | null {
  if (log === "stderr") return (text) => void process.stderr.write(text);
  return log === undefined && configFile !== undefined ? null : () => {};
}

function configOf(options: CreateBrokerOptions): ReadConfig {
  const { configFile = null, listeners, port, host, allowAnonymous } = options;
  const bridges = (options.bridges ?? []).flatMap((bridge, at) => bridgeLines(bridge, `bridges[${at}]`));
  const lines = [...brokerLines(options), ...bridges];
  const plugins = pluginsOf(options);
  const asksForUsers = options.users ?? options.passwordFile ?? options.authenticate ?? options.plugins;
  const isOpen = allowAnonymous ?? asksForUsers === undefined;
  const isOne = listeners === undefined && (configFile === null || port !== undefined || host !== undefined);
  const one: ListenerSettings = {
    ...(port !== undefined && { port }),
    ...(host !== undefined && { host }),
    ...(allowAnonymous !== undefined && { allowAnonymous }),
  };
  const wanted = isOne
    ? [looseListener(one, "createBroker", isOpen)]
    : (listeners ?? []).map((each, at) => looseListener(withDefault(each, allowAnonymous), `listeners[${at}]`, isOpen));
  const read = readConfig({ file: configFile, listeners: wanted, lines });
  const { config } = read;
  const reasonStrings = options.reasonStrings ?? (configFile === null || config.broker.reasonStrings);
  return { ...read, config: withPlugins({ ...config, broker: { ...config.broker, reasonStrings } }, plugins) };
}

function withDefault(settings: ListenerSettings, allowAnonymous: boolean | undefined): ListenerSettings {
  return allowAnonymous === undefined ? settings : { allowAnonymous, ...settings };
}

/** Plugins for all listeners; those that share one security still do. */
function withPlugins(config: Config, plugins: readonly SecurityPlugin[]): Config {
  if (plugins.length === 0) return config;
  const known = new Map<SecurityConfig, SecurityConfig>();
  const listeners = config.listeners.map((listener) => {
    const { security } = listener;
    let own = known.get(security);
    if (own === undefined) known.set(security, (own = { ...security, plugins: [...security.plugins, ...plugins] }));
    return { ...listener, security: own };
  });
  return { ...config, listeners };
}
