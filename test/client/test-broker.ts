// Our own broker in this process, on a free port of the loopback, for tests of the client library.
import type { TestContext } from "node:test";
import { DEFAULT_CONFIG, type ListenerConfig, listenerOf } from "../../src/config/index.ts";
import { type BrokerOptions, DEFAULT_ENTRANCE, DEFAULT_OPTIONS, type Entrance } from "../../src/core/index.ts";
import { type Server, startServer } from "../../src/server/index.ts";

/** A broker that can be stopped and started again on its port. */
export class TestBroker {
  readonly options: BrokerOptions;
  readonly entrance: Entrance;
  readonly listener: Partial<ListenerConfig>;
  port = 0;
  #server: Server | null = null;

  /** @param listener what is special about its listener, as WebSocket */
  constructor(
    options: Partial<BrokerOptions>,
    entrance: Partial<Entrance> = {},
    listener: Partial<ListenerConfig> = {},
  ) {
    this.listener = listener;
    this.entrance = { ...DEFAULT_ENTRANCE, ...entrance };
    this.options = { ...DEFAULT_OPTIONS, ...options };
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  get server(): Server {
    return this.#server!;
  }

  async start(): Promise<void> {
    const { port, entrance } = this;
    const listener = listenerOf({ host: "127.0.0.1", port, allowAnonymous: true, entrance, ...this.listener });
    this.#server = await startServer({ ...DEFAULT_CONFIG, broker: this.options, listeners: [listener] }, () => {});
    this.port = this.#server.listeners[0]!.port;
  }

  async stop(): Promise<void> {
    await this.#server?.close();
    this.#server = null;
  }
}

/** A broker for one test. */
export async function startBroker(
  context: TestContext,
  options: Partial<BrokerOptions> = {},
  entrance: Partial<Entrance> = {},
  listener: Partial<ListenerConfig> = {},
): Promise<TestBroker> {
  const broker = new TestBroker(options, entrance, listener);
  await broker.start();
  context.after(() => broker.stop());
  return broker;
}
