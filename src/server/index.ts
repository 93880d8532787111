/** A broker as a server: from a Config to listening sockets. */
export type {
  Acl,
  AclLists,
  Answer,
  EnhancedMethod,
  Exchange,
  ExchangeStep,
  Names,
  Plugin,
  PluginAcl,
  PluginClient,
  PluginContext,
  PluginFactory,
  PluginVerdict,
  SecurityLogType,
} from "../security/index.ts";
export { SecurityError } from "../security/index.ts";
export { StoreError } from "../store/index.ts";
export { ListenError } from "./listen-error.ts";
export { reserveLowPorts } from "./low-ports.ts";
export { type Server, type StartOptions, startServer } from "./server.ts";
export { StartError } from "./start-error.ts";
export { subscriptionTree } from "./subscription-tree.ts";
