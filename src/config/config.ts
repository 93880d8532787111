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

/** Everything. */
export interface Config {
  readonly listeners: readonly ListenerConfig[];
  readonly broker: BrokerOptions;
  readonly log: LogConfig;
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

/** What runs without any configuration. */
export const DEFAULT_CONFIG: Config = {
  listeners: localListeners(),
  broker: DEFAULT_OPTIONS,
  log: { types: DEFAULT_LOG_TYPES, timestamp: true, connectionMessages: true },
};
