/** What the broker is set to, and how that is read. */
export type {
  BridgeAddress,
  BridgeConfig,
  BridgeTlsConfig,
  BridgeTopic,
  RestartDelay,
} from "./bridge-config.ts";
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
export {
  type DynamicSecurityConfig,
  type FilePluginConfig,
  type HttpAuthConfig,
  type JwtConfig,
  type ModulePluginConfig,
  NO_SECURITY,
  type ScramConfig,
  type SecurityConfig,
  type SecurityPlugin,
} from "./security-config.ts";
export { applySetting, SETTING_NAMES, SettingError, settingForm } from "./settings.ts";
