/** Who may do what: adapters of the core's Authenticator, and what they are made of. */
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
