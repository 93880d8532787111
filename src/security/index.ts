/** Who may do what: adapters of the core's Authenticator, and what they are made of. */
export { type Accepted, AccessControl } from "./access-control.ts";
export type { Acl, AclLists } from "./acl-file.ts";
export type { EnhancedMethod, Exchange, ExchangeStep } from "./enhanced-method.ts";
export { tellOfReaders } from "./file-readers.ts";
export {
  DEFAULT_ITERATIONS,
  formatPasswordHash,
  hashPassword,
  MOST_ITERATIONS,
  type PasswordAlgorithm,
  type PasswordHash,
  parsePasswordHash,
  verifyPassword,
} from "./password-hash.ts";
export type {
  Plugin,
  PluginAcl,
  PluginClient,
  PluginContext,
  PluginFactory,
  PluginVerdict,
} from "./plugin.ts";
export { type PskKeys, readPskFile } from "./psk-file.ts";
export { Realm, RealmParts } from "./realm.ts";
export { replaceFile } from "./replace-file.ts";
export type { Answer, Rules } from "./rules.ts";
export {
  formatScramVerifier,
  parseScramVerifier,
  SCRAM_ITERATIONS,
  SCRAM_SHA_256,
  type ScramVerifier,
  scramVerifier,
} from "./scram.ts";
export {
  type AccessOptions,
  type AclListsConfig,
  type DynamicSecurityConfig,
  type FilePluginConfig,
  type GivenPluginConfig,
  type HttpAuthConfig,
  type JwtConfig,
  type ModulePluginConfig,
  NO_SECURITY,
  type ScramConfig,
  type SecurityConfig,
  type SecurityPlugin,
} from "./security-config.ts";
export { SecurityError } from "./security-error.ts";
export { examineSecurityFiles, type SecurityFile } from "./security-files.ts";
export type {
  AuthenticationSource,
  Claim,
  Judgement,
  RulesSource,
  SecurityLog,
  SecurityLogType,
} from "./sources.ts";
export type { Names } from "./topic-tree.ts";
