/** What the broker is set to, and how that is read. */
export type {
  BridgeAddress,
  BridgeConfig,
  BridgeTlsConfig,
  BridgeTopic,
} from "./bridge-config.ts";
export { type ConfigReport, checkConfig } from "./check/check-config.ts";
export type { Finding } from "./check/finding.ts";
export type { Setting, SettingGroup } from "./check/setting.ts";
export {
  type Config,
  DEFAULT_CONFIG,
  DEFAULT_PORT,
  DEFAULT_STORE_FOLDER,
  type Durability,
  isLocal,
  isLoopback,
  listenerOf,
  localListeners,
  type PersistenceConfig,
  type ProcessConfig,
} from "./config.ts";
export { type ConfiguredFile, configuredFiles } from "./configured-files.ts";
export {
  DEFAULT_LISTENER,
  type ListenerConfig,
  type ListenerProtocol,
  type PskConfig,
  type SniCertificate,
  type TlsConfig,
  type TlsVersion,
  type WebSocketConfig,
} from "./listener-config.ts";
export {
  DEFAULT_LOG,
  DEFAULT_LOG_TYPES,
  LOG_TYPES,
  type LogConfig,
  type LogDestination,
  type LogType,
} from "./log-config.ts";
export type { Option, OptionScope, Standing } from "./option.ts";
export { findOption, nearestOption, OPTION_GROUPS } from "./option-table.ts";
export { optionsPage } from "./page.ts";
export { ConfigError, type FoundWhen, type Notice, type Problem } from "./problem.ts";
export {
  type ConfigSources,
  type LooseListener,
  type OptionLine,
  type ReadConfig,
  readConfig,
} from "./read-config.ts";
export { restartReasons } from "./restart-reasons.ts";
export { serverTlsOptions } from "./server-tls.ts";
