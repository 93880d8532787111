/** What a running broker is set to: one typed value, whatever it was read from. */
import { type BrokerOptions, DEFAULT_OPTIONS } from "../core/index.ts";

/** One way in for clients. */
export interface ListenerConfig {
  /** Address or name to bind. */
  readonly host: string;
  /** 0..65,535; 0: any free one. */
  readonly port: number;
  /** Whether clients that do not prove who they are may come in here. */
  readonly allowAnonymous: boolean;
  /** Whether the broker runs without it when it cannot be had, as on a machine without IPv6. */
  readonly isOptional: boolean;
}

/** Kinds of log lines, by mosquitto's `log_type`. */
export const LOG_TYPES = ["error", "warning", "notice", "information", "subscribe", "unsubscribe", "debug"] as const;

/** A kind of log line. */
export type LogType = (typeof LOG_TYPES)[number];

/** What is logged and how. */
export interface LogConfig {
  readonly types: readonly LogType[];
  /** Whether each line begins with the time. */
  readonly timestamp: boolean;
  /** Whether clients that come and go are logged. */
  readonly connectionMessages: boolean;
}

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
  readonly durability: Durability;
}

/** Everything. */
export interface Config {
  readonly listeners: readonly ListenerConfig[];
  readonly broker: BrokerOptions;
  readonly log: LogConfig;
  readonly persistence: PersistenceConfig;
}

/** The port of MQTT without TLS. */
export const DEFAULT_PORT = 1883;

/** The kinds that are logged unless asked otherwise: mosquitto's. */
export const DEFAULT_LOG_TYPES: readonly LogType[] = ["error", "warning", "notice", "information"];

/** Whether only this machine itself can reach `host`. */
export function isLoopback(host: string): boolean {
  return /^(127\.\d+\.\d+\.\d+|::1|localhost)$/.test(host);
}

/** Only this machine's clients, by both versions of IP, and no questions asked. */
export function localListeners(port: number = DEFAULT_PORT): readonly ListenerConfig[] {
  return [
    { host: "127.0.0.1", port, allowAnonymous: true, isOptional: false },
    { host: "::1", port, allowAnonymous: true, isOptional: true },
  ];
}

/** Where the store is unless asked otherwise, seen from the folder that the broker is started in. */
export const DEFAULT_STORE_FOLDER = "data";

/** mosquitto's defaults: without persistence. */
export const DEFAULT_CONFIG: Config = {
  listeners: localListeners(),
  broker: DEFAULT_OPTIONS,
  log: { types: DEFAULT_LOG_TYPES, timestamp: true, connectionMessages: true },
  persistence: { enabled: false, location: DEFAULT_STORE_FOLDER, durability: { mode: "always" } },
};
