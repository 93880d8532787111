/** The package's main entry: a broker in an application or a test. */

export { ConfigError } from "../config/index.ts";
export {
  type Acl,
  type AclLists,
  type Answer,
  type EnhancedMethod,
  type Exchange,
  type ExchangeStep,
  ListenError,
  type Names,
  type Plugin,
  type PluginAcl,
  type PluginClient,
  type PluginContext,
  type PluginFactory,
  type PluginVerdict,
  SecurityError,
  type SecurityLogType,
  StartError,
  StoreError,
} from "../server/index.ts";
export type { BridgedTopicSettings, BridgeSettings, BridgeTlsSettings } from "./bridge-settings.ts";
export type { BrokerEvents, ConnectedClient } from "./broker-events.ts";
export { createBroker } from "./create-broker.ts";
export type { EmbeddedBroker } from "./embedded-broker.ts";
export type {
  BrokerLimits,
  CreateBrokerOptions,
  ListenerSettings,
  PersistenceSettings,
  SniCertificateSettings,
  TlsSettings,
} from "./options.ts";
