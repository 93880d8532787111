/** Who may do what: adapters of the core's Authenticator, and what they are made of. */
export { AccessControl, type AccessParts } from "./access-control.ts";
export { type AccessOptions, DEFAULT_ACCESS, type UsernameSource } from "./access-options.ts";
export type { EnhancedMethod, Exchange, ExchangeStep } from "./enhanced-method.ts";
export { PasswordCheck } from "./password-check.ts";
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
export type { Answer, Rules } from "./rules.ts";
export { SecurityError } from "./security-error.ts";
export type {
  AuthenticationSource,
  Claim,
  Judgement,
  RulesSource,
  SecurityLog,
  SecurityLogType,
} from "./sources.ts";
export type { Names } from "./topic-tree.ts";
