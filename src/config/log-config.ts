/** What is logged, how it looks, and where it goes. */

/** Kinds of log lines, by mosquitto's `log_type`. */
export const LOG_TYPES = [
  "error",
  "warning",
  "notice",
  "information",
  "subscribe",
  "unsubscribe",
  "debug",
  "websockets",
  "internal",
] as const;

/** A kind of log line. */
export type LogType = (typeof LOG_TYPES)[number];

/** The kinds that are logged unless asked otherwise: mosquitto's. */
export const DEFAULT_LOG_TYPES: readonly LogType[] = ["error", "warning", "notice", "information"];

/** `log_dest`: where lines go. */
export type LogDestination =
  | { readonly kind: "stdout" }
  | { readonly kind: "stderr" }
  /** The system's log, by its socket. */
  | { readonly kind: "syslog" }
  /** `$SYS/broker/log/...` */
  | { readonly kind: "topic" }
  | { readonly kind: "file"; readonly path: string };

/** What is logged and how. */
export interface LogConfig {
  readonly types: readonly LogType[];
  /** Empty: nowhere. */
  readonly destinations: readonly LogDestination[];
  /** `log_facility`: 0..7 for local0 to local7; null: daemon. */
  readonly facility: number | null;
  /** Whether each line begins with the time. */
  readonly timestamp: boolean;
  /** `log_timestamp_format`, of strftime; null: seconds since 1970. */
  readonly timestampFormat: string | null;
  /** `lacewing_log_format`: lines for people, or one JSON object a line. */
  readonly format: "text" | "json";
  /** Whether clients that come and go are logged. */
  readonly connectionMessages: boolean;
}

/** mosquitto's defaults. */
export const DEFAULT_LOG: LogConfig = {
  types: DEFAULT_LOG_TYPES,
  destinations: [{ kind: "stderr" }],
  facility: null,
  timestamp: true,
  timestampFormat: null,
  format: "text",
  connectionMessages: true,
};
