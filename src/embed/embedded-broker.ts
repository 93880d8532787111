/** A running broker as an application has it. */
import type { EventEmitter } from "node:events";
import { connect, type MqttClient, type MqttClientOptions } from "../client/index.ts";
import type { Config, ListenerConfig } from "../config/index.ts";
import { ANONYMOUS, DEFAULT_ENTRANCE } from "../core/index.ts";
import type { Server } from "../server/index.ts";
import { type Listener, MemoryConnector } from "../transport/index.ts";
import type { BrokerEvents } from "./broker-events.ts";

/** A running broker. `await using` closes it, and so does `close()`. */
export interface EmbeddedBroker extends AsyncDisposable {
  /** Of the first listener, as "mqtt://127.0.0.1:40123". */
  readonly url: string;
  /** Of all listeners, in the order of the options. */
  readonly urls: readonly string[];
  /** Of the first listener; 0: a unix socket. */
  readonly port: number;
  /** Identifiers of the clients that are connected. */
  readonly clients: readonly string[];
  /**
   * Connects a client in this process, without a socket. It comes in whoever it says that it is, and may do everything: to have users
   * and rules asked, connect to `url`. What of the options is about the way to a server means nothing here.
   */
  connect(options?: MqttClientOptions): Promise<MqttClient>;
  /** Adds a listener of an event. */
  on<Name extends keyof BrokerEvents>(name: Name, listener: (...args: BrokerEvents[Name]) => void): this;
  off<Name extends keyof BrokerEvents>(name: Name, listener: (...args: BrokerEvents[Name]) => void): this;
  /** Resolves when the store has all that has happened until now. */
  save(): Promise<void>;
  /** Says goodbye to all clients, frees all ports, and leaves nothing behind that keeps the process alive. May be called twice. */
  close(): Promise<void>;
}

const IN_PROCESS = { ...DEFAULT_ENTRANCE, name: "in this process" };

/** What `createBroker` makes. */
export class RunningBroker implements EmbeddedBroker {
  readonly urls: readonly string[];
  readonly port: number;
  readonly #server: Server;
  readonly #emitter: EventEmitter<BrokerEvents>;
  readonly #own: Set<MqttClient> = new Set();
  #closing: Promise<void> | null = null;

  constructor(server: Server, { listeners }: Config, emitter: EventEmitter<BrokerEvents>) {
    this.#server = server;
    this.#emitter = emitter;
    this.port = server.listeners[0]?.port ?? 0;
    this.urls = server.listeners.map((listener, at) => urlOf(listener, listeners[at]!));
  }

  get url(): string {
    return this.urls[0] ?? "";
  }

  get clients(): readonly string[] {
    return [...this.#server.broker.connections].filter(({ isReady }) => isReady).map(({ clientId }) => clientId ?? "");
  }

  async connect(options: MqttClientOptions = {}): Promise<MqttClient> {
    if (this.#closing !== null) throw new Error("The broker is closed: nobody can connect to it.");
    const { broker } = this.#server;
    const connector = new MemoryConnector(IN_PROCESS.name, (link) => broker.accept(link, ANONYMOUS, IN_PROCESS));
    const client = await connect("mqtt://localhost", { ...options, connector: () => connector });
    this.#own.add(client);
    client.on("close", () => this.#own.delete(client));
    return client;
  }

  on<Name extends keyof BrokerEvents>(name: Name, listener: (...args: BrokerEvents[Name]) => void): this {
    (this.#emitter as EventEmitter).on(name, listener as (...args: unknown[]) => void);
    return this;
  }

  off<Name extends keyof BrokerEvents>(name: Name, listener: (...args: BrokerEvents[Name]) => void): this {
    (this.#emitter as EventEmitter).off(name, listener as (...args: unknown[]) => void);
    return this;
  }

  save(): Promise<void> {
    return this.#server.save();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // They would connect again, to a broker that is not there.
    await Promise.all([...this.#own].map((client) => client.disconnect()));
    const isKept = await this.#server.close();
    if (!isKept)
      throw new Error("The store has not taken everything: messages may be delivered again. The log says why.");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** By protocol: without TLS, and with it. */
const SCHEMES = { mqtt: ["mqtt", "mqtts"], websockets: ["ws", "wss"], http_api: ["http", "https"] } as const;

function urlOf({ address, port }: Listener, { unixPath, protocol, host, tls, psk }: ListenerConfig): string {
  if (unixPath !== null) return `unix://${address}`;
  const isSafe = tls !== null || psk !== null;
  const scheme = SCHEMES[protocol][isSafe ? 1 : 0];
  // Of all addresses, one that a client can use.
  const name = host === null || host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  return `${scheme}://${name.includes(":") ? `[${name}]` : name}:${port}`;
}
