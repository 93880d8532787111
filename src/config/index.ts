/** What the broker is set to, and how that is read. */
export {
  type Config,
  DEFAULT_CONFIG,
  DEFAULT_LOG_TYPES,
  DEFAULT_PORT,
  DEFAULT_STORE_FOLDER,
  type Durability,
  isLoopback,
  type ListenerConfig,
  LOG_TYPES,
  type LogConfig,
  type LogType,
  localListeners,
  type PersistenceConfig,
} from "./config.ts";
export { applySetting, SETTING_NAMES, SettingError, settingForm } from "./settings.ts";
