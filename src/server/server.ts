/** From a Config to a running broker: the one place that chooses adapters, and the order of starting and stopping. */

import type { Config, ListenerConfig } from "../config/index.ts";
import { ANONYMOUS, type Broker, NO_STORE, NOBODY } from "../core/index.ts";
import { BrokerLog, type BrokerLogType, Log, type LogSink } from "../observe/index.ts";
import { type Listener, listenTcp } from "../transport/index.ts";
import { EventLoop } from "./event-loop.ts";
import { ListenError } from "./listen-error.ts";

/** A broker that runs. */
export interface Server {
  readonly broker: Broker;
  /** Where clients can come in. */
  readonly listeners: readonly Listener[];
  readonly log: Log<BrokerLogType>;
  /** Says goodbye to all clients and stops. Resolves when every connection is closed. */
  close(): Promise<void>;
}

/**
 * Starts a broker.
 * @param sink takes the log's text
 * @throws ListenError when an address cannot be had; nothing runs then
 */
export async function startServer(config: Config, sink: LogSink): Promise<Server> {
  const log = new Log<BrokerLogType>(config.log, sink);
  const observer = new BrokerLog(log, config.log);
  const loop = new EventLoop({ options: config.broker, store: NO_STORE, observer });
  await loop.broker.restore();
  const running = new RunningServer(loop, log);
  try {
    for (const listener of config.listeners) await running.listen(listener);
  } catch (error) {
    await running.close();
    throw error;
  }
  return running;
}

class RunningServer implements Server {
  readonly listeners: Listener[] = [];
  readonly log: Log<BrokerLogType>;
  readonly #loop: EventLoop;
  #closing: Promise<void> | null = null;

  constructor(loop: EventLoop, log: Log<BrokerLogType>) {
    this.#loop = loop;
    this.log = log;
  }

  get broker(): Broker {
    return this.#loop.broker;
  }

  async listen({ host, port, allowAnonymous, isOptional }: ListenerConfig): Promise<void> {
    // With any free port asked for, all listeners get the same one.
    const wanted = port === 0 ? (this.listeners[0]?.port ?? 0) : port;
    const authenticator = allowAnonymous ? ANONYMOUS : NOBODY;
    const onAcceptError = (error: Error): void =>
      this.log.write("error", `A connection could not be taken: ${error.message}.`);
    try {
      this.listeners.push(
        await listenTcp({ host, port: wanted }, { broker: this.broker, authenticator, onAcceptError }),
      );
    } catch (error) {
      const failure = new ListenError(host, wanted, error);
      if (!isOptional) throw failure;
      this.log.write("warning", `${failure.message} Going on without it.`);
      return;
    }
    const { address } = this.listeners.at(-1)!;
    this.log.write("information", `Opening listen socket on ${address}.`);
    if (!allowAnonymous) {
      this.log.write(
        "warning",
        `Nobody may connect to ${address}: it is not only for this machine, and --allow-anonymous is not set.`,
      );
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const closed = this.listeners.map((listener) => listener.close());
    await this.broker.shutdown();
    await Promise.all(closed);
    this.#loop.stop();
    this.log.flush();
  }
}
