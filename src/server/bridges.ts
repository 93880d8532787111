/** From the settings of bridges to bridges that run, and to others when the settings change. */
import { hostname } from "node:os";
import { join } from "node:path";
import { Bridge, type BridgeLog, type BridgeOptions } from "../bridge/index.ts";
import { openPairStore, type PairStore } from "../client/index.ts";
import type { BridgeConfig, PersistenceConfig } from "../config/index.ts";
import { ALLOW_ALL, type Authenticator, type Broker } from "../core/index.ts";
import { Patience } from "../transport/index.ts";
import { bridgeConnector } from "./bridge-connector.ts";
import type { Guards } from "./guards.ts";

interface Running {
  config: BridgeConfig;
  readonly bridge: Bridge;
}

/** All bridges of one broker. */
export class Bridges {
  readonly #broker: Broker;
  readonly #guards: Guards;
  readonly #log: BridgeLog;
  readonly #running: Map<string, Running> = new Map();
  /** Settings that wait for the end of a connection, by name. */
  readonly #next: Map<string, BridgeConfig> = new Map();
  readonly #persistence: PersistenceConfig;
  /** Changes are made one after another. */
  #changing: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(broker: Broker, guards: Guards, persistence: PersistenceConfig, log: BridgeLog) {
    this.#broker = broker;
    this.#guards = guards;
    this.#persistence = persistence;
    this.#log = log;
  }

  /**
   * Has messages wait for bridges, so that none is lost that comes before they are started.
   * @throws ClientStoreError when what one keeps cannot be read
   */
  async prepare(configs: readonly BridgeConfig[]): Promise<void> {
    const preparing: Promise<void>[] = [];
    for (const config of configs) preparing.push((await this.#make(config)).prepare());
    await this.#inTime(Promise.all(preparing));
  }

  /** While the store takes nothing no Session of a bridge begins: clients are not shut out for that, nor is the end put off. */
  #inTime(prepared: Promise<unknown>): Promise<void> {
    return new Promise((resolve, reject) => {
      const patience = new Patience(this.#broker.options.storeTimeoutMs, () => {
        const text =
          "Bridges cannot begin, as the store takes no changes: until it does, what comes does not wait for them.";
        this.#log.write("warning", text);
        resolve();
      });
      prepared.then(() => resolve(), reject).finally(() => patience.cancel());
    });
  }

  /** Starts those that were prepared. */
  start(): void {
    for (const { bridge } of this.#running.values()) bridge.start();
  }

  async #make(config: BridgeConfig): Promise<Bridge> {
    const bridge = new Bridge(this.#broker, await this.#optionsOf(config), this.#log);
    this.#running.set(config.name, { config, bridge });
    if (config.version === 5 && !config.cleanSession && config.sessionExpirySeconds === null) {
      const advice = "bridge_session_expiry_interval says how long";
      this.#log.write(
        "notice",
        `Bridge ${config.name}: by default the other broker keeps nothing for it over MQTT 5.0; ${advice}.`,
      );
    }
    return bridge;
  }

  async #optionsOf(config: BridgeConfig): Promise<BridgeOptions> {
    const remoteClientId = config.remoteClientId ?? `${hostname()}.${config.name}`;
    const { notifications, notificationTopic, receiveMaximum, sessionExpirySeconds } = config;
    const { maximumInflightMessages } = this.#broker.options;
    return {
      ...config,
      remoteClientId,
      connectors: config.addresses.map((address) => bridgeConnector(address, config)),
      localCleanSession: config.localCleanSession ?? config.cleanSession,
      localClientId: config.localClientId ?? `local.${remoteClientId}`,
      notificationTopic: notifications ? (notificationTopic ?? `$SYS/broker/connection/${remoteClientId}/state`) : null,
      receiveMaximum: receiveMaximum ?? (maximumInflightMessages === 0 ? 65_535 : maximumInflightMessages),
      sessionExpirySeconds: sessionExpirySeconds ?? 0,
      store: await this.#storeOf(config),
      authenticator: this.#authenticatorOf(config),
    };
  }

  /** What is under way outlives this process as everything else does. */
  async #storeOf({ name }: BridgeConfig): Promise<PairStore | null> {
    const { enabled, location, durability } = this.#persistence;
    if (!enabled) return null;
    const survives = durability.mode === "always" ? "power-cut" : "process";
    const store = await openPairStore(join(location, `bridge-${encodeURIComponent(name)}.store`), { survives });
    if (store.damage !== null) this.#log.write("error", `Bridge ${name}: ${store.damage}`);
    return store;
  }

  /** Nobody else takes the Session of a bridge over, as nobody else is this principal. */
  #authenticatorOf({ name, localUsername }: BridgeConfig): Authenticator {
    const principal = `bridge ${name}`;
    if (localUsername === null)
      return { authenticate: () => ({ kind: "accepted", policy: ALLOW_ALL, principal, username: null }) };
    return { authenticate: (applicant) => ({ ...this.#guards.admit(applicant), principal }) };
  }

  /** Goes over to other settings: what is gone ends, what is new or different starts, the rest goes on undisturbed. */
  change(configs: readonly BridgeConfig[]): void {
    const wanted = new Map(configs.map((config) => [config.name, config]));
    this.#next.clear();
    for (const [name, { config, bridge }] of this.#running) {
      const other = wanted.get(name);
      if (other === undefined) this.#replace(name, null);
      else if (!isSame(other, config)) {
        this.#next.set(name, other);
        if (other.reloadType === "immediate") this.#goOver(name);
        else bridge.whenEnded(() => this.#goOver(name));
      }
    }
    for (const config of configs) if (!this.#running.has(config.name)) this.#replace(config.name, config);
  }

  #goOver(name: string): void {
    const config = this.#next.get(name);
    this.#next.delete(name);
    if (config !== undefined) this.#replace(name, config);
  }

  #replace(name: string, config: BridgeConfig | null): void {
    this.#changing = this.#changing.then(async () => {
      try {
        await this.#running.get(name)?.bridge.stop();
        this.#running.delete(name);
        if (config === null || this.#isStopped) return;
        const bridge = await this.#make(config);
        await this.#inTime(bridge.prepare());
        bridge.start();
      } catch (error) {
        this.#log.write("error", `Bridge ${name} could not be changed: ${(error as Error).message}`);
      }
    });
  }

  /** Ends all bridges; the other brokers are told. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#changing;
    await Promise.all([...this.#running.values()].map(({ bridge }) => bridge.stop()));
  }
}

/** Whether the difference is only where it stands in the file. */
function isSame(a: BridgeConfig, b: BridgeConfig): boolean {
  return textOf(a) === textOf(b);
}

function textOf(config: BridgeConfig): string {
  return JSON.stringify(config, (key, value: unknown) => (key === "place" ? undefined : value));
}
