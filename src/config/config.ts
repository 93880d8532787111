/** What a running broker is set to: one typed value, whatever it was read from. */
import { join } from "node:path";
import { type BrokerOptions, DEFAULT_OPTIONS } from "../core/index.ts";
import type { BridgeConfig } from "./bridge-config.ts";
import { DEFAULT_LISTENER, type ListenerConfig } from "./listener-config.ts";
import { DEFAULT_LOG, type LogConfig } from "./log-config.ts";

/** When an acknowledgement that promises something may leave. */
export type Durability =
  /** When the disk has what it promises: survives a power cut. */
  | { readonly mode: "always" }
  /** When the operating system has it, and the disk at most this much later, in milliseconds. */
  | { readonly mode: "interval"; readonly intervalMs: number }
  /** When the operating system has it; the disk whenever that likes. Survives the end of the process. */
  | { readonly mode: "none" };

/** Whether Sessions, their messages and retained messages outlive the process. */
export interface PersistenceConfig {
  readonly enabled: boolean;
  /** Folder of the store. */
  readonly location: string;
  /** Where mosquitto keeps its database under the same configuration. */
  readonly mosquittoFile: string;
  /** Whether a file at `mosquittoFile` stands for the store, so that removing it begins anew. */
  readonly hasStandIn: boolean;
  readonly durability: Durability;
}

/** What the process does besides MQTT. */
export interface ProcessConfig {
  /** `user`: who a process that was started by root becomes; null: mosquitto, or nobody when there is no such user. */
  readonly user: string | null;
  /** `pid_file`: null: none. */
  readonly pidFile: string | null;
  /** `--tls-keylog`: file that the secrets of TLS at listeners are added to, for Wireshark; null: none. */
  readonly tlsKeyLog: string | null;
}

/** Everything. */
export interface Config {
  readonly listeners: readonly ListenerConfig[];
  readonly broker: BrokerOptions;
  readonly log: LogConfig;
  readonly persistence: PersistenceConfig;
  readonly bridges: readonly BridgeConfig[];
  readonly process: ProcessConfig;
  /** `sys_interval`: seconds between updates of `$SYS`, 0..65,535; 0: there is none. */
  readonly sysIntervalSeconds: number;
  /** `enable_control_api`: whether `$CONTROL/broker/v1` answers. */
  readonly enableControlApi: boolean;
}

/** The port of MQTT without TLS. */
export const DEFAULT_PORT = 1883;

/** Whether only this machine itself can reach `host`. */
export function isLoopback(host: string): boolean {
  return /^(127\.\d+\.\d+\.\d+|::1|localhost)$/.test(host);
}

/** Whether only this machine itself can reach a listener. */
export function isLocal({ host, unixPath }: ListenerConfig): boolean {
  return unixPath !== null || (host !== null && isLoopback(host));
}

/** A listener with mosquitto's defaults for whatever is not said. */
export function listenerOf(settings: Partial<ListenerConfig>): ListenerConfig {
  return { ...DEFAULT_LISTENER, ...settings };
}

/** Only this machine's clients, by both versions of IP, and no questions asked. */
export function localListeners(port: number = DEFAULT_PORT): readonly ListenerConfig[] {
  return [
    listenerOf({ host: "127.0.0.1", port, allowAnonymous: true }),
    listenerOf({ host: "::1", port, allowAnonymous: true, isOptional: true }),
  ];
}

/** Where the store is unless asked otherwise, seen from the folder that the broker is started in. */
export const DEFAULT_STORE_FOLDER = "data";
/** `persistence_file` of mosquitto. */
export const DEFAULT_PERSISTENCE_FILE = "mosquitto.db";

/** mosquitto's defaults: without persistence. */
export const DEFAULT_CONFIG: Config = {
  listeners: localListeners(),
  broker: DEFAULT_OPTIONS,
  log: DEFAULT_LOG,
  persistence: {
    enabled: false,
    location: DEFAULT_STORE_FOLDER,
    mosquittoFile: join(DEFAULT_STORE_FOLDER, DEFAULT_PERSISTENCE_FILE),
    hasStandIn: false,
    durability: { mode: "always" },
  },
  bridges: [],
  process: { user: null, pidFile: null, tlsKeyLog: null },
  sysIntervalSeconds: 10,
  enableControlApi: false,
};
